# SPDX-License-Identifier: GPL-2.0
"""Where the time goes: perf's clock in the guest notes where it interrupts.

The guest's clock counts instructions, so a function's part of the samples is its
part of the instructions. What runs with interrupts off is noted where they go on.
"""
import bisect
import collections
import itertools

PERIOD = 10_007     # instructions between two samples
SAMPLES = "/tmp/profile"
OWN = ("perf_", "__perf_", "hrtimer", "__hrtimer", "timerqueue", "cpu_clock_event",
       "user space", "pv_native_safe_halt", "default_idle")      # and what is no packet's


class Symbols:
    """Functions of the guest's kernel, by address."""

    def __init__(self, kallsyms):
        found = sorted((int(words[0], 16), " ".join(words[2:]))
                       for words in map(str.split, kallsyms.splitlines())
                       if words[1] in "tTwW")
        self._addresses = [address for address, _ in found]
        self._names = [name for _, name in found]

    def name(self, address):
        """The function that an address lies in."""
        index = bisect.bisect_right(self._addresses, address) - 1
        return self._names[index] if index >= 0 else "user space"


def command(line):
    """The shell command that runs another one and prints the samples afterwards."""
    assert "'" not in line
    return f"rigtool profile {PERIOD} {SAMPLES} '{line}'"


def functions(samples, symbols, packets):
    """[(instructions a packet, function)] from the one that takes most on."""
    names = [symbols.name(int(sample, 16)) for sample in samples.split()]
    counts = collections.Counter(name for name in names if not name.startswith(OWN))
    return [(round(count * PERIOD / packets, 1), name) for name, count in counts.most_common()]


def beside(found, rows=25):
    """A table of those that take most, {driver: functions} beside each other."""
    columns = [[f"{'':>8}  {driver}", *(f"{share:8.1f}  {name}" for share, name in many[:rows])]
               for driver, many in found.items()]
    width = max(map(len, itertools.chain(*columns[:1]))) + 2
    return "\n".join(" ".join(cell.ljust(width) for cell in row).rstrip()
                     for row in itertools.zip_longest(*columns, fillvalue=""))
