// SPDX-License-Identifier: GPL-2.0
/* failnth: a command one of whose allocations fails. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rigtool.h"

/* Which calls count is set below /sys/kernel/debug: with the task's stack in a module only. */
static void fail_at(long n, char **argv)
{
	int fd = open("/proc/thread-self/fail-nth", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%ld", n) < 0)
		die("fail-nth");
	execvp(argv[0], argv);
	die(argv[0]);
}

/* Whether the call that was to fail was made; asked of a process that has ended. */
static bool was_reached(pid_t pid)
{
	char path[64], left[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, left, sizeof(left) - 1) <= 0)
		die(path);
	close(fd);
	return !atoi(left);
}

/* write FILE TEXT: one that a failing call can be in, other than the shell's echo. */
int write_main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_WRONLY) : -1;
	size_t len = argc == 3 ? strlen(argv[2]) : 0;

	if (argc != 3)
		usage("write FILE TEXT");
	if (fd < 0 || write(fd, argv[2], len) != (ssize_t)len)
		die(argv[1]);
	return 0;
}

/* failnth N COMMAND...: its status; says "over" if there were fewer than N calls to fail. */
int failnth_main(int argc, char **argv)
{
	siginfo_t end;
	pid_t pid;

	if (argc < 3)
		usage("failnth N COMMAND...");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		fail_at(atol(argv[1]), argv + 2);
	if (waitid(P_PID, pid, &end, WEXITED | WNOWAIT) < 0)
		die("waitid");
	printf("%s\n", was_reached(pid) ? "failed one" : "over");
	waitpid(pid, NULL, 0);
	return end.si_code == CLD_EXITED ? end.si_status : 128;
}
