# SPDX-License-Identifier: GPL-2.0
"""What sockets send: in pieces, with checksums of the chip's or not, and taken back in time."""
import re

import pytest
from rig.frames import PEER, PERIOD
from rig.trace import TRACE, traced
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP
from test_offload import checksums_are_right, cut_up

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

TDT = 0xe018            # of queue 0
RING = 256
MOST_PIECES = 17        # MAX_SKB_FRAGS
EVENT = "net/net_dev_start_xmit"
NONE, PARTIAL = 0, 3    # skb->ip_summed


@pytest.fixture
def nic(nic):
    """eth0, with a peer that is known without being asked; afterwards at its defaults."""
    name = nic.name
    nic.guest.sh(
        f"echo 0 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6; "
        f"ip addr add 198.18.0.1/24 dev {name} && ip -6 addr add fd00::1/64 dev {name} nodad && "
        f"for peer in 198.18.0.2 fd00::2; do ip neigh replace $peer lladdr {PEER} dev {name} "
        "nud permanent; done")
    yield nic
    nic.guest.sh(f"ethtool -K {name} tx on sg on tso on gso on; "
                 f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6")


PEERS = {4: "198.18.0.2", 6: "fd00::2"}


def datagrams(wire, count):
    """Those to port 9, their checksums looked at."""
    found = [Ether(frame) for frame in wire.collect(
        count, match=lambda frame: UDP in Ether(frame) and Ether(frame)[UDP].dport == 9)]
    assert len(found) == count
    assert all(checksums_are_right(packet) for packet in found)
    return [bytes(packet[UDP].payload)[:packet[UDP].len - 8] for packet in found]


def pattern(start, size):
    """Of what rigtool datagram sends."""
    return bytes(at % PERIOD for at in range(start, start + size))


@pytest.mark.parametrize("ip", (4, 6))
class TestDatagrams:
    """Memory of an application's own, not copied."""

    @staticmethod
    def descriptors(nic, wire, ip, pieces, piece):
        """How many a datagram takes, which must be right on the wire."""
        wire.drain()
        before, after = [int(word, 16) for word in nic.guest.sh(
            f"tail() {{ rigtool mmio {nic.pci} {TDT:#x}; }}; tail; taskset 1 rigtool "
            f"datagram {PEERS[ip]} 9 pieces={pieces} piece={piece}; tail").split()]
        assert datagrams(wire, 1) == [pattern(0, pieces * piece)]
        return (after - before) % RING

    @pytest.mark.parametrize("sg", ("on", "off"))
    def test_pieces(self, nic, wire, ip, sg):
        """A descriptor for each, up to as many as a frame may have; or one for all."""
        nic.ethtool(f"-K {{}} sg {sg}")
        for pieces, piece in ((1, 1), (1, 1000), (2, 700), (5, 20), (16, 89), (MOST_PIECES, 1),
                              (MOST_PIECES, 7), (MOST_PIECES, 84)):
            copied = sg == "off" or pieces * piece + (42 if ip == 4 else 62) <= 128
            # And a context, perhaps. What the stack sends of its own accord may come between.
            want = {1, 2} if copied else {1 + pieces, 2 + pieces}
            assert any(self.descriptors(nic, wire, ip, pieces, piece) in want for _ in range(4))

    def test_too_many(self, nic, wire, ip):
        """More than that is refused before it reaches the driver, or copied."""
        said, status = nic.guest.sh_status(f"rigtool datagram {PEERS[ip]} 9 piece=50 "
                                           f"pieces={MOST_PIECES + 1}")
        assert status and "Message too long" in said
        nic.ethtool("-K {} sg off")
        wire.drain()
        nic.guest.sh(f"rigtool datagram {PEERS[ip]} 9 piece=20 pieces=60")
        assert datagrams(wire, 1) == [pattern(0, 1200)]

    @pytest.mark.parametrize("off", ("", "sg", "tx"))
    def test_segments(self, nic, wire, ip, off):
        """UDP_SEGMENT: five datagrams, whoever cuts them."""
        if off:
            nic.ethtool(f"-K {{}} {off} off")
        wire.drain()
        nic.guest.sh(f"rigtool datagram {PEERS[ip]} 9 pieces=5 piece=1000 segment=1000")
        assert datagrams(wire, 5) == [pattern(number * 1000, 1000) for number in range(5)]


@pytest.mark.parametrize("ip", (4, 6))
class TestChecksums:
    """Left to the chip, or not."""

    def left(self, nic, action):
        """skb->ip_summed of the frames that @action's program sends."""
        with traced(nic.guest, EVENT, only="comm == \"rigtool\""):
            action()
        lines = nic.guest.sh(f"grep ' dev={nic.name} ' {TRACE}")
        return {int(number) for number in re.findall(r"ip_summed=(\d+)", lines)}

    @pytest.mark.parametrize("proto", ("tcp", "udp"))
    def test_switched(self, nic, wire, ip, proto):
        """Off, the kernel sums; the frames are the same."""
        for setting, left in (("on", PARTIAL), ("off", NONE), ("on", PARTIAL)):
            nic.ethtool(f"-K {{}} tx {setting}")
            for count in (1, 1000, 1400):
                assert self.left(nic, lambda many=count: cut_up(
                    nic, wire, many, 1400, ip, proto)) == {left}

    def test_sctp(self, nic, wire, ip):
        """The CRC of a real packet; others would not know what is in it."""
        nic.guest.sh("modprobe sctp")
        port = 1000
        for setting, left in (("on", PARTIAL), ("off", NONE), ("on", PARTIAL)):
            nic.ethtool(f"-K {{}} tx-checksum-sctp {setting}")
            wire.drain()
            port += 1
            assert self.left(nic, lambda to=port: nic.guest.sh(
                f"rigtool sctpinit {PEERS[ip]} {to}")) == {left}
            packet = Ether(wire.recv(lambda frame, to=port: SCTP in Ether(frame)
                                     and Ether(frame)[SCTP].dport == to))
            again = packet.copy()
            del again[SCTP].chksum
            assert bytes(again) == bytes(packet)
            assert (IPv6 in packet) == (ip == 6)


class TestCompletion:
    """What has been sent is given back, though nothing else happens."""

    @pytest.mark.guest("wire", ("msix-2cpu", "msix-1cpu", "nomsi-1cpu"))
    @pytest.mark.parametrize("mtu, size", ((1500, 20), (1500, 1400), (9000, 8900)))
    def test_lone(self, nic, wire, mtu, size):
        """A send buffer for a frame or two, and no other traffic: nobody waits for one."""
        nic.set_mtu(mtu)
        count = 150
        wire.drain()
        said = nic.guest.sh(f"rigtool lone 198.18.0.2 9 count={count} size={size}")
        slow, lost, last = map(int, re.search(r"slow (\d+) lost (\d+).*last_us (\d+)",
                                              said).groups())
        # A busy host may hold the guest up now and then, but not for most of them.
        assert lost == 0 and slow <= count // 20 and last < 1_000_000, said
        assert len(datagrams(wire, count)) == count
