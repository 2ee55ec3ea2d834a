/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rigtool: the one helper program the tests put into the guest.
 *
 * It is linked statically and dispatches on its first argument, so that the
 * initramfs carries one file whatever the number of helpers.
 */
#ifndef RIGTOOL_H
#define RIGTOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

#define RIG_ETHERTYPE	0x88b5	/* IEEE 802 local experimental 1 */
#define RIG_MAGIC	0x49474244u	/* "IGBD" */
#define RIG_HEADER	12	/* magic, sequence number, body length */
#define RIG_PERIOD	251	/* prime: a chunk shifted by any 2^n shows */

/* Every helper: returns the exit status, argv[0] is its own name. */
int kmsg_main(int argc, char **argv);
int send_main(int argc, char **argv);
int recv_main(int argc, char **argv);
int segment_main(int argc, char **argv);
int load_main(int argc, char **argv);
int probe_main(int argc, char **argv);
int carrier_main(int argc, char **argv);
int updown_main(int argc, char **argv);
int mii_main(int argc, char **argv);
int pause_main(int argc, char **argv);
int pcicfg_main(int argc, char **argv);
int mmio_main(int argc, char **argv);
int fakecard_main(int argc, char **argv);
int udpecho_main(int argc, char **argv);
int udpping_main(int argc, char **argv);
int udpbeat_main(int argc, char **argv);
int tcpecho_main(int argc, char **argv);
int tcpping_main(int argc, char **argv);
int tcpsink_main(int argc, char **argv);
int tcpclose_main(int argc, char **argv);
int datagram_main(int argc, char **argv);
int lone_main(int argc, char **argv);
int sctpinit_main(int argc, char **argv);
int hear_main(int argc, char **argv);
int pagepools_main(int argc, char **argv);
int netdev_main(int argc, char **argv);
int linkdowns_main(int argc, char **argv);
int profile_main(int argc, char **argv);
int xsk_main(int argc, char **argv);
int bpfmap_main(int argc, char **argv);
int write_main(int argc, char **argv);
int failnth_main(int argc, char **argv);
int nobody_main(int argc, char **argv);
int split_main(int argc, char **argv);
int mapped_main(int argc, char **argv);
int flow_main(int argc, char **argv);
int state_main(int argc, char **argv);

/* Ends the program with a message and errno. */
void die(const char *what) __attribute__((noreturn));

/* Ends the program with a message about wrong arguments. */
void usage(const char *what) __attribute__((noreturn));

/*
 * Asks a generic netlink family with one attribute of @len bytes, none if 0, and calls @print
 * for each answer. Returns 0, or 1 when there was an error.
 */
int ask_generic(const char *family, int command, int flags, int type, const void *value,
		size_t len, void (*print)(const struct nlmsghdr *message));

/* Has a TCP socket wait for connections to @port of any address, and says that it is ready. */
void listen_at(int fd, const char *port, int backlog);

/* CLOCK_MONOTONIC in microseconds. */
int64_t now_us(void);

/* "name=value" options after the positional arguments. */
const char *option(int argc, char **argv, const char *name, const char *fallback);
long option_long(int argc, char **argv, const char *name, long fallback);

/* Numbers as they are on the wire, aligned or not. */
void put16(uint8_t *at, uint16_t value);
void put32(uint8_t *at, uint32_t value);
uint32_t get32(const uint8_t *at);

/* Interface index of @name, or the program ends. */
int ifindex(const char *name);

/* Six bytes from "52:54:00:..." or the program ends. */
void parse_mac(const char *text, uint8_t mac[6]);

/* The address of an interface, or the program ends. */
void own_mac(const char *name, uint8_t mac[6]);

/* Builds a frame of @size bytes, its VLAN tag not counted; returns its length. */
size_t build_frame(uint8_t *out, const uint8_t *dst, const uint8_t *src,
		   uint32_t number, size_t size, int vlan);

/*
 * Offset of the first wrong body byte, or -1 when all are right. What follows
 * the body can only be the padding of a short frame: zeros.
 */
long check_body(const uint8_t *body, size_t len);

/* One line about a frame, as tests/rig/frames.py reads it. */
void print_frame(const uint8_t *mac, uint32_t number, size_t len, int vlan, int type, long wrong);

/* Sets or clears IFF_UP. Returns 0 or -errno. */
int set_up(const char *name, bool up);

#endif
