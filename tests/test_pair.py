# SPDX-License-Identifier: GPL-2.0
"""Two ports of one guest on one wire: TCP that ends in time, and what another driver sends."""
import contextlib
import re

import pytest
from rig import frames, sessions
from rig.nic import MODULE, Nic

pytestmark = pytest.mark.guest("pair", ("msix-2cpu",))

CONNECTIONS = 50
LATE_US = 150_000       # less than the shortest retransmission timeout


@contextlib.contextmanager
def loaded(guest, driver):
    """Both ports of one driver's, in namespaces of their own."""
    guest.allow_log("igb |igb:|Intel|dca|8021q")
    guest.sh(f"insmod {MODULE}" if driver == "igb_demo" else "modprobe igb", timeout=60)
    try:
        with sessions.namespaces(guest):
            guest.sh(sessions.JOIN, timeout=60)
            yield
    finally:
        if guest.usable:
            guest.sh(f"rmmod {driver}", timeout=60)


def late_closes(guest, count=CONNECTIONS):
    """How many of the connections that send and close have their FIN sent again."""
    sink = guest.spawn("ip netns exec b rigtool tcpsink 9")
    sink.wait_output("ready")
    said = guest.sh(f"ip netns exec a rigtool tcpclose 10.1.0.2 9 count={count}", timeout=120)
    sink.kill()
    closed = [tuple(map(int, pair)) for pair in re.findall(r"^(\d+) (\d+)$", said, re.M)]
    assert len(closed) == count, said
    return sum(took > LATE_US and again > 0 for took, again in closed)


class TestClose:
    """A FIN that is part of a large send."""

    @pytest.mark.guest("pair", ("msix-2cpu", "nomsi-1cpu"))
    def test_none_late(self, guest):
        """TCP does not have to send it again."""
        with loaded(guest, "igb_demo"):
            # A host that stops for long enough makes one late; a driver makes many so.
            assert 0 in (late_closes(guest) for _ in range(3))

    def test_others_are(self, guest):
        """In-tree igb leaves it out. Should that pass one day, the emulator was mended."""
        with loaded(guest, "igb"):
            assert late_closes(guest, 25) > 1


class TestShortFrames:
    """Only a wire pads them, and there is none between two emulated ports."""

    def test_are_no_errors(self, guest):
        """In-tree igb's ARP of 42 bytes, and shorter frames: received, counted as good."""
        guest.allow_log("igb |igb:|Intel|dca|8021q")
        address = "0000:02:00.0"
        guest.sh(f"insmod {MODULE} && echo {address} >/sys/bus/pci/drivers/igb_demo/unbind && "
                 "modprobe igb", timeout=60)
        ours, theirs = Nic(guest), Nic(guest, "eth1", address)
        try:
            ours.up()
            theirs.up()
            sizes = (26, 42, 59, 60, 61)
            with ours.receiving(f"until={len(sizes) - 1}") as seen:
                theirs.transmit(f"dst={ours.mac} sizes={','.join(map(str, sizes))}")
            assert frames.summary(seen) == frames.expected([max(60, size) for size in sizes])
            with sessions.namespaces(guest):
                guest.sh(sessions.JOIN)
                said = guest.sh(f"ip netns exec b {sessions.PING} 10.1.0.1")
                assert " 0% packet loss" in said
                said = guest.sh("ip netns exec a sh -c 'cd /sys/class/net/eth0/statistics && "
                                "grep . rx_packets rx_*errors rx_dropped'; "
                                "ip netns exec a ethtool -S eth0")
            counted = {name: int(value)
                       for name, value in re.findall(r"(\w+): *(\d+)$", said, re.M)}
            # They were short, as the chip has it: else this proves nothing.
            assert counted["hw_ruc"] >= 4
            assert counted["rx_packets"] >= len(sizes) + 4
            assert not [name for name, value in counted.items()
                        if value and ("error" in name or "dropped" in name)]
        finally:
            if guest.usable:
                guest.sh("rmmod igb; rmmod igb_demo", timeout=60)
