# SPDX-License-Identifier: GPL-2.0
"""How long it takes by the clock on the wall: two CPUs, ordinary emulation.

It depends on this machine and what else it does, so the drivers take turns, and what
counts is the ratio of their best: others can only make it slower.
"""
from bench import results, workloads
from bench.lab import ADDRESS, PACKETS
from rig.guest import GuestError

ROUNDS = 5
# Who receives is not where pktgen sends, whatever the driver would like.
PLACE = (f"for irq in $(grep {ADDRESS['eth1']} /proc/interrupts | cut -d : -f 1); do "
         "echo 2 >/proc/irq/$irq/smp_affinity; done")
BURSTS = {"burst": 32, "clone_skb": 1000}


def _transmit(lab):
    count = 20 * PACKETS
    return lab.pktgen_time("eth1", count=count, **BURSTS) / count


def _receive(lab):
    counter = "/sys/class/net/eth1/statistics/rx_packets"
    before = int(lab.read(counter))
    took = lab.pktgen_time("eth0", mac=workloads.ETH1, count=5 * PACKETS, **BURSTS)
    received = int(lab.read(counter)) - before
    if received <= 0:
        raise GuestError("nothing was received")
    return took / received


def _stream(lab):
    seconds, size = workloads.stream_time(lab)
    return seconds * 1e6 * workloads.SEGMENT / size


MEASURED = (("tx-burst", "TX, 60 B, bursts of 32 clones", _transmit),
            ("rx-burst", "RX, 60 B, bursts of 32", _receive),
            ("tcp-receive", "TCP, receiving, 1448 B", _stream))


def summary(title, times):
    """One workload's figures: microseconds a packet that arrives, the ratio of the shortest.

    What the spread says is how much slower than its best a driver was at its worst.
    """
    igb, demo = (min(times[driver]) for driver in results.DRIVERS)
    spread = max(max(some) / min(some) - 1 for some in times.values())
    return {"title": title, **times, "ratio": round(demo / igb, 3), "spread": round(spread, 3)}


def measure(lab, say):
    """{workload: figures}, all of which were measured in turn."""
    found = {key: {driver: [] for driver in results.DRIVERS} for key, _, _ in MEASURED}
    for number in range(ROUNDS):
        for driver in results.DRIVERS:
            say(f"round {number + 1} of {ROUNDS}: {driver} takes eth1")
            lab.bind("eth1", driver)
            lab.sh(PLACE)
            for key, title, function in MEASURED:
                say(f"{driver}: {title}")
                found[key][driver].append(round(function(lab), 4))
    return {key: summary(title, found[key]) for key, title, _ in MEASURED}


def table(found):
    """The ratios, for people."""
    return results.aligned([["microseconds a packet", *results.DRIVERS, "ratio", "spread"],
                            *([figures["title"],
                               *(f"{min(figures[driver]):.2f}"
                                 for driver in results.DRIVERS),
                               f"{figures['ratio']:.2f}", f"{100 * figures['spread']:.0f} %"]
                              for figures in found.values())])
