// SPDX-License-Identifier: GPL-2.0
/* nobody: a command of someone who has no privileges, or only where nothing is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "rigtool.h"

#define NOBODY	65534

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

/* nobody here|elsewhere COMMAND...: elsewhere is root of namespaces of one's own. */
int nobody_main(int argc, char **argv)
{
	if (argc < 3)
		usage("nobody here|elsewhere COMMAND...");
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("nobody");
	if (!strcmp(argv[1], "elsewhere")) {
		/* Who has changed users does not own its own files in /proc. */
		if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNET))
			die("unshare");
		put("/proc/self/setgroups", "deny");
		put("/proc/self/uid_map", "0 65534 1");
		put("/proc/self/gid_map", "0 65534 1");
	}
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
