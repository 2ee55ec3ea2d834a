# SPDX-License-Identifier: GPL-2.0
"""Frames whose every byte is known from their number and size; see guest/frames.c."""
import dataclasses
import functools
import struct

from scapy.layers.l2 import Dot1Q, Ether

ETHERTYPE = 0x88B5     # IEEE 802 local experimental 1
MAGIC = 0x49474244
PERIOD = 251
MAC_HEADER = 14
HEADER = struct.Struct(">III")
MINIMUM = 60           # without the frame check sequence
SMALLEST = MAC_HEADER + HEADER.size
BROADCAST = "ff:ff:ff:ff:ff:ff"
PEER = "52:54:00:aa:00:01"
_FILL = bytes(range(PERIOD)) * 300


def body(number, length):
    """The bytes after the EtherType."""
    start = number * 17 % PERIOD
    fill = _FILL[start:start + max(0, length - HEADER.size)]
    return (HEADER.pack(MAGIC, number, length) + fill)[:length]


@functools.lru_cache(maxsize=None)
def _header(dst, src, vlan):
    """What is in front of the body; scapy takes its time, and few differ."""
    if vlan is None:
        return bytes(Ether(dst=dst, src=src, type=ETHERTYPE))
    return bytes(Ether(dst=dst, src=src) / Dot1Q(vlan=vlan & 0xfff, prio=vlan >> 13,
                                                 type=ETHERTYPE))


def build(number, size, dst, src=PEER, vlan=None):
    """A frame of @size bytes, its VLAN tag not counted, not padded."""
    return _header(dst, src, vlan) + body(number, size - MAC_HEADER)


def series(dst, count, size, start=0):
    """@count frames of one size, numbered from @start."""
    return [build(start + number, size, dst) for number in range(count)]


def of_sizes(dst, sizes):
    """A frame of each size, numbered from 0."""
    return [build(number, size, dst) for number, size in enumerate(sizes)]


def padded(frame):
    """As it must look on the wire: at least 60 bytes."""
    return frame + bytes(max(0, MINIMUM - len(frame)))


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a receiver noted about one frame."""
    number: int
    size: int            # tag not counted
    vlan: int            # tag control information, -1 without a tag
    kind: int            # PACKET_HOST 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3
    dst: str
    fault: str           # "" when every byte was right


def parse_receiver(text):
    """rigtool recv's output: the frames, and how many its socket dropped."""
    seen = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 6 and words[0].isdigit():
            fault = "" if words[5] == "ok" else f"wrong at body offset {words[5]}"
            seen.append(Seen(int(words[0]), int(words[1]), int(words[2]), int(words[3]),
                             words[4], fault))
        elif line.startswith("frames "):
            if int(words[3]):
                raise AssertionError(f"the receiver's socket dropped frames: {line}")
            return seen
    raise AssertionError(f"the receiver did not finish:\n{text}")


def summary(seen):
    """What is to be compared of the frames that a receiver saw."""
    return [(frame.number, frame.size, frame.fault) for frame in seen]


def expected(sizes):
    """summary() of of_sizes(), all of them received as they were sent."""
    return [(number, size, "") for number, size in enumerate(sizes)]


def is_ours(frame):
    """Whether rigtool or build() made it."""
    at = 16 if frame[12:14] == b"\x81\x00" else 12
    return (frame[at:at + 2] == struct.pack(">H", ETHERTYPE)
            and frame[at + 2:at + 6] == struct.pack(">I", MAGIC))


def number_of(frame):
    """The number inside one of our frames."""
    at = 18 if frame[12:14] == b"\x81\x00" else 14
    return HEADER.unpack_from(frame, at)[1]
