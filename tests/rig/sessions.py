# SPDX-License-Identifier: GPL-2.0
"""The learner sessions: what others teach with their drivers, done with this one.

Each is a function over a guest. What a learner would type goes through
guest.run(), which scripts/demo.py echoes; what only checks goes through
guest.sh(). Failing is raising.
"""
import collections
import contextlib
import dataclasses
import hashlib
import os
import re
import struct
import tempfile
from pathlib import Path

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.utils import RawPcapReader

from . import peers
from .footprint import Footprint, page_pools, vectors
from .project import DRIVER

PORT = 5555
PCI = "/sys/bus/pci/devices"
NIC = "0000:01:00.0"
LOAD = f"insmod {DRIVER}.ko"
UNLOAD = f"rmmod {DRIVER}"


@dataclasses.dataclass(frozen=True)
class Scale:
    """How often the long steps are repeated."""
    updowns: int = 50
    reloads: int = 100
    mebibytes: int = 64
    processes: int = 10
    datagrams: int = 10_000
    pair_reloads: int = 15


FULL = Scale()
SMALL = Scale(updowns=10, reloads=40, mebibytes=8, datagrams=1_000, pair_reloads=3)


class SessionError(AssertionError):
    """A session did not show what it must."""


def require(condition, complaint):
    """Raise @complaint unless @condition."""
    if not condition:
        raise SessionError(complaint)


def address(guest, port="eth0", ip="10.0.2.15/24"):
    """Raise a port and give it its address; returns when it has carrier."""
    guest.run(f"ip link set {port} up")
    guest.run(f"ip addr add {ip} dev {port}")
    guest.sh(f"rigtool carrier {port} 1")


# All at once, so that ping waits five seconds for the last answer: once one has come, it
# waits for the others no longer than an interval, or twice the longest round trip, and
# a busy host takes longer than that now and then.
PING = "ping -c 3 -l 3 -i 5 -W 5"


def ping(guest, target="10.0.2.2"):
    """Ping with every packet answered."""
    output = guest.run(f"{PING} {target}", timeout=60)
    require(" 0% packet loss" in output, f"ping {target} lost packets:\n{output}")


# --------------------------------------------------------- Rust for Linux

def rust_for_linux(guest, scale=FULL):
    """Load, address, ping, down and up, unload and load again."""
    guest.run(LOAD)
    guest.run("ip link set eth0 up")
    guest.run("ip addr add broadcast 10.0.2.255 dev eth0", check=False)
    guest.note("as the tutorial has it; this kernel wants an address with it, and says so")
    guest.run("ip addr add 10.0.2.15/255.255.255.0 dev eth0")
    guest.run("ip route add default via 10.0.2.2")
    ping(guest)
    guest.run("ip link set eth0 down")
    guest.run("ip link set eth0 up")
    ping(guest)
    guest.run(f"(for i in $(seq {scale.updowns}); do ip link set eth0 down && "
              "ip link set eth0 up || exit 1; done) && "
              f"echo {scale.updowns} times down and up", timeout=120)
    ping(guest)
    guest.run(UNLOAD)
    guest.run(LOAD)
    address(guest)
    ping(guest)
    guest.run("ip -s link show eth0")
    guest.run(UNLOAD)


RELOAD = (f"insmod {DRIVER}.ko && ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && "
          "rigtool carrier eth0 1 >/dev/null && "
          f"{PING} 10.0.2.2 >/tmp/ping && grep -q ' 0% packet loss' /tmp/ping && "
          f"rmmod {DRIVER}")
# What one would ask when a cycle fails; the kernel's log is part of the test's report.
WHY = ("cat /tmp/cycle /tmp/ping; ip -s link show eth0; ip neigh; "
       "ethtool -S eth0 | grep -v ': 0$'; grep eth0 /proc/interrupts; "
       "grep Icmp /proc/net/snmp; dmesg | tail -n 20")


def reload_cycles(guest, scale=FULL, warm_up=10):
    """Load, use, unload, over and over: nothing may be left behind."""
    done = 0

    def cycles(count):
        nonlocal done
        for start in range(0, count, 5):
            some = min(5, count - start)
            guest.sh(f"(for i in $(seq {some}); do (set -x; {RELOAD}) >/tmp/cycle 2>&1 || "
                     f"{{ {WHY}; exit 1; }}; done) 2>&1", timeout=60 * some)
            done += some
            guest.note(f"{done} reload cycles")

    guest.run(f"for i in $(seq {scale.reloads}); do {RELOAD}; done", dry=True)
    half = scale.reloads // 2
    warm_up = min(warm_up, scale.reloads)
    cycles(warm_up)
    before = Footprint.of(guest)
    cycles(half)
    between = Footprint.of(guest)
    cycles(half)
    after = Footprint.of(guest)
    guest.note(f"free memory {before.free_kib} KiB after the first {warm_up}, "
               f"{after.free_kib} KiB in the end")
    first, second = between.grown(before, half), after.grown(between, half)
    suspects = first.keys() & second.keys()
    for _ in range(3):
        # A slab or two may come and go twice; a leak goes on for ever.
        if not suspects:
            break
        guest.note(f"grown twice: {', '.join(sorted(suspects))}; looking again")
        cycles(half)
        again = Footprint.of(guest)
        suspects &= again.grown(after, half).keys()
        after = again
    complaints = [f"{first[what]} and {second[what]} {what} lost in {half} cycles each"
                  for what in suspects]
    complaints += [f"unloaded, but it still holds {what}: {held}"
                   for what, held in after.held().items() if held]
    require(not complaints, "; ".join(complaints))


# ----------------------------------------------------------------- ArceOS

def arceos(guest, host_port, scale=FULL):
    """HTTP both ways: a client in the guest, a server in the guest on port 5555."""
    guest.run(LOAD)
    address(guest)
    guest.run("ip route add default via 10.0.2.2")
    blob = os.urandom(scale.mebibytes << 20)
    digest = hashlib.sha256(blob).hexdigest()
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "hello.txt").write_text("hello from the host\n", encoding="ascii")
        Path(directory, "blob").write_bytes(blob)
        with peers.http_server(directory) as port:
            hello = guest.run(f"wget -q -O - http://10.0.2.2:{port}/hello.txt")
            require("hello from the host" in hello, f"not the host's page: {hello!r}")
            guest.run("mkdir -p /tmp/www")
            guest.run(f"wget -q -O /tmp/www/blob http://10.0.2.2:{port}/blob", timeout=180)
    summed = guest.run("sha256sum /tmp/www/blob", timeout=120)
    require(digest in summed, f"{scale.mebibytes} MiB came in changed: {summed}, not {digest}")

    guest.run("echo hello from the guest >/tmp/www/index.html")
    guest.run(f"httpd -p {PORT} -h /tmp/www")
    try:
        page = peers.http_get(host_port, "index.html")
        guest.note(f"host: GET http://127.0.0.1:{host_port}/ -> {page.decode().strip()!r}")
        require(page == b"hello from the guest\n", f"not the guest's page: {page!r}")
        back = peers.http_get(host_port, "blob", timeout=180)
        guest.note(f"host: GET http://127.0.0.1:{host_port}/blob -> {len(back)} bytes, "
                   f"sha256 {hashlib.sha256(back).hexdigest()}")
        require(back == blob, f"{len(back)} bytes went out changed")
        echo = guest.spawn(f"rigtool udpecho {PORT}")
        echo.wait_output("ready")
        answer = peers.udp_ask(host_port, b"hello udp")
        guest.note(f"host: UDP 'hello udp' to port {host_port} -> {answer.decode()!r}")
        require(answer == b"hello udp", f"UDP came back as {answer!r}")
        echo.kill()
    finally:
        guest.sh("killall httpd; rm -rf /tmp/www; true")
    guest.run(UNLOAD)


# -------------------------------------------------------------------- xv6

def xv6(guest, pcap, scale=FULL):
    """UDP echo through a host port by several processes at once; the pcap knows it all."""
    guest.run(LOAD)
    address(guest)
    guest.sh("ip neigh flush dev eth0")
    each = scale.datagrams // scale.processes
    with peers.udp_echo_server() as port:
        output = guest.run(f"rigtool udpping 10.0.2.2 {port} count=1 size=100")
        require(" 0 processes failed" in output, output)
        output = guest.run(f"rigtool udpping 10.0.2.2 {port} processes={scale.processes} "
                           f"count={each} size=200", timeout=300)
        require(" 0 processes failed" in output, output)
        rings = guest.run("ethtool -g eth0")
        guest.run("ip -s link show eth0")
        require_pcap(guest, pcap, port, scale.processes * each)
    smallest = min(int(number) for number in re.findall(r"^[RT]X:\s+(\d+)", rings, re.M))
    guest.note(f"rings of {smallest} or more descriptors went around "
               f"{scale.datagrams // smallest} times or more")
    guest.run(UNLOAD)


def require_pcap(guest, pcap, port, datagrams):
    """The wire's record: ARP both ways, every datagram once out and once back, the same."""
    out, back, arp = collections.Counter(), collections.Counter(), collections.Counter()
    total = 0
    for frame, _ in RawPcapReader(str(pcap)):
        total += 1
        kind = struct.unpack_from(">H", frame, 12)[0]
        if kind == 0x0806:
            packet = Ether(frame)[ARP]
            arp[packet.op, packet.psrc, packet.pdst] += 1
        elif kind == 0x0800 and frame[23] == 17:
            packet = Ether(frame)[IP]
            if packet[UDP].dport == port:
                out[packet[UDP].sport, bytes(packet[UDP].payload)] += 1
            elif packet[UDP].sport == port:
                back[packet[UDP].dport, bytes(packet[UDP].payload)] += 1
    guest.note(f"pcap: {total} frames, {out.total()} datagrams out, {back.total()} back, "
               f"ARP {dict(arp)}")
    require(arp[1, "10.0.2.15", "10.0.2.2"] >= 1, "the pcap has no ARP request of the guest's")
    require(arp[2, "10.0.2.2", "10.0.2.15"] >= 1, "the pcap has no ARP answer to the guest")
    require(out.total() == datagrams + 1, f"{out.total()} datagrams in the pcap, "
            f"not {datagrams + 1}")
    require(out == back, "what came back is not what went out")


# ---------------------------------------------------------------- xv6 PCI

# The 82576's functions: what QEMU documents and the datasheet's section 9.
BARS = {0: ("memory", 128 << 10), 1: ("memory", 128 << 10), 2: ("port", 32),
        3: ("memory", 16 << 10)}
CAPABILITIES = {0x01: "power management", 0x05: "MSI", 0x11: "MSI-X", 0x10: "PCI Express"}
EXTENDED = {0x0001: "AER", 0x000e: "ARI", 0x0010: "SR-IOV"}


def bars(guest, device=NIC):
    """{number: (kind, address, size)} from sysfs."""
    found = {}
    for number, line in enumerate(guest.sh(f"cat {PCI}/{device}/resource").splitlines()[:6]):
        start, end, flags = (int(word, 16) for word in line.split())
        if end:
            found[number] = ("port" if flags & 0x100 else "memory", start, end - start + 1)
    return found


def capabilities(guest, device=NIC):
    """(capability IDs, extended capability IDs) from configuration space."""
    config = bytes.fromhex(guest.sh(f"xxd -p {PCI}/{device}/config").replace("\n", ""))
    plain, extended = [], []
    at = config[0x34]
    while at:
        plain.append(config[at])
        at = config[at + 1]
    at = 0x100
    while at:
        header = struct.unpack_from("<I", config, at)[0]
        if header & 0xffff:
            extended.append(header & 0xffff)
        at = header >> 20
    return plain, extended


def pci_identity(guest):
    """What sysfs says the device is must be what the driver took."""
    guest.run(f"cat {PCI}/{NIC}/vendor {PCI}/{NIC}/device {PCI}/{NIC}/class")
    guest.run(f"cat {PCI}/{NIC}/resource")
    for number, (kind, base, size) in bars(guest).items():
        guest.note(f"BAR {number}: {kind} {size} bytes at {base:#x}")
    require({number: (kind, size) for number, (kind, _, size) in bars(guest).items()} == BARS,
            f"BARs are {bars(guest)}")
    plain, extended = capabilities(guest)
    for found, known, prefix in ((plain, CAPABILITIES, ""), (extended, EXTENDED, "extended ")):
        for number in found:
            guest.note(f"{prefix}capability {number:#04x}: {known.get(number, '?')}")
        require(set(known) <= set(found), f"{prefix}capabilities are {found}")
    require(NIC in guest.run("ethtool -i eth0"), "ethtool -i names another bus address")
    base = bars(guest)[0][1]
    claimed = guest.run(f"grep {DRIVER} /proc/iomem")
    require(re.search(rf"(?m)^\s*0*{base:x}-0*{base + (128 << 10) - 1:x} : {DRIVER}", claimed),
            f"BAR 0 at {base:#x} is not what the driver claimed: {claimed}")


def rebind(guest):
    """Unbind and bind through sysfs."""
    guest.run(f"echo {NIC} >/sys/bus/pci/drivers/{DRIVER}/unbind")
    guest.run("ls /sys/class/net")
    require(not guest.sh("ls -d /sys/class/net/eth0 2>/dev/null; true"), "eth0 outlived unbind")
    guest.run(f"echo {NIC} >/sys/bus/pci/drivers/{DRIVER}/bind")
    guest.run("ls /sys/class/net")
    require(guest.sh("ls -d /sys/class/net/eth0 2>/dev/null; true"), "bind made no eth0")


@contextlib.contextmanager
def namespaces(guest):
    """Two network namespaces, a and b, gone in the end."""
    guest.run("ip netns add a; ip netns add b")
    try:
        yield
    finally:
        if guest.usable:
            guest.sh("ip netns pids a | xargs -r kill -9; ip netns pids b | xargs -r kill -9; "
                     "ip netns del a; ip netns del b; true")


JOIN = ("ip link set eth0 netns a && ip link set eth1 netns b && "
        "ip -n a addr add 10.1.0.1/24 dev eth0 && ip -n b addr add 10.1.0.2/24 dev eth1 && "
        "ip -n a link set eth0 up && ip -n b link set eth1 up && "
        "ip netns exec a rigtool carrier eth0 1 && ip netns exec b rigtool carrier eth1 1")


def xv6_pci(guest, scale=FULL):
    """Two ports: identity, rebinding, and reload cycles in the midst of traffic."""
    guest.run(LOAD)
    pci_identity(guest)
    rebind(guest)
    guest.run(UNLOAD)
    with namespaces(guest):
        for cycle in range(scale.pair_reloads):
            echo = guest.run if cycle == 0 else guest.sh
            echo(LOAD)
            echo(JOIN)
            server = guest.spawn("ip netns exec b iperf3 -s -1 --forceflush")
            server.wait_output("listening")
            client = guest.spawn("ip netns exec a iperf3 -c 10.1.0.2 -t 30 -i 0.1 --forceflush")
            client.wait_output(r"(?s)(bits/sec.*){3}")
            echo(UNLOAD, timeout=60)
            require(not page_pools(guest) and not vectors(guest),
                    f"unloaded under traffic: {page_pools(guest)} {vectors(guest)} are left")
            client.kill()
            server.kill()
            guest.note(f"{cycle + 1} of {scale.pair_reloads} reloads under iperf3")
        guest.run(LOAD)
        guest.run(JOIN)
        output = guest.run(f"ip netns exec a {PING} 10.1.0.2")
        require(" 0% packet loss" in output, output)
        guest.run(UNLOAD)
