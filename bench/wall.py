# SPDX-License-Identifier: GPL-2.0
"""How long it takes by the clock on the wall: two CPUs, ordinary emulation.

It depends on this machine and what else it does, so the drivers take turns, and what
counts is the ratio of neighbours: what slows one down does so to the other.
"""
import itertools
import statistics

from bench import lab, results, workloads

ROUNDS = 5
TURN = 6          # workloads that one driver does before it is the other's turn
# Who receives is not where pktgen sends, whatever the driver would like.
CPUS = {"eth0": 1, "eth1": 2}


class WallLab(lab.Lab):
    """The same guest with a CPU for each port, and nothing that is counted in it."""
    packets = 3 * lab.PACKETS
    calm = 0.3
    idle = 2_000

    def bind(self, port, driver):
        super().bind(port, driver)
        self.sh(f"for irq in $(grep {lab.ADDRESS[port]} /proc/interrupts | cut -d : -f 1); do "
                f"echo {CPUS[port]} >/proc/irq/$irq/smp_affinity; done")

    def generator(self, port, **options):
        """Nothing is taken off: who sends does so beside, not before."""
        return 0

    def _traced(self, command, timeout):
        return self.sh(command, timeout)

    def _accesses(self):
        return {}


def ratios(times):
    """igb_demo's part of in-tree igb's time, round by round."""
    return [demo / igb for igb, demo in zip(*(times[driver] for driver in results.DRIVERS))]


def summary(times):
    """One workload's figures: nanoseconds a packet that arrives, and the median of the ratios.

    The spread is the median of their distances from that: a round that was disturbed is to
    show in neither.
    """
    if not all(times[driver] for driver in results.DRIVERS):
        return None
    median = statistics.median(ratios(times))
    spread = statistics.median(abs(ratio - median) for ratio in ratios(times))
    return {**times, "ratio": round(median, 3), "spread": round(spread, 3)}


def turns(wanted):
    """Some workloads at a time: what the machine does besides is to meet both drivers."""
    for _, group in itertools.groupby(wanted, lambda workload: workload.place):
        group = list(group)
        for first in range(0, len(group), TURN):
            yield group[first:first + TURN]


def measure(guest, wanted, say):
    """{workload: figures}, all of which were measured in turn."""
    found = {workload.key: {driver: [] for driver in results.DRIVERS} for workload in wanted}
    for number in range(ROUNDS):
        say(f"by the clock on the wall: round {number + 1} of {ROUNDS}")
        for some in turns(wanted):
            for driver in results.DRIVERS:
                guest.bind("eth1", driver)
                for workload in workloads.placed(guest, some):
                    figures = workload.measure(guest)
                    if figures:
                        found[workload.key][driver].append(figures["instructions"])
    return {key: summary(times) for key, times in found.items()}
