# SPDX-License-Identifier: GPL-2.0
"""What the stack is told of a received frame: checksum, hash; and segments put together."""
import re

import pytest
from rig import frames
from rig.frames import PEER
from rig.trace import TRACE, traced
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from test_coalesce import BY_ITSELF, FIXED, MOST
from test_rss import FLOWS, Spread, hash_of

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

EVENT = "net/napi_gro_receive_entry"
NONE, UNNECESSARY = 0, 1        # skb->ip_summed


@pytest.fixture
def nic(nic):
    """Features and moderation as they are after loading, for the next one."""
    yield nic
    nic.ethtool("-K {} rx on rxhash on gro on")
    nic.ethtool(f"-C {{}} {FIXED} rx-usecs 20", check=False)
    nic.ethtool(f"-C {{}} {BY_ITSELF}")
    for kind in FLOWS:
        nic.ethtool(f"-N {{}} rx-flow-hash {kind} sdfn")


def csum_errors(nic):
    """How many wrong checksums the driver has counted."""
    return sum(value for name, value in nic.statistics().items()
               if re.fullmatch(r"rx_queue_\d+_csum_errors", name))


def told(nic, wire, many):
    """{name: (ip_summed, hash, whether of ports, too)} as the driver passes them on.

    @many is {name: frame}, no two of the same length, by which they are known again.
    """
    by_length = {max(len(frame), frames.MINIMUM) - 14: name for name, frame in many.items()}
    assert len(by_length) == len(many), "the test's own lengths"
    with traced(nic.guest, EVENT):
        wire.burst(list(many.values()))
        lines = nic.guest.until(f"grep dev={nic.name} {TRACE}; true",
                                rf"(?s)(dev=.*){{{len(many)}}}")
    found = re.findall(r"ip_summed=(\d+) hash=0x(\w+) l4_hash=(\d) len=(\d+)", lines)
    assert len(found) == len(many), lines
    return {by_length[int(length)]: (int(summed), int(value, 16), l4 == "1")
            for summed, value, l4, length in found}


def network(ip, **fields):
    """An IP header to nobody whom the guest knows."""
    return IP(src="198.18.1.2", dst="198.18.1.1", **fields) if ip == 4 \
        else IPv6(src="fd01::2", dst="fd01::1", **fields)


def spoilt(packet):
    """The same with one bit of its last byte the other way."""
    whole = bytearray(bytes(packet))
    whole[-1] ^= 1
    return bytes(whole)


class TestChecksum:
    """Good, bad, or not looked at."""

    @staticmethod
    def frames(mac, ip):
        """({name: frame}, the names of the good ones, those of the bad ones)"""
        head = Ether(dst=mac, src=PEER) / network(ip)
        transports = {"tcp": TCP(sport=1, dport=9), "udp": UDP(sport=1, dport=9),
                      "sctp": SCTP(sport=1, dport=9)}
        many, good, bad = {}, [], []
        for number, (name, transport) in enumerate(transports.items()):
            def made(size, chunk=name == "sctp", l4=transport):
                data = b"\x55" * size
                return Ether(bytes(head / l4 / (SCTPChunkData(data=data) if chunk else data)))
            many[f"{name}"] = bytes(made(100 + 8 * number))
            many[f"{name}, odd"] = bytes(made(203 + 8 * number))
            good += [f"{name}", f"{name}, odd"]
            many[f"{name}, bad"] = spoilt(made(300 + 8 * number))
            many[f"{name}, long, bad"] = spoilt(made(1300 + 8 * number))
            bad += [f"{name}, bad", f"{name}, long, bad"]
        # What is behind a datagram does not belong to it.
        many["padded"] = bytes(head / UDP(sport=1, dport=9) / b"\x55") + b"\xaa" * 17
        good.append("padded")
        many["not IP"] = frames.build(0, 700, mac)
        many["neither"] = bytes(head / (b"\x55" * 710))
        if ip == 4:
            many["no checksum"] = bytes(head / UDP(sport=1, dport=9, chksum=0) / bytes(720))
            many["fragment"] = bytes(Ether(dst=mac, src=PEER) / network(4, flags="MF")
                                     / UDP(sport=1, dport=9) / bytes(736))
            broken = Ether(bytes(head / UDP(sport=1, dport=9) / bytes(750)))
            broken[IP].chksum ^= 1
            many["header, bad"] = bytes(broken)
            bad.append("header, bad")
        return many, good, bad

    @pytest.mark.parametrize("ip", (4, 6))
    def test_told(self, nic, wire, ip):
        """Only what was found right is reported as that; nothing when switched off."""
        many, good, bad = self.frames(nic.mac, ip)
        errors = csum_errors(nic)
        summed = {name: seen[0] for name, seen in told(nic, wire, many).items()}
        assert summed == {name: UNNECESSARY if name in good else NONE for name in many}
        assert csum_errors(nic) - errors == len(bad)
        nic.ethtool("-K {} rx off")
        assert {seen[0] for seen in told(nic, wire, many).values()} == {NONE}
        nic.ethtool("-K {} rx on")
        again = {name: seen[0] for name, seen in told(nic, wire, many).items()}
        assert again == summed


class TestHash:
    """Its value, and what it is a hash of."""

    @staticmethod
    def frames(mac, ip):
        """({name: frame}, names of those whose ports are hashed, and of those without)"""
        head = Ether(dst=mac, src=PEER) / network(ip)
        many = {"tcp": head / TCP(sport=1234, dport=9) / bytes(100),
                "udp": head / UDP(sport=1234, dport=9) / bytes(130),
                "sctp": head / SCTP(sport=1234, dport=9) / SCTPChunkData(data=bytes(160)),
                "other": head / ICMP() / bytes(200) if ip == 4
                         else head / IPv6ExtHdrDestOpt(nh=59) / bytes(200)}
        if ip == 4:
            many["fragment"] = Ether(dst=mac, src=PEER) / network(4, flags="MF") \
                / UDP(sport=1234, dport=9) / bytes(240)
        many = {name: bytes(packet) for name, packet in many.items()}
        return many, ("tcp", "udp"), [name for name in many if name not in ("tcp", "udp")]

    @pytest.mark.parametrize("ip", (4, 6))
    def test_told(self, nic, wire, ip):
        """Ports for TCP and UDP, addresses for the rest of IP; nothing when switched off."""
        many, ports, addresses = self.frames(nic.mac, ip)
        key = Spread(nic).key
        want = {name: (hash_of(many[name], key, True), True) for name in ports}
        want |= {name: (hash_of(many[name], key, False), False) for name in addresses}
        many["not IP"] = frames.build(0, 700, nic.mac)
        want["not IP"] = (0, False)

        def seen():
            return {name: found[1:] for name, found in told(nic, wire, many).items()}
        assert seen() == want
        nic.ethtool(f"-N {{}} rx-flow-hash udp{ip} sd")
        assert seen() == want | {"udp": (hash_of(many["udp"], key, False), False)}
        nic.ethtool("-K {} rxhash off")
        assert set(seen().values()) == {(0, False)}
        nic.ethtool("-K {} rxhash on")
        nic.ethtool(f"-N {{}} rx-flow-hash udp{ip} sdfn")
        assert seen() == want


class TestGro:
    """Segments of one connection, put together and not."""

    SIZE, COUNT = 1000, 12

    def segments(self, mac, ip, bad=None):
        """A connection's segments, in order; one of them, perhaps, with a wrong checksum."""
        made = []
        for number in range(self.COUNT):
            start = number * self.SIZE
            data = bytes(at % frames.PERIOD for at in range(start, start + self.SIZE))
            packet = Ether(dst=mac, src=PEER) / network(ip, **{"id": number} if ip == 4 else {}) \
                / TCP(sport=1234, dport=9, seq=1 + start, ack=1, flags="A") / data
            made.append(spoilt(packet) if number == bad else bytes(packet))
        return made

    def heard(self, nic, wire, many):
        """(segment size, frame) of what the stack gets of them."""
        job = nic.guest.spawn(f"rigtool hear {nic.name} payload={self.COUNT * self.SIZE}")
        job.wait_output("ready")
        wire.burst(many)
        found = re.findall(r"^(\d+) (\w+) ([\w-]+)$", job.wait(), re.M)
        return [(int(size), Ether(bytes.fromhex(head + data))) for size, head, data in found]

    @pytest.mark.parametrize("ip", (4, 6))
    def test_merged(self, nic, wire, ip):
        """Every byte is there in any case; with GRO in fewer, larger pieces. The first is
        polled for at once, and the rest when the time is up."""
        nic.ethtool(f"-C {{}} {FIXED} rx-usecs {MOST}")
        many = self.segments(nic.mac, ip)
        for setting in ("on", "off", "on"):
            nic.ethtool(f"-K {{}} gro {setting}")
            seen = self.heard(nic, wire, many)
            assert b"".join(bytes(packet[TCP].payload) for _, packet in seen) \
                == b"".join(bytes(Ether(frame)[TCP].payload) for frame in many)
            at = 1
            for size, packet in seen:
                length = len(packet[TCP].payload)
                assert packet[TCP].seq == at
                assert size == (self.SIZE if length > self.SIZE else 0)
                at += length
            if setting == "on":
                assert len(seen) <= self.COUNT // 2
            else:
                assert [bytes(packet) for _, packet in seen] == many

    @pytest.mark.parametrize("ip", (4, 6))
    def test_bad_one(self, nic, wire, ip):
        """A segment with a wrong checksum stays alone, and as it is."""
        nic.ethtool(f"-C {{}} {FIXED} rx-usecs {MOST}")
        many = self.segments(nic.mac, ip, bad=5)
        seen = self.heard(nic, wire, many)
        assert many[5] in [bytes(packet) for size, packet in seen if not size]
        assert sum(len(packet[TCP].payload) for _, packet in seen) == self.COUNT * self.SIZE
