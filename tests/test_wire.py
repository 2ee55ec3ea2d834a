# SPDX-License-Identifier: GPL-2.0
"""Exact frames on the wire: every byte of every frame, in both directions."""
import random

import pytest
from rig import frames
from rig.frames import BROADCAST, PEER
from rig.peers import Mirror
from rig.sessions import PING

pytestmark = pytest.mark.guest("wire")

TAG = 3 << 13 | 100      # priority 3, VLAN 100
MTUS = (68, 576, 1500, 1501, 2026, 4078, 9000, 9216)


def edges(mtu):
    """Frame sizes at which something may change, up to the MTU's own."""
    sizes = {60, 61, 63, 64, 65, mtu + 12, mtu + 13, mtu + 14}
    for buffer in (128, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192):
        sizes |= {buffer + by for by in (-18, -14, -4, -2, -1, 0, 1, 2, 4, 14, 18)}
    return sorted(size for size in sizes if 60 <= size <= mtu + 14)


def to_guest(nic, wire, many, options="", until=None):
    """Send @many frames to the guest; returns what it saw of them."""
    until = len(many) - 1 if until is None else until
    with nic.receiving(f"until={until} {options}") as seen:
        wire.burst(many)
    faulty = [frame for frame in seen if frame.fault]
    assert not faulty, f"payload was changed: {faulty[:5]}"
    return seen


def wait_received(nic, packets):
    """Wait, for ten seconds or more at most, until the port has received so many."""
    path = f"/sys/class/net/{nic.name}/statistics/rx_packets"
    nic.guest.sh(f"n=0; while [ $(cat {path}) -lt {packets} ] && [ $n -lt 2000 ]; do "
                 "n=$((n + 1)); usleep 5000; done", timeout=60)


def pour(nic, wire, many, piece):
    """Send @many frames, all of which pass, no more than @piece ahead of the guest."""
    for start in range(0, len(many), piece):
        before = nic.counters()["rx_packets"]
        some = many[start:start + piece]
        wire.burst(some)
        wait_received(nic, before + len(some))


def assert_sent(nic, wire, sizes, vlan=None, extra=""):
    """The guest sends @sizes; they must appear on the wire byte for byte, in order."""
    wire.drain()
    words = [str(size) for size in sizes]
    said = nic.transmit(f"dst={PEER} sizes={','.join(words)} {extra}"
                        + (f" vlan={vlan}" if vlan is not None else ""))
    assert "refused" not in said, said
    got = wire.collect(len(sizes))
    mac = nic.mac
    for number, size in enumerate(sizes):
        want = frames.build(number, size, PEER, mac, vlan)
        assert number < len(got), f"frame {number} of {size} bytes did not come"
        assert frames.padded(got[number]) == frames.padded(want), \
            f"frame {number} of {size} bytes is wrong on the wire"


class TestSizes:
    """Every size around buffers' and MTUs' edges."""

    def test_minimum_is_padded(self, nic, wire):
        """Short frames leave as 60 bytes, the padding zero, not somebody's memory."""
        mac = nic.mac
        wire.drain()
        nic.transmit(f"dst={PEER} sizes=26-62")
        for number, size in enumerate(range(26, 63)):
            want = frames.padded(frames.build(number, size, PEER, mac))
            assert wire.recv() == want, f"{size} bytes"

    def test_transmit(self, nic, wire):
        """Guest to wire, untagged and tagged."""
        for mtu in MTUS:
            nic.set_mtu(mtu)
            assert_sent(nic, wire, edges(mtu))
            assert_sent(nic, wire, [60, 61, mtu + 13, mtu + 14], TAG)

    def test_receive(self, nic, wire):
        """Wire to guest; a VLAN tag makes a frame four bytes longer, not too long."""
        mac = nic.mac
        # So that a driver which filters VLANs lets this one in.
        nic.guest.sh(f"ip link add link {nic.name} name {nic.name}.100 type vlan id 100 && "
                     f"ip link set {nic.name}.100 up")
        for mtu in MTUS:
            nic.set_mtu(mtu)
            # Not in one burst: the stack's taps see tagged frames before untagged ones.
            for vlan, sizes in ((None, edges(mtu)), (TAG, [60, 61, 64, mtu + 13, mtu + 14])):
                many = [frames.build(number, size, mac, vlan=vlan)
                        for number, size in enumerate(sizes)]
                seen = to_guest(nic, wire, many)
                assert [frame.size for frame in seen] == sizes, f"MTU {mtu}"
                assert {frame.vlan for frame in seen} == {-1 if vlan is None else vlan}
                assert {frame.dst for frame in seen} == {mac}

    @pytest.mark.parametrize("mtu", (1500, 9216))
    def test_too_long_is_dropped(self, nic, wire, mtu):
        """More than a tagged frame of the MTU's size does not reach the stack."""
        nic.set_mtu(mtu)
        mac = nic.mac
        many = [frames.build(number, mtu + 14 + over, mac)
                for number, over in enumerate((5, 6, 100, 3000))]
        many.append(frames.build(4, 60, mac))
        assert [frame.number for frame in to_guest(nic, wire, many)] == [4]

    def test_every_size_of_one_buffer(self, nic, wire):
        """60 to 1514 without a gap, both directions."""
        mac, sizes = nic.mac, list(range(60, 1515))
        seen = []
        with nic.receiving(f"until={sizes[-1]}") as seen:
            pour(nic, wire, [frames.build(size, size, mac) for size in sizes], 64)
        assert [(frame.number, frame.size) for frame in seen] == [(size, size) for size in sizes]
        assert not [frame for frame in seen if frame.fault]
        wire.drain()
        nic.transmit(f"dst={PEER} sizes=60-1514")
        for number, size in enumerate(sizes):
            assert wire.recv() == frames.build(number, size, PEER, mac), f"{size} bytes"

    def test_jumbo_at_random(self, nic, wire):
        """Sizes in no order: what one frame left in a buffer must not be in the next."""
        nic.set_mtu(9216)
        dice = random.Random(82576)
        sizes = [dice.randint(60, 9230) for _ in range(400)]
        mac, seen = nic.mac, []
        with nic.receiving(f"until={len(sizes) - 1}") as seen:
            pour(nic, wire, [frames.build(number, size, mac)
                             for number, size in enumerate(sizes)], 16)
        assert [frame.size for frame in seen] == sizes
        assert not [frame for frame in seen if frame.fault]


class TestBursts:
    """More frames than descriptors, back to back."""

    @pytest.mark.parametrize("bypass", (0, 1), ids=("queued", "unqueued"))
    def test_transmit_many_rings(self, nic, wire, bypass):
        """Ten rings' worth: all arrive once, in order, unchanged."""
        count = 10 * nic.rings()["tx"]
        mac = nic.mac
        wire.drain()
        said = nic.transmit(f"dst={PEER} sizes=60,1514 repeat={count // 2} bypass={bypass}")
        assert "refused" not in said, said
        got = wire.collect(count // 2 * 2)
        assert [frames.number_of(frame) for frame in got] == list(range(len(got)))
        assert len(got) == count // 2 * 2
        for number, frame in enumerate(got):
            assert frame == frames.build(number, (60, 1514)[number % 2], PEER, mac)

    def test_receive_many_rings(self, nic, wire):
        """Ten rings' worth in pieces that a ring can hold: none may be lost."""
        ring = nic.rings()["rx"]
        count, piece = 10 * ring, max(8, ring // 4)
        mac, seen = nic.mac, []
        with nic.receiving(f"until={count - 1}", timeout=120) as seen:
            pour(nic, wire, [frames.build(number, 60 + number % 1000, mac)
                             for number in range(count)], piece)
        assert [frame.number for frame in seen] == list(range(count))
        assert not [frame for frame in seen if frame.fault]

    @pytest.mark.parametrize("size", (60, 1514))
    def test_receive_overrun(self, nic, wire, size):
        """Ten rings' worth at once: what arrives is right, and the port goes on."""
        count = 10 * nic.rings()["rx"]
        mac, seen = nic.mac, []
        many = frames.series(mac, count, size)
        with nic.receiving("idle=2500", timeout=120) as seen:
            wire.burst(many)
        numbers = [frame.number for frame in seen]
        assert numbers == sorted(set(numbers)), "frames came twice or out of order"
        assert not [frame for frame in seen if frame.fault or frame.size != size]
        assert len(numbers) >= nic.rings()["rx"] // 2, f"only {len(numbers)} of {count} came"
        again = frames.series(mac, 20, size)
        assert len(to_guest(nic, wire, again)) == 20, "the port does not go on after an overrun"

    def test_both_directions_at_once(self, nic, wire):
        """Sending and receiving do not disturb each other."""
        count, mac, seen = 2000, nic.mac, []
        wire.drain()
        with nic.receiving(f"until={count - 1} idle=8000", timeout=120) as seen:
            sender = nic.guest.spawn(f"rigtool send {nic.name} dst={PEER} sizes=60-1059 "
                                     f"repeat={count // 1000}")
            pour(nic, wire, [frames.build(number, 60 + number % 1000, mac)
                             for number in range(count)], 64)
            sender.wait()
        got = wire.collect(count)
        assert [frames.number_of(frame) for frame in got] == list(range(count))
        for number, frame in enumerate(got):
            assert frame == frames.build(number, 60 + number % 1000, PEER, mac)
        assert [frame.number for frame in seen] == list(range(count))
        assert not [frame for frame in seen if frame.fault]

    def test_smallest_rings(self, fresh_nic, wire):
        """The smallest rings that the port takes carry traffic as well."""
        nic = fresh_nic
        nic.ethtool("-G {} rx 64 tx 64")
        nic.set_mtu(9000)
        assert_sent(nic, wire, [60, 9014] * 100)
        mac, seen = nic.mac, []
        with nic.receiving("until=199") as seen:
            pour(nic, wire, frames.series(mac, 200, 9014), 8)
        assert not [frame for frame in seen if frame.fault or frame.size != 9014]
        assert [frame.number for frame in seen] == list(range(200))


def mta_hash(mac, shift=4):
    """The 12 bits by which the chip's multicast table is indexed (RCTL.MO = 0)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return (octets[4] >> shift | octets[5] << 8 - shift) & 0xfff


def group(number, base=0x01005e400100):
    """A multicast MAC address; the base keeps clear of what the stack itself has joined."""
    return (base + number).to_bytes(6, "big").hex(":")


# 224.0.0.1 is joined on every port that is up: what shares its place in the table passes.
ALWAYS = mta_hash("01:00:5e:00:00:01")


def unhashed(addresses):
    """Those of @addresses that do not share a place with 224.0.0.1."""
    return [address for address in addresses if mta_hash(address) != ALWAYS]


class TestFilters:
    """What is wanted passes, what is not does not."""

    def passes(self, nic, wire, addresses, options=""):
        """Of frames to @addresses, those that the guest's port let in."""
        mac = nic.mac
        many = [frames.build(number, 100, dst) for number, dst in enumerate(addresses)]
        many.append(frames.build(len(addresses), 100, mac))
        seen = to_guest(nic, wire, many, options)
        assert seen and seen[-1].number == len(addresses), "the last, wanted frame is missing"
        return [addresses[frame.number] for frame in seen[:-1]]

    def test_unicast_and_broadcast(self, nic, wire):
        """Own address and broadcast, nobody else's."""
        others = ["52:54:00:12:34:99", "52:54:00:12:35:56", "00:11:22:33:44:55",
                  "fe:ff:ff:ff:ff:ff"]
        assert self.passes(nic, wire, [nic.mac, BROADCAST, *others]) == [nic.mac, BROADCAST]

    def test_changed_address(self, nic, wire):
        """A new MAC address replaces the old one, also while the port is up."""
        old, new = nic.mac, "52:54:00:ab:cd:ef"
        nic.guest.sh(f"ip link set {nic.name} address {new}")
        assert nic.mac == new
        assert self.passes(nic, wire, [old, new]) == [new]
        nic.down()
        nic.up()
        assert self.passes(nic, wire, [old, new]) == [new], "forgotten by down and up"

    def test_more_unicast(self, nic, wire):
        """Further unicast addresses: a few by filters, very many by promiscuity."""
        base = "52:54:00:40:00:02"
        some = [group(number, 0x525400400002) for number in range(40)]
        for count in (1, 10, 40):
            got = self.passes(nic, wire, some, f"join={base} joins={count}")
            assert got[:count] == some[:count], f"{count} further unicast addresses"
            if count < 15:
                assert got == some[:count], "unwanted unicast passed"
        assert not self.passes(nic, wire, some), "addresses that were removed pass"

    def test_few_groups(self, nic, wire):
        """Groups that were joined pass, others do not, nor after leaving."""
        groups = [group(number * 0x101 + 2) for number in range(8)]
        assert not self.passes(nic, wire, groups)
        for wanted in groups[:3]:
            nic.guest.sh(f"ip maddr add {wanted} dev {nic.name}")
        assert len({ALWAYS, *map(mta_hash, groups)}) == len(groups) + 1, "the test's own hashes"
        assert self.passes(nic, wire, groups) == groups[:3]
        nic.down()
        nic.up()
        assert self.passes(nic, wire, groups) == groups[:3], "forgotten by down and up"
        for wanted in groups[:3]:
            nic.guest.sh(f"ip maddr del {wanted} dev {nic.name}")
        assert not self.passes(nic, wire, groups), "groups that were left pass"

    def test_2000_groups(self, nic, wire):
        """2 000 groups: each passes, and of the others most do not."""
        wanted = [group(number) for number in range(2000)]
        mac, seen = nic.mac, []
        taken = {ALWAYS, *map(mta_hash, wanted)}
        others = [address for address in (group(number * 37, 0x01005e000000)
                                          for number in range(4000))
                  if mta_hash(address) not in taken][:200]
        with nic.receiving(f"until=999999 join={wanted[0]} joins=2000", timeout=120) as seen:
            pour(nic, wire, [frames.build(number, 80, address)
                             for number, address in enumerate(wanted)], 100)
            wire.burst([frames.build(10000 + number, 80, address)
                        for number, address in enumerate(others)])
            wire.send(frames.build(999999, 80, mac))
        numbers = [frame.number for frame in seen]
        assert numbers[:2000] == list(range(2000)), "groups that were joined did not pass"
        assert len(others) == 200
        assert numbers[2000:] == [999999], f"{len(numbers) - 2001} of 200 unwanted groups passed"
        assert not self.passes(nic, wire, unhashed(wanted)[:50]), "groups that were left pass"

    def test_promiscuous(self, nic, wire):
        """Promiscuous sees all; afterwards no longer."""
        everyone = ["52:54:00:12:34:99", group(7), BROADCAST, "00:11:22:33:44:55"]
        assert self.passes(nic, wire, everyone, "promisc=1") == everyone
        assert self.passes(nic, wire, everyone) == [BROADCAST]
        nic.guest.sh(f"ip link set {nic.name} promisc on")
        nic.down()
        nic.up()
        assert self.passes(nic, wire, everyone) == everyone, "forgotten by down and up"
        nic.guest.sh(f"ip link set {nic.name} promisc off")
        assert self.passes(nic, wire, everyone) == [BROADCAST]

    def test_promiscuous_tagged(self, nic, wire):
        """Promiscuous sees every VLAN's frames too."""
        mac, seen = nic.mac, []
        with nic.receiving("until=9 promisc=1") as seen:
            wire.burst([frames.build(number, 100, mac, vlan=number * 400)
                        for number in range(10)])
        assert [frame.vlan for frame in seen] == [number * 400 for number in range(10)]

    def test_allmulti(self, nic, wire):
        """All multicast: every group, no foreign unicast."""
        everyone = [group(7), "52:54:00:12:34:99", group(70000), "33:33:00:00:00:77"]
        multicast = [address for address in everyone if int(address[1], 16) & 1]
        assert self.passes(nic, wire, everyone, "allmulti=1") == multicast
        assert not self.passes(nic, wire, everyone)

    def test_packet_types(self, nic, wire):
        """The stack is told rightly whom a frame was for."""
        mac, seen = nic.mac, []
        with nic.receiving(f"until=3 promisc=1 join={group(7)}") as seen:
            wire.burst([frames.build(0, 60, BROADCAST), frames.build(1, 60, group(7)),
                        frames.build(2, 60, "00:11:22:33:44:55"), frames.build(3, 60, mac)])
        assert [frame.kind for frame in seen] == [1, 2, 3, 0]


class TestMalformed:
    """What no wire should carry is harmless."""

    def test_runts(self, nic, wire):
        """Frames shorter than a header, and shorter than the minimum."""
        mac = nic.mac
        head = bytes.fromhex(mac.replace(":", ""))
        with nic.receiving("until=9 promisc=1"):
            for length in (*range(1, 60), 13, 14, 15):
                wire.send((head + bytes(60))[:length])
            wire.send(frames.build(9, 60, mac))

    def test_oversize(self, nic, wire):
        """Frames far beyond any MTU."""
        mac = nic.mac
        for mtu in (1500, 9216):
            nic.set_mtu(mtu)
            many = [frames.build(0, size, mac) for size in (9500, 16000, 16384, 32768, 65535,
                                                            69000)]
            many.append(frames.build(9, 60, mac))
            assert [frame.number for frame in to_guest(nic, wire, many, until=9)] == [9]

    def test_noise(self, nic, wire):
        """Random bytes under every EtherType that a driver may look into."""
        dice = random.Random(9)
        mac = bytes.fromhex(nic.mac.replace(":", ""))
        kinds = (0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8808, 0x88f7, 0x8847, 0x0000, 0xffff)
        with nic.receiving("until=77777"):
            for _ in range(20):
                wire.burst([mac + dice.randbytes(6) + kind.to_bytes(2, "big")
                            + dice.randbytes(dice.randint(1, 1500)) for kind in kinds])
            nic.guest.sh("usleep 300000")
            wire.send(frames.build(77777, 60, nic.mac))

    def test_noise_in_headers(self, nic, wire):
        """IP headers with wrong lengths, versions and fragments."""
        dice = random.Random(10)
        mac = bytes.fromhex(nic.mac.replace(":", ""))
        many = []
        for _ in range(300):
            header = bytearray(dice.randbytes(dice.randint(1, 80)))
            header[0] = dice.choice((0x45, 0x4f, 0x40, 0x41, 0x60, 0x65, 0x00, 0xff))
            many.append(frames.padded(mac + bytes(6) + (b"\x86\xdd" if header[0] >> 4 == 6
                                                        else b"\x08\x00") + bytes(header)))
        for start in range(0, len(many), 30):
            wire.burst(many[start:start + 30])
            nic.guest.sh("usleep 50000")
        assert to_guest(nic, wire, [frames.build(0, 60, nic.mac)])


class TestHost:
    """With a small host on the other end."""

    @pytest.mark.parametrize("mtu", (1500, 9000))
    def test_ping(self, nic, wire, mtu):
        """Echo of every size class, fragments included where the MTU makes them."""
        nic.set_mtu(mtu)
        nic.guest.sh(f"ip addr add 10.0.2.15/24 dev {nic.name}")
        with Mirror(wire) as host:
            for size in (0, 1, 18, 56, 1000, mtu - 28):
                output = nic.guest.sh(f"{PING} -s {size} 10.0.2.2")
                assert " 0% packet loss" in output, output
            assert host.answered >= 18

    def test_padding_is_not_checksummed(self, nic, wire):
        """Short UDP datagrams leave with a right checksum, padded or not."""
        nic.guest.sh(f"ip addr add 10.0.2.15/24 dev {nic.name}")
        with Mirror(wire):
            output = nic.guest.sh("rigtool udpping 10.0.2.2 7 count=20 size=40")
            assert " 0 processes failed" in output
        for frame in wire.drain():
            if frame[12:14] == b"\x08\x00" and frame[23] == 17:
                assert udp_checksum_is_right(frame), frame.hex()


def udp_checksum_is_right(frame):
    """Recompute a UDP/IPv4 frame's checksum by hand."""
    header = (frame[14] & 15) * 4
    length = int.from_bytes(frame[14 + header + 4:14 + header + 6], "big")
    if frame[14 + header + 6:14 + header + 8] == b"\0\0":
        return True
    data = frame[26:34] + b"\0\x11" + length.to_bytes(2, "big") \
        + frame[14 + header:14 + header + length] + b"\0" * (length & 1)
    total = sum(int.from_bytes(data[at:at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff
