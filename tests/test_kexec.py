# SPDX-License-Identifier: GPL-2.0
"""kexec: another kernel takes the machine over as it was left."""
import pytest
from rig import frames
from rig.frames import PEER
from rig.nic import Nic
from test_faults import COMMAND, MASTER, NIC, works

pytestmark = pytest.mark.guest("kexec", ("msix-2cpu", "nomsi-1cpu"))

RCTL, TCTL = 0x0100, 0x0400
ENABLE = 0x2
LOAD = "kexec --load /boot/vmlinuz --initrd=/boot/initrd --reuse-cmdline"


def test_under_traffic(box, fresh_nic, wire):
    """The device is at rest when the next kernel has the memory, whose driver can use it."""
    nic, guest = fresh_nic, fresh_nic.guest
    guest.sh(LOAD, timeout=60)
    guest.spawn(f"while :; do rigtool send {nic.name} dst={PEER} sizes=60-1500; done")
    try:
        with wire.pouring(frames.series(nic.mac, 40, 300), pause=0.02):
            assert wire.collect(20)
            # By itself it would take the interface down before.
            guest.hand_over("kexec --exec --no-ifdown")
            assert not int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16) & MASTER
            for register in (RCTL, TCTL):
                assert not int(guest.sh(f"rigtool mmio {NIC} {register:#x}").split()[-1],
                               16) & ENABLE, f"{register:#x}"
        nic = Nic(guest)
        nic.load()
        assert works(nic, wire)
        assert not guest.judge(guest.dmesg())
    finally:
        # Who comes next expects the first kernel.
        box.discard()
