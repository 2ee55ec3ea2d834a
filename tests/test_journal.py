# SPDX-License-Identifier: GPL-2.0
"""The judge of the kernel's messages."""
import pytest
from rig.journal import Expectations, Line, without_foreign_races

RULE = "=" * 66
OURS = "igb_poll+0x1c/0x200 [igb_demo]"
THEIRS = "rcu_gp_fqs+0x30/0x90"
REPORT = """{rule}
BUG: KCSAN: data-race in one / other

write (marked) to 0xffff888100000000 of 8 bytes by task 1 on cpu 1:
 {first}
 igb_open+0x20/0x40 [igb_demo]

read to 0xffff888100000000 of 8 bytes by interrupt on cpu 0:
 {second}
 net_rx_action+0x99/0x300

value changed: 0x0000000000000000 -> 0x0000000000000001
{rule}"""
UNKNOWN = """{rule}
BUG: KCSAN: data-race in {first}

race at unknown origin, with read to 0xffff888100000000 of 4 bytes by task 7 on cpu 0:
 {first}
{rule}"""


def _lines(text):
    return [Line(3, number, number, line) for number, line in enumerate(text.splitlines())]


def _judged(text):
    return Expectations().judge(without_foreign_races(_lines(text)))


@pytest.mark.parametrize("form", (REPORT, UNKNOWN))
class TestRaces:
    """KCSAN's reports: those of accesses by the driver count."""

    def test_foreign(self, form):
        """Others did it, be it that the driver has called them."""
        assert not _judged(form.format(rule=RULE, first=THEIRS, second=THEIRS))

    def test_ours(self, form):
        """One of the two is the driver."""
        assert _judged(form.format(rule=RULE, first=OURS, second=THEIRS))

    def test_beside(self, form):
        """What is before and after a report stays, and so does one without an end."""
        report = form.format(rule=RULE, first=THEIRS, second=THEIRS)
        kept = without_foreign_races(_lines(f"before\n{report}\nafter\n{RULE}\nlast"))
        assert [line.text for line in kept] == ["before", "after", RULE, "last"]


def test_other_reports():
    """KASAN's are between rules, too."""
    assert _judged(f"{RULE}\nBUG: KASAN: slab-use-after-free in {THEIRS}\nRead of size 4\n{RULE}")
