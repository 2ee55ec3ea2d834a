# SPDX-License-Identifier: GPL-2.0
"""What goes through memory, where the device reaches what is mapped for it at that moment only,
or copies: a page that is given back too early, or synced too little, shows."""
import pytest
import test_faults
import test_offload
import test_split
import test_wire
import test_xdp
import test_xsk
from rig.box import DMA

# A debug kernel looks at each mapping itself, in any guest.
everywhere = pytest.mark.guest("wire", DMA, never="debug")


@pytest.fixture
def nic(fresh_nic):
    """Whatever was set goes with the driver."""
    return fresh_nic


@everywhere
class TestSizes(test_wire.TestSizes):
    """Exact frames."""


@everywhere
class TestBursts(test_wire.TestBursts):
    """More of them than a ring takes."""


@everywhere
class TestMalformed(test_wire.TestMalformed):
    """And what is none."""


@everywhere
class TestPieces(test_offload.TestSegmentation):
    """Fragments and large sends."""


@everywhere
class TestHeaders(test_split.TestProtocols):
    """Headers apart from the rest."""

    @pytest.fixture
    def nic(self, nic):
        """On one queue, whose counters tell."""
        nic.guest.sh("ethtool -L eth0 combined 1; rigtool split eth0 on")
        return nic


@everywhere
class TestVerdicts(test_xdp.TestVerdicts):
    """XDP."""


@everywhere
class TestRedirection(test_xdp.TestRedirection):
    """To other queues and processors."""


@everywhere
class TestApplications(test_xsk.TestFrames):
    """AF_XDP."""


@everywhere
class TestVanished(test_faults.TestVanished):
    """While it is taken away."""


@pytest.mark.guest("wire", DMA)
def test_translated(nic, box):
    """The guest is what its name says: else all this proves nothing."""
    said = nic.guest.sh("ls -d /sys/bus/pci/devices/0000:01:00.0/iommu 2>/dev/null; "
                        "cat /sys/kernel/debug/swiotlb/io_tlb_used", check=False)
    assert "/iommu" in said if box.config.startswith("iommu") else int(said) > 0
