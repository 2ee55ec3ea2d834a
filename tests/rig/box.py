# SPDX-License-Identifier: GPL-2.0
"""A guest of a certain kind, booted when first wanted and again after it died."""
import contextlib
import os
import re
import tempfile
from pathlib import Path

from . import image, peers, project
from .footprint import checkers
from .guest import Guest, GuestDied, GuestError, Spec
from .wire import Wire

# At once; PCI Express waits five seconds for second thoughts.
ACPI_HOTPLUG = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on")

# Whenever a CPU changes where a device's memory lies (the firmware, a reset, sleep) while
# the thread of another runs, QEMU may lose that one's accesses to devices, its timer's
# too, or fail an assertion (iotlb_to_section). So one thread runs all of a guest's CPUs,
# except where the tests are about several at once.
ONE_THREAD = {"cpus": 2, "accel": "single"}
# What the names in the tests' ids mean.
CONFIGS = {
    "msix-2cpu": ONE_THREAD,
    "msix-1cpu": {"cpus": 1},
    "msix-4cpu": {"cpus": 4},
    "smp-2cpu": {"cpus": 2},
    "nomsi-1cpu": {"cpus": 1, "append": "pci=nomsi"},
    "nomsi-2cpu": {**ONE_THREAD, "append": "pci=nomsi"},
    "icount-1cpu": {"cpus": 1, "accel": "icount"},
    # What is not mapped for the device now, it cannot reach; or it reaches copies only.
    "iommu-2cpu": {**ONE_THREAD, "append": "intel_iommu=on iommu.strict=1",
                   "extra": ("-device", "intel-iommu")},
    "swiotlb-2cpu": {**ONE_THREAD, "append": "swiotlb=force"},
    "acpi-2cpu": {**ONE_THREAD, "extra": ACPI_HOTPLUG},
}
# Where times are measured: a clock that counts instructions knows no busy host. It
# runs ahead when the guest is idle, so nobody outside can keep pace with it.
STEADY = ("icount-1cpu",)
# What every driver must do is tested in these.
ALL = ("msix-2cpu", "msix-1cpu", "msix-4cpu", "nomsi-1cpu")
# Where memory is lent to the device with more ado than on a plain PC.
DMA = ("iommu-2cpu", "swiotlb-2cpu")

# The dearest of a debug kernel's checkers takes as long as all others together. It looks on
# where memory comes and goes most: at changes of all settings, at failed allocations and
# cards that are taken away.
LEAKY = ("smp-2cpu", "acpi-2cpu")

# A VGA card whose BAR 0 is memory: what tests/guest/fakecard.c makes a card of.
FAKE_CARD = ("-device", "secondary-vga,id=fake,addr=0x10,vgamem_mb=16")

PCI_DEVICES = "/sys/bus/pci/devices"

# For the assertion and the hang named above, while the firmware places the devices; the
# driver is not loaded by then.
BOOT_TRIES = 3


class Box:  # pylint: disable=too-many-instance-attributes
    """One kind of guest in one configuration."""

    def __init__(self, kind, config, arch):
        self.kind = kind
        self.config = config
        self.arch = arch
        self.wire = None
        self.pcap = ""
        self.host_port = 0
        self.tidy = False         # the driver is loaded and at its defaults
        self._guest = None
        self._devices = 0
        # Socket paths are limited to 107 characters: not below pytest's directories.
        self._dir = tempfile.TemporaryDirectory(prefix=f"{project.DRIVER}-{kind}-")

    @property
    def cpus(self):
        """How many CPUs the guest has."""
        return CONFIGS[self.config]["cpus"]

    @property
    def multi_cpu(self):
        """Whether the guest has more than one CPU."""
        return self.cpus > 1

    @property
    def msi(self):
        """Whether the guest's kernel uses message signalled interrupts."""
        return not self.config.startswith("nomsi")

    def guest(self):
        """The guest, alive."""
        if self._guest and not self._guest.usable:
            self.discard()
        if not self._guest:
            self._guest = self._boot()
        return self._guest

    def _boot(self, tries=BOOT_TRIES):
        try:
            guest = self._start()
        except GuestDied as error:
            self.discard()
            if tries > 1 and re.search("Assertion|boot: no answer", str(error)):
                return self._boot(tries - 1)
            raise
        self._devices = int(guest.sh(f"set -- {PCI_DEVICES}/*; echo $#"))
        return guest

    def _start(self):
        directory = Path(self._dir.name)
        options = dict(CONFIGS[self.config])
        append = options.pop("append", "")
        if os.environ.get("KERNEL") == "debug" and self.config not in LEAKY:
            append += " kmemleak=off"
        if self.kind in ("wire", "clients", "kexec"):
            self.wire = Wire(directory / "wire")
            options["netdevs"] = (self.wire.netdev,)
            if self.arch == "x86_64":
                options["extra"] = (*options.get("extra", ()), *FAKE_CARD)
                # Lets the fake card's registers stay mapped while the driver has them.
                append += " iomem=relaxed"
        elif self.kind == "user":
            self.host_port = peers.free_port()
            self.pcap = str(directory / "eth0.pcap")
            options.update(netdevs=("user",), pcap=self.pcap,
                           hostfwd=tuple(f"{kind}:{self.host_port}:5555"
                                         for kind in ("tcp", "udp")))
        elif self.kind in ("pair", "selftests"):
            options["netdevs"] = ("hub", "hub")
        else:
            raise ValueError(self.kind)
        return Guest(Spec(arch=self.arch, initrd=str(self._initrd()), append=append.strip(),
                          memory=768, **options), log_dir=directory).boot()

    def _initrd(self):
        if self.kind == "clients":
            return image.initramfs(self.arch, (*image.KMODS, "xsk_diag"), "clients", ("--clients",))
        if self.kind == "kexec":
            return image.with_kernel(self.arch)
        if self.kind == "selftests":
            return image.with_selftests(self.arch)
        if self.kind == "wire":
            return image.with_kunit(self.arch)
        return image.initramfs(self.arch)

    def unload(self):
        """A guest without the driver; a new one if this one will not let go of it."""
        guest = self.guest()
        self.tidy = False
        with contextlib.suppress(GuestError):
            # A card that a test took away is not coming back. Each test begins so: what the
            # shell can do by itself takes a tenth of the time.
            guest.sh(f"set -- {PCI_DEVICES}/*; [ $# = {self._devices} ] && "
                     "for n in /run/netns/*; do [ ! -e $n ] || ip netns del ${n##*/}; done && "
                     "{ [ ! -d /sys/module/requeue ] || rmmod requeue; } && "
                     f"{{ [ ! -d /sys/module/{project.DRIVER} ] || rmmod {project.DRIVER}; }}",
                     timeout=60)
            return guest
        self.discard()
        return self.guest()

    def leaks(self):
        """What a debug kernel's checkers have found until now; empty for another kernel."""
        if not os.environ.get("KERNEL") or not self._guest or not self._guest.usable:
            return ""
        return checkers(self._guest)

    def discard(self):
        """End the guest; the next who wants one boots."""
        self.tidy = False
        if self._guest:
            self._guest.close()
            self._guest = None
        if self.wire:
            self.wire.close()
            self.wire = None

    def close(self):
        """End the guest and remove its files."""
        self.discard()
        self._dir.cleanup()
