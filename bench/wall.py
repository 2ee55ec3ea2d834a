# SPDX-License-Identifier: GPL-2.0
"""How long it takes by the clock on the wall: two CPUs, ordinary emulation.

It depends on this machine and what else it does, so the drivers take turns, and what
counts is the ratio of neighbours: what slows one down does so to the other.
"""
import itertools
import statistics

from bench import lab, results, workloads
from rig.guest import GuestError

ROUNDS = 5
TURN = 6          # workloads that one driver does before it is the other's turn
# Who receives is not where pktgen sends, whatever the driver would like.
CPUS = {"eth0": 1, "eth1": 2}


class WallLab(lab.Lab):
    """The same guest with a CPU for each port, and nothing that is counted in it."""
    packets = 3 * lab.PACKETS
    calm = 0.3
    idle = 5_000

    def pin(self, port):
        self.sh(f"irqs=$(grep {lab.ADDRESS[port]} /proc/interrupts | cut -d : -f 1); [ \"$irqs\" ]"
                f" && for irq in $irqs; do echo {CPUS[port]} >/proc/irq/$irq/smp_affinity; done")

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
    """One workload's figures: nanoseconds a packet that arrives; of the ratios the median,
    the least and the greatest.
    """
    if not all(times[driver] for driver in results.DRIVERS):
        return None
    least, *_, greatest = sorted(ratios(times))
    return {**times, "ratio": round(statistics.median(ratios(times)), 3),
            "least": round(least, 3), "greatest": round(greatest, 3)}


def turns(wanted):
    """Some workloads at a time: what the machine does besides is to meet both drivers."""
    for _, group in itertools.groupby(wanted, lambda workload: workload.place):
        group = list(group)
        for first in range(0, len(group), TURN):
            yield group[first:first + TURN]


def measure(guest, wanted, say):
    """{workload: figures}, all of which were measured in turn.

    The guest's clock is the wall's here, so what are instructions elsewhere are nanoseconds.
    """
    found = {workload.key: {driver: [] for driver in results.DRIVERS} for workload in wanted}
    for number in range(ROUNDS):
        say(f"by the clock on the wall: round {number + 1} of {ROUNDS}")
        for some in turns(wanted):
            # Neither always comes first.
            for driver in results.DRIVERS[::-1 if number % 2 else 1]:
                guest.bind("eth1", driver)
                for workload in workloads.placed(guest, some):
                    figures = workload.measure(guest)
                    if figures:
                        found[workload.key][driver].append(figures["instructions"])
        for complaint in guest.judge(guest.dmesg()):
            raise GuestError(f"the kernel complains: {complaint}")
    return {key: summary(times) for key, times in found.items()}
