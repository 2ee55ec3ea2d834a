# SPDX-License-Identifier: GPL-2.0
"""ethtool -N: refused where the chip's filters do not work, and as it should be where they do.

The emulated chip has none that work. Where they do is a card whose registers are memory: what
rules become in them is told by KUnit (tests/kunit/filter_test.c), what ethtool, the kernel and
resets make of them is told here.
"""
import re

import pytest
from rig.fakecard import FAKE, FakeCard
from rig.nic import Nic

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))

SYNQF, SAQF, DAQF, SPQF, FTQF, IMIR, IMIREXT = (
    0x55fc, 0x5980, 0x59a0, 0x59c0, 0x59e0, 0x5a80, 0x5aa0)
RULES = {
    "ether": "flow-type ether proto 0x88f7 action 1",
    "syn": "flow-type tcp4 user-def 2 action 1",
    "tcp4": "flow-type tcp4 dst-ip 10.0.0.1 dst-port 80 action 1",
    "udp4": "flow-type udp4 src-ip 10.0.0.2 src-port 53 action 0",
    "sctp4": "flow-type sctp4 src-ip 10.0.0.2 action 0",
    "ip4": "flow-type ip4 l4proto 89 action 0",
}
UNSUPPORTED = "Operation not supported"


def insert(nic, rule):
    """Insert a rule; returns what ethtool said: its exit status does not tell."""
    return nic.ethtool(f"-N {{}} {rule}", check=False)


def shown(nic):
    """{location: the rest of its paragraph} of ethtool -n."""
    return dict((int(number), text) for number, text in
                re.findall(r"^Filter: (\d+)\n((?:\t.*\n)*)", nic.ethtool("-n"), re.M))


@pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))
class TestNotThere:
    """The emulated chip: EtherType filters do not steer, the others do not exist."""

    @pytest.fixture
    def nic(self, fresh_nic):
        """Probed in this test, for what it said."""
        return fresh_nic

    def test_said(self, nic):
        """The reason of each kind is in the log, and the feature is not offered."""
        log = "\n".join(line.text for line in nic.guest.dmesg())
        for reason in ("no EtherType filters, they do not choose the queue",
                       "no TCP SYN filters, register 0x55fc does not read back",
                       "no 5-tuple filters, register 0x5980 does not read back"):
            assert reason in log
        assert "ntuple-filters: off [fixed]" in nic.ethtool("-k")

    def test_refused(self, nic):
        """No rule is taken, by any of the calls, and no register written."""
        def registers():
            return nic.ethtool("-d").splitlines()
        before, state = registers(), nic.state()
        for rule in RULES.values():
            assert UNSUPPORTED in insert(nic, rule.replace("action 1", "action 0")), rule
        for options in ("-n {}", "-n {} rule 0", "-N {} delete 0"):
            said, status = nic.guest.sh_status(f"ethtool {options.format(nic.name)}")
            assert status and UNSUPPORTED in said, options
        after = registers()
        # Rings move, and the link's state is read by MDIO.
        assert len(before) == len(after)
        assert nic.state() == state


class TestRules:
    """A card whose registers are memory; EtherType filters it has none, like the emulated chip."""

    @pytest.fixture
    def nic(self, guest, arch):
        """Its interface, down, with two queues."""
        if arch != "x86_64":
            pytest.skip("the card is a VGA card")
        guest.allow_log(FAKE)
        card = FakeCard(guest)
        card.load()
        yield Nic(guest, guest.sh(f"ls /sys/bus/pci/devices/{FAKE}/net").strip(), FAKE)
        card.release()

    @staticmethod
    def read(nic, *registers):
        """What is in registers."""
        return [int(value, 16) for value in nic.guest.sh(
            "; ".join(f"rigtool mmio {FAKE} {register:#x}" for register in registers)).split()]

    @staticmethod
    def fill(nic):
        """A SYN rule, at location 8, and one of each kind of 5-tuple, from 9 on."""
        for name, rule in RULES.items():
            said = insert(nic, rule)
            assert name == "ether" or "Added rule with ID" in said, said

    # The registers of the rules that fill() makes, and what is to be in them.
    FILLED = {SYNQF: 0x3, DAQF: 0x0100000a, IMIR: 0xe0005000,
              IMIREXT: 0x00081000, FTQF: 0xa0018106, SAQF + 4: 0x0200000a, SPQF + 4: 0x3500,
              FTQF + 4: 0x40008111, FTQF + 8: 0xc0008184, FTQF + 12: 0xe0008159}

    def test_written(self, nic):
        """Each kind from ethtool's words to registers, shown again, and taken back."""
        assert "ntuple-filters: on" in nic.ethtool("-k")
        assert "Total 0 rules" in nic.ethtool("-n")
        self.fill(nic)
        assert self.read(nic, *self.FILLED) == list(self.FILLED.values())
        rules = shown(nic)
        assert sorted(rules) == [8, 9, 10, 11, 12]
        assert "Action: Direct to queue 1" in rules[8]
        assert "User-defined: 0x2" in rules[8] and "Rule Type: TCP over IPv4" in rules[8]
        assert "Dest IP addr: 10.0.0.1 mask: 0.0.0.0" in rules[9]
        for location in rules:
            nic.ethtool(f"-N {{}} delete {location}")
        assert shown(nic) == {}
        assert not any(self.read(nic, SYNQF, *range(FTQF, FTQF + 32, 4)))

    def test_kept(self, nic):
        """Rings, more queues and a reset, which costs the chip its registers, change nothing."""
        self.fill(nic)
        rules = nic.ethtool("-n")
        nic.ethtool("-G {} rx 512")
        nic.ethtool("-L {} combined 4")
        assert self.read(nic, *self.FILLED) == list(self.FILLED.values())
        FakeCard(nic.guest).write({register: 0 for register in self.FILLED})
        nic.guest.sh(f"devlink dev reload pci/{FAKE}", timeout=60)
        assert self.read(nic, *self.FILLED) == list(self.FILLED.values())
        assert nic.ethtool("-n").splitlines()[1:] == rules.splitlines()[1:]

    def test_queue_in_use(self, nic):
        """A queue that a rule leads to cannot be taken away, nor a rule lead beyond the queues."""
        nic.ethtool("-L {} combined 4")
        nic.ethtool(f"-N {{}} {RULES['tcp4'].replace('action 1', 'action 3')}")
        said, status = nic.guest.sh_status(f"ethtool -L {nic.name} combined 3")
        assert status and "ntuple filter" in said
        assert "Direct to queue 3" in shown(nic)[9]
        nic.ethtool("-N {} delete 9")
        nic.ethtool("-L {} combined 3")
        assert "Invalid argument" in insert(nic, RULES["syn"].replace("action 1", "action 3"))

    def test_ntuple_off(self, nic):
        """Takes all rules back, and lets none in until it is on again."""
        self.fill(nic)
        nic.ethtool("-K {} ntuple off")
        assert shown(nic) == {}
        assert self.read(nic, SYNQF, FTQF, FTQF + 4) == [0, 0, 0]
        assert UNSUPPORTED in insert(nic, RULES["syn"])
        nic.ethtool("-K {} ntuple on")
        assert shown(nic) == {}
        self.fill(nic)

    def test_refused(self, nic):
        """Each by an error of its own and a reason in the log; the rules stay as they were."""
        self.fill(nic)
        rules = nic.ethtool("-n")
        for rule, error, reason in (
                ("flow-type ether proto 0x88f7 action 0", UNSUPPORTED, "no EtherType filters"),
                ("flow-type tcp4 user-def 2 action 0", "File exists", "rule 8 is for"),
                ("flow-type ip4 src-ip 10.0.0.2 l4proto 132 action 0", "File exists",
                 "rule 11 is for"),
                ("flow-type ether proto 0x0800 action 0", "Invalid argument", "IP's"),
                ("flow-type ether dst 02:00:00:00:00:01 m 00:00:00:00:00:00 action 0",
                 UNSUPPORTED, "all of proto"),
                ("flow-type udp4 dst-port 53 loc 8 action 0", "Invalid argument",
                 "locations 9 to 16"),
                ("flow-type tcp6 dst-port 80 action 0", UNSUPPORTED, "flow-type ether, tcp4"),
                ("flow-type tcp4 dst-port 80 vlan 5 action 0", UNSUPPORTED, "VLANs"),
                ("flow-type tcp4 dst-port 80 dst-mac 02:00:00:00:00:01 action 0", UNSUPPORTED,
                 "MAC addresses"),
                ("flow-type tcp4 src-ip 10.0.0.0 m 0.0.0.255 action 0", UNSUPPORTED,
                 "no other mask"),
                ("flow-type tcp4 tos 4 action 0", UNSUPPORTED, "type of service"),
                ("flow-type sctp4 dst-port 80 action 0", UNSUPPORTED, "ports"),
                ("flow-type tcp4 user-def 0x10 action 0", UNSUPPORTED, "only SYN"),
                ("flow-type udp4 dst-port 80 action -1", UNSUPPORTED, "neither drops"),
                ("flow-type udp4 dst-port 80 action 2", "Invalid argument", "queues 0 to 1"),
                ("flow-type ip4 action 0", "Invalid argument", "says nothing")):
            position = nic.guest.log_position()
            said = insert(nic, rule)
            assert error in said, f"{rule}: {said}"
            log = "\n".join(line.text for line in nic.guest.dmesg(position))
            assert re.search(f"rule refused: .*{re.escape(reason)}", log), f"{rule}: {log}"
        for number in range(13, 17):
            nic.ethtool(f"-N {{}} flow-type udp4 dst-port {number} action 0")
        assert "No space left" in insert(nic, "flow-type udp4 dst-port 17 action 0")
        for number in range(13, 17):
            nic.ethtool(f"-N {{}} delete {number}")
        said, status = nic.guest.sh_status(f"ethtool -N {nic.name} delete 13")
        assert status and "No such file" in said
        assert nic.ethtool("-n") == rules
