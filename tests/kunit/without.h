/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit for a kernel that was built without it.
 *
 * Comes before everything in lib/kunit.  The structures are those of the
 * running kernel, so its headers are read before CONFIG_KUNIT is there, which
 * would give struct task_struct and struct module other members.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#define CONFIG_KUNIT_MODULE	1

/*
 * All that KUnit knows of a task is which test it runs.  That is kept where a
 * file system notes its transactions: a test's thread works on none.
 */
struct kunit_task {
	u8 before[offsetof(struct task_struct, journal_info)];
	struct kunit *kunit_test;
};

#undef current
#define current			((struct kunit_task *)get_current())

/* The kernel knows of no suites in modules: they start them themselves. */
#undef CONFIG_MODULES
