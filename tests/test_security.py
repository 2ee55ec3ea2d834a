# SPDX-License-Identifier: GPL-2.0
"""What who has no privileges can reach of a port: questions that give nothing away, and nothing
that changes it."""
import re
import shlex

import pytest
from rig.settings import parse_state

pytestmark = pytest.mark.guest("wire", ("msix-1cpu",))

NIC = "0000:01:00.0"
DEVICE = f"/sys/bus/pci/devices/{NIC}"

OPEN = (
    "ethtool eth0", "ethtool -i eth0", "ethtool -k eth0", "ethtool -g eth0", "ethtool -l eth0",
    "ethtool -c eth0", "ethtool -a eth0", "ethtool -S eth0", "ethtool -T eth0", "ethtool -x eth0",
    "ethtool -S eth0 --groups eth-mac eth-phy eth-ctrl rmon", "ethtool -I -a eth0",
    "ip -s -s -d link show eth0", "ip addr show eth0", "devlink dev info",
    f"cat {DEVICE}/resource", f"ls -l {DEVICE}/")
# Registers, the NVM and what descriptors point to are not everybody's.
CLOSED = (
    "ethtool -d eth0", "ethtool -e eth0", f"devlink health dump show pci/{NIC} reporter tx",
    f"cat {DEVICE}/resource0", "rigtool mmio 0000:01:00.0 0x8", f"cat {DEVICE}/config | xxd | "
    "grep 00000040", "ethtool -t eth0", "ethtool -p eth0 1", "dmesg | grep igb_demo")
SETTERS = (
    "ethtool -G eth0 rx 512", "ethtool -L eth0 combined 1", "ethtool -C eth0 rx-usecs 20",
    "ethtool -K eth0 rx off", "ethtool -A eth0 rx off", "ethtool -s eth0 autoneg off",
    "ethtool -s eth0 msglvl 0", "ethtool -s eth0 wol g", "ethtool -r eth0", "ethtool -X eth0 equal 1",
    "ethtool -N eth0 rx-flow-hash tcp4 s", "ethtool -E eth0 magic 0x10c98086 offset 0 value 1",
    "ethtool --set-tunable eth0 tx-copybreak 0", "ethtool -t eth0 offline",
    "ip link set eth0 down", "ip link set eth0 mtu 900", "ip link set eth0 address 2:0:0:0:0:1",
    "ip link set eth0 promisc on", "ip link set eth0 xdp obj /lib/bpf/xdp.o program drop",
    "ip link add link eth0 name eth0.9 type vlan id 9", "ip maddr add 01:00:5e:00:00:09 dev eth0",
    "tc qdisc add dev eth0 clsact", f"devlink dev reload pci/{NIC}", "rigtool mii eth0 0 0x1140",
    f"devlink health recover pci/{NIC} reporter tx", f"echo 1 >{DEVICE}/reset",
    f"echo auto >{DEVICE}/power/control", f"echo {NIC} >/sys/bus/pci/drivers/igb_demo/unbind",
    "echo 1 >/sys/class/net/eth0/threaded", "rigtool xsk eth0 mode=send count=1",
    "echo f >/sys/class/net/eth0/queues/rx-0/rps_cpus", "rmmod igb_demo")


def as_nobody(nic, command):
    """Its output and status, for who has no capability at all."""
    return nic.guest.sh_status(f"rigtool nobody here sh -c {shlex.quote(command)}")


@pytest.mark.parametrize("question", OPEN)
def test_open(nic, question):
    """Anybody may ask; no answer has an address of the kernel's in it."""
    said, status = as_nobody(nic, question)
    assert not status, said
    assert not re.search(r"(?i)\bf{4}[89a-f][0-9a-f]{11}\b|0xf{4}[89a-f][0-9a-f]{11}", said), said


@pytest.mark.parametrize("question", CLOSED)
def test_closed(nic, question):
    """Not for everybody."""
    said, status = as_nobody(nic, question)
    assert status, said


def test_setters(nic):
    """Not one changes anything."""
    before = parse_state(nic.guest.sh("rigtool state eth0"))
    for setter in SETTERS:
        said, status = as_nobody(nic, setter)
        # Some of ethtool's say so with a status of 0.
        assert status or "not permitted" in said, f"{setter}: {said}"
    after = parse_state(nic.guest.sh("rigtool state eth0"))
    assert after == before


def test_other_namespace(nic):
    """Root of a network namespace has the ports that are in it, and this one is not."""
    guest = nic.guest
    before = parse_state(guest.sh("rigtool state eth0"))
    for setter in ("ethtool -G eth0 rx 512", f"devlink dev reload pci/{NIC}",
                   "ip link set eth0 down"):
        said, status = guest.sh_status(f"rigtool nobody elsewhere {setter}")
        assert status, f"{setter}: {said}"
    assert parse_state(guest.sh("rigtool state eth0")) == before


def test_registers_are_the_chips(nic):
    """A dump's unused words are no memory of the kernel's: two dumps differ in counters only."""
    first, second = (nic.guest.sh("ethtool -d eth0 raw on | xxd -p | tr -d '\\n'").strip()
                     for _ in range(2))
    assert len(first) == len(second) > 1000
    words = [(first[at:at + 8], second[at:at + 8]) for at in range(0, len(first), 8)]
    assert sum(a != b for a, b in words) < len(words) // 20
