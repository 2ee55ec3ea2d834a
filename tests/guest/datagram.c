// SPDX-License-Identifier: GPL-2.0
/* datagram, lone, sctpinit: what a socket gives the card, and when it is taken back. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rigtool.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

#define PAGE		4096
#define PIECES_MAX	64
#define SLOW_US		100000
#define PATIENCE_US	2000000

/* A socket that is connected, or begins to be, to an address of either family. */
static int connected(const char *host, int port, int type, int protocol)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;
	int fd, err;

	if (!is_six && inet_pton(AF_INET, host, &four.sin_addr) != 1)
		usage("HOST is an address");
	fd = socket(is_six ? AF_INET6 : AF_INET, type, protocol);
	if (fd < 0)
		die("socket");
	err = is_six ? connect(fd, (void *)&six, sizeof(six)) :
		       connect(fd, (void *)&four, sizeof(four));
	if (err < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

/*
 * datagram HOST PORT: one send of pieces= times piece= bytes, each of which lies
 * in a page of its own and is not copied; with segment= as several datagrams.
 */
int datagram_main(int argc, char **argv)
{
	long pieces = option_long(argc, argv, "pieces", 1);
	long piece = option_long(argc, argv, "piece", 100);
	int segment = option_long(argc, argv, "segment", 0);
	struct iovec parts[PIECES_MAX];
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = pieces };
	size_t at = 0;
	uint8_t *pages;
	int fd, on = 1;

	if (argc < 3 || pieces < 1 || pieces > PIECES_MAX || piece < 1 || piece > PAGE - PIECES_MAX)
		usage("datagram HOST PORT [pieces=1...64] [piece=BYTES] [segment=BYTES]");
	/* Every other page, so that no two pieces can be taken for one. */
	pages = mmap(NULL, 2 * pieces * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < pieces; i++) {
		uint8_t *data = pages + 2 * i * PAGE + i;

		parts[i] = (struct iovec) { .iov_base = data, .iov_len = piece };
		for (long j = 0; j < piece; j++)
			data[j] = at++ % RIG_PERIOD;
	}
	fd = connected(argv[1], atoi(argv[2]), SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)))
		die("SO_ZEROCOPY");
	if (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		die("UDP_SEGMENT");
	if (sendmsg(fd, &message, MSG_ZEROCOPY) != (ssize_t)at)
		die("sendmsg");
	return 0;
}

/* How long until nothing of what was sent is on its way any more. */
static int64_t wait_sent(int fd)
{
	int64_t start = now_us();
	int left = 1;

	while (left && now_us() - start < PATIENCE_US)
		if (ioctl(fd, SIOCOUTQ, &left) < 0)
			die("SIOCOUTQ");
	return now_us() - start;
}

/*
 * lone HOST PORT: count= datagrams of size= bytes through the smallest send
 * buffer. A send waits until the buffer has room, which is when the driver gives
 * an earlier datagram back, and there is no other traffic to remind it.
 */
int lone_main(int argc, char **argv)
{
	long count = option_long(argc, argv, "count", 100);
	long size = option_long(argc, argv, "size", 1400);
	struct timeval limit = { .tv_sec = PATIENCE_US / 1000000 };
	int fd, smallest = 1, slow = 0, lost = 0;
	int64_t worst = 0, took, start;
	char *data = calloc(1, size);

	if (argc < 3)
		usage("lone HOST PORT [count=N] [size=N]");
	fd = connected(argv[1], atoi(argv[2]), SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		die("SO_SNDBUF");
	for (long i = 0; i < count && lost < 3; i++) {
		start = now_us();
		if (send(fd, data, size, 0) != size)
			lost++;
		took = now_us() - start;
		slow += took >= SLOW_US;
		worst = took > worst ? took : worst;
	}
	took = wait_sent(fd);
	printf("slow %d lost %d worst_us %lld last_us %lld\n", slow, lost, (long long)worst,
	       (long long)took);
	return 0;
}

/* sctpinit HOST PORT: the first packet of an association. */
int sctpinit_main(int argc, char **argv)
{
	if (argc < 3)
		usage("sctpinit HOST PORT");
	connected(argv[1], atoi(argv[2]), SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
	usleep(option_long(argc, argv, "linger", 100) * 1000);
	return 0;
}
