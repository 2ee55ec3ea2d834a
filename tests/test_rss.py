# SPDX-License-Identifier: GPL-2.0
"""Spreading over queues: what ethtool sets is where frames go."""
import random
import socket

import pytest
from rig.frames import PEER
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))

ENTRIES = 128
DEFAULT = {"tcp4": True, "tcp6": True, "udp4": True, "udp6": True}
FLOWS = {"tcp4": (IP, TCP), "tcp6": (IPv6, TCP), "udp4": (IP, UDP), "udp6": (IPv6, UDP)}


def toeplitz(key, data):
    """The hash as Microsoft defines it."""
    window = int.from_bytes(key, "big")
    width = len(key) * 8
    result = 0
    for at in range(len(data) * 8):
        if data[at // 8] >> (7 - at % 8) & 1:
            result ^= window >> (width - 32 - at) & 0xffffffff
    return result


def hash_of(frame, key, ports):
    """What the chip must compute of a frame."""
    packet = Ether(frame)
    layer, family = (packet[IP], socket.AF_INET) if IP in packet else (packet[IPv6],
                                                                       socket.AF_INET6)
    data = socket.inet_pton(family, layer.src) + socket.inet_pton(family, layer.dst)
    if ports:
        data += layer.payload.sport.to_bytes(2, "big") + layer.payload.dport.to_bytes(2, "big")
    return toeplitz(key, data)


def flows(kind, mac, count=60):
    """Frames of @count flows that differ in addresses and ports."""
    dice = random.Random(kind)
    l3, l4 = FLOWS[kind]
    made = []
    for _ in range(count):
        if l3 is IP:
            network = IP(src=f"10.1.{dice.randrange(256)}.{dice.randrange(1, 255)}", dst="10.0.2.15")
        else:
            network = IPv6(src=f"fd01::{dice.randrange(1, 65536):x}", dst="fd00::15")
        made.append(bytes(Ether(dst=mac, src=PEER) / network
                          / l4(sport=dice.randrange(1024, 65536), dport=9) / b"spread"))
    return made


class Spread:
    """What ethtool shows of a port's spreading."""

    def __init__(self, nic):
        text = nic.ethtool("-x")
        rows = [line.split(":")[1].split() for line in text.splitlines()
                if line.strip()[:1].isdigit() and ":" in line and line.strip().count(":") == 1]
        self.table = [int(queue) for row in rows for queue in row]
        key = next(line for line in text.splitlines() if line.count(":") == 39)
        self.key = bytes.fromhex(key.strip().replace(":", ""))


def received(nic):
    """Frames that each queue has had."""
    seen = nic.statistics()
    return [seen["rx_queue_0_packets"], seen["rx_queue_1_packets"]]


def assert_spread(nic, wire, kind, ports=True):
    """Each flow goes where table and key say."""
    spread = Spread(nic)
    many = flows(kind, nic.mac)
    want = [0, 0]
    for frame in many:
        want[spread.table[hash_of(frame, spread.key, ports) % ENTRIES]] += 1
    before = received(nic)
    wire.burst(many)
    nic.guest.until(f"ethtool -S {nic.name} | awk '/rx_queue_._packets/ {{ n += $2 }} END "
                    f"{{ print n }}'", rf"^{sum(before) + len(many)}$")
    got = [after - earlier for after, earlier in zip(received(nic), before)]
    assert got == want


@pytest.fixture
def nic(fresh_nic):
    """Spreading at its defaults; IPv6 is off in the guest, so nothing else arrives."""
    return fresh_nic


class TestSpreading:
    """ethtool -x, -X, -N rx-flow-hash."""

    @pytest.mark.parametrize("kind", FLOWS)
    def test_default(self, nic, wire, kind):
        """Over addresses and ports, evenly over the queues."""
        spread = Spread(nic)
        assert spread.table == [at % 2 for at in range(ENTRIES)]
        assert_spread(nic, wire, kind)

    def test_table(self, nic, wire):
        """Weights, all on one queue, equal, and back."""
        for setting, share in (("weight 1 3", 32), ("weight 0 1", 0), ("weight 1 0", 128),
                               ("equal 1", 128), ("default", 64)):
            nic.ethtool(f"-X {{}} {setting}")
            assert Spread(nic).table.count(0) == share, setting
            assert_spread(nic, wire, "tcp4")

    def test_key(self, nic, wire):
        """Another key, another spread; the table stays."""
        key = bytes(range(40))
        nic.ethtool("-X {} weight 1 3 hkey " + ":".join(f"{byte:02x}" for byte in key))
        assert Spread(nic).key == key
        for kind in FLOWS:
            assert_spread(nic, wire, kind)

    @pytest.mark.parametrize("kind", FLOWS)
    def test_fields(self, nic, wire, kind):
        """Without ports, and with them again."""
        nic.ethtool(f"-N {{}} rx-flow-hash {kind} sd")
        assert "L4 bytes" not in nic.ethtool(f"-n {{}} rx-flow-hash {kind}")
        assert_spread(nic, wire, kind, ports=False)
        others = [other for other in FLOWS if other != kind]
        for other in others:
            assert_spread(nic, wire, other)
        nic.ethtool(f"-N {{}} rx-flow-hash {kind} sdfn")
        assert "L4 bytes" in nic.ethtool(f"-n {{}} rx-flow-hash {kind}")
        assert_spread(nic, wire, kind)

    def test_kept(self, nic, wire):
        """Down and up, another ring size and a reset change nothing."""
        nic.ethtool("-X {} weight 1 3")
        nic.ethtool("-N {} rx-flow-hash udp4 sd")
        for upset in ("ip link set {} down; ip link set {} up", "ethtool -G {} rx 128",
                      "echo 1 >/sys/class/net/{}/device/reset"):
            nic.guest.sh(upset.replace("{}", nic.name)
                         + f"; rigtool carrier {nic.name} 1")
            assert Spread(nic).table.count(0) == 32
            assert_spread(nic, wire, "tcp4")
            assert_spread(nic, wire, "udp4", ports=False)

    @pytest.mark.parametrize("setting", (
        "-X {} hfunc xor", "-X {} weight 1 1 1", "-X {} equal 3", "-N {} rx-flow-hash tcp4 s",
        "-N {} rx-flow-hash sctp4 sdfn", "-N {} rx-flow-hash udp6 v",
        "-N {} rx-flow-hash ether m"))
    def test_refused(self, nic, wire, setting):
        """Nothing changes."""
        def state():
            return nic.ethtool("-x") + "".join(
                nic.ethtool(f"-n {{}} rx-flow-hash {kind}") for kind in FLOWS)
        before = state()
        said, status = nic.guest.sh_status("ethtool " + setting.format(nic.name))
        # ethtool forgets to fail when -N is refused.
        assert status or "Cannot" in said, said
        assert state() == before
        assert_spread(nic, wire, "tcp4")
