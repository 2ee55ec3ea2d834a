#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Count what the driver and in-tree igb cost: guest instructions, registers, interrupts.

The figures are of a guest whose clock counts instructions, so they do not depend
on this machine. With --base they are compared with an earlier run's, and the exit
status is 1 if one of igb_demo's instruction counts grew by more than 2 %. It is 2
if nothing could be measured.
"""
import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tests")]
# pylint: disable=wrong-import-position
from rig import image, project  # noqa: E402
from rig.guest import GuestError  # noqa: E402
from bench import lab, plot, profile, publish, results, wall, workloads  # noqa: E402

START = time.monotonic()


def say(text):
    """Progress, with the seconds since the start."""
    print(f"bench: {time.monotonic() - START:4.0f} s: {text}", file=sys.stderr, flush=True)


def functions(guest, workload, figures):
    """Which functions take how much of a packet."""
    samples = guest.samples(workload.measure)
    symbols = profile.Symbols(guest.sh("cat /proc/kallsyms", timeout=60))
    return profile.functions(samples, symbols, figures["packets"])


def compiler(arch):
    """What the module was compiled with."""
    module = os.environ.get("IGB_DEMO_KO") or project.driver_dir(arch) / f"{project.DRIVER}.ko"
    found = re.search(r"\]  +(.*)", project.run(["readelf", "--string-dump=.comment", module]))
    return found[1] if found else "unknown"


def measure(guest, wanted, drivers, profiles):
    """{workload: {driver: figures}} of one guest; @profiles is filled as much as it wants."""
    found = {workload.key: {"title": workload.title} for workload in wanted}
    for driver in drivers:
        say(f"{driver} takes eth1")
        guest.bind("eth1", driver)
        for workload in workloads.placed(guest, wanted):
            say(f"{driver}: {workload.title}")
            figures = workload.measure(guest)
            found[workload.key][driver] = figures
            if workload.key in profiles and figures and "packets" in figures:
                profiles[workload.key][driver] = functions(guest, workload, figures)
        for complaint in guest.judge(guest.dmesg()):
            raise GuestError(f"with {driver}, the kernel complains: {complaint}")
    return found


def repetition(arch, initrd, wanted, drivers, profiles):
    """Figures and versions of one guest."""
    say("booting a guest that counts instructions (20 s)")
    with tempfile.TemporaryDirectory(prefix="igb_demo-bench-") as directory:
        with lab.Lab(lab.spec(arch, initrd), directory) as guest:
            guest.prepare()
            return guest.version(), measure(guest, wanted, drivers, profiles)


def by_the_clock(arch, initrd, wanted):
    """{workload: times and their ratio} of a guest that counts nothing."""
    say("booting a guest with two CPUs")
    with tempfile.TemporaryDirectory(prefix="igb_demo-bench-") as directory:
        with wall.WallLab(lab.spec(arch, initrd, wall=True), directory) as guest:
            guest.prepare()
            return wall.measure(guest, wanted, say)


def timed(arch, initrd, wanted):
    """by_the_clock(), or nothing: what was counted before is not to be lost with it."""
    try:
        return by_the_clock(arch, initrd, wanted)
    except GuestError as error:
        say(f"no times by the clock: {error}")
        return {}


def medians(found, wanted, drivers):
    """Of several guests' figures."""
    return {workload.key: {"title": workload.title,
                           **{driver: results.median([one[workload.key][driver]
                                                      for one in found])
                              for driver in drivers}}
            for workload in wanted}


def run(arch, repeat, wanted, drivers=results.DRIVERS, profiled=(), clock=False):
    """Medians of all repetitions, with what they were measured with, and the last one's
    profiles of the workloads @profiled."""
    say("building the module and the guest's image")
    described = publish.commit()
    initrd = image.initramfs(arch, lab.KMODS, "bench")
    found = []
    profiles = {workload.key: {} for workload in profiled}
    for number in range(repeat):
        if repeat > 1:
            say(f"repetition {number + 1} of {repeat}")
        versions, figures = repetition(arch, initrd, wanted, drivers, profiles)
        found.append(figures)
    figures = medians(found, wanted, drivers)
    memory = figures.pop(workloads.MEMORY.key, None)
    here = [workload for workload in wanted if workload.key in figures]
    for key, times in (timed(arch, initrd, here) if clock else {}).items():
        figures[key]["clock"] = times
    new = {"commit": described, **versions, "arch": arch, "compiler": compiler(arch),
           "repeat": repeat, "workloads": figures, **({"memory": memory} if memory else {})}
    return new, {workload.title: profiles[workload.key] for workload in profiled
                 if profiles[workload.key]}


def heading(new):
    """What was measured."""
    return f"igb_demo {new['commit']}, Linux {new['kernel']}, QEMU {new['qemu']}\n"


def report(new, base):
    """Print; returns the exit status."""
    print(heading(new) +
          "Guest instructions a packet, the generator's taken off; ratio to in-tree igb:\n")
    print(results.table(new["workloads"]))
    if "memory" in new:
        print(f"\n{results.memory_table(new['memory'])}")
    if not base:
        return 0
    worse, remarks = results.compare(base, new)
    print(f"\nCompared with {base.get('commit')}:")
    for remark in remarks:
        print(f"note: {remark}")
    for complaint in worse:
        print(f"worse: {complaint}")
    print(f"Worse: {len(worse) or 'none'}")
    return 1 if worse else 0


def chosen(keys, short=False):
    """The workloads of these keys, or all; or the @short form's."""
    known = {workload.key: workload for workload in (workloads.MEMORY, *workloads.WORKLOADS)
             if workload.short or not short}
    for key in keys:
        if key not in known:
            raise results.ResultsError(f"no workload '{key}': there are {', '.join(known)}")
    wanted = [known[key] for key in keys or known]
    return [workloads.repeated(workload) for workload in wanted] if short else wanted


def baseline(path, output):
    """The results to compare with, which must still be there afterwards."""
    if not path:
        return None
    base = results.load(path)
    if output and os.path.exists(output) and os.path.samefile(path, output):
        raise results.ResultsError(f"{path} would be overwritten: copy it, and compare with that")
    return base


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--arch", default=os.environ.get("ARCH") or "x86_64",
                        help="x86_64 or arm64 (default: $ARCH, or x86_64)")
    parser.add_argument("--base", help="results of an earlier run, to compare with")
    parser.add_argument("--output", help="where to write the results")
    parser.add_argument("--profile", action="store_true",
                        help="show which functions the instructions are spent in")
    parser.add_argument("--publish", action="store_true",
                        help="draw the figures; a whole run's of a clean tree become the "
                        "repository's")
    parser.add_argument("--repeat", type=int, default=1, help="guests to take the median of")
    parser.add_argument("--short", action="store_true",
                        help="igb_demo alone, some of the workloads, medians")
    parser.add_argument("--wall", action="store_true",
                        help="also the time by the clock on the wall, with two CPUs, as a "
                        "whole run has it")
    parser.add_argument("workload", nargs="*", help="what to measure (default: all)")
    return parser.parse_args()


def partial(args):
    """What this run has to do only with a part of what the repository shows, or None."""
    for is_so, why in ((args.workload or args.short, "only some of it was measured"),
                       (project.arch_name(args.arch) != "x86_64", "of another architecture"),
                       (os.environ.get("IGB_DEMO_KO"), "the module was not built here")):
        if is_so:
            return why
    return None


def unfinished(figures):
    """What a whole run lacks, or None."""
    if any("clock" in workload for workload in figures.values()):
        return None
    return "it has no times by the clock on the wall"


def show(new, profiles, part):
    """Pictures: in the repository, or just to look at."""
    why_not = publish.objection(part, new["commit"], publish.commit())
    if why_not:
        say(f"drawn into build/ only; the repository keeps its pictures and tables: {why_not}")
        plot.draw(new, TOP / "build")
    else:
        ours = [workload.title for workload in workloads.WORKLOADS if workload.profiled]
        publish.publish(new, {title: profiles[title] for title in ours if title in profiles})
        say(f"{publish.README}, {publish.BASELINE} and {publish.PICTURES} have these figures now")


def counted(args):
    """Measure as the command line says, and compare; returns the exit status."""
    part = partial(args)
    if args.short and args.wall:
        raise results.ResultsError("the short form is of igb_demo alone, and has no ratios")
    base = baseline(args.base, args.output)
    wanted = chosen(args.workload, args.short)
    described = publish.commit()
    if args.output:
        publish.may_write(args.output, publish.objection(part, described, described))
    profiled = [workload for workload in wanted
                if args.profile or (args.publish and workload.profiled)]
    new, profiles = run(project.arch_name(args.arch), max(1, args.repeat), wanted,
                        results.DRIVERS[args.short:], profiled,
                        args.wall or not (args.workload or args.short))
    if args.output:
        results.save(args.output, new)
    if args.profile:
        for title, found in profiles.items():
            print(f"{title}\n{profile.beside(found)}\n")
    status = report(new, base)
    if args.publish:
        show(new, profiles, part or (status and f"worse than {args.base}") or
             unfinished(new["workloads"]))
    return status


def main():
    """The whole run; an error is one line."""
    args = arguments()
    try:
        status = counted(args)
    except (results.ResultsError, GuestError, RuntimeError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if args.output:
        say(f"done; results are in {args.output}")
    return status


if __name__ == "__main__":
    sys.exit(main())
