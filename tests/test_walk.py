# SPDX-License-Identifier: GPL-2.0
"""A random walk: two thousand settings in any order, with traffic, and all of them remembered.

A model of the port says of each command whether it will be accepted, and what the port will be
like then. IGB_DEMO_WALK_SEED chooses another walk than the usual one, IGB_DEMO_WALK_STEPS a
longer or shorter one.
"""
import os
import random
import re

import pytest
from rig import frames
from rig.footprint import Footprint
from rig.frames import PEER
from rig.nic import MODULE, Nic
from rig.project import PATIENCE
from rig.settings import flowing, parse_state, write_file

pytestmark = pytest.mark.guest("wire", ("smp-2cpu",))

SEED = int(os.environ.get("IGB_DEMO_WALK_SEED", "82576"))
STEPS = int(os.environ.get("IGB_DEMO_WALK_STEPS", 2000 // PATIENCE))
CHECK_EVERY = 50
DEVICE = "pci/0000:01:00.0"
# The longest MTU whose frames fit into one buffer.
ONE_BUFFER = 3054
MACS = ("52:54:00:12:34:56", "52:54:00:00:00:01", "02:00:00:ff:ff:ff")
GROUPS = ("01:00:5e:40:01:02", "33:33:00:00:00:77")
VLANS = (1, 2, 100, 4094)
TOGGLED = ("rxhash", "rxvlan", "txvlan", "rx-vlan-filter", "rx", "gro", "rx-all", "tso")

# Never accepted, whatever the port is like.
REFUSED = {
    "ethtool": (
        "-G eth0 rx 63", "-G eth0 tx 4104", "-G eth0 rx-mini 64", "-L eth0 combined 9",
        "-L eth0 combined 0", "-L eth0 rx 1", "-K eth0 lro on", "-K eth0 tx-udp-segmentation on",
        "-C eth0 adaptive-rx off rx-usecs 8192", "-C eth0 rx-frames 1", "-X eth0 equal 9",
        "-X eth0 hfunc xor", "-X eth0 hkey 00",
        "-s eth0 autoneg off speed 1000 duplex full", "-s eth0 advertise 0x1000",
        "-s eth0 port fibre", "-s eth0 wol g", "-A eth0 rx maybe",
        "--set-tunable eth0 tx-copybreak 129", "--set-eee eth0 eee on", "-t eth0 nonsense"),
    "ip": ("link set eth0 mtu 9217", "link set eth0 mtu 67",
           "link set eth0 address 01:00:5e:00:00:01",
           "link add link eth0 name eth0.4095 type vlan id 4095",
           "link set eth0 vf 0 mac 02:00:00:00:00:01", "maddr del 01:00:00:00:00:77 dev eth0"),
    "tc": ("qdisc replace dev eth0 root nonsense",
           "qdisc replace dev eth0 root mqprio num_tc 2 queues 1@0 1@1 map 0 1 hw 1"),
    "devlink": (f"dev param set {DEVICE} name nonsense value 1 cmode runtime",
                f"health set {DEVICE} reporter nonsense auto_recover true",
                f"dev reload {DEVICE} action fw_activate"),
    "echo": ("2 >/sys/class/net/eth0/threaded", "1 >/sys/class/net/eth0/carrier"),
}
LOGGED = (r"igb_demo.*(can be advertised|can be forced|cannot negotiate|cannot be negotiated|"
          r"tx-copybreak can be|there is no other port|no fragments|Link is)")

# moves() waits until traffic has got on since the last time, unless there is no link to get on
# with.
PRELUDE = r"""
net=/sys/class/net/eth0
last=0
moves() {
	n=0
	while read -r now <$net/statistics/rx_packets && [ $now -lt $((last + 4)) ]; do
		read -r carrier 2>/dev/null <$net/carrier || break
		[ $carrier = 1 ] || break
		n=$((n + 1)); [ $n -gt 320 ] && { echo "@stalled"; break; }
		usleep 50000
	done
	last=$now
}
"""


class Model:  # pylint: disable=too-many-instance-attributes
    """What the port must be like; step() says what to do next."""

    def __init__(self, seed, base, bits):
        self.dice = random.Random(seed)
        self.bits = bits            # feature: its bits
        self.burst = []             # programs whose commands come next: one process can do them
        self.base = base
        self.up = True
        self.mtu = 1500
        self.mac = MACS[0]
        self.rings = {"rx": 256, "tx": 256}
        self.split = False
        self.queues = int(base["channels.9"])
        self.usecs, self.adaptive = 20, True
        self.autoneg = True
        self.pause = {"forced": False, "rx": True, "tx": True}
        self.features = {name: bool(int(base["features.4.4"]) & bit) for name, bit in bits.items()}
        self.table = None           # one of equal shares, once it was set
        self.key = base["rss.5"]
        self.ports = {"tcp4": True, "udp4": True, "tcp6": True, "udp6": True}
        self.copybreak = 128
        self.level = 135
        self.flags = {"promisc": False, "allmulticast": False}
        self.vlans, self.groups = set(), set()
        self.root, self.clsact = "mq", False
        self.program = None
        self.values = {"txqueuelen": 1000, "threaded": 0, "gro_flush_timeout": 0,
                       "napi_defer_hard_irqs": 0}
        self.health = {(name, what): True for name in ("tx", "rx")
                       for what in ("auto_recover", "auto_dump")}

    # ------------------------------------------------------------ what is

    def reported_pause(self):
        """(autoneg, rx, tx) as ethtool -a shows it: a forced link has none of its own."""
        forced = self.pause["forced"]
        shown = self.autoneg or forced
        return (self.autoneg and not forced, shown and self.pause["rx"], shown and self.pause["tx"])

    def shares(self):
        """Over how many queues packets are spread."""
        return self.table or self.queues

    def expected(self):
        """{name: value} of rigtool state, those that the walk changes."""
        autoneg, rx, tx = self.reported_pause()
        active = sum(self.bits[name] for name, on in self.features.items() if on)
        moderation = {f"moderation.{i}": f"{self.usecs} {int(self.adaptive)}"
                      for i in range(self.queues)}
        return {
            "up": self.up, "link.4": self.mtu, "link.13": self.values["txqueuelen"],
            "link.1": int.from_bytes(bytes.fromhex(self.mac.replace(":", "")), "little"),
            "link.30": int(self.flags["promisc"]), "link.61": int(self.flags["allmulticast"]),
            "rings.6": self.rings["rx"], "rings.9": self.rings["tx"],
            "rings.11": 2 if self.split else 1, "channels.9": self.queues,
            "coalesce.2": self.usecs, "coalesce.6": self.usecs,
            "coalesce.11": int(self.adaptive), "coalesce.12": int(self.adaptive), **moderation,
            "linkmodes.2": int(self.autoneg), "pause.2": int(autoneg), "pause.3": int(rx),
            "pause.4": int(tx), "features": active,
            "rss.4": "".join(f"{i % self.shares():02x}000000" for i in range(128)),
            "rss.5": self.key,
            **{f"hash.{number}": "0xf0" if self.ports[name] else "0x30" for name, number in
               (("tcp4", 1), ("udp4", 2), ("tcp6", 5), ("udp6", 6))},
            "tunable.tx-copybreak": self.copybreak, "debug.2.4": self.level,
            "vlans": sorted(self.vlans), "groups": sorted(self.groups),
            "qdisc.ffffffff": self.root, "clsact": self.clsact,
            "program": bool(self.program), "threaded.0": self.values["threaded"],
            "gro_flush_timeout.0": self.values["gro_flush_timeout"],
            "napi_defer_hard_irqs.0": self.values["napi_defer_hard_irqs"],
        }

    def found(self, state):
        """The same of what rigtool state has printed, and what there is beyond it."""
        every = 0
        for bit in self.bits.values():
            every |= bit
        lines = " ".join(value for name, value in state.items() if name.startswith("vlan."))
        seen = dict(state)
        seen.update({
            "up": bool(int(state["link.flags"], 16) & 1),
            "features": int(state["features.4.4"]) & every,
            "vlans": sorted(map(int, re.findall(r"eth0\.(\d+) ", lines))),
            "groups": sorted(mac for mac in GROUPS if f"mcast.{mac.replace(':', '')}" in state),
            "clsact": state.get("qdisc.fffffff1") == "clsact",
            "program": len(state["link.43"]) > 20,
        })
        wanted = self.expected()
        found = {name: type(value)(seen[name]) if name in seen else None
                 for name, value in wanted.items()}
        if any(f"moderation.{number}" in state for number in range(self.queues, 8)):
            found["moderation"] = "of queues that are not in use"
        return found

    # --------------------------------------------------------- what to do

    def step(self):
        """(program, its arguments, whether they are accepted); the model follows."""
        if not self.up and self.dice.random() < 0.2:
            return "ip", *self._updown()
        if not self.burst:
            tool, most = self.dice.choices((("ethtool", 1), ("ip", 9), ("tc", 3), ("devlink", 2),
                                            ("echo", 2)), (45, 25, 8, 4, 12))[0]
            self.burst = [tool] * self.dice.randint(1, most)
        tool = self.burst.pop()
        if self.dice.random() < 0.12:
            return tool, self.dice.choice(REFUSED[tool]), False
        return (tool, *getattr(self, f"_{tool}")())

    def _ethtool(self):
        kinds = (self._rings, self._channels, self._coalesce, self._feature, self._spread,
                 self._hash, self._copybreak, self._level, self._pause, self._speed, self._act)
        return self.dice.choices(kinds, (12, 10, 10, 14, 12, 10, 5, 5, 5, 3, 3))[0]()

    def _rings(self):
        way, count = self.dice.choice(("rx", "tx")), self.dice.choice((64, 128, 256, 1000))
        self.rings[way] = count
        return f"-G eth0 {way} {count}", True

    def _channels(self):
        count = self.dice.randint(1, 8)
        # The classes of mqprio have no queue then; the stack drops them, and says so.
        if self.root == "mqprio":
            count = max(count, 2)
        if self.table and count < self.table:
            return f"-L eth0 combined {count}", False
        self.queues = count
        return f"-L eth0 combined {count}", True

    def _coalesce(self):
        if self.adaptive:
            if self.dice.random() < 0.3:
                return f"-C eth0 rx-usecs {self.usecs + 1}", False
            self.adaptive = False
            return "-C eth0 adaptive-rx off", True
        if self.dice.random() < 0.4:
            self.adaptive = True
            return "-C eth0 adaptive-tx on", True
        self.usecs = self.dice.choice((0, 1, 20, 50, 100))
        return f"-C eth0 {self.dice.choice(('rx', 'tx'))}-usecs {self.usecs}", True

    def _feature(self):
        name = self.dice.choice(sorted(self.features))
        self.features[name] = not self.features[name]
        return f"-K eth0 {name} {'on' if self.features[name] else 'off'}", True

    def _spread(self):
        what = self.dice.choice(("default", "equal", "equal", "equal", "hkey"))
        if what == "hkey":
            self.key = self.dice.randbytes(40).hex()
            text = ":".join(self.key[at:at + 2] for at in range(0, 80, 2))
            return f"-X eth0 hkey {text}", True
        if what == "default":
            self.table = None
            return "-X eth0 default", True
        count = self.dice.randint(1, self.queues + 1)
        if count > self.queues:
            return f"-X eth0 equal {count}", False
        self.table = count
        return f"-X eth0 equal {count}", True

    def _hash(self):
        kind = self.dice.choice(sorted(self.ports))
        self.ports[kind] = not self.ports[kind]
        return f"-N eth0 rx-flow-hash {kind} {'sdfn' if self.ports[kind] else 'sd'}", True

    def _copybreak(self):
        self.copybreak = self.dice.choice((0, 1, 60, 128))
        return f"--set-tunable eth0 tx-copybreak {self.copybreak}", True

    def _level(self):
        self.level = self.dice.choice((0, 7, 135))
        return f"-s eth0 msglvl {self.level:#x}", True

    def _pause(self):
        autoneg, rx, tx = self.reported_pause()
        what = self.dice.choice(("autoneg", "rx", "tx"))
        on = self.dice.random() < 0.5
        autoneg, rx, tx = (on if what == name else value for name, value in
                           (("autoneg", autoneg), ("rx", rx), ("tx", tx)))
        command = f"-A eth0 {what} {'on' if on else 'off'}"
        if (autoneg, rx, tx) == self.reported_pause():
            return command, True
        if autoneg and not self.autoneg:
            return command, False
        self.pause = {"forced": not autoneg, "rx": rx, "tx": tx}
        return command, True

    def _speed(self):
        self.autoneg = self.dice.random() < 0.6
        if self.autoneg:
            return "-s eth0 autoneg on", True
        speed, duplex = self.dice.choice((10, 100)), self.dice.choice(("half", "full"))
        return f"-s eth0 autoneg off speed {speed} duplex {duplex}", True

    def _act(self):
        what = self.dice.choices(("-r", "-t", "-p", "-d"), (3, 3, 1, 3))[0]
        if not self.up:
            what = "-d"
        # Without a link, which may be on its way, the test fails.
        mode = self.dice.choice(("online", "offline"))
        return {"-r": "-r eth0", "-t": f"-t eth0 {mode} >/dev/null; true", "-p": "-p eth0 1",
                "-d": "-d eth0 raw on >/dev/null"}[what], what != "-r" or self.autoneg

    def _ip(self):
        kinds = (self._updown, self._mtu, self._address, self._flag, self._vlan, self._group,
                 self._xdp, self._queue_length)
        return self.dice.choices(kinds, (4, 14, 10, 12, 14, 12, 12, 10))[0]()

    def _updown(self):
        self.up = not self.up if self.up else True
        return f"link set eth0 {'up' if self.up else 'down'}", True

    def _mtu(self):
        mtu = self.dice.choice((68, 576, 1500, ONE_BUFFER, ONE_BUFFER + 1, 9216))
        accepted = mtu <= ONE_BUFFER or self.program != "xdp"
        if accepted:
            self.mtu = mtu
        return f"link set eth0 mtu {mtu}", accepted

    def _address(self):
        self.mac = self.dice.choice(MACS)
        return f"link set eth0 address {self.mac}", True

    def _flag(self):
        name = self.dice.choice(sorted(self.flags))
        self.flags[name] = not self.flags[name]
        return f"link set eth0 {name} {'on' if self.flags[name] else 'off'}", True

    def _vlan(self):
        number = self.dice.choice(VLANS)
        if self.dice.random() < 0.5:
            accepted = number not in self.vlans
            self.vlans.add(number)
            return f"link add link eth0 name eth0.{number} type vlan id {number}", accepted
        accepted = number in self.vlans
        self.vlans.discard(number)
        return f"link del eth0.{number}", accepted

    def _group(self):
        mac = self.dice.choice(GROUPS)
        if mac in self.groups:
            self.groups.remove(mac)
            return f"maddr del {mac} dev eth0", True
        self.groups.add(mac)
        return f"maddr add {mac} dev eth0", True

    def _xdp(self):
        if self.dice.random() < 0.4:
            self.program = None
            return "link set eth0 xdp off", True
        kind = self.dice.choice(("xdp", "xdp.frags"))
        # A batch that goes on after errors (-force) replaces a program as well.
        accepted = kind == "xdp.frags" or self.mtu <= ONE_BUFFER and not self.split
        if accepted:
            self.program = kind
        return f"link set eth0 xdpdrv obj /lib/bpf/{kind}.o program pass", accepted

    def _queue_length(self):
        self.values["txqueuelen"] = self.dice.choice((100, 1000, 5000))
        return f"link set eth0 txqueuelen {self.values['txqueuelen']}", True

    def _tc(self):
        what = self.dice.choice(("fq", "mqprio", "mq", "clsact", "clsact"))
        # While the port is down, the kernel has nothing in the place of what goes.
        if what == "clsact" or not self.up:
            self.clsact = not self.clsact
            return f"qdisc {'add' if self.clsact else 'del'} dev eth0 clsact", True
        if what == "mqprio" and self.queues < 2:
            what = "fq"
        # One mqprio is not put in the place of another.
        if self.root == "mqprio" or what == "mq":
            accepted, self.root = self.root != "mq", "mq"
            return "qdisc del dev eth0 root", accepted
        self.root = what
        more = " num_tc 2 queues 1@0 1@1 map 0 1 hw 0" if what == "mqprio" else ""
        return f"qdisc replace dev eth0 root {what}{more}", True

    def _devlink(self):
        if self.dice.random() < 0.3:
            return f"dev reload {DEVICE}", True
        name, what = self.dice.choice(sorted(self.health))
        self.health[name, what] = not self.health[name, what]
        return (f"health set {DEVICE} reporter {name} {what} "
                f"{'true' if self.health[name, what] else 'false'}"), True

    def _echo(self):
        name = self.dice.choice(("threaded", "gro_flush_timeout", "napi_defer_hard_irqs", "split"))
        if name == "split":
            return self._split()
        self.values[name] = self.dice.choice((0, 1))
        return f"{self.values[name]} >/sys/class/net/eth0/{name}", True

    def _split(self):
        """No file, but no ethtool of the guest's has it either."""
        on = self.dice.random() < 0.5
        accepted = not on or self.program != "xdp"
        if accepted:
            self.split = on
        return f"; rigtool split eth0 {'on' if on else 'off'}", accepted

    def ways_back(self):
        """Commands that end the walk where traffic can be counted."""
        return ["ip link set eth0 up", "ip link set eth0 mtu 1500",
                "ethtool -s eth0 autoneg on", "ip link set eth0 promisc off",
                "ip link set eth0 allmulticast off"]


def batched(step):
    """Whether a command can be one of a batch: ip maddr ends the whole program."""
    return step[0] in ("ip", "tc", "devlink") and not step[1].startswith("maddr")


def script(steps):
    """The steps as a script for the guest: neighbours of one program's batch are one process."""
    lines, number = [PRELUDE], 0
    while number < len(steps):
        tool, end = steps[number][0], number + 1
        lines.append(f"echo '@group {number}'")
        if batched(steps[number]):
            while end < len(steps) and steps[end][0] == tool and batched(steps[end]):
                end += 1
            lines += [f"{tool} {'-f -b' if tool == 'devlink' else '-force -batch'} - 2>&1 <<'END'",
                      *(step[1] for step in steps[number:end]), "END"]
        else:
            lines.append(f"{{ {tool} {steps[number][1]}; }} 2>&1; echo \"@status $?\"")
        lines.append("moves")
        number = end
    return "\n".join(lines + ["echo '@state'", "rigtool state eth0 | grep -v ^reg"])


def refused(said):
    """Numbers of the steps that failed, of a script's output."""
    failed = set()
    for part in re.split(r"^@group ", said, flags=re.M)[1:]:
        first = int(part.split("\n", 1)[0])
        failed |= {first + int(line) - 1 for line in re.findall(r"Command failed -:(\d+)", part)}
        if re.search(r"^@status [^0]", part, re.M):
            failed.add(first)
    return failed


def walk(guest, model, count):
    """Take @count steps, and compare the port with the model every now and then."""
    for start in range(0, count, CHECK_EVERY):
        steps = [model.step() for _ in range(min(CHECK_EVERY, count - start))]
        write_file(guest, "/tmp/walk.sh", script(steps))
        said, _ = guest.sh_status("sh /tmp/walk.sh", timeout=300)
        said, _, state = said.partition("@state\n")
        where = f"seed {SEED}, steps {start} to {start + CHECK_EVERY}"
        failed = refused(said)
        wrong = [f"{number}: {tool} {what}: {'refused' if accepted else 'accepted'}"
                 for number, (tool, what, accepted) in enumerate(steps)
                 if accepted == (number in failed)]
        assert not wrong, f"{where}: {wrong}\n{said}"
        assert "@stalled" not in said, f"{where}: traffic stands still\n{said}"
        wanted, found = model.expected(), model.found(parse_state(state))
        differs = {name: (wanted.get(name), found.get(name)) for name in found
                   if wanted.get(name) != found[name]}
        assert not differs, f"{where}: wanted and found: {differs}\n{said}"


def exchange(nic, wire, mac):
    """Frames each way: all of them arrive, and all are counted, once."""
    nic.guest.sh("usleep 200000")
    count = 30         # fewer than the smallest ring holds
    before, link_before = nic.statistics(), nic.counters()
    with nic.receiving(f"until={count - 1}") as seen:
        wire.burst(frames.series(mac, count, 200))
    assert len(seen) == count and not any(frame.fault for frame in seen)
    wire.drain()
    nic.transmit(f"dst={PEER} sizes=200 repeat={count}")
    assert len(wire.collect(count)) == count
    nic.guest.sh("usleep 300000")
    after, link = nic.statistics(), nic.counters()
    for way, chip in (("rx", "hw_gprc"), ("tx", "hw_gptc")):
        assert link[f"{way}_packets"] - link_before[f"{way}_packets"] == count
        assert after[chip] - before[chip] == count
        for what in ("packets", "bytes"):
            assert link[f"{way}_{what}"] == sum(
                value for name, value in after.items()
                if re.fullmatch(rf"{way}_queue_\d+_{what}", name))


def feature_bits(guest):
    """{name: bits} of the features that the walk changes; found out by changing them."""
    shown = "rigtool state eth0 | grep '^features.4.4 '"
    said = guest.sh("".join(f"ethtool -K eth0 {name} off; {shown}; ethtool -K eth0 {name} on; "
                            f"{shown}; " for name in TOGGLED)
                    + "ethtool -K eth0 rx-all off", timeout=120)
    values = list(map(int, re.findall(r"features\.4\.4 (\d+)", said)))
    return {name: values[2 * i] ^ values[2 * i + 1] for i, name in enumerate(TOGGLED)}


def one_walk(guest, wire, number, count):
    """Load the driver, walk, see that the port works, unload it."""
    nic = Nic(guest)
    # A datagram that lost a part on the way keeps the others, and their pages, that many seconds.
    guest.sh("modprobe sch_fq; modprobe sch_mqprio; modprobe sch_ingress; "
             f"echo 1 >/proc/sys/net/ipv4/ipfrag_time; insmod {MODULE}")
    nic.up()
    model = Model(SEED + number, parse_state(guest.sh("rigtool state eth0")), feature_bits(guest))
    with flowing(nic, wire, processes=3, step=500, pause=40000):
        walk(guest, model, count)
        for command in model.ways_back():
            guest.sh(command)
        write_file(guest, "/tmp/walk.sh", PRELUDE + "rigtool carrier eth0 1 limit=10000\n"
                   "moves; moves; moves")
        said = guest.sh("sh /tmp/walk.sh", timeout=60)
        assert "@stalled" not in said, said
    exchange(nic, wire, model.mac)
    guest.sh("for n in $(ls /sys/class/net | grep eth0.); do ip link del $n; done; "
             "rmmod igb_demo", timeout=60)
    # What one CPU freed of another's frames that other one gives back when it next receives.
    guest.sh("ip link set lo up; for cpu in 1 2; do taskset $cpu ping -c 1 127.0.0.1; done; "
             "sleep 2")
    return Footprint.of(guest)


@pytest.mark.timeout(1200)
def test_walk(guest, wire):
    """Two thousand changes later the port is what it was told to be, and nothing is left."""
    print(f"IGB_DEMO_WALK_SEED={SEED}")
    guest.allow_log(LOGGED)
    parts = (STEPS // 5, STEPS * 2 // 5, STEPS * 2 // 5)
    prints = [one_walk(guest, wire, number, count) for number, count in enumerate(parts)]
    first, second = prints[1].grown(prints[0], 0), prints[2].grown(prints[1], 0)
    # Files of the test's own, and of /proc, are remembered for a while.
    both = {name for name in first.keys() & second.keys() if not re.search("inode|dentry", name)}
    assert not both, f"grown twice: {first}, {second}"
    assert not any(prints[-1].held().values()), prints[-1].held()
