// SPDX-License-Identifier: GPL-2.0
/*
 * spirom: the SPI EEPROM behind EECD that the emulated chip has not. What the
 * driver does to the lines is seen in its calls of igb_rmw(), each bit of it,
 * and what the chip would read is put into what igb_rd() returns. Bytes that
 * were written are the EEPROM's from then on; others are the emulator's.
 */
#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#define EECD		0x0010
#define EERD		0x0014
#define SK		BIT(0)
#define CS		BIT(1)
#define DI		BIT(2)
#define DO		BIT(3)
#define REQ		BIT(6)
#define GNT		BIT(7)
#define ADDR_SIZE	BIT(10)
#define SIZE		GENMASK(14, 11)
#define SIZE_WIDE	(6 << 11)
#define EERD_DONE	BIT(1)
#define SYNC_EEP	BIT(0)
#define EMULATED_WORDS	1024

#define WRITE		0x02
#define A8		0x08
#define RDSR		0x05
#define WREN		0x06
#define BUSY		0x01
#define WEL		0x02

#define BYTES		8192
#define MOST_DATA	256

static bool granted = true;
module_param(granted, bool, 0644);
MODULE_PARM_DESC(granted, "whether EECD.REQ is answered by EECD.GNT");

static bool wide;
module_param(wide, bool, 0444);
MODULE_PARM_DESC(wide, "8 KiB with addresses of 16 bits, not 512 bytes with nine");

static int busy = 3;
module_param(busy, int, 0644);
MODULE_PARM_DESC(busy, "how often the status reads busy after a write, -1 for ever");

static int stuck_after = -1;
module_param(stuck_after, int, 0644);
MODULE_PARM_DESC(stuck_after, "writes after which it is busy for ever");

static bool locked;
module_param(locked, bool, 0644);
MODULE_PARM_DESC(locked, "whether writing cannot be enabled");

static int protect = BYTES;
module_param(protect, int, 0644);
MODULE_PARM_DESC(protect, "from which address on writes are ignored");

static int writes;
module_param(writes, int, 0644);
MODULE_PARM_DESC(writes, "how many writes there were");

static int longest;
module_param(longest, int, 0644);
MODULE_PARM_DESC(longest, "most bytes that one had");

static int waits;
module_param(waits, int, 0644);
MODULE_PARM_DESC(waits, "how often the status was read as busy");

static int wrong;
module_param(wrong, int, 0644);
MODULE_PARM_DESC(wrong, "what a driver must not do");

static int released;
module_param(released, int, 0644);
MODULE_PARM_DESC(released, "how often SW_FW_SYNC.EEP was given back");

static u8 memory[BYTES];
static bool known[BYTES];
static u32 lines = CS;
static int pending;		/* reads of the status that are still busy */
static bool enabled;
static bool held;		/* SW_FW_SYNC.EEP is the driver's */

static struct {
	unsigned int bits;	/* taken so far */
	u32 in;			/* the last of them */
	u8 command;
	u8 status;		/* as RDSR shifts it out */
	u32 address;
	u8 data[MOST_DATA];
	unsigned int count;
} frame;

static u8 status(void)
{
	return (pending ? BUSY : 0) | (enabled ? WEL : 0);
}

static void take_bit(bool bit)
{
	unsigned int address_bits = wide ? 16 : 8;

	frame.in = frame.in << 1 | bit;
	frame.bits++;
	if (frame.bits == 8) {
		frame.command = frame.in;
		frame.status = status();
	} else if (frame.bits == 8 + address_bits) {
		frame.address = frame.in & (BIT(address_bits) - 1);
		if (!wide && frame.command & A8)
			frame.address |= BIT(8);
	} else if (frame.bits > 8 + address_bits && (frame.bits - address_bits) % 8 == 0) {
		frame.data[frame.count++ % MOST_DATA] = frame.in;
	}
}

/* Beyond the end of a page its start follows. */
static void write_page(void)
{
	unsigned int page = wide ? 32 : 8;
	unsigned int i;

	if (!enabled || pending || !frame.count) {
		wrong++;
		return;
	}
	for (i = 0; i < frame.count && i < MOST_DATA; i++) {
		u32 at = (frame.address & ~(page - 1)) | ((frame.address + i) & (page - 1));

		if (at >= protect || at >= BYTES)
			continue;
		memory[at] = frame.data[i];
		known[at] = true;
	}
	writes++;
	longest = max_t(int, longest, frame.count);
	enabled = false;
	pending = stuck_after >= 0 && writes >= stuck_after ? -1 : busy;
}

/* CS rises: now the command counts. */
static void end_frame(void)
{
	if (frame.command == RDSR && frame.bits == 16) {
		if (frame.status & BUSY)
			waits++;
		if (pending > 0)
			pending--;
	} else if (frame.command == WREN && frame.bits == 8 && !pending) {
		enabled = !locked;
	} else if (frame.command == WRITE || frame.command == (WRITE | A8)) {
		write_page();
	} else {
		wrong++;
	}
}

static void set_lines(u32 now)
{
	u32 rise = now & ~lines, fall = lines & ~now;

	lines = now;
	if ((rise | fall) & (SK | CS | DI) && !(granted && now & REQ && held))
		wrong++;
	if (fall & CS)
		memset(&frame, 0, sizeof(frame));
	if (rise & CS)
		end_frame();
	if (!(now & CS) && rise & SK)
		take_bit(now & DI);
}

/* After the command, the highest bit of the status first. */
static bool data_out(void)
{
	if (frame.command != RDSR || frame.bits <= 8 || frame.bits > 16)
		return false;
	return frame.status & BIT(16 - frame.bits);
}

static int on_rmw(struct kprobe *probe, struct pt_regs *regs)
{
	u32 clear = regs_get_kernel_argument(regs, 2), set = regs_get_kernel_argument(regs, 3);

	if ((u32)regs_get_kernel_argument(regs, 1) == EECD)
		set_lines((lines & ~clear) | set);
	return 0;
}

static int on_release(struct kprobe *probe, struct pt_regs *regs)
{
	if ((u32)regs_get_kernel_argument(regs, 1) != SYNC_EEP)
		return 0;
	released++;
	held = false;
	return 0;
}

static u32 eecd(u32 value)
{
	value &= ~(GNT | DO);
	value |= (granted && lines & REQ ? GNT : 0) | (data_out() ? DO : 0);
	if (wide)
		value = (value & ~SIZE) | ADDR_SIZE | SIZE_WIDE;
	return value;
}

static u32 eerd(u32 value)
{
	u32 at = (value >> 2 & 0x3fff) * 2;

	if (lines & REQ || !held)
		wrong++;
	if (at / 2 >= EMULATED_WORDS)
		value = (value & 0xffff) | 0xffff0000;
	if (at < BYTES && known[at])
		value = (value & 0xff00ffff) | memory[at] << 16;
	if (at < BYTES && known[at + 1])
		value = (value & 0x00ffffff) | (u32)memory[at + 1] << 24;
	return value | EERD_DONE;
}

/* Its second argument: a register, or what is taken. */
static int before(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	*(u32 *)instance->data = regs_get_kernel_argument(regs, 1);
	return 0;
}

static int after_rd(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	u32 offset = *(u32 *)instance->data;

	if (offset == EECD)
		regs_set_return_value(regs, eecd(regs_return_value(regs)));
	else if (offset == EERD)
		regs_set_return_value(regs, eerd(regs_return_value(regs)));
	return 0;
}

static int after_acquire(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (*(u32 *)instance->data == SYNC_EEP && !regs_return_value(regs))
		held = true;
	return 0;
}

static struct kprobe rmw = { .symbol_name = "igb_demo:igb_rmw", .pre_handler = on_rmw };
static struct kprobe release = {
	.symbol_name = "igb_demo:igb_hw_release",
	.pre_handler = on_release,
};

static struct kprobe *probes[] = { &rmw, &release };
static struct kretprobe rd = {
	.kp.symbol_name = "igb_demo:igb_rd",
	.entry_handler = before,
	.handler = after_rd,
	.data_size = sizeof(u32),
};

static struct kretprobe acquire = {
	.kp.symbol_name = "igb_demo:igb_hw_acquire",
	.entry_handler = before,
	.handler = after_acquire,
	.data_size = sizeof(u32),
};

static struct kretprobe *returns[] = { &rd, &acquire };

static int __init spirom_init(void)
{
	int err = register_kprobes(probes, ARRAY_SIZE(probes));

	if (err)
		return err;
	err = register_kretprobes(returns, ARRAY_SIZE(returns));
	if (err)
		unregister_kprobes(probes, ARRAY_SIZE(probes));
	return err;
}
module_init(spirom_init);

static void __exit spirom_exit(void)
{
	unregister_kretprobes(returns, ARRAY_SIZE(returns));
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}
module_exit(spirom_exit);

MODULE_DESCRIPTION("Test aid: an SPI EEPROM behind EECD");
MODULE_LICENSE("GPL");
