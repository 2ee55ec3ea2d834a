// SPDX-License-Identifier: GPL-2.0
/*
 * kmsg FROM: the kernel's messages whose sequence number is FROM or later,
 * one a line as "PRIORITY SEQUENCE MICROSECONDS TEXT".
 *
 * dmesg has no sequence numbers, so it cannot tell which test caused what.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rigtool.h"

static void print_record(char *record, unsigned long long from)
{
	unsigned long long sequence, stamp;
	unsigned int priority;
	char *text = strchr(record, ';');

	if (!text || sscanf(record, "%u,%llu,%llu", &priority, &sequence, &stamp) != 3)
		return;
	if (sequence < from)
		return;
	text++;
	text[strcspn(text, "\n")] = '\0';	/* the dictionary follows */
	printf("%u %llu %llu %s\n", priority & 7, sequence, stamp, text);
}

int kmsg_main(int argc, char **argv)
{
	unsigned long long from = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	static char record[8193];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		die("/dev/kmsg");
	setvbuf(stdout, NULL, _IOFBF, 65536);
	for (;;) {
		ssize_t len = read(fd, record, sizeof(record) - 1);

		if (len < 0 && errno == EPIPE) {
			printf("3 0 0 rigtool: kernel messages were lost\n");
			continue;
		}
		if (len <= 0)
			break;
		record[len] = '\0';
		print_record(record, from);
	}
	return 0;
}
