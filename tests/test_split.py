# SPDX-License-Identifier: GPL-2.0
"""Header split: headers in the head of a frame, what they carry in pages of its own."""
import io
import random
import re

import pytest
import test_receive
import test_wire
import test_xdp
from rig import frames, sessions
from rig.frames import PEER
from rig.nic import MODULE
from rig.trace import TRACE, traced
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.layers.l2 import ARP, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.utils import RawPcapReader
from test_receive import EVENT, network

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

HEADER_BUFFER = 256
PAGE = 4096


def split(nic, how="on"):
    """ethtool -G tcp-data-split, with a link afterwards."""
    nic.guest.sh(f"rigtool split {nic.name} {how} && rigtool carrier {nic.name} 1")


def is_split(nic):
    """What ethtool -g says."""
    return re.search(r"(?s)Current hardware.*TCP data split:\s+(\w+)", nic.ethtool("-g"))[1]


@pytest.fixture
def nic(nic, box):  # pylint: disable=unused-argument
    """Split from the start, and no longer at the end."""
    split(nic)
    yield nic
    if nic.guest.usable:
        nic.guest.sh(f"ip link set dev {nic.name} xdpdrv off; rigtool split {nic.name} off")


@pytest.fixture
def fresh_nic(fresh_nic):
    """The same of a driver that was loaded for this test."""
    split(fresh_nic)
    return fresh_nic


def protocols(mac):
    """{name: (frame, how much of it the chip takes for headers)}; 0 is all in one buffer."""
    head = Ether(dst=mac, src=PEER)
    stamps = [("NOP", 0), ("NOP", 0), ("Timestamp", (1, 2))]
    data = bytes(at % frames.PERIOD for at in range(9000))
    many = {
        "not IP": (head / ARP(pdst="198.18.1.1"), 0),
        "not IP, long": (frames.build(0, 1500, mac), 0),
        "largest": (network(4) / TCP() / data[:1460], 54),
        "one page": (network(4) / TCP(options=stamps) / data[:PAGE], 66),
        "one more": (network(4) / TCP(options=stamps) / data[:PAGE + 1], 66),
        "two pages": (network(6) / TCP(options=stamps) / data[:2 * PAGE], 86),
        "three pages": (network(4) / UDP() / data[:9000], 42),
        "nothing": (network(4) / TCP(options=stamps), 66),
        "padded": (network(4) / TCP(), 54),
        "one byte": (network(4) / UDP() / data[:1], 42),
        "ICMP": (network(4) / ICMP() / data[:300], 34),
        "SCTP": (network(6) / SCTP() / SCTPChunkData(data=data[:240]), 54),
        "fragment": (network(4, flags="MF") / UDP() / data[:800], 34),
        "fragment of IPv6": (network(6) / IPv6ExtHdrFragment(m=1) / UDP() / data[:808], 62),
        "options": (network(6) / IPv6ExtHdrDestOpt() / UDP() / data[:333], 70),
        "too many options": (network(6) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(250))])
                             / UDP() / data[:1000], 0),
    }
    return {name: (bytes(packet if isinstance(packet, bytes) or Ether in packet
                         else head / packet), length)
            for name, (packet, length) in many.items()}


def told(nic, wire, many):
    """[(bytes in all, those in pages, pages)] as the driver passes frames on."""
    with traced(nic.guest, EVENT):
        wire.burst(many)
        lines = nic.guest.until(f"grep dev={nic.name} {TRACE}; true",
                                rf"(?s)(dev=.*){{{len(many)}}}")
    return [tuple(map(int, found)) for found in
            re.findall(r" len=(\d+) data_len=(\d+) .*nr_frags=(\d+)", lines)]


def want_told(frame, headers):
    """The same as it must be."""
    size = max(len(frame), frames.MINIMUM)
    head = headers or min(size, HEADER_BUFFER)
    return size - 14, size - head, -(-(size if not headers else size - head) // PAGE) \
        if size > head else 0


def assert_split(nic, wire, many):
    """Each frame of protocols() comes apart where it must; each queue has its own order."""
    seen = told(nic, wire, [frame for frame, _ in many.values()])
    assert sorted(seen) == sorted(want_told(*frame) for frame in many.values())


def assert_received(nic, wire, many):
    """The stack's taps have @many, every byte, short ones padded."""
    job = nic.guest.spawn(f"tcpdump -p -i {nic.name} -Q in -U -s 0 -w /tmp/split.pcap "
                          f"-c {len(many)}")
    job.wait_output("listening on")
    wire.burst(many)
    job.wait(30)
    raw = bytes.fromhex(nic.guest.sh("xxd -p /tmp/split.pcap; rm /tmp/split.pcap", timeout=60))
    assert sorted(frame for frame, _ in RawPcapReader(io.BytesIO(raw))) == \
        sorted(map(frames.padded, many))


class TestProtocols:
    """Each kind of frame: where it comes apart, and every byte."""

    def test_told(self, nic, wire):
        """Headers in the head, the rest in pages from their start."""
        nic.set_mtu(9216)
        assert_split(nic, wire, protocols(nic.mac))

    def test_whole_without(self, nic, wire):
        """Off again, and all that fits into one buffer is in the head."""
        split(nic, "off")
        many = [frame for frame, _ in protocols(nic.mac).values() if len(frame) <= 1514]
        assert {pages for _, _, pages in told(nic, wire, many)} == {0}

    @pytest.mark.parametrize("tag", (None, 0x1005))
    def test_bytes(self, nic, wire, tag):
        """As they were sent, stripped of a VLAN tag or not."""
        nic.set_mtu(9216)
        nic.guest.sh(f"ip link add link {nic.name} name {nic.name}.5 type vlan id 5")
        many = [frame for frame, _ in protocols(nic.mac).values()]
        if tag:
            many = [frame[:12] + b"\x81\x00" + tag.to_bytes(2, "big") + frame[12:]
                    for frame in many]
        for strip in ("on", "off", "on"):
            nic.ethtool(f"-K {{}} rxvlan {strip}")
            assert_received(nic, wire, many)

    def test_sizes(self, nic, wire):
        """UDP datagrams of every size around what a page holds, again and again."""
        nic.set_mtu(9216)
        mac, dice = nic.mac, random.Random(82576)
        sizes = [0, 1, 17, 18, 19, 213, 214, 215, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE - 1,
                 2 * PAGE, 2 * PAGE + 1, 9188]
        for _ in range(4):
            dice.shuffle(sizes)
            many = [bytes(Ether(dst=mac, src=PEER) / network(4) / UDP() / dice.randbytes(size))
                    for size in sizes]
            assert_received(nic, wire, many)

    def test_noise(self, nic, wire):
        """IP headers that make no sense. QEMU 10.0 itself ends on a frame that is shorter than
        its headers claim to be, so these are longer than what it takes apart."""
        dice = random.Random(10)
        mac = bytes.fromhex(nic.mac.replace(":", ""))
        many = []
        for number in range(300):
            header = bytearray(dice.randbytes(20)) + dice.randbytes(dice.randint(300, 1400))
            header[0] = dice.choice((0x45, 0x4f, 0x40, 0x41, 0x60, 0x65, 0x00, 0xff))
            header[9 if header[0] >> 4 != 6 else 6] = dice.choice((6, 17, 132, 0, 43, 44, 60, 99))
            many.append(mac + bytes(6) + (b"\x86\xdd" if header[0] >> 4 == 6 else b"\x08\x00")
                        + bytes(header))
        for start in range(0, len(many), 50):
            assert_received(nic, wire, many[start:start + 50])

    def test_bad_frames(self, nic, wire):
        """rx-all: longer ones than the MTU, in many pages."""
        nic.ethtool("-K {} rx-all on")
        mac = nic.mac
        many = [bytes(Ether(dst=mac, src=PEER) / network(4) / UDP() / bytes(size))
                for size in (100, 5000, 20000, 60000, 100)]
        try:
            assert_received(nic, wire, many)
        finally:
            nic.ethtool("-K {} rx-all off")


class TestSizes(test_wire.TestSizes):
    """Frames that are not IP, of every size."""


class TestBursts(test_wire.TestBursts):
    """More frames than descriptors."""


class TestMalformed(test_wire.TestMalformed):
    """What no wire should carry; for noise see above."""

    test_noise = test_noise_in_headers = None


class TestChecksum(test_receive.TestChecksum):
    """What the stack is told of sums."""


class TestHash(test_receive.TestHash):
    """What the stack is told of hashes."""


class TestGro(test_receive.TestGro):
    """Segments put together."""


class TestPrograms:
    """A program sees headers in front, and what they carry as a fragment."""

    SIZES = test_xdp.SIZES + test_xdp.LONGER

    def test_headers(self, nic, wire):
        """The head has the headers and no more."""
        nic.set_mtu(9216)
        test_xdp.attach(nic, "headers", "xdp.frags")
        assert_split(nic, wire, protocols(nic.mac))

    def test_back(self, nic, wire):
        """Sent out again, every byte."""
        nic.set_mtu(9216)
        test_xdp.attach(nic, "back", "xdp.frags")
        many = [frames.padded(frame) for frame, _ in protocols(nic.mac).values()]
        for _ in range(3):
            wire.drain()
            wire.burst(many)
            got = wire.collect(len(many), lambda frame: frame[6:12] == many[0][:6])
            assert sorted(got) == sorted(frame[6:12] + frame[:6] + frame[12:] for frame in many)

    @pytest.mark.parametrize("verdict", ("pass", "sort", "grow"))
    def test_passes(self, nic, wire, verdict):
        """To the stack, with metadata in front, and longer than they came."""
        getattr(test_xdp.TestVerdicts(), f"test_{verdict}")(nic, wire, 9000, "xdp.frags",
                                                            self.SIZES)

    def test_gone(self, nic, wire):
        """Dropped by a program, and their memory given back."""
        nic.set_mtu(9216)
        many = [frame for frame, _ in protocols(nic.mac).values()]
        before = test_xdp.counted(nic, "xdp_drop")
        test_xdp.attach(nic, "drop", "xdp.frags")
        for turn in range(1, 101):
            wire.burst(many)
            nic.guest.until(f"ethtool -S {nic.name} | awk '/xdp_drop/ {{ n += $2 }} END "
                            "{ print n }'", rf"^{before + turn * len(many)}$")
        test_xdp.detach(nic)
        assert_received(nic, wire, many)

    @pytest.mark.guest("wire", ("msix-2cpu",))
    def test_cpu(self, nic, wire):
        """A cpumap: the stack of another CPU builds the frame, which TCP may then merge."""
        test_xdp.TestRedirection().test_cpu(nic, wire, 9000, "xdp.frags", self.SIZES)

    def test_single(self, nic, wire):
        """A program without fragments is refused, and so is the split while there is one."""
        def attach(kind):
            return nic.guest.sh_status(f"ip link set dev {nic.name} xdpdrv object "
                                       f"/lib/bpf/{kind}.o section {kind} program drop")
        many = [frame for frame, _ in protocols(nic.mac).values() if len(frame) <= 1514]
        said, status = attach("xdp")
        assert status and "takes no fragments" in said
        assert_received(nic, wire, many)
        split(nic, "off")
        assert attach("xdp")[1] == 0
        before = nic.state()
        said, status = nic.guest.sh_status(f"rigtool split {nic.name} on")
        assert status and "takes no fragments" in said
        assert nic.state() == before and is_split(nic) == "off"
        test_xdp.detach(nic)
        split(nic)


class TestSettings:
    """On, off and by itself; kept, and refused."""

    def test_choices(self, nic):
        """By itself is off."""
        for how, shown in (("off", "off"), ("on", "on"), ("auto", "off"), ("on", "on")):
            split(nic, how)
            assert is_split(nic) == shown

    def test_default(self, nic):
        """Nobody who did not ask for it has it."""
        nic.guest.sh("rmmod igb_demo")
        nic.load()
        assert is_split(nic) == "off"
        split(nic)

    @pytest.mark.parametrize("upset", (
        "ip link set {} down; ip link set {} up", "ethtool -G {} rx 512 tx 512",
        "ethtool -L {} combined 1", "echo 1 >/sys/class/net/{}/device/reset",
        "ip link set {} down; ethtool -G {} rx 64; ip link set {} up",
        "ip link set {} down; rigtool split {} off; rigtool split {} on; ip link set {} up"))
    def test_kept(self, fresh_nic, wire, upset):
        """Whatever else is changed."""
        nic = fresh_nic
        nic.guest.sh(upset.replace("{}", nic.name) + f"; rigtool carrier {nic.name} 1")
        assert is_split(nic) == "on"
        many = protocols(nic.mac)
        many = {name: many[name] for name in ("largest", "nothing", "not IP", "options")}
        assert_split(nic, wire, many)

    def test_refused_rings(self, nic, wire):
        """What else the command asks for is refused: nothing changes."""
        before = nic.state()
        _, status = nic.guest.sh_status(f"ethtool -G {nic.name} rx 257")
        assert status and nic.state() == before and is_split(nic) == "on"
        many = [frame for frame, _ in protocols(nic.mac).values() if len(frame) <= 1514]
        assert_received(nic, wire, many)

    def test_application(self, nic):
        """An application's memory has no second buffer, whichever is wanted first."""
        said, status = nic.guest.sh_status(f"rigtool xsk {nic.name} program=0 count=1 idle=100")
        assert status and "not supported" in said, said
        split(nic, "off")
        job = nic.guest.spawn(f"rigtool xsk {nic.name} program=0 count=1 idle=20000")
        job.wait_output("ready")
        said, status = nic.guest.sh_status(f"rigtool split {nic.name} on")
        assert status and "AF_XDP" in said, said
        assert is_split(nic) == "off"
        job.kill()
        nic.guest.until(f"ip link show {nic.name}", r"^((?!xdp)[\s\S])*$")
        split(nic)

    def test_under_traffic(self, fresh_nic, wire):
        """On and off in the midst of it: what arrives is right, nothing is left behind."""
        nic = fresh_nic
        mac, stop = nic.mac, False
        switch = nic.guest.spawn(f"n=0; while [ $n -lt 30 ]; do n=$((n + 1)); "
                                 f"rigtool split {nic.name} off && rigtool split {nic.name} on "
                                 "|| exit; done")
        with nic.receiving("idle=3000", timeout=120) as seen:
            while not stop:
                wire.burst([frames.build(number, 60 + 30 * number, mac) for number in range(40)])
                stop = nic.guest.sh_status(f"ls {switch.base}.status")[1] == 0
        switch.wait()
        assert seen and not [frame for frame in seen
                             if frame.fault or frame.size != 60 + 30 * frame.number]
        many = [frame for frame, _ in protocols(mac).values() if len(frame) <= 1514]
        assert_received(nic, wire, many)
        nic.guest.sh("rmmod igb_demo")
        nic.guest.until("rigtool pagepools | wc -l", "^0$", timeout=5)


@pytest.mark.guest("pair", ("msix-2cpu",))
class TestMapping:
    """TCP_ZEROCOPY_RECEIVE: what arrives is mapped, not copied."""

    BYTES = 256 * PAGE

    def mapped(self, guest, how):
        """(bytes mapped, bytes copied) with segments that fill a page each."""
        guest.sh(f"insmod {MODULE}")
        with sessions.namespaces(guest):
            guest.sh(sessions.JOIN, timeout=60)
            for space, port in (("a", "eth0"), ("b", "eth1")):
                guest.sh(f"ip -n {space} link set {port} mtu {PAGE + 20 + 32}; "
                         f"ip netns exec {space} rigtool split {port} {how}; "
                         f"ip netns exec {space} rigtool carrier {port} 1")
            reader = guest.spawn("ip netns exec b rigtool mapped 9")
            reader.wait_output("ready")
            guest.sh(f"ip netns exec a rigtool flow 10.1.0.2 9 bytes={self.BYTES}", timeout=60)
            said = reader.wait()
        guest.sh("rmmod igb_demo")
        mapped, copied, wrong = map(int, re.search(r"mapped (\d+) copied (\d+) wrong (\d+)",
                                                   said).groups())
        assert wrong == 0 and mapped + copied == self.BYTES
        return mapped, copied

    def test_mapped(self, guest):
        """Nearly all of it; without the split nothing."""
        mapped, _ = self.mapped(guest, "on")
        assert mapped > self.BYTES * 3 // 4
        assert self.mapped(guest, "off")[0] == 0
