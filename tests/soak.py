# SPDX-License-Identifier: GPL-2.0
"""For hours: the tests at random, again and again in the same guests, and what memory does.

A plugin of pytest; `make soak` loads it. The seed says which tests follow each other, the clock
where that ends. After a test, but not after each, the driver is unloaded and what the guest's
kernel then holds is measured: a line of build/soak/GUEST.tsv, a point of build/soak/memory.svg.
"""
import argparse
import contextlib
import dataclasses
import random
import re
import statistics
import time

import pytest
from rig import project
from rig.footprint import Footprint
from rig.guest import GuestError

WHERE = project.TOP / "build" / "soak"
# Of the guests of `make test` those that are told apart by more than their interrupts, and where
# tests are about the driver alone.
KINDS, CONFIGS = ("wire", "pair", "user"), ("msix-2cpu", "smp-2cpu")
# What is measured, in KiB, and by how much the median of a boot's last third may exceed that of
# its first: what the kernel keeps for itself of all that a test has it do for the first time.
# A leak goes on growing. Whoever soaks for longer, sees smaller ones.
BOUNDS = {"memory": 1536, "slab": 768, "vmalloc": 128, "per CPU": 128, "page pools": 4}
# As many measurements of a boot tell something, and that many there are of a guest at most.
FEWEST, MOST = 9, 300
PAGE_KIB = 4
STYLE = """\
set terminal svg size 1000,{height} noenhanced font 'sans-serif,13' background '#ffffff'
set output '{path}'
set multiplot layout {panels},1 title "{title}"
set border 3
set grid linecolor '#dddddd'
set tics nomirror scale 0.5
set key outside right
set datafile separator '\\t'
set lmargin 12
"""


def hours(text):
    """A time to soak for."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < 10_000:
            return float(text)
    raise argparse.ArgumentTypeError(f"HOURS={text}: a number above 0 is wanted, such as 0.5 or 8")


def seed(text):
    """A whole number, one of its own if none is given."""
    with contextlib.suppress(ValueError):
        return int(text or random.SystemRandom().randrange(1_000_000))
    raise argparse.ArgumentTypeError(f"SEED={text}: a whole number is wanted")


def pytest_addoption(parser):
    """--hours and --seed."""
    parser.addoption("--hours", type=hours, default=1.0, help="for how long to soak (default: 1)")
    parser.addoption("--seed", type=seed, default="",
                     help="which tests follow each other (default: any)")


def pytest_configure(config):
    """The plugin that does it."""
    config.pluginmanager.register(Soak(config.getoption("--hours"), config.getoption("--seed")))


@dataclasses.dataclass
class Sample:
    """What a guest's kernel held at a moment without the driver."""
    name: str           # of the guest
    boot: str           # another after each boot
    hour: float         # of the soak
    test: str           # the one before
    held: dict
    objects: dict

    @classmethod
    def of(cls, box, hour, test):
        """Measure the guest of @box."""
        guest = box.unload()
        found = Footprint.of(guest)
        text = guest.sh("cat /proc/sys/kernel/random/boot_id /proc/meminfo")
        info = {name: int(kib) for name, kib in re.findall(r"^(\w+): +(\d+)", text, re.M)}
        held = (info["MemTotal"] - found.free_kib, info["SUnreclaim"], info["VmallocUsed"],
                info["Percpu"], PAGE_KIB * sum(pages for _, pages in found.pools))
        return cls(f"{box.kind}-{box.config}", text.split()[0], hour, test,
                   dict(zip(BOUNDS, held)), found.objects)


def growth(lives):
    """What grew all the time in one of @lives, lists of samples of a boot each."""
    for life in lives:
        third = len(life) // 3
        parts = (life[:third], life[third:-third], life[-third:])
        for what, bound in BOUNDS.items() if len(life) >= FEWEST else ():
            first, middle, last = (statistics.median(sample.held[what] for sample in part)
                                   for part in parts)
            if last - first > bound and min(middle - first, last - middle) > bound / 4:
                yield (f"{life[0].name}: {what} grew all the time, its median from {first:.0f} by "
                       f"{middle - first:.0f} and {last - middle:.0f} KiB; {_objects(life)}")


def _objects(life):
    """Of which slabs there are most more at the end."""
    more = {name: used - life[0].objects.get(name, 0) for name, used in life[-1].objects.items()}
    most = sorted(more, key=more.get, reverse=True)[:5]
    return "more objects: " + ", ".join(f"{name} {more[name]}" for name in most)


def draw(lives, title):
    """Each boot's curves, from where they begin; a panel for each thing measured."""
    path = WHERE / "memory.svg"
    lines = [STYLE.format(height=60 + 220 * len(BOUNDS), path=path, panels=len(BOUNDS),
                          title=title)]
    for number, life in enumerate(lives):
        rows = ("\t".join(str(value) for value in (
            sample.hour, *(sample.held[what] - life[0].held[what] for what in BOUNDS)))
            for sample in life)
        lines.append(f"$life{number} << END\n" + "\n".join(rows) + "\nEND")
    for column, what in enumerate(BOUNDS, 2):
        curves = (f"$life{number} using 1:{column} with linespoints pointsize 0.3 "
                  f"linecolor {number + 1} title '{life[0].name}'"
                  for number, life in enumerate(lives))
        lines += [f"set ylabel '{what}, KiB more'", "set xlabel 'hours'",
                  f"plot {', '.join(curves)}"]
    project.run(["gnuplot"], input="\n".join([*lines, ""]))
    return path


class Soak:
    """The loop, its measurements, its judgement."""

    def __init__(self, wanted, chosen):
        self.wanted, self.seed = wanted, chosen
        self.title = f"SEED={chosen} HOURS={wanted:g}"
        self.began = time.monotonic()
        self.done = 0
        self.box = None
        self.pause = 0.0
        self.again = 0.0
        self.samples = []
        self.verdict = []

    def pytest_report_header(self):
        """What to say to have the same once more."""
        return f"soak: {self.title}"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        """What tests the driver, in the guests named above."""
        configs = (*CONFIGS, config.getoption("--guest"))
        left = [item for item in items if hasattr(item, "callspec")
                and item.callspec.params.get("box", ("host",))[0] in KINDS
                and item.callspec.params["box"][1] in configs]
        config.hook.pytest_deselected(items=[item for item in items if item not in left])
        items[:] = left

    def _hour(self):
        return (time.monotonic() - self.began) / 3600

    def _turns(self, items):
        """Each guest has as much of the time, and its tests in another order in each round."""
        groups = {}
        for item in items:
            groups.setdefault(item.callspec.params["box"], []).append(item)
        self.began = time.monotonic()
        for number, group in enumerate(groups, 1):
            dice = random.Random(f"{self.seed} {group}")
            end = number * self.wanted / len(groups)
            self.pause = self.wanted / len(groups) / MOST
            while self._hour() < end:
                for item in dice.sample(groups[group], len(groups[group])):
                    if self._hour() < end:
                        yield item

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Until the time is over."""
        if session.config.option.collectonly:
            return None
        turns = self._turns(session.items)
        item = next(turns, None)
        while item and not session.shouldstop and not session.shouldfail:
            # The next one's guest is the same one where it can be, so it is not ended.
            following = next(turns, None)
            self.box = None
            # One that follows itself would find what it had set up last time, torn down by half.
            after = item.parent if following is item else following
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            self.done += 1
            if following and self.box and self._hour() > self.again:
                self._measure(item)
            item = following
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        """Which guest it is about."""
        self.box = pyfuncitem.funcargs.get("box")

    def _measure(self, item):
        # A guest that does not answer is the next test's failure.
        with contextlib.suppress(GuestError):
            sample = Sample.of(self.box, self._hour(), item.nodeid)
            self.samples.append(sample)
            WHERE.mkdir(parents=True, exist_ok=True)
            first = sample.name not in (other.name for other in self.samples[:-1])
            with open(WHERE / f"{sample.name}.tsv", "w" if first else "a",
                      encoding="ascii") as file:
                if first:
                    print(f"# {self.title}", "hour", "boot", *BOUNDS, "test", sep="\t", file=file)
                print(f"{sample.hour:.4f}", sample.boot, *sample.held.values(), sample.test,
                      sep="\t", file=file)
        self.again = self._hour() + self.pause

    def _lives(self):
        lives = {}
        for sample in self.samples:
            lives.setdefault(sample.boot, []).append(sample)
        return list(lives.values())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        """It failed as well if memory grew, or if nothing can be said of that."""
        if session.config.option.collectonly:
            return
        self.verdict = list(growth(self._lives()))
        if max(map(len, self._lives()), default=0) < FEWEST:
            self.verdict.append(f"no guest was measured {FEWEST} times: soak for longer")
        if self.verdict:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """How much was done, where the curves are, what grew."""
        terminalreporter.section(f"soak: {self.title}")
        terminalreporter.line(f"{self.done} tests, {len(self._lives())} boots measured "
                              f"{len(self.samples)} times")
        if self.samples:
            terminalreporter.line(f"curves: {draw(self._lives(), self.title)}")
        for line in self.verdict:
            terminalreporter.line(line, red=True)
