# SPDX-License-Identifier: GPL-2.0
"""The same trouble for in-tree igb and for igb_demo, each alone in a guest, and what became of it.

A scenario is a function of a Port that works, with frames both ways; it does one thing and
returns {what: answer}. What it was like afterwards is asked of each.
"""
import collections
import contextlib
import dataclasses
import re
import sys
import time

from . import frames, project
from .box import Box
from .flow import PAUSE, Flow
from .footprint import Footprint, left_over
from .frames import PEER
from .guest import GuestDied, GuestError
from .nic import MODULE, Nic
from .qmp import QmpError
from .settings import HERE

PAGE = "Documentation/troubles.rst"
DRIVERS = {"igb": "modprobe igb", project.DRIVER: f"insmod {MODULE}"}
NIC = "0000:01:00.0"
DEVICE = f"/sys/bus/pci/devices/{NIC}"
CONFIG = f"rigtool pcicfg {NIC} 4 w"        # the command register
MEMORY, MASTER = 0x2, 0x4
# Seconds: what a port may take to work again, and how soon it must have failed.
LIMIT, SOON = 25, 3
STEADY_LIMIT = 10
# Tried one after the other where it does not work again.
REMEDIES = {"ifdown/ifup": "ip link set eth0 down; ip link set eth0 up",
            "a reset through sysfs": f"echo 1 >{DEVICE}/reset"}
COMPLAINTS = re.compile(r"NETDEV WATCHDOG|WARNING: .*? at (\S+)|BUG: soft lockup|BUG: [^,]*|Oops|"
                        r"DMAR: .*fault|Kernel panic|blocked for more than|(soft|hard) lockup|"
                        r"rcu.*stall|nobody cared|Disabling IRQ|unregister_netdevice: waiting|"
                        r"Failed to read reg|refcount_t|page allocation failure", re.IGNORECASE)
TRIES = 2
HANGS = "hangs"
SCENARIOS = {}


def scenario(title, config="msix-2cpu"):
    """A trouble, and the guest it happens in."""
    def enter(function):
        SCENARIOS[title] = (config, function)
        return function
    return enter


def wishes(name):
    """What several administrators want of a port at once, each again and again."""
    return (f"ip link set {name} down; ip link set {name} up",
            f"ethtool -S {name}; ip -s link show {name}",
            f"ethtool -G {name} rx $((64 + n % 4 * 64)) tx $((512 - n % 4 * 64))",
            f"ip link set {name} mtu $((1500 + n % 5 * 1000))",
            f"ethtool {name}; rigtool mii {name} 1; ethtool -d {name}",
            f"ip link set {name} promisc on; ip link set {name} promisc off",
            f"ip link set {name} address 52:54:00:00:00:0$((n % 10))")


def length(seconds):
    """As a person would say it."""
    return f"{seconds:.1f} s" if seconds >= 0.95 else f"{round(seconds * 100) * 10} ms"


@dataclasses.dataclass
class Done:
    """What became of a command; no status where it did not end."""
    status: int | None
    said: str
    took: float

    def __str__(self):
        if self.status is None:
            return f"no end in {self.took:.0f} s"
        if not self.status:
            return f"ok, {length(self.took)}"
        if "Segmentation fault" in self.said:
            return f"killed by an oops after {length(self.took)}"
        words = (self.said.strip().splitlines() or [f"exit {self.status}"])[0]
        return f"refused: {words.rsplit(': ', 1)[-1].rstrip('.')} after {length(self.took)}"


class Port:
    """eth0 under one of the drivers, and what happens on its wire."""

    def __init__(self, guest, wire, driver):
        self.guest, self.wire, self.driver = guest, wire, driver
        self.nic = Nic(guest)
        self.flow = Flow(wire, Nic.permanent_mac)
        self.sender = None      # sends all the time
        self._unended = None    # a command that did not end; more of them would not either

    def load(self):
        """Load the driver and raise the port."""
        self.guest.sh(DRIVERS[self.driver], timeout=60)
        self.raised()

    def raised(self):
        """Up, with its address and its link."""
        self.guest.sh(f"ip link set eth0 up && ip addr replace {HERE}/24 dev eth0", timeout=60)
        self.guest.sh("rigtool carrier eth0 1 limit=10000", timeout=30, check=False)

    def works(self):
        """Whether frames pass now, or soon."""
        return self.flow.wait(STEADY_LIMIT)

    @contextlib.contextmanager
    def busy(self, command=f"rigtool send eth0 dst={PEER} sizes=60-120; usleep 10000"):
        """A command again and again in the guest's background."""
        job = self.guest.spawn(f"while :; do {command}; done >/dev/null 2>&1")
        try:
            yield job
        finally:
            if self.guest.usable and not self.stuck():
                job.kill()

    def quiet(self):
        """Nothing comes and nothing goes any more."""
        self.flow.stop()
        self.sender.kill()
        time.sleep(1)
        self.wire.drain()

    def stuck(self, limit=1):
        """Whether a command has not ended, even if it is given some more seconds."""
        job, self._unended = self._unended, None
        return job is not None and self.output(job, limit) is None

    def output(self, job, limit):
        """What it printed; None if it does not end."""
        try:
            return job.wait(limit, check=False)
        except GuestDied:
            raise
        except GuestError:
            self._unended = job
            return None

    def did(self, command, limit=30):
        """Run a command, which may fail or not end at all."""
        if self.stuck():
            return "not tried"
        job = self.guest.spawn(f"read at rest </proc/uptime; {{ {command}\n}}; s=$?; "
                               "read now rest </proc/uptime; echo; echo \"@$s $at $now\"")
        output = self.output(job, limit)
        if output is None:
            return Done(None, "", limit)
        said, _, rest = output.rpartition("@")
        status, start, end = rest.split()
        return Done(int(status), said, float(end) - float(start))

    def back(self, since):
        """Whether frames pass again by themselves, and if not, what helps."""
        deadline = since + LIMIT * project.PATIENCE
        time.sleep(max(0, since + SOON - time.monotonic()))
        while not self.flow.steady():
            if time.monotonic() > deadline:
                return f"dead until {self._remedy()}"
            time.sleep(0.05)
        pause, until = max(self.flow.gaps(since))
        return f"back after {length(until - since)}" if pause > PAUSE else "goes on"

    def _remedy(self):
        for name, command in REMEDIES.items():
            self.did(command)
            if not self.stuck() and self.works():
                return name
        if not self.stuck():
            self.did(f"rmmod {self.driver}; {DRIVERS[self.driver]}; ip link set eth0 up; "
                     f"ip addr replace {HERE}/24 dev eth0", 60)
        return "the driver is loaded again" if not self.stuck() and self.works() else "reboot"

    def hit(self, command):
        """A command under traffic."""
        since = time.monotonic()
        return {"command": self.did(command), "traffic": self.back(since)}

    def again(self):
        """The port is new, or was down: raised, does it work?"""
        since = time.monotonic()
        done = self.did(f"ip link set eth0 up && ip addr replace {HERE}/24 dev eth0")
        if isinstance(done, Done) and done.status == 0:
            return self.back(since).replace("back after", "works after") \
                                   .replace("goes on", "works at once")
        return f"dead: {done}"

    def left(self):
        """What is held though no driver is bound."""
        return ", ".join(left_over(self.guest, self.driver)) or "nothing"

    def unloaded(self):
        """rmmod, and what it leaves."""
        return {"rmmod": self.did(f"rmmod {self.driver}", 60),
                "left over": "not tried" if self.stuck() else self.left()}

    def complaints(self):
        """The kernel's warnings, counted."""
        found = collections.Counter(
            match[0] if not match[1] else f"WARNING at {match[1]}" for match in
            (COMPLAINTS.search(line.text) for line in self.guest.dmesg()) if match)
        return ", ".join(f"{count} x {what}" if count > 1 else what
                         for what, count in found.items()) or "-"


# ---------------------------------------------------------------------- reset

@scenario("function-level reset")
def _(port):
    return port.hit(f"echo 1 >{DEVICE}/reset")


@scenario("function-level reset while down")
def _(port):
    port.nic.down()
    return {"command": port.did(f"echo 1 >{DEVICE}/reset"), "traffic, up again": port.again()}


@scenario("registers read zero (memory decode off) for five seconds, then a reset")
def _(port):
    port.guest.sh(f"{CONFIG} $(($({CONFIG}) & ~{MEMORY}))")
    time.sleep(5)
    rows = {f"{question} meanwhile": port.did(question)
            for question in ("ethtool eth0", "ethtool -S eth0", "ip -s link show eth0")}
    port.guest.sh(f"{CONFIG} $(($({CONFIG}) | {MEMORY}))")
    port.stuck(LIMIT)
    return {**rows, **port.hit(f"echo 1 >{DEVICE}/reset")}


@scenario("bus mastering turned off behind the driver's back: no DMA")
def _(port):
    since = time.monotonic()
    port.guest.sh(f"{CONFIG} $(($({CONFIG}) & ~{MASTER}))")
    return {"traffic": port.back(since)}


def _bus_error(port, error):
    since = time.monotonic()
    port.guest.qmp("human-monitor-command", command_line=f"pcie_aer_inject_error rp0 {error}")
    traffic = port.back(since)
    said = [line.text for line in port.guest.dmesg() if "device recovery" in line.text]
    return {"recovery": said[-1].rsplit("recovery ", 1)[-1] if said else "-", "traffic": traffic}


@scenario("PCI Express error, non-fatal")
def _(port):
    return _bus_error(port, "POISON_TLP")


@scenario("PCI Express error, fatal")
def _(port):
    return _bus_error(port, "DLP")


# ------------------------------------------------------------ coming and going

def _taken_away(port, command="true; sleep 1"):
    with port.busy(command):
        time.sleep(1)
        since = time.monotonic()
        try:
            port.guest.unplug()
        except QmpError:
            return {"card out": f"{HANGS}: not in 40 s"}
        rows = {"card out": f"after {length(time.monotonic() - since)}"}
    rows["left by it"] = port.left()
    port.guest.plug()
    return {**rows, "traffic, new card": port.again()}


@scenario("card taken out of its slot, and put back", "acpi-2cpu")
def _(port):
    return _taken_away(port)


@scenario("... while it goes up and down", "acpi-2cpu")
def _(port):
    return _taken_away(port, "ip link set eth0 down; ip link set eth0 up")


@scenario("... while it tests itself", "acpi-2cpu")
def _(port):
    return _taken_away(port, "ethtool -t eth0 offline")


@scenario("sysfs: remove, then rescan")
def _(port):
    rows = {"remove": port.did(f"echo 1 >{DEVICE}/remove")}
    rows["left by it"] = port.left()
    rows["rescan"] = port.did("echo 1 >/sys/bus/pci/rescan")
    return {**rows, "traffic": port.again()}


@scenario("unloaded and loaded five times")
def _(port):
    slowest, left, worked = 0, "nothing", 0
    for _ in range(5):
        done = port.did(f"rmmod {port.driver}", 60)
        if port.stuck() or done.status:
            return {"command": done}
        slowest, left = max(slowest, done.took), port.left() if left == "nothing" else left
        port.load()
        worked += port.works()
    return {"command": f"ok, slowest {length(slowest)}", "left by it": left,
            "traffic": f"works, {worked} of 5 times"}


@scenario("loaded and unloaded 2 x 10 times")
def _(port):
    found = []
    for _ in range(3):
        port.guest.sh(f"rmmod {port.driver}", 60)
        found.append(Footprint.of(port.guest))
        for _ in range(9 if len(found) < 3 else 0):
            port.guest.sh(f"{DRIVERS[port.driver]}; ip link set eth0 up; rmmod {port.driver}", 60)
        port.load()
    first, second = found[1].grown(found[0], 10), found[2].grown(found[1], 10)
    grown = [f"{count} {what}" for what, count in second.items() if what in first]
    return {"grown each time": ", ".join(grown) or "nothing",
            "traffic": "works" if port.works() else "dead"}


# ---------------------------------------------------------------------- sleep

def _asleep(port, how, wake):
    port.guest.sh("modprobe button; echo deep >/sys/power/mem_sleep", check=False)
    job = port.guest.spawn(f"echo {how} >/sys/power/state")
    deadline = time.monotonic() + LIMIT
    while max(port.flow.gaps(time.monotonic() - 3))[0] < 2.5 and time.monotonic() < deadline:
        time.sleep(0.1)
    since = time.monotonic()
    for _ in range(5):
        with contextlib.suppress(QmpError):
            port.guest.qmp(wake)
        if port.flow.wait(5):
            break
    rows = {"traffic, once woken": port.back(since)}
    job.wait(30)
    return rows


@scenario("the machine sleeps: to idle")
def _(port):
    return _asleep(port, "freeze", "system_powerdown")


@scenario("the machine sleeps: to RAM")
def _(port):
    return _asleep(port, "mem", "system_wakeup")


@scenario("runtime power management: down, power/control auto")
def _(port):
    port.nic.down()
    port.guest.sh(f"echo 0 >{DEVICE}/power/autosuspend_delay_ms; echo auto >{DEVICE}/power/control",
                  check=False)

    def state():
        for _ in range(150):
            if port.guest.read(f"{DEVICE}/power/runtime_status") == "suspended":
                break
            time.sleep(0.1)
        return port.guest.read(f"{DEVICE}/power/runtime_status")
    rows = {"after a while": state()}
    for question in ("ethtool -S eth0", "ethtool -d eth0", "ethtool -e eth0", "rigtool mii eth0 1",
                     "ethtool -s eth0 autoneg on", "ethtool -t eth0 online"):
        state()
        rows[question] = port.did(f"{question} >/tmp/said 2>&1; s=$?; tail -n 3 /tmp/said; "
                                  "(exit $s)", 20)
    return {**rows, "then": state(), "traffic, up again": port.again()}


# ------------------------------------------------------------------ the wire

@scenario("cable out for 0.3 s and in for 1.2 s, 20 times")
def _(port):
    before = int(port.nic.sysfs("carrier_changes"))
    for _ in range(20):
        port.guest.set_link(False)
        time.sleep(0.3)
        port.guest.set_link(True)
        since = time.monotonic()
        time.sleep(1.2)
    traffic = port.back(since)
    return {"carrier_changes": f"{int(port.nic.sysfs('carrier_changes')) - before} of 40",
            "traffic, after the last": traffic}


def _statistics(port):
    lines = port.guest.sh("cd /sys/class/net/eth0/statistics; grep . rx_*").splitlines()
    return collections.Counter({name: int(value) for name, value in
                                (line.split(":") for line in lines)})


@scenario("more frames at once than the ring takes (64 descriptors)")
def _(port):
    port.guest.sh("ethtool -G eth0 rx 64; rigtool carrier eth0 1")
    port.quiet()
    many, sent = frames.series(Nic.permanent_mac, 5000, 60), 0
    before = _statistics(port)
    while sent < 50000:
        port.wire.burst(many)
        sent += len(many)
        time.sleep(2)
        more = _statistics(port) - before
        if more["rx_packets"] < sent:
            break
    # QEMU counts none of them; it says that there were some, in an interrupt.
    told_by = ", ".join(name for name in more if name.endswith("errors"))
    with Flow(port.wire, Nic.permanent_mac) as flow:
        works = flow.wait(STEADY_LIMIT)
    return {"lost": f"{sent - more['rx_packets']} of {sent}", "told by": told_by or "nothing",
            "traffic, afterwards": "works" if works else "dead"}


@scenario("frames of all small and large sizes behind an IOMMU (strict)", "iommu-2cpu")
def _(port):
    port.quiet()
    sizes = [*range(18, 61), *range(1490, 1515)]
    said = port.guest.sh(f"rigtool send eth0 dst={PEER} sizes=18-60,1490-1514 repeat=20", 60)
    due = collections.Counter(frames.padded(frames.build(number, size, PEER, Nic.permanent_mac))
                              for number, size in enumerate(20 * sizes))
    total = due.total()
    # In-tree igb leaves it to the card to pad, which the emulated one does not.
    out = collections.Counter(map(frames.padded, port.wire.collect(total, timeout=20)))
    right = (out & due).total()
    with port.nic.receiving(f"idle=3000 until={len(sizes) - 1}") as seen:
        port.wire.burst(frames.of_sizes(Nic.permanent_mac, [max(60, size) for size in sizes]))
    came = sum(not frame.fault for frame in seen)
    return {"sent": f"{right} of {total} right" + (", some refused" if "refused" in said else ""),
            "received": f"{came} of {len(sizes)} right"}


# ------------------------------------------------------------------- settings

def _told(port, commands):
    since = time.monotonic()
    rows = {"command": port.did(commands, 60)}
    time.sleep(1)
    rows["longest silence"] = length(max(port.flow.gaps(since))[0])
    rows["traffic"] = port.back(time.monotonic())
    lost, asked = port.flow.lost()
    return {**rows, "lost": f"{lost} of {asked} questions"}


@scenario("nothing at all, for comparison")
def _(port):
    return _told(port, "sleep 5")


@scenario("other ring sizes, six times (ethtool -G)")
def _(port):
    return _told(port, "for n in 1 2 3; do ethtool -G eth0 rx 512 tx 512 && sleep 1 && "
                       "ethtool -G eth0 rx 256 tx 256 && sleep 1 || exit 1; done")


@scenario("other numbers of queues, six times (ethtool -L)")
def _(port):
    return _told(port, "for n in 1 2 3; do ethtool -L eth0 combined 1 && sleep 1 && "
                       "ethtool -L eth0 combined 2 && sleep 1 || exit 1; done")


@scenario("a write to the NVM that is refused (ethtool -E)")
def _(port):
    return _told(port, "ethtool -E eth0 magic 0x10c98086 offset 0x20 value 1")


@scenario("several administrators at once, for ten seconds")
def _(port):
    jobs = [port.guest.spawn_for(10, wish) for wish in wishes("eth0")]
    if any(port.output(job, 90) is None for job in jobs):
        return {"commands": HANGS}
    port.guest.sh(f"ip link set eth0 down mtu 1500 address {Nic.permanent_mac}; "
                  "ethtool -G eth0 rx 256 tx 256", 60)
    return {"commands": "ok", "traffic, up again": port.again()}


KEPT = {"address": "cat /sys/class/net/eth0/address", "rings": "ethtool -g eth0",
        "RSS": "ethtool -x eth0", "moderation": "ethtool -C eth0 >/dev/null 2>&1; ethtool -c eth0",
        "VLANs": "ls /sys/class/net"}


def _self_test(port):
    port.guest.sh("for n in 1 2 3 4 5; do ip link add link eth0 name eth0.$n type vlan id $n; "
                  "ip link set eth0.$n up; done; ethtool -G eth0 rx 512 tx 128; "
                  "ethtool -X eth0 equal 1", 60, check=False)
    port.works()
    before = {name: port.guest.sh(command, check=False) for name, command in KEPT.items()}
    since = time.monotonic()
    done = port.did("ethtool -t eth0 offline | grep -E 'result|[1-9]$'", 60)
    rows = {"command": done, "traffic": port.back(since)}
    if port.stuck():
        return rows
    rows["result"] = " ".join(done.said.replace("The test result is ", "").split())
    other = [name for name, was in before.items() if port.guest.sh(KEPT[name], check=False) != was]
    heard = [n for n in range(1, 6) if _on_vlan(port, n)]
    return {**rows, "as before": ", ".join(f"not {name}" for name in other) or ", ".join(KEPT),
            "VLANs heard": f"{len(heard)} of 5"}


def _on_vlan(port, number):
    count = f"cat /sys/class/net/eth0.{number}/statistics/rx_packets"
    before = int(port.guest.sh(count))
    port.wire.burst([frames.build(0, 60, Nic.permanent_mac, vlan=number)])
    time.sleep(0.3)
    return int(port.guest.sh(count)) > before


@scenario("self-test (ethtool -t offline), five VLANs, other rings and RSS table")
def _(port):
    return _self_test(port)


@scenario("the same with INTx (pci=nomsi)", "nomsi-2cpu")
def _(port):
    return _self_test(port)


# -------------------------------------------------------------------- running

def _trouble(guest, wire, driver, happen):
    """One scenario in a guest without a driver; (answers, whether the guest is as before)."""
    guest.forget()
    port = Port(guest, wire, driver)
    rows = {}
    try:
        port.load()
        with port.flow, port.busy() as port.sender:
            if not port.works():
                raise GuestError(f"{driver}: no traffic to begin with")
            rows = happen(port)
            rows["kernel log"] = port.complaints()
        rows.update(port.unloaded())
        rows["kernel log"] = port.complaints()      # with what unloading added
    except GuestDied as error:
        if "iotlb_to_section" in str(error):
            raise                                   # QEMU's own fault
        why = re.search(r"Kernel panic - not syncing: (.*)|BUG: ([^,]*)", str(error))
        rows["the guest"] = f"dies: {why[1] or why[2]}" if why else \
            "dies" if "QEMU ended" in str(error) else HANGS
    except (GuestError, QmpError) as error:
        rows["the guest"] = f"fails: {str(error).splitlines()[0]}"
    answers = {what: str(cell) for what, cell in rows.items()}
    return answers, "the guest" not in rows and rows["kernel log"] == "-" \
        and answers["rmmod"].startswith("ok") and rows["left over"] == "nothing"


def run(box, title, driver):
    """What becomes of one driver in one scenario: {what: answer}."""
    for left in reversed(range(TRIES)):
        guest = box.unload()
        if "button" in guest.sh("lsmod"):
            guest.sh("rmmod button", check=False)
        try:
            answers, clean = _trouble(guest, box.wire, driver, SCENARIOS[title][1])
        except GuestDied:
            box.discard()
            if not left:
                raise
            continue
        if not clean or "sleeps" in title:
            box.discard()
        if not (left and "the guest" in answers):   # may be the host's fault: once more
            return answers
    raise AssertionError("not reached")


def run_all(arch, titles=tuple(SCENARIOS)):
    """({title: {what: (in-tree igb's answer, this driver's)}}, versions)"""
    table, versions = {}, ""
    for config in dict.fromkeys(SCENARIOS[title][0] for title in titles):
        box = Box("wire", config, arch)
        try:
            for title in (title for title in titles if SCENARIOS[title][0] == config):
                both = [told(run(box, title, driver), title, driver) for driver in DRIVERS]
                table[title] = {what: tuple(answers.get(what, "-") for answers in both)
                                for what in dict.fromkeys((*both[0], *both[1]))}
            versions = versions or versions_of(box.guest())
        finally:
            box.close()
    return {title: table[title] for title in titles}, versions


def told(answers, title, driver):
    """One who waits sees how far it is."""
    print(f"{driver}: {title}: " + "; ".join(f"{what}: {cell}" for what, cell in answers.items()),
          file=sys.stderr, flush=True)
    return answers


def versions_of(guest):
    """Of what was in trouble, and in what."""
    number = guest.qmp("query-version")["qemu"]
    return f"Linux {guest.read('/proc/sys/kernel/osrelease')}, " \
        f"QEMU {number['major']}.{number['minor']}.{number['micro']}"


# ----------------------------------------------------------------------- page

HEAD = """\
.. SPDX-License-Identifier: GPL-2.0

==============================
In trouble, beside in-tree igb
==============================

Of ``make troubles``: each driver alone in a guest, with one emulated 82576 and two CPUs, the same
done to both. The port works: every ten milliseconds a question of ARP comes to it, with other
frames, and it sends; that it works is told by its answers on the wire. *goes on*: no answer was
missing for more than 0.3 s. *back after*: that long after the trouble began, answers came again,
without help. *dead until*: not within 25 s, then what helped, of ``ip link set eth0 down`` and
``up``, a reset through sysfs, and loading the driver again. *no end*: the command was still at it,
and was waited for no longer. A guest is only said to have died or failed if the next one did, too.

Times are by the host's clock for traffic, and by the guest's for commands; both are an emulator's,
on a machine that may have been busy. *kernel log* has the kernel's warnings of any kind; *rmmod*
is at the end of each, and *left over* what the driver then still holds.

Left out is what this emulator cannot do: a card that vanishes without the slot's asking first,
errors that the card itself reports, and a card whose registers read all ones.

({versions}.)
"""


def page(table, versions):
    """Documentation/troubles.rst"""
    parts = [HEAD.format(versions=versions)]
    for title, rows in table.items():
        names, theirs = max(map(len, rows)), max(len(answers[0]) for answers in rows.values())
        lines = [f"    {what:{names}}  {answers[0]:{theirs}}  {answers[1]}".rstrip()
                 for what, answers in {"": tuple(DRIVERS), **rows}.items()]
        parts.append(f"{title}\n{'=' * len(title)}\n\n::\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def publish(table, versions, top=project.TOP):
    """Renew the page."""
    (top / PAGE).write_text(page(table, versions), encoding="utf-8")
