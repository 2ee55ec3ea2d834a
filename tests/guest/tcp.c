// SPDX-License-Identifier: GPL-2.0
/*
 * tcpecho, tcpping: a request, its answer, the next request, over one connection.
 * tcpsink, tcpclose: many connections; how long it takes to close one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rigtool.h"

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* tcpecho PORT: sends all it gets back, of one connection after the other, for ever. */
int tcpecho_main(int argc, char **argv)
{
	int fd = tcp_socket();
	char data[65536];

	if (argc < 2)
		usage("tcpecho PORT");
	listen_at(fd, argv[1], 1);
	for (;;) {
		int peer = accept(fd, NULL, NULL);
		ssize_t len;

		while ((len = recv(peer, data, sizeof(data), 0)) > 0)
			send(peer, data, len, MSG_NOSIGNAL);
		close(peer);
	}
}

/* tcpping HOST PORT [count=N] [size=N]: each answered before the next one leaves. */
int tcpping_main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	long count = option_long(argc, argv, "count", 1);
	long size = option_long(argc, argv, "size", 1);
	int fd = tcp_socket();
	char *data = calloc(1, size > 0 ? size : 1);
	int64_t start;

	if (argc < 3 || !inet_aton(argv[1], &peer.sin_addr) || size < 1)
		usage("tcpping HOST PORT [count=N] [size=N]");
	peer.sin_port = htons(atoi(argv[2]));
	if (connect(fd, (void *)&peer, sizeof(peer)) < 0)
		die("connect");
	start = now_us();
	for (long i = 0; i < count; i++) {
		if (send(fd, data, size, 0) != size)
			die("send");
		if (recv(fd, data, size, MSG_WAITALL) != size)
			die("recv");
	}
	printf("1 processes, %ld answers, 0 processes failed, %lld ms\n", count,
	       (long long)(now_us() - start) / 1000);
	return 0;
}

/* tcpsink PORT: reads all it gets, of one connection after the other, for ever. */
int tcpsink_main(int argc, char **argv)
{
	int fd = tcp_socket();
	static char data[65536];

	if (argc < 2)
		usage("tcpsink PORT");
	listen_at(fd, argv[1], 8);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		while (recv(peer, data, sizeof(data), 0) > 0)
			;
		close(peer);
	}
}

/* Sends @size bytes and closes; how long until the peer, which read all, did so too. */
static int64_t send_and_close(const struct sockaddr_in *peer, const char *data, long size,
			      struct tcp_info *info)
{
	socklen_t len = sizeof(*info);
	int fd = tcp_socket();
	int64_t start;
	char byte;

	if (connect(fd, (void *)peer, sizeof(*peer)) < 0)
		die("connect");
	if (send(fd, data, size, 0) != size)
		die("send");
	start = now_us();
	shutdown(fd, SHUT_WR);
	if (recv(fd, &byte, 1, 0) != 0)
		die("recv");
	start = now_us() - start;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) < 0)
		die("TCP_INFO");
	close(fd);
	return start;
}

/* tcpclose HOST PORT: prints "MICROSECONDS RETRANSMITTED" for each of count= connections. */
int tcpclose_main(int argc, char **argv)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	long count = option_long(argc, argv, "count", 1);
	long size = option_long(argc, argv, "size", 100000);
	char *data = calloc(1, size > 0 ? size : 1);

	if (argc < 3 || !inet_aton(argv[1], &peer.sin_addr) || size < 1)
		usage("tcpclose HOST PORT [count=N] [size=N]");
	peer.sin_port = htons(atoi(argv[2]));
	for (long i = 0; i < count; i++) {
		struct tcp_info info = {};
		int64_t took = send_and_close(&peer, data, size, &info);

		printf("%lld %u\n", (long long)took, info.tcpi_total_retrans);
	}
	return 0;
}
