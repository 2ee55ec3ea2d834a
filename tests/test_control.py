# SPDX-License-Identifier: GPL-2.0
"""Flow control, what is counted by the standards' names, and the rest of the link's settings."""
import re

import pytest
from rig import frames
from rig.frames import PEER

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))

NIC = "0000:01:00.0"
COMMAND, MEMORY = 0x04, 0x2             # in configuration space
CTRL = 0x0000
RFCE, TFCE = 1 << 27, 1 << 28


@pytest.fixture
def nic(fresh_nic):
    """Settings are what this is about: none may be left from the test before."""
    return fresh_nic


def register(nic, offset):
    """What a register reads."""
    return int(nic.guest.sh(f"rigtool mmio {NIC} {offset:#x}"), 16)


def phy(nic, number):
    """What a register of the PHY reads."""
    return int(nic.guest.sh(f"rigtool mii {nic.name} {number}"), 16)


def works(nic, wire):
    """Whether frames pass in both directions."""
    wire.drain()
    with nic.receiving("until=19") as seen:
        wire.burst(frames.series(nic.mac, 20, 200))
    nic.transmit(f"dst={PEER} sizes=200 repeat=20")
    return len(seen) == 20 and len(wire.collect(20)) == 20


def changes(nic, what, action):
    """Whether the action took the link down; waits until it is @what, in the log's words."""
    before = int(nic.sysfs("carrier_changes"))
    since = nic.guest.log_position()
    action()
    nic.guest.until(f"rigtool kmsg {since}", f"Link is Up - {what}")
    nic.guest.sh(f"rigtool carrier {nic.name} 1")
    return int(nic.sysfs("carrier_changes")) > before


def switch(on):
    """As ethtool wants it."""
    return "on" if on else "off"


def named(rx, tx):
    """As the driver says it."""
    return {(True, True): "rx/tx", (True, False): "rx", (False, True): "tx",
            (False, False): "off"}[rx, tx]


def used(nic):
    """(rx, tx) as the chip has it."""
    ctrl = register(nic, CTRL)
    return bool(ctrl & RFCE), bool(ctrl & TFCE)


def pause(nic):
    """(autoneg, rx, tx) as ethtool shows it."""
    return tuple(value == "on" for value in
                 re.findall(r"^(?:Autonegotiate|RX|TX):\s+(on|off)$", nic.ethtool("-a"), re.M))


DIRECTIONS = [(True, True), (True, False), (False, True), (False, False)]
# What the PHY advertises of it, bits 11 and 10 of register 4.
ADVERTISED = dict(zip(DIRECTIONS, (0x0400, 0x0c00, 0x0800, 0x0000)))
# What becomes of it with the emulator's partner, which wants both directions or none.
RESOLVED = dict(zip(DIRECTIONS, ((True, True), (True, True), (False, False), (False, False))))
FULL = "1Gbps/Full - flow control"


class TestPause:
    """ethtool -a and -A."""

    def test_defaults(self, nic):
        """Both directions are negotiated."""
        assert pause(nic) == (True, True, True)
        assert used(nic) == (True, True)
        assert phy(nic, 4) & 0x0c00 == ADVERTISED[True, True]
        said = nic.ethtool("-a")
        assert re.findall(r"negotiated:\s+(\S+)", said) == ["on", "on"], said
        assert nic.settings()["Advertised pause frame use"] == "Symmetric"

    @pytest.mark.parametrize("rx,tx", DIRECTIONS[1:])
    def test_negotiated(self, nic, wire, rx, tx):
        """What is advertised, and what comes of it; over down and up, and a reset; and back."""
        assert changes(nic, f"{FULL} {named(*RESOLVED[rx, tx])}",
                       lambda: nic.ethtool(f"-A {{}} rx {switch(rx)} tx {switch(tx)}"))
        for action in ("true", f"ip link set {nic.name} down; ip link set {nic.name} up",
                       f"echo 1 >/sys/bus/pci/devices/{NIC}/reset"):
            nic.guest.sh(action)
            nic.up()
            assert pause(nic) == (True, rx, tx), action
            assert used(nic) == RESOLVED[rx, tx], action
            assert phy(nic, 4) & 0x0c00 == ADVERTISED[rx, tx], action
        assert works(nic, wire)
        assert changes(nic, f"{FULL} rx/tx", lambda: nic.ethtool("-A {} rx on tx on"))
        assert pause(nic) == (True, True, True)

    @pytest.mark.parametrize("rx,tx", DIRECTIONS[1:])
    def test_forced(self, nic, wire, rx, tx):
        """Whatever the partner does; it is told, though, which costs the link."""
        assert changes(nic, f"{FULL} {named(rx, tx)}", lambda: nic.ethtool(
            f"-A {{}} rx {switch(rx)} tx {switch(tx)} autoneg off"))
        assert pause(nic) == (False, rx, tx)
        for action in ("true", f"ip link set {nic.name} down; ip link set {nic.name} up",
                       f"echo 1 >/sys/bus/pci/devices/{NIC}/reset"):
            nic.guest.sh(action)
            nic.up()
            assert used(nic) == (rx, tx), action
            assert phy(nic, 4) & 0x0c00 == ADVERTISED[rx, tx], action
        assert works(nic, wire)

    def test_link_is_kept(self, nic, wire):
        """Nothing that the partner need not know takes the link down."""
        nic.ethtool("-A {} rx on tx off")
        nic.guest.sh("sleep 1")
        nic.up()
        before = nic.sysfs("carrier_changes")
        since = nic.guest.log_position()
        for _ in range(3):
            assert used(nic) == (True, True)
            nic.ethtool("-A {} autoneg off")
            nic.guest.until(f"rigtool kmsg {since}", f"{FULL} rx$")
            since = nic.guest.log_position()
            assert used(nic) == (True, False)
            nic.ethtool("-A {} autoneg on")
            nic.guest.until(f"rigtool kmsg {since}", f"{FULL} rx/tx$")
            since = nic.guest.log_position()
        for numbers in ("1 1 0", "2 0x80000000 0", "0xffffffff 3 0"):
            nic.guest.sh(f"rigtool pause {nic.name} {numbers}")
            assert pause(nic) == (True, True, False)
        nic.guest.sh("sleep 1")
        assert nic.sysfs("carrier_changes") == before
        assert not [line for line in nic.guest.dmesg(since) if line.from_driver]
        assert works(nic, wire)

    def test_forced_link(self, nic, wire):
        """There is nobody to negotiate with: off, or forced, too; and only in full duplex."""
        nic.ethtool("-s {} autoneg off speed 100 duplex full")
        nic.guest.wait_log("Link is Up - 100Mbps/Full - flow control off")
        assert pause(nic) == (False, False, False)
        nic.guest.expect_log("flow control of a forced link cannot be negotiated")
        before = nic.state()
        said, status = nic.guest.sh_status(f"ethtool -A {nic.name} autoneg on")
        assert status and "Invalid argument" in said
        assert nic.state() == before and used(nic) == (False, False)
        assert not changes(nic, "100Mbps/Full - flow control tx$",
                           lambda: nic.ethtool("-A {} tx on"))
        assert pause(nic) == (False, False, True) and used(nic) == (False, True)
        assert works(nic, wire)
        nic.ethtool("-s {} autoneg off speed 100 duplex half")
        nic.guest.wait_log("Link is Up - 100Mbps/Half - flow control off")
        assert pause(nic) == (False, False, True) and used(nic) == (False, False)
        nic.ethtool("-s {} autoneg on")
        nic.guest.wait_log(f"{FULL} tx$")
        assert used(nic) == (False, True)
        assert works(nic, wire)

    def test_advertised(self, nic):
        """ethtool -s advertises it as well."""
        for modes, shown in ((0x2000, (True, True)), (0x6000, (True, False)),
                             (0x4000, (False, True)), (0, (False, False))):
            lost = nic.sysfs("carrier_down_count")
            nic.ethtool(f"-s {{}} advertise {modes | 0x2f:#x}")
            nic.guest.until(f"cat /sys/class/net/{nic.name}/carrier_down_count",
                            f"^{int(lost) + 1}$")
            nic.up()
            assert pause(nic) == (True, *shown)
            assert used(nic) == RESOLVED[shown]

    def test_while_down(self, nic, wire):
        """Set while down, used when up."""
        nic.down()
        nic.ethtool("-A {} autoneg off rx off")
        nic.guest.sh("sleep 1")
        nic.up()
        assert pause(nic) == (False, False, True)
        assert used(nic) == (False, True)
        assert works(nic, wire)

    @pytest.mark.parametrize("options", ("rx maybe", "tx 2", "autoneg", "rx on rx"))
    def test_refused(self, nic, wire, options):
        """Nonsense changes nothing."""
        before = nic.state()
        assert nic.guest.sh_status(f"ethtool -A {nic.name} {options}")[1]
        assert nic.state() == before
        assert works(nic, wire)

    def test_failed(self, nic, wire):
        """A port that does not answer keeps what it had, for when it does."""
        guest = nic.guest
        guest.expect_log("device does not answer")
        guest.allow_log("detached|cannot be started")
        config = f"rigtool pcicfg {NIC} {COMMAND} w"
        guest.sh(f"{config} $(($({config}) & ~{MEMORY}))")
        said, status = guest.sh_status(f"ethtool -A {nic.name} rx off")
        assert status and "No such device" in said
        guest.sh(f"{config} $(($({config}) | {MEMORY})); "
                 f"echo 1 >/sys/bus/pci/devices/{NIC}/reset")
        nic.up()
        assert pause(nic) == (True, True, True)
        assert works(nic, wire)
