# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of network drivers, from Debian's linux-source, on two ports of this one.

A line for each of their cases. They run as they are; what they need is made here: addresses, a
namespace for the other end, and a cable that is pulled.

Not these of 6.12, for they test what neither this chip nor its emulation has, or nothing of it:
  drivers/net/netcons_basic.sh, netdevsim, bonding, team, dsa, mlxsw, ...: other devices
  hw/devlink_port_split.py: ports that can be split
  hw/ethtool_mm.sh: a MAC merge layer
  hw/hw_stats_l3*.sh: statistics of routes in hardware
  hw/pp_alloc_fail.py: wants a kernel with CONFIG_FAIL_FUNCTION, which Debian's is not
  hw/rss_ctx.py: wants ethtool's JSON of -x and -c, which ethtool 6.1 has not
  hw/ethtool_rmon.sh: sends 840,000 frames to see each counted, and the emulated chip counts by
      their length without a checksum
  net/forwarding/min_max_mtu.sh: passes, in more time than all of these together
  net/forwarding/local_termination.sh: wants mtools that Debian has not; the others of that
      directory want more than two ports, or test what runs in software
"""
import re

import pytest
from rig import image
from rig.nic import MODULE

# Much is asked at once, which takes minutes where the host is busy. Their own patience is some
# seconds, which is nothing to a debug kernel.
pytestmark = [pytest.mark.guest("selftests", ("msix-2cpu",), never="debug"),
              pytest.mark.timeout(900)]

REMOTE = "far"
# How the tests know their environment: both ends of a wire, one of them elsewhere.
ENVIRONMENT = ("NETIF=eth0 LOCAL_V4=192.0.2.1 REMOTE_V4=192.0.2.2 LOCAL_V6=2001:db8::1 "
               f"REMOTE_V6=2001:db8::2 REMOTE_TYPE=netns REMOTE_ARGS={REMOTE} REMOTE_IFNAME=eth1")
# Those of forwarding wait for the partner's ports to be ready, and are patient.
FORWARDING = "WAIT_TIME=1 WAIT_TIMEOUT=5 PING_COUNT=1"
CONFIG = "NETIFS=([p1]=eth0 [p2]=eth1)\nNETIF_NO_CABLE=eth0\nPING6='ping -6'\n"

IP = tuple(f"ipv{number}_{what}" for number in (4, 6) for what in
           ("rx_tcp", "rx_tcp_invalid", "rx_udp", "rx_udp_invalid", "tx_udp_csum_offload",
            "tx_udp_zero_checksum"))
# Each test, and the cases in it.
PYTHON = {
    "drivers/net/ping.py": ("test_v4", "test_v6", "test_tcp"),
    "drivers/net/queues.py": ("get_queues", "addremove_queues"),
    "drivers/net/stats.py": ("check_pause", "check_fec", "pkt_byte_sum", "qstat_by_ifindex",
                             "check_down"),
    "drivers/net/hw/csum.py": IP,
}
SHELL = {
    "drivers/net/hw/ethtool.sh": (
        *(f"force speed {speed} {how}" for how in ("on both ends", "vs. autoneg")
          for speed in (10, 100, 1000)),
        "force of different speeds autoneg off", "advertise 0x2c vs. 0x20", "check highest speed",
        "advertise different speeds autoneg on"),
    "drivers/net/hw/loopback.sh": ("loopback",),
}
# Without a cable. A third case wants a PHY that can tell that from a silent partner.
UNPLUGGED = {
    "drivers/net/hw/ethtool_extended_state.sh": (
        "Autoneg, No partner detected", "Autoneg, No partner detected during force mode"),
}
UNPLUGGED_TESTS = "TESTS='autoneg autoneg_force_mode'"
# Its receiver ends after one or two seconds, whatever has come by then.
TRIES = {"drivers/net/hw/csum.py": 6}
# What does not pass with any driver here, and why.
NOT_FORCED = ("FAIL", "1000BASE-T has to negotiate, so the speed cannot be forced")
EXPECTED = {
    "check_fec": ("XFAIL", "copper gigabit has no forward error correction"),
    "force speed 1000 on both ends": NOT_FORCED,
    "force speed 1000 vs. autoneg": NOT_FORCED,
    "Autoneg, No partner detected during force mode":
        ("FAIL", "names no duplex mode, and without a link there is none to keep"),
    "force of different speeds autoneg off": ("FAIL", "the emulated wire takes any speed"),
}


def cases(suites):
    """A parameter for each case."""
    return [pytest.param(path, case, id=f"{path.rsplit('/', 1)[-1]}:{case}")
            for path, those in suites.items() for case in those]


@pytest.fixture(name="ports")
def _ports(guest):
    """Both of this driver's, down and without addresses; IPv6 as the kernel has it by itself."""
    guest.sh("for to in all default; do echo 0 >/proc/sys/net/ipv6/conf/$to/disable_ipv6; done; "
             f"[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd; insmod {MODULE}")
    yield guest
    guest.sh("for to in all default; do echo 1 >/proc/sys/net/ipv6/conf/$to/disable_ipv6; done")


@pytest.fixture(name="far")
def _far(ports):
    """eth1 in a namespace of its own, both up and addressed."""
    ports.sh(f"ip netns add {REMOTE} && ip link set eth1 netns {REMOTE}")
    for number, command in ((1, "ip"), (2, f"ip -n {REMOTE}")):
        ports.sh(f"{command} link set eth{number - 1} up && "
                 f"{command} addr add 192.0.2.{number}/24 dev eth{number - 1} && "
                 f"{command} addr add 2001:db8::{number}/64 dev eth{number - 1} nodad")
    ports.sh(f"ip -n {REMOTE} link set lo up; rigtool carrier eth0 1 && "
             f"ip netns exec {REMOTE} rigtool carrier eth1 1")
    return ports


def results(said):
    """{case: (outcome, what was said of it)} of what a test printed, in either manner."""
    found, lines = {}, []
    for line in said.splitlines():
        ktap = re.match(r"(not )?ok \d+ [\w-]+\.(\w+)(?: # (\w+))?", line)
        told = re.match(r"TEST: (.*\S)\s+\[\s*(\w+)\s*\]", line)
        if ktap:
            found[ktap[2]] = ("FAIL" if ktap[1] else ktap[3] or "OK", lines)
            lines = []
        elif told:
            lines = []      # what it has to say follows
            found[told[1]] = (told[2], lines)
        else:
            lines.append(line)
    return found


def outcome(box, path, run):
    """Results of a test, which runs once for all of its cases; once more for those that come
    late on a busy host."""
    if not hasattr(box, "kselftests"):
        box.kselftests = {}
    if path not in box.kselftests:
        found = results(run())
        for _ in range(TRIES.get(path, 1) - 1):
            if any(result == "FAIL" for result, _ in found.values()):
                again = results(run())
                found.update({case: again[case] for case, (result, _) in found.items()
                              if result == "FAIL" and case in again})
        box.kselftests[path] = found
    return box.kselftests[path]


def judge(found, case):
    """Whether it passed, as it must, or did what is expected of it."""
    assert case in found, f"only {list(found)}"
    result, said = found[case]
    want, _ = EXPECTED.get(case, ("OK", ""))
    assert result == want, f"{result}:\n" + "\n".join(said)


def shell(guest, path, environment=""):
    """Run one of them where it lies."""
    directory, name = f"{image.SELFTESTS}/{path}".rsplit("/", 1)
    guest.sh(f"printf '%s' \"{CONFIG}\" >{image.SELFTESTS}/net/forwarding/forwarding.config")
    return guest.sh_status(f"cd {directory} && {FORWARDING} {environment} bash ./{name}; cd - "
                           ">/dev/null", timeout=600)[0]


class TestSelftests:
    """One case each."""

    @pytest.mark.parametrize("path, case", cases(PYTHON))
    def test_far(self, request, box, path, case):
        """With the remote end in another namespace."""
        def run():
            guest = request.getfixturevalue("far")
            return guest.sh_status(f"{ENVIRONMENT} python3 -m kselftest {path}", timeout=600)[0]
        judge(outcome(box, path, run), case)

    @pytest.mark.parametrize("path, case", cases(SHELL))
    def test_near(self, request, box, path, case):
        """With both ports at hand."""
        judge(outcome(box, path, lambda: shell(request.getfixturevalue("ports"), path)), case)

    @pytest.mark.parametrize("path, case", cases(UNPLUGGED))
    def test_unplugged(self, request, box, path, case):
        """Without a partner."""
        def run():
            guest = request.getfixturevalue("ports")
            for port in (0, 1):
                guest.set_link(False, port)
            try:
                return shell(guest, path, UNPLUGGED_TESTS)
            finally:
                for port in (0, 1):
                    guest.set_link(True, port)
        judge(outcome(box, path, run), case)
