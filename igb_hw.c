// SPDX-License-Identifier: GPL-2.0
/*
 * How the chip is reset, identified, addressed, filtered and counted.
 *
 * Section numbers are those of the 82576 datasheet.
 */
#include <linux/device.h>
#include <linux/iopoll.h>
#include <linux/pci_ids.h>
#include <linux/unaligned.h>

#include "igb_hw.h"

/* Pause time of an XOFF, in 512-bit times: the longest there is. */
#define IGB_PAUSE_TIME		0xffff
/* Address and type of a PAUSE frame, as FCAL, FCAH and FCT take them. */
#define IGB_PAUSE_ADDR_LOW	0x00c28001
#define IGB_PAUSE_ADDR_HIGH	0x00000100

/* One row a device that departs from the datasheet. */
static const struct {
	u16 subvendor;
	u16 subdevice;
	unsigned int quirks;
} igb_quirk_table[] = {
	/* QEMU's -device igb */
	{ PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_SUBDEVICE_ID_QEMU,
	  IGB_QUIRK_NO_AUTO_RD | IGB_QUIRK_NO_AUTOMASK | IGB_QUIRK_EITR_ECHO |
	  IGB_QUIRK_LINK_BY_AUTONEG | IGB_QUIRK_TX_AT_ONCE |
	  IGB_QUIRK_TSO_NO_FIN | IGB_QUIRK_NO_USO | IGB_QUIRK_NO_MPC |
	  IGB_QUIRK_RDT_FLUSH | IGB_QUIRK_ETQF_NO_QUEUE },
};

#define IGB_COUNTER(_name, _reg)	{ .name = _name, .reg = _reg }
#define IGB_WIDE(_name, _reg)		{ .name = _name, .reg = _reg, \
					  .wide = true }

const struct igb_hw_counter_desc igb_hw_counters[IGB_NUM_COUNTERS] = {
	[IGB_CNT_CRCERRS]	= IGB_COUNTER("hw_crcerrs", 0x4000),
	[IGB_CNT_ALGNERRC]	= IGB_COUNTER("hw_algnerrc", 0x4004),
	[IGB_CNT_SYMERRS]	= IGB_COUNTER("hw_symerrs", 0x4008),
	[IGB_CNT_RXERRC]	= IGB_COUNTER("hw_rxerrc", 0x400c),
	[IGB_CNT_MPC]		= IGB_COUNTER("hw_mpc", 0x4010),
	[IGB_CNT_SCC]		= IGB_COUNTER("hw_scc", 0x4014),
	[IGB_CNT_ECOL]		= IGB_COUNTER("hw_ecol", 0x4018),
	[IGB_CNT_MCC]		= IGB_COUNTER("hw_mcc", 0x401c),
	[IGB_CNT_LATECOL]	= IGB_COUNTER("hw_latecol", 0x4020),
	[IGB_CNT_COLC]		= IGB_COUNTER("hw_colc", 0x4028),
	[IGB_CNT_DC]		= IGB_COUNTER("hw_dc", 0x4030),
	[IGB_CNT_TNCRS]		= IGB_COUNTER("hw_tncrs", 0x4034),
	[IGB_CNT_HTDPMC]	= IGB_COUNTER("hw_htdpmc", 0x403c),
	[IGB_CNT_RLEC]		= IGB_COUNTER("hw_rlec", 0x4040),
	[IGB_CNT_XONRXC]	= IGB_COUNTER("hw_xonrxc", 0x4048),
	[IGB_CNT_XONTXC]	= IGB_COUNTER("hw_xontxc", 0x404c),
	[IGB_CNT_XOFFRXC]	= IGB_COUNTER("hw_xoffrxc", 0x4050),
	[IGB_CNT_XOFFTXC]	= IGB_COUNTER("hw_xofftxc", 0x4054),
	[IGB_CNT_FCRUC]		= IGB_COUNTER("hw_fcruc", 0x4058),
	[IGB_CNT_PRC64]		= IGB_COUNTER("hw_prc64", 0x405c),
	[IGB_CNT_PRC127]	= IGB_COUNTER("hw_prc127", 0x4060),
	[IGB_CNT_PRC255]	= IGB_COUNTER("hw_prc255", 0x4064),
	[IGB_CNT_PRC511]	= IGB_COUNTER("hw_prc511", 0x4068),
	[IGB_CNT_PRC1023]	= IGB_COUNTER("hw_prc1023", 0x406c),
	[IGB_CNT_PRC1522]	= IGB_COUNTER("hw_prc1522", 0x4070),
	[IGB_CNT_GPRC]		= IGB_COUNTER("hw_gprc", 0x4074),
	[IGB_CNT_BPRC]		= IGB_COUNTER("hw_bprc", 0x4078),
	[IGB_CNT_MPRC]		= IGB_COUNTER("hw_mprc", 0x407c),
	[IGB_CNT_GPTC]		= IGB_COUNTER("hw_gptc", 0x4080),
	[IGB_CNT_GORC]		= IGB_WIDE("hw_gorc", 0x4088),
	[IGB_CNT_GOTC]		= IGB_WIDE("hw_gotc", 0x4090),
	[IGB_CNT_RNBC]		= IGB_COUNTER("hw_rnbc", 0x40a0),
	[IGB_CNT_RUC]		= IGB_COUNTER("hw_ruc", 0x40a4),
	[IGB_CNT_RFC]		= IGB_COUNTER("hw_rfc", 0x40a8),
	[IGB_CNT_ROC]		= IGB_COUNTER("hw_roc", 0x40ac),
	[IGB_CNT_RJC]		= IGB_COUNTER("hw_rjc", 0x40b0),
	[IGB_CNT_MNGPRC]	= IGB_COUNTER("hw_mngprc", 0x40b4),
	[IGB_CNT_MPDC]		= IGB_COUNTER("hw_mpdc", 0x40b8),
	[IGB_CNT_MNGPTC]	= IGB_COUNTER("hw_mngptc", 0x40bc),
	[IGB_CNT_TOR]		= IGB_WIDE("hw_tor", 0x40c0),
	[IGB_CNT_TOT]		= IGB_WIDE("hw_tot", 0x40c8),
	[IGB_CNT_TPR]		= IGB_COUNTER("hw_tpr", 0x40d0),
	[IGB_CNT_TPT]		= IGB_COUNTER("hw_tpt", 0x40d4),
	[IGB_CNT_PTC64]		= IGB_COUNTER("hw_ptc64", 0x40d8),
	[IGB_CNT_PTC127]	= IGB_COUNTER("hw_ptc127", 0x40dc),
	[IGB_CNT_PTC255]	= IGB_COUNTER("hw_ptc255", 0x40e0),
	[IGB_CNT_PTC511]	= IGB_COUNTER("hw_ptc511", 0x40e4),
	[IGB_CNT_PTC1023]	= IGB_COUNTER("hw_ptc1023", 0x40e8),
	[IGB_CNT_PTC1522]	= IGB_COUNTER("hw_ptc1522", 0x40ec),
	[IGB_CNT_MPTC]		= IGB_COUNTER("hw_mptc", 0x40f0),
	[IGB_CNT_BPTC]		= IGB_COUNTER("hw_bptc", 0x40f4),
	[IGB_CNT_TSCTC]		= IGB_COUNTER("hw_tsctc", 0x40f8),
	[IGB_CNT_IAC]		= IGB_COUNTER("hw_iac", 0x4100),
	[IGB_CNT_RPTHC]		= IGB_COUNTER("hw_rpthc", 0x4104),
	[IGB_CNT_HGPTC]		= IGB_COUNTER("hw_hgptc", 0x4118),
	[IGB_CNT_RXDMTC]	= IGB_COUNTER("hw_rxdmtc", 0x4120),
	[IGB_CNT_HGORC]		= IGB_WIDE("hw_hgorc", 0x4128),
	[IGB_CNT_HGOTC]		= IGB_WIDE("hw_hgotc", 0x4130),
	[IGB_CNT_LENERRS]	= IGB_COUNTER("hw_lenerrs", 0x4138),
};

/**
 * igb_hw_present() - ask the device whether it is still there
 * @hw: the port
 *
 * STATUS cannot read zero nor all ones on a live chip: PHYRA, for one, is set
 * by each reset and nobody clears it, and some bits are reserved.  An
 * unplugged card reads all ones, an unplugged emulated one zero.  The first
 * failure is logged and remembered in hw->gone until a reset.
 *
 * Context: any.
 * Return: true while the device answers.
 */
bool igb_hw_present(struct igb_hw *hw)
{
	u32 status;

	if (READ_ONCE(hw->gone))
		return false;

	status = readl(hw->io + IGB_STATUS);
	if (status && status != U32_MAX)
		return true;

	WRITE_ONCE(hw->gone, true);
	dev_err(hw->dev, "device does not answer, STATUS reads %#010x\n",
		status);
	return false;
}

/**
 * igb_rd() - read a register
 * @hw: the port
 * @reg: offset in BAR0
 *
 * Context: any.
 * Return: the register's value, all ones once the device is gone.
 */
u32 igb_rd(struct igb_hw *hw, u32 reg)
{
	u32 val;

	if (unlikely(READ_ONCE(hw->gone)))
		return U32_MAX;

	val = readl(hw->io + reg);
	if (unlikely(val == U32_MAX))
		igb_hw_present(hw);
	return val;
}

/**
 * igb_rmw() - change some bits of a register
 * @hw: the port
 * @reg: offset in BAR0
 * @clear: bits to clear
 * @set: bits to set; wins where @clear has them too
 *
 * What a device that is gone reads is not written to one that came back.
 *
 * Context: any; callers serialise.
 */
void igb_rmw(struct igb_hw *hw, u32 reg, u32 clear, u32 set)
{
	u32 val = igb_rd(hw, reg);

	if (!READ_ONCE(hw->gone))
		igb_wr(hw, reg, (val & ~clear) | set);
}

/**
 * igb_hw_setup() - prepare the software side of a port
 * @hw: the port, zeroed
 * @dev: device that messages name
 * @io: mapped registers
 *
 * Context: may not run beside any other call on @hw.
 */
void igb_hw_setup(struct igb_hw *hw, struct device *dev, void __iomem *io)
{
	hw->dev = dev;
	hw->io = io;
	spin_lock_init(&hw->rctl_lock);
	mutex_init(&hw->swsm_lock);
	mutex_init(&hw->nvm.lock);
	mutex_init(&hw->phy.lock);
}

/**
 * igb_hw_set_quirks() - look up how this device departs from the datasheet
 * @hw: the port
 * @subvendor: PCI subsystem vendor id
 * @subdevice: PCI subsystem id
 *
 * Context: may not run beside any other call on @hw.
 */
void igb_hw_set_quirks(struct igb_hw *hw, u16 subvendor, u16 subdevice)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(igb_quirk_table); i++)
		if (igb_quirk_table[i].subvendor == subvendor &&
		    igb_quirk_table[i].subdevice == subdevice)
			hw->quirks |= igb_quirk_table[i].quirks;
}

/* The write is dropped while firmware has it.  SMBI was read as zero; written
 * so, it would be given back.
 */
static u32 igb_try_swesmbi(struct igb_hw *hw, u32 swsm)
{
	igb_wr(hw, IGB_SWSM, swsm | IGB_SWSM_SMBI | IGB_SWSM_SWESMBI);
	return igb_rd(hw, IGB_SWSM);
}

/* SWSM guards SW_FW_SYNC: reading SMBI as zero grants and sets it. */
static int igb_get_swsm(struct igb_hw *hw)
{
	u32 swsm;

	if (!igb_hw_present(hw))
		return -ENODEV;
	if (read_poll_timeout(igb_rd, swsm, !(swsm & IGB_SWSM_SMBI),
			      50, 100000, false, hw, IGB_SWSM)) {
		if (!igb_hw_present(hw))
			return -ENODEV;
		dev_err(hw->dev, "SWSM.SMBI is held by other software\n");
		return -EBUSY;
	}
	if (read_poll_timeout(igb_try_swesmbi, swsm, swsm & IGB_SWSM_SWESMBI,
			      50, 100000, false, hw, swsm)) {
		if (!igb_hw_present(hw))
			return -ENODEV;
		igb_wr(hw, IGB_SWSM, 0);
		dev_err(hw->dev, "SWSM.SWESMBI is held by firmware\n");
		return -EBUSY;
	}
	return 0;
}

static void igb_put_swsm(struct igb_hw *hw)
{
	igb_wr(hw, IGB_SWSM, 0);
}

/* Claim @mine in SW_FW_SYNC unless firmware or the other port has it. */
static int igb_try_claim(struct igb_hw *hw, u32 mine, bool *claimed)
{
	u32 sync;
	int err;

	mutex_lock(&hw->swsm_lock);
	err = igb_get_swsm(hw);
	if (!err) {
		sync = igb_rd(hw, IGB_SW_FW_SYNC);
		*claimed = !(sync & (mine | mine << IGB_SW_FW_SYNC_FW_SHIFT));
		if (*claimed)
			igb_wr(hw, IGB_SW_FW_SYNC, sync | mine);
		igb_put_swsm(hw);
	}
	mutex_unlock(&hw->swsm_lock);
	return err;
}

/**
 * igb_hw_acquire() - take what is shared with firmware and the other port
 * @hw: the port
 * @mine: IGB_SW_FW_SYNC_PHY() or IGB_SW_FW_SYNC_EEP
 *
 * Context: process context, sleeps, for 1.2 s at most, since SWSM may take
 * 0.2 s beyond the second; callers serialise for each of @mine.
 * Return: 0, -EBUSY or -ETIMEDOUT when it is not to be had, which is logged,
 * -ENODEV when the device is gone.
 */
int igb_hw_acquire(struct igb_hw *hw, u32 mine)
{
	bool claimed = false;
	int err;
	int ret;

	ret = read_poll_timeout(igb_try_claim, err, err || claimed,
				5000, 1000000, false, hw, mine, &claimed);
	if (err)
		return err;
	if (ret)
		dev_err(hw->dev, "SW_FW_SYNC did not grant %#x in 1 s\n",
			mine);
	return ret;
}

/**
 * igb_hw_release() - give back what igb_hw_acquire() took
 * @hw: the port
 * @mine: as it was taken
 *
 * Context: process context, sleeps.
 */
void igb_hw_release(struct igb_hw *hw, u32 mine)
{
	int err;

	mutex_lock(&hw->swsm_lock);
	err = igb_get_swsm(hw);
	/* Nobody is served by keeping it, even if SWSM does not come. */
	if (err != -ENODEV)
		igb_rmw(hw, IGB_SW_FW_SYNC, mine, 0);
	if (!err)
		igb_put_swsm(hw);
	mutex_unlock(&hw->swsm_lock);
}

/* 4.5.4: no interrupt before the driver can take one. */
static void igb_mask_interrupts(struct igb_hw *hw)
{
	igb_wr(hw, IGB_IMC, U32_MAX);
	igb_wr(hw, IGB_EIMC, U32_MAX);
	igb_rd(hw, IGB_ICR);
}

/* 4.5.5: let outstanding PCIe requests finish before a reset. */
static void igb_stop_dma(struct igb_hw *hw)
{
	u32 status;

	igb_rmw(hw, IGB_CTRL, 0, IGB_CTRL_GIO_MASTER_DISABLE);
	if (read_poll_timeout(igb_rd, status,
			      !(status & IGB_STATUS_GIO_MASTER_ENABLE),
			      100, 80000, false, hw, IGB_STATUS))
		dev_warn(hw->dev, "STATUS.GIO_MASTER_ENABLE did not clear, DMA may be pending\n");
}

/* 4.5.5: reset all of the port but the PCIe configuration. */
static int igb_global_reset(struct igb_hw *hw)
{
	u32 ctrl;
	int err;

	igb_rmw(hw, IGB_CTRL, 0, IGB_CTRL_RST);
	/* The chip must not be touched for a millisecond. */
	usleep_range(1000, 1500);
	err = read_poll_timeout(igb_rd, ctrl, !(ctrl & IGB_CTRL_RST),
				1000, 20000, false, hw, IGB_CTRL);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err)
		dev_err(hw->dev, "reset failed, CTRL.RST did not clear in 20 ms\n");
	return err;
}

/* 4.5.5: the chip loads its defaults, the MAC address and the PHY's
 * configuration from the NVM.
 */
static void igb_wait_auto_read(struct igb_hw *hw)
{
	u32 done = IGB_EEMNGCTL_CFG_DONE(hw->lan_id);
	u32 eecd;
	u32 ctl;

	if (igb_has_quirk(hw, IGB_QUIRK_NO_AUTO_RD))
		return;
	if (!(igb_rd(hw, IGB_EECD) & IGB_EECD_PRES))
		return;
	if (read_poll_timeout(igb_rd, eecd, eecd & IGB_EECD_AUTO_RD,
			      1000, 20000, false, hw, IGB_EECD))
		dev_warn(hw->dev, "NVM was not loaded, EECD.AUTO_RD did not set in 20 ms\n");
	if (read_poll_timeout(igb_rd, ctl, ctl & done,
			      1000, 100000, false, hw, IGB_EEMNGCTL))
		dev_warn(hw->dev, "PHY was not configured, EEMNGCTL.CFG_DONE did not set in 100 ms\n");
}

/**
 * igb_hw_reset() - bring the port to its defaults, interrupts masked
 * @hw: the port
 *
 * Follows 4.5.3 up to the global reset.  The link goes down; the caller
 * continues with igb_hw_init() and igb_phy_start().
 *
 * Context: process context, sleeps.
 * Return: 0, -ETIMEDOUT when the reset does not end, -ENODEV when the device
 * does not answer.
 */
int igb_hw_reset(struct igb_hw *hw)
{
	int err;

	/* Whoever resets wants to know anew. */
	WRITE_ONCE(hw->gone, false);
	if (!igb_hw_present(hw))
		return -ENODEV;

	igb_mask_interrupts(hw);
	igb_stop_dma(hw);
	err = igb_global_reset(hw);
	if (err)
		return err;
	igb_mask_interrupts(hw);
	hw->lan_id = FIELD_GET(IGB_STATUS_LAN_ID, igb_rd(hw, IGB_STATUS));
	igb_wait_auto_read(hw);
	return igb_hw_present(hw) ? 0 : -ENODEV;
}

static bool igb_read_rar0(struct igb_hw *hw, u8 *addr)
{
	u32 ral = igb_rd(hw, igb_ral(0));
	u32 rah = igb_rd(hw, igb_rah(0));

	put_unaligned_le32(ral, addr);
	put_unaligned_le16(rah, addr + 4);
	return (rah & IGB_RAH_AV) && is_valid_ether_addr(addr);
}

/* The NVM has one address; the second port's differs in the last bit. */
static bool igb_read_nvm_mac(struct igb_hw *hw, u8 *addr)
{
	if (igb_hw_read_nvm(hw, 2 * IGB_NVM_MAC, ETH_ALEN, addr))
		return false;
	addr[ETH_ALEN - 1] ^= hw->lan_id & 1;
	return is_valid_ether_addr(addr);
}

/* Who built the card in may have given each port another address. */
static bool igb_read_alt_mac(struct igb_hw *hw, u8 *addr)
{
	u8 word[2];
	u32 at;

	if (igb_hw_read_nvm(hw, 2 * IGB_NVM_ALT_MAC, sizeof(word), word))
		return false;
	at = get_unaligned_le16(word);
	if (!at || at == U16_MAX)
		return false;
	at = 2 * at + ETH_ALEN * hw->lan_id;
	return at + ETH_ALEN <= hw->nvm.size &&
	       !igb_hw_read_nvm(hw, at, ETH_ALEN, addr) &&
	       is_valid_ether_addr(addr);
}

/**
 * igb_hw_read_mac() - find the port's own MAC address
 * @hw: the port, just reset
 * @nvm_valid: the NVM may be trusted
 * @addr: where the address goes
 *
 * One that the NVM has in place of the card's own comes first.  The chip loads
 * RAL0/RAH0 from the NVM at reset; the NVM itself is asked where that did not
 * happen.
 *
 * Context: process context, sleeps; probe only.
 * Return: 0, or -EADDRNOTAVAIL with the invalid address left in @addr.
 */
int igb_hw_read_mac(struct igb_hw *hw, bool nvm_valid, u8 *addr)
{
	if ((nvm_valid && igb_read_alt_mac(hw, addr)) ||
	    igb_read_rar0(hw, addr) ||
	    (nvm_valid && igb_read_nvm_mac(hw, addr)))
		return 0;
	return -EADDRNOTAVAIL;
}

/* 4.5.5: general configuration of the port. */
static void igb_init_general(struct igb_hw *hw)
{
	/* Speed and duplex are the PHY's to say; VLAN tags stay in. */
	igb_rmw(hw, IGB_CTRL,
		IGB_CTRL_FRCSPD | IGB_CTRL_FRCDPLX | IGB_CTRL_VME |
		IGB_CTRL_RFCE | IGB_CTRL_TFCE, IGB_CTRL_SLU);
	igb_rmw(hw, IGB_CTRL_EXT, 0,
		IGB_CTRL_EXT_DRV_LOAD | IGB_CTRL_EXT_PFRSTD);
}

/* 5.6: what woke the system has done so; a reset does not see to that. */
static void igb_disarm_wake(struct igb_hw *hw)
{
	igb_wr(hw, IGB_WUC, 0);
	igb_wr(hw, IGB_WUFC, 0);
	igb_wr(hw, IGB_WUS, U32_MAX);
}

/* 4.5.5: split the packet memory between receive and transmit. */
static void igb_init_packet_buffers(struct igb_hw *hw)
{
	igb_wr(hw, IGB_RXPBS, IGB_RXPBS_KIB);
	igb_wr(hw, IGB_TXPBS, IGB_TXPBS_KIB);
}

/* 4.5.6: thresholds; whether PAUSE is used is the link's to say. */
static void igb_init_flow_control(struct igb_hw *hw)
{
	/* Room for the frame on its way out here and the one there. */
	u32 high = IGB_RXPBS_KIB * 1024 -
		   2 * (IGB_MAX_MTU + IGB_FRAME_OVERHEAD);

	high = round_down(high, 16);
	igb_wr(hw, IGB_FCAL, IGB_PAUSE_ADDR_LOW);
	igb_wr(hw, IGB_FCAH, IGB_PAUSE_ADDR_HIGH);
	igb_wr(hw, IGB_FCT, ETH_P_PAUSE);
	igb_wr(hw, IGB_FCTTV, IGB_PAUSE_TIME);
	igb_wr(hw, IGB_FCRTV, IGB_PAUSE_TIME / 2);
	igb_wr(hw, IGB_FCRTH, high);
	igb_wr(hw, IGB_FCRTL, (high - 16) | IGB_FCRTL_XONE);
}

/* 4.5.8: counters clear when read. */
static void igb_clear_stats(struct igb_hw *hw)
{
	u64 scrap[IGB_NUM_COUNTERS] = {};

	igb_hw_read_stats(hw, scrap);
}

static void igb_write_rar(struct igb_hw *hw, unsigned int index, const u8 *addr)
{
	/* Never valid with half of an old address in it. */
	igb_wr(hw, igb_rah(index), 0);
	igb_wr(hw, igb_ral(index), addr ? get_unaligned_le32(addr) : 0);
	if (addr)
		igb_wr(hw, igb_rah(index),
		       get_unaligned_le16(addr + 4) | IGB_RAH_AV);

	eth_zero_addr(hw->rar[index]);
	if (addr)
		ether_addr_copy(hw->rar[index], addr);
}

/* 4.5.9: nothing passes the filters until igb_hw_set_rx_filter(). */
static void igb_clear_filters(struct igb_hw *hw)
{
	unsigned int i;

	for (i = 0; i < IGB_RAR_ENTRIES; i++)
		igb_write_rar(hw, i, NULL);
	for (i = 0; i < IGB_MTA_REGS; i++)
		igb_wr(hw, IGB_MTA(i), 0);
	memset(hw->mta, 0, sizeof(hw->mta));
	for (i = 0; i < IGB_VFTA_REGS; i++)
		igb_wr(hw, IGB_VFTA(i), 0);
}

/* 4.5.9.1: receive control, still disabled. */
static void igb_init_receive(struct igb_hw *hw)
{
	spin_lock_bh(&hw->rctl_lock);
	hw->rctl = IGB_RCTL_LPE | IGB_RCTL_SECRC;
	igb_wr(hw, IGB_RCTL, hw->rctl);
	spin_unlock_bh(&hw->rctl_lock);

	igb_wr(hw, IGB_VET, ETH_P_8021Q);
	igb_wr(hw, IGB_RFCTL, IGB_RFCTL_SYNQFP);
	igb_wr(hw, IGB_RXCSUM, IGB_RXCSUM_IPOFL | IGB_RXCSUM_TUOFL |
	       IGB_RXCSUM_CRCOFL | IGB_RXCSUM_PCSD);
}

/* 4.5.10: transmit control, still disabled. */
static void igb_init_transmit(struct igb_hw *hw)
{
	/* Collision threshold and distance matter in half duplex only. */
	igb_rmw(hw, IGB_TCTL, IGB_TCTL_EN | IGB_TCTL_CT | IGB_TCTL_COLD,
		IGB_TCTL_PSP | IGB_TCTL_RTLC | FIELD_PREP(IGB_TCTL_CT, 15) |
		FIELD_PREP(IGB_TCTL_COLD, 63));
}

/* 4.5.9, 4.5.10: a reset leaves queue 0 of both kinds enabled. */
static void igb_init_queues(struct igb_hw *hw)
{
	unsigned int i;

	for (i = 0; i < IGB_HW_QUEUES; i++) {
		igb_wr(hw, IGB_RXDCTL(i), 0);
		igb_wr(hw, IGB_TXDCTL(i), 0);
	}
}

/**
 * igb_hw_init() - program the port after a reset
 * @hw: the port, after igb_hw_reset()
 *
 * The steps of 4.5.3 between the reset and the link; receiver, transmitter
 * and queues stay disabled and no address passes the filters.
 *
 * Context: process context.
 */
void igb_hw_init(struct igb_hw *hw)
{
	igb_disarm_wake(hw);
	igb_clear_filters(hw);
	igb_clear_stats(hw);
	igb_init_general(hw);
	igb_init_packet_buffers(hw);
	igb_init_receive(hw);
	igb_init_transmit(hw);
	igb_init_queues(hw);
	igb_init_flow_control(hw);
}

/**
 * igb_hw_stop() - leave the port silent for whoever comes next
 * @hw: the port
 *
 * Context: process context, sleeps.
 */
void igb_hw_stop(struct igb_hw *hw)
{
	if (!igb_hw_present(hw))
		return;

	igb_mask_interrupts(hw);
	igb_hw_stop_rx(hw);
	igb_hw_stop_tx(hw);
	igb_stop_dma(hw);
	igb_rmw(hw, IGB_CTRL_EXT, IGB_CTRL_EXT_DRV_LOAD, 0);
}

/**
 * igb_hw_arm_wake() - have the chip ask for power when something comes (5.6)
 * @hw: the port, after igb_hw_stop()
 * @addr: the port's own address
 * @events: IGB_WUFC_*
 *
 * Frames pass the filters and are looked at; there is no queue for them.
 *
 * Context: process context.
 */
void igb_hw_arm_wake(struct igb_hw *hw, const u8 *addr, u32 events)
{
	/* Whatever wakes has to pass the filter first; groups are forgotten. */
	u32 filter = IGB_RCTL_BAM | (events & IGB_WUFC_MC ? IGB_RCTL_MPE : 0);

	if (!igb_hw_present(hw))
		return;

	igb_hw_set_rar(hw, 0, addr);
	igb_hw_set_rx_filter(hw, filter);
	igb_hw_start_rx(hw);
	igb_rmw(hw, IGB_CTRL, 0, IGB_CTRL_ADVD3WUC);
	igb_wr(hw, IGB_WUS, U32_MAX);
	igb_wr(hw, IGB_WUFC, events);
	igb_wr(hw, IGB_WUC, IGB_WUC_PME_EN);
}

/**
 * igb_hw_set_rar() - set or clear one exact unicast filter (7.1)
 * @hw: the port
 * @index: entry, below IGB_RAR_ENTRIES; 0 is the port's own address
 * @addr: MAC address, NULL to clear the entry
 *
 * An entry that stays the same is not touched, and so loses no frame.
 *
 * Context: any; callers serialise.
 */
void igb_hw_set_rar(struct igb_hw *hw, unsigned int index, const u8 *addr)
{
	if (addr ? !ether_addr_equal_unaligned(hw->rar[index], addr) :
		   !is_zero_ether_addr(hw->rar[index]))
		igb_write_rar(hw, index, addr);
}

/**
 * igb_hw_mta_hash() - bit of the multicast table that an address falls on
 * @addr: MAC address
 *
 * RCTL.MO is 0: address bits 47:36.
 *
 * Context: any.
 * Return: 0 to 4095.
 */
unsigned int igb_hw_mta_hash(const u8 *addr)
{
	return get_unaligned_le16(addr + 4) >> 4;
}

/**
 * igb_hw_set_mta() - write the multicast hash table
 * @hw: the port
 * @mta: IGB_MTA_REGS words; those that stay the same are not touched
 *
 * Context: any; callers serialise.
 */
void igb_hw_set_mta(struct igb_hw *hw, const u32 *mta)
{
	unsigned int i;

	for (i = 0; i < IGB_MTA_REGS; i++) {
		if (hw->mta[i] == mta[i])
			continue;
		hw->mta[i] = mta[i];
		igb_wr(hw, IGB_MTA(i), mta[i]);
	}
}

static void igb_update_rctl(struct igb_hw *hw, u32 clear, u32 set)
{
	spin_lock_bh(&hw->rctl_lock);
	hw->rctl = (hw->rctl & ~clear) | set;
	igb_wr(hw, IGB_RCTL, hw->rctl);
	spin_unlock_bh(&hw->rctl_lock);
}

/**
 * igb_hw_set_rx_filter() - choose what passes beside exact and hash matches
 * @hw: the port
 * @filter: any of IGB_RCTL_UPE, IGB_RCTL_MPE, IGB_RCTL_BAM; IGB_RCTL_SBP for
 *	bad frames too; IGB_RCTL_VFE to let tagged frames pass by their VLAN
 *	only
 *
 * Context: any.
 */
void igb_hw_set_rx_filter(struct igb_hw *hw, u32 filter)
{
	igb_update_rctl(hw, IGB_RCTL_UPE | IGB_RCTL_MPE | IGB_RCTL_BAM |
			IGB_RCTL_SBP | IGB_RCTL_VFE, filter);
}

/**
 * igb_hw_set_vfta() - choose which of 32 VLANs pass the filter
 * @hw: the port
 * @index: register, VLAN id / 32
 * @ids: one bit an id
 *
 * Context: any; callers serialise.
 */
void igb_hw_set_vfta(struct igb_hw *hw, unsigned int index, u32 ids)
{
	igb_wr(hw, IGB_VFTA(index), ids);
}

/**
 * igb_hw_set_vlan_strip() - take the VLAN tag out of received frames, or not
 * @hw: the port
 * @on: whether to; the tag is then in the descriptor
 *
 * Context: process context, sleeps.
 */
void igb_hw_set_vlan_strip(struct igb_hw *hw, bool on)
{
	mutex_lock(&hw->phy.lock);
	igb_rmw(hw, IGB_CTRL, IGB_CTRL_VME, on ? IGB_CTRL_VME : 0);
	mutex_unlock(&hw->phy.lock);
}

/**
 * igb_hw_start_rx() - enable the receiver
 * @hw: the port
 *
 * Context: any.
 */
void igb_hw_start_rx(struct igb_hw *hw)
{
	igb_update_rctl(hw, 0, IGB_RCTL_RXEN);
}

/**
 * igb_hw_stop_rx() - disable the receiver
 * @hw: the port
 *
 * A frame already on its way to memory is finished.
 *
 * Context: any.
 */
void igb_hw_stop_rx(struct igb_hw *hw)
{
	igb_update_rctl(hw, IGB_RCTL_RXEN, 0);
}

/**
 * igb_hw_set_max_frame() - set the longest frame that is received
 * @hw: the port
 * @mtu: what is sent at most
 *
 * A frame of that size with a VLAN tag passes.
 *
 * Context: any; the caller keeps the receiver disabled.
 */
void igb_hw_set_max_frame(struct igb_hw *hw, unsigned int mtu)
{
	igb_wr(hw, IGB_RLPML, mtu + IGB_FRAME_OVERHEAD);
}

/**
 * igb_hw_start_tx() - enable the transmitter
 * @hw: the port
 *
 * Context: process context; callers serialise.
 */
void igb_hw_start_tx(struct igb_hw *hw)
{
	igb_rmw(hw, IGB_TCTL, 0, IGB_TCTL_EN);
}

/**
 * igb_hw_stop_tx() - disable the transmitter
 * @hw: the port
 *
 * Context: process context; callers serialise.
 */
void igb_hw_stop_tx(struct igb_hw *hw)
{
	igb_rmw(hw, IGB_TCTL, IGB_TCTL_EN, 0);
}

static int igb_set_queue(struct igb_hw *hw, u32 dctl, u32 val)
{
	u32 want = val & IGB_DCTL_ENABLE;
	u32 got;
	int err;

	igb_wr(hw, dctl, val);
	err = read_poll_timeout(igb_rd, got,
				(got & IGB_DCTL_ENABLE) == want ||
				READ_ONCE(hw->gone),
				20, 10000, false, hw, dctl);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err)
		dev_err(hw->dev, "queue control %#06x reads %#010x, its enable bit did not %s in 10 ms\n",
			dctl, got, want ? "set" : "clear");
	return err;
}

/**
 * igb_hw_enable_queue() - enable a descriptor queue (4.5.9.2, 4.5.10.1)
 * @hw: the port
 * @dctl: the queue's IGB_RXDCTL() or IGB_TXDCTL()
 * @thresholds: IGB_DCTL_PTHRESH, _HTHRESH and _WTHRESH
 *
 * Context: process context, sleeps.
 * Return: 0, -ETIMEDOUT, or -ENODEV when the device is gone.
 */
int igb_hw_enable_queue(struct igb_hw *hw, u32 dctl, u32 thresholds)
{
	return igb_set_queue(hw, dctl, thresholds | IGB_DCTL_ENABLE);
}

/**
 * igb_hw_disable_queue() - disable a descriptor queue (4.5.9.2, 4.5.10.1)
 * @hw: the port
 * @dctl: the queue's IGB_RXDCTL() or IGB_TXDCTL()
 *
 * The chip has done with the ring and its buffers when this returns 0.
 *
 * Context: process context, sleeps.
 * Return: 0, -ETIMEDOUT, or -ENODEV when the device is gone.
 */
int igb_hw_disable_queue(struct igb_hw *hw, u32 dctl)
{
	return igb_set_queue(hw, dctl, 0);
}

/**
 * igb_hw_set_rss() - spread received frames over queues (7.1)
 * @hw: the port
 * @key: IGB_RSS_KEY_SIZE bytes
 * @reta: queue for each of IGB_RETA_ENTRIES hash values
 * @ports: any of IGB_MRQC_ALL_PORTS, what is hashed over addresses and ports;
 *	other IP is hashed over addresses
 *
 * Context: process context; callers serialise.
 */
void igb_hw_set_rss(struct igb_hw *hw, const u8 *key, const u8 *reta, u32 ports)
{
	unsigned int i;

	for (i = 0; i < IGB_RSS_KEY_SIZE / 4; i++)
		igb_wr(hw, IGB_RSSRK(i), get_unaligned_le32(key + 4 * i));
	for (i = 0; i < IGB_RETA_ENTRIES / 4; i++)
		igb_wr(hw, IGB_RETA(i), get_unaligned_le32(reta + 4 * i));

	igb_wr(hw, IGB_MRQC,
	       FIELD_PREP(IGB_MRQC_ENABLE, IGB_MRQC_ENABLE_RSS) |
	       IGB_MRQC_IPV4 | IGB_MRQC_IPV6 | IGB_MRQC_IPV6EX | ports);
}

/**
 * igb_hw_read_stats() - add the hardware counters to running totals
 * @hw: the port
 * @stats: IGB_NUM_COUNTERS totals; nothing is added once the device is gone
 *
 * Context: any; callers serialise, since reading clears.
 */
void igb_hw_read_stats(struct igb_hw *hw, u64 *stats)
{
	const struct igb_hw_counter_desc *desc;
	unsigned int i;
	u64 val;

	for (i = 0; i < IGB_NUM_COUNTERS; i++) {
		desc = &igb_hw_counters[i];
		val = igb_rd(hw, desc->reg);
		if (desc->wide)
			val |= (u64)igb_rd(hw, desc->reg + 4) << 32;
		if (READ_ONCE(hw->gone))
			return;
		stats[i] += val;
	}
}

/**
 * igb_hw_read_rqdpc() - frames that a queue dropped since last asked
 * @hw: the port
 * @queue: receive queue
 *
 * Context: any; callers serialise, since reading clears.
 * Return: frames that found no descriptor.
 */
u32 igb_hw_read_rqdpc(struct igb_hw *hw, unsigned int queue)
{
	u32 val = igb_rd(hw, IGB_RQDPC(queue));

	return READ_ONCE(hw->gone) ? 0 : val;
}
