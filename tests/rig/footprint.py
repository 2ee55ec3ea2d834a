# SPDX-License-Identifier: GPL-2.0
"""What a driver holds: memory, vectors, address ranges, page pools; and what it forgot."""
import dataclasses
import re

from .project import DRIVER

# Memory moves by 300 KiB either way from one measurement to the next, by the
# guest's own business; it does not go the same way twice by more than this.
FREE_SLACK_KIB = 400
# Objects that the kernel itself has a few more of.
OBJECT_SLACK = 30
# The slab that a CPU allocates from counts as all used, be it nearly empty: another process
# between giving them back and counting makes up to hundreds of objects of it. One process does
# both, and the least of a few counts is the truest.
COUNT_OBJECTS = """bash -c '
for n in 1 2 3; do
	for cache in /sys/kernel/slab/*/shrink; do echo 1 >$cache; done
	mapfile -t lines </proc/slabinfo
	printf "%s\\n" "${lines[@]}"
done'"""


@dataclasses.dataclass
class Footprint:
    """A moment's holdings."""
    free_kib: int
    objects: dict
    vectors: list
    iomem: list
    pools: list

    @classmethod
    def of(cls, guest):
        """Measure @guest, its caches dropped first."""
        guest.sh("sync; echo 3 >/proc/sys/vm/drop_caches; "
                 "echo 1 >/proc/sys/vm/compact_memory; sleep 0.3; "
                 "echo 1 >/proc/sys/vm/stat_refresh")
        used = objects(guest)
        free = int(re.search(r"MemFree: +(\d+)", guest.sh("cat /proc/meminfo"))[1])
        # Free pages that a CPU keeps at hand come and go by megabytes.
        at_hand = sum(map(int, re.findall(r" count: +(\d+)", guest.sh("cat /proc/zoneinfo"))))
        return cls(free + 4 * at_hand, used, vectors(guest), driver_ranges(guest),
                   page_pools(guest))

    def held(self):
        """What only a loaded driver should hold."""
        return {"vectors": self.vectors, "iomem": self.iomem, "page pools": self.pools}

    def grown(self, before, cycles):
        """{what: how much more than @before}, of memory, for that many cycles between.

        One measurement proves nothing, but what has grown in each of two is a leak.
        """
        grown = {}
        lost = before.free_kib - self.free_kib
        if lost > FREE_SLACK_KIB:
            grown["KiB of memory"] = lost
        for name, used in self.objects.items():
            more = used - before.objects.get(name, 0)
            if more > max(OBJECT_SLACK, cycles * 0.9):
                grown[f"objects of slab {name}"] = more
        return grown


# What a debug kernel knows and did not print by itself: lockdep ends with its first complaint,
# the DMA checks print the first only.
CHECKERS = r"""
cd /sys/kernel/debug
if [ -e kmemleak ] && { echo scan >kmemleak; } 2>/dev/null; then
	sleep 6; echo scan >kmemleak; cat kmemleak
fi
[ ! -e dma-api/error_count ] || grep -v '^0$' dma-api/error_count | sed 's/^/DMA errors: /'
[ ! -e /proc/lockdep_stats ] || grep 'debug_locks: *0' /proc/lockdep_stats
true"""


def checkers(guest):
    """What the checkers of a debug kernel have found; empty for a kernel without."""
    return guest.sh(CHECKERS, timeout=60).strip()


def objects(guest):
    """{cache: how many of its objects are in use}."""
    used = {}
    for name, count in re.findall(r"^(\S+) +(\d+) +\d+", guest.sh(COUNT_OBJECTS), re.M):
        used[name] = min(int(count), used.get(name, int(count)))
    return used


def vectors(guest, driver=DRIVER):
    """Lines of /proc/interrupts that belong to our ports, without their counts."""
    lines = guest.sh("cat /proc/interrupts").splitlines()
    return sorted(re.sub(r"^\s*\d+:(\s+\d+)+", "", line).strip() for line in lines
                  if re.search(rf"\beth\d|{driver}", line))


def driver_ranges(guest, driver=DRIVER):
    """Address ranges that the driver has claimed."""
    lines = guest.sh("cat /proc/iomem /proc/ioports").splitlines()
    return [line.strip() for line in lines if driver in line]


def page_pools(guest):
    """All page pools, as (interface index, pages that are out)."""
    lines = guest.sh("rigtool pagepools").splitlines()
    return [tuple(map(int, line.split()[1:])) for line in lines if line]


def left_over(guest, driver=DRIVER):
    """What a driver that is not bound still holds; should be nothing."""
    left = {"vectors": vectors(guest, driver), "iomem": driver_ranges(guest, driver),
            "pools": page_pools(guest),
            "interfaces": guest.sh("ls -d /sys/class/net/eth* 2>/dev/null; true").split()}
    return {name: value for name, value in left.items() if value}
