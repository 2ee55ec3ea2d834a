// SPDX-License-Identifier: GPL-2.0
/*
 * requeue: restarts a receive queue through its driver's netdev_queue_mgmt_ops,
 * in the order of the kernel's netdev_rx_queue_restart(), which has no user but
 * device memory. What comes of it is what insmod says. Calls of a function can
 * be made to fail meanwhile, or with times=0 until the module is unloaded; what
 * such a call may have allocated is lost.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netdev_queues.h>

static char *device = "eth0";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "interface");

static int queue = 1;
module_param(queue, int, 0444);
MODULE_PARM_DESC(queue, "which queue");

static int times = 1;
module_param(times, int, 0444);
MODULE_PARM_DESC(times, "how often to restart it");

static int pause;
module_param(pause, int, 0444);
MODULE_PARM_DESC(pause, "milliseconds that it is stopped");

static char *fail = "";
module_param(fail, charp, 0444);
MODULE_PARM_DESC(fail, "function of which calls fail");

static long value;
module_param(value, long, 0444);
MODULE_PARM_DESC(value, "what such a call returns");

static int many = 1;
module_param(many, int, 0444);
MODULE_PARM_DESC(many, "how many calls fail, 0 for all");

static int after;
module_param(after, int, 0444);
MODULE_PARM_DESC(after, "calls of it that do not fail before");

static bool softirq;
module_param(softirq, bool, 0444);
MODULE_PARM_DESC(softirq, "only calls made in softirqs count");

static struct task_struct *task;	/* whose calls count, or NULL for all */
static atomic_t calls;

static int fail_call(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	int call;

	if ((task && current != task) || (softirq && !in_serving_softirq()))
		return 0;
	call = atomic_inc_return(&calls) - after;
	if (call > 0 && (!many || call <= many))
		regs_set_return_value(regs, value);
	return 0;
}

static struct kretprobe probe = { .handler = fail_call };

/* What must not be done is refused, and changes nothing. */
static int restart(struct net_device *dev, void *new, void *old)
{
	const struct netdev_queue_mgmt_ops *ops = dev->queue_mgmt_ops;
	int err;

	err = ops->ndo_queue_mem_alloc(dev, new, queue);
	if (err)
		return err;
	err = ops->ndo_queue_stop(dev, old, queue);
	if (err) {
		ops->ndo_queue_mem_free(dev, new);
		return err;
	}
	if (ops->ndo_queue_stop(dev, new, queue) >= 0)
		err = -EPROTO;
	msleep(pause);
	err = ops->ndo_queue_start(dev, new, queue) ?: err;
	if (ops->ndo_queue_start(dev, old, queue) >= 0)
		return -EPROTO;
	ops->ndo_queue_mem_free(dev, old);
	return err;
}

static int restart_often(void *new, void *old)
{
	struct net_device *dev;
	int err = 0;
	int i;

	for (i = 0; i < times && !err; i++) {
		rtnl_lock();
		dev = __dev_get_by_name(&init_net, device);
		err = dev && dev->queue_mgmt_ops ? restart(dev, new, old) : -ENODEV;
		rtnl_unlock();
		usleep_range(1000, 2000);
	}
	return err;
}

static size_t mem_size(void)
{
	struct net_device *dev;
	size_t size = 0;

	rtnl_lock();
	dev = __dev_get_by_name(&init_net, device);
	if (dev && dev->queue_mgmt_ops)
		size = dev->queue_mgmt_ops->ndo_queue_mem_size;
	rtnl_unlock();
	return size;
}

static int __init requeue_init(void)
{
	size_t size = mem_size();
	void *new, *old;
	int err = 0;

	if (!size)
		return -ENODEV;
	new = kzalloc(size, GFP_KERNEL);
	old = kzalloc(size, GFP_KERNEL);
	if (times)
		task = current;
	probe.kp.symbol_name = fail;
	if (!new || !old)
		err = -ENOMEM;
	else if (*fail)
		err = register_kretprobe(&probe);
	if (!err) {
		err = restart_often(new, old);
		if (err && *fail)
			unregister_kretprobe(&probe);
	}
	kfree(old);
	kfree(new);
	return err;
}
module_init(requeue_init);

static void __exit requeue_exit(void)
{
	if (*fail)
		unregister_kretprobe(&probe);
}
module_exit(requeue_exit);

MODULE_DESCRIPTION("Test aid: restart a receive queue");
MODULE_LICENSE("GPL");
