# SPDX-License-Identifier: GPL-2.0
"""Figures: their table, their file, and what has become worse since another run."""
import json
import statistics

DRIVERS = ("igb", "igb_demo")
VERSIONS = ("kernel", "qemu", "arch", "compiler")
ZERO_COPY = "zero copy"     # as rigtool xsk calls it
LIMIT = 0.02      # a driver's instructions that grow by a larger part are a failure
HEADINGS = [name for driver in DRIVERS
            for name in (driver, "registers", "interrupts", "lost")]


class ResultsError(Exception):
    """A file is not one of ours."""


def title(figures):
    """A workload's title, with what each driver did where that may differ."""
    modes = [f"{driver} {figures[driver]['mode']}" for driver in DRIVERS
             if "mode" in (figures.get(driver) or {})]
    return figures["title"] + (f" ({', '.join(modes)})" if modes else "")


def measured(figures):
    """The drivers that a workload was measured with; igb_demo's is what it is about."""
    return [driver for driver in DRIVERS if figures.get(driver) or driver == "igb_demo"]


def ratio(figures):
    """The driver's share, as a part of in-tree igb's."""
    return figures["igb_demo"]["share"] / figures["igb"]["share"]


def median(runs):
    """One set of figures from those of several repetitions."""
    if None in runs:
        return None
    if isinstance(runs[0], str):
        return runs[0]
    if not isinstance(runs[0], dict):
        return statistics.median(runs)
    return {name: median([run[name] for run in runs]) for name in runs[0]
            if all(name in run for run in runs)}


def _count(number):
    return f"{number:,.0f}" if number else "-"


def clock(figures):
    """The same ratio by the clock on the wall: the rounds' median, least and greatest."""
    timed = figures.get("clock")
    return f"{timed['ratio']:.2f} ({timed['least']:.2f}-{timed['greatest']:.2f})" if timed else "-"


def _cells(figures):
    if not figures:
        return ["-"] * (len(HEADINGS) // len(DRIVERS))
    return [_count(figures["share"]), f"{figures['registers']:.3f}",
            f"{figures['interrupts']:.4f}", _count(figures["lost"])]


def table(workloads):
    """What packets cost."""
    rows = [["one packet", "generator", *HEADINGS, "ratio", "by the clock"]]
    for figures in workloads.values():
        igb, demo = (figures.get(driver) for driver in DRIVERS)
        rows.append([title(figures), _count((demo or igb or {"generator": 0})["generator"]),
                     *_cells(igb), *_cells(demo),
                     f"{ratio(figures):.2f}" if igb and demo else "-", clock(figures)])
    return aligned(rows)


def memory_table(memory):
    """What a port takes of memory, beside in-tree igb's."""
    kib = [memory[driver]["kib"] for driver in DRIVERS]
    return aligned([["memory", *DRIVERS, "ratio"],
                     [memory["title"], *map(_count, kib), f"{kib[1] / kib[0]:.2f}"]])


def aligned(rows):
    """A table for people, which is one for Markdown too."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join([row[0].ljust(widths[0]),
                                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
             + " |" for row in rows]
    lines.insert(1, "|" + "|".join(["-" * (widths[0] + 2),
                                    *("-" * (width + 1) + ":" for width in widths[1:])]) + "|")
    return "\n".join(lines)


def save(path, results):
    """Write the file."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def load(path):
    """Read a file that save() wrote."""
    try:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ResultsError(f"{path} is not JSON: {error}") from error
    try:
        for figures in results["workloads"].values():
            for driver in measured(figures):
                growth(figures[driver], figures[driver])
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ResultsError(f"{path} has no figures of make bench") from error
    return results


def growth(before, now):
    """By which part a driver's share has grown.

    What a whole guest takes is more exact than what remains without the generator,
    whose code is not ours: all of the difference is the driver's.
    """
    return (now["instructions"] - before["instructions"]) / before["share"]


def compare(base, new):
    """(what has become worse, remarks) since @base.

    With another kernel, emulator or compiler nothing is worse: it may not be the driver's doing.
    """
    worse, remarks, missing = [], [], []
    for name in VERSIONS:
        if name in base and base[name] != new.get(name):
            remarks.append(f"{name} was {base.get(name)}, is {new.get(name)}")
    failures = remarks if remarks else worse
    for key, before in base["workloads"].items():
        now = new["workloads"].get(key)
        if not now:
            missing.append(before["title"])
            continue
        for driver, complaints in (("igb", remarks), ("igb_demo", failures)):
            if not (before.get(driver) and now.get(driver)):
                continue
            grown = growth(before[driver], now[driver])
            if grown > LIMIT:
                complaints.append(f"{now['title']}: {driver}'s {before[driver]['share']:,.0f} "
                                  f"instructions have grown by {100 * grown:.1f} %")
            if before[driver].get("mode") == ZERO_COPY != now[driver].get("mode"):
                complaints.append(f"{now['title']}: {driver} had zero copy, and has not now")
    if missing:
        remarks.append(f"not measured this time: {'; '.join(missing)}")
    return worse, remarks
