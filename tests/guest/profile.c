// SPDX-License-Identifier: GPL-2.0
/* Where the kernel spends its time: perf's clock, without perf. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rigtool.h"

#define PAGES	512	/* of samples, 16 bytes each */

struct sample {
	struct perf_event_header header;
	uint64_t address;
};

static int open_clock(long period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);

	if (fd < 0)
		die("perf_event_open");
	return fd;
}

static void save_samples(FILE *file, const struct perf_event_mmap_page *head,
			 long page)
{
	const char *data = (const char *)head + page;
	const struct sample *sample;
	uint64_t at = 0;

	while (at < head->data_head && at < (uint64_t)PAGES * page) {
		sample = (const void *)(data + at);
		if (sample->header.type == PERF_RECORD_SAMPLE)
			fprintf(file, "%lx\n", (unsigned long)sample->address);
		at += sample->header.size;
	}
}

/* profile PERIOD FILE COMMAND: an address every PERIOD nanoseconds of CPU 0 */
int profile_main(int argc, char **argv)
{
	struct perf_event_mmap_page *head;
	long page = sysconf(_SC_PAGESIZE);
	FILE *file;
	int status;
	int fd;

	if (argc != 4)
		usage("rigtool profile PERIOD FILE COMMAND");
	fd = open_clock(strtol(argv[1], NULL, 0));
	head = mmap(NULL, (PAGES + 1) * page, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (head == MAP_FAILED)
		die("mmap");

	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	status = system(argv[3]);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	file = fopen(argv[2], "w");
	if (!file)
		die(argv[2]);
	save_samples(file, head, page);
	fclose(file);
	return status != 0;
}
