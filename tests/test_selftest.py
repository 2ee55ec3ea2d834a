# SPDX-License-Identifier: GPL-2.0
"""ethtool -t: a sound port passes and goes on as it was; what is broken is named."""
import contextlib
import difflib
import re

import pytest
from rig import frames
from rig.frames import BROADCAST, PEER
from rig.nic import MODULE, Nic
from test_xdp import attach
from test_xsk import application, assert_stack_receives

TESTS = {"link": "link (on/offline)", "NVM": "NVM (on/offline)",
         "register": "register (offline)", "interrupt": "interrupt (offline)",
         "loopback": "loopback (offline)"}

COMMAND = 0x04          # in configuration space
MASTER, INTX_DISABLE = 0x4, 0x400

EERD, VFTA, VFTAS = 0x0014, 0x5600, 128
EERD_START_WORD_0B = 0x0b << 2 | 1

# Filters, hashes, vectors, the link's settings, the first queue.
REGISTERS = (0x0000, 0x0038, 0x0100, 0x1514, 0x152c, 0x1700, 0x1740, 0x2160, 0x2168, 0x5004,
             0x5400, 0x5404, 0x5408, 0x540c, 0x5410, 0x5414, 0x5600, 0x560c, 0x57fc, 0x5818,
             0x5c00, 0x5c04, 0x5c80, 0x5ca4, 0xc008, 0xc00c, 0xe008)

MSIX_CONTROL, MSIX_ENTRY = 12, 16       # in the vector table, which is BAR 3's

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))


@pytest.fixture
def nic(fresh_nic):
    """Whatever a test sets goes with the driver."""
    return fresh_nic


def self_test(nic, how="offline"):
    """Names of the tests that failed; the port, if it is up, has a link again."""
    said, status = nic.guest.sh_status(f"ethtool -t {nic.name} {how}", timeout=60)
    results = {name.strip(): int(value) for name, value in
               re.findall(r"^(\S.*?\))\s+(\d+)$", said, re.M)}
    assert sorted(results) == sorted(TESTS.values()), said
    failed = {name for name, full in TESTS.items() if results[full]}
    assert bool(failed) == bool(status) == ("result is FAIL" in said), said
    return failed


def wait_link(nic):
    """Negotiated anew."""
    nic.guest.sh(f"rigtool carrier {nic.name} 1")


def changed(nic, before):
    """What is no longer as it was."""
    return [line for was, now in zip(before, everything(nic)) if was != now
            for line in difflib.unified_diff(was.splitlines(), now.splitlines(), n=0)]


def works(nic, wire):
    """Whether frames of many sizes pass in both directions."""
    wire.drain()
    sizes = (60, 61, 128, 129, 1000, 1514) * 5
    with nic.receiving(f"until={len(sizes) - 1}") as seen:
        wire.burst(frames.of_sizes(nic.mac, sizes))
    nic.transmit(f"dst={PEER} sizes={','.join(map(str, sizes))}")
    return (frames.summary(seen) == frames.expected(sizes) and
            len(wire.collect(len(sizes))) == len(sizes))


def everything(nic):
    """What is set, the registers behind it included."""
    shown = [nic.guest.sh(command.format(nic.name)) for command in (
        "ethtool -c {}", "ethtool -k {}", "ethtool -x {}", "ethtool -n {} rx-flow-hash tcp4",
        "ip -d link show {}", "ip maddr show {} | sort",
        "ethtool -Q {} queue_mask 0x1 --show-coalesce",
        "ethtool --get-tunable {} tx-copybreak", "cat /sys/class/net/{}/queues/*/xps_cpus")]
    registers = " ".join(f"{register:#x}" for register in REGISTERS)
    shown.append(nic.guest.sh(f"for n in {registers}; do rigtool mmio {nic.pci} $n; done"))
    return [str(nic.state()), *shown]


def flood(nic, wire):
    """The wire is busy: foreign frames, for the port and for others."""
    mac = nic.mac
    return wire.pouring([frames.build(number, 60 + number % 7 * 200, dst) for number in range(8)
                         for dst in (mac, BROADCAST, "01:00:5e:00:00:01", PEER)])


class TestSound:
    """Nothing is broken."""

    @pytest.mark.parametrize("how", ("online", "offline"))
    def test_passes(self, nic, wire, how):
        """While up, again and again; the port works before and after."""
        assert works(nic, wire)
        before = everything(nic)
        for _ in range(2):
            assert not self_test(nic, how)
            wait_link(nic)
            assert not changed(nic, before)
        assert works(nic, wire)

    def test_online_disturbs_nothing(self, nic, wire):
        """The link stays, and no frame is lost."""
        changes = nic.sysfs("carrier_changes")
        job = nic.guest.spawn(f"n=0; while [ $n -lt 20 ]; do n=$((n + 1)); ethtool -t {nic.name} "
                              "online || exit 1; done")
        count = 600
        with nic.receiving(f"until={count - 1}") as seen:
            for start in range(0, count, 50):
                wire.burst(frames.series(nic.mac, 50, 200, start))
        job.wait()
        assert [frame.number for frame in seen] == list(range(count))
        assert nic.sysfs("carrier_changes") == changes

    @pytest.mark.parametrize("how", ("online", "offline"))
    def test_while_down(self, nic, wire, how):
        """An interface that is down is tested as well, and stays down."""
        nic.down()
        before = nic.state()
        for _ in range(2):
            assert not self_test(nic, how)
            assert nic.state() == before
            assert not nic.vectors() and nic.sysfs("operstate") == "down"
        nic.up()
        assert works(nic, wire)

    def test_never_up(self, guest, wire):
        """Before it was ever raised."""
        guest.sh(f"insmod {MODULE}")
        port = Nic(guest)
        assert not self_test(port)
        port.up()
        assert works(port, wire)

    def test_the_wire_sees_nothing(self, nic, wire):
        """No frame of the test leaves the port, and those on the wire do not trouble it."""
        wire.drain()
        with flood(nic, wire):
            for _ in range(2):
                assert not self_test(nic)
        wait_link(nic)
        left = [frame for frame in wire.drain() if frame[12:14] == b"\x90\x00"]
        assert not left, left[:3]
        assert works(nic, wire)

    def test_counted(self, nic):
        """The frames of the test are traffic as the chip sees it, and no more are lost."""
        before = nic.statistics()
        assert not self_test(nic)
        wait_link(nic)
        after = nic.statistics()
        grown = {name: after[name] - value for name, value in before.items()
                 if after[name] != value}
        sent = grown["tx_queue_0_packets"]
        assert sent >= 100 and grown["rx_queue_0_packets"] == sent
        assert grown["tx_queue_0_bytes"] == grown["rx_queue_0_bytes"]
        assert grown["hw_gptc"] == grown["hw_gprc"] == sent
        assert not [name for name in grown if "dropped" in name or "failed" in name]


VLANS = "".join(f"ip link add link {{}} name {{}}.{vid} type vlan id {vid}; "
                f"ip link set {{}}.{vid} up; " for vid in (100, 4094))
# What can be set at the same time.
SETTINGS = {
    "many queues": ("ethtool -L {} combined 5", "ethtool -G {} rx 64 tx 4096",
                    "ethtool -C {} adaptive-rx off rx-usecs 77", "ip link set {} mtu 9000",
                    "ethtool -X {} weight 1 3 0 0 0", "ethtool -N {} rx-flow-hash udp4 sd",
                    "ethtool --set-tunable {} tx-copybreak 0"),
    "filters": ("ip link set {} address 52:54:00:99:88:77", "ethtool -K {} rx-all on", VLANS,
                "ip link set {} promisc on", "ip maddr add 01:00:5e:40:01:02 dev {}",
                "ip maddr add 52:54:00:01:02:03 dev {}"),
    "one queue": ("ethtool -L {} combined 1", "rigtool split {} on",
                  "ethtool -K {} rxvlan off rx-vlan-filter off tso off rx off"),
    "program": ("ip link set dev {} xdpdrv object /lib/bpf/xdp.o section xdp program pass",),
    "loopback": ("ethtool -K {} loopback on",),
}


@pytest.mark.guest("wire", ("msix-1cpu",))
class TestSettings:
    """Whatever is set, the test passes, and it is set afterwards."""

    @pytest.mark.parametrize("name", SETTINGS)
    def test_kept(self, nic, wire, name):
        """By a port that is up, and by one that was up when they were set."""
        for setting in SETTINGS[name]:
            nic.guest.sh(setting.replace("{}", nic.name))
        wait_link(nic)
        before = everything(nic)
        assert not self_test(nic)
        wait_link(nic)
        assert not changed(nic, before)
        nic.down()
        assert not self_test(nic)
        nic.up()
        assert not changed(nic, before)
        if name != "loopback":
            assert works(nic, wire)

    def test_forced_link(self, nic, wire):
        """A forced speed is forced again."""
        nic.ethtool("-s {} autoneg off speed 100 duplex half")
        forced = "Link is Up - 100Mbps/Half"
        nic.guest.wait_log(forced)
        since = nic.guest.log_position()
        assert not self_test(nic)
        nic.guest.until(f"rigtool kmsg {since}", forced)
        assert works(nic, wire)

    def test_vlans(self, nic, wire):
        """Filters let in what they did, and nothing else."""
        nic.guest.sh(f"ip link add link {nic.name} name {nic.name}.100 type vlan id 100; "
                     f"ip link set {nic.name}.100 up")
        assert not self_test(nic)
        wait_link(nic)
        with nic.receiving("until=2") as seen:
            wire.burst([frames.build(number, 100, nic.mac, vlan=vid)
                        for number, vid in enumerate((100, 101, 100))])
        assert [frame.number for frame in seen] == [0, 2]

    @pytest.mark.parametrize("program", ("back", "drop"))
    def test_program_attached(self, nic, wire, program):
        """A program does not get to see the test's frames; it stays."""
        attach(nic, program)
        assert not self_test(nic)
        wait_link(nic)
        assert "xdp_drop: 0" in nic.ethtool("-S").replace("rx_queue_0_", "")
        wire.drain()
        wire.burst(frames.series(nic.mac, 20, 200))
        got = wire.collect(20, timeout=10 if program == "back" else 1)
        assert len(got) == (20 if program == "back" else 0)

    @pytest.mark.parametrize("options", ("", "chunk=4096 wakeup=0", "queue=1"))
    def test_application(self, nic, wire, options):
        """An application's memory is under the rings: it gets none of it, and goes on."""
        sizes = (60, 1000, 1514) * 20
        if "queue" in options:
            nic.ethtool("-L {} combined 2")
            job = nic.guest.spawn(f"rigtool xsk {nic.name} {options} idle=60000")
            job.wait_output("ready")
            assert not self_test(nic)
            wait_link(nic)
            assert_stack_receives(nic, wire)
            job.kill()
            return
        with application(nic, f"until={len(sizes) - 1} idle=20000 {options}") as seen:
            assert not self_test(nic)
            wait_link(nic)
            wire.burst(frames.of_sizes(nic.mac, sizes))
        assert frames.summary(seen) == frames.expected(sizes)
        assert_stack_receives(nic, wire)


@pytest.mark.guest("wire", ("smp-2cpu", "nomsi-2cpu"))
class TestBeside:
    """Something else happens to the port at the same time."""

    def test_everything(self, nic, wire):
        """Resets, link changes, settings, traffic, questions: no complaint, and it works."""
        guest = nic.guest
        guest.allow_log("vector|loopback|no link|self-test failed|hangs|Link is|failed to kill vid")
        wishes = (f"echo 1 >/sys/class/net/{nic.name}/device/reset; usleep 300000",
                  f"ip link set {nic.name} down; ip link set {nic.name} up; usleep 200000",
                  f"ethtool -G {nic.name} rx $((64 + n % 4 * 64)); usleep 50000",
                  f"ethtool -S {nic.name}; rigtool mii {nic.name} 1; ip -s link show {nic.name}",
                  f"rigtool send {nic.name} dst={PEER} sizes=60-300; usleep 1000",
                  f"ethtool -t {nic.name} offline", f"ethtool -t {nic.name} online")
        jobs = [guest.spawn_for(10, wish) for wish in wishes]
        with flood(nic, wire):
            for _ in range(5):
                guest.set_link(False)
                guest.sh("usleep 400000")
                guest.set_link(True)
                guest.sh("usleep 1200000")
            for job in jobs:
                job.wait(90)
        nic.up()
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)

    def test_removed(self, nic, wire):
        """The driver goes in the midst of it."""
        guest = nic.guest
        for pause in (0, 200000, 600000):
            job = guest.spawn(f"ethtool -t {nic.name} offline")
            guest.sh(f"usleep {pause}; rmmod igb_demo", timeout=60)
            job.wait(check=False)
            nic.load()
        assert works(nic, wire)


@contextlib.contextmanager
def held(nic, register, count, value):
    """A program writes to registers without end."""
    job = nic.guest.spawn(f"exec taskset 2 rigtool mmio {nic.pci} {register:#x} {value:#x} "
                          f"hold={count}")
    try:
        yield
    finally:
        job.kill()


def fails(nic, how, tries):
    """Test until it fails, since what breaks it has to hit a moment; whether it did."""
    return "result is FAIL" in nic.guest.sh(
        f"n=0; while [ $n -lt {tries} ] && taskset 1 ethtool -t {nic.name} {how}; do "
        "n=$((n + 1)); done", timeout=120)


class TestBroken:
    """Each thing broken, by the name of what it is."""

    @pytest.fixture(autouse=True)
    def _failure_is_logged(self, nic):
        nic.guest.expect_log("self-test failed: ")

    def test_no_cable(self, nic, wire):
        """No link, neither to the partner nor, in the emulator, in loopback."""
        nic.guest.expect_log(r"no link, STATUS reads 0x[0-9a-f]{8}, LU is 0x2")
        nic.guest.allow_log("loopback: no link")
        nic.guest.set_link(False)
        nic.guest.sh(f"rigtool carrier {nic.name} 0")
        assert self_test(nic, "online") == {"link"}
        assert self_test(nic) == {"link", "loopback"}
        nic.guest.set_link(True)
        wait_link(nic)
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)

    def test_no_cable_while_down(self, nic, wire):
        """The same of an interface that is down."""
        nic.guest.expect_log("no link, STATUS")
        nic.guest.allow_log("loopback: no link")
        nic.down()
        nic.guest.set_link(False)
        assert self_test(nic) == {"link", "loopback"}
        nic.guest.set_link(True)
        nic.up()
        assert works(nic, wire)

    @pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))
    def test_no_interrupt(self, nic, wire, box):
        """A vector is masked, or the line: that one is named."""
        said = "vector {} .* is silent: {:#010x} written to {}ICS, {}IMS reads 0x"
        if not box.msi:
            nic.guest.expect_log(said.format(0, 4, "", ""))
            config = f"rigtool pcicfg {nic.pci} {COMMAND} w"
            nic.guest.sh(f"{config} $(($({config}) | {INTX_DISABLE}))")
            assert self_test(nic) == {"interrupt"}
        for vector in range(3 if box.msi else 0):
            cause = ("", 4) if not vector else ("E", 1 << vector)
            nic.guest.expect_log(said.format(vector, cause[1], cause[0], cause[0]))
            since = nic.guest.log_position()
            control = f"rigtool mmio {nic.pci} {vector * MSIX_ENTRY + MSIX_CONTROL:#x}"
            nic.guest.sh(f"{control} 1 bar=3")
            assert self_test(nic) == {"interrupt"}
            silent = [line.text for line in nic.guest.dmesg(since) if "silent" in line.text]
            nic.guest.sh(f"{control} 0 bar=3")
            assert len(silent) == 1, silent
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)

    @pytest.mark.guest("wire", ("msix-2cpu",))
    def test_not_for_long(self, nic):
        """All vectors silent and no cable: as long as it takes, nobody can set anything."""
        nic.guest.expect_log("vector 8 .* is silent")
        nic.guest.allow_log("vector .* is silent|no link")
        nic.ethtool("-L {} combined 8")
        for vector in range(9):
            nic.guest.sh(f"rigtool mmio {nic.pci} {vector * MSIX_ENTRY + MSIX_CONTROL:#x} 1 bar=3")
        nic.guest.set_link(False)
        # It has been up for longer than a link takes.
        nic.guest.sh("usleep 5500000")
        since = nic.guest.log_position()
        start = float(nic.guest.sh("cat /proc/uptime").split()[0]) * 1e6
        assert {"link", "interrupt"} <= self_test(nic)
        lines = nic.guest.dmesg(since)
        (link,) = [line.stamp_us for line in lines if "no link, STATUS" in line.text]
        silent = [line.stamp_us for line in lines if "is silent" in line.text]
        # Those would be 5 seconds, and 24.
        assert link - start < 4.5e6
        assert len(silent) == 9 and silent[-1] - silent[0] < 12e6

    def test_no_dma(self, nic, wire):
        """No frame comes back, and no message-signalled interrupt; then all does."""
        nic.guest.expect_log("loopback: a frame of 60 bytes did not come back")
        nic.guest.allow_log("vector .* is silent")
        config = f"rigtool pcicfg {nic.pci} {COMMAND} w"
        nic.guest.sh(f"{config} $(($({config}) & ~{MASTER}))")
        failed = self_test(nic)
        assert "loopback" in failed and failed <= {"loopback", "interrupt"}
        wait_link(nic)
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)

    def test_gone(self, nic, wire):
        """Registers that read zero: it ends in time, and says that the device is gone."""
        guest = nic.guest
        guest.allow_log("does not answer|detached|no NVM|no link|cannot be started|register|vector"
                        "|loopback|failed to kill vid")
        config = f"rigtool pcicfg {nic.pci} {COMMAND} w"
        guest.sh(f"{config} $(($({config}) & ~2))")
        said, status = guest.sh_status(f"ethtool -t {nic.name} offline", timeout=30)
        assert status, said
        guest.sh(f"{config} $(($({config}) | 2)); rmmod igb_demo")
        nic.load()
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)


@pytest.mark.guest("wire", ("smp-2cpu",))
class TestHeld:
    """Another program writes to registers, which so do not keep what is written."""

    def test_register(self, nic, wire):
        """A register reads something else."""
        nic.guest.expect_log("self-test failed: register")
        nic.guest.expect_log(r"register VFTA\(\d+\) at 0x5[67][0-9a-f]{2} reads 0x13579bdf, "
                             "0x[0-9a-f]{8} was written")
        with held(nic, VFTA, VFTAS, 0x13579bdf):
            assert fails(nic, "offline", 20)
        assert not self_test(nic)
        wait_link(nic)
        assert works(nic, wire)

    def test_nvm(self, nic):
        """Words of the NVM are others."""
        nic.guest.expect_log("self-test failed: NVM")
        nic.guest.expect_log("NVM checksum is 0x[0-9a-f]{4}, should be 0xbaba")
        with held(nic, EERD, 1, EERD_START_WORD_0B):
            assert fails(nic, "online", 500)
        assert not self_test(nic, "online")
