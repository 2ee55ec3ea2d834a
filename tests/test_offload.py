# SPDX-License-Identifier: GPL-2.0
"""What is left to the chip: segments, checksums and VLAN tags, exact on the wire."""
import pytest
from rig import frames
from rig.frames import PEER
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from test_wire import wait_received

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

ACK, PSH, FIN = 0x10, 0x08, 0x01
L4 = {"tcp": TCP, "udp": UDP}


def is_segment(frame):
    """Whether rigtool segment, or who cut up its frame, made it."""
    packet = Ether(frame)
    return any(layer in packet and packet[layer].dport == 5555 for layer in (TCP, UDP))


def checksums_are_right(packet):
    """Have scapy compute them again."""
    again = packet.copy()
    for layer in (IP, TCP, UDP):
        if layer in again:
            del again[layer].chksum
    return bytes(Ether(bytes(again))) == bytes(packet)


def payload(count):
    """What rigtool segment sends."""
    return bytes(at % frames.PERIOD for at in range(count))


def cut_up(nic, wire, count, mss, ip=4, proto="tcp", flags=ACK, vlan=None, padding=0,
           timeout=5):
    """Have the guest send @count bytes; returns the segments on the wire, checked."""
    wire.drain()
    nic.guest.sh(f"rigtool segment {nic.name} dst={PEER} src={nic.mac} ip={ip} proto={proto} "
                 f"payload={count} mss={mss} flags={flags} padding={padding}"
                 + (f" vlan={vlan}" if vlan is not None else ""))
    want = max(1, -(-count // mss))
    packets = [Ether(frame) for frame in wire.collect(want, match=is_segment, timeout=timeout)]
    assert len(packets) == want
    got = b""
    for number, packet in enumerate(packets):
        l3, l4 = packet[IP if ip == 4 else IPv6], packet[L4[proto]]
        size = min(mss, count - number * mss)
        assert checksums_are_right(packet), f"segment {number}: {packet.show(dump=True)}"
        header = 20 if proto == "tcp" else 8
        if ip == 4:
            assert (l3.len, l3.id) == (20 + header + size, 1000 + number)
        else:
            assert l3.plen == header + size
        if proto == "tcp":
            assert l4.seq == 1 + number * mss
            last = number == want - 1
            assert int(l4.flags) & ~PSH == (flags if last else flags & ~FIN) & ~PSH
        got += bytes(l4.payload)[:size]
        if vlan is not None:
            assert packet[Dot1Q].vlan == vlan & 0xfff and packet[Dot1Q].prio == vlan >> 13
    assert got == payload(count)
    return packets


@pytest.mark.parametrize("ip", (4, 6))
class TestSegmentation:
    """Frames longer than the MTU."""

    @pytest.mark.parametrize("count, mss", ((1, 1400), (1400, 1400), (1401, 1400), (2800, 1400),
                                            (5000, 536), (60000, 1448), (10000, 100)))
    def test_tcp(self, nic, wire, ip, count, mss):
        """Cut where the MSS says, by the chip."""
        before = nic.statistics()["hw_tsctc"]
        cut_up(nic, wire, count, mss, ip)
        assert nic.statistics()["hw_tsctc"] - before == (count > mss)

    def test_fin(self, nic, wire, ip):
        """FIN stays on the last segment, whoever has to see to it."""
        cut_up(nic, wire, 5000, 1400, ip, flags=ACK | PSH | FIN)

    def test_switched_off(self, nic, wire, ip):
        """ethtool -K: the kernel does it then, with the same result."""
        nic.ethtool("-K {} tso off")
        try:
            before = nic.statistics()["hw_tsctc"]
            cut_up(nic, wire, 5000, 1400, ip)
            assert nic.statistics()["hw_tsctc"] == before
        finally:
            nic.ethtool("-K {} tso on")

    def test_udp(self, nic, wire, ip):
        """Datagrams, not fragments."""
        cut_up(nic, wire, 5000, 1000, ip, "udp")

    @pytest.mark.parametrize("proto", ("tcp", "udp"))
    @pytest.mark.parametrize("count, padding", ((1, 0), (1, 20), (6, 100), (1000, 1), (1000, 2)))
    def test_padding(self, nic, wire, ip, proto, count, padding):
        """What is behind the datagram does not enter its checksum."""
        cut_up(nic, wire, count, 1400, ip, proto, padding=padding)

    def test_tagged(self, nic, wire, ip):
        """Each segment carries the tag, be it the chip's or in the frame."""
        cut_up(nic, wire, 5000, 1400, ip, vlan=3 << 13 | 100)

    def test_contexts_alternate(self, nic, wire, ip):
        """More kinds of frames than the chip keeps contexts, in turns."""
        for _ in range(3):
            for count, mss in ((3000, 1000), (500, 1000), (3000, 900), (3000, 800), (3000, 800)):
                cut_up(nic, wire, count, mss, ip)


@pytest.mark.parametrize("ip", (4, 6))
@pytest.mark.parametrize("outer", (4, 6))
@pytest.mark.parametrize("proto", ("tcp", "udp"))
def test_sum_deep_inside(nic, wire, ip, outer, proto):
    """VXLAN, of which only the sum inside is still to do: not that of the headers in front."""
    wire.drain()
    nic.guest.sh(f"rigtool segment {nic.name} dst={PEER} src={nic.mac} ip={ip} proto={proto} "
                 f"payload=500 outer={outer}")
    packet = Ether(wire.recv(lambda frame: VXLAN in Ether(frame)))
    assert packet[UDP].chksum == 0
    inside = Ether(bytes(packet[VXLAN].payload))
    assert checksums_are_right(inside)
    assert bytes(inside[L4[proto]].payload) == payload(500)


TAG = 3 << 13 | 100


class TestVlan:
    """Tags put in, taken out, and filtered by the chip."""

    @pytest.fixture
    def vlan(self, nic):
        """eth0.100, up; gone after the test."""
        name = f"{nic.name}.100"
        nic.guest.sh(f"ip link add link {nic.name} name {name} type vlan id 100 "
                     f"egress-qos-map 0:3 && ip link set {name} up")
        yield name
        nic.guest.sh(f"ip link del {name}; ethtool -K {nic.name} rxvlan on txvlan on "
                     "rx-vlan-filter on; true")

    @pytest.mark.parametrize("offload", ("on", "off"))
    def test_insert(self, nic, wire, vlan, offload):
        """What leaves through a VLAN device has its tag, by the chip or not."""
        nic.ethtool(f"-K {{}} txvlan {offload}")
        wire.drain()
        nic.guest.sh(f"rigtool send {vlan} dst={PEER} sizes=60,61,1000,1514")
        got = wire.collect(4)
        mac = nic.mac
        for number, size in enumerate((60, 61, 1000, 1514)):
            assert frames.padded(got[number]) == \
                frames.padded(frames.build(number, size, PEER, mac, TAG))

    @pytest.mark.parametrize("offload", ("on", "off"))
    def test_strip(self, nic, wire, vlan, offload):
        """A tagged frame reaches the VLAN device without its tag, with all of its bytes."""
        nic.ethtool(f"-K {{}} rxvlan {offload}")
        job = nic.guest.spawn(f"rigtool recv {vlan} until=2")
        job.wait_output("ready")
        wire.burst([frames.build(number, size, nic.mac, vlan=TAG)
                    for number, size in enumerate((60, 1000, 1514))])
        seen = frames.parse_receiver(job.wait(20))
        assert frames.summary(seen) == frames.expected((60, 1000, 1514))

    def test_filter(self, nic, wire, vlan):
        """Only VLANs that somebody wants pass, and priority tags; all when promiscuous."""
        many = [frames.build(number, 100, nic.mac, vlan=tci)
                for number, tci in enumerate((100, 101, 4095, 0, 3 << 13))]
        many.append(frames.build(len(many), 100, nic.mac))

        def passed(options=""):
            with nic.receiving(f"until={len(many) - 1} {options}") as seen:
                wire.burst(many)
            return [frame.number for frame in seen]
        assert passed() == [0, 3, 4, 5]
        assert passed("promisc=1") == [0, 1, 2, 3, 4, 5]
        assert passed() == [0, 3, 4, 5]
        nic.ethtool("-K {} rx-vlan-filter off")
        assert passed() == [0, 1, 2, 3, 4, 5]
        nic.ethtool("-K {} rx-vlan-filter on")
        nic.guest.sh(f"ip link del {vlan}")
        assert passed() == [3, 4, 5]

    def test_added_while_off(self, nic, wire):
        """A VLAN that came while the filter was off is known to it afterwards."""
        name = f"{nic.name}.200"
        nic.ethtool("-K {} rx-vlan-filter off")
        nic.guest.sh(f"ip link add link {nic.name} name {name} type vlan id 200")
        nic.ethtool("-K {} rx-vlan-filter on")
        many = [frames.build(number, 100, nic.mac, vlan=tci)
                for number, tci in enumerate((200, 201))]
        many.append(frames.build(2, 100, nic.mac))
        try:
            with nic.receiving("until=2") as seen:
                wire.burst(many)
            assert [frame.number for frame in seen] == [0, 2]
        finally:
            nic.guest.sh(f"ip link del {name}")

    def test_survives_a_reset(self, nic, wire, vlan):
        """VLANs are told again to a chip that has forgotten them."""
        nic.guest.sh("echo 1 >/sys/bus/pci/devices/0000:01:00.0/reset && "
                     f"rigtool carrier {nic.name} 1")
        with nic.receiving("until=2") as seen:
            wire.burst([frames.build(0, 100, nic.mac, vlan=100),
                        frames.build(1, 100, nic.mac, vlan=101), frames.build(2, 100, nic.mac)])
        assert [(frame.number, frame.vlan) for frame in seen] == [(0, 100), (2, -1)]
        self.test_insert(nic, wire, vlan, "on")

    def test_every_id(self, fresh_nic, wire):
        """All 4096, of which a bridge wants most; everything when promiscuous, and back."""
        nic, guest, mac = fresh_nic, fresh_nic.guest, fresh_nic.mac
        unwanted = {1, 31, 32, 100, 2047, 2048, 4094, 4095}
        everything = [*range(4096), 5000]
        wanted = [number for number in everything if number not in unwanted]
        many = [frames.build(vid, 60, mac, vlan=vid) for vid in range(4096)]
        many.append(frames.build(5000, 60, mac))

        def assert_passes(numbers, options=""):
            with nic.receiving(f"until=5000 {options}") as seen:
                for start in range(0, len(many), 1000):
                    before = nic.counters()["rx_packets"]
                    wire.burst(many[start:start + 1000])
                    wait_received(nic, before + len(set(everything[start:start + 1000])
                                                    & set(numbers)))
            assert all(frame.vlan in (frame.number, -1) for frame in seen)
            assert [frame.number for frame in seen] == numbers
        # So that there is room for a thousand.
        nic.ethtool("-G {} rx 4096")
        try:
            guest.sh(f"modprobe bridge && ip link add br0 type bridge vlan_filtering 1 "
                     f"vlan_default_pvid 0 && ip link set {nic.name} master br0 && "
                     f"bridge vlan add dev {nic.name} vid 1-4094 && "
                     f"for vid in {' '.join(map(str, unwanted - {4095}))}; do "
                     f"bridge vlan del dev {nic.name} vid $vid; done", timeout=60)
            assert_passes(wanted)
            assert_passes(everything, "promisc=1")
            assert_passes(wanted)
            guest.sh(f"bridge vlan del dev {nic.name} vid 1-4094", timeout=60)
            assert_passes([0, 5000])
        finally:
            guest.sh("ip link del br0", timeout=60, check=False)

    def test_ids_all_over(self, nic, wire):
        """The first and the last id, and the edges of registers in between."""
        guest = nic.guest
        ids = [1, 31, 32, 33, 63, 64, 1000, 2047, 2048, 4063, 4064, 4094]
        neighbours = sorted({vid + by for vid in ids for by in (-1, 0, 1)} - {0, 4095})
        many = [frames.build(vid, 60, nic.mac, vlan=vid) for vid in neighbours]
        many.append(frames.build(5000, 60, nic.mac))
        for vid in ids:
            guest.sh(f"ip link add link {nic.name} name v{vid} type vlan id {vid}")
        try:
            with nic.receiving("until=5000") as seen:
                wire.burst(many)
            assert [frame.number for frame in seen] == ids + [5000]
        finally:
            guest.sh("".join(f"ip link del v{vid};" for vid in ids))
