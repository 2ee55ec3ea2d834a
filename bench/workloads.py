# SPDX-License-Identifier: GPL-2.0
"""What is measured. A new workload is one more line of WORKLOADS.

Each is a function of the laboratory. It returns the figures of one packet: @instructions
of the whole guest, how many of them are the @generator's, the @share that remains,
@registers accessed and @interrupts; and how many packets were @lost of all.
"""
import dataclasses
import functools
import re
import typing

from rig import sessions
from rig.guest import GuestError

ETH1 = "52:54:00:12:34:57"     # run-qemu.sh's for its second port
ROUNDS = 4_000


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


def round_trip(lab):
    """ping -f between namespaces: the time of a round trip, which is mostly waiting."""
    with sessions.namespaces(lab):
        lab.sh(f"{sessions.JOIN} && sleep 3", timeout=60)
        lab.sh("ip netns exec a ping -q -c 2 -i 0.1 10.1.0.2")
        window = lab.window(f"ip netns exec a ping -q -f -c {ROUNDS} 10.1.0.2", namespace="b")
    lab.raise_port("eth0")
    lab.raise_port("eth1")
    found = re.search(r"(\d+) packets transmitted, (\d+) received,.* time (\d+)ms", window.output)
    if not found or found[2] == "0":
        raise GuestError(f"ping said\n{window.output}")
    sent, received, milliseconds = map(int, found.groups())
    return _figures(window, sent, milliseconds * 1e6 / sent, 0, sent - received)


def _workload(key, title, measure, **how):
    return Workload(key, title, functools.partial(measure, **how))


WORKLOADS = (
    _workload("tx-burst", "TX, 60 B, bursts of 32 clones", transmit, burst=32, clone_skb=1000),
    _workload("tx", "TX, 60 B, one by one, fresh", transmit),
    _workload("tx-1514", "TX, 1514 B, one by one, fresh", transmit, pkt_size=1514),
    _workload("rx", "RX, 60 B, one by one", receive),
    _workload("rx-burst", "RX, 60 B, bursts of 32", receive, burst=32, clone_skb=1000),
    _workload("ping", "ping -f, a round trip", round_trip),
)
