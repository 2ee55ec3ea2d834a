// SPDX-License-Identifier: GPL-2.0
/*
 * The device beside its interface: what it is, what ails it, and a restart.
 *
 * A queue that hangs or starves is reported here.  What follows, a dump and
 * recovery, is the administrator's to choose (devlink health set); by default
 * both happen at once.
 */
#include <linux/iopoll.h>
#include <linux/rtnetlink.h>
#include <linux/unaligned.h>
#include <net/devlink.h>

#include "igb.h"

/* Descriptors shown to either side of the next one to be looked at. */
#define IGB_DUMP_DESC		8

/* Within this a ring has its buffers, if there is memory. */
#define IGB_REFILL_USECS	(100 * USEC_PER_MSEC)

static struct igb_adapter *igb_of(struct devlink *devlink)
{
	return *(struct igb_adapter **)devlink_priv(devlink);
}

/* ---- Information -------------------------------------------------------- */

static int igb_put_serial(struct devlink_info_req *req,
			  struct igb_adapter *adapter)
{
	char text[24];
	u64 serial;
	u8 dsn[8];
	int err;

	err = igb_get_awake(adapter);
	if (err)
		return err;
	serial = pci_get_dsn(adapter->pdev);
	igb_put_awake(adapter);
	if (!serial)
		return 0;
	put_unaligned_be64(serial, dsn);
	snprintf(text, sizeof(text), "%8phD", dsn);
	return devlink_info_serial_number_put(req, text);
}

static int igb_put_fixed(struct devlink_info_req *req, struct pci_dev *pdev)
{
	char board[16], revision[8];
	const struct {
		const char *name;
		const char *value;
	} versions[] = {
		{ DEVLINK_INFO_VERSION_GENERIC_ASIC_ID, "82576" },
		{ DEVLINK_INFO_VERSION_GENERIC_ASIC_REV, revision },
		{ DEVLINK_INFO_VERSION_GENERIC_BOARD_ID, board },
	};
	unsigned int i;
	int err = 0;

	snprintf(revision, sizeof(revision), "%u", pdev->revision);
	snprintf(board, sizeof(board), "%04x-%04x", pdev->subsystem_vendor,
		 pdev->subsystem_device);
	for (i = 0; !err && i < ARRAY_SIZE(versions); i++)
		err = devlink_info_version_fixed_put(req, versions[i].name,
						     versions[i].value);
	return err;
}

static int igb_info_get(struct devlink *devlink, struct devlink_info_req *req,
			struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = igb_of(devlink);
	char nvm[8];
	int err;

	err = igb_put_serial(req, adapter);
	if (!err)
		err = igb_put_fixed(req, adapter->pdev);
	if (err || !adapter->nvm_version)
		return err;
	snprintf(nvm, sizeof(nvm), "%#06x", adapter->nvm_version);
	return devlink_info_version_running_put(req, "nvm", nvm);
}

/* ---- Restart ------------------------------------------------------------ */

/* Between down and up the port is detached; its settings stay. */
static int igb_reload_down(struct devlink *devlink, bool netns_change,
			   enum devlink_reload_action action,
			   enum devlink_reload_limit limit,
			   struct netlink_ext_ack *extack)
{
	if (netns_change) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the device stays where it is: move the interface");
		return -EOPNOTSUPP;
	}
	igb_freeze(igb_of(devlink));
	return 0;
}

static int igb_reload_up(struct devlink *devlink,
			 enum devlink_reload_action action,
			 enum devlink_reload_limit limit, u32 *actions,
			 struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = igb_of(devlink);
	int err;

	err = igb_get_awake(adapter);
	if (!err) {
		err = igb_thaw(adapter);
		igb_put_awake(adapter);
	}
	if (err)
		NL_SET_ERR_MSG_MOD(extack, "the chip cannot be started again");
	else
		*actions = BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT);
	return err;
}

static const struct devlink_ops igb_devlink_ops = {
	.info_get	= igb_info_get,
	.reload_actions	= BIT(DEVLINK_RELOAD_ACTION_DRIVER_REINIT),
	.reload_down	= igb_reload_down,
	.reload_up	= igb_reload_up,
};

/* ---- Health ------------------------------------------------------------- */

static void igb_put_desc(struct devlink_fmsg *fmsg, const void *ring,
			 unsigned int count, unsigned int middle)
{
	unsigned int i = (middle + count - IGB_DUMP_DESC) % count;
	const __le64 *desc;
	unsigned int left;
	char text[48];

	devlink_fmsg_arr_pair_nest_start(fmsg, "descriptors");
	for (left = 2 * IGB_DUMP_DESC; left; left--) {
		desc = ring + i * sizeof(union igb_rx_desc);
		snprintf(text, sizeof(text), "%u: %016llx %016llx", i,
			 le64_to_cpu(READ_ONCE(desc[0])),
			 le64_to_cpu(READ_ONCE(desc[1])));
		devlink_fmsg_string_put(fmsg, text);
		i = igb_next(count, i);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
}

static void igb_put_tx(struct devlink_fmsg *fmsg, struct igb_queue *q,
		       bool whole)
{
	struct igb_hw *hw = &q->adapter->hw;
	struct igb_tx *tx = &q->tx;

	devlink_fmsg_u32_pair_put(fmsg, "use", READ_ONCE(tx->next_to_use));
	devlink_fmsg_u32_pair_put(fmsg, "clean", READ_ONCE(tx->next_to_clean));
	devlink_fmsg_u32_pair_put(fmsg, "TDH", igb_rd(hw, IGB_TDH(tx->index)));
	devlink_fmsg_u32_pair_put(fmsg, "TDT", igb_rd(hw, IGB_TDT(tx->index)));
	if (whole)
		igb_put_desc(fmsg, tx->ring.desc, tx->ring.count,
			     READ_ONCE(tx->next_to_clean));
}

static void igb_put_rx(struct devlink_fmsg *fmsg, struct igb_queue *q,
		       bool whole)
{
	struct igb_hw *hw = &q->adapter->hw;
	struct igb_rx *rx = &q->rx;

	devlink_fmsg_u32_pair_put(fmsg, "use", READ_ONCE(rx->next_to_use));
	devlink_fmsg_u32_pair_put(fmsg, "clean", READ_ONCE(rx->next_to_clean));
	devlink_fmsg_u32_pair_put(fmsg, "RDH", igb_rd(hw, IGB_RDH(rx->index)));
	devlink_fmsg_u32_pair_put(fmsg, "RDT", igb_rd(hw, IGB_RDT(rx->index)));
	devlink_fmsg_bool_pair_put(fmsg, "starved", READ_ONCE(rx->starved));
	if (whole)
		igb_put_desc(fmsg, rx->ring.desc, rx->ring.count,
			     READ_ONCE(rx->next_to_clean));
}

/* RTNL keeps the rings where they are. */
static int igb_put_queues(struct devlink_health_reporter *reporter,
			  struct devlink_fmsg *fmsg, bool whole,
			  void (*put)(struct devlink_fmsg *fmsg,
				      struct igb_queue *q, bool whole))
{
	struct igb_adapter *adapter = devlink_health_reporter_priv(reporter);
	unsigned int i;

	rtnl_lock();
	devlink_fmsg_bool_pair_put(fmsg, "up", adapter->up);
	devlink_fmsg_arr_pair_nest_start(fmsg, "queues");
	for (i = 0; adapter->up && i < adapter->num_queues; i++) {
		if (!adapter->queue[i]->tx.up)
			continue;
		devlink_fmsg_obj_nest_start(fmsg);
		devlink_fmsg_u32_pair_put(fmsg, "queue", i);
		put(fmsg, adapter->queue[i], whole);
		devlink_fmsg_obj_nest_end(fmsg);
	}
	devlink_fmsg_arr_pair_nest_end(fmsg);
	rtnl_unlock();
	return 0;
}

static int igb_tx_dump(struct devlink_health_reporter *reporter,
		       struct devlink_fmsg *fmsg, void *context,
		       struct netlink_ext_ack *extack)
{
	return igb_put_queues(reporter, fmsg, true, igb_put_tx);
}

static int igb_tx_diagnose(struct devlink_health_reporter *reporter,
			   struct devlink_fmsg *fmsg,
			   struct netlink_ext_ack *extack)
{
	return igb_put_queues(reporter, fmsg, false, igb_put_tx);
}

static int igb_tx_recover(struct devlink_health_reporter *reporter,
			  void *context, struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = devlink_health_reporter_priv(reporter);

	/* There is a context if it was found, none if an administrator asks. */
	return context ? igb_unhang(adapter) : igb_repair(adapter);
}

static int igb_rx_dump(struct devlink_health_reporter *reporter,
		       struct devlink_fmsg *fmsg, void *context,
		       struct netlink_ext_ack *extack)
{
	return igb_put_queues(reporter, fmsg, true, igb_put_rx);
}

static int igb_rx_diagnose(struct devlink_health_reporter *reporter,
			   struct devlink_fmsg *fmsg,
			   struct netlink_ext_ack *extack)
{
	return igb_put_queues(reporter, fmsg, false, igb_put_rx);
}

/* Another thread may be the one that polls. */
static int igb_wait_refilled(struct igb_adapter *adapter)
{
	bool starves;

	igb_refill(adapter);
	return read_poll_timeout(igb_starves, starves, !starves, 1000,
				 IGB_REFILL_USECS, false, adapter) ?
	       -ENOMEM : 0;
}

static int igb_rx_recover(struct devlink_health_reporter *reporter,
			  void *context, struct netlink_ext_ack *extack)
{
	struct igb_adapter *adapter = devlink_health_reporter_priv(reporter);
	int err = 0;

	rtnl_lock();
	if (adapter->up)
		err = igb_wait_refilled(adapter);
	rtnl_unlock();
	return err;
}

static const struct devlink_health_reporter_ops igb_tx_reporter_ops = {
	.name		= "tx",
	.recover	= igb_tx_recover,
	.dump		= igb_tx_dump,
	.diagnose	= igb_tx_diagnose,
};

static const struct devlink_health_reporter_ops igb_rx_reporter_ops = {
	.name		= "rx",
	.recover	= igb_rx_recover,
	.dump		= igb_rx_dump,
	.diagnose	= igb_rx_diagnose,
};

static void igb_set_healthy(struct devlink_health_reporter *reporter)
{
	enum devlink_health_reporter_state state =
		DEVLINK_HEALTH_REPORTER_STATE_HEALTHY;

	devlink_health_reporter_state_update(reporter, state);
}

/**
 * igb_devlink_tx_hangs() - report transmit queues that hang
 * @adapter: the port
 *
 * igb_repair() follows, unless the administrator will not have it.
 *
 * Context: process context without RTNL; work that remove cancels.
 */
void igb_devlink_tx_hangs(struct igb_adapter *adapter)
{
	devlink_health_report(adapter->tx_reporter,
			      "a transmit queue hangs", adapter);
}

/**
 * igb_devlink_tx_works() - the port was started again, or no queue hangs
 * @adapter: the port
 *
 * Context: process context.
 */
void igb_devlink_tx_works(struct igb_adapter *adapter)
{
	igb_set_healthy(adapter->tx_reporter);
}

/**
 * igb_devlink_rx_starves() - report receive rings without buffers
 * @adapter: the port
 *
 * Context: process context without RTNL; work that remove cancels.
 */
void igb_devlink_rx_starves(struct igb_adapter *adapter)
{
	devlink_health_report(adapter->rx_reporter,
			      "no memory for a receive ring", NULL);
}

/**
 * igb_devlink_rx_works() - receive rings have buffers again
 * @adapter: the port
 *
 * Context: process context.
 */
void igb_devlink_rx_works(struct igb_adapter *adapter)
{
	igb_set_healthy(adapter->rx_reporter);
}

/* ---- Coming and going --------------------------------------------------- */

static void igb_devlink_exit(void *data)
{
	struct devlink *devlink = data;
	struct igb_adapter *adapter = igb_of(devlink);

	devlink_unregister(devlink);
	devlink_health_reporter_destroy(adapter->rx_reporter);
	devlink_health_reporter_destroy(adapter->tx_reporter);
	devlink_free(devlink);
}

static int igb_create_reporters(struct devlink *devlink,
				struct igb_adapter *adapter)
{
	adapter->tx_reporter =
		devlink_health_reporter_create(devlink, &igb_tx_reporter_ops,
					       adapter);
	if (IS_ERR(adapter->tx_reporter))
		return PTR_ERR(adapter->tx_reporter);
	adapter->rx_reporter =
		devlink_health_reporter_create(devlink, &igb_rx_reporter_ops,
					       adapter);
	if (!IS_ERR(adapter->rx_reporter))
		return 0;
	devlink_health_reporter_destroy(adapter->tx_reporter);
	return PTR_ERR(adapter->rx_reporter);
}

/**
 * igb_devlink_init() - have the device known to devlink until it is unbound
 * @adapter: the port, not up yet
 *
 * What is asked meanwhile finds a port that is down.
 *
 * Context: process context; probe.
 * Return: 0 or -ENOMEM.
 */
int igb_devlink_init(struct igb_adapter *adapter)
{
	struct device *dev = &adapter->pdev->dev;
	struct devlink *devlink;
	int err;

	devlink = devlink_alloc(&igb_devlink_ops, sizeof(adapter), dev);
	if (!devlink)
		return -ENOMEM;
	*(struct igb_adapter **)devlink_priv(devlink) = adapter;
	err = igb_create_reporters(devlink, adapter);
	if (err) {
		devlink_free(devlink);
		return err;
	}
	devlink_register(devlink);
	return devm_add_action_or_reset(dev, igb_devlink_exit, devlink);
}
