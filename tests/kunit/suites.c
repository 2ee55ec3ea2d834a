// SPDX-License-Identifier: GPL-2.0
/*
 * Runs all suites, which Kbuild has found, when the module is loaded.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "suites.h"

static struct kunit_suite * const igb_suites[] = { IGB_SUITE_LIST };

static int __init igb_suites_init(void)
{
	return __kunit_test_suites_init(igb_suites, ARRAY_SIZE(igb_suites));
}
module_init(igb_suites_init);

static void __exit igb_suites_exit(void)
{
	__kunit_test_suites_exit((struct kunit_suite **)igb_suites,
				 ARRAY_SIZE(igb_suites));
}
module_exit(igb_suites_exit);

MODULE_DESCRIPTION("KUnit tests of igb_demo");
MODULE_LICENSE("GPL");
