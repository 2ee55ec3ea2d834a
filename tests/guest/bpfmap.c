// SPDX-License-Identifier: GPL-2.0
/* bpfmap: where an attached program's redirections go. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rigtool.h"

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* The map of that name which was created last. */
static int find_map(const char *name)
{
	union bpf_attr next = {};
	int found = -1;

	while (!bpf(BPF_MAP_GET_NEXT_ID, &next)) {
		union bpf_attr by_id = { .map_id = next.next_id };
		struct bpf_map_info info = {};
		union bpf_attr ask = { .info = {
			.info_len = sizeof(info), .info = (uintptr_t)&info,
		} };
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &by_id);

		next.start_id = next.next_id;
		if (fd < 0)
			continue;
		ask.info.bpf_fd = fd;
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) && !strcmp(info.name, name)) {
			close(found);
			found = fd;
		} else {
			close(fd);
		}
	}
	return found;
}

/* bpfmap NAME KEY VALUE: put a number into a map of a program that is loaded. */
int bpfmap_main(int argc, char **argv)
{
	uint32_t key, value;
	union bpf_attr attr = { .key = (uintptr_t)&key, .value = (uintptr_t)&value };

	if (argc < 4)
		usage("bpfmap NAME KEY VALUE");
	key = strtoul(argv[2], NULL, 0);
	value = strtoul(argv[3], NULL, 0);
	attr.map_fd = find_map(argv[1]);
	if ((int)attr.map_fd < 0) {
		errno = ENOENT;
		die(argv[1]);
	}
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr))
		die("BPF_MAP_UPDATE_ELEM");
	return 0;
}
