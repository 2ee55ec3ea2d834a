# SPDX-License-Identifier: GPL-2.0
"""Features beside in-tree igb's: all that works here, and nothing that does not."""
import re

import pytest
from rig import frames
from rig.features import LEFT_OUT
from rig.frames import PEER
from rig.nic import Nic
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from test_offload import ACK, FIN, PSH, checksums_are_right, cut_up, payload

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

# How each is made, and what is around the frame, or the datagram, inside.
TUNNELS = {
    "vxlan": ("type vxlan id 42 remote 198.18.0.2 dstport 4789 dev {} udpcsum", VXLAN),
    "vxlan-no-csum": ("type vxlan id 42 remote 198.18.0.2 dstport 4789 dev {} noudpcsum", VXLAN),
    "vxlan-over-6": ("type vxlan id 42 remote fd00::2 dstport 4789 dev {} udpcsum", VXLAN),
    "gretap": ("type gretap remote 198.18.0.2 local 198.18.0.1 dev {}", GRE),
    "gretap-csum": ("type gretap remote 198.18.0.2 local 198.18.0.1 dev {} csum", GRE),
    "gre": ("type gre remote 198.18.0.2 local 198.18.0.1 dev {}", GRE),
    "gre-csum": ("type gre remote 198.18.0.2 local 198.18.0.1 dev {} csum", GRE),
    "ipip": ("type ipip remote 198.18.0.2 local 198.18.0.1 dev {}", IP),
    "sit": ("type sit remote 198.18.0.2 local 198.18.0.1 dev {}", IP),
}
# What these can have inside; the others take both.
INSIDE = {"ipip": (4,), "sit": (6,)}

# Seconds in which the peer would have sent what it never sends.
PATIENCE = 2


@pytest.fixture
def peer(guest):
    """The port under in-tree igb."""
    guest.allow_log("igb|Intel|dca|8021q")
    guest.sh("modprobe igb", timeout=60)
    port = Nic(guest)
    try:
        port.up()
        guest.sh("sleep 1")
        yield port
    finally:
        guest.sh("rmmod igb", timeout=60)


def features(port):
    """{name: (on, can be changed)} of ethtool -k."""
    return {name.strip(): (state == "on", not fixed) for name, state, fixed in
            re.findall(r"^(\s*[^\s:]+): (on|off)( \[fixed\])?", port.ethtool("-k"), re.M)}


class TestBesidePeer:
    """In-tree igb in the same guest, on the same card."""

    def test_features(self, peer):
        """What it has on or can switch on, this driver has too."""
        theirs = features(peer)
        peer.guest.sh("rmmod igb && insmod /lib/modules/igb_demo.ko && modprobe igb")
        peer.up()
        ours = features(peer)
        peer.guest.sh("rmmod igb_demo")
        for name, (on, changeable) in theirs.items():
            if name in LEFT_OUT:
                assert not ours[name][0], f"{name} is on"
            else:
                assert ours[name][0] >= on and (ours[name][1] or not changeable), \
                    f"{name}: {theirs[name]} there, {ours[name]} here"

    @pytest.mark.parametrize("what", ("fin", "udp4", "udp6", "padded"))
    def test_its_faults(self, peer, wire, what):
        """What it gets wrong here, as the tests of this driver see it. Should one of these
        pass one day, the emulator was mended and a quirk can go."""
        cut_up(peer, wire, 1000, 1400, timeout=PATIENCE)
        with pytest.raises(AssertionError):
            if what == "fin":
                cut_up(peer, wire, 5000, 1400, flags=ACK | PSH | FIN, timeout=PATIENCE)
            elif what == "padded":
                cut_up(peer, wire, 6, 1400, 4, "udp", padding=12, timeout=PATIENCE)
            else:
                cut_up(peer, wire, 5000, 1000, int(what[-1]), "udp", timeout=PATIENCE)

    @pytest.mark.parametrize("name", ("vxlan-no-csum", "gretap", "gre", "ipip", "sit"))
    def test_its_tunnels(self, peer, wire, name):
        """Inner headers that the emulated chip does not see."""
        cut_up(peer, wire, 1000, 1400, timeout=PATIENCE)
        with tunnel(peer, name) as device, pytest.raises(AssertionError):
            through(peer, wire, device, TUNNELS[name][1], INSIDE.get(name, (4,))[0], PATIENCE)


class tunnel:  # pylint: disable=invalid-name
    """A tunnel over the port to the other end of its cable."""

    def __init__(self, port, name):
        self._port, self._how = port, TUNNELS[name][0].replace("{}", port.name)

    def __enter__(self):
        self._port.guest.sh(
            f"for to in default {self._port.name}; do "
            "echo 0 >/proc/sys/net/ipv6/conf/$to/disable_ipv6; done; "
            f"ip addr add 198.18.0.1/24 dev {self._port.name} && "
            f"ip addr add fd00::1/64 dev {self._port.name} nodad && "
            "for peer in 198.18.0.2 fd00::2; do ip neigh replace $peer "
            f"lladdr {PEER} dev {self._port.name} nud permanent; done && ip link add tun0 "
            f"mtu 1400 {self._how} && ip link set tun0 up")
        return "tun0"

    def __exit__(self, *_):
        self._port.guest.sh(f"ip link del tun0; ip addr flush dev {self._port.name}; "
                            f"for to in default {self._port.name}; do "
                            "echo 1 >/proc/sys/net/ipv6/conf/$to/disable_ipv6; done", check=False)


def through(port, wire, device, layer, ip=4, timeout=5):
    """Send what has to be cut up through a tunnel; every header and byte must be right."""
    wire.drain()
    # Of Ethernet, or of IP only.
    source = port.guest.read(f"/sys/class/net/{device}/address").strip()
    ends = f"dst={PEER} src={source}" if source.count(":") == 5 else "mac=0"
    port.guest.sh(f"rigtool segment {device} {ends} ip={ip} proto=tcp "
                  "payload=5000 mss=1200 flags=16")
    got = b""
    outer = [Ether(frame) for frame in wire.collect(
        5, match=lambda frame: layer in Ether(frame) and TCP in Ether(frame), timeout=timeout)]
    assert len(outer) == 5
    for number, packet in enumerate(outer):
        # UDP may go without one outside, and then has to stay so.
        if UDP not in packet or packet[UDP].chksum:
            assert checksums_are_right(packet), f"segment {number} outside"
        inner = packet[layer].payload
        inner = inner if Ether in inner else Ether(type=0x0800 if ip == 4 else 0x86dd) / inner
        assert checksums_are_right(Ether(bytes(inner))), f"segment {number} inside"
        assert inner[TCP].seq == 1 + number * 1200
        got += bytes(inner[TCP].payload)
        if layer is VXLAN:
            assert packet[UDP].dport == 4789
    assert got == payload(5000)
    return outer


class TestFeatures:
    """Each on, and off again."""

    @pytest.mark.parametrize("name", TUNNELS)
    def test_tunnel(self, nic, wire, name):
        """TCP inside, big sends."""
        with tunnel(nic, name) as device:
            for ip in INSIDE.get(name, (4, 6)):
                packets = through(nic, wire, device, TUNNELS[name][1], ip)
        if "vxlan" in name:
            assert {packet[UDP].chksum == 0 for packet in packets} == {name == "vxlan-no-csum"}

    def test_rxall(self, nic, wire):
        """Frames too long for the MTU are bad frames: here is who wants them."""
        many = [frames.build(number, size, nic.mac)
                for number, size in enumerate((60, 1514, 1600, 5000, 1514))]

        def passed():
            with nic.receiving("until=4") as seen:
                wire.burst(many)
            return [(frame.number, frame.fault) for frame in seen]
        assert passed() == [(0, ""), (1, ""), (4, "")]
        nic.ethtool("-K {} rx-all on")
        assert passed() == [(number, "") for number in range(5)]
        nic.ethtool("-K {} rx-all off")
        assert passed() == [(0, ""), (1, ""), (4, "")]

    def test_loopback(self, nic, wire):
        """What is sent comes back, and goes no further."""
        nic.ethtool("-K {} loopback on")
        nic.guest.sh(f"rigtool carrier {nic.name} 1")
        try:
            wire.drain()
            with nic.receiving("until=5 promisc=1") as seen:
                nic.transmit(f"dst={nic.mac} sizes=60,61,100,1000,1513,1514")
            assert frames.summary(seen) == frames.expected((60, 61, 100, 1000, 1513, 1514))
            assert not [frame for frame in wire.drain() if frames.is_ours(frame)]
        finally:
            nic.ethtool("-K {} loopback off")
        nic.guest.sh(f"usleep 100000; rigtool carrier {nic.name} 1")
        with nic.receiving("until=1") as seen:
            wire.burst(frames.series(nic.mac, 2, 60))
        assert len(seen) == 2
