// SPDX-License-Identifier: GPL-2.0
/*
 * igb_hw.c, igb_nvm.c, igb_phy.c, and the rings' arithmetic: what becomes of
 * settings in registers, and what a chip leads to that does not do its part.
 */
#include <linux/mii.h>

#include "fake.h"

static void rss_encoding(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	u8 key[IGB_RSS_KEY_SIZE], reta[IGB_RETA_ENTRIES];
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	for (i = 0; i < sizeof(reta); i++)
		reta[i] = i % 8;
	igb_hw_set_rss(&adapter->hw, key, reta, IGB_MRQC_UDP4_PORTS);
	KUNIT_EXPECT_EQ(test, 0x04030201, fake_get(adapter, 0x5c80));
	KUNIT_EXPECT_EQ(test, 0x28272625, fake_get(adapter, 0x5ca4));
	KUNIT_EXPECT_EQ(test, 0x03020100, fake_get(adapter, 0x5c00));
	KUNIT_EXPECT_EQ(test, 0x07060504, fake_get(adapter, 0x5c7c));
	KUNIT_EXPECT_EQ(test, 0x005a0002, fake_get(adapter, 0x5818));
	igb_hw_set_rss(&adapter->hw, key, reta, IGB_MRQC_ALL_PORTS);
	KUNIT_EXPECT_EQ(test, 0x01ff0002, fake_get(adapter, 0x5818));
}

/* One descriptor is kept free, wherever the indices are. */
static void ring_arithmetic(struct kunit *test)
{
	unsigned int count, step, use, held;

	for (count = IGB_MIN_DESC; count <= IGB_MAX_DESC; count *= 8) {
		step = count / IGB_MIN_DESC;
		for (use = step - 1; use < count; use += step)
			for (held = step - 1; held < count; held += step)
				if (igb_unused(count, use, (use + count - held) % count) !=
				    count - 1 - held)
					KUNIT_FAIL(test, "%u: use %u, held %u", count, use, held);
		KUNIT_EXPECT_EQ(test, 0, igb_next(count, count - 1));
		KUNIT_EXPECT_EQ(test, count - 1, igb_next(count, count - 2));
		KUNIT_EXPECT_EQ(test, 1, igb_next(count, 0));
	}
}

/* Each counter is added once, those of two registers as one number. */
static void stats_accumulate(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	u64 stats[IGB_NUM_COUNTERS] = {};
	unsigned int i;

	stats[IGB_CNT_MPC] = U32_MAX;
	stats[IGB_CNT_GORC] = U64_MAX - 1;
	for (i = 0; i < IGB_NUM_COUNTERS; i++)
		fake_set(adapter, igb_hw_counters[i].reg, 3 + i);
	fake_set(adapter, igb_hw_counters[IGB_CNT_TOT].reg + 4, 5);
	igb_hw_read_stats(&adapter->hw, stats);
	igb_hw_read_stats(&adapter->hw, stats);
	KUNIT_EXPECT_EQ(test, U32_MAX + 3ULL + IGB_CNT_MPC, stats[IGB_CNT_MPC]);
	KUNIT_EXPECT_EQ(test, 1 + IGB_CNT_GORC, stats[IGB_CNT_GORC]);
	KUNIT_EXPECT_EQ(test, (5ULL << 32) + 3 + IGB_CNT_TOT, stats[IGB_CNT_TOT]);
	KUNIT_EXPECT_EQ(test, 3 + IGB_CNT_LENERRS, stats[IGB_CNT_LENERRS]);
}

static void stats_gone(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	u64 stats[IGB_NUM_COUNTERS] = {};

	fake_chip_of(adapter)->dead = 0xffffffff;
	igb_hw_read_stats(&adapter->hw, stats);
	KUNIT_EXPECT_NULL(test, memchr_inv(stats, 0, sizeof(stats)));
	KUNIT_EXPECT_EQ(test, 0, igb_hw_read_rqdpc(&adapter->hw, 0));
}

/* All ones is what a chip that is gone reads; a register may read so, too. */
static void gone(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	struct fake_chip *chip = fake_chip_of(adapter);
	struct igb_hw *hw = &adapter->hw;
	u16 data;

	fake_set(adapter, IGB_RDBAL(0), 0xffffffff);
	KUNIT_EXPECT_EQ(test, 0xffffffff, igb_rd(hw, IGB_RDBAL(0)));
	KUNIT_EXPECT_FALSE(test, hw->gone);

	chip->dead = 0xffffffff;
	KUNIT_EXPECT_EQ(test, 0xffffffff, igb_rd(hw, IGB_CTRL));
	KUNIT_EXPECT_TRUE(test, hw->gone);
	chip->writes = 0;
	igb_rmw(hw, IGB_CTRL, 0, IGB_CTRL_SLU);
	KUNIT_EXPECT_EQ(test, 0, chip->writes);
	KUNIT_EXPECT_EQ(test, -ENODEV, igb_hw_acquire(hw, IGB_SW_FW_SYNC_EEP));
	KUNIT_EXPECT_EQ(test, -ENODEV, igb_phy_read(hw, 1, MII_BMSR, &data));
	KUNIT_EXPECT_EQ(test, -ENODEV, igb_hw_enable_queue(hw, IGB_RXDCTL(0), 0));
	KUNIT_EXPECT_EQ(test, -ENODEV, igb_hw_reset(hw));

	/* What came back is asked only by a reset. */
	chip->dead = 0;
	KUNIT_EXPECT_FALSE(test, igb_hw_present(hw));
	hw->quirks = IGB_QUIRK_NO_AUTO_RD;
	fake_set(adapter, IGB_STATUS, 0x80000481);
	KUNIT_EXPECT_EQ(test, 0, igb_hw_reset(hw));
	KUNIT_EXPECT_TRUE(test, igb_hw_present(hw));
}

/* Granted once, and given back as it was. */
static void semaphore(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	struct igb_hw *hw = &adapter->hw;

	fake_set(adapter, IGB_SW_FW_SYNC, 0x00040004);
	KUNIT_EXPECT_EQ(test, 0, igb_hw_acquire(hw, IGB_SW_FW_SYNC_PHY(0)));
	KUNIT_EXPECT_EQ(test, 0x00040006, fake_get(adapter, IGB_SW_FW_SYNC));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, IGB_SWSM));
	igb_hw_release(hw, IGB_SW_FW_SYNC_PHY(0));
	KUNIT_EXPECT_EQ(test, 0x00040004, fake_get(adapter, IGB_SW_FW_SYNC));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, IGB_SWSM));
}

/* Waiting for others ends, and takes nothing from them. */
static void semaphore_timeouts(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	struct igb_hw *hw = &adapter->hw;

	fake_set(adapter, IGB_SWSM, IGB_SWSM_SMBI);
	KUNIT_EXPECT_EQ(test, -EBUSY, igb_hw_acquire(hw, IGB_SW_FW_SYNC_EEP));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, IGB_SW_FW_SYNC));
	fake_set(adapter, IGB_SWSM, 0);
	fake_set(adapter, IGB_SW_FW_SYNC, 0x00010000);
	KUNIT_EXPECT_EQ(test, -ETIMEDOUT, igb_hw_acquire(hw, IGB_SW_FW_SYNC_EEP));
	KUNIT_EXPECT_EQ(test, 0x00010000, fake_get(adapter, IGB_SW_FW_SYNC));
	KUNIT_EXPECT_EQ(test, 0, fake_get(adapter, IGB_SWSM));
}

static void nvm_checksum(struct kunit *test)
{
	struct igb_adapter *adapter = fake_port(test, 8);
	struct fake_chip *chip = fake_chip_of(adapter);
	struct igb_hw *hw = &adapter->hw;
	u8 bytes[3];

	KUNIT_EXPECT_EQ(test, -ENXIO, igb_hw_check_nvm(hw));
	fake_set(adapter, IGB_EECD, IGB_EECD_PRES);
	chip->nvm[0] = 0x5452;
	chip->nvm[1] = 0xfffe;
	chip->nvm[0x3f] = 0xbaba - 0x5452 - 0xfffe;
	KUNIT_EXPECT_EQ(test, 0, igb_hw_check_nvm(hw));
	KUNIT_EXPECT_EQ(test, 0, igb_hw_read_nvm(hw, 1, 3, bytes));
	KUNIT_EXPECT_MEMEQ(test, "\x54\xfe\xff", bytes, 3);
	chip->nvm[0x3e] ^= 0x8000;
	KUNIT_EXPECT_EQ(test, -EBADMSG, igb_hw_check_nvm(hw));
}

/* IEEE 802.3 table 28B-3, for each pair of partners. */
static void pause_resolution(struct kunit *test)
{
	/* Own and partner's PAUSE (1) and ASM_DIR (2), what is received, sent */
	static const struct {
		u8 own, partner;
		bool rx, tx;
	} table[] = {
		{ 0, 0, false, false }, { 0, 1, false, false },
		{ 0, 2, false, false }, { 0, 3, false, false },
		{ 1, 0, false, false }, { 1, 1, true, true },
		{ 1, 2, false, false }, { 1, 3, true, true },
		{ 2, 0, false, false }, { 2, 1, false, false },
		{ 2, 2, false, false }, { 2, 3, false, true },
		{ 3, 0, false, false }, { 3, 1, true, true },
		{ 3, 2, true, false }, { 3, 3, true, true },
	};
	struct igb_adapter *adapter = fake_port(test, 8);
	struct igb_phy *phy = &adapter->hw.phy;
	struct igb_link link;
	unsigned int i;
	u32 ctrl;

	phy->want.autoneg = true;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		linkmode_mod_bit(ETHTOOL_LINK_MODE_Pause_BIT, phy->want.advertising,
				 table[i].own & 1);
		linkmode_mod_bit(ETHTOOL_LINK_MODE_Asym_Pause_BIT, phy->want.advertising,
				 table[i].own & 2);
		fake_chip_of(adapter)->phy[MII_LPA] = table[i].partner << 10;
		KUNIT_EXPECT_EQ(test, 0, igb_phy_configure_link(&adapter->hw, &link));
		KUNIT_EXPECT_TRUE(test, link.up && link.speed == SPEED_1000);
		KUNIT_EXPECT_EQ_MSG(test, table[i].rx, link.rx_pause, "%u", i);
		KUNIT_EXPECT_EQ_MSG(test, table[i].tx, link.tx_pause, "%u", i);
		ctrl = (table[i].rx ? BIT(27) : 0) | (table[i].tx ? BIT(28) : 0);
		KUNIT_EXPECT_EQ_MSG(test, ctrl, fake_get(adapter, 0) & 0x18000000, "%u", i);
	}
}

/* What a queue's vector waits for, in EITR or by the clock. */
static void moderation(struct kunit *test)
{
	/* By profile, and what half of a small ring lasts for at line rate. */
	static const u16 usecs[] = { 32, 48, 64, 96, 128 };
	struct igb_coalesce fixed = { .usecs = 30 }, adaptive = { .adaptive = true };
	struct igb_queue *q = fake_queue(test, 512, false);
	struct igb_adapter *adapter = q->adapter;
	unsigned int i, echo;

	igb_irq_setup_queue(q, 0);
	for (echo = 0; echo < 2; echo++) {
		adapter->hw.quirks = echo ? IGB_QUIRK_EITR_ECHO : 0;
		igb_irq_set_coalesce(q, &fixed);
		KUNIT_EXPECT_EQ(test, echo ? 0 : 30 << 2, fake_get(adapter, 0x1680));
		KUNIT_EXPECT_EQ(test, echo ? 30 : 0, q->defer_usecs);
		/* Late advice is not taken. */
		q->dim.work.func(&q->dim.work);
		KUNIT_EXPECT_EQ(test, 30, q->usecs);

		igb_irq_set_coalesce(q, &adaptive);
		for (i = 0; i < ARRAY_SIZE(usecs); i++) {
			adapter->rx_count = 512;
			q->dim.profile_ix = i;
			q->dim.work.func(&q->dim.work);
			KUNIT_EXPECT_EQ(test, i || echo ? usecs[i] : 8, q->usecs);
			KUNIT_EXPECT_EQ(test, echo ? 0 : q->usecs << 2,
					fake_get(adapter, 0x1680));
			adapter->rx_count = 64;
			q->dim.work.func(&q->dim.work);
			KUNIT_EXPECT_EQ(test, i || echo ? 21 : 8, q->usecs);
		}
	}
}

static struct kunit_case hw_cases[] = {
	KUNIT_CASE(rss_encoding),
	KUNIT_CASE(ring_arithmetic),
	KUNIT_CASE(stats_accumulate),
	KUNIT_CASE(stats_gone),
	KUNIT_CASE(gone),
	KUNIT_CASE(semaphore),
	KUNIT_CASE(semaphore_timeouts),
	KUNIT_CASE(nvm_checksum),
	KUNIT_CASE(pause_resolution),
	KUNIT_CASE(moderation),
	{}
};

struct kunit_suite igb_hw_suite = {
	.name = "hw",
	.test_cases = hw_cases,
};
