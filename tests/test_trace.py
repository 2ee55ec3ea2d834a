# SPDX-License-Identifier: GPL-2.0
"""Tracepoints: each step of a frame's journey, in order, with numbers that agree."""
import xml.etree.ElementTree as ET

import pytest
from rig import follow, frames, peers
from rig.frames import PEER
from rig.trace import TRACE, traced
from test_xdp import attach

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))

RING = 256
SIZES = (20, 60, 128, 129, 1000, 1514)
PAGE = 3072             # what a receive buffer takes


@pytest.fixture
def nic(fresh_nic):
    """Rings from their start."""
    return fresh_nic


def watched(nic, action, wanted):
    """[(event, fields)] of eth0 while @action runs, once the trace has as many lines of
    each event as @wanted says."""
    guest = nic.guest
    with traced(guest, "igb_demo"):
        action()
        for event, count in wanted.items():
            guest.until(f"grep -c ' {event}: dev={nic.name} ' {TRACE}; true", rf"^{count}$")
    return [(event.name, event.fields) for event in follow.parse(guest.sh(f"cat {TRACE}"))
            if event.fields.get("dev") == nic.name]


def names(seen):
    """The events alone."""
    return [event for event, _ in seen]


def only(seen, name, field, convert=int):
    """A field of all events of one name."""
    return [convert(fields[field]) for event, fields in seen if event == name]


class TestTransmit:
    """Frame, descriptors, doorbell, reclaim."""

    def test_frames(self, nic, wire):
        """One by one, short ones padded."""
        wire.drain()
        seen = watched(nic, lambda: nic.guest.sh(
            f"taskset 1 rigtool send {nic.name} dst={PEER} sizes={','.join(map(str, SIZES))}"),
            {"igb_tx_doorbell": len(SIZES)})
        assert len(wire.collect(len(SIZES))) == len(SIZES)
        out = [(event, fields) for event, fields in seen if event in (
            "igb_xmit", "igb_tx_desc", "igb_tx_doorbell")]
        assert names(out) == ["igb_xmit", "igb_tx_desc", "igb_tx_doorbell"] * len(SIZES)
        sent = [max(size, 60) for size in SIZES]
        assert only(out, "igb_xmit", "len") == list(SIZES)
        assert only(out, "igb_tx_desc", "len") == sent
        assert only(out, "igb_tx_desc", "index") == list(range(len(SIZES)))
        assert only(out, "igb_tx_doorbell", "tail") == list(range(1, len(SIZES) + 1))
        assert set(only(out, "igb_tx_desc", "cmd", str)) == {"EOP|IFCS|RS|DEXT"}
        assert all(int(addr, 16) for addr in only(out, "igb_tx_desc", "addr", str))
        assert {fields["queue"] for _, fields in out} == {"0"}
        tail = nic.guest.sh(f"rigtool mmio {nic.pci} {follow.TDT:#x}")
        assert int(tail, 16) == len(SIZES)
        self.assert_reclaimed(seen, len(sent), sum(sent))

    @staticmethod
    def assert_reclaimed(seen, packets, total):
        """All is given back, none before its doorbell."""
        assert sum(only(seen, "igb_tx_reclaim", "packets")) == packets
        assert sum(only(seen, "igb_tx_reclaim", "bytes")) == total
        told = 0
        for event, fields in seen:
            if event == "igb_tx_doorbell":
                told = int(fields["tail"])
            elif event == "igb_tx_reclaim":
                assert int(fields["head"]) <= told
        assert only(seen, "igb_tx_reclaim", "head")[-1] == told

    def test_pieces(self, nic, wire):
        """A context first, and the last piece ends the frame."""
        nic.guest.sh(f"ip addr add 198.18.0.1/24 dev {nic.name} && ip neigh replace 198.18.0.2 "
                     f"lladdr {PEER} dev {nic.name} nud permanent")
        wire.drain()
        seen = watched(nic, lambda: nic.guest.sh(
            "taskset 1 rigtool datagram 198.18.0.2 9 pieces=3 piece=400"), {"igb_tx_doorbell": 1})
        kinds = only(seen, "igb_tx_desc", "type", str)
        assert kinds[0] == "CTXT" and set(kinds[1:]) == {"DATA"} and len(kinds) > 3
        lengths = only(seen, "igb_tx_desc", "len")
        assert lengths[0] == 0 and sum(lengths) == only(seen, "igb_xmit", "len")[0] == 1242
        first, *middle, last = only(seen, "igb_tx_desc", "cmd", str)
        assert first == "DEXT" and set(middle) == {"IFCS|DEXT"} and last == "EOP|IFCS|RS|DEXT"
        assert only(seen, "igb_tx_doorbell", "tail") == [len(kinds)]
        self.assert_reclaimed(seen, 1, 1242)


class TestReceive:
    """Interrupt, descriptors, verdict, delivery, poll."""

    @staticmethod
    def received(nic, wire, sizes):
        """What is told of frames of @sizes."""
        many = frames.of_sizes(nic.mac, sizes)
        return watched(nic, lambda: wire.burst(many), {"igb_rx_deliver": len(sizes)})

    @pytest.mark.parametrize("sizes", ((60,), SIZES[1:]), ids=("lone", "several"))
    def test_frames(self, nic, wire, box, sizes):
        """Each descriptor's frame is delivered before the next."""
        seen = self.received(nic, wire, sizes)
        assert names(seen)[0] == "igb_interrupt"
        vector, icr, causes = (only(seen, "igb_interrupt", field, str)[0]
                               for field in ("vector", "icr", "causes")) if not box.msi else \
            (*(only(seen, "igb_interrupt", field, str)[0] for field in ("vector", "icr")), "")
        if box.msi:
            assert int(vector) == only(seen, "igb_rx_desc", "queue")[0] + 1
            assert int(icr, 16) == 0
        else:
            assert vector == "0" and "RXDW" in causes and int(icr, 16) & 0x80
        frame = [(event, fields) for event, fields in seen
                 if event in ("igb_rx_desc", "igb_rx_deliver")]
        assert names(frame) == ["igb_rx_desc", "igb_rx_deliver"] * len(sizes)
        assert only(seen, "igb_rx_desc", "len") == list(sizes)
        assert only(seen, "igb_rx_deliver", "len") == list(sizes)
        assert only(seen, "igb_rx_desc", "index") == list(range(len(sizes)))
        assert all(status.startswith("DD|EOP") for status in only(seen, "igb_rx_desc", "status",
                                                                  str))
        assert set(only(seen, "igb_poll", "budget")) == {64}
        assert sum(only(seen, "igb_poll", "work_done")) == len(sizes)

    def test_several_buffers(self, nic, wire):
        """A jumbo frame: the last descriptor says that it is."""
        nic.set_mtu(9000)
        seen = self.received(nic, wire, (9014,))
        assert only(seen, "igb_rx_desc", "len") == [PAGE, PAGE, 9014 - 2 * PAGE]
        assert ["EOP" in status for status in only(seen, "igb_rx_desc", "status", str)] == \
            [False, False, True]
        assert only(seen, "igb_rx_deliver", "len") == [9014]

    @pytest.mark.parametrize("program, action", (
        ("pass", "PASS"), ("drop", "DROP"), ("aborted", "ABORTED"), ("back", "TX"),
        ("redirect", "REDIRECT"), ("nonsense", "0x4d")))
    def test_verdict(self, nic, wire, program, action):
        """Whatever a program decides is told between descriptor and what comes of it."""
        nic.guest.allow_log("Illegal XDP return value 77|invalid XDP action")
        attach(nic, program)
        back = action in ("TX", "REDIRECT")
        want = ["igb_rx_desc", "igb_xdp_verdict"] + ["igb_rx_deliver"] * (action == "PASS") \
            + ["igb_tx_desc", "igb_tx_doorbell"] * back
        seen = watched(nic, lambda: wire.burst(frames.of_sizes(nic.mac, (200,))),
                       {"igb_poll": "[1-9]", "igb_xdp_verdict": 1})
        told = [event for event in names(seen) if event in (*want, "igb_rx_deliver", "igb_xmit")]
        assert told == want
        assert only(seen, "igb_xdp_verdict", "action", str) == [action]
        assert only(seen, "igb_rx_desc", "len") == [200]
        assert only(seen, "igb_tx_desc", "len") == [200] * back


def test_off(nic, wire):
    """Nothing is told that nobody asked for."""
    guest = nic.guest
    with traced(guest, "igb_demo"):
        nic.transmit(f"dst={PEER} repeat=10")
        guest.until(f"cat {TRACE}", " igb_tx_doorbell: ")
    guest.sh(f"echo >{TRACE}")
    wire.drain()
    with nic.receiving("until=9") as seen:
        wire.burst(frames.series(nic.mac, 10, 60))
    nic.transmit(f"dst={PEER} repeat=10")
    assert len(seen) == 10 and len(wire.collect(10)) == 10
    assert not follow.parse(guest.sh(f"cat {TRACE}"))


class TestFollow:
    """What scripts/follow-packet makes of it."""

    @pytest.fixture
    def steps(self, nic, wire):
        """Of a ping to the other end of the wire."""
        nic.guest.sh(f"ip addr add 10.0.2.15/24 dev {nic.name}")
        with peers.Mirror(wire):
            return follow.follow(nic.guest)

    def test_story(self, steps):
        """Every step in order, with numbers that agree."""
        for way, stops in (("out", follow.OUT), ("in", follow.IN)):
            assert [step.stop for step in steps if step.way == way] == list(stops)
        assert steps[0].micros == 0
        assert [step.micros for step in steps] == sorted(step.micros for step in steps)
        fields = {step.stop.event: step.event.fields for step in steps}
        tail = fields["igb_tx_doorbell"]["tail"]
        assert int(tail) == (int(fields["igb_tx_desc"]["index"]) + 1) % RING
        assert fields["igb_tx_reclaim"]["head"] == tail
        assert fields["igb_tx_reclaim"]["packets"] == fields["igb_poll"]["work_done"] == "1"
        assert fields["net_dev_start_xmit"]["len"] == fields["igb_rx_desc"]["len"] == "98"
        assert int(fields["netif_receive_skb"]["len"]) == 98 - 14
        text = follow.story(steps)
        places = [text.index(step.stop.title) for step in steps]
        assert places == sorted(places)
        register = follow.TDT + 0x40 * int(fields["igb_tx_doorbell"]["queue"])
        assert f"({register:#07x}) is written: {tail}" in text

    def test_picture(self, steps):
        """Well-formed, a dot and two lines of text for each step, and nothing overlaps."""
        root = ET.fromstring(follow.draw(steps))
        space = "{http://www.w3.org/2000/svg}"
        assert len(root.findall(f"{space}circle")) == len(steps)
        texts = [(float(text.get("x")), float(text.get("y")), float(text.get("font-size")),
                  text.text) for text in root.findall(f"{space}text")]
        for step in steps:
            assert {step.stop.title, step.detail} <= {text for *_, text in texts}
        # A letter is half as wide as it is high, or a little more.
        assert all(x + 0.58 * size * len(text) <= follow.WIDTH for x, _, size, text in texts)
        words = sorted(y for x, y, *_ in texts if x > follow.LEFT + 3 * follow.LANE)
        assert all(after - before >= 15 for before, after in zip(words[1:], words[2:]))


def test_lost():
    """A journey that was not seen to its end is none."""
    with pytest.raises(follow.FollowError, match="on the way out, igb_xmit was not seen"):
        follow.journey([follow.Event(1.0, 0, "net_dev_start_xmit", "dev=eth0 len=98 x=0")])
