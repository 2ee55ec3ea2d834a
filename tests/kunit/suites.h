/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All suites, by the names that Kbuild has found.
 */
#ifndef _IGB_SUITES_H_
#define _IGB_SUITES_H_

extern struct kunit_suite IGB_SUITES;

#endif /* _IGB_SUITES_H_ */
