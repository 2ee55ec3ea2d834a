# SPDX-License-Identifier: GPL-2.0
"""What the repository shows of the figures: pictures, README's tables, a baseline.

Only a whole run's, and of what is committed: who reads them must be able to tell what
they are of.
"""
import re
import subprocess

from bench import plot, profile, results
from rig import project

README = "README.md"
BASELINE = "bench/baseline.json"
PICTURES = "Documentation"
PROFILES = "Documentation/where-it-goes.rst"


def _git(*words, top=project.TOP):
    return subprocess.run(["git", "-C", top, *words], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def commit(top=project.TOP):
    """The commit that is measured; -dirty when the tree is not quite that."""
    return _git("describe", "--always", "--dirty", "--abbrev=12",
                top=top).stdout.strip() or "unknown"


def objection(part, described, now):
    """Why results do not become the repository's, or None.

    @part: what the run is only a part of, or differs in; @described: the commit when it
    began, @now: at its end.
    """
    if part:
        return part
    if described == "unknown" or described.endswith("-dirty"):
        return "the tree has changes that are not committed"
    if described != now:
        return f"{described} was measured, and now the tree is {now}"
    return None


def may_write(path, why_not, top=project.TOP):
    """An error if the file is the repository's and there is an objection."""
    if why_not and not _git("ls-files", "--error-unmatch", "--", path, top=top).returncode:
        raise results.ResultsError(f"{path} is the repository's, and not for these results: "
                                   f"{why_not}")


def _replaced(text, pattern, new):
    text, count = re.subn(pattern, lambda _: new, text, flags=re.MULTILINE)
    if count != 1:
        raise results.ResultsError(f"{README} has {count} places for '{new.splitlines()[0]}'")
    return text


def readme(text, new):
    """README's text with the tables of these results."""
    for table in (results.table(new["workloads"]), results.memory_table(new["memory"])):
        first = re.escape(" ".join(table.split(maxsplit=3)[:2]))
        text = _replaced(text, rf"^{first}\b.*\n(?:\|.*\n)*", f"{table}\n")
    return _replaced(text, r"^\(Linux \S+, QEMU \S+\)$",
                     f"(Linux {new['kernel']}, QEMU {new['qemu'].split()[0]}.)")


HEAD = """\
.. SPDX-License-Identifier: GPL-2.0

=============================
Where the instructions go
=============================

Functions by their instructions for each packet, of a whole ``make bench``; ``bench/bench.py
--profile`` shows the same of any workload. Both drivers in the same guest, with the packet
generator (pktgen, ``dev_queue_xmit`` and, for what is received, in-tree igb on the other end of
the wire) in it. A sample is taken every {period:,} instructions; what runs with interrupts
off is noted where they go on, so a lock's release shows what was done under it.

This shows which functions, not how much: the samples interrupt, which disturbs moderation
most of all, and they are of everything that the guest does from the command's start to its
end, but for being idle. How much is in README's table.

(Linux {kernel}, QEMU {qemu}.)
"""


def profile_page(new, profiles):
    """Documentation/where-it-goes.rst with these profiles."""
    sections = [HEAD.format(period=profile.PERIOD, kernel=new["kernel"],
                            qemu=new["qemu"].split()[0])]
    for title, found in profiles.items():
        lines = "\n".join(f"    {line}".rstrip() for line in profile.beside(found).splitlines())
        sections.append(f"{title}\n{'=' * len(title)}\n\n::\n\n{lines}\n")
    return "\n".join(sections)


def publish(new, profiles, top=project.TOP):
    """Renew all of it."""
    path = top / README
    text = readme(path.read_text(encoding="utf-8"), new)
    page = profile_page(new, profiles)
    plot.draw(new, top / PICTURES)
    path.write_text(text, encoding="utf-8")
    (top / PROFILES).write_text(page, encoding="utf-8")
    results.save(top / BASELINE, new)
