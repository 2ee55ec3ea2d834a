# SPDX-License-Identifier: GPL-2.0
"""What is measured. A new workload is one more line of WORKLOADS.

Each is a function of the laboratory. It returns the figures of one packet: @instructions
of the whole guest, how many of them are the @generator's, the @share that remains,
@registers accessed and @interrupts; and how many packets were @lost of all.
"""
import contextlib
import dataclasses
import functools
import json
import re
import typing

from rig import sessions
from rig.guest import GuestError

ETH1 = "52:54:00:12:34:57"     # run-qemu.sh's for its second port
ROUNDS = 4_000
STREAM = "64M"
SEGMENT = 1448


@dataclasses.dataclass(frozen=True)
class Workload:
    """A line of the table."""
    key: str
    title: str
    measure: typing.Callable


def _figures(window, packets, instructions, generator, lost):
    return {"instructions": round(instructions, 1), "generator": round(generator, 1),
            "share": round(instructions - generator, 1),
            "registers": round(sum(window.registers.values()) / packets, 4),
            "interrupts": round(window.interrupts / packets, 4), "lost": lost,
            "packets": packets, "accesses": window.registers}


def transmit(lab, **how):
    """pktgen on eth1; the generator's own cost is what it takes to send to dummy0."""
    generator = lab.generator("dummy0", **how)
    run = lab.pktgen("eth1", **how)
    lost = run.errors + run.packets - run.window.sent
    return _figures(run.window, run.packets, run.each, generator, lost)


def receive(lab, **how):
    """From eth0 to eth1's stack, which has no address and drops it in ip_rcv().

    The generator's own cost is what eth0 takes to send what nobody receives. In bursts
    some of that is waiting, in which eth1 can work.
    """
    generator = lab.generator("eth0", **how)
    run = lab.pktgen("eth0", mac=ETH1, **how)
    lost = run.packets - run.window.received
    return _figures(run.window, run.packets, run.each, generator, lost)


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
def _joined(lab):
    """Two namespaces, a with eth0 and b with eth1, both ports under the driver of eth1."""
    driver = lab.driver
    lab.bind("eth0", driver)
    try:
        with sessions.namespaces(lab):
            lab.sh(f"{sessions.JOIN} && sleep 3", timeout=60)
            lab.sh("ip netns exec a ping -q -c 2 -i 0.1 10.1.0.2")
            yield
    finally:
        lab.bind("eth0", "igb")
        lab.bind("eth1", driver)


def round_trip(lab):
    """ping -f between namespaces: the time of a round trip, which is mostly waiting."""
    with _joined(lab):
        window = lab.window(f"ip netns exec a ping -q -f -c {ROUNDS} 10.1.0.2", namespace="b")
    found = re.search(r"(\d+) packets transmitted, (\d+) received,.* time (\d+)ms", window.output)
    if not found or found[2] == "0":
        raise GuestError(f"ping said\n{window.output}")
    sent, received, milliseconds = map(int, found.groups())
    return _figures(window, sent, milliseconds * 1e6 / sent, 0, sent - received)


def stream(lab, reverse=False):
    """iperf3 between namespaces: one packet is a segment's worth of 1448 bytes."""
    with _joined(lab):
        server = lab.spawn("ip netns exec b iperf3 -s -1 --forceflush")
        server.wait_output("listening")
        window = lab.window(f"ip netns exec a iperf3 -c 10.1.0.2 -n {STREAM} -J "
                            f"{'-R' if reverse else ''} >/tmp/iperf", then="cat /tmp/iperf",
                            namespace="b")
        server.wait(60)
    try:
        summed = json.loads(window.output)["end"]["sum_received"]
        packets = summed["bytes"] / SEGMENT
        each = summed["seconds"] * 1e9 / packets
    except (ValueError, KeyError, ZeroDivisionError) as error:
        raise GuestError(f"iperf3 said\n{window.output}") from error
    return _figures(window, round(packets), each, 0, 0)


def _workload(key, title, measure, **how):
    return Workload(key, title, functools.partial(measure, **how))


WORKLOADS = (
    _workload("tx-burst", "TX, 60 B, bursts of 32 clones", transmit, burst=32, clone_skb=1000),
    _workload("tx", "TX, 60 B, one by one, fresh", transmit),
    _workload("tx-1514", "TX, 1514 B, one by one, fresh", transmit, pkt_size=1514),
    _workload("rx", "RX, 60 B, one by one", receive),
    _workload("rx-burst", "RX, 60 B, bursts of 32", receive, burst=32, clone_skb=1000),
    _workload("xdp-drop", "XDP_DROP, 60 B, bursts of 32", verdict, program="drop",
              burst=32, clone_skb=1000),
    _workload("xdp-tx", "XDP_TX, 60 B, bursts of 32", verdict, program="bounce", sends=True,
              burst=32, clone_skb=1000),
    _workload("xdp-redirect", "XDP_REDIRECT to itself, 60 B, bursts of 32", verdict,
              program="rebound", sends=True, burst=32, clone_skb=1000),
    _workload("tcp-receive", "TCP, receiving, 1448 B", stream),
    _workload("tcp-send", "TCP, sending, 1448 B", stream, reverse=True),
    _workload("ping", "ping -f, a round trip", round_trip),
)
