# SPDX-License-Identifier: GPL-2.0
"""A port as the tests see it: loaded, up, asked, and fed with frames."""
import contextlib
import re
import typing

from . import frames
from .project import DRIVER

MODULE = f"/lib/modules/{DRIVER}.ko"
DEFAULT_FLAGS = "0x1003"     # IFF_UP, IFF_BROADCAST, IFF_MULTICAST


class Vector(typing.NamedTuple):
    """A line of /proc/interrupts."""
    number: int
    count: int          # of all CPUs, so far


class Nic:
    """One interface of a guest."""

    permanent_mac = "52:54:00:12:34:56"      # run-qemu.sh's for its first port

    def __init__(self, guest, name="eth0", pci="0000:01:00.0"):
        self.guest = guest
        self.name = name
        self.pci = pci

    def load(self):
        """Load the driver and raise the port."""
        self.guest.sh(f"insmod {MODULE}")
        self.up()

    def tidy_up(self):
        """Back to the defaults of what a test of frames may change; False if that failed."""
        sys = f"/sys/class/net/{self.name}"
        # Most tests change nothing of it, and to go down and up takes the link half a second.
        return self.guest.sh_status(
            f"for n in {sys}.*; do [ ! -e $n ] || ip link del ${{n##*/}}; done; "
            f"ip addr flush dev {self.name}; "
            f"[ \"$(cat {sys}/mtu {sys}/address {sys}/flags {sys}/carrier)\" = "
            f"\"$(printf '1500\\n{self.permanent_mac}\\n{DEFAULT_FLAGS}\\n1')\" ] || {{ "
            f"ip link set {self.name} down mtu 1500 promisc off allmulticast off "
            f"address {self.permanent_mac} && ip link set {self.name} up && "
            f"rigtool carrier {self.name} 1 limit=2000; }}")[1] == 0

    def up(self, timeout=10):
        """Raise the port and wait for its carrier."""
        self.guest.sh(f"ip link set {self.name} up && "
                      f"rigtool carrier {self.name} 1 limit={timeout * 1000}", timeout + 10)

    def down(self):
        """Take the port down."""
        self.guest.sh(f"ip link set {self.name} down")

    @property
    def mac(self):
        """Its address, asked from the guest: not for the inside of a loop."""
        return self.sysfs("address")

    @property
    def carrier(self):
        """Whether it has a link; False too while it is down."""
        return self.guest.sh(f"cat /sys/class/net/{self.name}/carrier", check=False) \
            .strip() == "1"

    def sysfs(self, name):
        """An attribute of the interface."""
        return self.guest.read(f"/sys/class/net/{self.name}/{name}")

    def set_mtu(self, mtu):
        """Change the MTU; the port keeps, or gets back, its carrier."""
        self.guest.sh(f"ip link set {self.name} mtu {mtu} && rigtool carrier {self.name} 1")

    # -------------------------------------------------------------- numbers

    def ethtool(self, options="", check=True):
        """ethtool's output; @options may hold {} for the interface."""
        command = options.format(self.name) if "{}" in options else f"{options} {self.name}"
        return self.guest.sh(f"ethtool {command}", check=check)

    def settings(self):
        """ethtool's link settings, by their names."""
        return dict(re.findall(r"^\t([^:\n]+): *(.*)$", self.ethtool(), re.M))

    def statistics(self):
        """ethtool -S, by name."""
        return {name: int(value) for name, value in
                re.findall(r"^ *(\S.*?): +(\d+)$", self.ethtool("-S"), re.M)}

    def counters(self):
        """What ip -s link shows, read from where it reads it."""
        names = ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped",
                 "tx_dropped", "rx_errors", "tx_errors", "multicast")
        values = self.guest.sh(f"cd /sys/class/net/{self.name}/statistics && "
                               f"cat {' '.join(names)}; cd - >/dev/null").split()
        return dict(zip(names, map(int, values)))

    def rings(self):
        """{'rx': n, 'tx': n, 'rx-max': n, 'tx-max': n} from ethtool -g."""
        numbers = re.findall(r"^(RX|TX):\s+(\d+)", self.ethtool("-g"), re.M)
        (rx_max, tx_max), (rx, tx) = [(int(numbers[i][1]), int(numbers[i + 1][1]))
                                      for i in (0, 2)]
        return {"rx": rx, "tx": tx, "rx-max": rx_max, "tx-max": tx_max}

    def state(self):
        """Everything a refused setting must leave as it was."""
        return (self.settings(), self.rings(), self.ethtool("-l"), self.ethtool("-a"),
                self.sysfs("mtu"), self.mac, self.carrier)

    def vectors(self):
        """{name: Vector} of the port's interrupts; a line may have other devices, too."""
        found = {}
        for line in self.guest.read("/proc/interrupts").splitlines():
            for name in re.findall(rf"\s({self.name}(?:-\S+)?)(?=,|$)", line):
                number, counts = re.match(r"\s*(\d+):((?:\s+\d+)+)", line).groups()
                found[name] = Vector(int(number), sum(map(int, counts.split())))
        return found

    def interrupts(self):
        """How many the port has had so far, all vectors."""
        return sum(vector.count for vector in self.vectors().values())

    # --------------------------------------------------------------- frames

    @contextlib.contextmanager
    def receiving(self, options="", timeout=60, helper="recv"):
        """Receive in the guest what the block sends; yields a list filled at its end."""
        job = self.guest.spawn(f"rigtool {helper} {self.name} {options}")
        got = []
        try:
            job.wait_output("ready")
            yield got
            got += frames.parse_receiver(job.wait(timeout))
        finally:
            if self.guest.usable:
                job.kill()

    def transmit(self, options="", timeout=60):
        """Send from the guest; returns what rigtool send printed."""
        return self.guest.sh(f"rigtool send {self.name} {options}", timeout)
