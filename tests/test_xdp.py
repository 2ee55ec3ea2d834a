# SPDX-License-Identifier: GPL-2.0
"""XDP: every verdict, on frames of one buffer and of several."""
import pytest
from rig import frames
from rig.frames import PEER
from rig.trace import TRACE, traced
from test_wire import pour

pytestmark = pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))

SHORTER = (26, 59)
SIZES = (60, 61, 64, 128, 1000, 1513, 1514)
LONGER = (1515, 3071, 3072, 3073, 6144, 6145, 9013, 9014)


@pytest.fixture
def nic(fresh_nic):
    """Counters from zero; whatever program was attached goes with the driver."""
    return fresh_nic


def attach(nic, program, kind="xdp", name=None):
    """Attach a program natively."""
    nic.guest.sh(f"ip link set dev {name or nic.name} xdpdrv object /lib/bpf/{kind}.o "
                 f"section {kind} program {program}")


def detach(nic):
    """No program any more."""
    nic.guest.sh(f"ip link set dev {nic.name} xdpdrv off")


def counted(nic, name):
    """A counter of all queues."""
    return sum(value for key, value in nic.statistics().items()
               if key.startswith("rx_queue_") and key.endswith(name))


def assert_back(nic, wire, sizes):
    """What is sent comes back as it was, with its addresses exchanged."""
    mac = nic.mac
    wire.drain()
    wire.burst(frames.of_sizes(mac, sizes))
    got = wire.collect(len(sizes), timeout=15)
    want = [frames.build(number, size, PEER, mac) for number, size in enumerate(sizes)]
    assert len(got) == len(want)
    for number, frame in enumerate(want):
        assert got[number] == frame, f"frame {number} of {len(frame)} bytes"


def assert_passes(nic, wire, sizes):
    """What is sent reaches the stack, all of it."""
    with nic.receiving(f"until={len(sizes) - 1}") as seen:
        wire.burst(frames.of_sizes(nic.mac, sizes))
    assert frames.summary(seen) == frames.expected(sizes)


@pytest.mark.guest("wire", ("msix-2cpu",))
@pytest.mark.parametrize("mtu, kind, sizes", (
    (1500, "xdp", SIZES), (3000, "xdp", SIZES + LONGER[:1]),
    (9000, "xdp.frags", SIZES + LONGER)), ids=("1500", "3000", "9000-frags"))
class TestVerdicts:
    """One program after the other."""

    def test_pass(self, nic, wire, mtu, kind, sizes):
        """As if there were none."""
        nic.set_mtu(mtu)
        attach(nic, "pass", kind)
        assert_passes(nic, wire, sizes)

    @pytest.mark.parametrize("program, counter", (("drop", "xdp_drop"), ("aborted", "xdp_failed"),
                                                  ("nonsense", "xdp_failed")))
    def test_gone(self, nic, wire, mtu, kind, sizes, program, counter):
        """Counted, and traced where it was a mistake; then the next ones pass."""
        nic.guest.allow_log("Illegal XDP return value 77|invalid XDP action")
        nic.set_mtu(mtu)
        attach(nic, program, kind)
        with traced(nic.guest, "xdp/xdp_exception"):
            wire.burst(frames.of_sizes(nic.mac, sizes))
            nic.guest.until(f"ethtool -S {nic.name} | awk '/{counter}/ {{ n += $2 }} END "
                            "{ print n }'", rf"^{len(sizes)}$")
        mistakes = nic.guest.sh(f"grep -c xdp_exception: {TRACE}; true")
        assert int(mistakes) == (0 if program == "drop" else len(sizes))
        detach(nic)
        assert_passes(nic, wire, sizes)
        assert nic.counters()["rx_dropped"] == 0

    @pytest.mark.parametrize("program, counter", (("back", "xdp_tx"),
                                                  ("redirect", "xdp_redirect")))
    def test_back(self, nic, wire, mtu, kind, sizes, program, counter):
        """Out again: XDP_TX, and a redirection to the same port."""
        nic.set_mtu(mtu)
        attach(nic, program, kind)
        for turn in range(1, 4):
            assert_back(nic, wire, sizes)
            assert counted(nic, counter) == turn * len(sizes)

    def test_sort(self, nic, wire, mtu, kind, sizes):
        """Some pass, with metadata in front, and some go back."""
        nic.set_mtu(mtu)
        attach(nic, "sort", kind)
        wire.drain()
        with nic.receiving(f"until={(len(sizes) - 1) & ~1}") as seen:
            wire.burst(frames.of_sizes(nic.mac, sizes))
        assert frames.summary(seen) == frames.expected(sizes)[::2]
        got = wire.collect(len(sizes) // 2)
        assert got == [frames.build(number, sizes[number], PEER, nic.mac)
                       for number in range(1, len(sizes), 2)]

    def test_grow(self, nic, wire, mtu, kind, sizes):
        """Sixteen bytes more than came in."""
        nic.set_mtu(mtu)
        attach(nic, "grow", kind)
        mac = nic.mac
        wire.drain()
        wire.burst(frames.of_sizes(nic.mac, sizes))
        got = wire.collect(len(sizes), match=lambda frame: len(frame) >= 76)
        for number, size in enumerate(sizes):
            plain = frames.build(number, size, PEER, mac)
            assert got[number] == plain[:14] + b"\x42\x42" + frames.build(number, size, mac)


@pytest.mark.guest("wire", ("msix-2cpu",))
@pytest.mark.parametrize("mtu, kind, sizes", (
    (1500, "xdp", SIZES), (9000, "xdp.frags", SIZES + LONGER)), ids=("1500", "9000-frags"))
class TestRedirection:
    """Where a program's map says."""

    def test_port(self, nic, wire, mtu, kind, sizes):
        """A devmap: out again."""
        nic.set_mtu(mtu)
        attach(nic, "to_port", kind)
        nic.guest.sh(f"rigtool bpfmap ports 1 {nic.sysfs('ifindex')}")
        for turn in range(1, 4):
            assert_back(nic, wire, sizes)
            assert counted(nic, "xdp_redirect") == turn * len(sizes)

    def test_cpu(self, nic, wire, mtu, kind, sizes):
        """A cpumap: to the stack on one CPU or the other, which gives the memory back."""
        nic.set_mtu(mtu)
        attach(nic, "to_cpu", kind)
        nic.guest.sh("rigtool bpfmap cpus 0 64 && rigtool bpfmap cpus 1 64")
        for turn in range(1, 3):
            with nic.receiving(f"count={len(sizes)}") as seen:
                wire.burst(frames.of_sizes(nic.mac, sizes))
            assert sorted((frame.number, frame.size, frame.fault) for frame in seen) == \
                [(number, size, "") for number, size in enumerate(sizes)]
            assert counted(nic, "xdp_redirect") == turn * len(sizes)

    def test_nowhere(self, nic, wire, mtu, kind, sizes):
        """An empty place in a map, an interface that takes no frames: counted, not leaked."""
        nic.set_mtu(mtu)
        for turn, program in enumerate(("to_port", "astray"), 1):
            attach(nic, program, kind)
            for _ in range(20):
                wire.burst(frames.of_sizes(nic.mac, sizes))
            nic.guest.until(f"ethtool -S {nic.name} | awk '/xdp_failed/ {{ n += $2 }} END "
                            "{ print n }'", rf"^{turn * 20 * len(sizes)}$")
            detach(nic)
            assert_passes(nic, wire, sizes)
        nic.guest.sh("rmmod igb_demo")
        nic.guest.until("rigtool pagepools | awk '$2 == 0' | wc -l", "^0$", timeout=5)
        nic.load()


@pytest.fixture
def other(nic):
    """A virtual cable: what is sent into its end veth1, a program on veth0 may redirect."""
    nic.guest.sh("ip link add veth0 type veth peer name veth1 && "
                 "ip link set veth0 up && ip link set veth1 up")
    yield "veth0"
    nic.guest.sh("ip link del veth0")


class TestForwarding:
    """Frames of another interface, sent by this port, which has no program."""

    @pytest.mark.guest("wire", ("msix-2cpu",))
    @pytest.mark.parametrize("kind, sizes", (
        ("xdp", SHORTER + SIZES), ("xdp.frags", SHORTER + SIZES + LONGER)),
                             ids=("1500", "9000-frags"))
    def test_sent(self, nic, wire, other, kind, sizes):
        """Each as it was, but for those that come while the port is down."""
        guest = nic.guest
        nic.set_mtu(9000)
        attach(nic, "to_port", kind, other)
        guest.sh(f"for end in veth0 veth1; do ip link set $end mtu {max(sizes) - 14}; done; "
                 f"rigtool bpfmap ports 1 {nic.sysfs('ifindex')}")
        mac, source = nic.mac, guest.read("/sys/class/net/veth1/address")
        send = f"rigtool send veth1 dst={mac} sizes={','.join(map(str, sizes))}"
        want = [frames.padded(frames.build(number, size, source, mac))
                for number, size in enumerate(sizes)]
        wire.drain()
        for turn in range(1, 3):
            guest.sh(send)
            assert wire.collect(len(want), timeout=10) == want
            assert nic.counters()["tx_packets"] == turn * len(want)
            if turn == 1:
                nic.down()
                guest.sh(send)
                nic.up()

    def test_many(self, nic, wire, other):
        """More than the ring has places, while the stack sends, too."""
        attach(nic, "to_port", name=other)
        nic.guest.sh(f"rigtool bpfmap ports 1 {nic.sysfs('ifindex')}")
        wire.drain()
        sender = nic.guest.spawn(f"rigtool send {nic.name} dst={PEER} sizes=300 repeat=2000")
        nic.guest.sh(f"rigtool send veth1 dst={nic.mac} sizes=200 repeat=2000", timeout=60)
        sender.wait(30)
        got = wire.collect(2000, match=lambda frame: len(frame) == 200, timeout=20)
        assert [frames.number_of(frame) for frame in got] == list(range(2000))


class TestAttaching:
    """Programs come and go."""

    def test_under_traffic(self, nic, wire):
        """Not a frame is lost, the link does not notice."""
        guest = nic.guest
        since = guest.log_position()
        swapper = guest.spawn("while :; do for kind in xdp xdp.frags; do "
                              f"ip link set dev {nic.name} xdpdrv object /lib/bpf/$kind.o section "
                              f"$kind program pass && ip link set dev {nic.name} xdpdrv off || "
                              "exit; done; done")
        many = frames.series(nic.mac, 100, 100)
        with nic.receiving(f"count={40 * len(many)} idle=8000") as seen:
            for turn in range(40):
                wire.burst(many)
                guest.until(f"cat /sys/class/net/{nic.name}/statistics/rx_packets",
                            rf"^{(turn + 1) * len(many)}$", step=0.005)
        assert len(seen) == 40 * len(many)
        swapper.kill()
        assert not [line for line in guest.dmesg(since) if "igb_demo" in line.text]

    def test_many_rings(self, nic, wire):
        """More frames than rings have places."""
        attach(nic, "back")
        mac = nic.mac
        wire.drain()
        pour(nic, wire, frames.of_sizes(nic.mac, [200] * 2000), 200)
        assert wire.collect(2000) == [frames.build(number, 200, PEER, mac)
                                      for number in range(2000)]
        assert counted(nic, "xdp_failed") == 0

    def test_kept(self, nic, wire):
        """A program stays when rings change, the port goes down and up, or is reset."""
        attach(nic, "back")
        for upset in ("ip link set {} down; ip link set {} up", "ethtool -G {} rx 128 tx 128",
                      "echo 1 >/sys/class/net/{}/device/reset"):
            nic.guest.sh(upset.replace("{}", nic.name)
                         + f"; rigtool carrier {nic.name} 1")
            assert_back(nic, wire, SIZES)

    def test_beside_the_stack(self, nic, wire):
        """The stack sends through the same ring meanwhile."""
        attach(nic, "back")
        wire.drain()
        sender = nic.guest.spawn(f"rigtool send {nic.name} dst={PEER} sizes=300 repeat=2000")
        pour(nic, wire, frames.series(nic.mac, 1000, 200), 100)
        sender.wait(30)
        got = wire.collect(3000, timeout=20)
        assert sum(len(frame) == 300 for frame in got) == 2000
        assert sum(len(frame) == 200 for frame in got) == 1000

    def test_refused(self, nic, wire):
        """A program that takes no fragments, and an MTU that makes some, in either order."""
        nic.set_mtu(9000)
        said, status = nic.guest.sh_status(
            f"ip link set dev {nic.name} xdpdrv object /lib/bpf/xdp.o section xdp program drop")
        assert status and "takes no fragments" in said
        assert_passes(nic, wire, SIZES + LONGER)
        nic.set_mtu(1500)
        attach(nic, "back")
        nic.guest.expect_log("takes no fragments")
        _, status = nic.guest.sh_status(f"ip link set {nic.name} mtu 9000")
        assert status and nic.sysfs("mtu") == "1500"
        assert_back(nic, wire, SIZES)

    def test_unload(self, nic, wire):
        """rmmod with a program attached."""
        attach(nic, "back")
        assert_back(nic, wire, SIZES)
        nic.guest.sh("rmmod igb_demo")
        nic.load()
        assert_passes(nic, wire, SIZES)
