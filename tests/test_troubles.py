# SPDX-License-Identifier: GPL-2.0
"""In-tree igb and this driver in the same trouble; the page that tells of it."""
import re

import pytest
from rig import project, troubles
from rig.project import DRIVER
from rig.troubles import SCENARIOS, Done


def titles(text):
    """The scenarios that a page tells of, each with a table."""
    return re.findall(r"^(.+)\n=+\n\n::\n", text, re.MULTILINE)


@pytest.mark.guest("wire", ("msix-2cpu",), never="debug")
class TestHappens:
    """What the page says, of some scenarios, as it was seen now."""

    def test_reset(self, box):
        """A function-level reset: this driver is back before in-tree igb is, and says nothing."""
        theirs, ours = (troubles.run(box, "function-level reset", driver)
                        for driver in troubles.DRIVERS)
        for answers in theirs, ours:
            assert answers["command"].startswith("ok"), answers
            assert answers["left over"] == "nothing", answers
        assert "NETDEV WATCHDOG" in theirs["kernel log"], theirs
        assert ours["kernel log"] == "-", ours
        assert seconds(ours["traffic"]) < seconds(theirs["traffic"])

    def test_dead(self, box, monkeypatch):
        """A port that stays dead is said to be, with what helps."""
        monkeypatch.setattr(troubles, "LIMIT", 4 / project.PATIENCE)
        monkeypatch.setitem(SCENARIOS, "down", ("msix-2cpu", lambda port: port.hit(
            "ip link set eth0 down; echo '<4>WARNING: CPU: 0 at here+0x1' >/dev/kmsg")))
        found = troubles.run(box, "down", DRIVER)
        assert found["traffic"] == "dead until ifdown/ifup"
        assert found["kernel log"] == "WARNING at here+0x1"
        assert found["left over"] == "nothing"


def seconds(text):
    """After how long it was back."""
    found = re.fullmatch(r"back after (\S+) (m?s)", text)
    assert found or text == "goes on", text
    return 0 if not found else float(found[1]) / (1000 if found[2] == "ms" else 1)


class TestPage:
    """What is published."""

    TABLE = {"this": {"command": ("ok, 10 ms", "ok, 1.0 s"), "kernel log": ("-", "-")},
             "that": {"it": ("hangs", "")}}

    def test_published(self):
        """Every scenario, in order, and none that is not any more."""
        text = (project.TOP / troubles.PAGE).read_text(encoding="utf-8")
        assert titles(text) == list(SCENARIOS)
        versions = re.search(r"^\((.*)\.\)$", text, re.MULTILINE)[1]
        assert text.startswith(troubles.HEAD.format(versions=versions))

    def test_text(self, tmp_path):
        """Each answer in its driver's column."""
        (tmp_path / troubles.PAGE).parent.mkdir()
        troubles.publish(self.TABLE, "Linux 7", tmp_path)
        text = (tmp_path / troubles.PAGE).read_text(encoding="utf-8")
        assert "(Linux 7.)" in text
        assert titles(text) == ["this", "that"]
        assert text.endswith("\nthis\n====\n\n::\n\n"
                             f"                igb        {DRIVER}\n"
                             "    command     ok, 10 ms  ok, 1.0 s\n"
                             "    kernel log  -          -\n\n"
                             "that\n====\n\n::\n\n"
                             f"        igb    {DRIVER}\n"
                             "    it  hangs\n")

    @pytest.mark.parametrize("done, text", (
        (Done(0, "", 0.014), "ok, 10 ms"), (Done(0, "", 2.5), "ok, 2.5 s"),
        (Done(None, "", 30), "no end in 30 s"),
        (Done(1, "Segmentation fault\n", 9.5), "killed by an oops after 9.5 s"),
        (Done(1, "\nip: RTNETLINK answers: No such device\nMore", 0.1),
         "refused: No such device after 100 ms"),
        (Done(3, " \n", 1), "refused: exit 3 after 1.0 s")))
    def test_command(self, done, text):
        """What became of a command, in words."""
        assert str(done) == text
