# SPDX-License-Identifier: GPL-2.0
"""What the kernel's netdev family says of queues, and NAPI without interrupts."""
import re

import pytest
from rig import frames
from rig.frames import PEER

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))

# From the kernel's netdev.h.
QUEUE_GET, NAPI_GET, QSTATS_GET = 10, 11, 12
QUEUE = {1: "id", 2: "ifindex", 3: "type", 4: "napi"}
NAPI = {1: "ifindex", 2: "id", 3: "irq", 4: "pid"}
QSTATS = {1: "ifindex", 2: "type", 3: "id", 8: "rx-packets", 9: "rx-bytes", 10: "tx-packets",
          11: "tx-bytes", 12: "rx-alloc-fail", 13: "rx-hw-drops", 14: "rx-hw-drop-overruns",
          18: "rx-csum-bad", 33: "tx-stop", 34: "tx-wake"}
BY_QUEUE = 1
RX, TX = 0, 1


def dump(nic, command, names, scope=""):
    """Objects that belong to the port."""
    index = int(nic.sysfs("ifindex"))
    objects = [{names[int(key)]: int(value) for key, value in re.findall(r"(\d+)=(\d+)", line)
                if int(key) in names}
               for line in nic.guest.sh(f"rigtool netdev {command} {scope}").splitlines()]
    return [found for found in objects if found["ifindex"] == index]


class TestQueues:
    """Which queue belongs to which NAPI instance, and what each has counted."""

    def test_links(self, nic, box):
        """Queue to NAPI instance to interrupt."""
        pairs = box.cpus if box.msi else 1
        queues = dump(nic, QUEUE_GET, QUEUE)
        assert sorted((queue["type"], queue["id"]) for queue in queues) == \
            [(kind, number) for kind in (RX, TX) for number in range(pairs)]
        napis = {napi["id"]: napi["irq"] for napi in dump(nic, NAPI_GET, NAPI) if "irq" in napi}
        assert {queue["napi"] for queue in queues} <= set(napis)
        numbers = {vector.number for vector in nic.vectors().values()}
        assert {napis[queue["napi"]] for queue in queues} <= numbers
        by_id = {(queue["type"], queue["id"]): queue["napi"] for queue in queues}
        assert all(by_id[RX, number] == by_id[TX, number] for number in range(pairs))

    def test_down(self, nic):
        """No links while the port is down."""
        nic.down()
        assert not [queue for queue in dump(nic, QUEUE_GET, QUEUE) if "napi" in queue]
        nic.up()

    def test_statistics(self, nic, wire):
        """Each queue's, which are the port's in sum."""
        before = dump(nic, QSTATS_GET, QSTATS, BY_QUEUE)
        with nic.receiving("until=49") as seen:
            wire.burst(frames.series(nic.mac, 50, 100))
        assert len(seen) == 50
        nic.transmit(f"dst={PEER} sizes=100 repeat=30")
        nic.guest.sh("usleep 300000")
        after = dump(nic, QSTATS_GET, QSTATS, BY_QUEUE)
        grown = {name: sum(queue.get(name, 0) for queue in after)
                 - sum(queue.get(name, 0) for queue in before) for name in QSTATS.values()}
        assert grown["rx-packets"] == 50 and grown["rx-bytes"] == 5000
        assert grown["tx-packets"] >= 30 and grown["tx-bytes"] >= 3000
        assert {queue.get("rx-alloc-fail") for queue in after if queue["type"] == RX} == {0}

    def test_full(self, nic, wire):
        """A queue that runs full is stopped and woken as often, and then goes on."""
        nic.ethtool("-G {} tx 64")
        thread = "/proc/net/pktgen/kpktgend_0"
        device = f"/proc/net/pktgen/{nic.name}"
        nic.guest.sh(f"modprobe pktgen && echo add_device {nic.name} >{thread} && "
                     f"for word in 'count 2000' 'burst 64' 'pkt_size 60' 'dst_mac {PEER}'; do "
                     f"echo $word >{device}; done; echo start >/proc/net/pktgen/pgctrl; "
                     f"echo rem_device_all >{thread}; rmmod pktgen", timeout=60)
        [counted] = [queue for queue in dump(nic, QSTATS_GET, QSTATS, BY_QUEUE)
                     if queue["type"] == TX and queue["id"] == 0]
        assert counted["tx-stop"] == counted["tx-wake"] > 0
        statistics = nic.statistics()
        assert statistics["tx_queue_0_stopped"] == statistics["tx_queue_0_woken"] \
            == counted["tx-stop"]
        wire.drain()
        nic.transmit(f"dst={PEER} sizes=100 repeat=200")
        assert len(wire.collect(200)) == 200
        nic.ethtool("-G {} tx 256")

    def test_no_pages(self, nic, wire):
        """No memory while others hold on to what was received: counted, and overcome."""
        def failures():
            return [queue["rx-alloc-fail"] for queue in dump(nic, QSTATS_GET, QSTATS, BY_QUEUE)
                    if queue["type"] == RX]
        nic.ethtool("-G {} rx 64")
        holder = nic.guest.spawn(f"exec rigtool recv {nic.name} idle=30000")
        holder.wait_output("ready")
        nic.guest.sh(f"kill -STOP $(pgrep -P {holder.pid} rigtool || echo {holder.pid})")
        # What the page pool asks, and takes anew what was not taken.
        nic.guest.sh("insmod /lib/modules/requeue.ko times=0 fail=alloc_pages_bulk_noprof "
                     "value=0 many=0 softirq=1")
        try:
            for _ in range(4):
                wire.burst(frames.series(nic.mac, 50, 60))
            nic.guest.until(f"ethtool -S {nic.name} | "
                            "awk '/rx_queue_0_alloc_failed/ { print $2 }'", "^[1-9]")
        finally:
            nic.guest.sh("rmmod requeue")
        with nic.receiving("until=9") as seen:
            wire.burst(frames.series(nic.mac, 10, 60))
        assert [frame.number for frame in seen] == list(range(10))
        assert [nic.statistics()[f"rx_queue_{number}_alloc_failed"]
                for number in range(len(failures()))] == failures()
        holder.kill()
        nic.ethtool("-G {} rx 256")

    def test_sums(self, nic, wire, box):
        """Nothing goes missing when a queue goes out of use."""
        if not box.msi:
            pytest.skip("one queue")
        nic.ethtool("-L {} combined 4")
        nic.transmit(f"dst={PEER} sizes=100 repeat=30")
        nic.ethtool("-L {} combined 1")
        nic.guest.sh("usleep 300000")
        whole = dump(nic, QSTATS_GET, QSTATS)[0]
        counters = nic.counters()
        assert whole["tx-packets"] == counters["tx_packets"]
        assert whole["rx-packets"] == counters["rx_packets"]
        nic.ethtool("-L {} combined 2")


class TestNapi:
    """Who polls."""

    def test_threaded(self, nic, wire):
        """A kernel thread for each instance, instead of softirqs."""
        nic.guest.sh(f"echo 1 >/sys/class/net/{nic.name}/threaded")
        try:
            assert all("pid" in napi for napi in dump(nic, NAPI_GET, NAPI))
            for _ in range(3):
                with nic.receiving("until=199") as seen:
                    wire.burst(frames.series(nic.mac, 200, 60))
                assert len(seen) == 200
            wire.drain()
            nic.transmit(f"dst={PEER} repeat=500")
            assert len(wire.collect(500)) == 500
            nic.down()
            nic.up()
            with nic.receiving("until=9") as seen:
                wire.burst(frames.series(nic.mac, 10, 60))
            assert len(seen) == 10
        finally:
            nic.guest.sh(f"echo 0 >/sys/class/net/{nic.name}/threaded")

    def test_busy_poll(self, nic, wire):
        """A socket that polls the queue itself needs hardly an interrupt."""
        wire.drain()
        found = nic.guest.sh(f"rigtool xsk {nic.name} mode=send count=2000 busy=1 dst={PEER}")
        assert "completed 2000" in found
        assert len(wire.collect(2000)) == 2000
        job = nic.guest.spawn(f"rigtool xsk {nic.name} mode=back busy=1 until=199")
        job.wait_output("ready")
        nic.guest.sh(f"rigtool carrier {nic.name} 1")
        before = nic.interrupts()
        wire.drain()
        wire.burst(frames.series(nic.mac, 200, 60))
        assert len(wire.collect(200)) == 200
        job.wait()
        assert nic.interrupts() - before < 100
        nic.guest.sh(f"cd /sys/class/net/{nic.name} && echo 0 >napi_defer_hard_irqs && "
                     "echo 0 >gro_flush_timeout; cd - >/dev/null")
