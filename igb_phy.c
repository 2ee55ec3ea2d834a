// SPDX-License-Identifier: GPL-2.0
/*
 * How the internal copper PHY is reached over MDIC and the link brought up.
 *
 * Section numbers are those of the 82576 datasheet.
 */
#include <linux/device.h>
#include <linux/iopoll.h>
#include <linux/mii.h>

#include "igb_hw.h"

/* Of this PHY, beside the registers that all PHYs have. */
#define IGB_PHY_PORT_STATUS	0x11
#define IGB_PHY_MDIX		BIT(11)
#define IGB_PHY_PORT_CTRL	0x12
#define IGB_PHY_AUTO_MDIX	BIT(12)
#define IGB_PHY_FORCE_MDIX	BIT(13)
#define IGB_PHY_PAGE		0x1f	/* of registers 0x10 and up */

static const int igb_link_modes[] = {
	ETHTOOL_LINK_MODE_10baseT_Half_BIT,
	ETHTOOL_LINK_MODE_10baseT_Full_BIT,
	ETHTOOL_LINK_MODE_100baseT_Half_BIT,
	ETHTOOL_LINK_MODE_100baseT_Full_BIT,
	ETHTOOL_LINK_MODE_1000baseT_Full_BIT,
	ETHTOOL_LINK_MODE_Autoneg_BIT,
	ETHTOOL_LINK_MODE_TP_BIT,
	ETHTOOL_LINK_MODE_Pause_BIT,
	ETHTOOL_LINK_MODE_Asym_Pause_BIT,
};

static u32 igb_phy_semaphore(const struct igb_hw *hw)
{
	return IGB_SW_FW_SYNC_PHY(hw->lan_id);
}

/* Take the PHY for a sequence of accesses. */
static int igb_phy_acquire(struct igb_hw *hw)
{
	lockdep_assert_held(&hw->phy.lock);
	return igb_hw_acquire(hw, igb_phy_semaphore(hw));
}

static void igb_phy_release(struct igb_hw *hw)
{
	igb_hw_release(hw, igb_phy_semaphore(hw));
}

/* One MDIO frame; returns the data field of a read. */
static int igb_mdic(struct igb_hw *hw, enum igb_mdic_op op, u8 addr, u8 reg,
		    u16 data)
{
	u32 mdic = FIELD_PREP(IGB_MDIC_OP, op) |
		   FIELD_PREP(IGB_MDIC_PHYADD, addr) |
		   FIELD_PREP(IGB_MDIC_REGADD, reg) |
		   FIELD_PREP(IGB_MDIC_DATA, data);
	int err;

	lockdep_assert_held(&hw->phy.lock);

	igb_wr(hw, IGB_MDIC, mdic);
	err = read_poll_timeout(igb_rd, mdic, mdic & IGB_MDIC_READY,
				50, 5000, false, hw, IGB_MDIC);
	if (!igb_hw_present(hw))
		return -ENODEV;
	if (err) {
		dev_err(hw->dev, "PHY %u does not answer, MDIC.READY did not set for register %u\n",
			addr, reg);
		return err;
	}
	if (mdic & IGB_MDIC_ERROR)
		return -EIO;
	return FIELD_GET(IGB_MDIC_DATA, mdic);
}

static int igb_mdic_read(struct igb_hw *hw, u8 reg)
{
	return igb_mdic(hw, IGB_MDIC_READ, IGB_PHY_ADDR, reg, 0);
}

static int igb_mdic_write(struct igb_hw *hw, u8 reg, u16 data)
{
	int ret = igb_mdic(hw, IGB_MDIC_WRITE, IGB_PHY_ADDR, reg, data);

	return min(ret, 0);
}

/* One MDIO frame on its own. */
static int igb_phy_access(struct igb_hw *hw, enum igb_mdic_op op, u8 addr,
			  u8 reg, u16 data)
{
	int ret;

	mutex_lock(&hw->phy.lock);
	ret = igb_phy_acquire(hw);
	if (!ret) {
		ret = igb_mdic(hw, op, addr, reg, data);
		igb_phy_release(hw);
	}
	mutex_unlock(&hw->phy.lock);
	return ret;
}

/**
 * igb_phy_read() - read a PHY register
 * @hw: the port
 * @addr: MDIO address
 * @reg: register
 * @data: where the register's value goes
 *
 * Context: process context, sleeps; takes the PHY's lock and semaphore.
 * Return: 0, -EIO when nothing answers at @addr or it has no such register,
 * -ETIMEDOUT or -EBUSY when MDIC or the semaphore fails, -ENODEV when the
 * device is gone.
 */
int igb_phy_read(struct igb_hw *hw, u8 addr, u8 reg, u16 *data)
{
	int ret = igb_phy_access(hw, IGB_MDIC_READ, addr, reg, 0);

	if (ret < 0)
		return ret;
	*data = ret;
	return 0;
}

/**
 * igb_phy_write() - write a PHY register behind this driver's back
 * @hw: the port
 * @addr: MDIO address
 * @reg: register
 * @data: its value, until the link is next configured
 *
 * Context: process context, sleeps; takes the PHY's lock and semaphore.
 * Return: as igb_phy_read().
 */
int igb_phy_write(struct igb_hw *hw, u8 addr, u8 reg, u16 data)
{
	int ret = igb_phy_access(hw, IGB_MDIC_WRITE, addr, reg, data);

	return min(ret, 0);
}

/**
 * igb_phy_supported() - link modes that the 82576's copper PHY has
 * @modes: link mode mask to fill
 *
 * Context: any.
 */
void igb_phy_supported(unsigned long *modes)
{
	linkmode_zero(modes);
	linkmode_set_bit_array(igb_link_modes, ARRAY_SIZE(igb_link_modes),
			       modes);
}

/* The NVM says what the port is wired to; 0 is the internal copper PHY. */
static int igb_check_link_mode(struct igb_hw *hw)
{
	u32 mode = FIELD_GET(IGB_CTRL_EXT_LINK_MODE, igb_rd(hw, IGB_CTRL_EXT));

	if (!mode)
		return 0;
	dev_err(hw->dev, "CTRL_EXT.LINK_MODE is %u, only copper ports (0) are supported\n",
		mode);
	return -ENODEV;
}

/**
 * igb_phy_init() - identify the PHY and choose to negotiate everything
 * @hw: the port, after its first reset
 *
 * Context: process context, sleeps; probe only.
 * Return: 0, -ENODEV when there is no PHY or the port does not use it, or as
 * igb_phy_read().
 */
int igb_phy_init(struct igb_hw *hw)
{
	u16 id1, id2;
	int err;

	err = igb_check_link_mode(hw);
	if (err)
		return err;
	err = igb_phy_read(hw, IGB_PHY_ADDR, MII_PHYSID1, &id1);
	if (!err)
		err = igb_phy_read(hw, IGB_PHY_ADDR, MII_PHYSID2, &id2);
	if (err) {
		dev_err(hw->dev, "cannot read the PHY's identifier\n");
		return err;
	}

	hw->phy.id = (u32)id1 << 16 | id2;
	if (!hw->phy.id || hw->phy.id == U32_MAX) {
		dev_err(hw->dev, "no PHY, its identifier reads %#010x\n",
			hw->phy.id);
		return -ENODEV;
	}
	hw->phy.want.autoneg = true;
	hw->phy.want.mdix = ETH_TP_MDI_AUTO;
	igb_phy_supported(hw->phy.want.advertising);
	/* Without it, both directions: see igb_phy_wanted_pause(). */
	linkmode_clear_bit(ETHTOOL_LINK_MODE_Asym_Pause_BIT,
			   hw->phy.want.advertising);
	return 0;
}

static u32 igb_ctrl_speed(int speed)
{
	switch (speed) {
	case SPEED_10:
		return FIELD_PREP(IGB_CTRL_SPEED, IGB_SPEED_10);
	case SPEED_100:
		return FIELD_PREP(IGB_CTRL_SPEED, IGB_SPEED_100);
	default:
		return FIELD_PREP(IGB_CTRL_SPEED, IGB_SPEED_1000);
	}
}

/* 4.5.7: CTRL forces speed and duplex, or leaves both to the PHY. */
static void igb_force_mac(struct igb_hw *hw, bool force, int speed, u8 duplex)
{
	u32 clear = IGB_CTRL_FRCSPD | IGB_CTRL_FRCDPLX;
	u32 set = 0;

	if (force) {
		clear |= IGB_CTRL_SPEED | IGB_CTRL_FD;
		set = IGB_CTRL_FRCSPD | IGB_CTRL_FRCDPLX |
		      igb_ctrl_speed(speed);
		if (duplex == DUPLEX_FULL)
			set |= IGB_CTRL_FD;
	}
	igb_rmw(hw, IGB_CTRL, clear, set);
}

/* Firmware may have left another page selected. */
static int igb_phy_read_port(struct igb_hw *hw, u8 reg)
{
	int err = igb_mdic_write(hw, IGB_PHY_PAGE, 0);

	return err ?: igb_mdic_read(hw, reg);
}

static int igb_phy_set_mdix(struct igb_hw *hw, u8 mdix)
{
	int ctrl = igb_phy_read_port(hw, IGB_PHY_PORT_CTRL);

	if (ctrl < 0)
		return ctrl;
	ctrl &= ~(IGB_PHY_AUTO_MDIX | IGB_PHY_FORCE_MDIX);
	if (mdix == ETH_TP_MDI_AUTO)
		ctrl |= IGB_PHY_AUTO_MDIX;
	else if (mdix == ETH_TP_MDI_X)
		ctrl |= IGB_PHY_FORCE_MDIX;
	return igb_mdic_write(hw, IGB_PHY_PORT_CTRL, ctrl);
}

static int igb_phy_negotiate(struct igb_hw *hw)
{
	struct igb_phy *phy = &hw->phy;
	u32 adv = linkmode_adv_to_mii_adv_t(phy->want.advertising);
	u32 gigabit = linkmode_adv_to_mii_ctrl1000_t(phy->want.advertising);
	int err;

	igb_force_mac(hw, false, 0, 0);
	err = igb_phy_set_mdix(hw, phy->want.mdix);
	if (!err)
		err = igb_mdic_write(hw, MII_ADVERTISE, adv | ADVERTISE_CSMA);
	if (!err)
		err = igb_mdic_write(hw, MII_CTRL1000, gigabit);
	if (!err)
		err = igb_mdic_write(hw, MII_BMCR,
				     BMCR_ANENABLE | BMCR_ANRESTART);
	return err;
}

static int igb_phy_force(struct igb_hw *hw)
{
	bool loopback = hw->phy.loopback;
	int speed = loopback ? SPEED_1000 : hw->phy.want.forced_speed;
	u8 duplex = loopback ? DUPLEX_FULL : hw->phy.want.forced_duplex;
	int err;

	igb_force_mac(hw, true, speed, duplex);
	/* This PHY finds crossed pairs only where it negotiates. */
	err = igb_phy_set_mdix(hw, ETH_TP_MDI);
	if (err)
		return err;
	return igb_mdic_write(hw, MII_BMCR,
			      mii_bmcr_encode_fixed(speed, duplex) |
			      (loopback ? BMCR_LOOPBACK : 0));
}

/* Begin with what struct igb_phy asks for; the semaphore is held. */
static int igb_phy_apply(struct igb_hw *hw)
{
	struct igb_phy *phy = &hw->phy;

	phy->force_pending = false;
	if (phy->want.autoneg && !phy->loopback)
		return igb_phy_negotiate(hw);
	if (!igb_has_quirk(hw, IGB_QUIRK_LINK_BY_AUTONEG) ||
	    igb_rd(hw, IGB_STATUS) & IGB_STATUS_LU)
		return igb_phy_force(hw);

	phy->force_pending = true;
	return igb_phy_negotiate(hw);
}

/**
 * igb_phy_start() - bring the link up with the settings in hw->phy (4.5.7)
 * @hw: the port
 *
 * Returns at once; the link follows, and with it an interrupt.
 *
 * Context: process context, sleeps; the caller holds hw->phy.lock.
 * Return: 0, or as igb_phy_read().
 */
int igb_phy_start(struct igb_hw *hw)
{
	int err;

	err = igb_phy_acquire(hw);
	if (err)
		return err;
	err = igb_phy_apply(hw);
	igb_phy_release(hw);
	return err;
}

static void igb_link_speed(struct igb_link *link, u32 status)
{
	switch (FIELD_GET(IGB_STATUS_SPEED, status)) {
	case IGB_SPEED_10:
		link->speed = SPEED_10;
		break;
	case IGB_SPEED_100:
		link->speed = SPEED_100;
		break;
	default:
		link->speed = SPEED_1000;
	}
	link->duplex = status & IGB_STATUS_FD ? DUPLEX_FULL : DUPLEX_HALF;
}

/**
 * igb_phy_wanted_pause() - directions that the advertised pause bits stand for
 * @want: settings
 *
 * The reverse of mii_advertise_flowctrl().
 *
 * Context: any; the caller keeps @want from changing.
 * Return: any of FLOW_CTRL_RX and FLOW_CTRL_TX.
 */
u8 igb_phy_wanted_pause(const struct igb_phy_settings *want)
{
	bool rx = linkmode_test_bit(ETHTOOL_LINK_MODE_Pause_BIT,
				    want->advertising);
	bool asym = linkmode_test_bit(ETHTOOL_LINK_MODE_Asym_Pause_BIT,
				      want->advertising);

	return (rx ? FLOW_CTRL_RX : 0) | (rx != asym ? FLOW_CTRL_TX : 0);
}

/* Both sides' pause bits decide (IEEE 802.3 annex 28B); or what was asked. */
static void igb_resolve_pause(const struct igb_phy *phy, struct igb_link *link)
{
	u16 adv;
	u8 fc;

	if (phy->loopback || link->duplex != DUPLEX_FULL)
		return;

	if (phy->want.forced_pause) {
		fc = igb_phy_wanted_pause(&phy->want);
	} else {
		adv = linkmode_adv_to_mii_adv_t(phy->want.advertising);
		fc = mii_resolve_flowctrl_fdx(adv, link->lpa);
	}
	link->rx_pause = fc & FLOW_CTRL_RX;
	link->tx_pause = fc & FLOW_CTRL_TX;
}

static void igb_configure_pause(struct igb_hw *hw, const struct igb_link *link)
{
	u32 pause = (link->rx_pause ? IGB_CTRL_RFCE : 0) |
		    (link->tx_pause ? IGB_CTRL_TFCE : 0);

	igb_rmw(hw, IGB_CTRL, IGB_CTRL_RFCE | IGB_CTRL_TFCE, pause);
}

/* Which way round the pairs are, and what the partner advertised. */
static int igb_phy_read_link(struct igb_hw *hw, struct igb_link *link)
{
	int port = igb_phy_read_port(hw, IGB_PHY_PORT_STATUS);
	bool autoneg = hw->phy.want.autoneg;
	int lpa, stat1000;

	if (port < 0)
		return port;
	link->mdix = port & IGB_PHY_MDIX ? ETH_TP_MDI_X : ETH_TP_MDI;

	lpa = autoneg ? igb_mdic_read(hw, MII_LPA) : 0;
	if (lpa < 0)
		return lpa;
	stat1000 = autoneg ? igb_mdic_read(hw, MII_STAT1000) : 0;
	if (stat1000 < 0)
		return stat1000;
	link->lpa = lpa;
	link->stat1000 = stat1000;
	return 0;
}

static int igb_phy_settle(struct igb_hw *hw, struct igb_link *link)
{
	int err = 0;

	if (hw->phy.force_pending) {
		err = igb_phy_force(hw);
		hw->phy.force_pending = err;
	}
	/* Forcing may just have changed it. */
	igb_link_speed(link, igb_rd(hw, IGB_STATUS));
	if (!err)
		err = igb_phy_read_link(hw, link);
	if (!err)
		igb_resolve_pause(&hw->phy, link);
	return err;
}

/**
 * igb_phy_configure_link() - see what the link came to, set the MAC to match
 * @hw: the port
 * @link: result
 *
 * STATUS.LU decides; BMSR may claim a link that the MAC does not have.
 * With the link up, pause is resolved and written to CTRL (4.5.6).
 *
 * Context: process context, sleeps; takes the PHY's lock and semaphore.
 * Return: 0 with @link filled in, or as igb_phy_read() with a link that may
 * be up without flow control.
 */
int igb_phy_configure_link(struct igb_hw *hw, struct igb_link *link)
{
	u32 status;
	int err = 0;

	*link = (struct igb_link) {
		.speed = SPEED_UNKNOWN,
		.duplex = DUPLEX_UNKNOWN,
	};

	mutex_lock(&hw->phy.lock);
	status = igb_rd(hw, IGB_STATUS);
	link->up = igb_hw_present(hw) && (status & IGB_STATUS_LU);
	if (link->up) {
		igb_link_speed(link, status);
		err = igb_phy_acquire(hw);
		if (!err) {
			err = igb_phy_settle(hw, link);
			igb_phy_release(hw);
		}
		/* Without the PHY's word there is none. */
		igb_configure_pause(hw, link);
	}
	mutex_unlock(&hw->phy.lock);
	return err;
}
