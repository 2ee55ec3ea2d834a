# SPDX-License-Identifier: GPL-2.0
"""Sleep: the system's, and that of a port which nobody uses."""
import contextlib
import os
import time

import pytest
from rig import frames
from rig.footprint import left_over
from rig.frames import PEER
from rig.project import DRIVER
from rig.qmp import QmpError
from test_faults import COMMAND, MASTER, works

pytestmark = pytest.mark.guest("wire", ("msix-2cpu", "nomsi-1cpu"))

NIC = "0000:01:00.0"
DEVICE = f"/sys/bus/pci/devices/{NIC}"
AWAKE = bytes.fromhex("020000000a0e")
TIMED_OUT = -110
# How often the system goes to sleep and wakes.
CYCLES = int(os.environ.get("IGB_DEMO_SLEEPS", 5))

# What can be asked of a port that is down, and what of it may change from one time to the next.
QUESTIONS = (
    "ethtool eth0", "ethtool -i eth0", "ethtool -S eth0", "ethtool -d eth0", "ethtool -e eth0",
    "ethtool -a eth0", "ethtool -c eth0", "ethtool -g eth0", "ethtool -k eth0", "ethtool -l eth0",
    "ethtool -x eth0", "ethtool -T eth0", "ethtool --show-priv-flags eth0; true",
    "ethtool -S eth0 --groups eth-mac eth-phy eth-ctrl rmon", "ethtool -I -a eth0",
    "ip -s -s link show eth0", "rigtool mii eth0 2", "devlink dev info",
    f"devlink health diagnose pci/{NIC} reporter tx", "ip maddr show dev eth0",
    f"devlink health dump show pci/{NIC} reporter rx; true", f"cat {DEVICE}/vendor",
    "cat /sys/class/net/eth0/statistics/rx_bytes; cat /sys/class/net/eth0/address")

# Settings, each with what it takes to see it, and how it is undone.
SETTINGS = (
    ("ethtool -G eth0 rx 128", "ethtool -g eth0 | grep ^RX:", "ethtool -G eth0 rx 256"),
    ("ethtool -C eth0 adaptive-rx off rx-usecs 40", "ethtool -c eth0 | grep ^Adaptive",
     "ethtool -C eth0 adaptive-rx on"),
    ("ethtool -K eth0 rxvlan off", "ethtool -k eth0 | grep ^rx-vlan-offload",
     "ethtool -K eth0 rxvlan on"),
    ("ip link set eth0 mtu 9000", "ip link show eth0 | grep -o 'mtu [0-9]*'",
     "ip link set eth0 mtu 1500"),
    ("ip link set eth0 address 52:54:00:00:00:07", "cat /sys/class/net/eth0/address",
     "ip link set eth0 address 52:54:00:12:34:56"),
    ("ethtool -A eth0 rx off", "ethtool -a eth0 | grep ^RX:", "ethtool -A eth0 rx on"),
    ("ethtool -s eth0 advertise 0x2020",        # 1000baseT/Full, pause
     "ethtool eth0 | sed -n '/Advertised link modes/,/Advertised pause/p'",
     "ethtool -s eth0 autoneg on"),
    ("ip link set eth0 xdp obj /lib/bpf/xdp.o program pass", "ip link show eth0 | grep -o prog/xdp",
     "ip link set eth0 xdp off"),
    ("ip maddr add 01:00:5e:40:01:02 dev eth0", "ip maddr show dev eth0 | grep 40:01:02",
     "ip maddr del 01:00:5e:40:01:02 dev eth0"))
ACTIONS = (f"devlink dev reload pci/{NIC}", f"echo 1 >{DEVICE}/reset", "ethtool -t eth0 offline",
           "ethtool -r eth0; true", f"echo 1 >{DEVICE}/rescan")


def status(nic):
    """suspended or active, as the kernel has it."""
    return nic.guest.read(f"{DEVICE}/power/runtime_status")


def falls_asleep(nic):
    """Returns when it has."""
    nic.guest.until(f"cat {DEVICE}/power/runtime_status", "^suspended", 10)


class TestUnused:
    """A port that is down."""

    @pytest.fixture
    def idle(self, fresh_nic):
        """Allowed to sleep, at once when there is nothing to do."""
        nic = fresh_nic
        nic.guest.sh(f"echo 0 >{DEVICE}/power/autosuspend_delay_ms; "
                     f"echo auto >{DEVICE}/power/control")
        return nic

    @pytest.fixture
    def asleep(self, idle):
        """Down, and asleep."""
        idle.down()
        falls_asleep(idle)
        return idle

    def test_not_asked(self, fresh_nic):
        """Unless the administrator wants it, a port does not sleep."""
        fresh_nic.down()
        time.sleep(3)
        assert status(fresh_nic) == "active"

    def test_after_a_while(self, fresh_nic, wire):
        """Not at once: who takes a port down often raises it again."""
        nic = fresh_nic
        nic.guest.sh(f"echo auto >{DEVICE}/power/control")
        nic.down()
        assert status(nic) == "active"
        falls_asleep(nic)
        assert nic.guest.read(f"{DEVICE}/power_state") == "D3hot"
        nic.up()
        assert status(nic) == "active"
        assert nic.guest.read(f"{DEVICE}/power_state") == "D0"
        assert works(nic, wire)

    def test_not_while_up(self, idle, wire):
        """With a link or without."""
        time.sleep(2)
        assert status(idle) == "active"
        assert works(idle, wire)
        idle.guest.set_link(False)
        idle.guest.sh("rigtool carrier eth0 0")
        time.sleep(2)
        assert status(idle) == "active"
        idle.guest.set_link(True)
        idle.guest.sh("rigtool carrier eth0 1")
        assert works(idle, wire)

    def test_questions(self, idle):
        """Asleep it answers as it does awake."""
        nic, guest = idle, idle.guest
        guest.sh(f"echo on >{DEVICE}/power/control")
        nic.down()
        awake = [guest.sh_status(question) for question in QUESTIONS]
        guest.sh(f"echo auto >{DEVICE}/power/control")
        for question, (said, ended) in zip(QUESTIONS, awake):
            falls_asleep(nic)
            again, status_again = guest.sh_status(question)
            assert ended == status_again == 0, f"{question}: {said}\n{again}"
            # Registers of a chip that was reset, and what the log counts, may differ.
            if "-d" not in question:
                assert again == said, question

    def test_settings(self, asleep, wire):
        """What is set asleep is seen asleep, and holds."""
        nic, guest = asleep, asleep.guest
        for setting, question, back in SETTINGS:
            before = guest.sh(question, check=False)
            falls_asleep(nic)
            guest.sh(setting)
            falls_asleep(nic)
            assert guest.sh(question, check=False) != before, setting
            falls_asleep(nic)
            guest.sh(back)
            assert guest.sh(question, check=False) == before, back
        falls_asleep(nic)
        nic.up()
        assert works(nic, wire)

    def test_vlans(self, asleep, wire):
        """The filter has what was added while nobody could be told."""
        nic, guest = asleep, asleep.guest
        for number in (5, 6):
            guest.sh(f"ip link add link eth0 name eth0.{number} type vlan id {number}")
            falls_asleep(nic)
        guest.sh("ip link del eth0.5")
        falls_asleep(nic)
        nic.up()
        with nic.receiving("until=2") as seen:
            wire.burst([frames.build(0, 60, nic.mac, vlan=5), frames.build(1, 60, nic.mac, vlan=6),
                        frames.build(2, 60, nic.mac)])
        assert [frame.number for frame in seen] == [1, 2]

    @pytest.mark.parametrize("action", ACTIONS)
    def test_actions(self, asleep, wire, action):
        """They wake it."""
        asleep.guest.sh(action, timeout=60)
        falls_asleep(asleep)
        asleep.up()
        assert works(asleep, wire)

    @pytest.mark.parametrize("function", ("igb_hw_reset", "igb_phy_start"))
    @pytest.mark.parametrize("question", ("ip link set eth0 up", "ethtool -d eth0"))
    def test_does_not_wake(self, asleep, wire, function, question):
        """Not this time, which is said; nor does it reach memory then. But the next."""
        guest = asleep.guest
        guest.expect_log(r"does not wake: -ETIMEDOUT")
        guest.sh(f"insmod /lib/modules/requeue.ko times=0 fail={function} value={TIMED_OUT} "
                 "many=0")
        guest.sh(question, check=False)
        assert not int(guest.sh(f"rigtool pcicfg {NIC} {COMMAND} w"), 16) & MASTER
        guest.sh("rmmod requeue")
        falls_asleep(asleep)
        asleep.up()
        assert works(asleep, wire)

    def test_often(self, idle, wire):
        """Up and down, asleep in between."""
        for _ in range(10):
            idle.down()
            falls_asleep(idle)
            idle.up()
        assert works(idle, wire)

    def test_gone(self, asleep, box):
        """The driver is unloaded, the card unplugged."""
        guest = asleep.guest
        guest.sh(f"rmmod {DRIVER}")
        assert not left_over(guest)
        asleep.load()
        guest.sh(f"echo 0 >{DEVICE}/power/autosuspend_delay_ms; "
                 f"echo auto >{DEVICE}/power/control")
        asleep.down()
        falls_asleep(asleep)
        if box.msi and os.environ.get("KERNEL") != "debug":        # see TestHotPlug
            guest.unplug()
            assert not left_over(guest)
            guest.plug()


# Without MSI there is one configuration more, of what has nothing to do with interrupts.
@pytest.mark.guest("wire", ("msix-2cpu",))
class TestSystem:
    """The whole machine sleeps, in the midst of traffic."""

    @staticmethod
    def _wake(wire, guest, how):
        """Until a frame tells that it is awake; it takes a moment to fall asleep."""
        for _ in range(20):
            with contextlib.suppress(AssertionError):
                wire.recv(lambda frame: frame.startswith(AWAKE), timeout=1)
                return
            # Refused while it is awake: it is still falling asleep, or awake by itself.
            with contextlib.suppress(QmpError):
                guest.qmp("system_wakeup" if how == "mem" else "system_powerdown")
        raise AssertionError("it does not wake")

    @pytest.mark.timeout(600)
    @pytest.mark.parametrize("how", ("freeze", "mem"))
    def test_sleep(self, fresh_nic, wire, box, how):
        """To idle or to memory: afterwards the port has its link, and frames pass."""
        nic, guest = fresh_nic, fresh_nic.guest
        guest.allow_log(r"PM: |Freezing|Restarting|OOM killer|ACPI|printk: Suspending|smpboot|CPU"
                        r"|suspend|Timekeeping|clocksource|microcode|x86|serial|rtc_cmos|sd |pci")
        guest.sh("modprobe button 2>/dev/null; echo deep >/sys/power/mem_sleep")
        before = nic.state()
        wire.drain()
        # Nothing that is typed to a machine asleep is heard: it says itself when it is awake.
        job = guest.spawn(
            f"(while :; do rigtool send eth0 dst={PEER} sizes=60-1000 repeat=20; usleep 2000; "
            "done) >/dev/null 2>&1 & "
            f"for n in $(seq {CYCLES}); do "
            f"echo {how} >/sys/power/state || exit 1; "
            f"rigtool carrier eth0 1 limit=20000 || exit 2; "
            f"rigtool send eth0 dst=02:00:00:00:0a:0e sizes=60 || exit 3; done; kill $!")
        for _ in range(CYCLES):
            self._wake(wire, guest, how)
        job.wait(60)
        assert nic.state() == before
        assert works(nic, wire)
        if how == "mem":
            # QEMU's machine does not power off any more after that.
            box.discard()
