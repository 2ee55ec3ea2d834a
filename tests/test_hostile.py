# SPDX-License-Identifier: GPL-2.0
"""Frames that nobody should send: what is wrong with them is for the stack to find, and what is
right between them arrives as it was."""
import itertools
import os
import random

import pytest
from rig import frames
from rig.frames import PEER
from rig.project import PATIENCE
from rig.settings import HERE, THERE
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS, IPv6, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP, SCTPChunkInit
from scapy.layers.vxlan import VXLAN
from test_faults import works
from test_wire import wait_received

pytestmark = [pytest.mark.guest("wire", ("msix-2cpu",)), pytest.mark.timeout(1200)]

# Of each of the four ways to take them; a million in all are a night's work for some machines.
FRAMES = int(os.environ.get("IGB_DEMO_FRAMES", 60_000 // PATIENCE)) // 4
SEED = int(os.environ.get("IGB_DEMO_FRAMES_SEED", 1))
# How far the wire is ahead of the guest at most, and how often there is a frame that is right.
PIECE, RIGHT = 200, 50
LONGEST = 1514
HERE6, THERE6 = "fd00:7::1", "fd00:7::2"
PTP = bytes.fromhex("0002002c" + "00" * 40)


def seeds(mac):
    """Frames that are right, of all kinds that the chip knows, and of some that it does not."""
    link, ip, ip6 = Ether(dst=mac, src=PEER), IP(src=THERE, dst=HERE), IPv6(src=THERE6, dst=HERE6)
    data = bytes(range(256)) * 5
    inside = Ether(dst=mac, src=PEER) / ip / TCP(dport=80, flags="S")
    packets = [
        link / ARP(psrc=THERE, pdst=HERE), link / ip / ICMP() / data[:600],
        *(link / net / proto / data[:size] for net in (ip, ip6) for size in (0, 1, 700, 1300)
          for proto in (TCP(dport=7, flags="PA"), UDP(dport=7), SCTP(dport=7) / SCTPChunkInit())
          if size < 1300 or not proto.haslayer(SCTPChunkInit)),
        link / IP(src=THERE, dst=HERE, flags="MF") / UDP(dport=7) / data[:800],
        link / IP(src=THERE, dst=HERE, frag=100) / data[:800],
        link / IP(src=THERE, dst=HERE, options=b"\x83\x07\x04\x01\x02\x03\x04\0") / UDP() / data[:9],
        link / ip6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting() / UDP(dport=7) / data[:90],
        link / ip6 / IPv6ExtHdrFragment(offset=0, m=1) / UDP(dport=7) / data[:400],
        link / ip6 / ICMPv6EchoRequest(data=data[:200]), link / ip6 / ICMPv6ND_NS(tgt=HERE6),
        link / Dot1Q(vlan=5) / ip / UDP(dport=7) / data[:100],
        link / Dot1AD(vlan=6) / Dot1Q(vlan=7) / ip6 / TCP(dport=7) / data[:100],
        link / ip / GRE() / ip / TCP(dport=7), link / ip / ip / UDP(), link / ip / ip6 / UDP(),
        link / ip / UDP(dport=4789) / VXLAN(vni=7) / inside,
        link / MPLS(label=3) / ip / UDP(), Dot3(dst=mac, src=PEER) / LLC() / SNAP() / data[:50],
        Ether(dst=mac, src=PEER, type=0x88f7) / PTP, link / ip / UDP(dport=319) / PTP]
    return [bytes(packet)[:LONGEST] for packet in packets]


class Garbage:
    """Frames without an end, the same for the same seed."""

    def __init__(self, seed, mac):
        self._random = random.Random(seed)
        self._seeds = seeds(mac)
        self._groups = [bytes.fromhex(text) for text in
                        ("ffffffffffff", "01005e000001", "333300000001", "0180c200000e",
                         "0180c2000001", "020000000099")]

    def frame(self):
        """The next."""
        dice = self._random
        frame = bytearray(dice.choice(self._seeds))
        kind = dice.random()
        if kind < 0.5:              # bits, most of them in the headers
            for _ in range(dice.randint(1, 6)):
                at = min(int(dice.expovariate(1 / 40)) + 12, len(frame) - 1)
                frame[at] = dice.getrandbits(8)
        elif kind < 0.65:           # cut short
            del frame[dice.randint(15, len(frame)):]
        elif kind < 0.75:           # longer than it says
            frame += dice.randbytes(dice.randint(1, 200))
        elif kind < 0.85:           # one inside the other
            at = dice.randint(14, len(frame))
            frame[at:] = dice.choice(self._seeds)[12:]
        elif kind < 0.9:            # nothing but noise
            frame[12:] = dice.randbytes(dice.randint(3, 1000))
        if dice.random() < 0.1:
            frame[:6] = dice.choice(self._groups)
        return bytes(frame[:LONGEST])


@pytest.fixture
def nic(fresh_nic):
    """With addresses, and where the frames are let into."""
    guest = fresh_nic.guest
    guest.sh(f"ip addr add {HERE}/24 dev eth0; echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; "
             f"ip addr add {HERE6}/64 dev eth0 nodad; "
             "ip link add link eth0 name eth0.5 type vlan id 5; ip link set eth0.5 up; "
             "modprobe vxlan; ip link add vx7 type vxlan id 7 dstport 4789; ip link set vx7 up; "
             "ip link set eth0 promisc on")
    yield fresh_nic
    if guest.usable:
        guest.sh("ip link del vx7; ip link set eth0 promisc off; "
                 "echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6")


@pytest.mark.parametrize("program", ("stack", "program"))
@pytest.mark.parametrize("bad", ("refused", "taken"))
def test_frames(nic, wire, bad, program):
    """Each is counted once, and every one that is right arrives as it was."""
    guest = nic.guest
    guest.allow_log("martian|TCP: |UDP: |IPv6: |icmp|bogus|fragment|duplicate address")
    if bad == "taken":
        nic.ethtool("-K {} rx-all on")
    if program == "program":
        guest.sh("ip link set eth0 xdp obj /lib/bpf/xdp.frags.o program pass")
    garbage = Garbage(f"{SEED} {bad} {program}", nic.mac)
    numbers = itertools.count()
    before = nic.counters()
    sent = 0
    last = FRAMES // RIGHT - 1
    with nic.receiving(f"until={last} idle=60000", timeout=300, helper="recv") as seen:
        while sent < FRAMES:
            some = [frames.build(next(numbers), 60 + number % 1400, nic.mac)
                    if number % RIGHT == RIGHT - 1 else garbage.frame()
                    for number in range(sent, sent + PIECE)]
            wire.burst(some)
            sent += len(some)
            wait_received(nic, before["rx_packets"] + sent)
            wire.drain()
    right = [frame for frame in seen if not frame.fault]
    assert [frame.number for frame in right] == list(range(last + 1))
    after = nic.counters()
    assert after["rx_packets"] - before["rx_packets"] == sent
    assert after["rx_errors"] == before["rx_errors"]
    nic.ethtool("-K {} rx-all off")
    assert works(nic, wire)
