# SPDX-License-Identifier: GPL-2.0
"""Documentation/igb_demo.rst: its commands work as they stand, one after the other."""
import re

import pytest
from rig import project
from rig.nic import Nic
from rig.sessions import address

PAGE = project.TOP / "Documentation" / "igb_demo.rst"


def commands():
    """The lines of the blocks that are for the guest."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^\.\. code-block:: shell\n\n((?: +\S.*\n)+)", text, re.M)
    assert len(blocks) == text.count("\n.. code-block:: shell\n") > 0
    return [line.strip() for block in blocks for line in block.splitlines()]


@pytest.mark.guest("user", ("msix-2cpu",))
def test_commands(guest, box):
    """None fails, each prints or does something, and the network works in the end."""
    guest.expect_log("NVM cannot be written")
    guest.expect_log("NVM: 1 bytes from offset 0x21 were to be written, 0 are")
    nic = Nic(guest, pci="0000:01:00.0")
    nic.load()
    address(guest)
    before = nic.state()
    assert box.multi_cpu
    for command in commands():
        said, status = guest.sh_status(command, timeout=60)
        assert not status, f"{command}: {said}"
        asks = not re.match(r"echo|ip (link set|maddr)|ethtool (-[A-Zprs]|--set)|"
                            r"devlink (health set|dev reload)|.* > ", command)
        assert said.strip() or not asks, f"{command} says nothing"
        assert not re.search(r"not supported|bad command line|invalid", said, re.I), said
    nic.up()
    assert nic.state() == before, "a setting was not taken back"
    guest.sh("ip addr add 10.0.2.15/24 dev eth0; rigtool carrier eth0 1; "
             "ping -c 2 -W 5 10.0.2.2 || ping -c 2 -W 5 10.0.2.2")


def test_complete():
    """Each of the driver's statistics of a queue is explained, and each option is shown."""
    text = PAGE.read_text(encoding="utf-8")
    driver = "".join(path.read_text(encoding="utf-8") for path in project.TOP.glob("igb_*.c"))
    words = re.findall(r'"(\w+)"', "".join(re.findall(r"igb_[rt]x_strings\[\] = \{(.*?)\};",
                                                      driver, re.S)))
    assert words
    # The page lists them by their common beginnings.
    assert not [word for word in words
                if f"_{word}``" not in text and f"``{word.removeprefix('xdp')}``" not in text]
    shown = "\n".join(commands())
    for option in "degGlLxXnNcCQkKsSriE":
        assert re.search(rf"^ethtool -{option}\b", shown, re.M), f"ethtool -{option} is not shown"
