// SPDX-License-Identifier: GPL-2.0
/*
 * udpecho, udpping: datagrams there and back, none lost, none mixed up.
 * udpbeat: the same without end, and what is lost is sent again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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

static size_t compose(char *data, int process, long number, long size)
{
	int used = snprintf(data, size, "process %d datagram %ld ", process, number);

	for (long at = used; at < size; at++)
		data[at] = (process * 31 + number * 7 + at) % 251;
	return size;
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
		ssize_t got;

		compose(data, process, i, size);
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

static volatile sig_atomic_t over;

static void stop(int number)
{
	(void)number;
	over = 1;
}

/* Whether a whole answer came that is none of an earlier question's. */
static bool answered(int fd, const char *data, char *back, long size, long *wrong)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	while (!over && poll(&waiting, 1, 300) > 0) {
		ssize_t got = recv(fd, back, size + 1, 0);
		long number;
		int process;

		if (got == size && !memcmp(data, back, size))
			return true;
		/* The link came back, and something late with it. */
		if (got == size &&
		    sscanf(back, "process %d datagram %ld ", &process, &number) == 2) {
			char *old = malloc(size);

			compose(old, process, number, size);
			*wrong += memcmp(old, back, size) != 0;
			free(old);
		} else if (got >= 0) {
			++*wrong;
		}
	}
	return false;
}

static int beat(const struct sockaddr_in *peer, int process, long size, long pause_us)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char *data = malloc(size), *back = malloc(size + 1);
	long done = 0, lost = 0, wrong = 0;

	/* Bound to nothing: the route may come and go. */
	for (long i = 0; !over; i++) {
		compose(data, process, i, size);
		if (sendto(fd, data, size, 0, (void *)peer, sizeof(*peer)) != size)
			usleep(20000);
		else if (answered(fd, data, back, size, &wrong))
			done++;
		else
			lost++;
		usleep(pause_us);
	}
	printf("answered %ld lost %ld wrong %ld\n", done, lost, wrong);
	return wrong != 0;
}

/*
 * udpbeat HOST PORT [processes=N] [size=N] [step=N] [pause=US]: until SIGTERM; the datagrams of
 * each process are larger by step bytes than those of the one before.
 */
int udpbeat_main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	long processes = option_long(argc, argv, "processes", 1);
	long size = option_long(argc, argv, "size", 64);
	long step = option_long(argc, argv, "step", 0);
	long wait_us = option_long(argc, argv, "pause", 10000);
	pid_t children[processes];
	int failed = 0, status;

	if (argc < 3 || !inet_aton(argv[1], &peer.sin_addr) || size < 40)
		usage("udpbeat HOST PORT [processes=N] [size=N] [step=N] [pause=US]");
	peer.sin_port = htons(atoi(argv[2]));
	signal(SIGTERM, stop);
	for (long i = 0; i < processes; i++) {
		children[i] = fork();
		if (!children[i])
			exit(beat(&peer, i, size + i * step, wait_us));
	}
	printf("ready\n");
	while (!over)
		pause();
	for (long i = 0; i < processes; i++)
		kill(children[i], SIGTERM);
	while (wait(&status) > 0)
		failed += status != 0;
	return failed != 0;
}
