# SPDX-License-Identifier: GPL-2.0
"""Flow control, what is counted by the standards' names, and the rest of the link's settings."""
import re
import struct
import time

import pytest
from rig import frames
from rig.fakecard import FAKE, FakeCard
from rig.frames import PEER
from rig.nic import Nic
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

NIC = "0000:01:00.0"
COMMAND, MEMORY = 0x04, 0x2             # in configuration space
CTRL, LEDCTL = 0x0000, 0x0e00
WUC, WUFC = 0x5800, 0x5808
RCTL, RAL0, RAH0 = 0x0100, 0x5400, 0x5404
RFCE, TFCE = 1 << 27, 1 << 28
SW_FW_SYNC, FIRMWARE_HAS_PHY = 0x5b5c, 1 << 17
MPE = 1 << 4


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


class TestBusyPhy:
    """Firmware has the PHY and does not give it back."""

    @pytest.fixture
    def give(self, nic):
        """To whom the PHY is given; afterwards it is anyone's again."""
        def give(owner):
            nic.guest.sh(f"rigtool mmio {NIC} {SW_FW_SYNC:#x} {owner:#x}")
        yield give
        give(0)

    def test_settings(self, nic, give):
        """What is known of the link is said at once: nobody is waited for."""
        before = nic.ethtool()
        assert "Link partner advertised link modes" in before
        give(FIRMWARE_HAS_PHY)
        took = []
        for _ in range(3):
            said = nic.guest.sh(f"bash -c 'TIMEFORMAT=took=%R; time cat /sys/class/net/{nic.name}"
                                "/speed'")
            assert said.startswith("1000\n")
            took.append(float(re.search(r"took=([\d.]+)", said)[1]))
        assert min(took) < 0.5, took
        assert nic.ethtool() == before

    def test_link_comes(self, nic, wire, give):
        """No flow control as long as nobody knows what the partner wants; then what it wants."""
        nic.guest.expect_log("SW_FW_SYNC did not grant 0x2 in 1 s")
        nic.guest.set_link(False)
        nic.guest.sh(f"rigtool carrier {nic.name} 0")
        give(FIRMWARE_HAS_PHY)
        assert used(nic) == (True, True)
        assert changes(nic, f"{FULL} off", lambda: nic.guest.set_link(True))
        assert used(nic) == (False, False)
        assert nic.settings()["Speed"] == "1000Mb/s"
        assert works(nic, wire)
        assert not changes(nic, f"{FULL} rx/tx", lambda: give(0))
        assert used(nic) == (True, True)


GROUPS = ("eth-phy", "eth-mac", "eth-ctrl", "rmon", "pause")
BINS = ((64, 64), (65, 127), (128, 255), (256, 511), (512, 1023), (1024, 9216 + 22))
FCS = 4


def group(nic, name):
    """A standard's statistics, by its names."""
    said = nic.ethtool("-I -a" if name == "pause" else f"-S {{}} --groups {name}")
    found = {name: int(value) for name, value in re.findall(r"^\s*(\S+): (\d+)$", said, re.M)}
    assert found, said
    return found


def every(nic):
    """All of them at once."""
    return {f"{name}: {key}": value for name in GROUPS for key, value in group(nic, name).items()}


def bins(counted, direction):
    """Frames of each size that were counted."""
    return [counted[f"{direction}-rmon-etherStatsPkts{low}to{high}Octets"] for low, high in BINS]


def grown(before, after):
    """What has changed, by how much."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def sorted_into_bins(lengths):
    """How many of these lengths fall into each."""
    return [sum(low <= length <= high for length in lengths) for low, high in BINS]


# Both edges of each bin, as frames on the wire have them, without what no frame may have.
EDGES = [edge for limits in BINS for edge in limits]


class TestGroups:
    """ethtool -S --groups: the names of IEEE 802.3 and RFC 2819."""

    def test_sent_sizes(self, nic, wire):
        """Each frame is counted in the bin of its length on the wire, to the byte."""
        nic.set_mtu(9216)
        edges = [edge for edge in EDGES if edge <= 9216 + 14 + FCS] + [9216 + 14 + FCS]
        lengths = [length for number, length in enumerate(edges) for _ in range(number + 1)]
        before = group(nic, "rmon")
        nic.transmit(f"dst={PEER} sizes={','.join(str(length - FCS) for length in lengths)}")
        assert len(wire.collect(len(lengths))) == len(lengths)
        after = group(nic, "rmon")
        moved = [new - old for old, new in zip(bins(before, "tx"), bins(after, "tx"))]
        assert moved == sorted_into_bins(lengths)
        assert bins(before, "rx") == bins(after, "rx")

    def test_received_sizes(self, nic, wire):
        """The same; but what the emulator strips, it does not count."""
        nic.set_mtu(9216)
        edges = [*EDGES[:-1], 9216 + 14]
        sizes = [size for number, size in enumerate(edges) for _ in range(number + 1)]
        before = group(nic, "rmon")
        with nic.receiving(f"until={len(sizes) - 1}") as seen:
            wire.burst(frames.of_sizes(nic.mac, sizes))
        assert frames.summary(seen) == frames.expected(sizes)
        after = group(nic, "rmon")
        moved = [new - old for old, new in zip(bins(before, "rx"), bins(after, "rx"))]
        assert moved == sorted_into_bins(sizes)
        assert bins(before, "tx") == bins(after, "tx")

    def test_mac(self, nic, wire):
        """Frames, octets, multicast and broadcast, each way."""
        before = group(nic, "eth-mac")
        group_address = "01:00:5e:40:01:02"
        with nic.receiving(f"until=10 join={group_address}") as seen:
            wire.burst(frames.series(group_address, 3, 60)
                       + frames.series(frames.BROADCAST, 5, 100, start=3)
                       + frames.series(nic.mac, 3, 1514, start=8))
        assert len(seen) == 11
        nic.transmit(f"dst={group_address} sizes=60 repeat=2")
        nic.transmit("dst=ff:ff:ff:ff:ff:ff sizes=1514 repeat=4")
        nic.transmit(f"dst={PEER} sizes=1000 repeat=7")
        wire.collect(13)
        assert grown(before, group(nic, "eth-mac")) == {
            f"eth-mac-{name}": value for name, value in {
                "FramesReceivedOK": 11, "MulticastFramesReceivedOK": 3,
                "BroadcastFramesReceivedOK": 5,
                "OctetsReceivedOK": 3 * 60 + 5 * 100 + 3 * 1514 + 11 * FCS,
                "FramesTransmittedOK": 13, "MulticastFramesXmittedOK": 2,
                "BroadcastFramesXmittedOK": 4,
                "OctetsTransmittedOK": 2 * 60 + 4 * 1514 + 7 * 1000 + 13 * FCS}.items()}

    def test_short(self, nic, wire):
        """The emulator delivers frames that no wire carries: counted, and not as errors."""
        before = group(nic, "rmon")
        with nic.receiving("until=3") as seen:
            wire.burst(frames.series(nic.mac, 4, 40))
        assert len(seen) == 4
        assert grown(before, group(nic, "rmon")) == {"rmon-etherStatsUndersizePkts": 4}
        assert nic.counters()["rx_errors"] == 0

    def test_never_go_back(self, nic, wire):
        """Nor are they lost: over down and up, other rings, and resets; while down, too."""
        wire.burst(frames.series(nic.mac, 30, 200))
        nic.transmit(f"dst={PEER} sizes=200 repeat=30")
        nic.guest.sh("usleep 300000")
        last = every(nic)
        assert last["eth-mac: eth-mac-FramesTransmittedOK"] >= 30
        assert last["eth-mac: eth-mac-FramesReceivedOK"] >= 30
        for change in (f"ip link set {nic.name} down", f"ip link set {nic.name} up",
                       f"ethtool -G {nic.name} rx 512 tx 512", f"ethtool -r {nic.name}",
                       f"echo 1 >/sys/bus/pci/devices/{NIC}/reset"):
            nic.guest.sh(change)
            now = every(nic)
            assert now.keys() == last.keys()
            assert not [name for name in last if now[name] < last[name]], change
            last = now
        nic.up()
        assert works(nic, wire)


# Registers of the chip, in the order that reading them has.
REGISTERS = {name: 0x4000 + offset for name, offset in {
    "crcerrs": 0x00, "algnerrc": 0x04, "symerrs": 0x08, "rxerrc": 0x0c, "mpc": 0x10, "scc": 0x14,
    "ecol": 0x18, "mcc": 0x1c, "latecol": 0x20, "colc": 0x28, "dc": 0x30, "tncrs": 0x34,
    "htdpmc": 0x3c, "rlec": 0x40, "xonrxc": 0x48, "xontxc": 0x4c, "xoffrxc": 0x50,
    "xofftxc": 0x54, "fcruc": 0x58, "prc64": 0x5c, "prc127": 0x60, "prc255": 0x64,
    "prc511": 0x68, "prc1023": 0x6c, "prc1522": 0x70, "gprc": 0x74, "bprc": 0x78, "mprc": 0x7c,
    "gptc": 0x80, "gorc": 0x88, "gotc": 0x90, "rnbc": 0xa0, "ruc": 0xa4, "rfc": 0xa8,
    "roc": 0xac, "rjc": 0xb0, "mngprc": 0xb4, "mpdc": 0xb8, "mngptc": 0xbc, "tor": 0xc0,
    "tot": 0xc8, "tpr": 0xd0, "tpt": 0xd4, "ptc64": 0xd8, "ptc127": 0xdc, "ptc255": 0xe0,
    "ptc511": 0xe4, "ptc1023": 0xe8, "ptc1522": 0xec, "mptc": 0xf0, "bptc": 0xf4, "tsctc": 0xf8,
    "iac": 0x100, "rpthc": 0x104, "hgptc": 0x118, "rxdmtc": 0x120, "hgorc": 0x128,
    "hgotc": 0x130, "lenerrs": 0x138}.items()}
WIDE = ("gorc", "gotc", "tor", "tot", "hgorc", "hgotc")
RQDPC = 0xc030

# What each name of the standards is a sum of.
NAMES = {
    "eth-phy": {"SymbolErrorDuringCarrier": "symerrs"},
    "eth-mac": {
        "FramesTransmittedOK": "gptc", "SingleCollisionFrames": "scc",
        "MultipleCollisionFrames": "mcc", "FramesReceivedOK": "gprc",
        "FrameCheckSequenceErrors": "crcerrs", "AlignmentErrors": "algnerrc",
        "OctetsTransmittedOK": "gotc", "FramesWithDeferredXmissions": "dc",
        "LateCollisions": "latecol", "FramesAbortedDueToXSColls": "ecol",
        "FramesLostDueToIntMACXmitError": "htdpmc", "CarrierSenseErrors": "tncrs",
        "OctetsReceivedOK": "gorc", "FramesLostDueToIntMACRcvError": "mpc",
        "MulticastFramesXmittedOK": "mptc", "BroadcastFramesXmittedOK": "bptc",
        "MulticastFramesReceivedOK": "mprc", "BroadcastFramesReceivedOK": "bprc",
        "InRangeLengthErrors": "lenerrs", "FrameTooLongErrors": "roc rjc"},
    "eth-ctrl": {
        "MACControlFramesTransmitted": "xontxc xofftxc",
        "MACControlFramesReceived": "xonrxc xoffrxc fcruc",
        "UnsupportedOpcodesReceived": "fcruc"},
    "pause": {"tx_pause_frames": "xontxc xofftxc", "rx_pause_frames": "xonrxc xoffrxc"},
    "rmon": {
        "UndersizePkts": "ruc", "OversizePkts": "roc", "Fragments": "rfc", "Jabbers": "rjc",
        **{f"{way} {low}": f"p{way[0]}c{high if high < 1500 else 1522}"
           for way in ("rx", "tx") for low, high in BINS}},
}


def shown(name, key):
    """How ethtool spells it."""
    if name != "rmon":
        return key if name == "pause" else f"{name}-{key}"
    way, _, low = key.partition(" ")
    high = dict(BINS)[int(low)] if low else 0
    return f"{way}-rmon-etherStatsPkts{low}to{high}Octets" if low else f"rmon-etherStats{key}"


@pytest.mark.guest("wire", ("msix-2cpu",))
class TestRegisters:
    """Which register is what; of a card whose registers are memory, which reading does not clear.

    The emulator counts a few of them only.
    """

    @pytest.fixture
    def fake(self, guest, arch):
        """The card with a number of its own in each register, its interface down."""
        if arch != "x86_64":
            pytest.skip("the card is a VGA card")
        guest.allow_log(FAKE)
        card = FakeCard(guest)
        card.load()
        card.values = {name: 1000 + 7 * number * number for number, name in enumerate(REGISTERS)}
        card.write({REGISTERS[name]: value for name, value in card.values.items()})
        for number, name in enumerate(WIDE, 1):
            card.values[name] += number << 32
        card.write({REGISTERS[name] + 4: number for number, name in enumerate(WIDE, 1)})
        yield card
        card.release()

    @pytest.fixture
    def port(self, guest, fake):
        """Its interface."""
        name = guest.sh(f"ls /sys/bus/pci/devices/{FAKE}/net").strip()
        assert fake.values
        return Nic(guest, name, FAKE)

    @pytest.mark.parametrize("name", GROUPS)
    def test_groups(self, port, fake, name):
        """Each name is the sum of the right registers, and no other name is shown."""
        first, second = group(port, name), group(port, name)
        want = {shown(name, key): sum(fake.values[register] for register in registers.split())
                for key, registers in NAMES[name].items()}
        assert grown(first, second) == want

    def test_drops(self, port, fake):
        """What no descriptor was there for: each queue's, and in sum the port's."""
        drops = [1000 + 100 * queue for queue in range(8)]
        fake.write({RQDPC + 0x40 * queue: number for queue, number in enumerate(drops)})

        def shown_drops():
            numbers = [dict(re.findall(r"(\d+)=(\d+)", line))
                       for line in port.guest.sh("rigtool netdev 12").splitlines()]
            [mine] = [found for found in numbers if found["1"] == port.sysfs("ifindex")]
            return int(mine["13"]), int(mine["14"])
        before, missed = shown_drops(), int(port.sysfs("statistics/rx_missed_errors"))
        first = port.statistics()
        second = port.statistics()
        assert {name: value for name, value in grown(first, second).items() if "rqdpc" in name} \
            == {f"hw_rqdpc_{queue}": number for queue, number in enumerate(drops)}
        assert [new - old for old, new in zip(before, shown_drops())] == [2 * sum(drops)] * 2
        assert int(port.sysfs("statistics/rx_missed_errors")) - missed \
            == 2 * (sum(drops) + fake.values["mpc"])

    def test_errors(self, port, fake):
        """ip -s -s link: each frame is one error, whatever more is known of it."""
        def read():
            said = port.guest.sh(f"cd /sys/class/net/{port.name}/statistics && "
                                 "grep . [rt]x_*errors collisions multicast; cd - >/dev/null")
            return {name: int(value) for name, value in re.findall(r"(\w+):(\d+)", said)}
        port.statistics()
        before = read()
        port.statistics()
        want = {
            "rx_errors": "crcerrs algnerrc rxerrc rlec", "rx_crc_errors": "crcerrs",
            "rx_frame_errors": "algnerrc", "rx_length_errors": "rlec",
            "rx_missed_errors": "mpc", "tx_errors": "ecol latecol",
            "tx_aborted_errors": "ecol", "tx_window_errors": "latecol",
            "tx_carrier_errors": "tncrs", "collisions": "colc", "multicast": "mprc"}
        assert grown(before, read()) == {
            name: sum(fake.values[register] for register in registers.split())
            for name, registers in want.items()}

    def test_own_names(self, port, fake):
        """ethtool -S: all of them."""
        first, second = port.statistics(), port.statistics()
        assert grown(first, second) == {f"hw_{name}": value
                                        for name, value in fake.values.items()}


class TestErrors:
    """ip -s -s link, as far as the emulator tells good from bad."""

    def test_breakdown(self, nic, wire):
        """A bad sum is a good frame, too long is none, too short is one here; no errors."""
        nic.ethtool("-K {} gro off")
        bad = bytearray(bytes(Ether(dst=nic.mac, src=PEER) / IP(src="10.9.0.2", dst="10.9.0.1")
                              / UDP(sport=9, dport=9) / bytes(60)))
        bad[40] ^= 0xff
        wire.burst([bytes(bad)] * 3 + frames.series(nic.mac, 2, 2000)
                   + frames.series(nic.mac, 4, 40))
        nic.guest.until(f"cat /sys/class/net/{nic.name}/statistics/rx_packets", "^7$")
        nic.statistics()
        said = nic.guest.sh(f"cd /sys/class/net/{nic.name}/statistics; grep . *; cd - >/dev/null")
        counted = {name: int(value) for name, value in re.findall(r"(\w+):(\d+)", said)}
        # Nobody wanted the short ones, which the stack counts as dropped.
        del counted["rx_dropped"]
        assert {name: value for name, value in counted.items() if value} == \
            {"rx_packets": 7, "rx_bytes": 3 * len(bad) + 4 * 60}
        assert sum(value for name, value in nic.statistics().items()
                   if name.endswith("csum_errors")) == 3


def mdix(nic):
    """(which way round, how that is decided) as ethtool shows it."""
    return re.search(r"MDI-X: (.*)", nic.ethtool())[1]


class TestPairs:
    """ethtool -s mdix: which pair sends."""

    @pytest.mark.parametrize("how,bits,said", (("auto", 0x1000, "off (auto)"),
                                               ("off", 0x0000, "off (forced)"),
                                               ("on", 0x2000, "on (forced)")))
    def test_settings(self, nic, wire, how, bits, said):
        """What the PHY is told, over down and up, and a reset."""
        if how != "auto":
            assert changes(nic, FULL, lambda: nic.ethtool(f"-s {{}} mdix {how}"))
        for action in ("true", f"ip link set {nic.name} down; ip link set {nic.name} up",
                       f"echo 1 >/sys/bus/pci/devices/{NIC}/reset"):
            nic.guest.sh(action)
            nic.up()
            assert phy(nic, 18) & 0x3000 == bits, action
            assert mdix(nic) == said, action
        assert works(nic, wire)

    def test_back(self, nic, wire):
        """Forced, and found again."""
        changes(nic, FULL, lambda: nic.ethtool("-s {} mdix on"))
        changes(nic, FULL, lambda: nic.ethtool("-s {} mdix auto"))
        assert phy(nic, 18) & 0x3000 == 0x1000
        assert works(nic, wire)

    def test_forced_link(self, nic, wire):
        """Without negotiation pairs are never crossed, and asking for that is refused."""
        nic.ethtool("-s {} autoneg off speed 100 duplex full")
        nic.guest.wait_log("Link is Up - 100Mbps/Full")
        assert phy(nic, 18) & 0x3000 == 0
        nic.guest.expect_log("pairs can be crossed only where the link is negotiated")
        before = nic.state()
        assert nic.guest.sh_status(f"ethtool -s {nic.name} mdix on")[1]
        assert nic.state() == before and phy(nic, 18) & 0x3000 == 0
        nic.ethtool("-s {} autoneg on")
        nic.guest.wait_log(FULL)
        changes(nic, FULL, lambda: nic.ethtool("-s {} mdix on"))
        before = nic.state()
        assert nic.guest.sh_status(f"ethtool -s {nic.name} autoneg off speed 10 duplex full")[1]
        assert nic.state() == before and phy(nic, 18) & 0x3000 == 0x2000
        assert works(nic, wire)

    def test_nonsense(self, nic):
        """A word that is none."""
        before = nic.state()
        assert nic.guest.sh_status(f"ethtool -s {nic.name} mdix maybe")[1]
        assert nic.state() == before


class TestNoLink:
    """Why there is none, and how often."""

    def test_reasons(self, nic):
        """Nobody there to negotiate with, or to force."""
        assert nic.settings()["Link detected"] == "yes"
        nic.guest.set_link(False)
        nic.guest.sh(f"rigtool carrier {nic.name} 0")
        assert nic.settings()["Link detected"] == "no (Autoneg, No partner detected)"
        nic.guest.sh(f"ethtool -s {nic.name} autoneg off speed 100 duplex full")
        assert nic.settings()["Link detected"] \
            == "no (Autoneg, No partner detected during force mode)"
        nic.down()
        assert nic.settings()["Link detected"] == "no"

    def test_count(self, nic):
        """Each time the cable is pulled, and by a reset; not when the interface goes down."""
        def downs():
            return int(nic.guest.sh(f"rigtool linkdowns {nic.name}"))
        assert downs() == 0
        for count in range(1, 4):
            nic.guest.set_link(False)
            nic.guest.sh(f"rigtool carrier {nic.name} 0")
            assert downs() == count
            nic.guest.set_link(True)
            nic.up()
        nic.down()
        nic.up()
        assert downs() == 3
        for count, reset in enumerate((f"echo 1 >/sys/bus/pci/devices/{NIC}/reset",
                                       f"ethtool -t {nic.name} offline"), 4):
            assert changes(nic, FULL, lambda reset=reset: nic.guest.sh(reset))
            assert downs() == count
        nic.down()
        nic.guest.sh(f"echo 1 >/sys/bus/pci/devices/{NIC}/reset")
        nic.up()
        assert downs() == 5


class TestLights:
    """ethtool -p: which port is it?"""

    def test_blink(self, nic, wire):
        """All of them blink, and then show again what they showed; frames pass meanwhile."""
        before = register(nic, LEDCTL)
        assert before != 0x8e8e8e8e
        job = nic.guest.spawn(f"ethtool -p {nic.name} 3")
        nic.guest.until(f"rigtool mmio {NIC} {LEDCTL:#x}", "0x8e8e8e8e")
        assert "busy" in nic.guest.sh(f"ethtool -p {nic.name} 1", check=False)
        assert works(nic, wire)
        job.wait()
        assert register(nic, LEDCTL) == before

    def test_interrupted(self, nic):
        """Without an end, but for a signal; a reset meanwhile does no harm."""
        before = register(nic, LEDCTL)
        job = nic.guest.spawn(f"exec ethtool -p {nic.name}")
        nic.guest.until(f"rigtool mmio {NIC} {LEDCTL:#x}", "0x8e8e8e8e")
        nic.guest.sh(f"echo 1 >/sys/bus/pci/devices/{NIC}/reset")
        job.kill("TERM")
        nic.guest.until(f"rigtool mmio {NIC} {LEDCTL:#x}", f"{before:#010x}")
        nic.guest.until("pidof ethtool || echo ended", "ended")
        nic.up()


@pytest.mark.guest("wire", ("msix-2cpu",))
class TestWake:
    """ethtool -s wol."""

    def test_not_capable(self, nic, wire):
        """The emulated card has no PME: it says so, and takes no setting."""
        settings = nic.settings()
        assert (settings["Supports Wake-on"], settings["Wake-on"]) == ("d", "d")
        before = nic.state()
        for modes in "gpumb":
            said, status = nic.guest.sh_status(f"ethtool -s {nic.name} wol {modes}")
            assert status and re.search("unsupported|not supported|Invalid", said)
        assert nic.state() == before
        assert works(nic, wire)

    @pytest.fixture
    def capable(self, nic):
        """The port, were there PME."""
        nic.guest.sh("insmod /lib/modules/requeue.ko times=0 fail=pci_pme_capable value=1 many=0")
        yield nic
        nic.guest.sh("rmmod requeue")

    def test_settings(self, capable, wire):
        """What can be is kept; what cannot is refused."""
        nic = capable
        assert nic.settings()["Supports Wake-on"] == "pumbg"
        for modes in ("g", "p", "pumbg", "ub", "d"):
            nic.ethtool(f"-s {{}} wol {modes}")
            assert nic.settings()["Wake-on"] == modes
            enabled = nic.guest.read(f"/sys/bus/pci/devices/{NIC}/power/wakeup")
            assert enabled == ("disabled" if modes == "d" else "enabled")
        nic.ethtool("-s {} wol g")
        for modes in ("a", "s", "f", "ga", "x"):
            assert nic.guest.sh_status(f"ethtool -s {nic.name} wol {modes}")[1]
            assert nic.settings()["Wake-on"] == "g"
        nic.down()
        nic.up()
        assert nic.settings()["Wake-on"] == "g"
        assert works(nic, wire)

    @pytest.mark.parametrize("modes,bits", (("pmg", 0x0b), ("ub", 0x14), ("d", 0)))
    def test_sleep(self, capable, wire, modes, bits):
        """Asleep the chip listens for that, and for no more; awake it does what it did."""
        nic = capable
        nic.guest.allow_log("PM:|Freezing|printk: Suspending|OOM killer|ACPI")
        if modes != "d":
            nic.ethtool(f"-s {{}} wol {modes}")
        bar = int(nic.guest.sh(f"head -n 1 /sys/bus/pci/devices/{NIC}/resource").split()[0], 16)

        def asleep(offset):
            said = nic.guest.qmp("human-monitor-command",
                                 **{"command-line": f"xp /1xw {bar + offset:#x}"})
            return int(said.split(":")[1], 16)
        address = nic.mac
        # What is typed meanwhile would be lost, for the serial port sleeps, too. The guest
        # says by a frame that it is awake.
        wire.drain()
        job = nic.guest.spawn(f"echo devices >/sys/power/pm_test; sleep 1; "
                              f"echo mem >/sys/power/state; rigtool carrier {nic.name} 1; "
                              f"rigtool send {nic.name} dst={PEER} sizes=60")
        deadline = time.monotonic() + 60
        while not (asleep(WUFC) if bits else not asleep(RAL0)) and time.monotonic() < deadline:
            time.sleep(0.1)
        found = {offset: asleep(offset) for offset in (RCTL, WUC, WUFC, RAL0, RAH0)}
        wire.recv(timeout=60)
        job.wait(60)
        assert found[WUFC] == bits
        assert bool(found[WUC] & 0x02) == bool(bits) == bool(found[RCTL] & 0x02)
        assert bool(found[RCTL] & MPE) == ("m" in modes)
        if bits:
            listens = struct.pack("<IH", found[RAL0], found[RAH0] & 0xffff)
            assert listens.hex(":") == address and found[RAH0] & 1 << 31
        nic.up()
        assert register(nic, WUFC) == register(nic, WUC) == 0
        assert works(nic, wire)


def test_energy(nic):
    """The chip has no Energy-Efficient Ethernet."""
    said, status = nic.guest.sh_status(f"ethtool --show-eee {nic.name}")
    assert status and "not supported" in said
    assert nic.guest.sh_status(f"ethtool --set-eee {nic.name} eee on")[1]
