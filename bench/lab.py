# SPDX-License-Identifier: GPL-2.0
"""The laboratory: a guest whose clock counts instructions, with two ports on a wire.

QEMU advances the guest's clock by one nanosecond an instruction and jumps over
what is idle, so a time read in the guest does not depend on the host. eth0 is
always in-tree igb's and sends; eth1 is the one that is measured.
"""
import contextlib
import dataclasses
import re
import statistics

from bench import profile
from rig.guest import Guest, GuestError, Spec

ADDRESS = {"eth0": "0000:01:00.0", "eth1": "0000:02:00.0"}
PCI = "/sys/bus/pci"
PKTGEN = "/proc/net/pktgen"
KMODS = ("igb", "pktgen", "dummy")
PACKETS = 40_000
SENDER_RING = 4_096
BOOT_LIMIT = 300      # seconds: nothing counted here minds a busy host
NOBODY = "02:00:00:00:00:99"
TRACED = "memory_region_ops_*"
# A read that nobody else does delimits what is counted in QEMU's log.
MARKED = "ffc value"
MARK = f"rigtool pcicfg {ADDRESS['eth0']} 0xffc l >/dev/null"
ACCESS = re.compile(r"addr 0x([0-9a-f]+) .* name 'igb-mmio'")


@dataclasses.dataclass
class Window:
    """What happened at eth1 while a command ran."""
    output: str
    registers: dict     # accesses by offset
    interrupts: int
    received: int = 0   # packets
    sent: int = 0


@dataclasses.dataclass
class Run:
    """One run of pktgen."""
    packets: int
    each: float         # instructions a packet
    errors: int
    window: Window


def spec(arch, initrd, wall=False):
    """What to boot; @wall: for what a clock on the wall says."""
    return Spec(arch=arch, cpus=2 if wall else 1, netdevs=("hub", "hub"),
                accel="tcg" if wall else "icount", initrd=str(initrd), boot_limit=BOOT_LIMIT)


class Lab(Guest):
    """The guest, and how things are done in it."""
    packets = PACKETS
    calm = 3            # seconds from carrier to what is measured
    idle = 20_000       # milliseconds without a frame after which all have come

    def __init__(self, what, log_dir):
        super().__init__(what, log_dir)
        self._log = f"{log_dir}/accesses"
        self._bar = (0, 0)
        self._generators = {}
        self.driver = None
        self._profiled = False

    def prepare(self):
        """Load all that is needed; in-tree igb gets eth0, and eth1 nobody."""
        self.sh("modprobe pktgen && modprobe dummy numdummies=0 && "
                "ip link add dummy0 numtxqueues 8 type dummy && ip link set dummy0 up "
                "&& modprobe igb max_vfs=0 2>&1 && insmod /lib/modules/igb_demo.ko")
        for port in ADDRESS:
            self._unbind(port)
        self.bind_sender()
        start, end, _ = self.sh(f"head -n 1 {PCI}/devices/{ADDRESS['eth1']}/resource").split()
        self._bar = (int(start, 16), int(end, 16))

    def _unbind(self, port):
        device = f"{PCI}/devices/{ADDRESS[port]}"
        self.sh(f"[ ! -e {device}/driver ] || echo {ADDRESS[port]} >{device}/driver/unbind")

    def bind_sender(self):
        """eth0 to in-tree igb, with a ring that its throttle does not let run full.

        Otherwise it would wait, and what eth1 does meanwhile would cost nothing.
        """
        self.bind("eth0", "igb")
        self.sh(f"ethtool -G eth0 tx {SENDER_RING}")
        self.raise_port("eth0")

    def bind(self, port, driver):
        """Give a port to a driver and raise it; returns when its first work is done."""
        device = f"{PCI}/devices/{ADDRESS[port]}"
        self._unbind(port)
        if port == "eth1":
            self.driver = driver
        self.sh(f"echo {driver} >{device}/driver_override && "
                f"echo {ADDRESS[port]} >{PCI}/drivers_probe")
        bound = self.sh(f"readlink {device}/driver; ls {device}/net", check=False).split()
        if bound[:1] != [f"../../../../bus/pci/drivers/{driver}"] or bound[1:] != [port]:
            raise GuestError(f"{driver} did not take {port}: {bound}")
        self.raise_port(port)

    @contextlib.contextmanager
    def queues(self, count):
        """eth1 with that many queue pairs; False if its driver cannot."""
        default = int(re.findall(r"Combined:\s+(\d+)", self.sh("ethtool -l eth1"))[-1])
        can = count == default or not self.sh_status(f"ethtool -L eth1 combined {count}")[1]
        self.raise_port("eth1")
        try:
            yield can
        finally:
            if can and count != default:
                self.sh(f"ethtool -L eth1 combined {default}")
            self.raise_port("eth1")

    def raise_port(self, port):
        """Up, with carrier, where it belongs, and calm."""
        self.sh(f"ip link set {port} up && rigtool carrier {port} 1", timeout=60)
        self.pin(port)
        self.sh(f"sleep {self.calm}")

    def pin(self, port):
        """See to which CPU a port that is up interrupts; there is but one."""

    def version(self):
        """The kernel's, and QEMU's."""
        found = self.qmp("query-version")
        number = ".".join(str(found["qemu"][part]) for part in ("major", "minor", "micro"))
        return {"kernel": self.sh("uname -r").strip(),
                "qemu": f"{number} {found['package']}".strip()}

    # ------------------------------------------------------------- counting

    def _hmp(self, line):
        self.qmp("human-monitor-command", command_line=line)

    def samples(self, measure):
        """Addresses at which a workload was found, time and again."""
        self._profiled = True
        try:
            measure(self)
            # Of several commands that were profiled, the last is the one that counts.
            return self.sh(f"cat {profile.SAMPLES}", timeout=60)
        finally:
            self._profiled = False

    def _traced(self, command, timeout):
        """Run @command with all accesses to devices in QEMU's log."""
        for line in (f"logfile {self._log}", f"log trace:{TRACED}"):
            self._hmp(line)
        try:
            return self.sh(command, timeout)
        finally:
            for line in (f"trace-event {TRACED} off", "log none"):
                self._hmp(line)

    def _accesses(self):
        """Accesses to eth1's registers between the marks, by offset."""
        found, marks = {}, 0
        with open(self._log, encoding="ascii") as log:
            for line in log:
                marks += "mmcfg" in line and MARKED in line
                access = ACCESS.search(line) if marks == 1 else None
                address = int(access[1], 16) if access else -1
                if self._bar[0] <= address <= self._bar[1]:
                    offset = f"{address - self._bar[0]:#07x}"
                    found[offset] = found.get(offset, 0) + 1
        if marks != 2:
            raise GuestError(f"QEMU's log {self._log} has {marks} marks, not 2: no log backend?")
        return found

    def window(self, command, then="true", timeout=300, namespace=""):
        """Run @command and count what it makes eth1 do; @then is not counted."""
        command = profile.command(command) if self._profiled else command
        sysfs = f"ip netns exec {namespace} " if namespace else ""
        counters = (f"grep {ADDRESS['eth1']} /proc/interrupts; echo; {sysfs}sh -c "
                    "'cd /sys/class/net/eth1/statistics && cat rx_packets tx_packets'; echo =;")
        output = self._traced(f"{counters} {MARK}; {command}; {MARK}; {then}; echo =; sleep 0.1; "
                              f"{counters}", timeout)
        before, said, after = output.split("\n=\n")[:3] if output.count("\n=\n") >= 2 \
            else ("", output, "")
        before, after = _counters(before), _counters(after)
        return Window(said, self._accesses(), *(y - x for x, y in zip(before, after)))

    def _pktgen_setup(self, port, mac, options):
        options = {"count": self.packets, "pkt_size": 60, "burst": 1, "clone_skb": 0, "delay": 0,
                   "src_min": "198.18.0.1", "src_max": "198.18.0.1", "dst_min": "198.18.0.42",
                   "dst_max": "198.18.0.42", "dst_mac": mac, **options}
        # The thread removes them when it gets round to it.
        self.sh(" && ".join([f"echo rem_device_all >{PKTGEN}/kpktgend_0",
                             f"while [ -e {PKTGEN}/{port} ]; do usleep 1000; done",
                             f"echo add_device {port} >{PKTGEN}/kpktgend_0",
                             *(f"echo {word} {value} >{PKTGEN}/{port}"
                               for word, value in options.items())]))
        return f"echo start >{PKTGEN}/pgctrl", f"cat {PKTGEN}/{port}"

    def pktgen(self, port, mac=NOBODY, **options):
        """Send from a port to @mac; @options are pktgen's own words."""
        start, result = self._pktgen_setup(port, mac, options)
        window = self.window(start, then=result)
        microseconds, packets, errors = _pktgen_result(window.output)
        return Run(packets, microseconds * 1000 / packets, errors, window)

    def generator(self, port, **options):
        """Instructions a packet that sending to nobody takes; always the same, so measured once.

        In-tree igb's throttle has moods: the median of three.
        """
        key = (port, *options.items())
        if key not in self._generators:
            runs = [self.pktgen(port, **options).each for _ in range(3)]
            self._generators[key] = statistics.median(runs)
        return self._generators[key]


def _pktgen_result(said):
    """(microseconds, packets, errors)"""
    found = re.search(r"Result: OK: (\d+)\(.*usec, (\d+) .*errors: (\d+)", said, re.DOTALL)
    if not found:
        raise GuestError(f"pktgen said\n{said}")
    return tuple(map(int, found.groups()))


def _counters(text):
    """(interrupts, received, sent) of what window() lets the guest print."""
    lines, packets = text.split("\n\n")
    interrupts = sum(int(line.split()[1]) for line in lines.splitlines())
    return interrupts, *map(int, packets.split())
