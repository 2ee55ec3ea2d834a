# SPDX-License-Identifier: GPL-2.0
"""The link: it follows the cable, it is quick, and it is what was asked for.

IGB_DEMO_FLAPS says how often the cable is pulled and plugged under traffic.
"""
import os
import random
import re
import time

import pytest
from rig import frames
from rig.box import STEADY
from rig.frames import PEER
from rig.nic import MODULE, Nic
from rig.project import DRIVER
from rig.settings import flowing, write_file

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))


@pytest.fixture
def nic(fresh_nic):
    """Settings are what this is about: none may be left from the test before."""
    return fresh_nic

UP = "Link is Up - 1Gbps/Full - flow control rx/tx"
DOWN = "Link is Down"
NO_PARTNER = "no (Autoneg, No partner detected)"
FLAPS = int(os.environ.get("IGB_DEMO_FLAPS", 20))
# The carrier and how often it came and went, as four places tell it.
COUNTED = ("cd /sys/class/net/eth0 && "
           "cat carrier carrier_down_count carrier_up_count carrier_changes && "
           "rigtool linkdowns eth0")
# Waits for the carrier $1, and then for what must follow: that nothing is left on its way when
# it is gone, that frames pass both ways when it is back. Prints what was counted of it.
FOLLOWED = """
cd /sys/class/net/eth0
before=$(cat statistics/rx_packets)
rigtool carrier eth0 $1 limit=5000 >/dev/null || echo late
settled() {
	case $1 in
	0) [ "$(sort -u queues/tx-*/byte_queue_limits/inflight)" = 0 ] ;;
	1) [ $(cat statistics/rx_packets) -ge $((before + 6)) ] ;;
	esac
}
n=0
until settled $1; do
	n=$((n + 1)); [ $n -gt 200 ] && { echo stuck; break; }
	usleep 20000
done
""" + COUNTED


def link_messages(guest):
    """What the driver said about the link since the test began."""
    return [re.sub(r".*(Link is)", r"\1", line.text) for line in guest.dmesg()
            if line.from_driver and "Link is" in line.text]


def wait_carrier(nic, want, limit=5000):
    """Wait for the carrier; returns how long it took in seconds."""
    said = nic.guest.sh(f"rigtool carrier {nic.name} {int(want)} limit={limit}")
    return int(said.split("=")[1]) / 1e6


def renegotiates(nic, action):
    """Do what takes the link down and up once, and wait for both.

    Down it is for half a second, which somebody who looks now and then may miss.
    """
    counts = [int(nic.sysfs(f"carrier_{way}_count")) + 1 for way in ("down", "up")]
    action()
    for way, count in zip(("down", "up"), counts):
        nic.guest.until(f"cat /sys/class/net/{nic.name}/carrier_{way}_count", rf"^{count}$")


def sends(nic, wire):
    """Whether a frame gets out."""
    wire.drain()
    nic.transmit(f"dst={PEER} sizes=100")
    return wire.recv() == frames.build(0, 100, PEER, nic.mac)


class TestCable:
    """set_link on the other side of the emulator."""

    def test_each_change_is_logged_once(self, nic, wire):
        """Pull and plug: carrier follows, one message each, with what the link is."""
        guest = nic.guest
        assert link_messages(guest) == [UP]
        for _ in range(3):
            guest.set_link(False)
            wait_carrier(nic, False)
            assert nic.settings()["Link detected"] == NO_PARTNER
            guest.set_link(True)
            wait_carrier(nic, True)
            assert nic.settings()["Link detected"] == "yes"
        assert link_messages(guest) == [UP] + [DOWN, UP] * 3
        assert sends(nic, wire)

    def test_flapping(self, nic, wire):
        """A loose contact: in the end the state is right, and messages alternate."""
        guest = nic.guest
        for _ in range(25):
            guest.set_link(False)
            guest.set_link(True)
        wait_carrier(nic, True)
        said = link_messages(guest)
        assert said[0] == UP and said[-1] == UP
        assert all(first != second for first, second in zip(said, said[1:])), said
        assert sends(nic, wire)

    @pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))
    @pytest.mark.timeout(240 + 5 * FLAPS)
    def test_flapping_under_traffic(self, nic, wire):
        """Each time: no frame is stuck while it is gone, frames pass when it is back, and it is
        counted once."""
        guest, dice = nic.guest, random.Random(FLAPS)
        write_file(guest, "/tmp/followed.sh", FOLLOWED)
        _, downs, ups, changes, events = map(int, guest.sh(f"({COUNTED})").split())
        with flowing(nic, wire):
            for number in range(1, FLAPS + 1):
                for way in (0, 1):
                    guest.set_link(bool(way))
                    time.sleep(dice.uniform(0, 0.2))
                    said = guest.sh(f"sh /tmp/followed.sh {way}").split()
                    wanted = (way, downs + number, ups + number - 1 + way,
                              changes + 2 * number - 1 + way, events + number)
                    assert said == list(map(str, wanted)), f"pulled {number} times"
        assert link_messages(guest) == [UP] + [DOWN, UP] * FLAPS
        assert sends(nic, wire)

    def test_cable_moves_while_down(self, nic, wire):
        """What happened while the port was down is noticed when it comes up."""
        guest = nic.guest
        nic.down()
        guest.set_link(False)
        guest.sh(f"ip link set {nic.name} up")
        guest.sh("sleep 1")
        assert not nic.carrier
        guest.set_link(True)
        wait_carrier(nic, True)
        nic.down()
        guest.set_link(False)
        guest.set_link(True)
        guest.sh("sleep 1")
        nic.up()
        assert sends(nic, wire)

    def test_cable_never_plugged(self, guest, wire):
        """No link at all: nothing waits for it, and it is said once, after a while."""
        nic = Nic(guest)
        guest.expect_log("no link yet")
        guest.set_link(False)
        guest.sh(f"insmod {MODULE} && ip link set {nic.name} up")
        guest.sh("sleep 3")
        assert not nic.carrier
        assert nic.settings()["Link detected"] == NO_PARTNER
        assert nic.settings()["Speed"].startswith("Unknown")
        nic.down()
        guest.sh(f"ip link set {nic.name} up")
        assert not link_messages(guest)
        guest.wait_log("no link yet")
        guest.sh("sleep 3")
        said = [line for line in guest.dmesg() if "no link yet" in line.text]
        assert len(said) == 1, "said more than once"
        guest.set_link(True)
        wait_carrier(nic, True)
        assert link_messages(guest) == [UP]
        assert sends(nic, wire)

    def test_unplugged_traffic_is_harmless(self, nic, wire):
        """Sending into a pulled cable: no complaint, and it works again afterwards."""
        guest = nic.guest
        guest.set_link(False)
        guest.sh(f"rigtool send {nic.name} sizes=1000 repeat=600; "
                 f"rigtool send {nic.name} sizes=1000 bypass=1; sleep 6", timeout=60)
        guest.set_link(True)
        wait_carrier(nic, True)
        assert sends(nic, wire)


@pytest.mark.guest("wire", STEADY)
class TestTimes:
    """Bounds that a person would notice."""

    def test_probe(self, nic):
        """Binding the driver to the card takes 20 ms at most."""
        said = nic.guest.sh(f"rigtool probe {DRIVER} {nic.pci} 10", timeout=60)
        times = [int(number) / 1000 for number in re.findall(r"=(\d+)", said)]
        print(times)
        assert len(times) == 10 and max(times) < 20, times

    def test_first_carrier(self, guest):
        """0.6 s after the start of insmod there is a link."""
        for _ in range(3):
            said = guest.sh(f"rigtool load {MODULE} eth0")
            times = [int(number) / 1000 for number in re.findall(r"=(\d+)", said)]
            guest.sh(f"rmmod {DRIVER}")
            print(times)
            assert times[-1] < 600, times

    def test_later_up(self, nic):
        """Coming up again finds the link there: 20 ms at most."""
        said = nic.guest.sh(f"rigtool updown {nic.name} 20", timeout=120)
        times = [int(number) / 1000 for number in re.findall(r"carrier_us=(\d+)", said)]
        print(times)
        assert len(times) == 20 and max(times) < 20, times


class TestReplugged:
    """How long a person waits for the link, with the cable in hand."""

    def test_replugged(self, nic):
        """A cable plugged in again: negotiation's half second and little more."""
        took = []
        while len(took) < 3 or (min(took) >= 0.7 and len(took) < 10):
            nic.guest.set_link(False)
            wait_carrier(nic, False)
            nic.guest.set_link(True)
            took.append(wait_carrier(nic, True))
        assert min(took) < 0.7, took


@pytest.mark.guest("wire", ("msix-1cpu",))
class TestSettings:
    """ethtool's link settings."""

    def test_defaults(self, nic):
        """Everything is advertised, 1000 full is negotiated."""
        settings = nic.settings()
        assert settings["Speed"] == "1000Mb/s"
        assert settings["Duplex"] == "Full"
        assert settings["Auto-negotiation"] == "on"
        assert settings["Port"] == "Twisted Pair"
        assert settings["PHYAD"] == "1"
        assert settings["Link detected"] == "yes"
        assert settings["Supports auto-negotiation"] == "Yes"
        shown = nic.ethtool()
        for what in ("Supported", "Advertised"):
            modes = re.search(rf"{what} link modes: +((?:\S.*\n\s*)+?)(?=\S+ (pause|auto|FEC))",
                              shown)[1].split()
            assert modes == ["10baseT/Half", "10baseT/Full", "100baseT/Half", "100baseT/Full",
                             "1000baseT/Full"]

    @pytest.mark.parametrize("speed,duplex", ((100, "full"), (100, "half"), (10, "full"),
                                              (10, "half")))
    def test_forced(self, nic, wire, speed, duplex):
        """Autonegotiation off; and on again."""
        nic.ethtool(f"-s {{}} autoneg off speed {speed} duplex {duplex}")
        said = f"Link is Up - {speed}Mbps/{duplex.capitalize()} - flow control off"
        nic.guest.wait_log(said)
        wait_carrier(nic, True)
        settings = nic.settings()
        assert settings["Auto-negotiation"] == "off"
        assert settings["Advertised auto-negotiation"] == "No"
        assert settings["Speed"] == f"{speed}Mb/s"
        assert settings["Duplex"] == duplex.capitalize()
        assert sends(nic, wire)
        nic.down()
        nic.up()
        assert nic.settings()["Speed"] == f"{speed}Mb/s", "forgotten by down and up"
        nic.ethtool("-s {} autoneg on")
        self._wait_speed(nic, "1000Mb/s")
        assert nic.settings()["Advertised auto-negotiation"] == "Yes"
        assert sends(nic, wire)

    @staticmethod
    def _wait_speed(nic, speed):
        nic.guest.until(f"ethtool {nic.name}", rf"Speed: {speed}[\s\S]*Link detected: yes")

    def test_forced_survives_the_cable(self, nic, wire):
        """A forced link is forced again when the cable comes back."""
        nic.ethtool("-s {} autoneg off speed 100 duplex full")
        nic.guest.wait_log("Link is Up - 100Mbps/Full")
        nic.guest.set_link(False)
        wait_carrier(nic, False)
        nic.guest.set_link(True)
        wait_carrier(nic, True)
        self._wait_speed(nic, "100Mb/s")
        assert sends(nic, wire)

    def test_advertised(self, nic):
        """What is advertised reaches the PHY's registers."""
        renegotiates(nic, lambda: nic.ethtool("-s {} advertise 0x008"))      # 100baseT/Full
        assert int(self._mii(nic, 4), 16) & 0x01e0 == 0x0100
        assert int(self._mii(nic, 9), 16) & 0x0300 == 0
        assert re.search(r"Advertised link modes: +100baseT/Full\n\t\S", nic.ethtool())
        nic.ethtool("-s {} advertise 0x02f")
        wait_carrier(nic, True)
        assert int(self._mii(nic, 4), 16) & 0x01e0 == 0x01e0
        assert int(self._mii(nic, 9), 16) & 0x0300 == 0x0200

    def test_renegotiate(self, nic, wire):
        """ethtool -r takes the link down and up once."""
        before = len(link_messages(nic.guest))
        renegotiates(nic, lambda: nic.ethtool("-r"))
        assert link_messages(nic.guest)[before:] == [DOWN, UP]
        assert sends(nic, wire)

    def test_renegotiate_forced(self, nic):
        """There is nothing to renegotiate about a forced link."""
        nic.ethtool("-s {} autoneg off speed 100 duplex full")
        nic.guest.wait_log("Link is Up - 100Mbps/Full")
        assert "Invalid argument" in nic.ethtool("-r", check=False)

    def test_settings_while_down(self, nic):
        """Settings made while the port is down hold when it comes up."""
        nic.down()
        nic.ethtool("-s {} autoneg off speed 100 duplex full")
        nic.guest.sh("sleep 1")
        nic.up()
        self._wait_speed(nic, "100Mb/s")

    @staticmethod
    def _mii(nic, register, options=""):
        return nic.guest.sh(f"rigtool mii {nic.name} {register} {options}").strip()


class TestMii:
    """The old ioctls, which share MDIC with the driver."""

    def test_identity(self, nic):
        """The PHY answers at address 1 with its identifier."""
        mii = f"rigtool mii {nic.name}"
        assert nic.guest.sh(mii) == "phy=1\n"
        assert nic.guest.sh(f"{mii} 2") == "0x02a8\n"
        assert nic.guest.sh(f"{mii} 3") == "0x0391\n"
        assert int(nic.guest.sh(f"{mii} 1"), 16) & 0x0004, "BMSR says there is no link"

    def test_nobody_there(self, nic):
        """Other addresses and missing registers are errors, quickly and quietly."""
        for phy in (0, 2, 31):
            said, status = nic.guest.sh_status(f"rigtool mii {nic.name} 2 phy={phy}")
            assert status and "Input/output error" in said
        said, status = nic.guest.sh_status(f"rigtool mii {nic.name} 11")
        assert status and "Input/output error" in said

    def test_write(self, nic):
        """What is written is read back, and holds until the link is negotiated anew."""
        mii = f"rigtool mii {nic.name}"
        before = nic.guest.sh(f"{mii} 4")
        nic.guest.sh(f"{mii} 4 0x0061")
        assert nic.guest.sh(f"{mii} 4") == "0x0061\n"
        nic.ethtool("-r")
        nic.guest.until(f"{mii} 4", before)
        said, status = nic.guest.sh_status(f"{mii} 4 0x0061 phy=2")
        assert status and "Input/output error" in said

    def test_in_the_midst_of_link_changes(self, nic, wire):
        """Several readers beside the driver's own link work: every answer is right."""
        guest = nic.guest
        loop = (f"for i in $(seq 40); do r=$(rigtool mii {nic.name} 2)$(rigtool mii {nic.name} 3)"
                "; [ \"$r\" = 0x02a80x0391 ] || { echo wrong: $r; exit 1; }; done")
        jobs = [guest.spawn(loop) for _ in range(3)]
        for _ in range(5):
            guest.set_link(False)
            nic.ethtool("-r")
            guest.set_link(True)
            nic.settings()
        for job in jobs:
            assert job.wait(120) == ""
        wait_carrier(nic, True)
        assert sends(nic, wire)

    def test_while_down(self, nic):
        """The PHY can be read while the interface is down."""
        nic.down()
        assert nic.guest.sh(f"rigtool mii {nic.name} 2") == "0x02a8\n"
