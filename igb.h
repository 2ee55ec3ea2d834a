/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver remembers: adapter, queue pair, transmit and receive ring.
 */
#ifndef _IGB_H_
#define _IGB_H_

#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/cpumask.h>
#include <linux/dim.h>
#include <linux/ethtool.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <net/page_pool/helpers.h>
#include <net/xdp.h>

#include "igb_compat.h"
#include "igb_hw.h"

#define IGB_DRV_NAME		"igb_demo"

#define IGB_DEFAULT_DESC	256
#define IGB_MIN_DESC		64
#define IGB_MAX_DESC		4096
#define IGB_DESC_MULTIPLE	8	/* RDLEN and TDLEN: multiples of 128 */

/* A receive buffer is a page: headroom, frame, skb_shared_info.  SRRCTL
 * counts its middle part in KiB.
 */
#define IGB_RX_HEADROOM		(XDP_PACKET_HEADROOM + NET_IP_ALIGN)
#define IGB_RX_BUF_LEN							\
	round_down(min_t(unsigned int, SZ_16K,				\
			 SKB_WITH_OVERHEAD(PAGE_SIZE) - IGB_RX_HEADROOM), \
		   SZ_1K)

/* With header split, what the headers of a frame carry has a page of its own,
 * from its start, as mapping it to an application wants it; they themselves
 * have a buffer of this size in another one.
 */
#define IGB_SPLIT_HDR_LEN	256
#define IGB_SPLIT_BUF_LEN	min_t(unsigned int, SZ_16K, PAGE_SIZE)

/* Behind a transmit ring, for each descriptor, where a small frame is copied
 * to: never across the bounds of a page, which behind an IOMMU costs another
 * translation, and QEMU the frame.  Behind those, where the chip reports its
 * head.
 */
#define IGB_TX_COPY_SPACE	128
#define IGB_TX_HEAD_SPACE	64
static_assert(IGB_TX_COPY_SPACE >= ETH_ZLEN);
static_assert(SZ_4K % IGB_TX_COPY_SPACE == 0);
static_assert(IGB_DESC_MULTIPLE * sizeof(struct igb_tx_desc) %
	      IGB_TX_COPY_SPACE == 0);

/**
 * struct igb_tx_buf - what to give back when a descriptor is done
 * @skb: frame to free, on the first descriptor of a frame of the stack's
 * @xdpf: the same for a frame of XDP's
 * @dma: bus address
 * @len: bytes mapped at @dma, 0 when nothing is
 * @last: on the first descriptor of a frame, index of its last one
 * @bytes: on the first descriptor of a frame, bytes on the wire
 * @segs: on the first descriptor of a frame, frames on the wire
 */
struct igb_tx_buf {
	struct sk_buff *skb;
	struct xdp_frame *xdpf;
	dma_addr_t dma;
	u32 len;
	u32 bytes;
	u16 last;
	u16 segs;
};

/**
 * struct igb_tx_ring - memory of a transmit ring, owned by one struct igb_tx
 * @desc: descriptors, coherent
 * @head: behind @copies; the chip writes there up to where it has sent
 * @copies: behind @desc, IGB_TX_COPY_SPACE bytes for each descriptor
 * @dma: bus address of @desc
 * @copies_dma: bus address of @copies
 * @buf: one for each descriptor
 * @count: number of descriptors
 * @head_dma: bus address of @head
 */
struct igb_tx_ring {
	struct igb_tx_desc *desc;
	__le32 *head;
	void *copies;
	dma_addr_t dma;
	dma_addr_t copies_dma;
	struct igb_tx_buf *buf;
	u16 count;
	dma_addr_t head_dma;
};

struct igb_tx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t stopped;	/* times the queue ran full */
	u64_stats_t woken;	/* times there was room again */
};

/* What several frames were, for whom it concerns. */
struct igb_tx_sum {
	unsigned int packets;
	unsigned int bytes;
	unsigned int bql;	/* bytes of the stack's frames */
	unsigned int xsk;	/* frames of applications' */
};

/**
 * struct igb_tx_ctxt - what a context descriptor says; the chip keeps two
 * @lens: VLAN tag, MAC and IP header lengths
 * @tucmd: IP version and L4 type, with the descriptor's type: never zero
 * @mss: MSS and L4 header length
 */
struct igb_tx_ctxt {
	u32 lens;
	u32 tucmd;
	u32 mss;
};

/**
 * struct igb_tx - a transmit queue
 *
 * Queueing and reclaiming both hold the stack's lock of the queue.
 *
 * @xsk_pool: memory of applications that send from it, or NULL
 * @ring: its memory; empty while the port is down
 * @tail: TDT
 * @txq: the stack's side
 * @dev: device that DMA is mapped for
 * @copybreak: frames of so many bytes are copied rather than mapped
 * @index: queue number
 * @up: frames may be queued, and NAPI runs; written under RTNL and the stack's
 *	lock of the queue
 * @watched: frames reclaimed when the service task last looked
 * @waiting: others waited for that then
 * @next_to_use: next descriptor to fill
 * @next_to_kick: next descriptor that the chip was not told of
 * @next_to_clean: next descriptor to reclaim
 * @ctxt: the contexts that the chip has
 * @ctxt_last: the one used last
 * @syncp: guards @stats
 * @stats: kept from probe to remove
 */
struct igb_tx {
	struct xsk_buff_pool *xsk_pool;
	struct igb_tx_ring ring;
	void __iomem *tail;
	struct netdev_queue *txq;
	struct device *dev;
	u16 copybreak;
	u16 index;
	bool up;
	u64 watched;
	bool waiting;

	u16 next_to_use;
	u16 next_to_kick;
	u16 next_to_clean;
	struct igb_tx_ctxt ctxt[2];
	u8 ctxt_last;
	struct u64_stats_sync syncp;
	struct igb_tx_stats stats;
};

/**
 * struct igb_rx_ring - memory of a receive ring, owned by one struct igb_rx
 * @desc: descriptors, coherent
 * @dma: bus address of @desc
 * @page: one for each descriptor; NULL where there is none.  With header split,
 *	behind them those for headers: there is one where there is the other
 * @xsk: the same with @xsk_pool
 * @pool: where the pages come from, mapped once
 * @rxq: what XDP has to know of @pool
 * @xsk_pool: an application's memory to be used instead of pages, or NULL
 * @count: number of descriptors
 * @split: headers have buffers of their own
 */
struct igb_rx_ring {
	union igb_rx_desc *desc;
	dma_addr_t dma;
	union {
		struct page **page;
		struct xdp_buff **xsk;
	};
	struct page_pool *pool;
	struct xdp_rxq_info *rxq;
	struct xsk_buff_pool *xsk_pool;
	u16 count;
	bool split;
};

struct igb_rx_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;		/* bad, or no memory for an skb */
	u64_stats_t csum_errors;
	u64_stats_t alloc_failed;	/* refills that fell short */
	u64_stats_t xdp_drop;
	u64_stats_t xdp_tx;
	u64_stats_t xdp_redirect;
	u64_stats_t xdp_failed;		/* aborted, or could not be sent */
};

/**
 * struct igb_xdp_buff - a frame and its descriptor
 * @xdp: the frame
 * @desc: its last descriptor, for metadata
 */
struct igb_xdp_buff {
	struct xdp_buff xdp;
	const union igb_rx_desc *desc;
};

/**
 * enum igb_rx_state - what the next buffer is
 * @IGB_RX_START: the first of a frame
 * @IGB_RX_PART: another part of the frame under construction
 * @IGB_RX_SKIP: part of a frame that is thrown away
 */
enum igb_rx_state {
	IGB_RX_START,
	IGB_RX_PART,
	IGB_RX_SKIP,
};

/**
 * struct igb_rx - a receive queue
 * @ring: its memory; empty while the port is down
 * @tail: RDT
 * @netdev: where frames go
 * @napi: the queue's NAPI instance
 * @xdp_prog: what sees frames first, or NULL
 * @frame: the frame at hand, if it lies in pages
 * @xdp_done: verdicts of this poll that have to be flushed
 * @state: what the next buffer is
 * @index: queue number
 * @next_to_use: next descriptor to post
 * @next_to_kick: next descriptor that the chip was not told of
 * @next_to_clean: next descriptor to look at; equal to @next_to_use when
 *	nothing is posted
 * @starved: hardly a page is posted; NAPI is made to try again
 * @fill_first: IGB_QUIRK_RDT_FLUSH
 * @syncp: guards @stats
 * @stats: kept from probe to remove
 */
struct igb_rx {
	struct igb_rx_ring ring;
	void __iomem *tail;
	struct net_device *netdev;
	struct napi_struct *napi;
	struct bpf_prog *xdp_prog;
	struct igb_xdp_buff frame;
	unsigned int xdp_done;
	enum igb_rx_state state;
	bool starved;
	bool fill_first;
	u16 index;
	u16 next_to_use;
	u16 next_to_kick;
	u16 next_to_clean;

	struct u64_stats_sync syncp;
	struct igb_rx_stats stats;
};

/**
 * struct igb_coalesce - how often a vector may fire
 * @usecs: microseconds between two interrupts at least, 0 for no limit; not
 *	looked at if @adaptive
 * @adaptive: net_dim decides
 */
struct igb_coalesce {
	u16 usecs;
	bool adaptive;
};

/**
 * struct igb_queue - a queue pair with its vector
 * @tx: transmit side
 * @rx: receive side
 * @napi: polls both
 * @adapter: the port
 * @xsk_pool: memory of applications that the pair works on, or NULL
 * @xsk_rxq: what XDP has to know of that; a socket may look at it at any time
 * @eims: the vector's bit in EICR and EIMS; without MSI-X, causes in IMS
 * @vector: number of the vector
 * @irq: Linux interrupt number
 * @fired: it fired, for igb_irq_test(); not with MSI or INTx
 * @coalesce: how often it may fire; written under RTNL
 * @dim: watches what comes in between two interrupts
 * @polls: for @dim, polls that found all there was
 * @usecs: microseconds between two interrupts now
 * @defer_usecs: the same where EITR does not see to it: from the end of such
 *	a poll to the next interrupt
 * @defer_trial: try whether that pays, with the next poll
 * @timer: measures that
 * @cpu: processor that the vector and XPS prefer
 * @name: as shown in /proc/interrupts
 */
struct igb_queue {
	struct igb_tx tx;
	struct igb_rx rx;
	struct napi_struct napi;
	struct igb_adapter *adapter;
	struct xsk_buff_pool *xsk_pool;
	struct xdp_rxq_info xsk_rxq;
	u32 eims;
	unsigned int vector;
	int irq;
	bool fired;
	struct igb_coalesce coalesce;
	struct dim dim;
	u16 polls;
	u16 usecs;
	u16 defer_usecs;
	bool defer_trial;
	struct hrtimer timer;
	unsigned int cpu;
	char name[IFNAMSIZ + 12];
};

/* Between two interrupts of a vector, where the administrator wants a fixed
 * time; at most what EITR can count.
 */
#define IGB_DEFAULT_USECS	20
#define IGB_MAX_USECS		FIELD_MAX(IGB_EITR_INTERVAL)

/**
 * struct igb_rings - memory for all queues, built before it is used
 * @tx: transmit rings
 * @rx: receive rings, filled with pages
 */
struct igb_rings {
	struct igb_tx_ring tx[IGB_MAX_QUEUES];
	struct igb_rx_ring rx[IGB_MAX_QUEUES];
};

/**
 * struct igb_config - what rings a port has when it is open
 * @num_queues: queue pairs in use
 * @tx_count: descriptors in each transmit ring
 * @rx_count: descriptors in each receive ring
 * @split: headers have buffers of their own
 */
struct igb_config {
	unsigned int num_queues;
	u16 tx_count;
	u16 rx_count;
	bool split;
};

/**
 * enum igb_filter_kind - what a receive filter of the chip looks at
 * @IGB_FILTER_ETYPE: the EtherType
 * @IGB_FILTER_SYN: whether TCP wants to connect
 * @IGB_FILTER_TUPLE: addresses, protocol and ports of IPv4
 * @IGB_FILTER_KINDS: how many kinds there are
 */
enum igb_filter_kind {
	IGB_FILTER_ETYPE,
	IGB_FILTER_SYN,
	IGB_FILTER_TUPLE,
	IGB_FILTER_KINDS
};

/* Locations of rules: those of each kind, one after the other. */
#define IGB_LOC_ETYPE		0
#define IGB_LOC_SYN		(IGB_LOC_ETYPE + IGB_ETYPE_FILTERS)
#define IGB_LOC_TUPLE		(IGB_LOC_SYN + 1)
#define IGB_LOCATIONS		(IGB_LOC_TUPLE + IGB_TUPLE_FILTERS)

/**
 * struct igb_match - which frames a rule wants, in the chip's terms
 *
 * Queue and priority are not in it; what is not looked at is zero.  Two that
 * want the same are equal as memory.
 *
 * @kind: enum igb_filter_kind
 * @type: ETQF or FTQF
 * @saddr: SAQF
 * @daddr: DAQF
 * @sport: SPQF
 * @dport: IMIR
 */
struct igb_match {
	u32 kind;
	u32 type;
	u32 saddr;
	u32 daddr;
	u32 sport;
	u32 dport;
};

/**
 * struct igb_filter - a rule of ethtool -N
 * @spec: as the administrator gave it; its flow_type is zero where there is
 *	none
 * @match: what the chip makes of it
 */
struct igb_filter {
	struct ethtool_rx_flow_spec spec;
	struct igb_match match;
};

/**
 * enum igb_trouble - what igb_adapter.repair_work is to see to
 * @IGB_TX_HANGS: frames are not sent, though there is a link
 * @IGB_TX_WAITS: frames are not sent, for want of a link: give them back
 * @IGB_RX_STARVES: a receive ring has no buffers, and gets none
 */
enum igb_trouble {
	IGB_TX_HANGS,
	IGB_TX_WAITS,
	IGB_RX_STARVES,
};

/**
 * struct igb_adapter - one port
 * @hw: the chip
 * @netdev: the interface
 * @pdev: the PCI function
 * @up: traffic runs; between igb_up() and igb_down(), written under RTNL. For
 *	one queue pair, see struct igb_tx
 * @max_queues: queue pairs that there are
 * @num_queues: queue pairs in use
 * @queue: the pairs, kept from probe to remove
 * @irq_mode: MSI-X, MSI or INTx, as PCI_IRQ_* says
 * @unmasked: between igb_irq_enable() and igb_irq_disable()
 * @fired: the link's cause came, for igb_irq_test()
 * @eims_other: bit of the vector for all but queues
 * @rearm: register that lets a queue's vector fire again
 * @tx_count: descriptors in each transmit ring, now or when next opened
 * @rx_count: descriptors in each receive ring, now or when next opened
 * @split: headers have buffers of their own, now or when next opened
 * @msg_enable: NETIF_MSG_*
 * @wake: WAKE_*, what brings the system back from sleep
 * @ledctl: LEDCTL while it is overridden
 * @nvm_version: image version word, 0 when unknown
 * @rss_key: key of the receive hash
 * @reta: queue for each hash value
 * @rss_ports: any of IGB_MRQC_ALL_PORTS
 * @filter_kinds: BIT() of each enum igb_filter_kind that works
 * @filters: rules, by location
 * @xdp_prog: program attached, or NULL
 * @vfta: VLAN ids to receive, a bit each; 0 for tags of a priority only
 * @link_lock: guards @link while the port is up
 * @link: the link as last seen; with the port down written under RTNL
 * @link_again: the PHY could not be asked, so look again
 * @link_downs: times the link was lost
 * @link_seen: the link came since igb_up(), or it was said that it did not
 * @up_since: jiffies of the last igb_up()
 * @link_work: looks at the link
 * @repair_work: sees to @trouble
 * @trouble: any of enum igb_trouble
 * @tx_reporter: where queues that hang are reported
 * @rx_reporter: where rings without buffers are reported
 * @hangs: it was said that a queue hangs
 * @resets: because of hangs, in a row
 * @last_hang: jiffies when that was last counted
 * @starves: some ring had no buffers when last looked
 * @refill_work: has rings filled that are starved
 * @service_work: every second while up
 * @stats_lock: serialises readers of the hardware counters
 * @stats_syncp: guards @hw_stats and @rqdpc
 * @hw_stats: hardware counters since probe
 * @rqdpc: frames dropped for want of descriptors, by queue, since probe
 * @overflows: times that frames were seen to be lost, where no counter tells
 * @irq_name: vector 0, as shown in /proc/interrupts
 */
struct igb_adapter {
	struct igb_hw hw;
	struct net_device *netdev;
	struct pci_dev *pdev;
	bool up;

	unsigned int max_queues;
	unsigned int num_queues;
	struct igb_queue *queue[IGB_MAX_QUEUES];

	unsigned int irq_mode;
	bool unmasked;
	bool fired;
	u32 eims_other;
	u32 rearm;

	u16 tx_count;
	u16 rx_count;
	bool split;
	u32 msg_enable;
	u32 wake;
	u32 ledctl;
	u16 nvm_version;
	u8 rss_key[IGB_RSS_KEY_SIZE];
	u8 reta[IGB_RETA_ENTRIES];
	u32 rss_ports;
	unsigned int filter_kinds;
	struct igb_filter filters[IGB_LOCATIONS];

	struct bpf_prog *xdp_prog;
	u32 vfta[IGB_VFTA_REGS];

	spinlock_t link_lock;	/* for readers that cannot wait for the PHY */
	struct igb_link link;
	bool link_again;
	unsigned int link_downs;
	bool link_seen;
	unsigned long up_since;
	struct work_struct link_work;
	struct work_struct repair_work;
	unsigned long trouble;
	struct devlink_health_reporter *tx_reporter;
	struct devlink_health_reporter *rx_reporter;
	bool hangs;
	bool starves;
	unsigned int resets;
	unsigned long last_hang;
	struct delayed_work refill_work;
	struct delayed_work service_work;

	struct mutex stats_lock;	/* reading the counters clears them */
	struct u64_stats_sync stats_syncp;
	u64_stats_t hw_stats[IGB_NUM_COUNTERS];
	u64_stats_t rqdpc[IGB_MAX_QUEUES];
	atomic64_t overflows;

	char irq_name[IFNAMSIZ];
};

struct xdp_desc;

/* Descriptors between @use and @clean, one kept free so that a full ring
 * differs from an empty one.
 */
static inline u16 igb_unused(u16 count, u16 use, u16 clean)
{
	return (clean > use ? 0 : count) + clean - use - 1;
}

static inline unsigned int igb_next(unsigned int count, unsigned int index)
{
	return index + 1 == count ? 0 : index + 1;
}

/* Buffers are allocated so many at a time. */
#define IGB_RX_BATCH		16

void igb_rx_refill(struct igb_rx *rx);

static inline u32 igb_rx_status(const struct igb_rx *rx, u16 index)
{
	return le32_to_cpu(READ_ONCE(rx->ring.desc[index].wb.status_error));
}

/* Has the chip filled the buffer at @i, and what does it say of it? */
static inline bool igb_rx_is_done(const struct igb_rx *rx, unsigned int i,
				  u32 *status)
{
	if (i == READ_ONCE(rx->next_to_use))
		return false;
	*status = igb_rx_status(rx, i);
	/* The rest of the descriptor is valid once DD is. */
	dma_rmb();
	return *status & IGB_RXD_DD;
}

/* Is there something to receive?  Beside a poll the answer may be out of date.
 */
static inline bool igb_rx_pending(const struct igb_rx *rx)
{
	u32 status;

	return igb_rx_is_done(rx, READ_ONCE(rx->next_to_clean), &status);
}

/* The buffer at @i has been taken, after which @done frames are complete: go on
 * to the next.
 */
static inline unsigned int igb_rx_advance(struct igb_rx *rx, unsigned int i,
					  int done)
{
	i = igb_next(rx->ring.count, i);
	WRITE_ONCE(rx->next_to_clean, i);
	if (done % IGB_RX_BATCH == 0)
		igb_rx_refill(rx);
	return i;
}

/* Is the buffer a good frame, as nearly all are? */
static inline bool igb_rx_is_whole(const struct igb_rx *rx, u32 status,
				   unsigned int len, unsigned int most)
{
	return (status & (IGB_RXD_EOP | IGB_RXD_RXE)) == IGB_RXD_EOP &&
	       rx->state == IGB_RX_START && len >= ETH_HLEN && len <= most;
}

/* Where the page for the headers of the frame at @i is noted. */
static inline struct page **igb_split_head(const struct igb_rx_ring *ring,
					   unsigned int i)
{
	return &ring->page[ring->count + i];
}

static inline void igb_count(struct u64_stats_sync *syncp, u64_stats_t *counter)
{
	u64_stats_update_begin(syncp);
	u64_stats_inc(counter);
	u64_stats_update_end(syncp);
}

static inline void igb_rx_count(struct igb_rx *rx, unsigned int len)
{
	u64_stats_update_begin(&rx->syncp);
	u64_stats_inc(&rx->stats.packets);
	u64_stats_add(&rx->stats.bytes, len);
	u64_stats_update_end(&rx->syncp);
}

static inline void igb_rx_start_frame(struct igb_rx *rx, void *start, u16 len)
{
	struct xdp_buff *xdp = &rx->frame.xdp;

	xdp->flags = 0;
	xdp_prepare_buff(xdp, start, IGB_RX_HEADROOM, len, true);
}

/* igb_ring.c */
int igb_rings_alloc(struct igb_adapter *adapter, struct igb_rings *rings,
		    const struct igb_config *config);
void igb_rings_free(struct igb_adapter *adapter, struct igb_rings *rings);
int igb_rxq_register(struct igb_queue *q, struct xdp_rxq_info *rxq,
		     enum xdp_mem_type type, struct page_pool *pool);
void igb_rx_ring_set_xsk(struct igb_queue *q);
void igb_rings_swap(struct igb_adapter *adapter, struct igb_rings *rings);
int igb_rx_ring_alloc(struct igb_queue *q, struct igb_rx_ring *ring,
		      const struct igb_config *config);
void igb_rx_ring_free(struct device *dev, struct igb_rx_ring *ring);
void igb_rx_ring_swap(struct igb_queue *q, struct igb_rx_ring *ring);
unsigned int igb_rx_buf_len(const struct igb_rx_ring *ring);
u32 igb_rx_desctype(const struct igb_rx_ring *ring);

/* igb_xdp.c */
extern const struct xdp_metadata_ops igb_xdp_metadata_ops;
u32 igb_xdp_trace_verdict(const struct igb_rx *rx, u32 act);
void igb_xdp_act(struct igb_rx *rx, struct xdp_buff *xdp,
		 struct bpf_prog *prog, u32 act);
void igb_xdp_flush(struct igb_rx *rx);
bool igb_xdp_takes_frags(const struct bpf_prog *prog);
bool igb_xdp_fits(const struct bpf_prog *prog, unsigned int mtu);
int igb_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		 u32 flags);
int igb_bpf(struct net_device *netdev, struct netdev_bpf *bpf);

/* igb_xsk.c */
int igb_xsk_setup(struct igb_adapter *adapter, struct xsk_buff_pool *pool,
		  u16 queue);
bool igb_xsk_in_use(const struct igb_adapter *adapter);
bool igb_xsk_fits(const struct igb_adapter *adapter, unsigned int mtu);
int igb_xsk_wakeup(struct net_device *netdev, u32 queue, u32 flags);
void igb_xsk_kick(struct igb_adapter *adapter);
bool igb_xsk_xmit(struct igb_tx *tx, unsigned int budget);
void igb_xsk_write_desc(union igb_rx_desc *desc, struct xdp_buff *xdp);
unsigned int igb_xsk_fill(struct igb_rx_ring *ring, unsigned int i,
			  unsigned int count);
void igb_xsk_filled(struct xsk_buff_pool *pool, bool missing);
int igb_xsk_rx_clean(struct igb_rx *rx, int budget);

/* igb_split.c */
void igb_split_write_desc(const struct igb_rx_ring *ring, unsigned int i);
unsigned int igb_split_fill(struct igb_rx_ring *ring, unsigned int i,
			    unsigned int count);
int igb_split_rx_clean(struct igb_rx *rx, int budget);

/* igb_tx.c */
netdev_tx_t igb_xmit_frame(struct sk_buff *skb, struct net_device *netdev);
netdev_features_t igb_features_check(struct sk_buff *skb,
				     struct net_device *netdev,
				     netdev_features_t features);
int igb_tx_queue_xdp(struct igb_tx *tx, struct xdp_frame *xdpf);
void igb_tx_queue_xsk(struct igb_tx *tx, const struct xdp_desc *desc);
u32 igb_tx_room(const struct igb_tx *tx);
void igb_tx_kick(struct igb_tx *tx);
void igb_tx_clean(struct igb_tx *tx, int budget);
bool igb_tx_pending(const struct igb_tx *tx);
void igb_tx_start(struct igb_tx *tx);
void igb_tx_stop(struct igb_tx *tx);
void igb_tx_rewind(struct igb_tx *tx);
void igb_tx_drain(struct igb_tx *tx);

/* igb_rx.c */
unsigned int igb_rx_fill(struct igb_rx_ring *ring, unsigned int i,
			 unsigned int count);
void igb_rx_rewind(struct igb_rx *rx);
int igb_rx_clean(struct igb_rx *rx, int budget);
bool igb_rx_pass(struct igb_rx *rx, struct sk_buff *skb,
		 const union igb_rx_desc *desc, u32 status);
int igb_rx_add_frag(struct igb_rx *rx, struct page *page, unsigned int offset,
		    unsigned int len);
void igb_rx_skip(struct igb_rx *rx);
bool igb_rx_finish(struct igb_rx *rx, struct bpf_prog *prog,
		   const union igb_rx_desc *desc, u32 status);
void igb_rx_discard(struct igb_rx *rx);
u32 igb_rx_trace_desc(const struct igb_rx *rx, u16 i);

/* igb_irq.c */
int igb_irq_init(struct igb_adapter *adapter);
void igb_irq_setup_queue(struct igb_queue *q, unsigned int index);
void igb_irq_exit(struct igb_adapter *adapter);
int igb_irq_request(struct igb_adapter *adapter);
void igb_irq_free(struct igb_adapter *adapter);
int igb_irq_grow(struct igb_adapter *adapter, unsigned int count);
void igb_irq_shrink(struct igb_adapter *adapter, unsigned int count);
void igb_irq_configure(struct igb_adapter *adapter);
void igb_irq_enable(struct igb_adapter *adapter);
void igb_irq_disable(struct igb_adapter *adapter);
void igb_irq_enable_queue(struct igb_queue *q);
void igb_irq_disable_queue(struct igb_queue *q);
void igb_irq_kick(struct igb_queue *q);
void igb_irq_check_other(struct igb_adapter *adapter);
void igb_irq_quiesce(struct igb_queue *q);
void igb_irq_set_coalesce(struct igb_queue *q, const struct igb_coalesce *want);
int igb_irq_test(struct igb_adapter *adapter);
int igb_poll(struct napi_struct *napi, int budget);

/* igb_netdev.c */
extern const struct net_device_ops igb_netdev_ops;
void igb_netdev_init(struct net_device *netdev);
void igb_write_filters(struct igb_adapter *adapter,
		       netdev_features_t features);
void igb_tx_hangs(struct igb_adapter *adapter, unsigned int queue);
void igb_restore_vlans(struct igb_adapter *adapter);

/* igb_stats.c */
extern const struct netdev_stat_ops igb_stat_ops;
u64 igb_read_stat(const struct u64_stats_sync *syncp, const u64_stats_t *stat);
void igb_read_stats(u64 *to, const struct u64_stats_sync *syncp,
		    const void *stats, unsigned int count);
void igb_update_hw_stats(struct igb_adapter *adapter);
void igb_get_stats64(struct net_device *netdev,
		     struct rtnl_link_stats64 *stats);
void igb_get_pause_stats(struct net_device *netdev,
			 struct ethtool_pause_stats *stats);
void igb_get_eth_phy_stats(struct net_device *netdev,
			   struct ethtool_eth_phy_stats *stats);
void igb_get_eth_mac_stats(struct net_device *netdev,
			   struct ethtool_eth_mac_stats *stats);
void igb_get_eth_ctrl_stats(struct net_device *netdev,
			    struct ethtool_eth_ctrl_stats *stats);
void igb_get_rmon_stats(struct net_device *netdev,
			struct ethtool_rmon_stats *stats,
			const struct ethtool_rmon_hist_range **ranges);

/* igb_filter.c */
void igb_filter_init(struct igb_adapter *adapter);
void igb_filter_restore(struct igb_adapter *adapter);
void igb_filter_clear(struct igb_adapter *adapter);
int igb_filter_insert(struct igb_adapter *adapter,
		      struct ethtool_rx_flow_spec *spec);
int igb_filter_delete(struct igb_adapter *adapter, u32 location);
int igb_filter_get(const struct igb_adapter *adapter,
		   struct ethtool_rx_flow_spec *spec);
int igb_filter_list(const struct igb_adapter *adapter,
		    struct ethtool_rxnfc *info, u32 *locations);

/* igb_main.c */
int igb_open(struct net_device *netdev);
int igb_stop(struct net_device *netdev);
int igb_up(struct igb_adapter *adapter);
void igb_down(struct igb_adapter *adapter);
int igb_get_awake(struct igb_adapter *adapter);
void igb_put_awake(struct igb_adapter *adapter);
int igb_restart(struct igb_adapter *adapter);
void igb_freeze(struct igb_adapter *adapter);
int igb_thaw(struct igb_adapter *adapter);
int igb_repair(struct igb_adapter *adapter);
int igb_unhang(struct igb_adapter *adapter);
bool igb_starves(const struct igb_adapter *adapter);
void igb_refill(struct igb_adapter *adapter);
void igb_report_trouble(struct igb_adapter *adapter, enum igb_trouble what);
int igb_configure_queues(struct igb_adapter *adapter, unsigned int first,
			 unsigned int end);
void igb_stop_dma_queues(struct igb_adapter *adapter);
void igb_start_queue(struct igb_queue *q);
void igb_stop_queue(struct igb_queue *q);
struct igb_config igb_get_config(const struct igb_adapter *adapter);
int igb_reconfigure(struct igb_adapter *adapter, const struct igb_config *want,
		    struct netlink_ext_ack *extack);
void igb_check_link(struct igb_adapter *adapter);
int igb_restart_link(struct igb_adapter *adapter);

/* igb_devlink.c */
int igb_devlink_init(struct igb_adapter *adapter);
void igb_devlink_tx_hangs(struct igb_adapter *adapter);
void igb_devlink_tx_works(struct igb_adapter *adapter);
void igb_devlink_rx_starves(struct igb_adapter *adapter);
void igb_devlink_rx_works(struct igb_adapter *adapter);

/* igb_ethtool.c */
extern const struct ethtool_ops igb_ethtool_ops;

/* igb_selftest.c */
#define IGB_NUM_TESTS		5
void igb_get_test_strings(u8 *data);
void igb_self_test(struct net_device *netdev, struct ethtool_test *test,
		   u64 *data);

#endif /* _IGB_H_ */
