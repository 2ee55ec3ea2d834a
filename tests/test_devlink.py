# SPDX-License-Identifier: GPL-2.0
"""devlink: what the device is, what ails it, what follows, and a restart."""
import json

import pytest
from rig import frames
from rig.frames import PEER
from test_faults import COMMAND, GONE, MASTER, MEMORY, NIC, traffic, works

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))

DEVICE = f"pci/{NIC}"
FCTTV = 0x170
TDH, TDT = 0xe010, 0xe018


@pytest.fixture(name="nic")
def _nic(fresh_nic):
    """What is reported here stays with the driver until it is unbound."""
    return fresh_nic


def devlink(nic, words):
    """What devlink says, of the one device."""
    found = json.loads(nic.guest.sh(f"devlink -j {words}"))
    (found,) = found.values()
    return found[DEVICE]


def reporter(nic, name):
    """A reporter's state and counts."""
    (found,) = devlink(nic, f"health show {DEVICE} reporter {name}")
    return found["state"], found["error"], found["recover"]


def shown(nic, what, name):
    """A reporter's dump or diagnosis: {queue: what it says}."""
    said = json.loads(nic.guest.sh(f"devlink -j health {what} {DEVICE} reporter {name}"))
    return {queue["queue"]: queue for queue in said["queues"]}


def hang(nic):
    """Send a frame that the card cannot fetch."""
    command = int(nic.guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16)
    nic.guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w {command & ~MASTER}")
    nic.transmit(f"dst={PEER} sizes=60 repeat=1")
    nic.guest.wait_log("hangs", 10)


def test_info(nic):
    """Driver, board, and the NVM's version as ethtool has it."""
    info = devlink(nic, f"dev info {DEVICE}")
    assert info["driver"] == "igb_demo"
    fixed = info["versions"]["fixed"]
    pci = nic.guest.sh(f"cd /sys/bus/pci/devices/{NIC}; cat revision subsystem_vendor "
                       "subsystem_device").split()
    assert fixed["asic.id"] == "82576" and int(fixed["asic.rev"]) == int(pci[0], 16)
    assert fixed["board.id"] == f"{pci[1][2:]}-{pci[2][2:]}"
    assert f"NVM {info['versions']['running']['nvm']}" in nic.ethtool("-i")


class TestTransmit:
    """A queue that hangs."""

    def test_recovers(self, nic, wire):
        """Reported, dumped as it was, and the port works again."""
        assert reporter(nic, "tx") == ("healthy", 0, 0)
        nic.guest.expect_log(r"queue \d+ hangs")
        hang(nic)
        nic.guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert works(nic, wire)
        assert reporter(nic, "tx") == ("healthy", 1, 1)
        stuck = [queue for queue in shown(nic, "dump show", "tx").values()
                 if queue["use"] != queue["clean"]]
        assert len(stuck) == 1 and len(stuck[0]["descriptors"]) == 16
        # The descriptor that was not fetched is in the middle, and tells its length.
        number, words = stuck[0]["descriptors"][8].split(": ")
        assert int(number) == stuck[0]["clean"]
        assert int(words.split()[1], 16) & 0xffff == 60
        assert all(queue["use"] == queue["clean"]
                   for queue in shown(nic, "diagnose", "tx").values())

    def test_left_alone(self, nic, wire):
        """The administrator wants to look at it first, and to recover it by hand."""
        nic.guest.expect_log(r"queue \d+ hangs")
        nic.guest.sh(f"devlink health set {DEVICE} reporter tx auto_recover false")
        hang(nic)
        nic.guest.until(f"devlink health show {DEVICE} reporter tx", "state error")
        nic.guest.sh("usleep 300000")
        assert reporter(nic, "tx")[0] == "error" and reporter(nic, "tx")[2] == 0
        assert any(queue["use"] != queue["clean"]
                   for queue in shown(nic, "diagnose", "tx").values())
        nic.guest.sh(f"devlink health recover {DEVICE} reporter tx")
        assert reporter(nic, "tx")[0] == "healthy" and reporter(nic, "tx")[2] == 1
        nic.guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert works(nic, wire)

    def test_by_itself(self, nic, wire):
        """Left alone it is said once; a queue that goes on is healthy without a reset."""
        nic.guest.expect_log(r"queue \d+ hangs: [^;]*$")
        nic.guest.allow_log(r"NETDEV WATCHDOG|transmit queue \d+ timed out")
        nic.guest.sh(f"devlink health set {DEVICE} reporter tx auto_recover false")
        hang(nic)
        nic.guest.sh("usleep 5000000")
        said = [line.text for line in nic.guest.dmesg() if "hangs" in line.text]
        assert len(said) == 1 and reporter(nic, "tx") == ("error", 1, 0)
        config = f"rigtool pcicfg {NIC} {COMMAND} w"
        # The card gets to see the descriptor again that it could not fetch, and the driver asks.
        nic.guest.sh(f"{config} $(($({config}) | {MASTER})); rigtool mmio {NIC} {TDH:#x} 0; "
                     f"rigtool mmio {NIC} {TDT:#x} 1")
        wire.burst(frames.series(nic.mac, 1, 60))
        nic.guest.until(f"devlink health show {DEVICE} reporter tx", "state healthy", 20)
        assert reporter(nic, "tx") == ("healthy", 1, 0)
        assert works(nic, wire)

    def test_given_up(self, nic, wire):
        """Where resets do not help there is an end to them; one from outside begins anew."""
        guest, config = nic.guest, f"rigtool pcicfg {NIC} {COMMAND} w"
        guest.expect_log(r"queue \d+ hangs")
        guest.expect_log("detached, still hangs after 5 resets")
        again = (f"{config} $(($({config}) & ~{MASTER})); usleep 50000",
                 f"rigtool send {nic.name} dst={PEER} sizes=60 repeat=1; usleep 100000")
        jobs = [guest.spawn(f"while :; do {words}; done >/dev/null 2>&1") for words in again]
        try:
            guest.wait_log("detached, still", 40)
            since = guest.log_position()
            guest.sh("usleep 4000000")
        finally:
            for job in jobs:
                job.kill()
        assert not guest.dmesg(since)
        assert reporter(nic, "tx") == ("error", 6, 5)
        assert "No such device" in guest.sh(f"ip link set {nic.name} mtu 1400 2>&1", check=False)
        assert guest.sh_status(f"devlink health recover {DEVICE} reporter tx")[1]
        guest.sh(f"echo 1 >/sys/bus/pci/devices/{NIC}/reset; "
                 f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert works(nic, wire) and reporter(nic, "tx")[0] == "healthy"


def test_receive(nic, wire):
    """No memory for a ring: reported, and healthy by itself when there is some again."""
    assert reporter(nic, "rx") == ("healthy", 0, 0)
    nic.ethtool("-G {} rx 64")
    nic.guest.sh("insmod /lib/modules/requeue.ko times=0 fail=alloc_pages_bulk_noprof "
                 "value=0 many=0 softirq=1")
    holder = nic.guest.spawn(f"exec rigtool recv {nic.name} idle=60000")
    holder.wait_output("ready")
    nic.guest.sh(f"kill -STOP $(pgrep -P {holder.pid} rigtool || echo {holder.pid})")
    try:
        for _ in range(8):
            wire.burst(frames.series(nic.mac, 50, 60))
        nic.guest.until(f"devlink health show {DEVICE} reporter rx", "state error", 20)
        assert any(queue["starved"] for queue in shown(nic, "diagnose", "rx").values())
        assert any(queue["starved"] for queue in shown(nic, "dump show", "rx").values())
    finally:
        nic.guest.sh("rmmod requeue")
    nic.guest.until(f"devlink health show {DEVICE} reporter rx", "state healthy", 20)
    holder.kill()
    assert works(nic, wire)


class TestReload:
    """Restarting the device."""

    def test_traffic(self, nic, wire):
        """Settings stay, and traffic goes on."""
        nic.ethtool("-G {} rx 512 tx 128")
        before = nic.state()
        with traffic(nic, wire) as again:
            for _ in range(3):
                said = nic.guest.sh(f"devlink dev reload {DEVICE} action driver_reinit",
                                    timeout=30)
                assert said.split() == ["reload_actions_performed:", "driver_reinit"]
                again()
        nic.guest.sh(f"rigtool carrier {nic.name} 1 limit=10000", timeout=20)
        assert nic.state() == before and works(nic, wire)

    def test_down(self, nic, wire):
        """A port that is down stays down."""
        said = nic.guest.sh(f"ip link set {nic.name} down; rigtool mmio {NIC} {FCTTV:#x}; "
                            f"rigtool mmio {NIC} {FCTTV:#x} 0x77; devlink dev reload {DEVICE}; "
                            f"rigtool mmio {NIC} {FCTTV:#x}", timeout=30).split()
        # The chip has been reset, and programmed.
        assert len(said) == 2 and said[0] == said[1] != "0x00000077"
        assert "state DOWN" in nic.guest.sh(f"ip link show {nic.name}")
        nic.guest.sh(f"ip link set {nic.name} up; rigtool carrier {nic.name} 1", timeout=20)
        assert works(nic, wire)

    def test_after_failure(self, nic, wire):
        """A port that was given up is there again."""
        guest = nic.guest
        guest.expect_log("device does not answer, STATUS reads 0x00000000")
        guest.allow_log(GONE)
        config = f"rigtool pcicfg {NIC} {COMMAND} w"
        guest.sh(f"{config} $(($({config}) & ~{MEMORY}))")
        guest.wait_log("detached|is gone", 15)
        said, status = guest.sh_status(f"devlink dev reload {DEVICE}", timeout=30)
        assert status and "cannot be started again" in said
        guest.sh(f"{config} $(($({config}) | {MEMORY})); devlink dev reload {DEVICE}; "
                 f"rigtool carrier {nic.name} 1 limit=10000", timeout=30)
        assert works(nic, wire)

    def test_namespace(self, nic, wire):
        """The device does not move: that is said, and nothing changes."""
        state = nic.state()
        nic.guest.sh("ip netns add x")
        said, status = nic.guest.sh_status(f"devlink dev reload {DEVICE} netns x")
        nic.guest.sh("ip netns del x")
        assert status and "move the interface" in said
        assert nic.state() == state and works(nic, wire)

    def test_unbind(self, nic):
        """The driver goes while somebody asks and restarts; it comes back whole."""
        guest = nic.guest
        loops = [guest.spawn(f"while :; do {words} >/dev/null 2>&1; done")
                 for words in (f"devlink dev reload {DEVICE}",
                               f"devlink health dump show {DEVICE} reporter tx",
                               f"devlink health recover {DEVICE} reporter rx")]
        guest.allow_log("Link is")
        try:
            for _ in range(5):
                guest.sh("usleep 200000; rmmod igb_demo; insmod /lib/modules/igb_demo.ko",
                         timeout=60)
        finally:
            for loop in loops:
                loop.kill()
        assert devlink(nic, f"dev info {DEVICE}")["driver"] == "igb_demo"
