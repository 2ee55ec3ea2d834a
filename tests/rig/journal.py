# SPDX-License-Identifier: GPL-2.0
"""Judging the kernel's messages: which of them fail the test that caused them."""
import dataclasses
import re

from .project import DRIVER

FATAL = re.compile(
    r"WARNING:|\bBUG\b|Oops|Call Trace|cut here|Kernel panic|general protection|"
    r"Unable to handle|Internal error|DMA-API(?!: (preallocated|debugging enabled))|"
    r"NETDEV WATCHDOG|transmit queue \d+ timed out|tx[ _]timeout|"
    r"blocked for more than|hung_task|soft lockup|hard LOCKUP|rcu.*(stall|kthread starved)|"
    r"nobody cared|Disabling IRQ|page allocation failure|refcount_t|list_(add|del) corruption|"
    r"UBSAN|KASAN|KFENCE|Bad page|possible circular locking|unregister_netdevice: waiting|"
    r"DMAR: .*fault|swiotlb buffer is full|kmemleak: [1-9]\d* new|page_pool.*(stalled|inflight)|"
    r"rigtool: kernel messages were lost", re.IGNORECASE)

# What the driver may say unasked: its banner when it binds, and the link.
FREELY = re.compile(
    r"Link is (Up - |Down)|"
    r"igb_demo: loading out-of-tree module taints kernel|"
    r"igb_demo: module verification failed")

# KCSAN's report of a race is between two such lines; who made an access is in the line below it.
RULE = re.compile(r"^={60,}$")
RACE = re.compile(r"\bBUG: KCSAN: ")
ACCESS = re.compile(r"^(race at unknown origin, with )?"
                    r"(read|write|assert no (accesses|writes)|read-write)\b.* to 0x")


@dataclasses.dataclass(frozen=True)
class Line:
    """One kernel message."""
    level: int
    number: int
    stamp_us: int
    text: str

    @classmethod
    def parse_all(cls, output):
        """From rigtool kmsg's lines "LEVEL NUMBER MICROSECONDS TEXT"."""
        # An emergency is printed on the console as well, between them.
        found = re.findall(r"^([0-7]) (\d+) (\d+) (.*)$", output, re.M)
        return [cls(int(level), int(number), int(stamp), text)
                for level, number, stamp, text in found]

    @property
    def from_driver(self):
        """Whether the driver said it."""
        return DRIVER in self.text

    def __str__(self):
        return f"<{self.level}>[{self.stamp_us / 1e6:12.6f}] {self.text}"


def without_foreign_races(lines):
    """@lines without KCSAN's reports of accesses that are all made by others than the driver: the
    rest of the kernel has more of them than one could read."""
    kept, report = [], []
    for line in lines:
        if report:
            report.append(line)
            if RULE.search(line.text):
                kept += [] if _is_foreign_race(report) else report
                report = []
        elif RULE.search(line.text):
            report = [line]
        else:
            kept.append(line)
    return kept + report


def _is_foreign_race(report):
    makers = [after.text for line, after in zip(report, report[1:]) if ACCESS.search(line.text)]
    return any(RACE.search(line.text) for line in report[:2]) and makers \
        and not any(DRIVER in maker for maker in makers)


class Expectations:
    """What a test announced that the kernel would say."""

    def __init__(self):
        self._required = []
        self._allowed = []

    def expect(self, pattern):
        """A message that must come, once or more."""
        self._required.append(re.compile(pattern, re.IGNORECASE))

    def allow(self, pattern):
        """A message that may come."""
        self._allowed.append(re.compile(pattern, re.IGNORECASE))

    def judge(self, lines):
        """Complaints about @lines; none when all is as it should be."""
        welcome = self._required + self._allowed
        complaints = []
        for line in lines:
            if any(pattern.search(line.text) for pattern in welcome):
                continue
            if FATAL.search(line.text):
                complaints.append(f"the kernel complained: {line}")
            elif line.from_driver and line.level <= 4 and not FREELY.search(line.text):
                complaints.append(f"unexpected message: {line}")
        complaints += [f"expected message did not come: {pattern.pattern}"
                       for pattern in self._required
                       if not any(pattern.search(line.text) for line in lines)]
        return complaints
