# SPDX-License-Identifier: GPL-2.0
"""Every setter: its least, its greatest, one beyond each, and nonsense, while datagrams go round.

What is refused says why and leaves all that can be seen of the port as it was; what is accepted
changes what was asked, and going back restores all of it.
"""
import dataclasses
import re

import pytest
from rig.project import PATIENCE
from rig.settings import REBUILT, Bench, flowing

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))

TOO_MUCH = (4294967295, 4294967296)
NIC = "0000:01:00.0"
DEVICE = f"pci/{NIC}"
# What the driver has no other way to say.
LOGGED = (r"igb_demo.*(can be advertised|can be forced|cannot negotiate|cannot be negotiated|"
          r"magic number|EECD\.GNT|to be written, 0 are|tx-copybreak can be|"
          r"pairs can be crossed|no fragments|there is no other port)")


@dataclasses.dataclass(frozen=True)
class Refused:
    """@command fails, saying something like @why; some of ethtool's do so with a status of 0."""
    command: str
    why: str = r"\S"
    status: bool = True


@dataclasses.dataclass(frozen=True)
class Accepted:
    """@command changes @after, and of other things what begins with one of @also; @back undoes
    it. The @kind is for settings.Bench."""
    command: str
    back: str
    after: dict = dataclasses.field(default_factory=dict)
    also: tuple = ()
    kind: str = "plain"


@dataclasses.dataclass(frozen=True)
class Idle:
    """@command is accepted, and there is nothing to change."""
    command: str


def beyond(setting, least, greatest, step=1, why=r"\S"):
    """Refused values around a range, and some that are none."""
    values = [greatest + step, *TOO_MUCH, "nonsense", least - step]
    return [Refused(f"{setting} {value}", why) for value in dict.fromkeys(values)]


# ------------------------------------------------------------------- ethtool

def rings(base):
    """-G: descriptors, and header split."""
    cases = []
    for way, most, key in (("rx", "rings.2", "rings.6"), ("tx", "rings.5", "rings.9")):
        most, also = int(base[most]), ("reg.c", "reg.e")
        cases += [Accepted(f"ethtool -G eth0 {way} {value}", f"ethtool -G eth0 {way} {base[key]}",
                           {key: str(value)}, also) for value in (64, most)]
        cases += beyond(f"ethtool -G eth0 {way}", 64, most, 8)
        cases += [Refused(f"ethtool -G eth0 {way} {value}", "multiple|maximum")
                  for value in (63, 65, most - 1, most + 1)]
    return cases + [
        *(Refused(f"ethtool -G eth0 {what}") for what in
          ("rx-mini 64", "rx-jumbo 64", "rx-buf-len 2048", "cqe-size 32", "tx-push on",
           "rx 64 tx 63", "rx 63 tx 64")),
        Accepted("rigtool split eth0 on", "rigtool split eth0 off", {"rings.11": "2"},
                 ("reg.c", "reg.e", "reg.54", "queues", "napi")),
        Idle("rigtool split eth0 off"), Idle("rigtool split eth0 auto")]


def channels(base):
    """-L: queue pairs."""
    most, now = int(base["channels.5"]), base["channels.9"]
    also = ("rss.", "queues", "napi.", "reg.", "qdisc.", "moderation.")
    return [
        *(Accepted(f"ethtool -L eth0 combined {value}", f"ethtool -L eth0 combined {now}",
                   {"channels.9": str(value)}, also) for value in (1, most)),
        *beyond("ethtool -L eth0 combined", 1, most),
        *(Refused(f"ethtool -L eth0 {what}") for what in
          ("rx 1", "tx 1", "rx 1 tx 1 combined 0", "other 0", "other 2", "combined 1 other 0"))]


def moderation(_):
    """-C, of all queues and of one."""
    also = ("coalesce.", "moderation.", "reg.16")
    fixed, back = "ethtool -C eth0 adaptive-rx off", \
        "ethtool -C eth0 adaptive-rx off rx-usecs 20; ethtool -C eth0 adaptive-rx on"
    one = "ethtool -Q eth0 queue_mask 0x2 --coalesce"
    return [
        *(Accepted(f"{fixed} rx-usecs {value}", back,
                   {"coalesce.2": str(value), "coalesce.6": str(value), "coalesce.11": "0",
                    "coalesce.12": "0", "moderation.0": f"{value} 0", "moderation.1": f"{value} 0"},
                   also) for value in (0, 8191)),
        *beyond(f"{fixed} rx-usecs", 0, 8191), *beyond(f"{fixed} tx-usecs", 0, 8191),
        *(Refused(f"ethtool -C eth0 {what}") for what in
          ("rx-usecs 50", "adaptive-rx off rx-usecs 1 tx-usecs 2", "adaptive-rx maybe",
           "rx-frames 1", "tx-frames 1", "rx-usecs-irq 1", "tx-usecs-irq 1", "stats-block-usecs 1",
           "sample-interval 1", "pkt-rate-low 1", "rx-usecs-low 1", "rx-usecs-high 1",
           "cqe-mode-rx on", "tx-aggr-max-bytes 1")),
        Accepted(f"{one} adaptive-rx off rx-usecs 8191",
                 f"{one} adaptive-rx off rx-usecs 20; {one} adaptive-rx on",
                 {"moderation.1": "8191 0"}, ("reg.16",)),
        *(Refused(f"{one} {what}", status=False) for what in
          ("adaptive-rx off rx-usecs 8192", "rx-usecs 50")),
        *(Refused(f"ethtool -Q eth0 queue_mask {mask} --coalesce adaptive-rx off", status=False)
          for mask in ("0x4", "0x100")),
        Idle("ethtool -C eth0 adaptive-rx on adaptive-tx on")]


def pause(_):
    """-A."""
    return [
        Accepted("ethtool -A eth0 autoneg off", "ethtool -A eth0 autoneg on", {"pause.2": "0"},
                 ("reg.0000",)),
        Accepted("ethtool -A eth0 rx off", "ethtool -A eth0 rx on", {"pause.3": "0"},
                 ("linkmodes.", "mii.4", "reg.0000"), "link"),
        Accepted("ethtool -A eth0 tx off", "ethtool -A eth0 tx on", {"pause.4": "0"},
                 ("linkmodes.", "mii.4", "reg.0000"), "link"),
        *(Refused(f"ethtool -A eth0 {what}") for what in
          ("rx 2", "tx maybe", "autoneg", "autoneg 1", "rx on rx", "pause on")),
        Idle("ethtool -A eth0 autoneg on rx on tx on"), Idle("rigtool pause eth0 7 8 9")]


def spreading(base):
    """-X: the table and the key."""
    key = base["rss.5"]
    assert len(key) == 80
    text = ":".join(key[at:at + 2] for at in range(0, 80, 2))
    table = ("rss.4", "reg.5c")
    return [
        *(Accepted(f"ethtool -X eth0 {what}", "ethtool -X eth0 default",
                   {"rss.4": "".join(f"{queue:02x}000000" for queue in entries)}, table)
          for what, entries in (("equal 1", [0] * 128), ("start 1 equal 1", [1] * 128),
                                ("weight 0 1", [1] * 128), ("weight 1 127", [0] + [1] * 127))),
        Idle("ethtool -X eth0 equal 2"), Idle("ethtool -X eth0 default"),
        *(Refused(f"ethtool -X eth0 {what}") for what in
          ("equal 3", "equal 0", "equal -1", "equal nonsense", "equal 4294967296", "weight 0 0",
           "weight 1 1 1", "weight 0 0 1", "start 2 equal 1", "start 128 equal 1", "hfunc xor",
           "hfunc crc32", "hfunc nonsense", "context new equal 1", "context 1 equal 1",
           "context 1 delete", "hkey 00", "hkey 00:11", f"hkey {text}:00", f"hkey {text[:-3]}",
           f"hkey {text[:-1]}g")),
        Accepted(f"ethtool -X eth0 hkey {':'.join(['00'] * 40)}", f"ethtool -X eth0 hkey {text}",
                 {"rss.5": "00" * 40}, ("reg.5c",)),
        Accepted(f"ethtool -X eth0 hkey {':'.join(['ff'] * 40)}", f"ethtool -X eth0 hkey {text}",
                 {"rss.5": "ff" * 40}, ("reg.5c",)),
        Idle(f"ethtool -X eth0 hkey {text} hfunc toeplitz")]


def flows(_):
    """-N: what is hashed; and filters, of which there are none."""
    cases = []
    for kind, key in (("tcp4", "hash.1"), ("udp4", "hash.2"), ("tcp6", "hash.5"),
                      ("udp6", "hash.6")):
        command = f"ethtool -N eth0 rx-flow-hash {kind}"
        cases += [Accepted(f"{command} sd", f"{command} sdfn", {key: "0x30"}, ("reg.5818",)),
                  Idle(f"{command} sdfn"),
                  *(Refused(f"{command} {fields}", "Invalid|bad", False)
                    for fields in ("s", "sdf", "fn", "nonsense"))]
    return cases + [
        *(Refused(f"ethtool -N eth0 rx-flow-hash {what}", "Invalid|bad", False) for what in
          ("udp4 m", "udp4 sdfnv", "udp4 ''", "udp4 r", "udp4 d", "sctp4 sdfn", "ah4 s",
           "ether m", "ether sd", "nonsense sd", "udp4 sd context 1", "udp4 sdfn context 1")),
        *(Refused(f"ethtool -N eth0 {what}") for what in
          ("flow-type tcp4 dst-port 80 action 0", "flow-type ether dst 01:00:00:00:00:01 action 1",
           "flow-type tcp4 action 9", "delete 0", "delete 4294967295", "delete nonsense"))]


BACK = "ethtool -s eth0 autoneg on advertise 0x20ef"
MODES = ("linkmodes.", "linkinfo.", "linkstate.", "pause.", "mii.", "reg.")


def link(_):
    """-s."""
    refused = (
        *(f"autoneg off speed {speed} duplex full" for speed in
          (0, 9, 11, 99, 101, 1000, 1001, 2500, 4294967295, 4294967296, -1, "nonsense")),
        "autoneg off speed 1000 duplex half", "autoneg off speed 100 duplex 2",
        "autoneg off speed 100 duplex nonsense", "autoneg maybe", "autoneg off",
        "mdix maybe", "advertise 0x0",
        "advertise 0x010", "advertise 0x1000", "advertise 0x2000", "advertise nonsense",
        "advertise 0x8000000000000000", "speed 1000 duplex half",
        "port fibre", "port nonsense", "phyad 0", "phyad 2", "phyad 32", "phyad nonsense",
        "xcvr external", "master-slave forced-master", "lanes 0", "lanes 3",
        *(f"wol {letter}" for letter in "pumbags"), "wol nonsense", "sopass 00:11:22:33:44:55",
        "msglvl 0x100000000", "msglvl -1", "msglvl nonsense", "msglvl nonsense on")
    return [
        Accepted("ethtool -s eth0 autoneg off speed 10 duplex half", BACK, {"linkmodes.5": "10"},
                 MODES, "link"),
        Accepted("ethtool -s eth0 autoneg off speed 100 duplex full", BACK, {"linkmodes.5": "100"},
                 MODES, "link"),
        Accepted("ethtool -s eth0 advertise 0x001", BACK, {}, MODES, "link"),
        Accepted("ethtool -s eth0 mdix off", "ethtool -s eth0 mdix auto", {"linkinfo.5": "1"},
                 ("linkinfo.4", "mii."), "link"),
        *(Refused(f"ethtool -s eth0 {what}") for what in dict.fromkeys(refused)),
        *(Accepted(f"ethtool -s eth0 msglvl {value}", "ethtool -s eth0 msglvl 135",
                   {"debug.2.4": str(kept)}) for value, kept in ((0, 0), (0x7fff, 0x7fff))),
        Idle("ethtool -s eth0 wol d"), Idle("ethtool -s eth0 port tp"),
        Idle("ethtool -s eth0 phyad 1"), Idle("ethtool -s eth0 msglvl 135")]


def features(_):
    """-K."""
    def toggled(name, also=(), kind="plain", first="off", then="on"):
        return Accepted(f"ethtool -K eth0 {name} {first}", f"ethtool -K eth0 {name} {then}", {},
                        ("features.", *also), kind)
    return [
        *(toggled(name) for name in ("sg", "tx", "gso", "gro", "rxhash", "rx", "txvlan",
                                     "tx-checksum-sctp")),
        toggled("tso", then="on; ethtool -K eth0 tx-tcp-mangleid-segmentation off"),
        toggled("rxvlan", ("reg.0000",)), toggled("rx-vlan-filter", ("reg.0100",)),
        toggled("rx-all", ("reg.0100",), first="on", then="off"),
        toggled("loopback", ("link.", "linkmodes.", "linkstate.", "linkinfo.", "mii.", "reg."),
                "silent", "on", "off"),
        *(Refused(f"ethtool -K eth0 {what}") for what in
          ("tx-udp-segmentation on", "hw-tc-offload on", "rx-fcs on", "lro on", "ntuple on",
           "tx-gre-segmentation on", "esp-hw-offload on", "rx-gro-hw on", "highdma off",
           "sg maybe", "nonsense on", "sg", "tls-hw-tx-offload on", "rx-vlan-stag-filter on")),
        *(Idle(f"ethtool -K eth0 {what}") for what in
          ("sg on tx on", "rx-all off", "loopback off"))]


def tunables(_):
    """--set-tunable and its like."""
    command = "ethtool --set-tunable eth0 tx-copybreak"
    return [
        Accepted(f"{command} 0", f"{command} 128", {"tunable.tx-copybreak": "0"}),
        Idle(f"{command} 128"), *beyond(command, 0, 128),
        *(Refused(f"ethtool --set-tunable eth0 {what}") for what in
          ("rx-copybreak 1", "pfc-prevention-tout 1", "tx-buf-size 1", "nonsense 1")),
        *(Refused(f"ethtool --set-phy-tunable eth0 {what}") for what in
          ("downshift on", "downshift on count 1", "fast-link-down on",
           "energy-detect-power-down on", "nonsense on"))]


def absent(_):
    """What the chip, or the driver, has not."""
    return [Refused(command.replace("$", "eth0")) for command in (
        "ethtool --set-eee $ eee on", "ethtool --set-eee $ tx-timer 4294967296",
        "ethtool --set-priv-flags $ nonsense on", "ethtool --set-fec $ encoding rs",
        "ethtool --set-module $ power-mode-policy auto", "ethtool --cable-test $",
        "ethtool --cable-test-tdr $", "ethtool --set-plca-cfg $ enable on",
        "ethtool --reset $ all", "ethtool --reset $ nonsense", "ethtool -W $ 1",
        "ethtool -f $ nonsense 4294967295", "ethtool -t $ nonsense",
        "ethtool -p $ nonsense", "ethtool -r nonsense", "ethtool --nonsense $",
        "ethtool -E $ magic 0x12345678 offset 0 value 0",
        "ethtool -E $ magic 0x10c98086 offset 0 value 0",
        "ethtool -E $ magic 0x10c98086 offset 4294967295 value 0",
        "ethtool -E $ magic 0x10c98086 offset 0 length 4294967295 value 0",
        "ethtool -E $ magic 0x10c98086 offset 0 value 256",
        "ip link set $ vf 0 mac 02:00:00:00:00:01", "ip link set $ vf 0 vlan 1",
        "ip link set $ vf 7 rate 1", "ip link set $ vf 0 spoofchk on")]


# ------------------------------------------------------------------- ip, sysfs

def interface(base):
    """ip link set."""
    mac = "52:54:00:12:34:56"
    least, greatest = int(base["link.50"]), int(base["link.51"])
    return [
        *(Accepted(f"ip link set eth0 mtu {mtu}", "ip link set eth0 mtu 1500",
                   {"link.4": str(mtu)}, ("reg.0100", "reg.5004", "mcast.", "reg.52")) for mtu in
          (least, greatest)),
        *beyond("ip link set eth0 mtu", least, greatest),
        *(Accepted(f"ip link set eth0 address {new}", f"ip link set eth0 address {mac}", {},
                   ("link.1", "reg.54")) for new in ("00:00:00:00:00:01", "fe:ff:ff:ff:ff:ff")),
        *(Refused(f"ip link set eth0 address {new}") for new in
          ("00:00:00:00:00:00", "01:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "52:54:00:12:34",
           "52:54:00:12:34:56:78", "nonsense")),
        Idle(f"ip link set eth0 address {mac}"),
        *(Accepted(f"ip link set eth0 {flag} on", f"ip link set eth0 {flag} off", {},
                   ("link.", "reg.0100")) for flag in ("promisc", "allmulticast")),
        *(Refused(f"ip link set eth0 {flag} maybe") for flag in
          ("promisc", "allmulticast", "arp", "multicast")),
        Accepted("ip link set eth0 txqueuelen 0", "ip link set eth0 txqueuelen 1000",
                 {"link.13": "0"}),
        *beyond("ip link set eth0 txqueuelen", 0, 4294967295),
        *(Refused(f"ip link set eth0 gso_max_size {value}") for value in
          (int(base["link.59"]) + 1, 4294967296, "nonsense")),
        *(Refused(f"ip link set eth0 gso_max_segs {value}") for value in
          (int(base["link.60"]) + 1, 4294967296)),
        *(Refused(f"ip link set eth0 {what}") for what in
          ("carrier off", "name ''", "netns nonsense", "master nonsense"))]


def groups(base):
    """VLANs and group addresses."""
    def vlan(number, kind="802.1Q"):
        return f"ip link add link eth0 name eth0.x type vlan proto {kind} id {number}"
    away, heard = "ip link del eth0.x", ("mcast.", "reg.52", "reg.53")
    assert not [name for name in base if name.startswith("vlan.") and "eth0" in base[name]]
    return [
        *(Accepted(vlan(number), away, {}, ("vlan.", "reg.56", "reg.57", *heard))
          for number in (0, 1, 4094)),
        Accepted(vlan(1, "802.1ad"), away, {}, ("vlan.", *heard)),
        *(Refused(vlan(number)) for number in (-1, 4095, 4096, 65536, TOO_MUCH[0], "nonsense")),
        Refused(vlan(1, "nonsense")), Refused("ip link del eth0.x"),
        *(Accepted(f"ip maddr add {group} dev eth0", f"ip maddr del {group} dev eth0", {},
                   ("mcast.", "reg.52", "reg.53"))
          for group in ("01:00:00:00:00:00", "33:33:ff:ff:ff:ff")),
        *(Refused(f"ip maddr {what} dev eth0") for what in
          ("add 01:00:00", "add nonsense", "del 01:00:00:00:00:77")),
        *(Accepted(f"bridge fdb add {mac} dev eth0 self permanent",
                   f"bridge fdb del {mac} dev eth0 self", {}, ("reg.54",))
          for mac in ("02:00:00:00:00:01", "fe:ff:ff:ff:ff:ff")),
        Refused("bridge fdb add nonsense dev eth0 self"),
        Refused("bridge fdb del 02:00:00:00:00:77 dev eth0 self")]


def programs(_):
    """XDP."""
    attach = "ip link set eth0"
    return [
        *(Accepted(f"{attach} {mode} obj /lib/bpf/{kind}.o program pass",
                   f"{attach} {mode} off", {}, ("link.43", "reg.c", "reg.e"))
          for mode, kind in (("xdpdrv", "xdp"), ("xdp", "xdp.frags"), ("xdpgeneric", "xdp"))),
        *(Refused(f"{attach} {what}") for what in
          ("xdpoffload obj /lib/bpf/xdp.o program pass", "xdp obj /nonsense",
           "xdp obj /lib/bpf/xdp.o program absent", "xdp obj /lib/modules/igb_demo.ko",
           "xdp fd 4294967295", "xdp pinned /sys/fs/bpf/nonsense")),
        Idle(f"{attach} xdp off")]


def disciplines(_):
    """tc."""
    also = ("qdisc.", "link.", "queues/")
    away = "tc qdisc del dev eth0 root"
    # Classes of queues cost the kernel its XPS.
    again = "; for n in 0 1; do echo $((n + 1)) >/sys/class/net/eth0/queues/tx-$n/xps_cpus; done"
    replace = "tc qdisc replace dev eth0 root"
    classes = f"{replace} mqprio num_tc 2 queues"
    return [
        *(Accepted(f"{replace} handle 1: {what}", away, {}, also)
          for what in ("fq", "pfifo limit 1000", "fq_codel")),
        Accepted(f"{classes} 1@0 1@1 map 0 1 hw 0", away + again, {}, also),
        *(Refused(f"{classes} {what} || {{ false{again}; false; }}") for what in
          ("1@0 1@1 map 0 1 hw 1", "1@0 1@1 map 0 1 hw 2", "1@0 1@8 map 0 1 hw 0",
           "8@0 8@1 map 0 1 hw 0", "1@0 1@1 map 0 17 hw 0", "nonsense")),
        Accepted("tc qdisc add dev eth0 clsact", "tc qdisc del dev eth0 clsact", {}, also),
        *(Refused(f"{replace} {what}") for what in
          ("nonsense", "fq limit nonsense", "taprio nonsense")),
        Refused("tc qdisc del dev eth0 clsact")]


def sysfs(_):
    """Attributes of the interface and its queues."""
    def write(value, name):
        return f"echo {value} >/sys/class/net/eth0/{name}"
    return [
        *(Accepted(write(first, name), write(then, name), {f"{name}.0": shown}, also)
          for name, first, shown, then, also in (
              ("threaded", 1, "1", 0, ("napi.",)),
              ("gro_flush_timeout", 1, "1", 0, ()),
              ("napi_defer_hard_irqs", 2147483647, "2147483647", 0, ("reg.16",)),
              ("queues/tx-0/xps_cpus", 0, "0", 1, ()), ("queues/tx-1/xps_cpus", 3, "3", 2, ()),
              ("queues/rx-0/rps_cpus", 3, "3", 0, ()), ("queues/rx-1/rps_flow_cnt", 1, "1", 0, ()),
              ("queues/tx-0/byte_queue_limits/limit_min", 1, "1", 0, ()),
              ("queues/tx-0/byte_queue_limits/hold_time", 20, "20", 1000, ()))),
        *(Refused(write(value, name)) for name, values in {
            "mtu": (67, 9217, "nonsense"), "threaded": (2, "nonsense", -1),
            "gro_flush_timeout": ("nonsense", -1), "napi_defer_hard_irqs": (2147483648, "nonsense"),
            "tx_queue_len": ("nonsense", -1), "carrier": (0, 1, "nonsense"),
            "flags": ("nonsense",), "queues/tx-0/xps_cpus": ("nonsense",),
            "queues/rx-0/rps_flow_cnt": ("nonsense",), "queues/tx-0/tx_maxrate": (1, "nonsense"),
            "queues/tx-0/byte_queue_limits/limit_max": ("nonsense",),
            "device/sriov_numvfs": (1, "nonsense"), "device/numa_node": ("nonsense",),
        }.items() for value in values)]


def devlink(_):
    """devlink."""
    health = f"devlink health set {DEVICE} reporter"
    return [
        *(Accepted(f"{health} {name} {what} {first}", f"{health} {name} {what} {then}", {},
                   ("health.",)) for name in ("tx", "rx") for what, first, then in (
                       ("auto_recover", "false", "true"), ("auto_dump", "false", "true"),
                       ("grace_period", 0, 0), ("grace_period", 18446744073709551615, 0))
          if first != then),
        *(Refused(f"{health} {what}") for what in
          ("tx auto_recover maybe", "tx grace_period -1", "tx grace_period nonsense",
           "nonsense auto_recover true", "tx grace_period 18446744073709551616")),
        *(Refused(f"devlink {command}") for command in (
            f"health recover {DEVICE} reporter nonsense", f"health test {DEVICE} reporter tx",
            f"dev reload {DEVICE} action fw_activate", f"dev reload {DEVICE} action nonsense",
            f"dev reload {DEVICE} limit no_reset", f"dev reload {DEVICE} netns nonsense",
            "dev reload pci/0000:01:00.7",
            f"dev param set {DEVICE} name enable_sriov value true cmode runtime",
            f"dev eswitch set {DEVICE} mode switchdev",
            f"port split {DEVICE}/0 count 2", f"resource set {DEVICE} path /x size 1",
            f"trap set {DEVICE} trap blackhole_route action drop")),
        # Of the kernel's answer to this the tool tells the status only.
        Refused(f"devlink dev flash {DEVICE} file nonsense", why="")]


SETTERS = (rings, channels, moderation, pause, spreading, flows, link, features, tunables, absent,
           interface, groups, programs, disciplines, sysfs, devlink)


def fewer(cases):
    """All; or of the refused ones each third, for a kernel that looks at each step."""
    refused = [case for case in cases if isinstance(case, Refused)][::3 if PATIENCE > 1 else 1]
    return [case for case in cases if not isinstance(case, Refused) or case in refused]


def steps(case):
    """The commands of a case, as Bench.run() takes them."""
    if isinstance(case, Accepted):
        back = "up" if case.kind == "silent" else case.kind
        return [(case.kind, case.command), (back, case.back)]
    return [("plain", case.command)]


def complaints(case, outcomes, logged):
    """What was not as it should be."""
    first, *rest = outcomes
    if first.stalled or any(outcome.stalled for outcome in rest):
        yield "datagrams do not go round any more"
    if isinstance(case, Accepted):
        if first.status or rest[0].status:
            yield f"failed: {first.said} {rest[0].said}"
        wrong = {name: pair for name, pair in first.changed.items() if name not in case.after
                 and not name.startswith(case.also)
                 and not (case.kind == "link" and name in REBUILT)}
        if wrong:
            yield f"changed as well: {wrong}"
        if not first.changed:
            yield "nothing has changed"
        missed = {name: value for name, value in case.after.items()
                  if first.changed.get(name, (0, 0))[1] != value}
        if missed:
            yield f"did not become {missed}, but {first.changed}"
        return
    if first.changed:
        yield f"changed: {first.changed}"
    if isinstance(case, Idle):
        if first.status:
            yield f"failed: {first.said}"
        return
    if case.status and not first.status:
        yield f"was accepted: {first.said}"
    if not re.search(case.why, first.said + logged) or "Unknown error" in first.said:
        yield f"is refused without a reason: {first.said!r}"


def lies_idle(name, state):
    """Whether it is a register of a queue that is not in use."""
    if not re.match(r"reg\.[ce][0-3]", name):
        return False
    return (int(name[4:], 16) >> 6 & 0xf) >= int(state["channels.9"])


@pytest.mark.parametrize("setter", SETTERS, ids=lambda setter: setter.__name__)
def test_setter(nic, wire, setter):
    """Each value is taken or refused, and nothing else happens; traffic goes on."""
    nic.guest.allow_log(LOGGED)
    bench = Bench(nic)
    found = []
    with flowing(nic, wire, pause=20000 * PATIENCE):
        cases = fewer(setter(bench.base))
        outcomes = bench.run([step for case in cases for step in steps(case)])
        after = bench.state()
    logged = " ".join(line.text for line in nic.guest.dmesg() if line.from_driver)
    for case in cases:
        count = len(steps(case))
        some, outcomes = outcomes[:count], outcomes[count:]
        found += [f"{case.command}: {what}" for what in complaints(case, some, logged)]
    left = {name: (bench.base.get(name), after.get(name))
            for name in bench.base.keys() | after.keys()
            if bench.base.get(name) != after.get(name) and name not in REBUILT
            and not lies_idle(name, after)
            # A thread of NAPI stays for the next time.
            and not re.fullmatch(r"napi\.\d+\.4", name)}
    if left:
        found.append(f"left behind: {left}")
    assert not found, "\n".join(found)
