# SPDX-License-Identifier: GPL-2.0
"""What in-tree igb offers and what igb_demo does, asked in one guest and put side by side.

tests/guest/python/ask.py asks. Nothing that in-tree igb has may be missing here, unless one of
REASONS says why.
"""
import json
import re

from . import image, project
from .guest import Spec

PORTS = {"eth0": "igb", "eth1": project.DRIVER}
PCI = "/sys/bus/pci"
README, PAGE = "README.md", "Documentation/features.rst"

TUNNELS = "the emulated chip takes no notice of inner headers"
STAMPS = "not yet: hardware time stamps (PTP)"
SRIOV = "not yet: SR-IOV"
LEGACY = "legacy-rx chooses between two ways of receiving; here is one"
WAKE = "the emulated card has no power management event to wake with"
# Flags of ethtool -k.
LEFT_OUT = {
    "tx-checksum-ip-generic": "the chip knows IPv4 and IPv6, which are features of their own",
    "tx-gso-partial": TUNNELS,
    "tx-gre-segmentation": TUNNELS,
    "tx-gre-csum-segmentation": TUNNELS,
    "tx-ipxip4-segmentation": TUNNELS,
    "tx-ipxip6-segmentation": TUNNELS,
    "tx-udp_tnl-segmentation": TUNNELS,
    "tx-udp_tnl-csum-segmentation": TUNNELS,
    "tx-udp-segmentation": "the emulated chip sends fragments of one datagram",
}
# What in-tree igb has and this driver has not, by area and question, and why.
REASONS = {
    **{f"features: {name}": why for name, why in LEFT_OUT.items()},
    "netlink ethtool: wol-get: .*": WAKE,
    "ethtool: --change wol g": WAKE,
    "netlink ethtool: tsinfo-get: .*": STAMPS,
    "sysfs: device/ptp": STAMPS,
    "sysfs: SR-IOV: .*": SRIOV,
    "sysfs: module parameter max_vfs": SRIOV + ", and no module parameters at all",
    "ethtool: --show-priv-flags": LEGACY,
    "netlink ethtool: privflags-get.*": LEGACY,
    "ethtool: --show-ntuple": "in-tree igb lists its filters, of which it takes none on this chip",
}
NO = ("no", "-")


def spec(arch):
    """The guest to ask in, with two ports on a wire."""
    return Spec(arch=arch, netdevs=("hub", "hub"), memory=768,
                initrd=str(image.with_selftests(arch)))


def bind(guest):
    """A port to each driver, both up."""
    guest.allow_log("igb|Intel|dca")
    guest.sh("modprobe igb; insmod /lib/modules/igb_demo.ko", timeout=60)
    for port, driver in PORTS.items():
        address = f"0000:0{int(port[-1]) + 1}:00.0"
        device = f"{PCI}/devices/{address}"
        guest.sh(f"[ ! -e {device}/driver ] || echo {address} >{device}/driver/unbind; "
                 f"echo {driver} >{device}/driver_override; "
                 f"echo {address} >{PCI}/drivers_probe; ip link set {port} up", timeout=60)
    for port in PORTS:
        guest.sh(f"rigtool carrier {port} 1")


def ask(guest):
    """{area: {question: (in-tree igb's answer, this driver's)}}"""
    bind(guest)
    try:
        said, status = guest.sh_status(f"python3 -m ask {' '.join(PORTS)}", timeout=600)
        if status:
            raise AssertionError(f"asking failed:\n{said}")
        answers = json.loads(guest.sh("cat /tmp/answers", timeout=60))
    finally:
        if guest.usable:
            guest.sh(f"for device in {PCI}/devices/*; do echo >$device/driver_override; done; "
                     "rmmod igb igb_demo", timeout=60)
    return beside(*(answers[port] for port in PORTS))


def beside(theirs, ours):
    """The answers of two ports, side by side; netlink's in an order of their own."""
    table = {}
    for area in theirs:
        asked = dict.fromkeys((*theirs[area], *ours[area]))
        table[area] = {what: (theirs[area].get(what, "-"), ours[area].get(what, "-"))
                       for what in (sorted(asked) if "netlink" in area else asked)}
    return table


def versions(guest):
    """Of what was asked, and with what."""
    return f"Linux {guest.read('/proc/sys/kernel/osrelease')}, " \
        f"{guest.sh('ethtool --version').strip().replace(' version', '')}"


# ---------------------------------------------------------------------- rule

def offered(answer):
    """How much of a thing there is: of a flag whether it is on, and whether it can be changed."""
    if answer.startswith(("on", "off")):
        return (answer.startswith("on"), "[fixed]" not in answer)
    return (answer == "yes", answer == "yes")


def lacks(theirs, ours):
    """Whether in-tree igb has of a thing what this driver has not."""
    return any(there and not here for there, here in zip(offered(theirs), offered(ours)))


def missing(table):
    """All that in-tree igb has and this driver lacks, with the reason or None."""
    return {f"{area}: {what}": reason(f"{area}: {what}")
            for area, rows in table.items() for what, answers in rows.items() if lacks(*answers)}


def reason(what):
    """Why this driver has not got it."""
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, what)), None)


def unused(table):
    """Reasons for what is not missing."""
    return [pattern for pattern in REASONS
            if not any(re.fullmatch(pattern, what) for what in missing(table))]


# -------------------------------------------------------------------- tables

def lines_of(rows):
    """A table of Markdown; some cells are too long to align."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def summed(questions):
    """Those of many alike counted, in words that fit into a table."""
    groups = {}
    for question in questions:
        groups.setdefault(re.split(r"[:/]", question)[0], []).append(question)
    return ", ".join(f"`{group}`: {len(those)}" if len(those) > 2 else
                     ", ".join(f"`{one}`" for one in those)
                     for group, those in groups.items()) or "-"


def side(rows, mine, other):
    """What one has and the other has not."""
    return [what for what, answers in rows.items() if lacks(answers[mine], answers[other])]


def compact(table):
    """Of each area how much there is in both and in in-tree igb alone; what is new."""
    rows = [["asked", "questions", "in both", "only igb", "only igb_demo"]]
    for area, answers in table.items():
        both = sum(max(offered(pair[0])) and max(offered(pair[1])) and
                   not lacks(*pair) and not lacks(*pair[::-1]) for pair in answers.values())
        rows.append([area, str(len(answers)), str(both), str(len(side(answers, 0, 1))),
                     summed(side(answers, 1, 0))])
    return lines_of(rows)


def reasons(table):
    """What is left out, and why."""
    why = {}
    for what, found in missing(table).items():
        why.setdefault(found or "?", []).append(what.split(": ", 1)[1])
    return lines_of([["left out", "why"], *([summed(those), text] for text, those in why.items())])


HEAD = """\
.. SPDX-License-Identifier: GPL-2.0

====================================
What is offered, beside in-tree igb
====================================

Of ``make features``: a guest has two emulated 82576, one for each driver, and both are asked the
same: each command of ethtool, each flag of ``ethtool -k``, each question and attribute of the
kernel's netlink specifications that a driver may answer, queueing and filters in hardware, XDP,
ioctls, and what their devices have in sysfs. An answer is what a command's exit status and words
say, or whether a netlink message has the attribute; a dash says that it has not. What in-tree igb
has and igb_demo has not is marked, with the reason.

({versions}.)
"""


def page(table, asked):
    """Documentation/features.rst"""
    left_out, parts = missing(table), [HEAD.format(versions=asked)]
    for area, rows in table.items():
        width = max(map(len, rows))
        lines = [f"    {'':{width}}  {'igb':12}  igb_demo"]
        for what, (theirs, ours) in rows.items():
            why = left_out.get(f"{area}: {what}")
            lines.append(f"    {what:{width}}  {theirs:12}  {ours:12}  {f'({why})' if why else ''}"
                         .rstrip())
        parts.append(f"{area}\n{'=' * len(area)}\n\n::\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def readme(text, table, asked):
    """README's text with these tables, where those of the last time are."""
    for new in (compact(table), reasons(table)):
        first = re.escape(" ".join(new.split(maxsplit=3)[:2]))
        text, count = re.subn(rf"^{first}\b.*\n(?:\|.*\n)*", lambda _, new=new: new, text,
                              flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{README} has {count} places for '{new.splitlines()[0]}'")
    return re.sub(r"\(Linux \S+, ethtool \S+\)$", f"({asked}.)", text, flags=re.MULTILINE)


def publish(table, asked, top=project.TOP):
    """Renew README's tables and the page."""
    path = top / README
    path.write_text(readme(path.read_text(encoding="utf-8"), table, asked), encoding="utf-8")
    (top / PAGE).write_text(page(table, asked), encoding="utf-8")
