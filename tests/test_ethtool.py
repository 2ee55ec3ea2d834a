# SPDX-License-Identifier: GPL-2.0
"""What the administrator sees and sets; and that what is refused changes nothing."""
import random
import re
import struct

import pytest
from rig import frames
from rig.frames import PEER
from rig.journal import FREELY
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

pytestmark = pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))


class TestReports:
    """Reading only."""

    def test_driver_info(self, nic):
        """ethtool -i names driver and device."""
        info = dict(re.findall(r"^(\S+): *(.*)$", nic.ethtool("-i"), re.M))
        assert info["driver"] == "igb_demo"
        assert info["bus-info"] == nic.pci
        assert info["supports-statistics"] == "yes"
        assert info["supports-register-dump"] == "yes"

    def test_registers(self, nic):
        """ethtool -d: the dump holds the address filter and the link's state."""
        nic.guest.sh(f"ethtool -d {nic.name} raw on >/tmp/registers")
        raw = bytes.fromhex(nic.guest.sh("xxd -p /tmp/registers"))
        words = struct.unpack(f"<{len(raw) // 4}I", raw)
        found, at = {}, 0
        while at < len(words):
            first, count = words[at] >> 16, words[at] & 0xff
            found[first] = words[at + 1:at + 1 + count]
            at += 1 + count
        assert at == len(words)
        assert found[0x0008][0] & 0x2, "STATUS says there is no link"
        low, high = found[0x5400][:2]
        assert struct.pack("<IH", low, high & 0xffff) == bytes.fromhex(nic.mac.replace(":", ""))
        assert found[0x0100][0] & 0x2, "RCTL says the receiver is off"

    def test_registers_disturb_nothing(self, nic, wire):
        """Dumping registers again and again loses neither causes nor counts nor frames."""
        nic.guest.sh("n=0; while [ $n -lt 40 ]; do n=$((n + 1)); "
                     f"ethtool -d {nic.name} raw on >/dev/null; done", timeout=120)
        nic.guest.set_link(False)
        nic.guest.sh(f"ethtool -d {nic.name} raw on >/dev/null; rigtool carrier {nic.name} 0")
        nic.guest.set_link(True)
        nic.guest.sh(f"rigtool carrier {nic.name} 1")
        with nic.receiving("until=49") as seen:
            wire.burst(frames.series(nic.mac, 50, 60))
        assert len(seen) == 50

    def test_message_level(self, nic):
        """The message level can be read and set."""
        before = re.search(r"Current message level: (0x[0-9a-f]+)", nic.ethtool())[1]
        nic.ethtool("-s {} msglvl 0x15")
        assert "Current message level: 0x00000015" in nic.ethtool()
        nic.ethtool(f"-s {{}} msglvl {before}")

    def test_link(self, nic):
        """Link detected, as scripts grep for it."""
        assert "Link detected: yes" in nic.guest.sh(f"ethtool {nic.name} | grep Link")

    def test_channels(self, nic, box):
        """One queue pair a CPU with MSI-X, of eight, else one; the stack's queues agree."""
        shown = nic.ethtool("-l")
        want = 2 if box.multi_cpu and box.msi else 1
        assert re.findall(r"Combined:\s+(\d+)", shown) == ["8" if box.msi else "1", str(want)]
        queues = nic.guest.sh(f"ls /sys/class/net/{nic.name}/queues").split()
        assert queues == sorted([f"rx-{i}" for i in range(want)] + [f"tx-{i}" for i in range(want)])

    def test_queue_features(self, nic, box):
        """XPS ties queues to CPUs, BQL accounts for what is queued."""
        queues = f"/sys/class/net/{nic.name}/queues"
        nic.transmit(f"dst={PEER} sizes=1514 repeat=300")
        nic.guest.sh("usleep 200000")
        inflight = nic.guest.sh(f"cat {queues}/tx-*/byte_queue_limits/inflight").split()
        assert set(inflight) == {"0"}
        if box.multi_cpu and box.msi:
            masks = nic.guest.sh(f"cat {queues}/tx-*/xps_cpus").split()
            assert sorted(int(mask, 16) for mask in masks) == [1, 2]


@pytest.mark.guest("wire", ("msix-1cpu",))
class TestCopybreak:
    """Which transmitted frames are copied: ethtool --set-tunable eth0 tx-copybreak."""

    @pytest.fixture(autouse=True)
    def _default(self, nic):
        yield
        nic.ethtool("--set-tunable {} tx-copybreak 128")

    @pytest.mark.parametrize("most", (0, 60, 100, 128))
    def test_frames(self, nic, wire, most):
        """Copied or mapped, frames arrive as they are."""
        nic.ethtool(f"--set-tunable {{}} tx-copybreak {most}")
        assert f"tx-copybreak: {most}" in nic.ethtool("--get-tunable {} tx-copybreak")
        wire.drain()
        nic.transmit(f"dst={PEER} sizes=26,31-33,59-65,99-101,127-129")
        sizes = (26, *range(31, 34), *range(59, 66), *range(99, 102), *range(127, 130))
        want = [frames.padded(frames.build(number, size, PEER, nic.permanent_mac))
                for number, size in enumerate(sizes)]
        assert wire.collect(len(sizes)) == want

    def test_refused(self, nic):
        """There is no more room beside a descriptor."""
        nic.guest.expect_log("tx-copybreak can be 128 at most")
        said, status = nic.guest.sh_status(f"ethtool --set-tunable {nic.name} tx-copybreak 129")
        assert status, said
        assert "tx-copybreak: 128" in nic.ethtool("--get-tunable {} tx-copybreak")


class TestStatistics:
    """Every counter counts the same frames."""

    def settled(self, nic):
        """(ethtool -S, ip -s link) when nothing moves any more."""
        nic.guest.sh("usleep 300000")
        return nic.statistics(), nic.counters()

    def test_sums(self, nic, wire):
        """Queues sum up to the interface, the interface to what the chip counted."""
        mac, sizes = nic.mac, list(range(60, 1514, 7))
        before, link_before = self.settled(nic)
        with nic.receiving(f"until={len(sizes) - 1}") as seen:
            wire.burst([frames.build(number, size, mac) for number, size in enumerate(sizes)])
        assert len(seen) == len(sizes)
        nic.transmit(f"dst={PEER} sizes={','.join(map(str, sizes))}")
        after, link_after = self.settled(nic)

        for direction in ("rx", "tx"):
            for what in ("packets", "bytes"):
                queues = sum(value for name, value in after.items()
                             if re.fullmatch(rf"{direction}_queue_\d+_{what}", name))
                assert queues == link_after[f"{direction}_{what}"]
                moved = link_after[f"{direction}_{what}"] - link_before[f"{direction}_{what}"]
                assert moved >= (len(sizes) if what == "packets" else sum(sizes))
        moved = {name: after[name] - before[name] for name in after}
        rx_packets, tx_packets = (link_after[name] - link_before[name]
                                  for name in ("rx_packets", "tx_packets"))
        rx_bytes, tx_bytes = (link_after[name] - link_before[name]
                              for name in ("rx_bytes", "tx_bytes"))
        assert moved["hw_gprc"] == rx_packets == len(sizes)
        assert moved["hw_gptc"] == tx_packets == len(sizes)
        # The chip's octets include the four of the frame check sequence.
        assert moved["hw_gorc"] in (rx_bytes, rx_bytes + 4 * rx_packets)
        assert moved["hw_gotc"] in (tx_bytes, tx_bytes + 4 * tx_packets)
        bins = sum(value for name, value in moved.items() if re.fullmatch(r"hw_ptc\d+", name))
        assert bins == tx_packets
        assert not any(value for name, value in moved.items()
                       if "dropped" in name or "errors" in name)

    def test_multicast_and_broadcast(self, nic, wire):
        """Each kind is counted as what it is."""
        before, _ = self.settled(nic)
        with nic.receiving("until=8 join=01:00:5e:40:01:02") as seen:
            wire.burst(frames.series("01:00:5e:40:01:02", 3, 60)
                       + frames.series(frames.BROADCAST, 5, 60, start=3)
                       + frames.series(nic.mac, 1, 60, start=8))
        assert len(seen) == 9
        nic.transmit("dst=01:00:5e:40:01:02 repeat=3")
        nic.transmit("dst=ff:ff:ff:ff:ff:ff repeat=5")
        after, link = self.settled(nic)
        moved = {name: after[name] - before[name] for name in after}
        assert (moved["hw_mprc"], moved["hw_bprc"]) == (3, 5)
        assert (moved["hw_mptc"], moved["hw_bptc"]) == (3, 5)
        assert link["multicast"] == after["hw_mprc"]

    def test_never_go_back(self, fresh_nic, wire):
        """Down and up, other rings, other MTU: counters only grow."""
        nic = fresh_nic
        nic.transmit(f"dst={PEER} repeat=100")
        wire.collect(100)
        last, last_link = self.settled(nic)
        for change in (f"ip link set {nic.name} down; ip link set {nic.name} up",
                       f"ethtool -G {nic.name} rx 512 tx 512", f"ip link set {nic.name} mtu 9000",
                       f"ethtool -r {nic.name}"):
            nic.guest.sh(change)
            nic.up()
            now, now_link = self.settled(nic)
            assert all(now[name] >= last[name] for name in last), change
            assert all(now_link[name] >= last_link[name] for name in last_link), change
            last, last_link = now, now_link
        assert last_link["tx_packets"] >= 100

    def test_spread_over_queues(self, nic, wire, box):
        """With several queues, flows are received on each; and sent from each CPU's own."""
        if not (box.multi_cpu and box.msi):
            pytest.skip("one queue pair only")
        before = nic.statistics()
        # Dropped by IP as not for it, but not before a queue took them. One bit of the
        # hash decides: were few bits of the flows different, it might be the same in most.
        mac, dice = nic.mac, random.Random(1)
        flows = [bytes(Ether(dst=mac, src=PEER)
                       / IP(src=f"10.9.{dice.randrange(256)}.{dice.randrange(256)}", dst="10.9.0.1")
                       / UDP(sport=dice.randrange(1, 65536), dport=9) / bytes(40))
                 for _ in range(128)]
        so_far = nic.counters()["rx_packets"]
        wire.burst(flows)
        nic.guest.until(f"cat /sys/class/net/{nic.name}/statistics/rx_packets",
                        rf"^{so_far + len(flows)}$")
        nic.guest.sh(f"taskset 1 rigtool send {nic.name} dst={PEER} repeat=50; "
                     f"taskset 2 rigtool send {nic.name} dst={PEER} repeat=70")
        after, _ = self.settled(nic)
        moved = {name: after[name] - before[name] for name in after}
        shares = [moved["rx_queue_0_packets"], moved["rx_queue_1_packets"]]
        assert sum(shares) == 128 and min(shares) > 32, shares
        assert (moved["tx_queue_0_packets"], moved["tx_queue_1_packets"]) == (50, 70)


class TestRings:
    """ethtool -g and -G."""

    def test_report(self, nic):
        """Present and largest sizes."""
        rings = nic.rings()
        assert 64 <= rings["rx"] <= rings["rx-max"]
        assert 64 <= rings["tx"] <= rings["tx-max"]

    @pytest.mark.parametrize("size", ("smallest", "odd", "largest"))
    def test_sizes(self, fresh_nic, wire, size):
        """Other sizes carry traffic, and hold over down and up."""
        nic = fresh_nic
        count = {"smallest": 64, "odd": 1000, "largest": nic.rings()["rx-max"]}[size]
        nic.ethtool(f"-G {{}} rx {count} tx {count}")
        for _ in range(2):
            rings = nic.rings()
            assert (rings["rx"], rings["tx"]) == (count, count)
            self._traffic(nic, wire)
            nic.down()
            nic.up()

    @staticmethod
    def _traffic(nic, wire):
        wire.drain()
        with nic.receiving("until=39") as seen:
            wire.burst(frames.series(nic.mac, 40, 200))
        assert len(seen) == 40
        nic.transmit(f"dst={PEER} sizes=200 repeat=300")
        assert len(wire.collect(300)) == 300

    def test_while_down(self, fresh_nic, wire):
        """Set while down, used when up."""
        nic = fresh_nic
        nic.down()
        nic.ethtool("-G {} rx 128 tx 192")
        nic.up()
        assert (nic.rings()["rx"], nic.rings()["tx"]) == (128, 192)
        self._traffic(nic, wire)

    @pytest.mark.guest("wire", ("msix-2cpu",))
    def test_link_is_kept(self, fresh_nic):
        """A change of size is not a change of link, nor taken for the lack of one."""
        guest = fresh_nic.guest
        since = guest.log_position()
        fresh_nic.ethtool("-G {} rx 128 tx 128")
        guest.sh("sleep 8")     # more than the driver's patience with a new link
        assert fresh_nic.carrier
        assert not [line for line in guest.dmesg(since) if "igb_demo" in line.text]

    def test_under_traffic(self, fresh_nic, wire):
        """Changed again and again in the midst of traffic; the link does not notice."""
        nic = fresh_nic
        stop = nic.guest.spawn(f"while rigtool send {nic.name} dst={PEER} sizes=60-200; do :; done")
        for count in (64, 4096, 256, 1024, 64, 512) * 2:
            nic.ethtool(f"-G {{}} rx {count} tx {count}")
            wire.burst(frames.series(nic.mac, 30, 100))
        stop.kill()
        nic.guest.sh("sleep 1")
        self._traffic(nic, wire)
        assert [line.text for line in nic.guest.dmesg() if "Link is Down" in line.text] == []


REFUSED = {
    "mtu-too-large": ("ip link set {} mtu 20000", r"mtu|maximum"),
    "mtu-too-small": ("ip link set {} mtu 67", r"mtu|minimum"),
    "mtu-one-too-large": ("ip link set {} mtu 9217", r"mtu|maximum"),
    "ring-of-7": ("ethtool -G {} rx 7", r"descriptors|ring"),
    "ring-of-63": ("ethtool -G {} tx 63", r"descriptors|ring"),
    "ring-not-a-multiple": ("ethtool -G {} rx 257", r"descriptors|ring"),
    "ring-too-large": ("ethtool -G {} rx 100000", r"maximum|ring"),
    "1000-half": ("ethtool -s {} autoneg off speed 1000 duplex half", r"negotiated"),
    "1000-half-negotiated": ("ethtool -s {} speed 1000 duplex half", r"without a speed"),
    "advertise-pause-only": ("ethtool -s {} advertise 0x2000", r"without a speed"),
    "1000-forced": ("ethtool -s {} autoneg off speed 1000 duplex full", r"negotiated"),
    "speed-2500": ("ethtool -s {} autoneg off speed 2500 duplex full", r"negotiated|forced"),
    "advertise-1000-half": ("ethtool -s {} advertise 0x010", r"advertise"),
    "advertise-10g": ("ethtool -s {} advertise 0x1000", r"advertise"),
    "channels": ("ethtool -L {} combined 9", r"maximum|not supported"),
    "mac-multicast": ("ip link set {} address 01:00:5e:00:00:01", r"assign|address"),
    "mac-zero": ("ip link set {} address 00:00:00:00:00:00", r"assign|address"),
    "nvm-write": ("ethtool -E {} magic 0x10c98086 offset 0 value 0", r"EECD\.GNT"),
    "nvm-magic": ("ethtool -E {} magic 0x12345678 offset 0 value 0", r"magic number 0x10c98086"),
}


@pytest.mark.guest("wire", ("msix-1cpu",))
class TestRefused:
    """What cannot be is refused with a reason, and the port goes on as it was."""

    @pytest.mark.parametrize("name", REFUSED)
    def test_refused(self, nic, wire, name):
        """The command fails, says why, and changes nothing."""
        command, reason = REFUSED[name]
        nic.guest.allow_log("igb_demo.*(advertise|forced|negotiate|NVM)")
        before = nic.state()
        with nic.receiving("until=30") as seen:
            said, status = nic.guest.sh_status(command.format(nic.name))
            wire.burst(frames.series(nic.mac, 31, 60))
        logged = " ".join(line.text for line in nic.guest.dmesg()
                          if line.from_driver and not FREELY.search(line.text)
                          and "82576 rev" not in line.text and "descriptors each" not in line.text)
        assert status, f"{command} was accepted"
        assert re.search(reason, said + logged, re.I), f"no reason given: {said!r} {logged!r}"
        assert nic.state() == before
        assert len(seen) == 31
