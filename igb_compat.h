/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older supported kernels lack.  The rest of the driver is written for
 * today's kernel; Kbuild finds out by looking into its headers what this one
 * has (IGB_HAVE_*).
 */
#ifndef _IGB_COMPAT_H_
#define _IGB_COMPAT_H_

#include <net/page_pool/types.h>

#ifndef IGB_HAVE_PAGE_POOL_ENABLE_DIRECT_RECYCLING
static inline void page_pool_enable_direct_recycling(struct page_pool *pool,
						     struct napi_struct *napi)
{
	WRITE_ONCE(pool->p.napi, napi);
}
#endif

#endif /* _IGB_COMPAT_H_ */
