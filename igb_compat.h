/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older supported kernels lack.  The rest of the driver is written for
 * today's kernel; Kbuild finds out by looking into its headers what this one
 * has (IGB_HAVE_*).
 */
#ifndef _IGB_COMPAT_H_
#define _IGB_COMPAT_H_

#include <linux/dim.h>
#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <net/devlink.h>
#include <net/page_pool/types.h>
#include <net/xdp.h>

#ifndef CONFIG_NET_DEVLINK
#error "igb_demo needs a kernel with CONFIG_NET_DEVLINK"
#endif

#ifndef IGB_HAVE_DEFAULT_GRACEFUL_PERIOD
#define devlink_health_reporter_create(devlink, ops, priv) \
	devlink_health_reporter_create(devlink, ops, 0, priv)
#endif

#ifndef IGB_HAVE_ETHTOOL_RXFH_FIELDS
struct ethtool_rxfh_fields {
	u32 data;
	u32 flow_type;
	u32 rss_context;
};
#endif

#ifndef IGB_HAVE_PAGE_POOL_ENABLE_DIRECT_RECYCLING
static inline void page_pool_enable_direct_recycling(struct page_pool *pool,
						     struct napi_struct *napi)
{
	WRITE_ONCE(pool->p.napi, napi);
}
#endif

#ifndef IGB_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock_id, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock_id, mode);
	timer->function = function;
}
#endif

#ifndef IGB_HAVE_NET_DIM_POINTER
static inline void igb_compat_net_dim(struct dim *dim,
				      const struct dim_sample *sample)
{
	net_dim(dim, *sample);
}

#define net_dim(dim, sample)	igb_compat_net_dim(dim, sample)
#endif

#ifndef IGB_HAVE_NETIF_NAPI_ADD_CONFIG
static inline void netif_napi_add_config(struct net_device *netdev,
					 struct napi_struct *napi,
					 int (*poll)(struct napi_struct *, int),
					 int index)
{
	netif_napi_add(netdev, napi, poll);
}
#endif

static inline enum xdp_mem_type igb_xdpf_mem_type(const struct xdp_frame *xdpf)
{
#ifdef IGB_HAVE_XDP_FRAME_MEM_TYPE
	return xdpf->mem_type;
#else
	return xdpf->mem.type;
#endif
}

#ifndef IGB_HAVE_XDP_UPDATE_SKB_FRAGS_INFO
static inline u32 xdp_buff_get_skb_flags(const struct xdp_buff *xdp)
{
	return xdp->flags;
}

static inline void xdp_update_skb_frags_info(struct sk_buff *skb, u8 nr_frags,
					     unsigned int size,
					     unsigned int truesize,
					     u32 xdp_flags)
{
	xdp_update_skb_shared_info(skb, nr_frags, size, truesize,
				   xdp_flags & XDP_FLAGS_FRAGS_PF_MEMALLOC);
}
#endif

#endif /* _IGB_COMPAT_H_ */
