// SPDX-License-Identifier: GPL-2.0
/*
 * Who wakes whom: vectors, masks, NAPI, and how often.
 *
 * With MSI-X, vector 0 is for the link and vector i + 1 for queue pair i;
 * vector n is bit n of EICR.  With MSI or INTx one interrupt serves all.
 *
 * Section numbers are those of the 82576 datasheet.
 */
#include <linux/iopoll.h>
#include <linux/jump_label.h>

#include "igb.h"
#include "igb_trace.h"

#define IGB_VECTOR_OTHER	0
#define IGB_VECTOR_QUEUE(i)	((i) + 1)

/* Frames that the line can bring in a millisecond. */
#define IGB_LINE_PPMS		1488

/* What net_dim puts between two interrupts at least, where EITR does. */
#define IGB_EITR_LEAST_USECS	8

/* An interval that gathers fewer frames than this just delays them.  Whether
 * it does is tried when it is new, and once in so many polls.
 */
#define IGB_DEFER_FRAMES	2
#define IGB_DEFER_TRIAL		64

/* EITR puts an interrupt off for milliseconds; in a virtual machine, another
 * CPU may not run for far longer.
 */
#define IGB_TEST_USECS		(3 * USEC_PER_SEC)

/* Where one vector was silent, so may all be: others wait under RTNL. */
#define IGB_TEST_LATER_USECS	(100 * USEC_PER_MSEC)

/* Causes that the one interrupt without MSI-X reports. */
#define IGB_IMS_SINGLE		(IGB_ICR_LSC | IGB_ICR_RXDW | IGB_ICR_RXDMT0 | \
				 IGB_ICR_RXO | IGB_ICR_TXDW)

/* Some port is in igb_irq_test(): nobody pays for that otherwise. */
static DEFINE_STATIC_KEY_FALSE(igb_irq_testing);

static bool igb_msix(const struct igb_adapter *adapter)
{
	return adapter->irq_mode == PCI_IRQ_MSIX;
}

static irqreturn_t igb_intr_queue(int irq, void *data)
{
	struct igb_queue *q = data;

	if (static_branch_unlikely(&igb_irq_testing))
		WRITE_ONCE(q->fired, true);
	trace_igb_interrupt(q->adapter, q->vector, 0);
	napi_schedule_irqoff(&q->napi);
	return IRQ_HANDLED;
}

static void igb_check_other(struct igb_adapter *adapter, u32 icr)
{
	if (icr & IGB_ICR_LSC)
		WRITE_ONCE(adapter->fired, true);
	if (icr & IGB_ICR_LSC && READ_ONCE(adapter->up))
		queue_work(system_wq, &adapter->link_work);
	if (icr & IGB_ICR_RXO && igb_has_quirk(&adapter->hw, IGB_QUIRK_NO_MPC))
		atomic64_inc(&adapter->overflows);
}

/**
 * igb_irq_check_other() - see to causes that no vector reports at once
 * @adapter: the port, up
 *
 * Context: process context.
 */
void igb_irq_check_other(struct igb_adapter *adapter)
{
	if (igb_msix(adapter))
		igb_check_other(adapter, igb_rd(&adapter->hw, IGB_ICR));
}

static irqreturn_t igb_intr_other(int irq, void *data)
{
	struct igb_adapter *adapter = data;
	u32 icr;

	/* GPIE.NSICR: reading clears. */
	icr = igb_rd(&adapter->hw, IGB_ICR);
	trace_igb_interrupt(adapter, IGB_VECTOR_OTHER, icr);
	igb_check_other(adapter, icr);
	return IRQ_HANDLED;
}

/* A dead device that still asserts INTx, which nothing but configuration
 * space can take from it: left alone, that is a storm.
 */
static irqreturn_t igb_intr_gone(struct igb_adapter *adapter)
{
	if (adapter->irq_mode != PCI_IRQ_INTX)
		return IRQ_NONE;
	return IRQ_RETVAL(pci_check_and_mask_intx(adapter->pdev));
}

static irqreturn_t igb_intr_single(int irq, void *data)
{
	struct igb_adapter *adapter = data;
	struct igb_hw *hw = &adapter->hw;
	u32 icr;

	/* Another device of the line called; ours may be amid a reset. */
	if (!READ_ONCE(adapter->unmasked) && !READ_ONCE(hw->gone))
		return IRQ_NONE;

	/* Reading clears, and masks what IAM names until NAPI is done: even
	 * when another device of the line called, NAPI has to unmask again.
	 */
	icr = igb_rd(hw, IGB_ICR);
	if (unlikely(READ_ONCE(hw->gone) || (!icr && !igb_hw_present(hw))))
		return igb_intr_gone(adapter);

	trace_igb_interrupt(adapter, 0, icr);
	igb_check_other(adapter, icr);
	napi_schedule_irqoff(&adapter->queue[0]->napi);
	return IRQ_RETVAL(icr);
}

/* Let the vector fire again.  Where EIAM masks, EIMS unmasks and what came
 * in between fires at once.  Where it does not (IGB_QUIRK_NO_AUTOMASK), the
 * vector was silent because its EICR bit was still set: clear it, then look
 * for what came before that.
 */
static void igb_rearm(struct igb_queue *q)
{
	struct igb_adapter *adapter = q->adapter;

	igb_wr(&adapter->hw, adapter->rearm, q->eims);
	if (adapter->rearm == IGB_EICR &&
	    (igb_rx_pending(&q->rx) || igb_tx_pending(&q->tx)))
		napi_schedule(&q->napi);
}

/* Time is up.  As long as something came there is no need of the vector. */
static enum hrtimer_restart igb_interval_over(struct hrtimer *timer)
{
	struct igb_queue *q = container_of(timer, struct igb_queue, timer);

	if (igb_rx_pending(&q->rx))
		napi_schedule(&q->napi);
	else
		igb_rearm(q);
	return HRTIMER_NORESTART;
}

/* Where EITR echoes, the end of a poll puts off the next interrupt. */
static void igb_write_interval(struct igb_queue *q)
{
	struct igb_hw *hw = &q->adapter->hw;
	bool echo = igb_has_quirk(hw, IGB_QUIRK_EITR_ECHO);

	WRITE_ONCE(q->defer_usecs, echo ? q->usecs : 0);
	igb_wr(hw, IGB_EITR(q->vector),
	       FIELD_PREP(IGB_EITR_INTERVAL, echo ? 0 : q->usecs));
}

/* What net_dim chooses from; EITR, which cannot tell request and answer from a
 * flood (igb_defer_pays()), starts lower.  Half a ring has to last for the
 * interval, even if what was seen was slow because the CPU was busy.
 */
static u16 igb_dim_usecs(const struct igb_queue *q)
{
	static const u32 usecs[NET_DIM_PARAMS_NUM_PROFILES] = {
		32, 48, 64, 96, 128
	};
	u32 most = q->adapter->rx_count / 2 * USEC_PER_MSEC /
		   max(q->dim.prev_stats.ppms, IGB_LINE_PPMS);

	if (!q->dim.profile_ix &&
	    !igb_has_quirk(&q->adapter->hw, IGB_QUIRK_EITR_ECHO))
		return IGB_EITR_LEAST_USECS;
	return min(usecs[q->dim.profile_ix], most);
}

static bool igb_defer_pays(struct igb_queue *q, int received)
{
	if (received >= IGB_DEFER_FRAMES)
		return true;
	if (q->polls % IGB_DEFER_TRIAL && !READ_ONCE(q->defer_trial))
		return false;
	WRITE_ONCE(q->defer_trial, false);
	return true;
}

static void igb_dim_work(struct work_struct *work)
{
	struct dim *dim = container_of(work, struct dim, work);
	struct igb_queue *q = container_of(dim, struct igb_queue, dim);

	if (READ_ONCE(q->coalesce.adaptive)) {
		q->usecs = igb_dim_usecs(q);
		igb_write_interval(q);
		WRITE_ONCE(q->defer_trial, true);
	}
	dim->state = DIM_START_MEASURE;
}

static void igb_dim_sample(struct igb_queue *q)
{
	struct dim_sample sample;

	dim_update_sample(++q->polls, u64_stats_read(&q->rx.stats.packets),
			  u64_stats_read(&q->rx.stats.bytes), &sample);
	net_dim(&q->dim, &sample);
}

/* All was done that there was. */
static void igb_poll_done(struct igb_queue *q, int received)
{
	u32 usecs = READ_ONCE(q->defer_usecs);

	/* A poll that an application asked for, to send, ends no interval. */
	if (!received && hrtimer_active(&q->timer))
		return;
	if (usecs && received &&
	    (!READ_ONCE(q->coalesce.adaptive) || igb_defer_pays(q, received))) {
		hrtimer_start(&q->timer, ns_to_ktime(usecs * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_PINNED);
		return;
	}
	if (usecs)
		hrtimer_try_to_cancel(&q->timer);
	igb_rearm(q);
}

/**
 * igb_irq_set_coalesce() - say how often a queue's vector may fire
 * @q: the queue pair
 * @want: what the administrator wants; the caller has checked it
 *
 * Context: process context, RTNL.
 */
void igb_irq_set_coalesce(struct igb_queue *q, const struct igb_coalesce *want)
{
	bool adaptive = q->coalesce.adaptive;

	q->coalesce.usecs = want->usecs;
	WRITE_ONCE(q->coalesce.adaptive, want->adaptive);
	if (want->adaptive && adaptive)
		return;

	/* What dim decides from now on finds that it is not asked. */
	cancel_work_sync(&q->dim.work);
	q->dim.profile_ix = 0;
	q->dim.state = DIM_START_MEASURE;
	q->usecs = want->adaptive ? igb_dim_usecs(q) : want->usecs;
	igb_write_interval(q);
}

/**
 * igb_irq_kick() - have NAPI look without an interrupt
 * @q: the queue pair; nothing happens while its NAPI is disabled
 *
 * Context: any but hard interrupts.
 */
void igb_irq_kick(struct igb_queue *q)
{
	local_bh_disable();
	napi_schedule(&q->napi);
	local_bh_enable();
}

/**
 * igb_irq_quiesce() - have a queue's timer and dim do no more
 * @q: the queue pair, its NAPI disabled
 *
 * Context: process context, RTNL.
 */
void igb_irq_quiesce(struct igb_queue *q)
{
	hrtimer_cancel(&q->timer);
	cancel_work_sync(&q->dim.work);
	q->dim.state = DIM_START_MEASURE;
}

/**
 * igb_poll() - NAPI poll of a queue pair
 * @napi: member of struct igb_queue
 * @budget: received frames at most; 0 for netpoll, which only sends
 *
 * Context: NAPI.
 * Return: received frames, @budget to be polled again.
 */
int igb_poll(struct napi_struct *napi, int budget)
{
	struct igb_queue *q = container_of(napi, struct igb_queue, napi);
	bool more = false;
	int done = 0;

	igb_tx_clean(&q->tx, budget);
	if (!budget)
		return 0;

	if (q->tx.xsk_pool)
		more = igb_xsk_xmit(&q->tx, budget);
	if (q->rx.ring.xsk_pool)
		done = igb_xsk_rx_clean(&q->rx, budget);
	else if (q->rx.ring.split)
		done = igb_split_rx_clean(&q->rx, budget);
	else
		done = igb_rx_clean(&q->rx, budget);
	igb_rx_refill(&q->rx);
	if (q->rx.xdp_done)
		igb_xdp_flush(&q->rx);
	trace_igb_poll(q, done, budget);
	if (unlikely(READ_ONCE(q->rx.starved)))
		queue_delayed_work(system_wq, &q->adapter->refill_work,
				   msecs_to_jiffies(20));
	if (more || done == budget)
		return budget;

	if (done && READ_ONCE(q->coalesce.adaptive))
		igb_dim_sample(q);
	if (napi_complete_done(napi, done))
		igb_poll_done(q, done);
	return done;
}

static int igb_alloc_vectors(struct igb_adapter *adapter)
{
	struct pci_dev *pdev = adapter->pdev;
	int ret;

	ret = pci_alloc_irq_vectors(pdev, 2, IGB_MAX_QUEUES + 1, PCI_IRQ_MSIX);
	if (ret > 0) {
		adapter->irq_mode = PCI_IRQ_MSIX;
		adapter->max_queues = ret - 1;
		return 0;
	}

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_INTX);
	if (ret < 0) {
		pci_err(pdev, "no interrupt of any kind: %pe\n", ERR_PTR(ret));
		return ret;
	}
	adapter->irq_mode = pdev->msi_enabled ? PCI_IRQ_MSI : PCI_IRQ_INTX;
	adapter->max_queues = 1;
	return 0;
}

/**
 * igb_irq_init() - allocate vectors, one for each queue pair that may be
 * @adapter: the port
 *
 * Context: process context, probe only.
 * Return: 0, or what pci_alloc_irq_vectors() failed with.
 */
int igb_irq_init(struct igb_adapter *adapter)
{
	int err;

	err = igb_alloc_vectors(adapter);
	if (err)
		return err;

	adapter->num_queues = min(num_online_cpus(), adapter->max_queues);
	if (!igb_msix(adapter)) {
		adapter->rearm = IGB_IMS;
		return 0;
	}
	adapter->eims_other = BIT(IGB_VECTOR_OTHER);
	adapter->rearm = igb_has_quirk(&adapter->hw, IGB_QUIRK_NO_AUTOMASK) ?
			 IGB_EICR : IGB_EIMS;
	return 0;
}

/**
 * igb_irq_setup_queue() - tie a queue pair to its vector
 * @q: the pair, with its CPU chosen
 * @index: which one
 *
 * The CPU is a preference that the administrator may change for good.
 *
 * Context: process context, probe only.
 */
void igb_irq_setup_queue(struct igb_queue *q, unsigned int index)
{
	struct igb_adapter *adapter = q->adapter;

	hrtimer_setup(&q->timer, igb_interval_over, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED);
	INIT_WORK(&q->dim.work, igb_dim_work);
	q->dim.mode = DIM_CQ_PERIOD_MODE_START_FROM_EQE;
	q->coalesce.usecs = IGB_DEFAULT_USECS;
	q->coalesce.adaptive = true;
	q->usecs = igb_dim_usecs(q);

	q->vector = igb_msix(adapter) ? IGB_VECTOR_QUEUE(index) : 0;
	q->irq = pci_irq_vector(adapter->pdev, q->vector);
	if (!igb_msix(adapter)) {
		q->eims = IGB_IMS_SINGLE;
		return;
	}
	q->eims = BIT(q->vector);
	irq_set_affinity(q->irq, cpumask_of(q->cpu));
}

/**
 * igb_irq_exit() - give the vectors back
 * @adapter: the port
 *
 * Context: process context.
 */
void igb_irq_exit(struct igb_adapter *adapter)
{
	pci_free_irq_vectors(adapter->pdev);
}

static void igb_free_queue_irqs(struct igb_adapter *adapter, unsigned int first,
				unsigned int end)
{
	struct igb_queue *q;

	while (end-- > first) {
		q = adapter->queue[end];
		irq_update_affinity_hint(q->irq, NULL);
		free_irq(q->irq, q);
	}
}

static int igb_request_queue_irqs(struct igb_adapter *adapter,
				  unsigned int first, unsigned int end)
{
	const char *ifname = adapter->netdev->name;
	struct igb_queue *q;
	unsigned int i;
	int err;

	for (i = first; i < end; i++) {
		q = adapter->queue[i];
		snprintf(q->name, sizeof(q->name), "%s-TxRx-%u", ifname, i);
		err = request_irq(q->irq, igb_intr_queue, 0, q->name, q);
		if (err) {
			igb_free_queue_irqs(adapter, first, i);
			return err;
		}
		irq_update_affinity_hint(q->irq, cpumask_of(q->cpu));
	}
	return 0;
}

static int igb_request_msix(struct igb_adapter *adapter)
{
	int other = pci_irq_vector(adapter->pdev, IGB_VECTOR_OTHER);
	int err;

	err = request_irq(other, igb_intr_other, 0, adapter->irq_name, adapter);
	if (err)
		return err;
	err = igb_request_queue_irqs(adapter, 0, adapter->num_queues);
	if (err)
		free_irq(other, adapter);
	return err;
}

/**
 * igb_irq_request() - install the handlers; the chip stays masked
 * @adapter: the port
 *
 * Context: process context, RTNL.
 * Return: 0, or what request_irq() failed with.
 */
int igb_irq_request(struct igb_adapter *adapter)
{
	unsigned long flags = 0;

	strscpy(adapter->irq_name, adapter->netdev->name);
	if (igb_msix(adapter))
		return igb_request_msix(adapter);

	if (adapter->irq_mode == PCI_IRQ_INTX)
		flags = IRQF_SHARED;
	return request_irq(adapter->queue[0]->irq, igb_intr_single, flags,
			   adapter->irq_name, adapter);
}

/**
 * igb_irq_free() - remove the handlers
 * @adapter: the port, its interrupts disabled
 *
 * Context: process context, RTNL.
 */
void igb_irq_free(struct igb_adapter *adapter)
{
	if (igb_msix(adapter))
		igb_free_queue_irqs(adapter, 0, adapter->num_queues);
	free_irq(pci_irq_vector(adapter->pdev, 0), adapter);
}

/**
 * igb_irq_grow() - install handlers for queues beyond those in use
 * @adapter: the port, open
 * @count: how many queues are to have one
 *
 * Context: process context, RTNL.
 * Return: 0, or what request_irq() failed with.
 */
int igb_irq_grow(struct igb_adapter *adapter, unsigned int count)
{
	return igb_request_queue_irqs(adapter, adapter->num_queues, count);
}

/**
 * igb_irq_shrink() - remove the handlers of queues beyond those in use
 * @adapter: the port, open
 * @count: how many queues have one
 *
 * Context: process context, RTNL.
 */
void igb_irq_shrink(struct igb_adapter *adapter, unsigned int count)
{
	igb_free_queue_irqs(adapter, adapter->num_queues, count);
}

/* Each queue has its own IVAR byte for receive and for transmit.  @cause is
 * the bit of EICR that it sets: with MSI-X, that vector's.
 */
static void igb_route_queue(struct igb_hw *hw, unsigned int i, u32 cause)
{
	u32 rx = cause | IGB_IVAR_VALID;
	u32 tx = igb_has_quirk(hw, IGB_QUIRK_TX_AT_ONCE) ? 0 : rx;

	/* Queues 0 to 7 take the low half of their register. */
	igb_wr(hw, IGB_IVAR(i),
	       FIELD_PREP(IGB_IVAR_RX, rx) | FIELD_PREP(IGB_IVAR_TX, tx));
}

static void igb_configure_msix(struct igb_adapter *adapter)
{
	u32 eims_queues = GENMASK(adapter->max_queues, 1);
	struct igb_hw *hw = &adapter->hw;
	u32 auto_clear = eims_queues;
	unsigned int i;

	if (igb_has_quirk(hw, IGB_QUIRK_NO_AUTOMASK))
		auto_clear = 0;

	/* GPIE first: it decides what the other registers mean. */
	igb_wr(hw, IGB_GPIE, IGB_GPIE_MULTIPLE_MSIX | IGB_GPIE_NSICR |
			     IGB_GPIE_EIAME | IGB_GPIE_PBA_SUPPORT);
	igb_wr(hw, IGB_EIAC, auto_clear | adapter->eims_other);
	igb_wr(hw, IGB_EIAM, auto_clear);
	igb_wr(hw, IGB_IVAR_MISC,
	       FIELD_PREP(IGB_IVAR_MISC_OTHER,
			  IGB_VECTOR_OTHER | IGB_IVAR_VALID));
	for (i = 0; i < adapter->max_queues; i++) {
		igb_route_queue(hw, i, IGB_VECTOR_QUEUE(i));
		igb_write_interval(adapter->queue[i]);
	}
}

static void igb_configure_single(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;

	/* igb_intr_gone() may have masked it. */
	if (adapter->irq_mode == PCI_IRQ_INTX)
		pci_intx(adapter->pdev, true);
	igb_wr(hw, IGB_GPIE, IGB_GPIE_NSICR);
	igb_rmw(hw, IGB_CTRL_EXT, 0, IGB_CTRL_EXT_IAME);
	igb_wr(hw, IGB_IAM, IGB_IMS_SINGLE);
	/* ICR reports no transmission of a queue that has no cause in EICR. */
	igb_route_queue(hw, 0, 0);
	igb_write_interval(adapter->queue[0]);
}

/**
 * igb_irq_configure() - program vectors and masks after a reset (7.3)
 * @adapter: the port
 *
 * Context: process context; every interrupt is masked before and after.
 */
void igb_irq_configure(struct igb_adapter *adapter)
{
	if (igb_msix(adapter))
		igb_configure_msix(adapter);
	else
		igb_configure_single(adapter);
}

/**
 * igb_irq_enable() - forget old causes and unmask all but the queues
 * @adapter: the port
 *
 * Context: process context, RTNL.
 */
void igb_irq_enable(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;

	WRITE_ONCE(adapter->unmasked, true);
	igb_rd(hw, IGB_ICR);
	if (!igb_msix(adapter))
		return;
	igb_wr(hw, IGB_EICR, U32_MAX);
	igb_wr(hw, IGB_IMS, IGB_ICR_LSC);
	igb_wr(hw, IGB_EIMS, adapter->eims_other);
}

/**
 * igb_irq_disable() - mask all, and wait for the handler of all but the queues
 * @adapter: the port, its queues masked
 *
 * Context: process context, RTNL.
 */
void igb_irq_disable(struct igb_adapter *adapter)
{
	struct igb_hw *hw = &adapter->hw;

	igb_wr(hw, IGB_IMC, U32_MAX);
	igb_wr(hw, IGB_EIMC, U32_MAX);
	/* Reading, which this does, has the writes arrive first. */
	igb_hw_present(hw);
	WRITE_ONCE(adapter->unmasked, false);
	synchronize_irq(pci_irq_vector(adapter->pdev, 0));
}

/**
 * igb_irq_enable_queue() - forget old causes of a queue pair and unmask
 * @q: the pair; NAPI has to look for what came before
 *
 * Context: process context, RTNL; igb_irq_enable() has run.
 */
void igb_irq_enable_queue(struct igb_queue *q)
{
	struct igb_hw *hw = &q->adapter->hw;

	if (!igb_msix(q->adapter)) {
		igb_wr(hw, IGB_IMS, q->eims);
		return;
	}
	igb_wr(hw, IGB_EICR, q->eims);
	igb_wr(hw, IGB_EIMS, q->eims);
}

/**
 * igb_irq_disable_queue() - mask a queue pair, and wait for its handler
 * @q: the pair
 *
 * Without MSI-X the link waits for igb_irq_enable_queue() as well.
 *
 * Context: process context, RTNL.
 */
void igb_irq_disable_queue(struct igb_queue *q)
{
	struct igb_hw *hw = &q->adapter->hw;

	igb_wr(hw, igb_msix(q->adapter) ? IGB_EIMC : IGB_IMC, q->eims);
	/* Reading, which this does, has the write arrive first. */
	igb_hw_present(hw);
	synchronize_irq(q->irq);
}

static bool igb_has_fired(const bool *fired)
{
	return READ_ONCE(*fired);
}

/* Set @cause, of EICR or ICR, and see whether the handler runs. */
static int igb_test_vector(struct igb_adapter *adapter, unsigned int vector,
			   bool extended, u32 cause, bool *fired, u64 usecs)
{
	const char *prefix = extended ? "E" : "";
	struct igb_hw *hw = &adapter->hw;
	bool seen;

	WRITE_ONCE(*fired, false);
	igb_wr(hw, extended ? IGB_EICS : IGB_ICS, cause);
	if (!read_poll_timeout(igb_has_fired, seen, seen, 100, usecs, false,
			       fired))
		return 0;
	if (!igb_hw_present(hw))
		return -ENODEV;
	netdev_err(adapter->netdev,
		   "vector %u (IRQ %d) is silent: %#010x written to %sICS, %sIMS reads %#010x\n",
		   vector, pci_irq_vector(adapter->pdev, vector), cause,
		   prefix, prefix,
		   igb_rd(hw, extended ? IGB_EIMS : IGB_IMS));
	return -EIO;
}

/* The one interrupt without MSI-X is tested with the link's cause. */
static int igb_test_queue(struct igb_queue *q, u64 usecs)
{
	struct igb_adapter *adapter = q->adapter;
	int err;

	igb_irq_enable_queue(q);
	if (igb_msix(adapter))
		err = igb_test_vector(adapter, q->vector, true, q->eims,
				      &q->fired, usecs);
	else
		err = igb_test_vector(adapter, q->vector, false, IGB_ICR_LSC,
				      &adapter->fired, usecs);
	igb_irq_disable_queue(q);
	return err;
}

/**
 * igb_irq_test() - have each vector in use fire, and see its handler run
 * @adapter: the port, down, with handlers
 *
 * Context: process context, sleeps, RTNL.
 * Return: 0, -EIO when a vector is silent, which is logged, or -ENODEV when
 * the device is gone.
 */
int igb_irq_test(struct igb_adapter *adapter)
{
	unsigned int i;
	int err = 0;
	int ret;

	static_branch_inc(&igb_irq_testing);
	igb_irq_enable(adapter);
	if (igb_msix(adapter))
		err = igb_test_vector(adapter, IGB_VECTOR_OTHER, false,
				      IGB_ICR_LSC, &adapter->fired,
				      IGB_TEST_USECS);
	for (i = 0; i < adapter->num_queues && err != -ENODEV; i++) {
		ret = igb_test_queue(adapter->queue[i],
				     err ? IGB_TEST_LATER_USECS :
					   IGB_TEST_USECS);
		err = ret ?: err;
	}
	igb_irq_disable(adapter);
	static_branch_dec(&igb_irq_testing);
	return err;
}
