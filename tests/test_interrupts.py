# SPDX-License-Identifier: GPL-2.0
"""Vectors: as many as there should be, each for its purpose, none left."""
import re

import pytest
from rig import frames
from rig.footprint import vectors
from rig.frames import PEER
from rig.nic import MODULE, Nic
from rig.project import DRIVER

pytestmark = pytest.mark.guest("wire")


@pytest.fixture
def nic(fresh_nic):
    """Vectors come and go with the driver."""
    return fresh_nic


def chip(guest):
    """The interrupt controller's names in /proc/interrupts, for our vectors."""
    return {line.split()[0] for line in vectors(guest)}


def works(nic, wire):
    """Frames in both directions, and link changes, arrive."""
    with nic.receiving("until=99") as seen:
        wire.burst(frames.series(nic.mac, 100, 60))
    wire.drain()
    nic.transmit(f"dst={PEER} repeat=1000")
    nic.guest.set_link(False)
    nic.guest.sh(f"rigtool carrier {nic.name} 0")
    nic.guest.set_link(True)
    nic.guest.sh(f"rigtool carrier {nic.name} 1")
    return len(seen) == 100 and len(wire.collect(1000)) == 1000


def test_vectors(nic, wire, box):
    """MSI-X: one a queue pair and one for the rest. Otherwise one for all."""
    names = set(nic.vectors())
    if box.msi:
        assert names == {"eth0", *(f"eth0-TxRx-{queue}" for queue in range(box.cpus))}
        assert all("MSI" in name and nic.pci in name for name in chip(nic.guest)), chip(nic.guest)
    else:
        assert names == {"eth0"}
        assert not any("MSI" in name for name in chip(nic.guest))
    assert works(nic, wire)
    nic.down()
    assert not nic.vectors(), "handlers outlive ifdown"
    nic.up()
    assert set(nic.vectors()) == names
    nic.guest.sh(f"rmmod {DRIVER}")
    assert not vectors(nic.guest)


def test_single_msi(guest, wire, box):
    """Without its MSI-X capability the card has one MSI, and that suffices."""
    if not box.msi:
        pytest.skip("the kernel was told not to use MSI")
    guest.sh("insmod /lib/modules/nomsix.ko device=0000:01:00.0")
    try:
        nic = Nic(guest)
        nic.load()
        assert set(nic.vectors()) == {"eth0"}
        assert all("MSI" in name and "MSIX" not in name and "MSI-X" not in name
                   for name in chip(guest)), chip(guest)
        assert re.findall(r"Combined:\s+(\d+)", nic.ethtool("-l")) == ["1", "1"]
        assert works(nic, wire)
        nic.down()
        nic.up()
        assert works(nic, wire)
    finally:
        guest.sh(f"rmmod {DRIVER}; rmmod nomsix", check=False)
    assert not vectors(guest)


def test_intx_by_policy(guest, wire, box):
    """The administrator forbids the device MSI: INTx is left."""
    if not box.msi:
        pytest.skip("the kernel was told not to use MSI")
    guest.sh("echo 0 >/sys/bus/pci/devices/0000:01:00.0/msi_bus")
    try:
        nic = Nic(guest)
        nic.load()
        assert set(nic.vectors()) == {"eth0"}
        assert not any("MSI" in name for name in chip(guest))
        assert works(nic, wire)
    finally:
        guest.sh(f"rmmod {DRIVER}; echo 1 >/sys/bus/pci/devices/0000:01:00.0/msi_bus")


def test_quiet_when_idle(nic):
    """A port with nothing to do does not interrupt."""
    nic.guest.sh("sleep 1")
    before = nic.vectors()
    nic.guest.sh("sleep 3")
    after = nic.vectors()
    assert sum(after[name].count - before[name].count for name in before) <= 3, (before, after)


def test_each_queue_its_vector(nic, wire, box):
    """What a queue receives comes with its own vector; the other stays silent."""
    mac, before = nic.mac, nic.vectors()
    for start in range(0, 60, 6):
        wire.burst(frames.series(mac, 6, 60, start))
        nic.guest.sh("usleep 20000")
    after = nic.vectors()
    moved = {name: after[name].count - before[name].count for name in after}
    # No IP in these frames, so nothing to hash: queue 0.
    if box.msi:
        assert moved["eth0-TxRx-0"] >= 5
        assert moved["eth0"] == 0
        if box.multi_cpu:
            assert moved["eth0-TxRx-1"] == 0
    else:
        assert moved["eth0"] >= 5


def test_affinity_is_kept(nic, wire, box):
    """What the administrator chose for a vector holds over down and up."""
    if not (box.msi and box.multi_cpu):
        pytest.skip("one CPU, or one vector")
    number = nic.vectors()["eth0-TxRx-0"].number
    nic.guest.sh(f"echo 2 >/proc/irq/{number}/smp_affinity")
    nic.down()
    nic.up()
    assert int(nic.guest.read(f"/proc/irq/{number}/smp_affinity"), 16) == 2
    assert works(nic, wire)


def test_shared_module_twice(guest):
    """A second insmod is refused and changes nothing."""
    guest.sh(f"insmod {MODULE}")
    said, status = guest.sh_status(f"insmod {MODULE}")
    assert status and "File exists" in said
    guest.sh("ip link set eth0 up && rigtool carrier eth0 1")
