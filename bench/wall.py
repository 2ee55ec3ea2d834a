# SPDX-License-Identifier: GPL-2.0
"""How long it takes by the clock on the wall: two CPUs, ordinary emulation.

It depends on this machine and what else it does, so the drivers take turns, and only
the ratio of their medians is told.
"""
import statistics

from bench import results, workloads
from bench.lab import PACKETS

ROUNDS = 3
BURSTS = {"count": 5 * PACKETS, "burst": 32, "clone_skb": 1000}


def _transmit(lab):
    return lab.pktgen_time("eth1", **BURSTS)


def _receive(lab):
    return lab.pktgen_time("eth0", mac=workloads.ETH1, **BURSTS)


MEASURED = (("TX, 60 B, bursts of 32 clones", _transmit),
            ("RX, 60 B, bursts of 32", _receive),
            ("TCP, receiving, 1448 B", workloads.stream_seconds))


def measure(lab, say):
    """{title: {driver: times}}, all of which were measured in turn."""
    found = {title: {driver: [] for driver in results.DRIVERS} for title, _ in MEASURED}
    for number in range(ROUNDS):
        for driver in results.DRIVERS:
            say(f"round {number + 1} of {ROUNDS}: {driver} takes eth1")
            lab.bind("eth1", driver)
            for title, function in MEASURED:
                found[title][driver].append(function(lab))
    return found


def report(found):
    """Lines for people: the ratios, and how far they can be trusted."""
    for title, times in found.items():
        igb, demo = (statistics.median(times[driver]) for driver in results.DRIVERS)
        spread = max((max(some) - min(some)) / statistics.median(some) for some in times.values())
        yield f"{title}: {demo / igb:.2f} (times of one driver differ by {100 * spread:.0f} %)"
