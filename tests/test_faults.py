# SPDX-License-Identifier: GPL-2.0
"""Wrong, broken and vanished devices: a message naming the cause, no crash, no hang."""
import contextlib
import os
import re
import time

import pytest
from rig import frames
from rig.box import STEADY
from rig.fakecard import FAKE, FakeCard
from rig.footprint import driver_ranges, left_over, page_pools, vectors
from rig.frames import PEER
from rig.nic import MODULE, Nic
from rig.project import DRIVER
from rig.troubles import wishes

NIC = "0000:01:00.0"
PCI = "/sys/bus/pci/devices"
DRIVERS = "/sys/bus/pci/drivers"
COMMAND = 0x04          # in configuration space
MEMORY, MASTER = 0x2, 0x4

TWO = ("msix-2cpu", "nomsi-2cpu")

GONE = r"does not answer|detached|cannot be started|failed to kill vid"


@pytest.fixture
def nic(fresh_nic):
    """What is done to the port here, a later test should not find."""
    return fresh_nic


def works(nic, wire):
    """Whether frames pass in both directions."""
    wire.drain()
    with nic.receiving("until=19") as seen:
        wire.burst(frames.series(nic.mac, 20, 200))
    nic.transmit(f"dst={PEER} sizes=200 repeat=20")
    return len(seen) == 20 and len(wire.collect(20)) == 20


@contextlib.contextmanager
def traffic(nic, wire):
    """Frames in both directions while something happens to the port."""
    stop = [False]
    sender = nic.guest.spawn(f"while :; do rigtool send {nic.name} dst={PEER} sizes=60-1000 "
                             ">/dev/null 2>&1; usleep 1000; done")
    many = frames.series(nic.mac, 40, 300)
    with contextlib.suppress(AssertionError):
        wire.burst(many, timeout=5)

    def again():
        if not stop[0]:
            with contextlib.suppress(AssertionError, OSError):
                wire.burst(many, timeout=2)
    try:
        yield again
    finally:
        stop[0] = True
        if nic.guest.usable:
            sender.kill()


def ask_everything(nic, limit=10):
    """Every administrator's question; whatever the answers, they come in time."""
    for question in ("ethtool {}", "ethtool -i {}", "ethtool -S {}", "ethtool -d {}",
                     "ethtool -S {} --groups eth-mac eth-phy eth-ctrl rmon", "ethtool -I -a {}",
                     "ethtool -g {}", "ip -s link show {}", "rigtool mii {} 1", "ethtool -r {}",
                     "ethtool -s {} autoneg on", "ethtool -G {} rx 512", "ip link set {} mtu 1400",
                     "ip link set {} promisc on", "ip link set {} promisc off",
                     "ip link set {} down", "ip link set {} up", "ethtool {}"):
        start = time.monotonic()
        nic.guest.sh(question.format(nic.name), check=False)
        took = time.monotonic() - start
        assert took < limit, f"{question} took {took:.1f} s"


@pytest.mark.guest("wire", TWO)
class TestVanished:
    """The device is taken away while it is in use."""

    def test_registers_read_zero(self, nic, wire):
        """Memory decode off under traffic: registers read zero. Said once, survived."""
        guest = nic.guest
        guest.expect_log("device does not answer, STATUS reads 0x00000000")
        guest.allow_log(GONE)
        command = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
        with traffic(nic, wire) as again:
            guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MEMORY}")
            again()
            guest.wait_log("does not answer", 15)
            again()
        guest.wait_log("detached|is gone", 15)
        ask_everything(nic)
        said = [line for line in guest.dmesg() if "does not answer" in line.text]
        assert len(said) == 1, "said more than once"
        guest.sh(f"rmmod {DRIVER}", timeout=30)
        assert not left_over(guest)
        guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command}")
        nic.load()
        assert works(nic, wire)

    def test_registers_read_zero_while_down(self, nic, wire):
        """Memory decode off while the interface is down: it does not come up, and says so."""
        guest = nic.guest
        guest.expect_log("device does not answer, STATUS reads 0x00000000")
        guest.allow_log(GONE)
        nic.down()
        command = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
        guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MEMORY}")
        said, status = guest.sh_status(f"ip link set {nic.name} up")
        assert status and "No such device" in said
        ask_everything(nic)
        guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command}")
        nic.up()
        assert works(nic, wire)

    def test_old_rings(self, nic, wire):
        """What its rings were is freed; until a reset works it does not reach memory."""
        guest = nic.guest
        guest.expect_log("device does not answer, STATUS reads 0x00000000")
        guest.allow_log(GONE)
        command = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
        with traffic(nic, wire) as again:
            guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MEMORY}")
            again()
            guest.wait_log("detached|is gone", 15)
            for attempt in (f"ip link set {nic.name} down", f"devlink dev reload pci/{NIC}",
                            f"echo 1 >{PCI}/{NIC}/reset", f"ip link set {nic.name} up"):
                guest.sh(attempt, check=False)
                now = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
                assert not now & MASTER, attempt
                again()
        guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MASTER}")
        guest.sh(f"devlink dev reload pci/{NIC}")
        nic.up()
        assert works(nic, wire)

    def test_back_after_a_reset(self, nic, wire):
        """Memory decode off under traffic, on again, then a reset: interrupts come back too."""
        guest = nic.guest
        guest.expect_log("device does not answer, STATUS reads 0x00000000")
        guest.allow_log(GONE)
        config = f"rigtool pcicfg {NIC} {COMMAND} w"
        with traffic(nic, wire) as again:
            guest.sh(f"{config} $(($({config}) & ~{MEMORY}))")
            again()
            guest.wait_log("detached|is gone", 15)
        # Nothing else in the command register is put back.
        guest.sh(f"{config} $(($({config}) | {MEMORY}))")
        guest.sh(f"echo 1 >{PCI}/{NIC}/reset")
        guest.sh(f"rigtool carrier {nic.name} 1")
        assert works(nic, wire)

    def test_bus_master_off(self, nic, wire):
        """No DMA: the transmitter hangs, which is noticed, and the reset repairs it."""
        guest = nic.guest
        guest.expect_log(r"queue \d+ hangs")
        guest.allow_log(r"NETDEV WATCHDOG|transmit queue \d+ timed out|Link is")
        command = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
        with traffic(nic, wire) as again:
            guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MASTER}")
            again()
            guest.wait_log("hangs", 10)
        guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert works(nic, wire)

    def test_bus_master_off_for_one_frame(self, nic, wire):
        """A single frame that is never sent: the queue is not full, but it hangs."""
        guest = nic.guest
        guest.expect_log(r"queue \d+ hangs")
        command = int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
        guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MASTER}")
        nic.transmit(f"dst={PEER} sizes=60 repeat=1")
        guest.wait_log("hangs", 10)
        guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert works(nic, wire)

    def test_function_level_reset(self, nic, wire):
        """Reset through sysfs under traffic: addresses, filters and link come back."""
        guest = nic.guest
        group = "01:00:5e:40:01:02"
        guest.sh(f"ip maddr add {group} dev {nic.name}")
        for _ in range(3):
            with traffic(nic, wire) as again:
                guest.sh(f"echo 1 >{PCI}/{NIC}/reset")
                again()
                guest.sh(f"rigtool carrier {nic.name} 1")
            assert works(nic, wire)
        with nic.receiving("until=1") as seen:
            wire.burst([frames.build(0, 60, group), frames.build(1, 60, nic.mac)])
        assert [frame.number for frame in seen] == [0, 1], "groups were forgotten"

    def test_function_level_reset_while_down(self, nic, wire):
        """Reset while the interface is down."""
        nic.down()
        nic.guest.sh(f"echo 1 >{PCI}/{NIC}/reset")
        assert not nic.carrier
        nic.up()
        assert works(nic, wire)

    def test_remove_and_rescan(self, nic, wire):
        """Removed and found again through sysfs, under traffic."""
        guest = nic.guest
        with traffic(nic, wire):
            guest.sh(f"echo 1 >{PCI}/{NIC}/remove", timeout=30)
        assert not left_over(guest)
        guest.sh("echo 1 >/sys/bus/pci/rescan", timeout=30)
        guest.until("ls /sys/class/net", "eth0")
        nic.up()
        assert works(nic, wire)

    def test_unload_under_traffic(self, nic, wire):
        """rmmod in the midst of frames both ways, again and again."""
        guest = nic.guest
        for _ in range(8):
            with traffic(nic, wire) as again:
                again()
                guest.sh(f"rmmod {DRIVER}", timeout=30)
                again()
            assert not left_over(guest)
            nic.load()
        assert works(nic, wire)


@pytest.mark.guest("wire", STEADY)
class TestTimes:
    """How long the network is away, from the cause until the link is there again."""

    @staticmethod
    def _away(nic, command):
        """In seconds; somebody sends all the time."""
        guest = nic.guest
        sender = guest.spawn(f"while :; do rigtool send {nic.name} dst={PEER} sizes=200-300 "
                             ">/dev/null 2>&1; usleep 5000; done")
        try:
            start = guest.wait_log("Link is Up").number + 1
            guest.sh(f"echo begin >/dev/kmsg; {command}")
            guest.until(f"rigtool kmsg {start}", "Link is Up", 60)
        finally:
            sender.kill()
        lines = guest.dmesg(start)
        begin, *_, up = (line.stamp_us for line in lines
                         if re.search("^begin|Link is Up", line.text))
        return (up - begin) / 1e6

    def test_function_level_reset(self, nic, wire):
        """A second."""
        assert self._away(nic, f"echo 1 >{PCI}/{NIC}/reset") < 1
        assert works(nic, wire)

    def test_bus_master_off(self, nic, wire):
        """Three, most of them until one can be sure that the queue hangs."""
        nic.guest.expect_log(r"queue \d+ hangs")
        config = f"rigtool pcicfg {NIC} {COMMAND} w"
        assert self._away(nic, f"{config} $(($({config}) & ~{MASTER}))") < 3
        assert works(nic, wire)


# What the slot's port reports, since the emulated card cannot.
CORRECTABLE = "rp0 BAD_TLP"
BUS_ERRORS = {"non-fatal": "rp0 POISON_TLP", "fatal": "rp0 DLP"}


# Without MSI the kernel does not ask the firmware for error reporting either.
@pytest.mark.guest("wire", ("msix-2cpu",))
class TestBusError:
    """PCI Express reports an error (AER): the port recovers by itself."""

    @pytest.fixture(autouse=True)
    def _reported(self, guest):
        guest.expect_log("PCIe Bus Error: severity=")
        guest.allow_log(r"pcieport \S+: ")

    @staticmethod
    def _inject(nic, error):
        said = nic.guest.qmp("human-monitor-command",
                             command_line=f"pcie_aer_inject_error {error}")
        assert said.startswith("OK "), said

    def _recovers(self, nic, error):
        since = nic.guest.log_position()
        self._inject(nic, error)
        nic.guest.until(f"rigtool kmsg {since}", "device recovery (successful|failed)", 20)

    @pytest.mark.parametrize("kind", BUS_ERRORS)
    def test_under_traffic(self, nic, wire, kind):
        """Again after another reset and after sleep as well: all that was set is there again."""
        guest = nic.guest
        guest.expect_log("device recovery successful")
        nic.ethtool("-G {} rx 512 tx 128")
        before = nic.state()
        power = f"{PCI}/{NIC}/power"
        for prepare in (":", f"echo 1 >{PCI}/{NIC}/reset",
                        f"echo 0 >{power}/autosuspend_delay_ms; echo auto >{power}/control; "
                        f"ip link set {nic.name} down; sleep 1; grep suspended "
                        f"{power}/runtime_status && ip link set {nic.name} up"):
            guest.sh(f"{prepare} && rigtool carrier {nic.name} 1")
            with traffic(nic, wire) as again:
                self._recovers(nic, BUS_ERRORS[kind])
                again()
            guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
            assert nic.state() == before and works(nic, wire)

    @pytest.mark.parametrize("kind", BUS_ERRORS)
    def test_while_down(self, nic, wire, kind):
        """An interface that is down stays down, and works when it is raised."""
        nic.guest.expect_log("device recovery successful")
        nic.down()
        self._recovers(nic, BUS_ERRORS[kind])
        assert "state DOWN" in nic.guest.sh(f"ip link show {nic.name}")
        nic.up()
        assert works(nic, wire)

    def test_correctable(self, nic, wire):
        """The bus has dealt with it: no link is lost."""
        changes = nic.sysfs("carrier_changes")
        with traffic(nic, wire) as again:
            self._inject(nic, CORRECTABLE)
            nic.guest.wait_log("PCIe Bus Error: severity=Correctable")
            again()
        assert nic.sysfs("carrier_changes") == changes
        assert works(nic, wire)


# Without MSI the kernel does not ask the firmware for native hot plug.
# lockdep has something against PCI Express's part of it, and ends with that.
@pytest.mark.guest("wire", ("msix-2cpu",), never="debug")
class TestHotPlug:
    """The card comes and goes through its slot."""

    def test_under_traffic(self, nic, wire):
        """Unplugged under traffic, plugged in again, twice."""
        guest = nic.guest
        guest.allow_log(GONE)
        for _ in range(2):
            with traffic(nic, wire):
                guest.unplug()
            assert not left_over(guest)
            guest.plug()
            nic.up()
            assert works(nic, wire)

    def test_while_down(self, nic, wire):
        """Unplugged while the interface is down."""
        guest = nic.guest
        nic.down()
        guest.unplug()
        assert not left_over(guest)
        guest.plug()
        nic.up()
        assert works(nic, wire)

    def test_invalid_mac(self, nic, wire):
        """A multicast address in the NVM: a random one instead, and a message."""
        guest = nic.guest
        guest.expect_log("MAC address 01:00:5e:12:34:56 is not valid, using ")
        guest.unplug()
        try:
            guest.plug(mac="01:00:5e:12:34:56")
            nic.up()
            assert nic.sysfs("addr_assign_type") == "1"     # NET_ADDR_RANDOM
            assert int(nic.mac[:2], 16) & 3 == 2, "neither unicast nor locally administered"
            assert works(nic, wire)
        finally:
            guest.unplug()
            guest.plug()


# What the port is about when it is taken away; each goes on until it is killed.
STATES = {
    "down": "true",
    "opening": "while :; do ip link set eth0 up; ip link set eth0 down; done",
    "up": "ip link set eth0 up",
    "traffic": f"ip link set eth0 up; while :; do rigtool send eth0 dst={PEER} sizes=60-1500; done",
    "rings": "ip link set eth0 up; while :; do ethtool -G eth0 rx 512; ethtool -G eth0 rx 64; done",
    "XDP": "ip link set eth0 up; while :; do ip link set eth0 xdp obj /lib/bpf/xdp.o program back;"
           " ip link set eth0 xdp off; done",
    "AF_XDP": "ip link set eth0 up; while :; do rigtool xsk eth0 mode=back; done",
    "self-test": "ip link set eth0 up; while :; do ethtool -t eth0 offline; done",
    "reset": f"ip link set eth0 up; while :; do echo 1 >{PCI}/{NIC}/reset; done",
    "asleep": f"echo 0 >{PCI}/{NIC}/power/autosuspend_delay_ms; "
              f"echo auto >{PCI}/{NIC}/power/control; while :; do ethtool -S eth0; done",
}
REMOVALS = int(os.environ.get("IGB_DEMO_REMOVALS", 3))


@pytest.mark.guest("wire", ("acpi-2cpu",))
@pytest.mark.parametrize("state", STATES)
def test_taken_away(guest, wire, state):
    """In whatever state: nothing is left, and the next card works. Again and again."""
    guest.allow_log(GONE + r"|cannot be started again|does not answer|queues do not stop"
                    r"|pci|not ready \d+ms after|Unable to change power state")
    guest.sh(f"insmod {MODULE}")
    many = frames.series("52:54:00:12:34:56", 10, 300)
    for number in range(REMOVALS):
        job = guest.spawn(f"{{ {STATES[state]}; }} >/dev/null 2>&1")
        wire.burst(many)
        time.sleep(0.05 * (number % 7))
        guest.unplug()
        job.kill()
        guest.sh("killall rigtool ethtool ip 2>/dev/null; true")
        assert not left_over(guest)
        guest.plug()
    nic = Nic(guest)
    nic.up()
    assert works(nic, wire)


@pytest.fixture
def fake(guest, arch):
    """A broken card; the driver is loaded."""
    if arch != "x86_64":
        pytest.skip("the card is a VGA card")
    guest.sh(f"insmod {MODULE}")
    card = FakeCard(guest)
    yield card
    card.release()


# What is broken, and by which words the driver's message must name it.
FATAL_FAULTS = {
    "ones": r"does not answer, STATUS reads 0xffffffff",
    "zeros": r"does not answer, STATUS reads 0x00000000",
    "reset-sticks": r"CTRL\.RST",
    "mdic-silent": r"PHY.*does not answer|MDIC",
    "mdic-error": r"PHY",
    "semaphore-stuck": r"SMBI",
    "serdes": r"CTRL_EXT\.LINK_MODE is 3, only copper ports",
    "phy-id=0": r"no PHY",
    "phy-id=0xffffffff": r"no PHY",
}
TOLERABLE_FAULTS = {
    "nvm-silent": r"NVM does not answer|EERD",
    "nvm-absent": r"no NVM|EECD",
    "nvm-bad-sum": r"checksum",
    "master-sticks": r"GIO_MASTER_ENABLE",
    "nvm-silent rar-empty": r"MAC address .* is not valid",
    "nvm-bad-sum rar-empty": r"MAC address .* is not valid",
    "rar-empty mac=01:00:5e:00:00:01": r"MAC address 01:00:5e:00:00:01 is not valid",
    "rar-empty lan1 mac=01:00:5e:00:00:01": r"MAC address 01:00:5e:00:00:00 is not valid",
}


@pytest.mark.guest("wire", ("smp-2cpu",))
class TestBrokenCard:
    """Probing a card whose registers a program plays."""

    @pytest.mark.parametrize("fault", FATAL_FAULTS)
    def test_refused(self, guest, fake, fault):
        """The probe fails in time, says why, and leaves nothing behind."""
        self._probe(guest, fake, fault, FATAL_FAULTS[fault])

    @pytest.mark.parametrize("fault", TOLERABLE_FAULTS)
    def test_named(self, guest, fake, fault):
        """Faults one can live with are named all the same; the rest of probe may go on."""
        self._probe(guest, fake, fault, TOLERABLE_FAULTS[fault])

    def test_sound_card(self, guest, fake):
        """Nothing broken: chip, NVM and PHY are passed, so the faults above are what fails."""
        self._is_passed(guest, fake, "")

    def test_nvm_fallback(self, guest, fake):
        """Receive address registers empty, NVM sound: the NVM's address is used, silently."""
        self._is_passed(guest, fake, "rar-empty")

    def _is_passed(self, guest, fake, fault):
        """All that is said is what a VGA card has not. Once is enough: see _probe()."""
        for _ in range(5):
            said = self._probe(guest, fake, fault, "no interrupt of any kind")
            if len(said) == 2:
                return
        raise AssertionError(said)

    @staticmethod
    def _state(guest):
        return (guest.sh("ls /sys/class/net"), vectors(guest), driver_ranges(guest),
                page_pools(guest), guest.read(f"{PCI}/{FAKE}/enable"),
                int(guest.sh(f"rigtool pcicfg {FAKE} {COMMAND} w"), 16) & MASTER)

    def _probe(self, guest, fake, fault, cause):
        """Probe until the cause is named; returns what the last probe said.

        The program that plays the card must answer within the driver's
        patience. On a busy host it does not always get to.
        """
        # A system that was suspended gives a card back what its last driver had it do.
        config = f"rigtool pcicfg {FAKE} {COMMAND} w"
        guest.sh(f"{config} $(($({config}) & ~{MASTER}))")
        before = self._state(guest)
        guest.allow_log(FAKE)
        for _ in range(5):
            since = guest.log_position()
            fake.play(fault)
            bound, took = fake.bind()
            fake.release()
            # What the emulated chip has no filters for is said of its likes, too.
            said = [line.text for line in guest.dmesg(since) if f"igb_demo {FAKE}" in line.text
                    and " filters, " not in line.text]
            assert not bound, "the driver took a card that cannot work"
            assert took < 15
            assert self._state(guest) == before
            if any(re.search(cause, text) for text in said):
                return said
        raise AssertionError(f"{fault}: the cause was not named: {said}")

    def test_the_good_port_does_not_care(self, guest, wire, fake):
        """While another card breaks, the port beside it works."""
        guest.allow_log(rf"{FAKE}")
        nic = Nic(guest)
        nic.up()
        fake.play("mdic-silent")
        fake.bind()
        assert works(nic, wire)


@pytest.mark.guest("wire", ("smp-2cpu", "nomsi-2cpu"))
class TestStress:
    """Everything at once."""

    def test_administrators(self, nic, wire):
        """Several administrators with different ideas, for ten seconds, under traffic."""
        guest = nic.guest
        guest.allow_log("Link is|forced|negotiate|hangs")
        jobs = [guest.spawn_for(10, wish) for wish in wishes(nic.name)]
        with traffic(nic, wire) as again:
            for _ in range(20):
                again()
                guest.set_link(False)
                guest.set_link(True)
                time.sleep(0.3)
            for job in jobs:
                job.wait(60)
        nic.down()
        guest.sh(f"ip link set {nic.name} mtu 1500")
        nic.up()
        assert works(nic, wire)
