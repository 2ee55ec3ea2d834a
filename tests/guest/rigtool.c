// SPDX-License-Identifier: GPL-2.0
/* rigtool: dispatch and the few things that several helpers share. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rigtool.h"

void die(const char *what)
{
	fprintf(stderr, "rigtool: %s: %s\n", what, strerror(errno));
	exit(1);
}

void usage(const char *what)
{
	fprintf(stderr, "rigtool: usage: %s\n", what);
	exit(2);
}

void listen_at(int fd, const char *port, int backlog)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (bind(fd, (void *)&here, sizeof(here)) < 0 || listen(fd, backlog) < 0)
		die("bind");
	printf("ready\n");
}

int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

const char *option(int argc, char **argv, const char *name, const char *fallback)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			return argv[i] + len + 1;
	return fallback;
}

long option_long(int argc, char **argv, const char *name, long fallback)
{
	const char *text = option(argc, argv, name, NULL);

	return text ? strtol(text, NULL, 0) : fallback;
}

int ifindex(const char *name)
{
	int index = if_nametoindex(name);

	if (!index)
		die(name);
	return index;
}

void parse_mac(const char *text, uint8_t mac[6])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1],
		   &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		usage("a MAC address looks like 52:54:00:12:34:56");
}

void put16(uint8_t *at, uint16_t value)
{
	value = htons(value);
	memcpy(at, &value, 2);
}

void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

int set_up(const char *name, bool up)
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int err = 0;

	if (fd < 0)
		die("socket");
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		die(name);
	if (up)
		request.ifr_flags |= IFF_UP;
	else
		request.ifr_flags &= ~IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		err = -errno;
	close(fd);
	return err;
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} helpers[] = {
	{ "kmsg", kmsg_main },
	{ "send", send_main },
	{ "recv", recv_main },
	{ "segment", segment_main },
	{ "load", load_main },
	{ "probe", probe_main },
	{ "carrier", carrier_main },
	{ "updown", updown_main },
	{ "mii", mii_main },
	{ "pause", pause_main },
	{ "pcicfg", pcicfg_main },
	{ "mmio", mmio_main },
	{ "fakecard", fakecard_main },
	{ "udpecho", udpecho_main },
	{ "udpping", udpping_main },
	{ "udpbeat", udpbeat_main },
	{ "tcpecho", tcpecho_main },
	{ "tcpping", tcpping_main },
	{ "tcpsink", tcpsink_main },
	{ "tcpclose", tcpclose_main },
	{ "datagram", datagram_main },
	{ "lone", lone_main },
	{ "sctpinit", sctpinit_main },
	{ "hear", hear_main },
	{ "pagepools", pagepools_main },
	{ "netdev", netdev_main },
	{ "linkdowns", linkdowns_main },
	{ "profile", profile_main },
	{ "xsk", xsk_main },
	{ "bpfmap", bpfmap_main },
	{ "write", write_main },
	{ "failnth", failnth_main },
	{ "nobody", nobody_main },
	{ "split", split_main },
	{ "mapped", mapped_main },
	{ "flow", flow_main },
	{ "state", state_main },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(helpers) / sizeof(*helpers); i++)
		if (!strcmp(argv[1], helpers[i].name))
			return helpers[i].main(argc - 1, argv + 1);
	fprintf(stderr, "rigtool: one of:");
	for (size_t i = 0; i < sizeof(helpers) / sizeof(*helpers); i++)
		fprintf(stderr, " %s", helpers[i].name);
	fprintf(stderr, "\n");
	return 2;
}
