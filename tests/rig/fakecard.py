# SPDX-License-Identifier: GPL-2.0
"""A card whose registers are plain memory, and a program that plays an 82576 with them."""
import time

from .nic import MODULE
from .project import DRIVER

PCI = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
FAKE = "0000:00:10.0"


class FakeCard:
    """The VGA card that plays a broken 82576."""

    def __init__(self, guest):
        self.guest = guest
        self.job = None

    def play(self, fault):
        """Have the registers read what the broken chip's would."""
        self.job = self.guest.spawn(f"taskset 2 rigtool fakecard {FAKE} {fault}")
        self.job.wait_output("ready")

    def bind(self):
        """Let the driver probe it; returns whether it took it, and how long that was."""
        start = time.monotonic()
        self.guest.sh(f"echo {DRIVER} >{PCI}/{FAKE}/driver_override; "
                      f"taskset 1 sh -c 'echo {FAKE} >/sys/bus/pci/drivers_probe'", timeout=60,
                      check=False)
        bound = self.guest.sh(f"ls -d {PCI}/{FAKE}/driver 2>/dev/null; true")
        return bool(bound.strip()), time.monotonic() - start

    def load(self):
        """Load the driver, and have it take a card that is sound."""
        # It has no interrupts, which matters only once its interface is to be raised.
        self.guest.sh(f"insmod {MODULE}; insmod /lib/modules/requeue.ko times=0 "
                      "fail=pci_alloc_irq_vectors value=9 many=0")
        self.play("auto-read")
        # On a busy host the program may not always answer in time.
        bound = any(self.bind()[0] for _ in range(5))
        self.guest.sh("rmmod requeue")
        assert bound, "\n".join(map(str, self.guest.dmesg()))

    def release(self):
        """Back to a VGA card."""
        if self.guest.usable:
            self.guest.sh(f"echo {FAKE} >{DRIVERS}/{DRIVER}/unbind; "
                          f"echo >{PCI}/{FAKE}/driver_override", check=False)
            if self.job:
                self.job.kill()
                self.job = None

    def write(self, values):
        """Let registers read these values, {offset: value}."""
        pairs = " ".join(f"{offset:#x} {value:#x}" for offset, value in values.items())
        self.guest.sh(f"rigtool mmio {FAKE} {pairs}")
