# SPDX-License-Identifier: GPL-2.0
"""The kernel's trace events."""
import contextlib

TRACING = "/sys/kernel/tracing"
TRACE = f"{TRACING}/trace"


@contextlib.contextmanager
def traced(guest, event, only="0"):
    """TRACE has what the kernel's @event tells from here on, if the filter @only lets it.

    Names of processes are not kept: that would patch the scheduler's code while
    all CPUs run it, and QEMU's TCG has been seen to trip over the breakpoint there.
    """
    place = f"{TRACING}/events/{event}"
    guest.sh(f"echo 0 >{TRACING}/options/record-cmd; echo '{only}' >{place}/filter; "
             f"echo >{TRACE}; echo 1 >{place}/enable")
    try:
        yield
    finally:
        guest.sh(f"echo 0 >{place}/enable")
