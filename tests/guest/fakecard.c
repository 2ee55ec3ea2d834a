// SPDX-License-Identifier: GPL-2.0
/*
 * fakecard: a broken 82576, made of a PCI device whose BAR 0 is plain memory.
 *
 * The driver is bound to that device; this program, on another CPU, makes
 * the registers read what the chip in question would: the probe must find
 * out, say so, and leave nothing behind. Each option is one thing broken.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rigtool.h"

#define REGISTERS	0x20000
#define NVM_WORDS	64
#define NVM_SUM		0xbaba

enum {
	CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014, CTRL_EXT = 0x0018,
	MDIC = 0x0020, RAL0 = 0x5400, RAH0 = 0x5404, SWSM = 0x5b50, FWSM = 0x5b54,
	EEMNGCTL = 0x1010,
};

#define CTRL_MASTER_DISABLE	(1u << 2)
#define CTRL_RST		(1u << 26)
#define STATUS_MASTER		(1u << 19)
#define STATUS_LAN1		(1u << 2)
#define STATUS_DEFAULT		0x80080481u
#define EECD_PRESENT		(1u << 8)
#define EECD_AUTO_RD		(1u << 9)
#define EERD_START		1u
#define EERD_DONE		2u
#define MDIC_READY		(1u << 28)
#define MDIC_ERROR		(1u << 30)
#define MDIC_OPS		(3u << 26)
#define MDIC_READ		(2u << 26)
#define SERDES			(3u << 22)
#define RAH_VALID		(1u << 31)
#define SWSM_SMBI		1u

struct card {
	volatile uint32_t *reg;
	uint16_t nvm[NVM_WORDS];
	uint16_t phy[32];
	uint8_t mac[6];
	bool reset_sticks, master_sticks, nvm_silent, nvm_absent, auto_read;
	bool mdic_silent, mdic_error, semaphore_stuck, rar_empty, serdes, lan1;
};

static volatile uint32_t *at(struct card *card, unsigned int offset)
{
	return card->reg + offset / 4;
}

static void power_on(struct card *card)
{
	uint32_t low = 0, high = 0;

	memcpy(&low, card->mac, 4);
	memcpy(&high, card->mac + 4, 2);
	*at(card, STATUS) = STATUS_DEFAULT | (card->lan1 ? STATUS_LAN1 : 0);
	*at(card, EECD) = (card->nvm_absent ? 0 : EECD_PRESENT) |
			  (card->auto_read ? EECD_AUTO_RD : 0);
	*at(card, EEMNGCTL) = 0x800c0000;
	*at(card, CTRL_EXT) = card->serdes ? SERDES : 0;
	*at(card, RAL0) = card->rar_empty ? 0 : low;
	*at(card, RAH0) = card->rar_empty ? 0 : high | RAH_VALID;
}

static void serve_ctrl(struct card *card)
{
	uint32_t ctrl = *at(card, CTRL);

	if (ctrl & CTRL_RST && !card->reset_sticks) {
		power_on(card);
		*at(card, CTRL) = ctrl & ~(CTRL_RST | CTRL_MASTER_DISABLE);
	}
	if (ctrl & CTRL_MASTER_DISABLE && !card->master_sticks)
		*at(card, STATUS) &= ~STATUS_MASTER;
}

static void serve_nvm(struct card *card)
{
	uint32_t eerd = *at(card, EERD), word = eerd >> 2 & 0x3fff;

	if (!(eerd & EERD_START) || eerd & EERD_DONE || card->nvm_silent)
		return;
	eerd &= 0xfffc;
	if (word < NVM_WORDS)
		eerd |= (uint32_t)card->nvm[word] << 16;
	*at(card, EERD) = eerd | EERD_DONE;
}

static void serve_phy(struct card *card)
{
	uint32_t mdic = *at(card, MDIC);

	if (!(mdic & MDIC_OPS) || mdic & MDIC_READY || card->mdic_silent)
		return;
	if (card->mdic_error || (mdic >> 21 & 31) != 1)
		mdic |= MDIC_ERROR;
	else if ((mdic & MDIC_OPS) == MDIC_READ)
		mdic = (mdic & 0xffff0000) | card->phy[mdic >> 16 & 31];
	*at(card, MDIC) = mdic | MDIC_READY;
}

static void serve(struct card *card)
{
	serve_ctrl(card);
	serve_nvm(card);
	serve_phy(card);
	if (card->semaphore_stuck)
		*at(card, SWSM) = SWSM_SMBI;
}

static void fill_nvm(struct card *card, bool good)
{
	uint16_t sum = 0;

	for (int i = 0; i < 3; i++)
		card->nvm[i] = card->mac[2 * i] | card->mac[2 * i + 1] << 8;
	card->nvm[0x0b] = 0x10c9;
	card->nvm[0x0d] = 0x10c9;
	card->nvm[0x0f] = 0x70c3;
	card->nvm[0x37] = 0xffff;
	for (int i = 0; i < NVM_WORDS - 1; i++)
		sum += card->nvm[i];
	card->nvm[NVM_WORDS - 1] = NVM_SUM - sum + !good;
}

static bool has(int argc, char **argv, const char *word)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], word))
			return true;
	return false;
}

/* Every register reads @value, whatever is written: gone, or never there. */
static void read_as(volatile uint32_t *reg, uint32_t value)
{
	for (;;)
		for (int i = 0; i < REGISTERS / 4; i++)
			if (reg[i] != value)
				reg[i] = value;
}

static volatile uint32_t *map_registers(const char *address)
{
	char path[96];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", address);
	fd = open(path, O_RDWR | O_SYNC);
	if (fd < 0)
		die(path);
	map = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

int fakecard_main(int argc, char **argv)
{
	struct card card = { .phy = { 0x1140, 0x794d, 0x02a8, 0x0391, 0x0de1, 0 } };

	if (argc < 2)
		usage("fakecard ADDRESS [ones|zeros] [reset-sticks] [master-sticks] [nvm-silent] "
		      "[nvm-absent] [nvm-bad-sum] [auto-read] [mdic-silent] [mdic-error] "
		      "[semaphore-stuck] [rar-empty] [serdes] [lan1] [phy-id=0] [mac=MAC]");
	card.reg = map_registers(argv[1]);
	parse_mac(option(argc, argv, "mac", "52:54:00:fa:ce:01"), card.mac);
	card.reset_sticks = has(argc, argv, "reset-sticks");
	card.master_sticks = has(argc, argv, "master-sticks");
	card.nvm_silent = has(argc, argv, "nvm-silent");
	card.nvm_absent = has(argc, argv, "nvm-absent");
	card.auto_read = has(argc, argv, "auto-read");
	card.mdic_silent = has(argc, argv, "mdic-silent");
	card.mdic_error = has(argc, argv, "mdic-error");
	card.semaphore_stuck = has(argc, argv, "semaphore-stuck");
	card.rar_empty = has(argc, argv, "rar-empty");
	card.serdes = has(argc, argv, "serdes");
	card.lan1 = has(argc, argv, "lan1");
	if (option(argc, argv, "phy-id", NULL)) {
		card.phy[2] = option_long(argc, argv, "phy-id", 0) >> 16;
		card.phy[3] = option_long(argc, argv, "phy-id", 0);
	}
	fill_nvm(&card, !has(argc, argv, "nvm-bad-sum"));
	for (int i = 0; i < REGISTERS / 4; i++)
		card.reg[i] = 0;
	if (has(argc, argv, "nvm-absent"))
		memset(card.nvm, 0xff, sizeof(card.nvm));
	power_on(&card);
	if (has(argc, argv, "ones") || has(argc, argv, "zeros")) {
		uint32_t value = has(argc, argv, "ones") ? 0xffffffff : 0;

		for (int i = 0; i < REGISTERS / 4; i++)
			card.reg[i] = value;
		printf("ready\n");
		read_as(card.reg, value);
	}
	printf("ready\n");
	for (;;)
		serve(&card);
}
