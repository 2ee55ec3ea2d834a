# SPDX-License-Identifier: GPL-2.0
"""Ask ports of this guest for all that a network driver may offer: python3 -m ask eth0 eth1.

Leaves in /tmp/answers, as JSON: of each port, by area, the answer to each question. What there
is to ask is taken from ethtool's help and the kernel's netlink specifications; an answer is what
a command's exit status and words, or a netlink message's attributes, say.
"""
import fcntl
import functools
import json
import os
import re
import socket
import struct
import subprocess
import sys

KSRC = "/usr/src/linux"
ANSWERS = "/tmp/answers"
sys.path.append(f"{KSRC}/tools")
# pylint: disable=wrong-import-position,import-error
from net.ynl.lib import NlError, YnlFamily  # noqa: E402

# How they say that it is not offered.
NOT_OFFERED = re.compile(r"not support|unsupported|Invalid argument|No such device|failed to setup|"
                         r"No private flags|exceeds maximum|Cannot get tunable|is disabled|"
                         r"no stats available|PTP clock|^[^\n]*:$", re.I)
# Of ethtool's commands these need words, or are of interest with some. Which parameters there
# are beside those, netlink's answers tell.
WORDS = {
    "--change": ("speed 100 duplex full autoneg off", "advertise 0x8", "autoneg on", "mdix on",
                 "mdix auto", "port tp", "phyad 1", "xcvr internal", "wol g", "wol d",
                 "sopass 1:2:3:4:5:6", "msglvl 7", "master-slave preferred-master"),
    "--pause": ("autoneg off", "rx off", "tx off", "autoneg on"),
    "--coalesce": ("rx-usecs 10", "tx-usecs 10", "adaptive-rx on", "adaptive-tx on"),
    "--set-ring": ("rx 512", "tx 512", "tx-push on"),
    "--set-channels": ("combined 1",),
    "--offload": (),
    "--change-eeprom": ("magic 0x10c98086 offset 0x20 value 0x86",),
    "--identify": ("1",),
    "--test": ("online",),
    "--statistics": ("", "--groups eth-phy", "--groups eth-mac", "--groups eth-ctrl",
                     "--groups rmon"),
    "--show-ntuple": ("", *(f"rx-flow-hash {kind}" for kind in
                            ("tcp4", "udp4", "sctp4", "ah4", "esp4", "tcp6", "udp6", "sctp6", "ah6",
                             "esp6"))),
    "--config-ntuple": ("rx-flow-hash tcp4 sdfn", "rx-flow-hash udp4 sdfn",
                        "rx-flow-hash udp6 sdfn", "rx-flow-hash udp4 sd", "rx-flow-hash udp6 sd",
                        "flow-type ether dst 02:00:00:00:00:05 action 0",
                        "flow-type ether src 02:00:00:00:00:05 action 0",
                        "flow-type ether proto 0x88f7 action 1",
                        "flow-type ether vlan 0x2000 m 0x1fff action 1",
                        "flow-type tcp4 dst-port 80 action 1",
                        "flow-type udp4 dst-port 80 action 1",
                        "flow-type ip4 dst-ip 198.18.0.1 action 1",
                        "flow-type tcp6 dst-port 80 action 1"),
    "--rxfh": ("equal 1", "weight 1 1", "default", "hfunc toeplitz", "hkey KEY", "context new"),
    "--flash": (),      # the kernel says yes of whoever has neither that nor a devlink port
    "--set-dump": ("1",),
    "--set-priv-flags": (),
    "--set-eee": ("eee on",),
    "--set-phy-tunable": ("downshift on", "fast-link-down on",
                          "energy-detect-power-down on msecs 10"),
    "--get-phy-tunable": ("downshift", "fast-link-down", "energy-detect-power-down"),
    "--get-tunable": ("rx-copybreak", "tx-copybreak", "tx-buf-size"),
    "--set-tunable": ("rx-copybreak 128", "tx-copybreak 128", "tx-buf-size 128"),
    "--reset": ("mac", "phy", "all"),
    "--set-fec": ("encoding auto",),
    "--per-queue": ("queue_mask 0x1 --show-coalesce", "queue_mask 0x1 --coalesce rx-usecs 50"),
    "--set-module": ("power-mode-policy auto",),
}
KEY = ":".join(["6d"] * 40)
# Netlink's questions that are not about the driver, or that ethtool's commands ask.
NOT_ASKED = {"ethtool": re.compile("strset|features|stats-get|module-eeprom|ntf"),
             "netdev": re.compile("ntf|bind"),
             "devlink": re.compile("ntf|dpipe|trap-|dump-get|eswitch|port-get")}
NEVER = re.compile("(?!)")
# How the port is named in each.
NAMED = {"ethtool": lambda port: {"header": {"dev-name": port.name}},
         "netdev": lambda port: {"ifindex": port.index},
         "devlink": lambda port: {"bus-name": "pci", "dev-name": port.pci},
         "rt_link": lambda port: {"ifi-index": port.index}}
# Those that netlink's answers hold many of are told apart by these.
NAMES = ("name", "info-version-name", "health-reporter-name", "param-name", "stat-name")
# Neither of these is the driver's.
NOISE = re.compile(r"(^|/)(index|header|dev-name|dev-index|ifindex|bus-name|size|pad|id|nomask|"
                   r"msgmask|remote-reload-stats|reload-action-stats|af-spec|stats64|map)$")
# What names have more than is needed to tell them apart.
MORE = re.compile(r"bits/bit/|health-reporter[/-]|info-version-(running|fixed)/|"
                  r"/(info-version-)?value$|dev-stats/reload-stats/reload-action-info/")

SIOCGMIIPHY, SIOCGMIIREG, SIOCSMIIREG = 0x8947, 0x8948, 0x8949
# Queueing disciplines and filters that a card may take over, with modules' names.
TRAFFIC_CONTROL = {
    "mqprio hw 1": "qdisc add dev {} root mqprio num_tc 2 map 0 1 queues 1@0 1@1 hw 1",
    "taprio flags 2": "qdisc add dev {} root taprio num_tc 1 map 0 queues 1@0 base-time 0 "
                      "sched-entry S 1 1000000 flags 2",
    "cbs offload 1": "qdisc replace dev {} parent 8001:1 cbs idleslope 20000 sendslope -980000 "
                     "hicredit 30 locredit -1470 offload 1",
    "etf offload": "qdisc replace dev {} parent 8001:1 etf clockid CLOCK_TAI delta 500000 offload",
    "flower skip_sw": "filter add dev {} ingress protocol ip flower skip_sw "
                      "dst_mac 02:00:00:00:00:05 action pass",
    "matchall skip_sw": "filter add dev {} ingress protocol ip matchall skip_sw action pass",
}


class Port:  # pylint: disable=too-few-public-methods
    """A network interface of a PCI device."""

    def __init__(self, name):
        self.name = name
        self.sysfs = f"/sys/class/net/{name}"
        self.pci = os.path.basename(os.path.realpath(f"{self.sysfs}/device"))
        self.index = int(read(f"{self.sysfs}/ifindex"))

    @property
    def driver(self):
        """Whose port it is."""
        return os.path.basename(os.path.realpath(f"{self.sysfs}/device/driver"))


def read(path):
    """A file's text, stripped."""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def run(command):
    """(exit status, what it said)"""
    done = subprocess.run(command.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, errors="replace")
    return done.returncode, done.stdout


def verdict(status, said):
    """yes or no, or what is wrong; some say no and exit with 0."""
    lines = said.strip().splitlines() or [""]
    if "The test result is FAIL" in said:
        return "fails"
    if (status or len(lines) < 3) and NOT_OFFERED.search(said.strip()):
        return "no"
    return lines[0].rsplit(": ", 1)[-1] or "fails" if status else "yes"


def yes_no(condition):
    """The same of what is seen otherwise."""
    return "yes" if condition else "no"


# ------------------------------------------------------------------- ethtool

def commands():
    """The options of ethtool --help, as long as they are."""
    said = run("ethtool --help")[1].split("ethtool --monitor")[0]
    return [options.split("|")[-1] for options in
            re.findall(r"^\s+ethtool \[ FLAGS \] *(\S*) +DEVNAME", said, re.M)]


def ask_ethtool(port):
    """Each of ethtool's commands."""
    answers = {}
    for option in commands():
        for words in WORDS.get(option, ("",)):
            if "coalesce" in option + words:
                run(f"ethtool --coalesce {port.name} adaptive-rx off adaptive-tx off")
            answers[f"{option} {words}".strip() or "ethtool"] = verdict(
                *run(f"ethtool {option} {port.name} {words}".replace("KEY", KEY)))
    return answers


def ask_features(port):
    """Each flag of ethtool -k."""
    return {name: state for name, state in
            re.findall(r"^\s*([^\s:]+): (.*?)(?: \[requested.*)?$",
                       run(f"ethtool -k {port.name}")[1], re.M) if name != "Features"}


def ask_counters(port):
    """By the standards' names."""
    groups = json.loads(run(f"ethtool --json -S {port.name} --groups eth-phy eth-mac eth-ctrl "
                            "rmon")[1])[0]
    return {f"{group}/{name}": "yes" for group, counters in groups.items()
            if isinstance(counters, dict) for name in counters}


# ------------------------------------------------------------------- netlink

@functools.lru_cache(maxsize=None)
def family(name):
    """As the kernel's specification has it."""
    return YnlFamily(f"{KSRC}/Documentation/netlink/specs/{name}.yaml", schema="")


def attributes(found, path=""):
    """Names of all that an answer holds."""
    if isinstance(found, dict):
        name = next((found[key] for key in NAMES if key in found), None)
        path = "/".join(filter(None, (path, name)))
        names = {attribute for key, value in found.items()
                 if key not in NAMES and not NOISE.search(key)
                 for attribute in attributes(value, f"{path}/{key}".lstrip("/"))}
        return names or ({path} if name else set())
    if isinstance(found, set):
        return {f"{path}/{flag}" for flag in found}
    if isinstance(found, (list, tuple)) and any(isinstance(part, (dict, set)) for part in found):
        return {name for part in found for name in attributes(part, path)}
    return {path} if found is not False else set()


def answer(spec, operation, named):
    """What the kernel says, as a list; with statistics where there are any."""
    about_all = "dump" in spec.ops[operation].yaml and operation != "getlink"
    kind = "dump" if about_all and "header" not in named else "do"
    takes = spec.ops[operation][kind].get("request", {}).get("attributes", ())
    named = {key: value for key, value in named.items() if key in takes or key == "ifi-index"}
    if "header" in named:
        try:
            header = {**named["header"], "flags": {"stats"}}
            return [getattr(spec, kind)(operation, {"header": header})]
        except NlError:
            pass
    found = getattr(spec, kind)(operation, named)
    return found if isinstance(found, list) else [found]


def ours(found, named):
    """Those of a dump that are about the port."""
    return [part for part in found if part and
            all({**part, **part.get("info", {})}.get(key, value) == value
                for key, value in named.items())]


def questions(spec, name):
    """What a family can be asked."""
    for operation in spec.ops:
        if ("get" in operation.split("-") or operation == "getlink") \
           and not NOT_ASKED.get(name, NEVER).search(operation):
            yield operation


def ask_netlink(port, name):
    """Each question of a family, and the attributes of its answer."""
    spec, named, answers = family(name), NAMED[name](port), {}
    for operation in questions(spec, name):
        try:
            found = answer(spec, operation, named)
            found = found if "header" in named else ours(found, named)
        except NlError as error:
            found = []
            answers[operation] = verdict(1, os.strerror(error.error))
        names = {MORE.sub("", attribute) for part in found for attribute in attributes(part)}
        answers.setdefault(operation, yes_no(found))
        answers.update({f"{operation}: {attribute}": "yes" for attribute in sorted(names)})
    return answers


# --------------------------------------------------------------------- others

def control(request, port, more):
    """An ioctl() of a network interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, request, struct.pack("16s24s", port.name.encode(), more))


def ask_ioctl(port):
    """The PHY's registers."""
    requests = {"SIOCGMIIPHY": (SIOCGMIIPHY, b""),
                "SIOCGMIIREG": (SIOCGMIIREG, struct.pack("HHHH", 1, 1, 0, 0)),
                "SIOCSMIIREG": (SIOCSMIIREG, struct.pack("HHHH", 1, 4, 0x0de1, 0))}
    answers = {}
    for name, (request, more) in requests.items():
        try:
            control(request, port, more)
            answers[name] = "yes"
        except OSError as error:
            answers[name] = verdict(1, error.strerror)
    return answers


def ask_xdp(port):
    """How programs can be attached."""
    answers, program = {}, "obj /lib/bpf/xdp.o program pass"
    for mode, words in (("native", program), ("offloaded", program),
                        ("native, fragments", "obj /lib/bpf/xdp.frags.o program pass")):
        kind = "xdpoffload" if mode == "offloaded" else "xdpdrv"
        jumbo = f"ip link set {port.name} mtu {9000 if 'fragments' in mode else 1500}"
        answers[mode] = verdict(*run(f"ip link set {port.name} {kind} {words}"))
        if answers[mode] == "yes" and run(jumbo)[0]:
            answers[mode] = "no"
        run(f"ip link set {port.name} {kind} off")
        run(f"ip link set {port.name} mtu 1500")
    return answers


def ask_traffic_control(port):
    """Queueing and filters in hardware."""
    answers = {}
    for name, words in TRAFFIC_CONTROL.items():
        run(f"tc qdisc replace dev {port.name} handle 8001: root mqprio num_tc 2 map 0 1 "
            "queues 1@0 1@1 hw 0" if "parent" in words else f"tc qdisc del dev {port.name} root")
        run(f"tc qdisc add dev {port.name} clsact")
        answers[name] = verdict(*run(f"tc {words.format(port.name)}"))
        run(f"tc qdisc del dev {port.name} clsact")
        run(f"tc qdisc del dev {port.name} root")
    return answers


def ask_sysfs(port):
    """What the device shows there; byte queue limits at work, queues tied to CPUs."""
    run(f"rigtool send {port.name} dst=02:00:00:00:00:99 sizes=1514 repeat=200")
    queues = [f"{port.sysfs}/queues/{queue}" for queue in os.listdir(f"{port.sysfs}/queues")
              if queue.startswith("tx-")]
    limits = [int(read(f"{queue}/byte_queue_limits/limit")) for queue in queues]
    masks = [int(read(f"{queue}/xps_cpus").replace(",", ""), 16) for queue in queues]
    module = f"/sys/module/{port.driver}/parameters"
    return {"byte queue limits": yes_no(any(limits)), "XPS by default": yes_no(any(masks)),
            "SR-IOV: sriov_numvfs": yes_no(not set_vfs(port, 1) and not set_vfs(port, 0)),
            "tracepoints": yes_no(os.path.isdir(f"/sys/kernel/tracing/events/{port.driver}")),
            **{f"module parameter {name}": "yes" for name in
               (os.listdir(module) if os.path.isdir(module) else ())},
            **{f"device/{name}": "yes" for name in os.listdir(f"{port.sysfs}/device")
               if os.path.isdir(f"{port.sysfs}/device/{name}")}}


def set_vfs(port, count):
    """An error, if that many virtual functions cannot be had."""
    try:
        with open(f"{port.sysfs}/device/sriov_numvfs", "w", encoding="ascii") as file:
            file.write(str(count))
        return None
    except OSError as error:
        return error


# Reading comes first: what is set disturbs.
AREAS = {
    "features": ask_features,
    "standard counters": ask_counters,
    **{f"netlink {name}": functools.partial(ask_netlink, name=name) for name in NAMED},
    "sysfs": ask_sysfs,
    "ioctl": ask_ioctl,
    "XDP": ask_xdp,
    "tc": ask_traffic_control,
    "ethtool": ask_ethtool,
}


def main():
    """Command line: interfaces."""
    ports = {name: Port(name) for name in sys.argv[1:]}
    answers = {name: {area: ask(port) for area, ask in AREAS.items()}
               for name, port in ports.items()}
    # The kernel's library prints, too.
    with open(ANSWERS, "w", encoding="ascii") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
