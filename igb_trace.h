/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints along a packet's way out and in, in the order of the journey.
 *
 * Arguments are pointers and indices that the caller has at hand: what is to be
 * looked up is looked up here, when an event is on.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM igb_demo

#if !defined(_IGB_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _IGB_TRACE_H_

#include <linux/skbuff.h>
#include <linux/tracepoint.h>

#include "igb.h"

TRACE_DEFINE_ENUM(XDP_ABORTED);
TRACE_DEFINE_ENUM(XDP_DROP);
TRACE_DEFINE_ENUM(XDP_PASS);
TRACE_DEFINE_ENUM(XDP_TX);
TRACE_DEFINE_ENUM(XDP_REDIRECT);

#define show_igb_txd_type(data)						\
	__print_symbolic(data, { 0, "CTXT" }, { 1, "DATA" })

#define show_igb_txd_cmd(cmd)						\
	__print_flags(cmd, "|",						\
		      { IGB_TXD_EOP,	"EOP" },			\
		      { IGB_TXD_IFCS,	"IFCS" },			\
		      { IGB_TXD_RS,	"RS" },				\
		      { IGB_TXD_DEXT,	"DEXT" },			\
		      { IGB_TXD_VLE,	"VLE" },			\
		      { IGB_TXD_TSE,	"TSE" })

#define show_igb_icr(icr)						\
	__print_flags(icr, "|",						\
		      { IGB_ICR_TXDW,	"TXDW" },			\
		      { IGB_ICR_LSC,	"LSC" },			\
		      { IGB_ICR_RXDMT0,	"RXDMT0" },			\
		      { IGB_ICR_RXO,	"RXO" },			\
		      { IGB_ICR_RXDW,	"RXDW" })

#define show_igb_rxd_status(status)					\
	__print_flags(status, "|",					\
		      { IGB_RXD_DD,	"DD" },				\
		      { IGB_RXD_EOP,	"EOP" },			\
		      { IGB_RXD_IXSM,	"IXSM" },			\
		      { IGB_RXD_VP,	"VP" },				\
		      { IGB_RXD_UDPCS,	"UDPCS" },			\
		      { IGB_RXD_L4CS,	"L4CS" },			\
		      { IGB_RXD_IPCS,	"IPCS" },			\
		      { IGB_RXD_HBO,	"HBO" },			\
		      { IGB_RXD_L4E,	"L4E" },			\
		      { IGB_RXD_IPE,	"IPE" },			\
		      { IGB_RXD_RXE,	"RXE" })

#define show_igb_xdp_act(act)						\
	__print_symbolic(act,						\
			 { XDP_ABORTED,		"ABORTED" },		\
			 { XDP_DROP,		"DROP" },		\
			 { XDP_PASS,		"PASS" },		\
			 { XDP_TX,		"TX" },			\
			 { XDP_REDIRECT,	"REDIRECT" })

#define show_igb_csum(ip_summed)					\
	__print_symbolic(ip_summed,					\
			 { CHECKSUM_NONE,		"none" },	\
			 { CHECKSUM_UNNECESSARY,	"unnecessary" })

/* The stack hands a frame over. */
TRACE_EVENT(igb_xmit,
	    TP_PROTO(const struct igb_tx *tx, const struct sk_buff *skb),

	    TP_ARGS(tx, skb),

	    TP_STRUCT__entry(__string(name, tx->txq->dev->name)
			     __field(const void *, skbaddr)
			     __field(unsigned int, len)
			     __field(u16, queue)),

	    TP_fast_assign(__assign_str(name);
			   __entry->skbaddr = skb;
			   __entry->len = skb->len;
			   __entry->queue = tx->index;),

	    TP_printk("dev=%s queue=%u skbaddr=%p len=%u",
		      __get_str(name), __entry->queue, __entry->skbaddr,
		      __entry->len)
);

/* A descriptor as the doorbell that follows shows it to the chip.  One that
 * holds a context has neither address nor length.
 */
TRACE_EVENT(igb_tx_desc,
	    TP_PROTO(const struct igb_tx *tx, u16 index, u64 addr, u32 cmd_len),

	    TP_ARGS(tx, index, addr, cmd_len),

	    TP_STRUCT__entry(__string(name, tx->txq->dev->name)
			     __field(u64, addr)
			     __field(u32, cmd)
			     __field(u16, queue)
			     __field(u16, index)
			     __field(u16, len)
			     __field(bool, data)),

	    TP_fast_assign(__assign_str(name);
			   __entry->data = FIELD_GET(IGB_TXD_DTYP, cmd_len) ==
					   IGB_TXD_DTYP_DATA;
			   __entry->addr = __entry->data ? addr : 0;
			   __entry->len = __entry->data ?
				cmd_len & IGB_TXD_DTALEN : 0;
			   __entry->cmd = cmd_len & IGB_TXD_DCMD;
			   __entry->queue = tx->index;
			   __entry->index = index;),

	    TP_printk("dev=%s queue=%u index=%u type=%s addr=0x%llx len=%u cmd=%s",
		      __get_str(name), __entry->queue, __entry->index,
		      show_igb_txd_type(__entry->data), __entry->addr,
		      __entry->len, show_igb_txd_cmd(__entry->cmd))
);

/* TDT is written. */
TRACE_EVENT(igb_tx_doorbell,
	    TP_PROTO(const struct igb_tx *tx),

	    TP_ARGS(tx),

	    TP_STRUCT__entry(__string(name, tx->txq->dev->name)
			     __field(u16, queue)
			     __field(u16, tail)),

	    TP_fast_assign(__assign_str(name);
			   __entry->queue = tx->index;
			   __entry->tail = tx->next_to_use;),

	    TP_printk("dev=%s queue=%u tail=%u",
		      __get_str(name), __entry->queue, __entry->tail)
);

/* Frames have been given back, all that lay before @head. */
TRACE_EVENT(igb_tx_reclaim,
	    TP_PROTO(const struct igb_tx *tx, const struct igb_tx_sum *sum),

	    TP_ARGS(tx, sum),

	    TP_STRUCT__entry(__string(name, tx->txq->dev->name)
			     __field(unsigned int, packets)
			     __field(unsigned int, bytes)
			     __field(u16, queue)
			     __field(u16, head)),

	    TP_fast_assign(__assign_str(name);
			   __entry->packets = sum->packets;
			   __entry->bytes = sum->bytes;
			   __entry->queue = tx->index;
			   __entry->head = tx->next_to_clean;),

	    TP_printk("dev=%s queue=%u head=%u packets=%u bytes=%u",
		      __get_str(name), __entry->queue, __entry->head,
		      __entry->packets, __entry->bytes)
);

/* ICR is read where a vector has several causes; on a line shared with other
 * devices it may be 0.
 */
TRACE_EVENT(igb_interrupt,
	    TP_PROTO(const struct igb_adapter *adapter, unsigned int vector,
		     u32 icr),

	    TP_ARGS(adapter, vector, icr),

	    TP_STRUCT__entry(__string(name, adapter->netdev->name)
			     __field(unsigned int, vector)
			     __field(u32, icr)),

	    TP_fast_assign(__assign_str(name);
			   __entry->vector = vector;
			   __entry->icr = icr;),

	    TP_printk("dev=%s vector=%u icr=0x%08x causes=%s",
		      __get_str(name), __entry->vector, __entry->icr,
		      show_igb_icr(__entry->icr))
);

/* The chip has filled a buffer. */
TRACE_EVENT(igb_rx_desc,
	    TP_PROTO(const struct igb_rx *rx, u16 index, u32 status),

	    TP_ARGS(rx, index, status),

	    TP_STRUCT__entry(__string(name, rx->netdev->name)
			     __field(u32, status)
			     __field(u16, queue)
			     __field(u16, index)
			     __field(u16, len)),

	    TP_fast_assign(__assign_str(name);
			   __entry->status = status;
			   __entry->queue = rx->index;
			   __entry->index = index;
			   __entry->len =
				le16_to_cpu(rx->ring.desc[index].wb.length);),

	    TP_printk("dev=%s queue=%u index=%u len=%u status=%s",
		      __get_str(name), __entry->queue, __entry->index,
		      __entry->len, show_igb_rxd_status(__entry->status))
);

/* What a program decided about a frame. */
TRACE_EVENT(igb_xdp_verdict,
	    TP_PROTO(const struct igb_rx *rx, u32 act),

	    TP_ARGS(rx, act),

	    TP_STRUCT__entry(__string(name, rx->netdev->name)
			     __field(u32, act)
			     __field(u16, queue)),

	    TP_fast_assign(__assign_str(name);
			   __entry->act = act;
			   __entry->queue = rx->index;),

	    TP_printk("dev=%s queue=%u action=%s",
		      __get_str(name), __entry->queue,
		      show_igb_xdp_act(__entry->act))
);

/* The stack gets a frame; its length is with the Ethernet header. */
TRACE_EVENT(igb_rx_deliver,
	    TP_PROTO(const struct igb_rx *rx, const struct sk_buff *skb),

	    TP_ARGS(rx, skb),

	    TP_STRUCT__entry(__string(name, rx->netdev->name)
			     __field(const void *, skbaddr)
			     __field(unsigned int, len)
			     __field(u32, hash)
			     __field(u16, queue)
			     __field(u8, ip_summed)),

	    TP_fast_assign(__assign_str(name);
			   __entry->skbaddr = skb;
			   __entry->len = skb->len;
			   __entry->hash = skb->hash;
			   __entry->queue = rx->index;
			   __entry->ip_summed = skb->ip_summed;),

	    TP_printk("dev=%s queue=%u skbaddr=%p len=%u hash=0x%08x csum=%s",
		      __get_str(name), __entry->queue, __entry->skbaddr,
		      __entry->len, __entry->hash,
		      show_igb_csum(__entry->ip_summed))
);

/* A NAPI poll has done its work. */
TRACE_EVENT(igb_poll,
	    TP_PROTO(const struct igb_queue *q, int work_done, int budget),

	    TP_ARGS(q, work_done, budget),

	    TP_STRUCT__entry(__string(name, q->adapter->netdev->name)
			     __field(int, work_done)
			     __field(int, budget)
			     __field(u16, queue)),

	    TP_fast_assign(__assign_str(name);
			   __entry->work_done = work_done;
			   __entry->budget = budget;
			   __entry->queue = q->rx.index;),

	    TP_printk("dev=%s queue=%u work_done=%d budget=%d",
		      __get_str(name), __entry->queue, __entry->work_done,
		      __entry->budget)
);

#endif /* _IGB_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE igb_trace
#include <trace/define_trace.h>
