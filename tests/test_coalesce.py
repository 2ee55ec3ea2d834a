# SPDX-License-Identifier: GPL-2.0
"""Interrupt moderation: a lone frame at once, a flood in batches; ethtool -c, -C, -Q."""
import re
import time

import pytest
from rig import frames
from scapy.layers.l2 import ARP, Ether

pytestmark = pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))

MOST = 8191     # microseconds, what EITR can count
BY_ITSELF = "adaptive-rx on adaptive-tx on"
FIXED = "adaptive-rx off adaptive-tx off"


@pytest.fixture(autouse=True)
def _defaults(nic):
    """Moderation as it is after loading, for the next one."""
    yield
    nic.ethtool(f"-C {{}} {FIXED} rx-usecs 20", check=False)
    nic.ethtool(f"-C {{}} {BY_ITSELF}")
    nic.ethtool("-G {} rx 256", check=False)


def moderation(nic, options="-c"):
    """(adaptive, adaptive, rx-usecs, tx-usecs)"""
    said = nic.ethtool(options)
    adaptive = re.search(r"Adaptive RX: (\S+)\s+TX: (\S+)", said).groups()
    return (*adaptive, *(int(re.search(rf"^{way}-usecs:\s+(\d+)", said, re.M)[1])
                         for way in ("rx", "tx")))


def received(nic, wire, count, pause):
    """Interrupts that @count frames make, sent one by one; all of them arrive."""
    before = nic.interrupts()
    with nic.receiving(f"until={count - 1}") as seen:
        for frame in frames.series(nic.permanent_mac, count, 60):
            wire.send(frame)
            time.sleep(pause)
    assert len(seen) == count
    return nic.interrupts() - before


@pytest.mark.guest("wire", ("msix-2cpu",))
class TestSettings:
    """What can be set, and what is refused."""

    def test_default(self, nic):
        """net_dim decides."""
        assert moderation(nic) == ("on", "on", 20, 20)

    @pytest.mark.parametrize("setting, after", (
        (f"{FIXED} rx-usecs 0", ("off", "off", 0, 0)),
        (f"{FIXED} rx-usecs {MOST}", ("off", "off", MOST, MOST)),
        (f"{FIXED} tx-usecs 7", ("off", "off", 7, 7)),
        (f"{FIXED} rx-usecs 1 tx-usecs 1", ("off", "off", 1, 1)),
        ("adaptive-rx off", ("off", "off", 20, 20)),
        ("adaptive-tx off", ("off", "off", 20, 20)),
    ))
    def test_accepted(self, nic, setting, after):
        """Receive and transmit share a vector, so both change; it outlives a down."""
        nic.ethtool(f"-C {{}} {setting}")
        assert moderation(nic) == after
        nic.down()
        nic.up()
        assert moderation(nic) == after
        nic.ethtool("-C {} adaptive-rx on")
        assert moderation(nic) == ("on", "on", *after[2:])

    @pytest.mark.parametrize("setting, reason", (
        (f"{FIXED} rx-usecs {MOST + 1}", "at most 8191 microseconds"),
        (f"{FIXED} rx-usecs 4294967295", "at most 8191 microseconds"),
        (f"{FIXED} rx-usecs 10 tx-usecs 30", "one vector serves both"),
        ("rx-usecs 50", "a fixed time needs adaptive-rx off"),
        ("rx-frames 8", "unsupported"),
    ))
    def test_refused(self, nic, setting, reason):
        """Said why, and nothing changes."""
        before = moderation(nic)
        said, status = nic.guest.sh_status(f"ethtool -C {nic.name} {setting}")
        assert status and reason in said, said
        assert moderation(nic) == before

    def test_each_queue(self, nic, box):
        """One queue's setting is its own."""
        if not box.msi:
            pytest.skip("one queue")
        nic.ethtool(f"-Q {{}} queue_mask 0x2 --coalesce {FIXED} rx-usecs 100")
        said = nic.ethtool("-Q {} queue_mask 0x3 --show-coalesce")
        assert re.findall(r"Adaptive RX: (\S+)", said) == ["on", "off"]
        assert re.findall(r"^rx-usecs:\s+(\d+)", said, re.M) == ["20", "100"]
        # ethtool prints an error, but for -Q it exits as if there were none.
        for mask, usecs in ((2, MOST + 1), (1, 50), (4, 50)):
            refused = nic.ethtool(f"-Q {{}} queue_mask {mask:#x} --coalesce rx-usecs {usecs} 2>&1",
                                  check=False)
            assert "Cannot" in refused or "Invalid" in refused, refused
            assert nic.ethtool("-Q {} queue_mask 0x3 --show-coalesce") == said


class TestEffect:
    """What the settings do."""

    @pytest.mark.parametrize("setting", (BY_ITSELF, f"{FIXED} rx-usecs 0",
                                         f"{FIXED} rx-usecs 1000"))
    def test_one_each(self, nic, wire, setting):
        """Frames far apart: an interrupt each, and none without a frame. A busy host may
        bring two of them together."""
        nic.ethtool(f"-C {{}} {setting}", check=False)
        assert 10 <= received(nic, wire, 20, 0.03) <= 20

    def test_fixed_time(self, nic, wire):
        """Frames within the time wait for its end, and need hardly an interrupt."""
        nic.ethtool(f"-C {{}} {FIXED} rx-usecs {MOST}")
        assert received(nic, wire, 200, 0.001) <= 20

    def test_lone_frame_is_answered_at_once(self, nic, wire):
        """Even with the longest time: it counts from the last frame."""
        nic.ethtool(f"-C {{}} {FIXED} rx-usecs {MOST}")
        nic.guest.sh(f"ip addr add 198.18.0.1/24 dev {nic.name}")
        request = bytes(Ether(dst=frames.BROADCAST, src=frames.PEER) /
                        ARP(hwsrc=frames.PEER, psrc="198.18.0.2", pdst="198.18.0.1"))
        times = []
        for _ in range(10):
            time.sleep(0.05)
            start = time.monotonic()
            wire.send(request)
            wire.recv(lambda frame: frame[12:14] == b"\x08\x06")
            times.append(time.monotonic() - start)
        assert min(times) < MOST / 2e6, times

    def test_overflow_is_counted(self, nic, wire, box):
        """A small ring that is left alone for long cannot hold a flood."""
        if not box.msi:
            pytest.skip("the wire waits when the only queue is full")
        nic.ethtool("-G {} rx 64")
        nic.ethtool(f"-C {{}} {FIXED} rx-usecs {MOST}")
        missed = int(nic.sysfs("statistics/rx_missed_errors"))
        before = nic.counters()["rx_packets"]
        wire.burst(frames.series(nic.mac, 5000, 60))
        nic.guest.sh("sleep 2.5")
        assert nic.counters()["rx_packets"] - before < 5000
        assert int(nic.sysfs("statistics/rx_missed_errors")) > missed
