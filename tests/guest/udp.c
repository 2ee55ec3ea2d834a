// SPDX-License-Identifier: GPL-2.0
/* udpecho, udpping: datagrams there and back, none lost, none mixed up. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rigtool.h"

/* udpecho PORT: sends every datagram back to where it came from, for ever. */
int udpecho_main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET }, from;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char data[65536];

	if (argc < 2)
		usage("udpecho PORT");
	here.sin_port = htons(atoi(argv[1]));
	if (bind(fd, (void *)&here, sizeof(here)) < 0)
		die("bind");
	printf("ready\n");
	for (;;) {
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, data, sizeof(data), 0, (void *)&from, &from_len);

		if (len >= 0)
			sendto(fd, data, len, 0, (void *)&from, from_len);
	}
}

/* One process: @count datagrams, each answered before the next one leaves. */
static int ping(const struct sockaddr_in *peer, int process, long count, long size)
{
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char *data = malloc(size), *back = malloc(size + 1);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (void *)peer, sizeof(*peer)) < 0)
		die("connect");
	for (long i = 0; i < count; i++) {
		int used = snprintf(data, size, "process %d datagram %ld ", process, i);
		ssize_t got;

		for (long at = used; at < size; at++)
			data[at] = (process * 31 + i * 7 + at) % 251;
		if (send(fd, data, size, 0) != size)
			die("send");
		got = recv(fd, back, size + 1, 0);
		if (got < 0) {
			printf("process %d: datagram %ld lost\n", process, i);
			return 1;
		}
		if (got != size || memcmp(data, back, size)) {
			printf("process %d: datagram %ld came back wrong\n", process, i);
			return 1;
		}
	}
	return 0;
}

/* udpping HOST PORT [processes=N] [count=N] [size=N]: count is each process's. */
int udpping_main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	long processes = option_long(argc, argv, "processes", 1);
	long count = option_long(argc, argv, "count", 1);
	long size = option_long(argc, argv, "size", 64);
	int64_t start = now_us();
	int failed = 0, status;

	if (argc < 3)
		usage("udpping HOST PORT [processes=N] [count=N] [size=N]");
	if (!inet_aton(argv[1], &peer.sin_addr) || size < 40)
		usage("udpping: HOST is an address, size is 40 or more");
	peer.sin_port = htons(atoi(argv[2]));
	fflush(stdout);
	for (long i = 0; i < processes; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child)
			exit(ping(&peer, i, count, size));
	}
	while (wait(&status) > 0)
		failed += status != 0;
	printf("%ld processes, %ld datagrams, %d processes failed, %lld ms\n", processes,
	       processes * count, failed, (long long)(now_us() - start) / 1000);
	return failed != 0;
}
