# SPDX-License-Identifier: GPL-2.0
"""Run one of the kernel's tests of network drivers: python3 -m kselftest drivers/net/ping.py.

In 6.12 some ask their environment for the interface at the remote end, which it does not know.
"""
import os
import runpy
import sys

SELFTESTS = "/usr/src/linux/tools/testing/selftests"


def main():
    """Command line: the test's path."""
    path = f"{SELFTESTS}/{sys.argv[1]}"
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(path))
    from lib.py import NetDrvEpEnv  # pylint: disable=import-outside-toplevel,import-error
    NetDrvEpEnv.remote_ifname = getattr(NetDrvEpEnv, "remote_ifname", os.environ["REMOTE_IFNAME"])
    runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    main()
