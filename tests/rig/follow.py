# SPDX-License-Identifier: GPL-2.0
"""One ping, followed by the kernel's trace events: request out, reply in."""
import contextlib
import dataclasses
import re
import typing
from xml.sax.saxutils import escape

from .trace import TRACE, TRACING, traced

PING = "ping -c 1 -W 5"
LENGTH = 98             # of both frames: Ethernet, IP and ICMP headers, 56 bytes
TDT = 0xe018            # of queue 0; of the next 0x40 further on
TRIES = 3

LINE = re.compile(r"\[(\d+)\] +\S+ +(\d+\.\d+): (\w+): (.*)")


class FollowError(AssertionError):
    """A step of the journey was not seen."""


@dataclasses.dataclass(frozen=True)
class Event:
    """A line of the trace."""
    seconds: float
    cpu: int
    name: str
    text: str

    @property
    def fields(self):
        """{name: value}, both as text."""
        return dict(re.findall(r"(\w+)=(\S+)", self.text))


class Stop(typing.NamedTuple):
    """A stop of the journey: which event, and what is said of it."""
    event: str
    wanted: str         # what its text must contain
    lane: str
    title: str
    detail: str         # of its fields


@dataclasses.dataclass(frozen=True)
class Step:
    """A stop that was seen."""
    micros: int
    way: str            # "out" or "in"
    stop: Stop
    event: Event

    @property
    def detail(self):
        """The event's numbers, in words."""
        values = self.event.fields
        if "queue" in values:
            values["tdt"] = f"{TDT + 0x40 * int(values['queue']):#07x}"
        return self.stop.detail.format(**values)


WAYS = {"out": "the request's way out", "in": "the reply's way in"}
ARROWS = {"out": "->", "in": "<-"}
LANES = ("stack", "driver", "ring", "chip")

OUT = (
    Stop("net_dev_start_xmit", f" len={LENGTH} ", "stack", "The stack hands the frame over",
         "{len} bytes, Ethernet header and all, in an sk_buff"),
    Stop("igb_xmit", f" len={LENGTH}", "driver", "igb_xmit_frame() takes it",
         "for transmit queue {queue}"),
    Stop("igb_tx_desc", f" len={LENGTH} ", "ring", "A descriptor tells where it lies",
         "number {index}: {len} bytes at {addr}, {cmd}"),
    Stop("igb_tx_doorbell", "tail=", "chip", "Doorbell: the chip may fetch it",
         "register TDT{queue} ({tdt}) is written: {tail}, one behind the last descriptor"),
    Stop("igb_tx_reclaim", "head=", "driver", "The chip has sent it, its memory is taken back",
         "all before descriptor {head}: {packets} frame(s), {bytes} bytes"),
)
IN = (
    Stop("irq_handler_entry", "name=eth0", "chip", "The reply has come: interrupt",
         "Linux' number {irq}, {name} in /proc/interrupts"),
    Stop("igb_interrupt", "vector=", "driver", "The handler asks for a poll, and is done",
         "vector {vector} of the chip, ICR {icr}"),
    Stop("softirq_entry", "NET_RX", "stack", "The kernel finds time for it: softirq",
         "NET_RX, which calls igb_poll()"),
    Stop("igb_rx_desc", f" len={LENGTH} ", "ring", "The chip has filled a buffer",
         "descriptor {index}: {len} bytes, {status}"),
    Stop("igb_rx_deliver", f" len={LENGTH} ", "driver", "The buffer becomes an sk_buff",
         "{len} bytes, hash {hash}, checksum {csum}"),
    Stop("igb_poll", "work_done=", "driver", "Nothing more in the ring",
         "{work_done} frame(s), {budget} would have been allowed"),
    Stop("netif_receive_skb", "dev=eth0", "stack", "The stack has the reply",
         "{len} bytes, without the Ethernet header; IP and ICMP are next, then ping"),
    Stop("napi_poll", "for device eth0", "stack", "NAPI is done, the vector may fire again",
         "until then the chip was not to interrupt"),
)

EVENTS = (
    ("igb_demo", "0"),
    ("net/net_dev_start_xmit", 'name == "eth0"'),
    ("net/netif_receive_skb", 'name == "eth0"'),
    ("irq/irq_handler_entry", 'name ~ "eth0*"'),
    ("irq/softirq_entry", "vec == 3"),
    ("napi/napi_poll", "0"),
)


def parse(text):
    """The events of a trace, in its order."""
    return [Event(float(seconds), int(cpu), name, rest)
            for cpu, seconds, name, rest in LINE.findall(text)]


def _walk(events, start, stops, way):
    """(position, Step) of each stop, one after the other."""
    for stop in stops:
        start = next((at for at in range(start, len(events)) if events[at].name == stop.event
                      and stop.wanted in f"{events[at].text} "), None)
        if start is None:
            raise FollowError(f"on the way {way}, {stop.event} was not seen")
        yield start, Step(0, way, stop, events[start])
        start += 1


def journey(events):
    """The steps of a ping's request and reply, in order."""
    out = list(_walk(events, 0, OUT, "out"))
    doorbell = next(at for at, step in out if step.stop.event == "igb_tx_doorbell")
    # The reply may come before the request's memory has been taken back.
    steps = [step for _, step in sorted([*out, *_walk(events, doorbell, IN, "in")],
                                        key=lambda pair: pair[0])]
    start = steps[0].event.seconds
    return [dataclasses.replace(step, micros=round((step.event.seconds - start) * 1e6))
            for step in steps]


def record(guest, target):
    """The trace of one ping."""
    with contextlib.ExitStack() as stack:
        guest.sh(f"echo mono >{TRACING}/trace_clock")
        for event, only in EVENTS:
            stack.enter_context(traced(guest, event, only))
        # The first one is slow: an emulator translates what it has not run before.
        guest.sh(f"{PING} {target}; echo >{TRACE}; {PING} {target}")
    return guest.sh(f"cat {TRACE}")


def follow(guest, target="10.0.2.2"):
    """The steps of a ping from eth0, whose neighbour is known by then."""
    guest.sh(f"{PING} {target}")
    for left in reversed(range(TRIES)):
        text = record(guest, target)
        try:
            return journey(parse(text))
        except FollowError as error:
            # Something else came in between.
            if not left:
                raise FollowError(f"{error}:\n{text}") from None
    return []


def story(steps):
    """What a learner reads."""
    lines = [f"{arrow} {text}" for arrow, text in zip(ARROWS.values(), WAYS.values())] + [""]
    for step in steps:
        lines.append(f"{step.micros:6} us  {ARROWS[step.way]} {step.stop.lane:6}  "
                     f"{step.stop.title}")
        lines.append(f"{'':22}{step.detail}")
    return "\n".join(lines)


# ------------------------------------------------------------------- the picture

ROW, TOP, LEFT, LANE, WIDTH = 46, 92, 110, 72, 1000
COLOURS = {"out": "#1f6fb2", "in": "#2e8b57"}


def _text(where, text, size=13, colour="#222222", more=""):
    """One line of text at (x, y)."""
    return (f'<text x="{where[0]}" y="{where[1]}" font-size="{size}" fill="{colour}"{more}>'
            f'{escape(text)}</text>')


def _place(number, step):
    """Where a step's dot is."""
    return LEFT + LANES.index(step.stop.lane) * LANE, TOP + number * ROW


def _row(number, step):
    """A step: time, dot, words."""
    x, y = _place(number, step)
    words = LEFT + len(LANES) * LANE - 20
    yield _text((LEFT - 40, y + 5), f"{step.micros} µs", more=' text-anchor="end"')
    yield f'<circle cx="{x}" cy="{y}" r="6" fill="{COLOURS[step.way]}"/>'
    yield _text((words, y), step.stop.title, 14, more=' font-weight="bold"')
    yield _text((words, y + 17), step.detail, 12, "#555555")


def draw(steps):
    """The journey as a picture: time goes down, not to scale."""
    height = TOP + len(steps) * ROW
    bottom = height - ROW + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             _text((24, 30), "One ping", 17, more=' font-weight="bold"'),
             *(_text((120 + 180 * number, 30), WAYS[way], 14, colour)
               for number, (way, colour) in enumerate(COLOURS.items()))]
    for number, lane in enumerate(LANES):
        x = LEFT + number * LANE
        parts += [_text((x, 62), lane, more=' text-anchor="middle"'),
                  f'<line x1="{x}" y1="72" x2="{x}" y2="{bottom}" stroke="#dddddd"/>']
    for number, (step, after) in enumerate(zip(steps, steps[1:])):
        (x1, y1), (x2, y2) = _place(number, step), _place(number + 1, after)
        dashed = "" if step.way == after.way else ' stroke-dasharray="4 4"'
        parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke-width="2" '
                     f'stroke="{COLOURS[after.way]}"{dashed}/>')
    for number, step in enumerate(steps):
        parts += _row(number, step)
    return "\n".join([*parts, "</svg>", ""])
