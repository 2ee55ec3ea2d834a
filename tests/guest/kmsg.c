// SPDX-License-Identifier: GPL-2.0
/*
 * kmsg [FROM]: the kernel's messages since the last "kmsg clear", those whose
 * sequence number is FROM or later, one a line as "PRIORITY SEQUENCE
 * MICROSECONDS TEXT".  kmsg clear: forget what there is.
 *
 * dmesg has no sequence numbers, so it cannot tell which test caused what.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "rigtool.h"

/* Not in the C library's headers: SYSLOG_ACTION_CLEAR. */
#define KLOG_CLEAR	5

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
	int fd;

	if (argc > 1 && !strcmp(argv[1], "clear")) {
		if (klogctl(KLOG_CLEAR, NULL, 0))
			die("klogctl");
		return 0;
	}

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (fd < 0 || lseek(fd, 0, SEEK_DATA))
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
