# SPDX-License-Identifier: GPL-2.0
"""How long it takes by the clock on the wall: two CPUs, ordinary emulation.

It depends on this machine and what else it does, so the drivers take turns, and what
counts is the ratio of their medians.
"""
import statistics

from bench import results, workloads
from bench.lab import PACKETS

ROUNDS = 3
BURSTS = {"count": 5 * PACKETS, "burst": 32, "clone_skb": 1000}


def _transmit(lab):
    return lab.pktgen_time("eth1", **BURSTS) / 1e6


def _receive(lab):
    return lab.pktgen_time("eth0", mac=workloads.ETH1, **BURSTS) / 1e6


MEASURED = (("tx-burst", "TX, 60 B, bursts of 32 clones", _transmit),
            ("rx-burst", "RX, 60 B, bursts of 32", _receive),
            ("tcp-receive", "TCP, receiving, 1448 B", workloads.stream_seconds))


def summary(title, times):
    """One workload's figures: seconds, the ratio of the medians, how far it can be trusted."""
    igb, demo = (statistics.median(times[driver]) for driver in results.DRIVERS)
    spread = max((max(some) - min(some)) / statistics.median(some) for some in times.values())
    return {"title": title, **times, "ratio": round(demo / igb, 3), "spread": round(spread, 3)}


def measure(lab, say):
    """{workload: figures}, all of which were measured in turn."""
    found = {key: {driver: [] for driver in results.DRIVERS} for key, _, _ in MEASURED}
    for number in range(ROUNDS):
        for driver in results.DRIVERS:
            say(f"round {number + 1} of {ROUNDS}: {driver} takes eth1")
            lab.bind("eth1", driver)
            for key, title, function in MEASURED:
                say(f"{driver}: {title}")
                found[key][driver].append(round(function(lab), 4))
    return {key: summary(title, found[key]) for key, title, _ in MEASURED}


def table(found):
    """The ratios, for people."""
    return results.aligned([["seconds", *results.DRIVERS, "ratio", "spread"],
                            *([figures["title"],
                               *(f"{statistics.median(figures[driver]):.2f}"
                                 for driver in results.DRIVERS),
                               f"{figures['ratio']:.2f}", f"{100 * figures['spread']:.0f} %"]
                              for figures in found.values())])
