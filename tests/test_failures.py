# SPDX-License-Identifier: GPL-2.0
"""Allocations that fail: the first, the second, ... until the call makes no more of them.

A call either fails, and all that can be seen of the port is as it was, or does what was asked;
the traffic goes on, and nothing is left behind. What fails are calls made by the driver, by
whatever path: those with a module on the stack.
"""
import dataclasses
import os
import re
import shlex

import pytest
from rig.footprint import left_over
from rig.nic import MODULE
from rig.project import DRIVER
from rig.settings import REBUILT, Bench, flowing, write_file
from test_faults import works

pytestmark = [pytest.mark.guest("wire", ("acpi-2cpu",), only="debug"),
              pytest.mark.timeout(600)]

NIC = "0000:01:00.0"
BIND = f"/sys/bus/pci/drivers/{DRIVER}"
# Modules are between the kernel's image and its fixed mappings, see x86/x86_64/mm.rst.
MODULES = (0xffffffffa0000000, 0xffffffffff000000)
PREPARE = f"""
cd /sys/kernel/debug
for kind in failslab fail_page_alloc; do
	echo N >$kind/ignore-gfp-wait; echo 0 >$kind/verbose; echo 32 >$kind/stacktrace-depth
	echo {MODULES[0]:#x} >$kind/require-start; echo {MODULES[1]:#x} >$kind/require-end
done
echo N >fail_page_alloc/ignore-gfp-highmem; echo 0 >fail_page_alloc/min-order
# Not what the checkers allocate for themselves, which can do without.
for cache in /sys/kernel/slab/*/failslab; do
	case $cache in *kmemleak* | *debug_objects*) ;; *) echo 1 >$cache ;; esac
done
echo Y >failslab/cache-filter
# A slab is asked for by what the cache is for.
set -- $(sort /proc/kallsyms | grep -A1 ' allocate_slab$')
echo 0x$1 >fail_page_alloc/reject-start; echo 0x$4 >fail_page_alloc/reject-end
cd - >/dev/null
"""
# How many points are tried between two looks.
STEP = 20
# A ring's pages fail one like the other: of many points, fewer and fewer of the later ones do.
SPARSE = 0 if os.environ.get("IGB_DEMO_EVERY_POINT") else 12
# Nothing in here makes more.
MOST = 2000


def points():
    """Which calls are to fail."""
    number = 1
    while number < MOST:
        yield number
        number += max(1, number // SPARSE) if SPARSE else 1


# What of a port is to be the same after a refusal, or after going back; and that datagrams go on
# coming. A line for each point: its number, the status, and whether that was the last.
SCRIPT = r"""
net=/sys/class/net/eth0
alive() {
	n=0
	read -r before <$net/statistics/rx_packets
	while read -r now <$net/statistics/rx_packets && [ $now -lt $((before + 3)) ]; do
		n=$((n + 1)); [ $n -gt 1500 ] && { echo "@stalled at $point"; exit; }
		usleep 20000
	done
}
same() {
	rigtool state eth0 >/tmp/state.1
	diff -U0 /tmp/state.0 /tmp/state.1 | grep '^[-+][a-z]'
}
begin() {
	eval "$FIRST"
	rigtool state eth0 >/tmp/state.0
}
begin
over=
for point; do
	said=$(eval "rigtool failnth $point $COMMAND" 2>&1)
	status=$?
	case $said in over* | *"
over"*) over=over ;; esac
	echo "@$point $status $over"
	if [ $status = 0 ]; then
		eval "$BACK"
		[ "$over" ] || eval "$FIRST"
	fi
	[ "$over" ] && break
done
# What was done last was either refused or undone.
[ "$over" ] || same
eval "$BACK"
rigtool carrier eth0 1 limit=20000 >/dev/null
alive
"""


@dataclasses.dataclass(frozen=True)
class Operation:
    """What is asked, and what undoes it, which may come when there is nothing to undo; @first
    is what has to be so before."""
    command: str
    back: str = "true"
    first: str = "true"


OPERATIONS = {
    "open": Operation("ip link set eth0 up", "ip link set eth0 up", "ip link set eth0 down"),
    "rings": Operation("ethtool -G eth0 rx 128 tx 128", "ethtool -G eth0 rx 64 tx 64"),
    "split": Operation("rigtool split eth0 on", "rigtool split eth0 off"),
    "more queues": Operation("ethtool -L eth0 combined 2", "ethtool -L eth0 combined 1"),
    "fewer queues": Operation("ethtool -L eth0 combined 1",
                              first="ethtool -L eth0 combined 2"),
    "MTU": Operation("ip link set eth0 mtu 9216", "ip link set eth0 mtu 1500"),
    "XDP": Operation("ip link set eth0 xdp obj /lib/bpf/xdp.o program pass",
                     "ip link set eth0 xdp off"),
    "XDP off": Operation("ip link set eth0 xdp off",
                         first="ip link set eth0 xdp obj /lib/bpf/xdp.o program pass"),
    "AF_XDP": Operation("rigtool xsk eth0 mode=send count=0"),
    "features": Operation("ethtool -K eth0 rx-all on rxvlan off gro off",
                          "ethtool -K eth0 rx-all off rxvlan on gro on"),
    "loopback": Operation("ethtool -K eth0 loopback on", "ethtool -K eth0 loopback off"),
    "RSS": Operation("ethtool -X eth0 hkey $(printf '5a:%.0s' $(seq 39))5a",
                     "ethtool -X eth0 hkey {key}"),
    "moderation": Operation("ethtool -C eth0 adaptive-rx off rx-usecs 30",
                            "ethtool -C eth0 adaptive-rx on"),
    "VLAN": Operation("ip link add link eth0 name eth0.5 type vlan id 5", "ip link del eth0.5"),
    "groups": Operation("ip maddr add 01:00:5e:01:02:03 dev eth0",
                        "ip maddr del 01:00:5e:01:02:03 dev eth0"),
    "link": Operation("ethtool -s eth0 advertise 0x20", "ethtool -s eth0 autoneg on"),
    "reset": Operation(f"rigtool write /sys/bus/pci/devices/{NIC}/reset 1"),
    "self-test": Operation("ethtool -t eth0 offline"),
    "registers": Operation("ethtool -d eth0"),
    "statistics": Operation("ethtool -S eth0"),
    "NVM": Operation("ethtool -e eth0"),
    "dump": Operation(f"devlink health dump show pci/{NIC} reporter tx"),
    "reload": Operation(f"devlink dev reload pci/{NIC}"),
    "sleep": Operation("rigtool write /sys/power/state mem"),
}


def prepare(guest):
    """Have allocations fail where a module is on the stack."""
    guest.sh(PREPARE)
    # Resuming is to be done by who asks for it.
    guest.sh("echo 0 >/sys/power/pm_async; echo devices >/sys/power/pm_test")
    guest.allow_log(r"PM: |suspend|vmalloc|page allocation failure")


class TestOperations:
    """A port that is up, with datagrams going round."""

    @staticmethod
    def _points(guest, operation):
        """The status of each point that was reached."""
        write_file(guest, "/tmp/points.sh", "\n".join(
            f"{name}={shlex.quote(value)}" for name, value in
            (("FIRST", operation.first), ("COMMAND", operation.command),
             ("BACK", operation.back))) + SCRIPT)
        numbers = list(points())
        for start in range(0, len(numbers), STEP):
            some = " ".join(map(str, numbers[start:start + STEP]))
            said = guest.sh(f"sh /tmp/points.sh {some}", timeout=120)
            assert "@stalled" not in said, said
            tried = re.findall(r"^@(\d+) (\d+) (|over)$", said, re.M)
            changed = re.findall(r"^[-+](\S+) .*", said, re.M)
            assert not set(changed) - REBUILT, said
            for _, status, over in tried:
                if over:
                    assert status == "0", said
                    return
                yield int(status)
        raise AssertionError("it never ends")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_operation(self, fresh_nic, wire, name, record_property):
        """Refused, and nothing has changed; or done, and it can be undone."""
        nic, guest, operation = fresh_nic, fresh_nic.guest, OPERATIONS[name]
        prepare(guest)
        # Each page of a ring is a point.
        nic.ethtool("-L {} combined 1")
        nic.ethtool("-G {} rx 64 tx 64")
        key = re.search("[0-9a-f]{2}(:[0-9a-f]{2})+", nic.ethtool("-x"))[0]
        operation = dataclasses.replace(operation, back=operation.back.format(key=key))
        with flowing(nic, wire):
            bench = Bench(nic)
            statuses = list(self._points(guest, operation))
            left = {key for key, value in bench.state().items()
                    if bench.base.get(key) != value} - REBUILT
            assert not left
        record_property("points", len(statuses))
        record_property("refused", sum(map(bool, statuses)))
        assert works(nic, wire)
        guest.sh(f"rmmod {DRIVER}")
        assert not left_over(guest)


class TestArrival:
    """The driver is loaded, and takes a card."""

    @staticmethod
    def _attempts(guest, command):
        for number in points():
            said, status = guest.sh_status(f"rigtool failnth {number} {command}", timeout=60)
            over = "over" in said.splitlines()
            assert not (over and status), said
            yield status, over
            if over:
                return

    def test_insmod(self, guest, wire, record_property):
        """Without a card to take."""
        prepare(guest)
        guest.sh("echo 0 >/sys/bus/pci/drivers_autoprobe")
        try:
            tried = 0
            for status, _ in self._attempts(guest, f"insmod {MODULE}"):
                if not status:
                    guest.sh(f"rmmod {DRIVER}")
                assert not guest.sh(f"ls -d /sys/module/{DRIVER} {BIND} 2>/dev/null; true")
                tried += 1
        finally:
            guest.sh("echo 1 >/sys/bus/pci/drivers_autoprobe")
        record_property("points", tried - 1)

    def test_probe(self, fresh_nic, wire, record_property):
        """It is taken and works, or it is not and nothing is left."""
        nic, guest = fresh_nic, fresh_nic.guest
        prepare(guest)
        guest.allow_log(rf"{DRIVER} |probe with driver {DRIVER} failed|not valid, using")
        tried = refused = 0
        guest.sh(f"echo {NIC} >{BIND}/unbind")
        for status, _ in self._attempts(guest, f"rigtool write {BIND}/bind {NIC}"):
            if status:
                assert not left_over(guest)
                refused += 1
            else:
                nic.up()
                assert works(nic, wire)
                guest.sh(f"echo {NIC} >{BIND}/unbind")
            tried += 1
        record_property("points", tried - 1)
        record_property("refused", refused)
        guest.sh(f"echo {NIC} >{BIND}/bind")
        nic.up()
        assert works(nic, wire)
