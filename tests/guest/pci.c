// SPDX-License-Identifier: GPL-2.0
/* pcicfg, mmio: reading and writing a device behind the driver's back. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rigtool.h"

/* pcicfg ADDRESS OFFSET b|w|l [VALUE]: one access to configuration space. */
int pcicfg_main(int argc, char **argv)
{
	char path[96];
	uint32_t value = 0;
	size_t size;
	off_t at;
	int fd;

	if (argc < 4)
		usage("pcicfg 0000:01:00.0 OFFSET b|w|l [VALUE]");
	size = *argv[3] == 'b' ? 1 : *argv[3] == 'w' ? 2 : 4;
	at = strtoul(argv[2], NULL, 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", argv[1]);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	if (argc > 4) {
		value = strtoul(argv[4], NULL, 0);
		if (pwrite(fd, &value, size, at) != (ssize_t)size)
			die("write");
		return 0;
	}
	if (pread(fd, &value, size, at) != (ssize_t)size)
		die("read");
	printf("0x%0*x\n", (int)size * 2, value);
	return 0;
}

/*
 * mmio ADDRESS OFFSET [VALUE [OFFSET VALUE]...] [bar=N] [hold=N]: a dword of BAR 0 or more;
 * N registers that are held are written again and again, whoever else does.
 */
int mmio_main(int argc, char **argv)
{
	volatile uint32_t *registers;
	long held = option_long(argc, argv, "hold", 0);
	struct stat resource;
	uint32_t value;
	unsigned long at;
	char path[96];
	int fd;

	if (argc < 3)
		usage("mmio 0000:01:00.0 OFFSET [VALUE [OFFSET VALUE]...] [bar=N] [hold=N]");
	at = strtoul(argv[2], NULL, 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%ld", argv[1],
		 option_long(argc, argv, "bar", 0));
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0 || fstat(fd, &resource))
		die(path);
	registers = mmap(NULL, resource.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (registers == MAP_FAILED)
		die("mmap");
	if (argc < 4 || strchr(argv[3], '=')) {
		printf("0x%08x\n", registers[at / 4]);
		return 0;
	}
	value = strtoul(argv[3], NULL, 0);
	for (int i = 2; i + 1 < argc && !strchr(argv[i], '='); i += 2)
		registers[strtoul(argv[i], NULL, 0) / 4] = strtoul(argv[i + 1], NULL, 0);
	while (held)
		for (long i = 0; i < held; i++)
			registers[at / 4 + i] = value;
	return 0;
}
