# SPDX-License-Identifier: GPL-2.0
"""XDP and AF_XDP by programs that know nothing of this driver: Debian's xdp-tools and DPDK.

Of xdp-tools, xdp-trafficgen is left out: Debian 12's finds the kernel unfit, since it tries with
a frame of four bytes, which kernels of today refuse."""
import contextlib
import re

import pytest
from rig import frames
from rig.frames import PEER
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from test_xdp import SIZES, assert_back, assert_passes, counted

# The debug kernel has no BTF, which xdp-tools want, and to its DMA_API_DEBUG a buffer across two
# pages of an application's memory, as DPDK has them, is none that was mapped.
pytestmark = pytest.mark.guest("clients", ("msix-2cpu",), never="debug")

# What the package xdp-tests installs: programs to attach, and a script that runs tests, on
# virtual cables of its own making unless told otherwise.
XDP_TESTS = "/usr/libexec/xdp-tools"
ON_ETH0 = """\
. $TEST_PROG_DIR/tests/$SUITE/test-$SUITE.sh
NEEDED_TOOLS=
mktemp() { command mktemp -d; }
setup() { NS=eth0; }
teardown() { rm -r "$STATEDIR"; }
"""


@pytest.fixture
def nic(fresh_nic):
    """Nothing of another test's client is left, neither process nor pinned map nor lock."""
    guest = fresh_nic.guest
    guest.sh("mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf")
    yield fresh_nic
    if guest.usable:
        guest.sh("killall -KILL dpdk-testpmd tail xdp-bench xdpdump 2>/dev/null; "
                 "rm -rf /sys/fs/bpf/xdp* /run/xdp-*; true")


@contextlib.contextmanager
def running(nic, program, options):
    """One of xdp-tools, from when its program is attached until it is told to end; yields a
    list, to which its output is added."""
    said = []
    job = nic.guest.spawn(f"{program} {options} 2>/tmp/errors")
    nic.guest.until(f"ip link show {nic.name}; cat /tmp/errors {job.base}; ps",
                    r"prog/xdp(.|\n)*(packets on|Redirecting|listening|cpumap/)")
    yield said
    nic.guest.sh(f"killall -TERM {program}")
    said.append(job.wait(20))


class TestXdpTools:
    """Attached by libxdp, whose dispatcher runs several programs in a row."""

    def test_own_tests(self, nic, wire):
        """One of its own tests, on this port."""
        nic.guest.sh(f"echo '{ON_ETH0}' >/tmp/on_eth0")
        said = nic.guest.sh(f"SUITE=xdp-loader bash {XDP_TESTS}/test_runner.sh /tmp/on_eth0 "
                            "test_load_incremental", timeout=60)
        assert said.count("PASS") == 1, said
        assert_passes(nic, wire, SIZES)

    def test_loader(self, nic, wire):
        """A program that passes frames on, one that drops them; then only the first."""
        guest = nic.guest
        guest.sh(f"xdp-loader load -m native {nic.name} {XDP_TESTS}/xdp_pass.o "
                 f"{XDP_TESTS}/xdp_drop.o")
        status = guest.sh(f"xdp-loader status {nic.name}")
        assert re.search(r"eth0\s+xdp_dispatcher\s+native", status)
        wire.burst(frames.of_sizes(nic.mac, SIZES))
        guest.until(f"ethtool -S {nic.name}", rf"rx_queue_0_xdp_drop: {len(SIZES)}\n")
        number = re.search(r"xdp_drop +(\d+)", status)[1]
        guest.sh(f"xdp-loader unload {nic.name} --id {number}")
        assert_passes(nic, wire, SIZES)
        guest.sh(f"xdp-loader unload {nic.name} --all")
        assert "No XDP program" in guest.sh(f"xdp-loader status {nic.name}")
        assert_passes(nic, wire, SIZES)

    def test_filter(self, nic, wire):
        """One sender is not heard, the other is."""
        guest, mac, outcast = nic.guest, nic.mac, "52:54:00:aa:00:02"
        guest.sh(f"xdp-filter load -m native -f ethernet {nic.name} && "
                 f"xdp-filter ether -m src {outcast}")
        with nic.receiving("until=99") as seen:
            wire.burst([frames.build(number, 100, mac, PEER if number % 3 == 0 else outcast)
                        for number in range(100)])
        assert [(frame.number, frame.fault) for frame in seen] == \
            [(number, "") for number in range(0, 100, 3)]
        assert counted(nic, "xdp_drop") == 66
        assert re.search(rf"{outcast} +src +66\b", guest.sh("xdp-filter status"))
        guest.sh(f"xdp-filter unload {nic.name}")

    def test_bench_drop(self, nic, wire):
        """It counts what the driver counts."""
        with running(nic, "xdp-bench", f"drop -i 1 {nic.name}") as said:
            nic.guest.sh("sleep 1.5")
            wire.burst(frames.series(nic.mac, 50, 100))
            nic.guest.sh("sleep 1.5")
        assert re.search(r"Packets received +: 50\b", said[0])
        assert re.search(r"Rx dropped +: 50\b", said[0])
        assert counted(nic, "xdp_drop") == 50

    @pytest.mark.parametrize("how", ("tx -p swap-macs", "redirect-map", "redirect-cpu"))
    def test_bench(self, nic, wire, how):
        """Out again, at once or through a devmap; to the stack by way of the other CPU."""
        options = {"redirect-map": "{0} {0}", "redirect-cpu": "-c 1 -p no-touch -i 1 {0}"}
        with running(nic, "xdp-bench", f"{how} {options.get(how, '{0}').format(nic.name)}"):
            (assert_passes if how == "redirect-cpu" else assert_back)(nic, wire, SIZES)
        assert counted(nic, "xdp_tx" if "tx" in how else "xdp_redirect") == len(SIZES)
        assert_passes(nic, wire, SIZES)

    def test_dump(self, nic, wire):
        """Every byte is what the program saw, before and after."""
        nic.guest.sh(f"xdp-loader load -m native {nic.name} {XDP_TESTS}/xdp_pass.o")
        with running(nic, "xdpdump", f"-i {nic.name} --rx-capture entry,exit -x") as said:
            assert_passes(nic, wire, SIZES)
        dumps = [bytes.fromhex("".join(re.findall(r"0x[0-9a-f]{4}: ((?: [0-9a-f]{2})+)", dump)))
                 for dump in re.split(r"xdp_pass\(\)@", said[0])[1:]]
        assert dumps == [frame for frame in frames.of_sizes(nic.mac, SIZES) for _ in range(2)]


def start_forwarder(nic, mode, options=""):
    """DPDK's testpmd on the port. Its buffers lie across pages, which only huge pages let it
    have."""
    nic.guest.sh("modprobe xsk_diag; echo 64 >/proc/sys/vm/nr_hugepages")
    job = nic.guest.spawn(
        "tail -f /dev/null | dpdk-testpmd --in-memory --no-telemetry --no-pci -l 0,1 "
        f"--vdev net_af_xdp0,iface={nic.name} -- --forward-mode={mode} --auto-start "
        f"--no-lsc-interrupt --no-flush-rx --total-num-mbufs=8192 {options}")
    # Copies are what libxdp would fall back to, without a word.
    nic.guest.until("ss --xdp --all --extended", r"ifindex:\d+,qid:0,zc:1,")
    nic.guest.sh(f"rigtool carrier {nic.name} 1")
    return job


@contextlib.contextmanager
def forwarder(nic, mode, options=""):
    """It, while the block runs; yields a list, to which what it printed in the end is added."""
    said = []
    job = start_forwarder(nic, mode, options)
    yield said
    nic.guest.sh("killall tail")
    said.append(job.wait(20))


def forwarded(said):
    """(received, sent) of what testpmd counted."""
    total = said[0][said[0].index("Accumulated"):]
    return tuple(int(re.search(rf"{way}-packets: (\d+)", total)[1]) for way in ("RX", "TX"))


def answered(nic, wire):
    """Ask until somebody answers; returns how many frames that took."""
    ask = frames.build(4711, 77, nic.permanent_mac)
    for turn in range(1, 101):
        wire.send(ask)
        if wire.collect(1, match=lambda frame: len(frame) == 77, timeout=0.1):
            return turn
    raise AssertionError("no answer")


def assert_forwarded(nic, wire, mode, count):
    """Frames of all sizes come out again, with their addresses exchanged or not."""
    mac = nic.permanent_mac
    ends = (PEER, mac) if mode == "macswap" else (mac, PEER)
    for start in range(0, count, 100):
        sizes = [(number, SIZES[number % len(SIZES)]) for number in range(start, start + 100)]
        wire.burst([frames.build(number, size, mac) for number, size in sizes])
        got = wire.collect(100, match=lambda frame: len(frame) != 77)
        assert got == [frames.build(number, size, *ends) for number, size in sizes]


class TestDpdk:
    """dpdk-testpmd, without copies."""

    @pytest.mark.parametrize("mode", ("io", "macswap"))
    def test_forward(self, nic, wire, mode):
        """What comes in goes out, all of it and nothing else."""
        with forwarder(nic, mode) as said:
            asked = answered(nic, wire)
            assert_forwarded(nic, wire, mode, 1000)
        received, transmitted = forwarded(said)
        assert received == transmitted
        assert 1001 <= received <= 1000 + asked
        assert counted(nic, "xdp_redirect") == received
        nic.guest.sh("sleep 0.3")
        assert nic.counters()["tx_packets"] == received
        assert_passes(nic, wire, SIZES)

    def test_txonly(self, nic, wire):
        """As fast as it can, for a while."""
        wire.drain()
        with forwarder(nic, "txonly", f"--eth-peer=0,{PEER}") as said:
            got = wire.collect(5000, match=lambda frame: len(frame) == 64)
        assert len(got) == 5000 and len(set(got)) == 1
        packet = Ether(got[0])
        check = packet[IP].chksum
        del packet[IP].chksum
        assert Ether(bytes(packet))[IP].chksum == check
        assert (packet.src, packet.dst, packet[IP].src, packet[IP].dst, packet[IP].len) == \
            (nic.permanent_mac, PEER, "198.18.0.1", "198.18.0.2", 50)
        assert forwarded(said)[1] >= nic.counters()["tx_packets"] >= 5000
        assert_passes(nic, wire, SIZES)

    def test_killed(self, nic, wire):
        """Amid traffic. Its program stays, and leaves all to the stack; the next one may come."""
        guest = nic.guest
        job = start_forwarder(nic, "macswap")
        answered(nic, wire)
        assert_forwarded(nic, wire, "macswap", 200)
        wire.burst(frames.series(nic.mac, 200, 200))
        guest.sh("killall -KILL dpdk-testpmd tail")
        job.wait(check=False)
        guest.until("ss --xdp --all", r"^((?!eth0).)*$")
        guest.sh(f"rigtool carrier {nic.name} 1; sleep 0.3")
        assert "prog/xdp" in guest.sh(f"ip link show {nic.name}")
        assert_passes(nic, wire, SIZES * 20)
        guest.sh(f"xdp-loader unload {nic.name} --all")
        job = guest.spawn(f"rigtool xsk {nic.name} mode=back until={len(SIZES) - 1}")
        job.wait_output("ready")
        guest.sh(f"rigtool carrier {nic.name} 1")
        assert_back(nic, wire, SIZES)
        job.wait()
