# SPDX-License-Identifier: GPL-2.0
"""One queue pair stops and starts; the others, and the link, do not notice."""
import concurrent.futures
import contextlib
import threading

import pytest
from rig import frames
from rig.frames import PEER
from rig.project import PATIENCE
from rig.trace import TRACE, traced
from test_rss import ENTRIES, Spread, flows, hash_of
from test_xdp import attach, other  # pylint: disable=unused-import
from test_xsk import SIZES, application, assert_stack_receives

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))

LAST = 1 << 30          # number of the frame that ends a flow
NO_MEMORY, TIMED_OUT = -12, -110

# Functions that fail, which call of them, and what that returns.
SHORTAGES = (("__kvmalloc_node_noprof", 0, 0), ("__kvmalloc_node_noprof", 1, 0),
             ("dma_alloc_attrs", 0, 0), ("__xdp_rxq_info_reg", 0, NO_MEMORY),
             ("xdp_rxq_info_reg_mem_model", 0, NO_MEMORY))


@pytest.fixture
def nic(fresh_nic):
    """Rings so long that a busy host does not make them overflow."""
    fresh_nic.ethtool("-G {} rx 1024")
    return fresh_nic


def restart(nic, options=f"times={100 // PATIENCE}", check=True):
    """Restart a receive queue, 1 by default; returns what insmod said of it."""
    said, status = nic.guest.sh_status(f"insmod /lib/modules/requeue.ko device={nic.name} "
                                       f"{options} && rmmod requeue", timeout=90)
    assert bool(status) != check, said
    return said


def to_queue_1(nic, count=3):
    """Frames that the port spreads to its second queue."""
    spread = Spread(nic)
    return [frame for frame in flows("udp4", nic.mac)
            if spread.table[hash_of(frame, spread.key, True) % ENTRIES] == 1][:count]


def _pour(wire, mac, aside, stop):
    """Send until told to stop; returns how many frames were sent to queue 0."""
    sent = 0
    while not stop.wait(0.01 * PATIENCE):
        wire.burst(frames.series(mac, 5, 200, sent) + aside)
        sent += 5
    wire.burst([frames.build(LAST, 60, mac)])
    return sent


@contextlib.contextmanager
def unnoticed(nic, wire):
    """Frames to both queues while the block runs: queue 0 loses none, the link stays."""
    mac, aside, stop = nic.mac, to_queue_1(nic), threading.Event()
    changes, since = nic.sysfs("carrier_changes"), nic.guest.log_position()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with nic.receiving(f"until={LAST}") as seen:
            sending = pool.submit(_pour, wire, mac, aside, stop)
            try:
                yield
            finally:
                stop.set()
            sent = sending.result()
    assert sent >= 50
    assert frames.summary(seen[:-1]) == frames.expected([200] * sent)
    assert seen[-1].number == LAST
    assert nic.sysfs("carrier_changes") == changes
    assert not [line for line in nic.guest.dmesg(since) if "igb_demo" in line.text]


def assert_sends(nic, wire, queue=1):
    """The stack sends through a queue."""
    wire.drain()
    before = nic.statistics()[f"tx_queue_{queue}_packets"]
    nic.guest.sh(f"taskset {1 << queue} rigtool send {nic.name} dst={PEER} sizes=60-99")
    got = wire.collect(40, match=lambda frame: frames.is_ours(frame) and len(frame) < 100)
    assert [frames.number_of(frame) for frame in got] == list(range(40))
    assert nic.statistics()[f"tx_queue_{queue}_packets"] >= before + 40


def assert_receives(nic, wire):
    """Queue 1 does."""
    before = nic.statistics()["rx_queue_1_packets"]
    wire.burst(to_queue_1(nic) * 10)
    nic.guest.until(f"ethtool -S {nic.name} | grep rx_queue_1_packets", rf" {before + 30}$")


class TestUnnoticed:
    """What is done to queue 1 under traffic."""

    def test_applications(self, nic, wire):
        """Thirty of them come and go."""
        with unnoticed(nic, wire):
            nic.guest.sh(f"for n in $(seq {30 // PATIENCE}); do rigtool xsk {nic.name} queue=1 mode=drop "
                         "count=3 >/dev/null || exit; done", timeout=90)
        assert_sends(nic, wire)
        assert_receives(nic, wire)

    @pytest.mark.parametrize("program", ("", "pass"))
    def test_other_memory(self, nic, wire, program):
        """A hundred times, without and with a program; interrupts and sending go on."""
        if program:
            attach(nic, program)
        with unnoticed(nic, wire):
            restart(nic)
        assert_sends(nic, wire)
        assert_receives(nic, wire)

    def test_sending(self, nic, wire):
        """Through both: queue 0 sends everything, queue 1 goes on."""
        nic.ethtool("-G {} rx 256")
        wire.drain()
        loop = nic.guest.spawn(f"while taskset 2 rigtool send {nic.name} dst={PEER} sizes=300; "
                               "do :; done")
        job = nic.guest.spawn(f"taskset 1 rigtool send {nic.name} dst={PEER} sizes=100 "
                              "repeat=5000")
        restart(nic)
        job.wait()
        loop.kill()
        got = wire.collect(5000, match=lambda frame: frames.is_ours(frame) and len(frame) == 100)
        assert [frames.number_of(frame) for frame in got] == list(range(5000))
        assert_sends(nic, wire)

    def test_no_memory(self, nic, wire):
        """Whatever is short, the queue stays as it was."""
        with unnoticed(nic, wire):
            for function, after, value in SHORTAGES:
                said = restart(nic, f"fail={function} after={after} value={value}", check=False)
                assert "Cannot allocate memory" in said, function
        assert_sends(nic, wire)
        assert_receives(nic, wire)

    def test_application_without_memory(self, nic, wire):
        """It is refused; the queue stays as it was."""
        with unnoticed(nic, wire):
            nic.guest.sh("insmod /lib/modules/requeue.ko times=0 fail=xdp_rxq_info_reg_mem_model "
                         f"value={NO_MEMORY}")
            said, status = nic.guest.sh_status(f"rigtool xsk {nic.name} queue=1")
            assert status and "bind" in said
            nic.guest.sh("rmmod requeue")
        assert_receives(nic, wire)


class TestSame:
    """What else uses the queue that restarts."""

    def test_application(self, nic, wire):
        """An application's memory moves to each new ring."""
        with nic.receiving(f"queue=0 until={len(SIZES) - 1}", helper="xsk") as seen:
            restart(nic, f"queue=0 times={50 // PATIENCE}")
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)
        assert_stack_receives(nic, wire)

    def test_application_sends(self, nic, wire):
        """It does not notice but for frames that are lost: all are reported as sent."""
        job = nic.guest.spawn(f"rigtool xsk {nic.name} mode=send queue=1 count=20000 program=0 "
                              f"dst={PEER}")
        job.wait_output("ready")
        restart(nic, "times=50")
        assert "completed 20000" in job.wait()
        assert_sends(nic, wire)

    def test_redirected(self, nic, wire, other):  # pylint: disable=redefined-outer-name
        """Frames of another interface, which XDP sends through it: refused, or accounted for."""
        attach(nic, "to_port", name=other)
        nic.guest.sh(f"rigtool bpfmap ports 1 {nic.sysfs('ifindex')}")
        before = nic.counters()
        with traced(nic.guest, "xdp/xdp_devmap_xmit"):
            job = nic.guest.spawn(f"while taskset 2 rigtool send veth1 dst={nic.mac} sizes=200; "
                                  "do :; done")
            restart(nic, "times=40 pause=30")
            job.kill()
            nic.guest.sh("usleep 100000")
        after = nic.counters()
        taken, refused = map(int, nic.guest.sh(
            f"sed -n 's/.* sent=\\([0-9]*\\) drops=\\([0-9]*\\) .*/\\1 \\2/p' {TRACE} | "
            "awk '{ s += $1; d += $2 } END { print s + 0, d + 0 }'").split())
        assert taken and refused
        assert taken == sum(after[name] - before[name] for name in ("tx_packets", "tx_dropped"))
        nic.guest.sh(f"taskset 2 rigtool send veth1 dst={nic.mac} sizes=300 repeat=50")
        assert len(wire.collect(50, match=lambda frame: len(frame) == 300)) == 50
        assert_sends(nic, wire)

    def test_down(self, nic, wire):
        """Refused while the interface is down."""
        nic.down()
        assert "Network is down" in restart(nic, check=False)
        nic.up()
        assert_sends(nic, wire)


class TestReset:
    """A queue that does not stop or start costs the port a reset, no more."""

    @pytest.mark.parametrize("function, after", (
        ("igb_hw_disable_queue", 0), ("igb_hw_disable_queue", 1),
        ("igb_hw_enable_queue", 0), ("igb_hw_enable_queue", 1)))
    def test_other_memory(self, nic, wire, function, after):
        """The queue has its new memory afterwards."""
        changes = nic.sysfs("carrier_changes")
        restart(nic, f"fail={function} after={after} value={TIMED_OUT}")
        nic.up()
        assert nic.sysfs("carrier_changes") != changes
        assert_stack_receives(nic, wire)
        assert_receives(nic, wire)
        assert_sends(nic, wire, 0)
        assert_sends(nic, wire)

    @pytest.mark.parametrize("function", ("igb_hw_disable_queue", "igb_hw_enable_queue"))
    def test_application(self, nic, wire, function):
        """The application has the queue afterwards."""
        nic.guest.sh(f"insmod /lib/modules/requeue.ko times=0 fail={function} "
                     f"value={TIMED_OUT}")
        with application(nic, f"until={len(SIZES) - 1}") as seen:
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        nic.guest.sh("rmmod requeue")
        assert frames.summary(seen) == frames.expected(SIZES)
        assert_stack_receives(nic, wire)


@pytest.mark.guest("wire", ("nomsi-1cpu",))
class TestSingle:
    """One queue pair, one vector."""

    def test_other_memory(self, nic, wire):
        """The link is watched all the same."""
        for _ in range(3):
            restart(nic, "queue=0 times=20")
            assert_stack_receives(nic, wire)
            assert_sends(nic, wire, 0)
            nic.guest.set_link(False)
            nic.guest.until(f"rigtool carrier {nic.name} 0 && echo down", "down")
            nic.guest.set_link(True)
            nic.up()
