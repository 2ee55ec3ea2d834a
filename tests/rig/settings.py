# SPDX-License-Identifier: GPL-2.0
"""Changing a port's settings while datagrams go round: what each command said and changed."""
import contextlib
import dataclasses
import re

from .peers import Mirror

HERE, THERE = "198.18.7.1", "198.18.7.2"
# What other memory for the same rings, or one link after another, looks like; CTRL keeps the
# speed that was last forced.
REBUILT = frozenset(
    [f"reg.{ring + 0x40 * queue + part:04x}" for queue in range(16)
     for ring, part in ((0xc000, 0), (0xc000, 4), (0xe000, 0), (0xe000, 4), (0xe000, 0x38),
                        (0xe000, 0x3c))]
    # carrier_changes, carrier_up_count, carrier_down_count
    + ["link.35", "link.47", "link.48", "reg.0000"])

# Each line of /tmp/cases is KIND COMMAND. A process costs more than anything else here. A flow
# moves on when its answers come; three more than there were are more than what was on its way.
SCRIPT = r"""
net=/sys/class/net/$1 old=/tmp/state.0 new=/tmp/state.1
linked() {
	[ $1 = link ] || downs=
	n=0
	while read -r now <$net/carrier_down_count && [ "$now" = "$downs" ] && [ $n -lt 200 ]; do
		n=$((n + 1)); usleep 20000
	done
	rigtool carrier ${net##*/} 1 limit=8000 >/dev/null
}
alive() {
	n=0
	while read -r now <$net/statistics/rx_packets && [ $now -lt $((before + 3)) ]; do
		n=$((n + 1)); [ $n -gt 800 ] && { echo '@stalled'; return; }
		usleep 20000
	done
}
rigtool state ${net##*/} >$old
while read -r kind command; do
	read -r downs <$net/carrier_down_count
	eval "$command" </dev/null 2>&1
	printf '\n@status %s\n' $?
	case $kind in link | up) linked $kind ;; esac
	read -r before <$net/statistics/rx_packets
	rigtool state ${net##*/} >$new
	diff -U0 $old $new
	last=$old old=$new new=$last
	[ $kind = silent ] || alive
	echo @end
done </tmp/cases
"""


@dataclasses.dataclass
class Outcome:
    """What became of a command."""
    command: str
    status: int
    said: str
    changed: dict        # name: (before, after), None for what was not there
    stalled: bool


def parse_state(text):
    """{name: value} of rigtool state's output."""
    return dict(line.partition(" ")[::2] for line in text.splitlines() if " " in line)


def _parse(command, text):
    said, _, rest = text.partition("\n@status ")
    status, _, rest = rest.partition("\n")
    changed = {}
    for sign, name, value in re.findall(r"^([-+])(\S+) (.*)$", rest, re.M):
        if name not in ("--", "++"):
            old, new = changed.get(name, (None, None))
            changed[name] = (value, new) if sign == "-" else (old, value)
    return Outcome(command, int(status), said.strip(), changed, "@stalled" in rest)


def write_file(guest, path, text, piece=3000):
    """A file of any length; the tty takes commands of some kilobytes only."""
    guest.sh(f": >{path}")
    lines, size = [], 0
    for line in text.strip("\n").splitlines() + [None]:
        if line is None or size + len(line) > piece:
            guest.sh(f"cat >>{path} <<'END-OF-PIECE'\n" + "\n".join(lines) + "\nEND-OF-PIECE")
            lines, size = [], 0
        if line is not None:
            lines.append(line)
            size += len(line) + 1


class Bench:
    """A port whose settings are changed while a flow goes over it."""

    def __init__(self, nic):
        self.nic = nic
        write_file(nic.guest, "/tmp/settings.sh", SCRIPT)
        self.base = self.state()

    def state(self):
        """{name: value} of all that can be set."""
        return parse_state(self.nic.guest.sh(f"rigtool state {self.nic.name}"))

    def run(self, cases, timeout=300):
        """An Outcome for each (kind, command): link waits for a new link, up for any,
        silent not even for the flow."""
        guest = self.nic.guest
        write_file(guest, "/tmp/cases", "\n".join(f"{kind} {command}" for kind, command in cases))
        said = guest.sh(f"sh /tmp/settings.sh {self.nic.name}", timeout)
        parts = said.split("@end\n")
        parts = [part for part in parts if "@status" in part]
        assert len(parts) == len(cases), said
        return [_parse(command, part) for (_, command), part in zip(cases, parts)]


@contextlib.contextmanager
def flowing(nic, wire, processes=2, size=200, step=1000, pause=20000):
    """Datagrams that go to a mirror and come back, each as it was; yields what counts them."""
    guest = nic.guest
    with Mirror(wire) as mirror:
        guest.sh(f"ip addr replace {HERE}/24 dev {nic.name}")
        job = guest.spawn(f"rigtool udpbeat {THERE} 7 processes={processes} size={size} "
                          f"step={step} pause={pause}")
        try:
            job.wait_output("ready")
            yield mirror
            guest.sh("for p in $(ps -o pid,args | awk '/[r]igtool udpbeat/ {print $1}'); do "
                     "kill $p; done; true")
            said = job.wait(20)
            beats = re.findall(r"answered (\d+) lost (\d+) wrong (\d+)", said)
            assert len(beats) == processes, said
            assert not any(int(wrong) for _, _, wrong in beats), said
            assert all(int(done) for done, _, _ in beats), said
        finally:
            if guest.usable:
                job.kill()
                guest.sh(f"ip addr flush dev {nic.name}")
