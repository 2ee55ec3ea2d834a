// SPDX-License-Identifier: GPL-2.0
/* load, probe, carrier, updown, mii, pause: the link's times, and what is said and asked of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/mii.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rigtool.h"

/*
 * 1 with carrier, 0 without, -1 while the interface is down or absent. The file at
 * @fd is kept open for the next look: to open it costs most of one.
 */
static int carrier(const char *name, int *fd)
{
	char path[64], value;

	if (*fd < 0) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
		*fd = open(path, O_RDONLY);
	}
	if (*fd < 0)
		return -1;
	if (pread(*fd, &value, 1, 0) == 1)
		return value == '1';
	close(*fd);
	*fd = -1;
	return -1;
}

/* Microseconds from @since until the carrier is @want, or -1 after @limit_ms. */
static int64_t wait_carrier(const char *name, int want, int64_t since, long limit_ms)
{
	int64_t took = 0;
	int fd = -1;

	while (carrier(name, &fd) != want) {
		took = now_us() - since;
		if (took >= limit_ms * 1000) {
			took = -1;
			break;
		}
		usleep(1000);
	}
	if (took >= 0)
		took = now_us() - since;
	if (fd >= 0)
		close(fd);
	return took;
}

/* load FILE IF: loads the module, raises the interface as soon as it exists. */
int load_main(int argc, char **argv)
{
	int64_t start, loaded, link;
	char path[64];
	int fd;

	if (argc < 3)
		usage("load FILE IF");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(argv[1]);
	snprintf(path, sizeof(path), "/sys/class/net/%s", argv[2]);
	start = now_us();
	if (syscall(SYS_finit_module, fd, "", 0) < 0)
		die("finit_module");
	loaded = now_us() - start;
	while (access(path, F_OK) && now_us() - start < 5000000)
		usleep(300);
	if (set_up(argv[2], true))
		die(argv[2]);
	link = wait_carrier(argv[2], 1, start, 5000);
	printf("load_us=%lld carrier_us=%lld\n", (long long)loaded, (long long)link);
	return link < 0;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

/* probe DRIVER ADDRESS ROUNDS: unbinds and binds; prints how long each bind took. */
int probe_main(int argc, char **argv)
{
	char bind[96], unbind[96];
	int64_t start;

	if (argc < 4)
		usage("probe DRIVER ADDRESS ROUNDS");
	snprintf(bind, sizeof(bind), "/sys/bus/pci/drivers/%s/bind", argv[1]);
	snprintf(unbind, sizeof(unbind), "/sys/bus/pci/drivers/%s/unbind", argv[1]);
	for (int i = atoi(argv[3]); i > 0; i--) {
		write_text(unbind, argv[2]);
		start = now_us();
		write_text(bind, argv[2]);
		printf("probe_us=%lld\n", (long long)(now_us() - start));
	}
	return 0;
}

/* carrier IF 0|1 [limit=MS]: waits until the carrier is so. */
int carrier_main(int argc, char **argv)
{
	int64_t took;

	if (argc < 3)
		usage("carrier IF 0|1 [limit=MS]");
	took = wait_carrier(argv[1], atoi(argv[2]), now_us(),
			    option_long(argc, argv, "limit", 5000));
	printf("carrier_us=%lld\n", (long long)took);
	return took < 0;
}

/* updown IF ROUNDS: down, up, wait for carrier; prints each time taken. */
int updown_main(int argc, char **argv)
{
	int64_t start, up, took = 0;

	if (argc < 3)
		usage("updown IF ROUNDS");
	for (int i = atoi(argv[2]); i > 0 && took >= 0; i--) {
		if (set_up(argv[1], false))
			die("down");
		start = now_us();
		if (set_up(argv[1], true))
			die("up");
		up = now_us() - start;
		took = wait_carrier(argv[1], 1, start, 5000);
		printf("up_us=%lld carrier_us=%lld\n", (long long)up, (long long)took);
	}
	return took < 0;
}

/* mii IF [REG [VALUE]]: the PHY's address, or one of its registers, by the old ioctls. */
int mii_main(int argc, char **argv)
{
	struct ifreq request = {};
	struct mii_ioctl_data *mii = (void *)&request.ifr_data;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 2)
		usage("mii IF [REG [VALUE]]");
	strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGMIIPHY, &request) < 0)
		die("SIOCGMIIPHY");
	if (argc == 2) {
		printf("phy=%u\n", mii->phy_id);
		return 0;
	}
	mii->phy_id = option_long(argc, argv, "phy", mii->phy_id);
	mii->reg_num = strtoul(argv[2], NULL, 0);
	if (argc > 3 && !strchr(argv[3], '=')) {
		mii->val_in = strtoul(argv[3], NULL, 0);
		if (ioctl(fd, SIOCSMIIREG, &request) < 0)
			die("SIOCSMIIREG");
		return 0;
	}
	if (ioctl(fd, SIOCGMIIREG, &request) < 0)
		die("SIOCGMIIREG");
	printf("0x%04x\n", mii->val_out);
	return 0;
}

/* pause IF AUTONEG RX TX: the old ioctl, which takes any numbers, and what is set already. */
int pause_main(int argc, char **argv)
{
	struct ethtool_pauseparam pause = { .cmd = ETHTOOL_SPAUSEPARAM };
	struct ifreq request = { .ifr_data = (void *)&pause };

	if (argc < 5)
		usage("pause IF AUTONEG RX TX");
	pause.autoneg = strtoul(argv[2], NULL, 0);
	pause.rx_pause = strtoul(argv[3], NULL, 0);
	pause.tx_pause = strtoul(argv[4], NULL, 0);
	strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, &request) < 0)
		die("ETHTOOL_SPAUSEPARAM");
	return 0;
}
