# SPDX-License-Identifier: GPL-2.0
"""What is measured. A new workload is one more line of WORKLOADS.

Each is a function of the laboratory. It returns the figures of one packet that was not
lost: @instructions of the whole guest, how many of them are the @generator's, the @share
that remains, @registers accessed and @interrupts; and how many packets were @lost of all.
"""
import contextlib
import dataclasses
import functools
import itertools
import json
import re
import statistics
import typing

from bench import results
from bench.lab import NOBODY
from rig import sessions
from rig.footprint import Footprint
from rig.guest import GuestError

ETH1 = "52:54:00:12:34:57"     # run-qemu.sh's for its second port
ROUNDS = 4_000
MEMORY_ROUNDS = 7
STREAM = "64M"
SEGMENT = 1448
FIFO = "/tmp/go"


@dataclasses.dataclass(frozen=True)
class Workload:
    """A line of the table."""
    key: str
    title: str
    measure: typing.Callable
    short: int = 0      # how often the short form measures it; those that repeat exactly
    profiled: bool = False      # a whole run also shows which functions it goes to
    # What it happens in; those side by side that have the same share it.
    place: typing.Callable = contextlib.nullcontext


def _figures(window, packets, instructions, generator, lost):
    """Of a packet that arrived: who loses many is not to look quick for it."""
    if lost >= packets:
        raise GuestError(f"of {packets} packets none arrived")
    arrived = packets - lost
    share = (instructions - generator) * packets / arrived
    return {"instructions": round(generator + share, 1), "generator": round(generator, 1),
            "share": round(share, 1),
            "registers": round(sum(window.registers.values()) / arrived, 4),
            "interrupts": round(window.interrupts / arrived, 4), "lost": lost,
            "packets": packets, "accesses": window.registers}


def transmit(lab, **how):
    """pktgen on eth1; the generator's own cost is what it takes to send to dummy0."""
    generator = lab.generator("dummy0", **how)
    run = lab.pktgen("eth1", **how)
    lost = run.errors + run.packets - run.window.sent
    return _figures(run.window, run.packets, run.each, generator, lost)


def receive(lab, **how):
    """From eth0 to eth1's stack, which has no address and drops it in ip_rcv().

    The generator's own cost is what eth0 takes to send what nobody receives.
    """
    generator = lab.generator("eth0", **how)
    run = lab.pktgen("eth0", mac=ETH1, **how)
    lost = run.packets - run.window.received
    return _figures(run.window, run.packets, run.each, generator, lost)


def queued(lab, queues, what, **how):
    """As @what, with so many queue pairs; None if the driver cannot."""
    with lab.queues(queues) as can:
        return what(lab, **how) if can else None


def forward(lab, **how):
    """From eth0 to eth1, whose stack sends it out of eth1 again, to a neighbour nobody has."""
    generator = lab.generator("eth0", **how)
    lab.sh("sysctl -q net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 "
           "net.ipv4.conf.eth1.send_redirects=0 && ip addr add 198.18.0.254/24 dev eth1 && "
           f"ip neigh add 198.18.0.42 lladdr {NOBODY} dev eth1")
    try:
        run = lab.pktgen("eth0", mac=ETH1, **how)
    finally:
        lab.sh("sysctl -q net.ipv4.ip_forward=0; ip neigh flush dev eth1 nud permanent; "
               "ip addr flush dev eth1")
    return _figures(run.window, run.packets, run.each, generator, run.packets - run.window.sent)


def memory(lab):
    """KiB that raising eth1 takes, rings, buffers and all."""
    taken = []
    for _ in range(MEMORY_ROUNDS):
        lab.sh("ip link set eth1 down; sleep 1")
        down = Footprint.of(lab).free_kib
        lab.raise_port("eth1")
        taken.append(down - Footprint.of(lab).free_kib)
    return {"kib": statistics.median(taken)}


def verdict(lab, program, sends=False, **how):
    """As receive(), with an XDP program on eth1; @sends: what is not sent again is lost."""
    generator = lab.generator("eth0", **how)
    lab.sh("ip link set dev eth1 xdpdrv object /lib/bpf/xdp.o section xdp "
           f"program {program}", timeout=60)
    lab.raise_port("eth1")
    try:
        run = lab.pktgen("eth0", mac=ETH1, **how)
    finally:
        lab.sh("ip link set dev eth1 xdpdrv off", timeout=60)
        lab.raise_port("eth1")
    lost = run.packets - (run.window.sent if sends else run.window.received)
    return _figures(run.window, run.packets, run.each, generator, lost)


@contextlib.contextmanager
def _application(lab, options):
    """rigtool xsk on eth1 while the block runs: (its job, whether it has copies or zero copy)."""
    job = lab.spawn(f"rigtool xsk eth1 any=1 {options}")
    try:
        said = job.wait_output("ready, ")
        lab.raise_port("eth1")
        yield job, said.partition("ready, ")[2].splitlines()[0]
    finally:
        job.kill()
        lab.raise_port("eth1")


def xsk_receive(lab, what, **how):
    """As receive(), by an application that drops or forwards the frames.

    It runs as soon as it is woken, before the sender goes on: with one CPU what is received,
    and when, would depend on the scheduler.
    """
    generator = lab.generator("eth0", **how)
    with _application(lab, f"mode={what} first=1 idle={lab.idle}") as (job, mode):
        run = lab.pktgen("eth0", mac=ETH1, **how)
        taken = int(re.search(r"frames (\d+)", job.wait())[1])
    lost = run.packets - (taken if what == "drop" else run.window.sent)
    return {**_figures(run.window, run.packets, run.each, generator, lost), "mode": mode}


def xsk_push(lab):
    """An application sends the same frames again and again; nothing is the generator's."""
    lab.sh(f"[ -e {FIFO} ] || mkfifo {FIFO}")
    with _application(lab, f"mode=push count={lab.packets} dst={NOBODY} go={FIFO}") as (_, mode):
        window = lab.window(f": >{FIFO}; cat {FIFO}")
    found = re.search(r"took (\d+) us", window.output)
    if not found:
        raise GuestError(f"rigtool xsk said\n{window.output}")
    each = int(found[1]) * 1000 / lab.packets
    return {**_figures(window, lab.packets, each, 0, lab.packets - window.sent), "mode": mode}


@contextlib.contextmanager
def joined(lab):
    """Two namespaces, a with eth0 and b with eth1, both ports under the driver of eth1."""
    driver = lab.driver
    lab.bind("eth0", driver)
    try:
        with sessions.namespaces(lab):
            lab.sh(f"{sessions.JOIN}", timeout=60)
            for port in ("eth0", "eth1"):
                lab.pin(port)
            lab.sh("sleep 3")
            # One workload's connections are not to shape another's.
            for name in "ab":
                lab.sh(f"ip netns exec {name} sysctl -q net.ipv4.tcp_no_metrics_save=1")
            lab.sh("sysctl -q net.core.rmem_max=4194304 net.core.wmem_max=4194304 && "
                   "ip netns exec a ping -q -c 2 -i 0.1 10.1.0.2")
            yield
    finally:
        lab.bind_sender()
        lab.bind("eth1", driver)


def round_trip(lab):
    """ping -f between namespaces: the time of a round trip, which is mostly waiting."""
    window = lab.window(f"ip netns exec a ping -q -f -c {ROUNDS} 10.1.0.2", namespace="b")
    found = re.search(r"(\d+) packets transmitted, (\d+) received,.* time (\d+)ms", window.output)
    if not found or found[2] == "0":
        raise GuestError(f"ping said\n{window.output}")
    sent, received, milliseconds = map(int, found.groups())
    return _figures(window, sent, milliseconds * 1e6 / sent, 0, sent - received)


def _iperf(lab, options, client="a", server="10.1.0.2"):
    """(window, sums) of iperf3 from one namespace to the address of the other."""
    job = lab.spawn(f"ip netns exec {'ab'[client == 'a']} iperf3 -s -1 --forceflush")
    job.wait_output("listening")
    window = lab.window(f"ip netns exec {client} iperf3 -c {server} -n {STREAM} -J {options} "
                        ">/tmp/iperf", then="cat /tmp/iperf", namespace="b")
    job.wait(60)
    try:
        end = json.loads(window.output)["end"]
        return window, end["sum_sent"], end["sum_received"]
    except (ValueError, KeyError) as error:
        raise GuestError(f"iperf3 said\n{window.output}") from error


def stream(lab, options=""):
    """iperf3 between namespaces: one packet is a segment's worth of 1448 bytes."""
    window, _, received = _iperf(lab, options)
    packets = received["bytes"] / SEGMENT
    return _figures(window, round(packets), received["seconds"] * 1e9 / packets, 0, 0)


def datagrams(lab):
    """iperf3 between namespaces: eth1 sends datagrams as fast as it can."""
    window, sent, received = _iperf(lab, "-u -b 0 -l 1400 -w 4M", "b", "10.1.0.1")
    packets = sent["packets"]
    lost = packets - received["packets"] + received["lost_packets"]
    return _figures(window, packets, sent["seconds"] * 1e9 / packets, 0, lost)


def request(lab, protocol, size):
    """A request and its answer, one after the other, between processes in namespaces."""
    echo = lab.spawn(f"ip netns exec b rigtool {protocol}echo {sessions.PORT}")
    echo.wait_output("ready")
    window = lab.window(f"ip netns exec a rigtool {protocol}ping 10.1.0.2 {sessions.PORT} "
                        f"count={ROUNDS} size={size}", namespace="b")
    echo.kill()
    found = re.search(r" 0 processes failed, (\d+) ms", window.output)
    if not found:
        raise GuestError(f"{protocol}ping said\n{window.output}")
    return _figures(window, ROUNDS, int(found[1]) * 1e6 / ROUNDS, 0, 0)


def placed(lab, wanted):
    """The workloads one by one, each where it takes place."""
    for place, group in itertools.groupby(wanted, lambda workload: workload.place):
        with place(lab):
            yield from group


def repeated(workload):
    """The same, as the short form's median: now and then the kernel has something else to do."""
    return dataclasses.replace(workload, measure=lambda lab: results.median(
        [workload.measure(lab) for _ in range(workload.short)]))


def _workload(key, title, measure, short=0, profiled=False, **how):
    return Workload(key, title, functools.partial(measure, **how), short, profiled)


def _between(key, title, measure, **how):
    """One between two namespaces."""
    return Workload(key, title, functools.partial(measure, **how), place=joined)


def _queued(queues):
    """Both directions with so many queue pairs, a burst to each in turn, or where RSS says."""
    words = f"bursts of 32, {queues} queue{'s' if queues > 1 else ''}"
    return (_workload(f"tx-queues-{queues}", f"TX, 60 B, {words}", queued, queues=queues,
                      what=transmit, burst=32, clone_skb=0, queue_map_max=queues - 1),
            _workload(f"rx-queues-{queues}", f"RX, 60 B, {words}", queued, queues=queues,
                      what=receive, burst=32, clone_skb=0, flag="IPSRC_RND",
                      src_max="198.18.15.254"))


WORKLOADS = (
    _workload("tx-burst", "TX, 60 B, bursts of 32 clones", transmit, burst=32, clone_skb=1000,
              short=3, profiled=True),
    _workload("tx", "TX, 60 B, one by one, fresh", transmit, short=3, profiled=True),
    _workload("tx-1514", "TX, 1514 B, one by one, fresh", transmit, pkt_size=1514, short=3),
    _workload("tx-1514-burst", "TX, 1514 B, bursts of 32 clones", transmit, pkt_size=1514,
              burst=32, clone_skb=1000),
    _workload("rx", "RX, 60 B, one by one", receive, profiled=True),
    _workload("rx-burst", "RX, 60 B, bursts of 32", receive, burst=32, clone_skb=1000),
    *(workload for queues in (1, 2, 8) for workload in _queued(queues)),
    _workload("forward", "forwarding, 60 B, bursts of 32", forward, burst=32, clone_skb=1000),
    _workload("xdp-drop", "XDP_DROP, 60 B, bursts of 32", verdict, program="drop",
              burst=32, clone_skb=1000, profiled=True),
    _workload("xdp-tx", "XDP_TX, 60 B, bursts of 32", verdict, program="bounce", sends=True,
              burst=32, clone_skb=1000, profiled=True),
    _workload("xdp-redirect", "XDP_REDIRECT to itself, 60 B, bursts of 32", verdict,
              program="rebound", sends=True, burst=32, clone_skb=1000),
    _workload("xsk-drop", "AF_XDP rxdrop, 60 B", xsk_receive, what="drop", burst=32,
              clone_skb=1000),
    _workload("xsk-push", "AF_XDP txpush, 60 B", xsk_push, short=3),
    _workload("xsk-forward", "AF_XDP l2fwd, 60 B", xsk_receive, what="forward", burst=32,
              clone_skb=1000),
    _between("tcp-receive", "TCP, receiving, 1448 B", stream),
    _between("tcp-send", "TCP, sending, 1448 B", stream, options="-R"),
    _between("udp-send", "UDP, sending, 1400 B", datagrams),
    _between("ping", "ping -f, a round trip", round_trip),
    _between("udp-request", "UDP, 40 B there and back", request, protocol="udp", size=40),
    _between("tcp-request", "TCP, 1 B there and back", request, protocol="tcp", size=1),
)
MEMORY = Workload("memory", "a port, raised with defaults, KiB", memory)
