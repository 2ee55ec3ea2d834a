/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the 82576 looks like: registers, fields, descriptors, and the calls
 * that drive it.  Nothing in here knows of net_device or of rings.
 *
 * Names are the datasheet's ("Intel 82576EB Gigabit Ethernet Controller
 * Datasheet"); section numbers in the sources refer to it.
 *
 * scripts/decode-registers reads the names in here: registers are at the
 * margin, their fields and what these can be are indented below.
 */
#ifndef _IGB_HW_H_
#define _IGB_HW_H_

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/io.h>
#include <linux/linkmode.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct device;

/* ---- Sizes and limits ------------------------------------------------ */

#define IGB_BAR0_SIZE		0x20000		/* 128 KiB of registers */
#define IGB_MAX_QUEUES		8		/* pairs that get a vector */
#define IGB_HW_QUEUES		16		/* queues the chip has */
#define IGB_MSIX_VECTORS	10		/* of the physical function */
#define IGB_RAR_ENTRIES		24		/* exact unicast addresses */
#define IGB_MTA_REGS		128		/* 4096-bit multicast hash */
#define IGB_VFTA_REGS		128		/* 4096 VLAN ids */
#define IGB_RETA_ENTRIES	128		/* RSS indirection table */
#define IGB_RSS_KEY_SIZE	40
#define IGB_ETYPE_FILTERS	8		/* EtherTypes with a queue */
#define IGB_TUPLE_FILTERS	8		/* 5-tuples with a queue */
#define IGB_MAX_MTU		9216
/* What a frame has on the wire beside its MTU */
#define IGB_FRAME_OVERHEAD	(VLAN_ETH_HLEN + ETH_FCS_LEN)
#define IGB_PHY_ADDR		1		/* internal copper PHY */

/* ---- General registers, chapter 8.2 ---------------------------------- */

#define IGB_CTRL		0x0000
#define   IGB_CTRL_FD			BIT(0)
#define   IGB_CTRL_GIO_MASTER_DISABLE	BIT(2)
#define   IGB_CTRL_SLU			BIT(6)
#define   IGB_CTRL_SPEED		GENMASK(9, 8)	/* Mb/s */
#define   IGB_CTRL_FRCSPD		BIT(11)
#define   IGB_CTRL_FRCDPLX		BIT(12)
#define   IGB_CTRL_ADVD3WUC		BIT(20)
#define   IGB_CTRL_RST			BIT(26)
#define   IGB_CTRL_RFCE			BIT(27)
#define   IGB_CTRL_TFCE			BIT(28)
#define   IGB_CTRL_VME			BIT(30)

#define IGB_STATUS		0x0008
#define   IGB_STATUS_FD			BIT(0)
#define   IGB_STATUS_LU			BIT(1)
#define   IGB_STATUS_LAN_ID		GENMASK(3, 2)
#define   IGB_STATUS_TXOFF		BIT(4)
#define   IGB_STATUS_SPEED		GENMASK(7, 6)	/* Mb/s */
#define   IGB_STATUS_GIO_MASTER_ENABLE	BIT(19)

/* Both CTRL.SPEED and STATUS.SPEED; STATUS may also read 3 for 1000 Mb/s. */
enum igb_speed_field {
	IGB_SPEED_10	= 0,
	IGB_SPEED_100	= 1,
	IGB_SPEED_1000	= 2,
};

#define IGB_EECD		0x0010
#define   IGB_EECD_SK			BIT(0)	/* lines of the NVM */
#define   IGB_EECD_CS			BIT(1)
#define   IGB_EECD_DI			BIT(2)
#define   IGB_EECD_DO			BIT(3)
#define   IGB_EECD_REQ			BIT(6)
#define   IGB_EECD_GNT			BIT(7)
#define   IGB_EECD_PRES			BIT(8)
#define   IGB_EECD_AUTO_RD		BIT(9)
#define   IGB_EECD_ADDR_SIZE		BIT(10)	/* addresses of 16 bits */
#define   IGB_EECD_SIZE			GENMASK(14, 11)	/* 2^n * 128 bytes */
#define IGB_EERD		0x0014
#define   IGB_EERD_START		BIT(0)
#define   IGB_EERD_DONE			BIT(1)
#define   IGB_EERD_ADDR			GENMASK(15, 2)
#define   IGB_EERD_DATA			GENMASK(31, 16)

#define IGB_CTRL_EXT		0x0018
#define   IGB_CTRL_EXT_PFRSTD		BIT(14)
#define   IGB_CTRL_EXT_LINK_MODE	GENMASK(23, 22)
#define   IGB_CTRL_EXT_IAME		BIT(27)
#define   IGB_CTRL_EXT_DRV_LOAD		BIT(28)

#define IGB_MDIC		0x0020
#define   IGB_MDIC_DATA			GENMASK(15, 0)
#define   IGB_MDIC_REGADD		GENMASK(20, 16)
#define   IGB_MDIC_PHYADD		GENMASK(25, 21)
#define   IGB_MDIC_OP			GENMASK(27, 26)
#define   IGB_MDIC_READY		BIT(28)
#define   IGB_MDIC_ERROR		BIT(30)

/* MDIC.OP */
enum igb_mdic_op {
	IGB_MDIC_WRITE	= 1,
	IGB_MDIC_READ	= 2,
};

#define IGB_FCAL		0x0028
#define IGB_FCAH		0x002c
#define IGB_FCT			0x0030
#define IGB_VET			0x0038
#define IGB_LEDCTL		0x0e00		/* four LEDs, eight bits each */
#define   IGB_LEDCTL_ON			0x0e0e0e0e
#define   IGB_LEDCTL_BLINK		0x80808080

/* ---- Interrupts, chapter 7.3 ----------------------------------------- */

#define IGB_ICR			0x00c0
#define IGB_ICS			0x00c8
#define IGB_IMS			0x00d0
#define IGB_IMC			0x00d8
#define IGB_IAM			0x00e0
/* ICR, IMS, IMC and IAM alike */
#define   IGB_ICR_TXDW			BIT(0)
#define   IGB_ICR_LSC			BIT(2)
#define   IGB_ICR_RXDMT0		BIT(4)
#define   IGB_ICR_RXO			BIT(6)
#define   IGB_ICR_RXDW			BIT(7)

#define IGB_GPIE		0x1514
#define   IGB_GPIE_NSICR		BIT(0)
#define   IGB_GPIE_MULTIPLE_MSIX	BIT(4)
#define   IGB_GPIE_EIAME		BIT(30)
#define   IGB_GPIE_PBA_SUPPORT		BIT(31)

#define IGB_EICS		0x1520
#define IGB_EIMS		0x1524
#define IGB_EIMC		0x1528
#define IGB_EIAC		0x152c
#define IGB_EIAM		0x1530
#define IGB_EICR		0x1580
#define IGB_EITR(n)		(0x1680 + 4 * (n))
#define   IGB_EITR_INTERVAL		GENMASK(14, 2)	/* microseconds */

#define IGB_IVAR(n)		(0x1700 + 4 * (n))
#define   IGB_IVAR_RX			GENMASK(7, 0)	/* queue n */
#define   IGB_IVAR_TX			GENMASK(15, 8)
#define   IGB_IVAR_VALID		BIT(7)	/* of each entry */
#define IGB_IVAR_MISC		0x1740
#define   IGB_IVAR_MISC_OTHER		GENMASK(15, 8)

/* ---- Receive, chapter 7.1 -------------------------------------------- */

#define IGB_RCTL		0x0100
#define   IGB_RCTL_RXEN			BIT(1)
#define   IGB_RCTL_SBP			BIT(2)
#define   IGB_RCTL_UPE			BIT(3)
#define   IGB_RCTL_MPE			BIT(4)
#define   IGB_RCTL_LPE			BIT(5)
#define   IGB_RCTL_BAM			BIT(15)
#define   IGB_RCTL_VFE			BIT(18)
#define   IGB_RCTL_SECRC		BIT(26)

#define IGB_FCTTV		0x0170
#define IGB_FCRTL		0x2160
#define   IGB_FCRTL_XONE		BIT(31)
#define IGB_FCRTH		0x2168
#define IGB_FCRTV		0x2460
#define IGB_RXPBS		0x2404
#define   IGB_RXPBS_KIB			64

#define IGB_RXCSUM		0x5000
#define   IGB_RXCSUM_IPOFL		BIT(8)
#define   IGB_RXCSUM_TUOFL		BIT(9)
#define   IGB_RXCSUM_CRCOFL		BIT(11)
#define   IGB_RXCSUM_PCSD		BIT(13)
#define IGB_RLPML		0x5004
#define IGB_RFCTL		0x5008
#define   IGB_RFCTL_SYNQFP		BIT(19)	/* SYNs before 5-tuples */
#define IGB_MTA(n)		(0x5200 + 4 * (n))
#define IGB_RA			0x5400		/* RAL, RAH 0 to 15 */
#define IGB_RA2			0x54e0		/* RAL, RAH 16 to 23 */
#define   IGB_RAH_AV			BIT(31)
#define IGB_PSRTYPE(n)		(0x5480 + 4 * (n))	/* headers to split */
#define   IGB_PSRTYPE_IPV4_TCP		BIT(2)
#define   IGB_PSRTYPE_IPV4_UDP		BIT(3)
#define   IGB_PSRTYPE_IPV4_IPV6_TCP	BIT(5)
#define   IGB_PSRTYPE_IPV4_IPV6_UDP	BIT(6)
#define   IGB_PSRTYPE_IPV6_TCP		BIT(8)
#define   IGB_PSRTYPE_IPV6_UDP		BIT(9)
#define   IGB_PSRTYPE_TRANSPORT		(IGB_PSRTYPE_IPV4_TCP |	\
					 IGB_PSRTYPE_IPV4_UDP |	\
					 IGB_PSRTYPE_IPV4_IPV6_TCP |	\
					 IGB_PSRTYPE_IPV4_IPV6_UDP |	\
					 IGB_PSRTYPE_IPV6_TCP |	\
					 IGB_PSRTYPE_IPV6_UDP)
#define IGB_SYNQF		0x55fc
#define   IGB_SYNQF_ENABLE		BIT(0)
#define   IGB_SYNQF_QUEUE		GENMASK(3, 1)
#define IGB_VFTA(n)		(0x5600 + 4 * (n))
#define IGB_MRQC		0x5818
#define   IGB_MRQC_ENABLE		GENMASK(2, 0)
#define   IGB_MRQC_ENABLE_RSS		2
#define   IGB_MRQC_TCPIPV4		BIT(16)
#define   IGB_MRQC_IPV4			BIT(17)
#define   IGB_MRQC_TCPIPV6EX		BIT(18)
#define   IGB_MRQC_IPV6EX		BIT(19)
#define   IGB_MRQC_IPV6			BIT(20)
#define   IGB_MRQC_TCPIPV6		BIT(21)
#define   IGB_MRQC_UDPIPV4		BIT(22)
#define   IGB_MRQC_UDPIPV6		BIT(23)
#define   IGB_MRQC_UDPIPV6EX		BIT(24)
/* Kinds of frames that are hashed over ports too; others over addresses. */
#define   IGB_MRQC_TCP4_PORTS		IGB_MRQC_TCPIPV4
#define   IGB_MRQC_TCP6_PORTS		(IGB_MRQC_TCPIPV6 | IGB_MRQC_TCPIPV6EX)
#define   IGB_MRQC_UDP4_PORTS		IGB_MRQC_UDPIPV4
#define   IGB_MRQC_UDP6_PORTS		(IGB_MRQC_UDPIPV6 | IGB_MRQC_UDPIPV6EX)
#define   IGB_MRQC_ALL_PORTS		(IGB_MRQC_TCP4_PORTS |	\
					 IGB_MRQC_TCP6_PORTS |	\
					 IGB_MRQC_UDP4_PORTS |	\
					 IGB_MRQC_UDP6_PORTS)
/* 5-tuple filters; addresses and ports have their first byte lowest. */
#define IGB_SAQF(n)		(0x5980 + 4 * (n))
#define IGB_DAQF(n)		(0x59a0 + 4 * (n))
#define IGB_SPQF(n)		(0x59c0 + 4 * (n))
#define IGB_FTQF(n)		(0x59e0 + 4 * (n))
#define   IGB_FTQF_PROTOCOL		GENMASK(7, 0)
#define   IGB_FTQF_QUEUE_ENABLE		BIT(8)
#define   IGB_FTQF_VF_BP		BIT(15)
#define   IGB_FTQF_QUEUE		GENMASK(19, 16)
#define   IGB_FTQF_PROTOCOL_BP		BIT(28)	/* bypass: any will do */
#define   IGB_FTQF_SADDR_BP		BIT(29)
#define   IGB_FTQF_DADDR_BP		BIT(30)
#define   IGB_FTQF_SPORT_BP		BIT(31)
#define IGB_IMIR(n)		(0x5a80 + 4 * (n))
#define   IGB_IMIR_DPORT		GENMASK(15, 0)
#define   IGB_IMIR_DPORT_BP		BIT(17)
#define   IGB_IMIR_PRIORITY		GENMASK(31, 29)	/* 7: first */
#define IGB_IMIREXT(n)		(0x5aa0 + 4 * (n))
#define   IGB_IMIREXT_SIZE_BP		BIT(12)
#define   IGB_IMIREXT_FLAGS_BP		BIT(19)	/* of TCP */
#define IGB_RETA(n)		(0x5c00 + 4 * (n))
#define IGB_RSSRK(n)		(0x5c80 + 4 * (n))
#define IGB_ETQF(n)		(0x5cb0 + 4 * (n))
#define   IGB_ETQF_ETYPE		GENMASK(15, 0)
#define   IGB_ETQF_QUEUE		GENMASK(18, 16)
#define   IGB_ETQF_FILTER_ENABLE	BIT(26)
#define   IGB_ETQF_QUEUE_ENABLE		BIT(31)

#define IGB_RDBAL(q)		(0xc000 + 0x40 * (q))
#define IGB_RDBAH(q)		(0xc004 + 0x40 * (q))
#define IGB_RDLEN(q)		(0xc008 + 0x40 * (q))
#define IGB_SRRCTL(q)		(0xc00c + 0x40 * (q))
#define   IGB_SRRCTL_BSIZEPACKET	GENMASK(6, 0)	/* KiB */
#define   IGB_SRRCTL_BSIZEHEADER	GENMASK(11, 8)	/* 64 bytes */
#define   IGB_SRRCTL_DESCTYPE		GENMASK(27, 25)
#define   IGB_SRRCTL_ADV_ONEBUF		1
#define   IGB_SRRCTL_ADV_HDR_SPLIT	2
#define   IGB_SRRCTL_DROP_EN		BIT(31)
#define IGB_RDH(q)		(0xc010 + 0x40 * (q))
#define IGB_RDT(q)		(0xc018 + 0x40 * (q))
#define IGB_RXDCTL(q)		(0xc028 + 0x40 * (q))
#define IGB_RQDPC(q)		(0xc030 + 0x40 * (q))	/* clears when read */

/* RXDCTL and TXDCTL alike */
#define   IGB_DCTL_PTHRESH		GENMASK(4, 0)
#define   IGB_DCTL_HTHRESH		GENMASK(12, 8)
#define   IGB_DCTL_WTHRESH		GENMASK(20, 16)
#define   IGB_DCTL_ENABLE		BIT(25)

/* ---- Transmit, chapter 7.2 ------------------------------------------- */

#define IGB_TCTL		0x0400
#define   IGB_TCTL_EN			BIT(1)
#define   IGB_TCTL_PSP			BIT(3)
#define   IGB_TCTL_CT			GENMASK(11, 4)
#define   IGB_TCTL_COLD			GENMASK(21, 12)
#define   IGB_TCTL_RTLC			BIT(24)
#define IGB_TXPBS		0x3404
#define   IGB_TXPBS_KIB			40

#define IGB_TDBAL(q)		(0xe000 + 0x40 * (q))
#define IGB_TDBAH(q)		(0xe004 + 0x40 * (q))
#define IGB_TDLEN(q)		(0xe008 + 0x40 * (q))
#define IGB_TDH(q)		(0xe010 + 0x40 * (q))
#define IGB_TDT(q)		(0xe018 + 0x40 * (q))
#define IGB_DCA_TXCTRL(q)	(0xe014 + 0x40 * (q))
#define   IGB_DCA_TXCTRL_WB_RO		BIT(11)
#define IGB_TXDCTL(q)		(0xe028 + 0x40 * (q))
#define IGB_TDWBAL(q)		(0xe038 + 0x40 * (q))
#define   IGB_TDWBAL_ENABLE		BIT(0)
#define IGB_TDWBAH(q)		(0xe03c + 0x40 * (q))

/* ---- Wake-up, chapter 5.6 --------------------------------------------- */

#define IGB_WUC			0x5800
#define   IGB_WUC_PME_EN		BIT(1)
#define IGB_WUFC		0x5808
#define   IGB_WUFC_LNKC			BIT(0)
#define   IGB_WUFC_MAG			BIT(1)
#define   IGB_WUFC_EX			BIT(2)
#define   IGB_WUFC_MC			BIT(3)
#define   IGB_WUFC_BC			BIT(4)
#define IGB_WUS			0x5810		/* write one to clear */

/* ---- Semaphores shared with firmware and the other port -------------- */

#define IGB_EEMNGCTL		0x1010
#define   IGB_EEMNGCTL_CFG_DONE(fn)	BIT(18 + (fn))
#define IGB_SWSM		0x5b50		/* reading takes it */
#define   IGB_SWSM_SMBI			BIT(0)
#define   IGB_SWSM_SWESMBI		BIT(1)
#define IGB_FWSM		0x5b54
#define   IGB_FWSM_MODE			GENMASK(3, 1)	/* 0: no firmware */
#define   IGB_FWSM_FW_VALID		BIT(15)
#define IGB_SW_FW_SYNC		0x5b5c
#define   IGB_SW_FW_SYNC_EEP		BIT(0)		/* taken by software */
#define   IGB_SW_FW_SYNC_PHY(fn)	BIT(1 + (fn))
#define   IGB_SW_FW_SYNC_FW_SHIFT	16		/* same, by firmware */

/* ---- Non-volatile memory words, chapter 6 ----------------------------- */

#define IGB_NVM_MAC		0x00		/* three words */
#define IGB_NVM_VERSION		0x05
#define IGB_NVM_ALT_MAC		0x37		/* where there are others */
#define IGB_NVM_CHECKSUM_WORDS	0x40
#define IGB_NVM_CHECKSUM	0xbaba

/* ---- Descriptors ------------------------------------------------------ */

/**
 * struct igb_rx_desc_read - advanced receive descriptor as software posts it
 * @pkt_addr: bus address of the packet buffer (even)
 * @hdr_addr: bus address of the header buffer, even, or zero; clears DD
 */
struct igb_rx_desc_read {
	__le64 pkt_addr;
	__le64 hdr_addr;
};

/**
 * struct igb_rx_desc_wb - advanced receive descriptor as hardware returns it
 * @pkt_info: RSS type, packet type, header length
 * @rss_hash: RSS hash (RXCSUM.PCSD set)
 * @status_error: extended status and errors; DD orders every other read
 * @length: bytes in this buffer
 * @vlan: stripped VLAN tag
 */
struct igb_rx_desc_wb {
	__le32 pkt_info;
	__le32 rss_hash;
	__le32 status_error;
	__le16 length;
	__le16 vlan;
};

union igb_rx_desc {
	struct igb_rx_desc_read read;
	struct igb_rx_desc_wb wb;
};

static_assert(sizeof(union igb_rx_desc) == 16);

#define IGB_RXD_RSS_TYPE		GENMASK(3, 0)
#define IGB_RXD_HDR_LEN			GENMASK(30, 21)
#define IGB_RXD_SPH			BIT(31)
#define IGB_RXD_DD			BIT(0)
#define IGB_RXD_EOP			BIT(1)
#define IGB_RXD_IXSM			BIT(2)
#define IGB_RXD_VP			BIT(3)
#define IGB_RXD_UDPCS			BIT(4)
#define IGB_RXD_L4CS			BIT(5)
#define IGB_RXD_IPCS			BIT(6)
#define IGB_RXD_HBO			BIT(23)
#define IGB_RXD_L4E			BIT(29)
#define IGB_RXD_IPE			BIT(30)
#define IGB_RXD_RXE			BIT(31)

enum igb_rss_type {
	IGB_RSS_NONE		= 0,
	IGB_RSS_TCPIPV4		= 1,
	IGB_RSS_IPV4		= 2,
	IGB_RSS_TCPIPV6		= 3,
	IGB_RSS_IPV6EX		= 4,
	IGB_RSS_IPV6		= 5,
	IGB_RSS_TCPIPV6EX	= 6,
	IGB_RSS_UDPIPV4		= 7,
	IGB_RSS_UDPIPV6		= 8,
	IGB_RSS_UDPIPV6EX	= 9,
};

/**
 * struct igb_tx_desc - advanced transmit data descriptor
 * @addr: bus address of the buffer
 * @cmd_type_len: command, descriptor type, buffer length
 * @olinfo_status: payload length and options; DD after write-back
 */
struct igb_tx_desc {
	__le64 addr;
	__le32 cmd_type_len;
	__le32 olinfo_status;
};

static_assert(sizeof(struct igb_tx_desc) == 16);

/**
 * struct igb_tx_ctxt_desc - advanced transmit context descriptor
 * @vlan_macip_lens: VLAN tag, MAC and IP header lengths
 * @seqnum_seed: IPsec only, zero
 * @type_tucmd: descriptor type, IP version and L4 type
 * @mss_l4len_idx: MSS, L4 header length, context slot
 */
struct igb_tx_ctxt_desc {
	__le32 vlan_macip_lens;
	__le32 seqnum_seed;
	__le32 type_tucmd;
	__le32 mss_l4len_idx;
};

static_assert(sizeof(struct igb_tx_ctxt_desc) == 16);

#define IGB_TXD_DTALEN			GENMASK(15, 0)
#define IGB_TXD_DTYP			GENMASK(23, 20)
#define   IGB_TXD_DTYP_CTXT		2
#define   IGB_TXD_DTYP_DATA		3
#define IGB_TXD_DCMD			GENMASK(31, 24)
#define IGB_TXD_EOP			BIT(24)
#define IGB_TXD_IFCS			BIT(25)
#define IGB_TXD_RS			BIT(27)
#define IGB_TXD_DEXT			BIT(29)
#define IGB_TXD_VLE			BIT(30)
#define IGB_TXD_TSE			BIT(31)
#define IGB_TXD_IDX			GENMASK(6, 4)
#define IGB_TXD_CC			BIT(7)
#define IGB_TXD_IXSM			BIT(8)
#define IGB_TXD_TXSM			BIT(9)
#define IGB_TXD_PAYLEN			GENMASK(31, 14)

#define IGB_CTXT_IPLEN			GENMASK(8, 0)
#define IGB_CTXT_MACLEN			GENMASK(15, 9)
#define IGB_CTXT_VLAN			GENMASK(31, 16)
#define IGB_CTXT_IPV4			BIT(10)
#define IGB_CTXT_L4T			GENMASK(12, 11)
#define   IGB_CTXT_L4T_UDP		0
#define   IGB_CTXT_L4T_TCP		1
#define   IGB_CTXT_L4T_SCTP		2
#define IGB_CTXT_IDX			GENMASK(6, 4)
#define IGB_CTXT_L4LEN			GENMASK(15, 8)
#define IGB_CTXT_MSS			GENMASK(31, 16)

/* ---- What software knows about one chip ------------------------------- */

/**
 * enum igb_quirk - departures of a device from the datasheet
 * @IGB_QUIRK_NO_AUTO_RD: EECD.AUTO_RD and EEMNGCTL.CFG_DONE are never set; do
 *	not wait for them
 * @IGB_QUIRK_NO_AUTOMASK: EIAM does not mask; a vector stays silent while
 *	its EICR bit is set, so that bit is left set while NAPI polls
 * @IGB_QUIRK_EITR_ECHO: every throttled interrupt is followed by a second
 *	one without a cause; a timer throttles instead
 * @IGB_QUIRK_LINK_BY_AUTONEG: the link only ever comes up by negotiation;
 *	negotiate first, then force speed and duplex
 * @IGB_QUIRK_TX_AT_ONCE: what was queued has been sent and reported when the
 *	write of TDT returns; transmission needs no interrupt
 * @IGB_QUIRK_TSO_NO_FIN: TCP segmentation takes FIN from the last segment too
 * @IGB_QUIRK_NO_USO: UDP segmentation sends fragments of one datagram (IPv4)
 *	or one frame that is too long (IPv6)
 * @IGB_QUIRK_NO_MPC: frames that find no descriptor are counted nowhere;
 *	ICR.RXO tells that there were some
 * @IGB_QUIRK_RDT_FLUSH: when RDT moves, all frames that waited for it are let
 *	in, and those without a descriptor lost; a ring that ran dry is filled
 *	up before it is shown
 * @IGB_QUIRK_ETQF_NO_QUEUE: an EtherType filter reads back as written and is
 *	reported in descriptors, but does not choose the queue
 */
enum igb_quirk {
	IGB_QUIRK_NO_AUTO_RD		= BIT(0),
	IGB_QUIRK_NO_AUTOMASK		= BIT(1),
	IGB_QUIRK_EITR_ECHO		= BIT(2),
	IGB_QUIRK_LINK_BY_AUTONEG	= BIT(3),
	IGB_QUIRK_TX_AT_ONCE		= BIT(4),
	IGB_QUIRK_TSO_NO_FIN		= BIT(5),
	IGB_QUIRK_NO_USO		= BIT(6),
	IGB_QUIRK_NO_MPC		= BIT(7),
	IGB_QUIRK_RDT_FLUSH		= BIT(8),
	IGB_QUIRK_ETQF_NO_QUEUE		= BIT(9),
};

/**
 * struct igb_link - what the link has come to
 * @up: the PHY and the MAC agree that there is a link
 * @speed: SPEED_10, SPEED_100, SPEED_1000 or SPEED_UNKNOWN
 * @duplex: DUPLEX_HALF, DUPLEX_FULL or DUPLEX_UNKNOWN
 * @rx_pause: PAUSE frames of the link partner are honoured
 * @tx_pause: PAUSE frames are sent when the packet buffer fills
 * @mdix: ETH_TP_MDI or ETH_TP_MDI_X, ETH_TP_MDI_INVALID when unknown
 * @lpa: MII_LPA, 0 when unknown or nothing was negotiated
 * @stat1000: the same of MII_STAT1000
 */
struct igb_link {
	bool up;
	int speed;
	u8 duplex;
	bool rx_pause;
	bool tx_pause;
	u8 mdix;
	u16 lpa;
	u16 stat1000;
};

/**
 * struct igb_phy_settings - what is asked of the link
 * @autoneg: negotiate; otherwise @forced_speed and @forced_duplex apply
 * @forced_speed: SPEED_10 or SPEED_100
 * @forced_duplex: DUPLEX_HALF or DUPLEX_FULL
 * @mdix: ETH_TP_MDI_AUTO, or which way round the pairs are: ETH_TP_MDI,
 *	ETH_TP_MDI_X; only where the link is negotiated
 * @forced_pause: PAUSE is used as @advertising says, whatever the partner does
 * @advertising: link modes and pause offered to the partner
 */
struct igb_phy_settings {
	bool autoneg;
	int forced_speed;
	u8 forced_duplex;
	u8 mdix;
	bool forced_pause;
	__ETHTOOL_DECLARE_LINK_MODE_MASK(advertising);
};

/**
 * struct igb_phy - the internal copper PHY
 * @lock: serialises MDIC, the other members and, but for the time after a
 *	reset when the port is down, link bits of CTRL
 * @id: PHY identifier, registers 2 and 3
 * @want: settings in force
 * @loopback: what is sent comes back, at 1000 Mb/s, and goes no further
 * @force_pending: force speed and duplex once negotiation has brought the
 *	link up (IGB_QUIRK_LINK_BY_AUTONEG)
 */
struct igb_phy {
	struct mutex lock;	/* MDIC and what follows */
	u32 id;
	struct igb_phy_settings want;
	bool loopback;
	bool force_pending;
};

/**
 * struct igb_nvm - the non-volatile memory, an SPI EEPROM
 * @lock: serialises accesses; held, it may wait for the semaphore
 * @size: bytes, 0 when there is none
 * @addr_bits: length of an address, 8 or 16
 * @page: bytes that can be written at once; a power of two
 */
struct igb_nvm {
	struct mutex lock;	/* EERD, and the lines in EECD */
	u32 size;
	u8 addr_bits;
	u8 page;
};

/* Index of each hardware counter, see igb_hw_counters. */
enum igb_hw_counter {
	IGB_CNT_CRCERRS, IGB_CNT_ALGNERRC, IGB_CNT_SYMERRS, IGB_CNT_RXERRC,
	IGB_CNT_MPC, IGB_CNT_SCC, IGB_CNT_ECOL, IGB_CNT_MCC, IGB_CNT_LATECOL,
	IGB_CNT_COLC, IGB_CNT_DC, IGB_CNT_TNCRS, IGB_CNT_HTDPMC, IGB_CNT_RLEC,
	IGB_CNT_XONRXC, IGB_CNT_XONTXC, IGB_CNT_XOFFRXC, IGB_CNT_XOFFTXC,
	IGB_CNT_FCRUC,
	IGB_CNT_PRC64, IGB_CNT_PRC127, IGB_CNT_PRC255, IGB_CNT_PRC511,
	IGB_CNT_PRC1023, IGB_CNT_PRC1522, IGB_CNT_GPRC, IGB_CNT_BPRC,
	IGB_CNT_MPRC, IGB_CNT_GPTC, IGB_CNT_GORC, IGB_CNT_GOTC,
	IGB_CNT_RNBC, IGB_CNT_RUC, IGB_CNT_RFC, IGB_CNT_ROC, IGB_CNT_RJC,
	IGB_CNT_MNGPRC, IGB_CNT_MPDC, IGB_CNT_MNGPTC,
	IGB_CNT_TOR, IGB_CNT_TOT, IGB_CNT_TPR, IGB_CNT_TPT,
	IGB_CNT_PTC64, IGB_CNT_PTC127, IGB_CNT_PTC255, IGB_CNT_PTC511,
	IGB_CNT_PTC1023, IGB_CNT_PTC1522, IGB_CNT_MPTC, IGB_CNT_BPTC,
	IGB_CNT_TSCTC, IGB_CNT_IAC, IGB_CNT_RPTHC, IGB_CNT_HGPTC,
	IGB_CNT_RXDMTC, IGB_CNT_HGORC, IGB_CNT_HGOTC, IGB_CNT_LENERRS,
	IGB_NUM_COUNTERS
};

/**
 * struct igb_hw_counter_desc - one hardware counter
 * @name: its name for ethtool, the register's in lower case
 * @reg: register offset, of the low half where it has two
 * @wide: 64 bits in two registers; reading the high half clears both
 */
struct igb_hw_counter_desc {
	const char *name;
	u16 reg;
	bool wide;
};

extern const struct igb_hw_counter_desc igb_hw_counters[IGB_NUM_COUNTERS];

/**
 * struct igb_hw - one 82576 port
 * @io: registers (BAR0)
 * @dev: for messages
 * @gone: the device stopped answering; only a reset asks again
 * @quirks: see enum igb_quirk
 * @lan_id: which port of the chip this is, for semaphores
 * @swsm_lock: serialises users of SWSM within the port
 * @rctl_lock: serialises writers of RCTL; taken with bottom halves off
 * @rctl: RCTL as last written
 * @rar: exact unicast filters as last written, zero where not valid
 * @mta: multicast hash table as last written
 * @nvm: the NVM
 * @phy: the PHY and what is asked of it
 */
struct igb_hw {
	void __iomem *io;
	struct device *dev;
	bool gone;
	unsigned int quirks;
	u8 lan_id;
	struct mutex swsm_lock;	/* SWSM and SW_FW_SYNC */
	spinlock_t rctl_lock;	/* RCTL and its copy */
	u32 rctl;
	u8 rar[IGB_RAR_ENTRIES][ETH_ALEN];
	u32 mta[IGB_MTA_REGS];
	struct igb_nvm nvm;
	struct igb_phy phy;
};

static inline void igb_wr(struct igb_hw *hw, u32 reg, u32 val)
{
	writel(val, hw->io + reg);
}

/* Receive address registers come in two arrays; RAH follows RAL. */
static inline u32 igb_ral(unsigned int n)
{
	return n < 16 ? IGB_RA + 8 * n : IGB_RA2 + 8 * (n - 16);
}

static inline u32 igb_rah(unsigned int n)
{
	return igb_ral(n) + 4;
}

static inline bool igb_has_quirk(const struct igb_hw *hw, enum igb_quirk quirk)
{
	return hw->quirks & quirk;
}

/* igb_hw.c */
u32 igb_rd(struct igb_hw *hw, u32 reg);
void igb_rmw(struct igb_hw *hw, u32 reg, u32 clear, u32 set);
bool igb_hw_present(struct igb_hw *hw);
void igb_hw_setup(struct igb_hw *hw, struct device *dev, void __iomem *io);
int igb_hw_acquire(struct igb_hw *hw, u32 mine);
void igb_hw_release(struct igb_hw *hw, u32 mine);
void igb_hw_set_quirks(struct igb_hw *hw, u16 subvendor, u16 subdevice);
int igb_hw_reset(struct igb_hw *hw);
int igb_hw_read_mac(struct igb_hw *hw, bool nvm_valid, u8 *addr);
void igb_hw_init(struct igb_hw *hw);
void igb_hw_stop(struct igb_hw *hw);
void igb_hw_arm_wake(struct igb_hw *hw, const u8 *addr, u32 events);
void igb_hw_set_rar(struct igb_hw *hw, unsigned int index, const u8 *addr);
unsigned int igb_hw_mta_hash(const u8 *addr);
void igb_hw_set_mta(struct igb_hw *hw, const u32 *mta);
void igb_hw_set_vfta(struct igb_hw *hw, unsigned int index, u32 ids);
void igb_hw_set_vlan_strip(struct igb_hw *hw, bool on);
void igb_hw_set_rx_filter(struct igb_hw *hw, u32 filter);
void igb_hw_start_rx(struct igb_hw *hw);
void igb_hw_stop_rx(struct igb_hw *hw);
void igb_hw_set_max_frame(struct igb_hw *hw, unsigned int mtu);
void igb_hw_start_tx(struct igb_hw *hw);
void igb_hw_stop_tx(struct igb_hw *hw);
int igb_hw_enable_queue(struct igb_hw *hw, u32 dctl, u32 thresholds);
int igb_hw_disable_queue(struct igb_hw *hw, u32 dctl);
void igb_hw_set_rss(struct igb_hw *hw, const u8 *key, const u8 *reta,
		    u32 ports);
void igb_hw_read_stats(struct igb_hw *hw, u64 *stats);
u32 igb_hw_read_rqdpc(struct igb_hw *hw, unsigned int queue);

/* igb_nvm.c */
void igb_hw_size_nvm(struct igb_hw *hw);
int igb_hw_read_nvm(struct igb_hw *hw, u32 offset, u32 len, u8 *data);
int igb_hw_check_nvm(struct igb_hw *hw);
int igb_hw_write_nvm(struct igb_hw *hw, u32 offset, u32 len, const u8 *data);

/* igb_phy.c */
int igb_phy_init(struct igb_hw *hw);
int igb_phy_start(struct igb_hw *hw);
int igb_phy_read(struct igb_hw *hw, u8 addr, u8 reg, u16 *data);
int igb_phy_write(struct igb_hw *hw, u8 addr, u8 reg, u16 data);
void igb_phy_supported(unsigned long *modes);
int igb_phy_configure_link(struct igb_hw *hw, struct igb_link *link);
u8 igb_phy_wanted_pause(const struct igb_phy_settings *want);

#endif /* _IGB_HW_H_ */
