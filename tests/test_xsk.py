# SPDX-License-Identifier: GPL-2.0
"""AF_XDP without copies: an application's memory under the rings."""
import contextlib
import time

import pytest
from rig import frames
from rig.frames import PEER
from test_wire import pour

pytestmark = pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))

SIZES = (60, 61, 64, 128, 1000, 1023, 1024, 1025, 1513, 1514)


@pytest.fixture
def nic(fresh_nic):
    """Whatever an application left behind goes with the driver."""
    return fresh_nic


@contextlib.contextmanager
def application(nic, options):
    """Run rigtool xsk while the block runs; yields a list of what it saw, filled at the end."""
    with nic.receiving(options, helper="xsk") as seen:
        nic.guest.sh(f"rigtool carrier {nic.name} 1")
        yield seen


def assert_stack_receives(nic, wire, sizes=SIZES):
    """All of it, and in order."""
    with nic.receiving(f"until={len(sizes) - 1}") as seen:
        pour(nic, wire, frames.of_sizes(nic.mac, sizes), 200)
    assert frames.summary(seen) == frames.expected(sizes)


@pytest.mark.guest("wire", ("msix-2cpu",))
class TestFrames:
    """Each way, exact."""

    @pytest.mark.parametrize("chunk", (2048, 4096))
    @pytest.mark.parametrize("wakeup", (1, 0))
    def test_receive(self, nic, wire, chunk, wakeup):
        """Into the application's memory; after it the stack has them again."""
        sizes = SIZES * 20
        with application(nic, f"until={len(sizes) - 1} chunk={chunk} wakeup={wakeup}") as seen:
            wire.burst(frames.of_sizes(nic.mac, sizes))
        assert frames.summary(seen) == frames.expected(sizes)
        assert_stack_receives(nic, wire)

    @pytest.mark.parametrize("wakeup", (1, 0))
    def test_late(self, nic, wire, wakeup):
        """Its memory comes when the queue has none left: who wants to be called says so."""
        with application(nic, f"until={len(SIZES) - 1} late=1 wakeup={wakeup}") as seen:
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)

    @pytest.mark.parametrize("wakeup", (1, 0))
    def test_back(self, nic, wire, wakeup):
        """In and out again."""
        sizes = SIZES * 20
        wire.drain()
        with application(nic, f"mode=back until={len(sizes) - 1} wakeup={wakeup}"):
            wire.burst(frames.of_sizes(nic.mac, sizes))
            got = wire.collect(len(sizes))
        mac = nic.permanent_mac
        assert got == [frames.build(number, size, PEER, mac) for number, size in enumerate(sizes)]

    @pytest.mark.parametrize("wakeup", (1, 0))
    def test_without_a_link(self, nic, wire, wakeup):
        """What is to be sent waits where it is, and goes when the link comes."""
        wire.drain()
        nic.guest.set_link(False)
        nic.guest.sh(f"rigtool carrier {nic.name} 0")
        job = nic.guest.spawn(f"rigtool xsk {nic.name} mode=send count=1000 dst={PEER} "
                              f"wakeup={wakeup}")
        time.sleep(1)
        nic.ethtool("-G {} rx 512")     # has the queues looked at
        time.sleep(0.5)
        nic.guest.set_link(True)
        assert "completed 1000" in job.wait()
        assert [frames.number_of(frame) for frame in wire.collect(1000)] == list(range(1000))

    @pytest.mark.parametrize("size", (26, 60, 1514))
    def test_send(self, nic, wire, size):
        """More frames than any ring has places, each reported as sent."""
        wire.drain()
        said = nic.guest.sh(f"rigtool xsk {nic.name} mode=send count=5000 size={size} dst={PEER}")
        assert "completed 5000" in said
        got = wire.collect(5000)
        assert [frames.number_of(frame) for frame in got] == list(range(5000))
        for number in (0, 1, 2047, 2048, 4999):
            assert got[number] == frames.padded(frames.build(number, size, PEER,
                                                             nic.permanent_mac))

    @pytest.mark.parametrize("option", ("take=0", "program=0"))
    def test_left_to_the_stack(self, nic, wire, option):
        """What nobody takes is the stack's, though it lies in the application's memory."""
        with application(nic, f"{option} idle=1000") as seen:
            assert_stack_receives(nic, wire, SIZES * 30)
        assert not seen

    def test_copied(self, nic, wire):
        """An application that asks for copies gets them."""
        with application(nic, f"copy=1 until={len(SIZES) - 1}") as seen:
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)

    def test_each_queue_sends(self, nic, wire, box):
        """Several queues have applications at once, which send while the stack receives."""
        if not box.msi:
            pytest.skip("one queue")
        nic.ethtool("-L {} combined 4")
        wire.drain()
        jobs = [nic.guest.spawn(f"rigtool xsk {nic.name} mode=send count=1000 queue={queue} "
                                f"program=0 dst={PEER}") for queue in range(4)]
        # Each takes its queue down for a moment to get hold of it.
        for job in jobs:
            job.wait_output("ready")
        assert_stack_receives(nic, wire)
        assert all("completed 1000" in job.wait() for job in jobs)
        numbers = sorted(map(frames.number_of, wire.collect(4000)))
        assert numbers == sorted(list(range(1000)) * 4)


class TestUpheaval:
    """What happens to the port while an application uses it."""

    @pytest.mark.parametrize("upset", ("ip link set {} down; ip link set {} up",
                                       "ethtool -G {} rx 128 tx 128",
                                       "echo 1 >/sys/class/net/{}/device/reset"),
                             ids=("down", "rings", "reset"))
    def test_goes_on(self, nic, wire, upset):
        """The application does not notice."""
        with application(nic, f"until={len(SIZES) - 1} idle=9000") as seen:
            nic.guest.sh(upset.replace("{}", nic.name)
                         + f"; rigtool carrier {nic.name} 1")
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)
        assert_stack_receives(nic, wire)

    def test_killed(self, nic, wire):
        """At any moment, under traffic; the port goes on, nothing is left."""
        many = frames.series(nic.mac, 200, 200)
        for turn in range(12):
            job = nic.guest.spawn(f"rigtool xsk {nic.name} mode={('back', 'drop')[turn % 2]} "
                                  f"wakeup={turn // 2 % 2}")
            job.wait_output("ready")
            wire.burst(many)
            nic.guest.sh(f"usleep {turn * 3000}")
            job.kill()
        nic.guest.sh("usleep 300000")
        assert_stack_receives(nic, wire, SIZES * 30)

    def test_unload(self, nic, wire):
        """rmmod under an application."""
        job = nic.guest.spawn(f"rigtool xsk {nic.name} mode=back idle=60000")
        job.wait_output("ready")
        wire.burst(frames.of_sizes(nic.mac, SIZES))
        nic.guest.sh("rmmod igb_demo")
        job.kill()
        nic.load()
        assert_stack_receives(nic, wire)

    def test_refused(self, nic, wire):
        """Buffers too small for the MTU, in either order; a queue that is not there."""
        state = nic.state()
        for options in ("queue=9", "queue=15"):
            said, status = nic.guest.sh_status(f"rigtool xsk {nic.name} {options}")
            assert status and "bind" in said
        assert nic.state() == state
        with application(nic, f"until={len(SIZES) - 1} idle=9000") as seen:
            nic.guest.expect_log("buffers are too small")
            assert nic.guest.sh_status(f"ip link set {nic.name} mtu 3000")[1]
            assert nic.sysfs("mtu") == "1500"
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)
        nic.set_mtu(3000)
        said, status = nic.guest.sh_status(f"rigtool xsk {nic.name}")
        assert status and "bind: " in said
        with application(nic, f"chunk=4096 until={len(SIZES) - 1}") as seen:
            wire.burst(frames.of_sizes(nic.mac, SIZES))
        assert frames.summary(seen) == frames.expected(SIZES)
