# SPDX-License-Identifier: GPL-2.0
"""The learner sessions, at full size where the guest is the usual one."""
import pytest
from rig import sessions
from rig.project import PATIENCE

SMALLER = sessions.Scale(updowns=10, reloads=10, datagrams=2_000, mebibytes=16, pair_reloads=5)
# Of a kernel that looks at each step, fewer will do.
LEAST = sessions.Scale(updowns=3, reloads=6, datagrams=500, mebibytes=4, pair_reloads=2)


def _scale(box):
    if PATIENCE > 1:
        return LEAST
    return sessions.FULL if box.config == "msix-2cpu" else SMALLER


@pytest.mark.guest("user")
class TestUserNetwork:
    """What needs a network with a host in it."""

    def test_rust_for_linux(self, guest, box):
        """Load, address, ping, down and up, unload, load."""
        sessions.rust_for_linux(guest, _scale(box))

    def test_arceos(self, guest, box):
        """HTTP and UDP in both directions, checksums equal."""
        sessions.arceos(guest, box.host_port, _scale(box))

    def test_xv6(self, guest, box):
        """UDP echo by ten processes; the pcap has every frame."""
        sessions.xv6(guest, box.pcap, _scale(box))

    @pytest.mark.timeout(600)
    def test_reload_cycles(self, guest, box):
        """Nothing is left behind by loading, using, unloading."""
        sessions.reload_cycles(guest, _scale(box))


@pytest.mark.guest("pair")
class TestTwoPorts:
    """What needs a second port."""

    @pytest.mark.timeout(600)
    def test_xv6_pci(self, guest, box):
        """PCI identity, rebinding, and reloads in the midst of traffic."""
        sessions.xv6_pci(guest, _scale(box))
