# SPDX-License-Identifier: GPL-2.0
"""Figures: their table, their file, and what has become worse since another run."""
import json
import statistics

DRIVERS = ("igb", "igb_demo")
LIMIT = 1.02      # an instruction count that grows by more is a failure
COLUMNS = ("instructions", "registers", "interrupts", "lost")


class ResultsError(Exception):
    """A file is not one of ours."""


def ratio(figures):
    """The driver's share, as a part of in-tree igb's."""
    return figures["igb_demo"]["share"] / figures["igb"]["share"]


def median(runs):
    """One set of figures from those of several repetitions."""
    if not isinstance(runs[0], dict):
        return statistics.median(runs)
    return {name: median([run[name] for run in runs]) for name in runs[0]
            if all(name in run for run in runs)}


def _cells(figures):
    return [f"{figures['share']:,.0f}", f"{figures['registers']:.3f}",
            f"{figures['interrupts']:.4f}", f"{figures['lost']:g}"]


def table(workloads):
    """A table for people, which is one for Markdown too."""
    rows = [["per packet", *(f"{driver}: {COLUMNS[0]}" if name == COLUMNS[0] else name
                             for driver in DRIVERS for name in COLUMNS), "ratio"]]
    for figures in workloads.values():
        rows.append([figures["title"], *_cells(figures["igb"]), *_cells(figures["igb_demo"]),
                     f"{ratio(figures):.2f}"])
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
            ratio(figures)
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ResultsError(f"{path} has no figures of make bench") from error
    return results


def compare(base, new):
    """(what has become worse, remarks) since @base."""
    worse, remarks = [], []
    for name in ("kernel", "qemu"):
        if base.get(name) != new.get(name):
            remarks.append(f"{name} was {base.get(name)}, is {new.get(name)}")
    for key, before in base["workloads"].items():
        now = new["workloads"].get(key)
        if not now:
            remarks.append(f"{before['title']}: not measured this time")
            continue
        for driver, complaints in (("igb", remarks), ("igb_demo", worse)):
            was, is_ = before[driver]["share"], now[driver]["share"]
            if is_ > was * LIMIT:
                complaints.append(f"{now['title']}: {driver} takes {is_:,.0f} instructions, "
                                  f"{100 * (is_ / was - 1):.1f} % more than {was:,.0f}")
    return worse, remarks
