# SPDX-License-Identifier: GPL-2.0
"""The hammer: all that can be done to a port at once, each again and again, and TCP meanwhile.

IGB_DEMO_HAMMER says for how many seconds.
"""
import collections
import os
import random
import re
import time

import pytest
from rig import frames, sessions
from rig.footprint import Footprint, left_over
from rig.nic import MODULE, Nic
from rig.project import DRIVER, PATIENCE
from rig.settings import parse_state, write_file

pytestmark = pytest.mark.guest("pair", ("smp-2cpu",))

SECONDS = int(os.environ.get("IGB_DEMO_HAMMER", 10 if PATIENCE == 1 else 30))
DEVICE = "pci/0000:01:00.0"

# A mebibyte from here to there, if it goes at all.
TCP = ("ip link set eth0 up; ip addr replace 10.1.0.1/24 dev eth0; "
       "ip netns exec b iperf3 -s -1 & s=$!; "
       "timeout 8 sh -c 'until iperf3 -c 10.1.0.2 -n 1M --connect-timeout 2000; do "
       "usleep 100000; done'; r=$?; "
       "kill -9 $s; wait $s; [ $r = 0 ]")
# What is done, with the milliseconds between one time and the next; $n counts the times.
BLOWS = {
    "updown": (1500, "ip link set eth0 down; ip link set eth0 up"),
    "rings": (300, "ethtool -G eth0 rx $((64 + n % 4 * 64)) tx $((512 - n % 4 * 64))"),
    "split": (900, "rigtool split eth0 on; rigtool split eth0 off"),
    "channels": (300, "ethtool -L eth0 combined $((1 + n % 4))"),
    "coalesce": (500, "ethtool -C eth0 adaptive-rx off rx-usecs $((n % 100)); "
                      "ethtool -C eth0 adaptive-rx on"),
    "checksums": (500, "ethtool -K eth0 rx off; ethtool -K eth0 rx on tx off; "
                       "ethtool -K eth0 tx on tso on"),
    "tags": (500, "ethtool -K eth0 rxvlan off rx-vlan-filter off; "
                  "ethtool -K eth0 rxvlan on txvlan off; "
                  "ethtool -K eth0 txvlan on rx-vlan-filter on"),
    "features": (500, "ethtool -K eth0 gro off rxhash off; ethtool -K eth0 rx-all on; "
                      "ethtool -K eth0 gro on rxhash on rx-all off"),
    "spread": (500, "ethtool -X eth0 equal 1; ethtool -N eth0 rx-flow-hash udp4 sd; "
                    "ethtool -X eth0 default; ethtool -N eth0 rx-flow-hash udp4 sdfn"),
    "threads": (500, "echo $((n % 2)) >/sys/class/net/eth0/threaded"),
    "copybreak": (500, "ethtool --set-tunable eth0 tx-copybreak $((n % 129))"),
    "pause": (2500, "ethtool -A eth0 rx off; ethtool -A eth0 rx on"),
    "negotiation": (3500, "ethtool -r eth0"),
    "online": (1500, "ethtool -t eth0 online | grep 'test result'"),
    "offline": (5500, "ethtool -t eth0 offline | grep 'test result'"),
    "mtu": (500, "for mtu in 68 9216 1500; do ip link set eth0 mtu $mtu; done"),
    "address": (900, "ip link set eth0 address 52:54:00:00:00:0$((n % 10))"),
    "vlans": (200, "v=$((n % 9 + 2)); ip link add link eth0 name eth0.$v type vlan id $v; "
                   "ip link set eth0.$v up; ip link del eth0.$v"),
    "programs": (50, "set -- pass drop back redirect; shift $((n % 4)); kind=xdp; "
                      "[ $((n % 8)) -lt 4 ] || kind=xdp.frags; "
                      "ip link set eth0 xdpdrv obj /lib/bpf/$kind.o program $1 && "
                      "{ usleep 50000; ip link set eth0 xdp off; }"),
    "modes": (500, "ip link set eth0 promisc on allmulticast on; "
                   "ip link set eth0 promisc off allmulticast off"),
    "groups": (300, "ip maddr add 33:33:00:00:01:0$((n % 8)) dev eth0; "
                    "ip maddr del 33:33:00:00:01:0$((n % 8)) dev eth0"),
    # More than the chip has places for.
    "hosts": (500, "sed s/fdb/'fdb add'/ /tmp/hosts | bridge -force -batch -; "
                   "sed s/fdb/'fdb del'/ /tmp/hosts | bridge -force -batch -"),
    "namespaces": (3700, "ip link set eth0 netns a; ip -n a link set eth0 up; "
                         "ip -n a link set eth0 netns 1"),
    "dumps": (500, "ethtool -d eth0 raw on; ethtool -S eth0; ethtool eth0; rigtool mii eth0 1"),
    "counters": (500, "ip -s link show eth0; "
                      "ethtool -S eth0 --groups eth-mac eth-phy eth-ctrl rmon"),
    "health": (500, "devlink health diagnose $d reporter tx; devlink dev info $d; "
                    "devlink health dump show $d reporter rx; "
                    "devlink health dump clear $d reporter rx"),
    "reload": (4300, "devlink dev reload $d"),
    "sockets": (200, "timeout 3 rigtool xsk eth0 mode=back queue=$((n % 2)) >/tmp/xsk; "
                     "grep ready /tmp/xsk"),
    "out": (200, "rigtool send eth0 sizes=60-1500 bypass=$((n % 2))"),
    "in": (200, "ip netns exec b rigtool send eth1 sizes=60-1514"),
    "tcp": (10, TCP),
}
# How much longer a turn may take, on a busy host, until each blow has struck home once.
PATIENT = 90
# And how many more turns are taken where something has grown in each.
AGAIN = 3
# Each line of /tmp/blows is NAME MILLISECONDS COMMAND.
SCRIPT = rf"""
d={DEVICE}
strike() {{
	name=$1 pause=$2 command=$3 n=0 hits=0
	while read -r now _ </proc/uptime && now=${{now%.*}} &&
	      {{ [ $now -lt $end ] || [ $hits = 0 -a $now -lt $((end + {PATIENT})) ]; }}; do
		n=$((n + 1))
		eval "$command" && hits=$((hits + 1))
		usleep ${{pause}}000
	done >/dev/null 2>&1
	echo "@ $name $hits $n"
}}
read -r now _ </proc/uptime
end=$((${{now%.*}} + $1))
while read -r name pause command; do
	strike $name $pause "$command" </dev/null &
done </tmp/blows
wait
"""
# Back to what a port is like whose driver was just loaded.
BACK = f"""
ip -n a link set eth0 netns 1 2>/dev/null
for n in /sys/class/net/eth0.*; do [ ! -e $n ] || ip link del ${{n##*/}}; done
ip link set eth0 xdp off
rigtool split eth0 off
ip link set eth0 down mtu 1500 promisc off allmulticast off address {Nic.permanent_mac}
ethtool -G eth0 rx 256 tx 256
ethtool -L eth0 combined 2
ethtool -X eth0 default
ethtool -N eth0 rx-flow-hash udp4 sdfn
ethtool -C eth0 adaptive-rx off rx-usecs 20
ethtool -C eth0 adaptive-rx on
ethtool -K eth0 tx on rx on gro on rxvlan on txvlan on rxhash on rx-vlan-filter on rx-all off \
	tso on
ethtool -K eth0 tx-tcp-mangleid-segmentation off
ethtool -A eth0 rx on
ethtool --set-tunable eth0 tx-copybreak 128
echo 0 >/sys/class/net/eth0/threaded
sed s/fdb/'fdb del'/ /tmp/hosts | bridge -force -batch - 2>/dev/null
for i in 0 1 2 3 4 5 6 7; do ip maddr del 33:33:00:00:01:0$i dev eth0; done 2>/dev/null
ip addr flush dev eth0
ip link set eth0 up
rigtool carrier eth0 1 limit=10000
"""
HOSTS = "\n".join(f"fdb 02:00:00:00:00:{number:02x} dev eth0" for number in range(30))
# What the kernel says of a setting that comes while the port is detached; what the driver says of
# settings that do not go together, and of a self-test whose frames get lost on the way.
ANNOUNCED = (r"failed to kill vid|takes no fragments|self-test failed: |loopback: a frame|"
             r"no link yet")
# What a port has had, where its memory lies, which queues the stack has seen when, and IPv6's own
# group, which ends with the MTU: the rest can be brought back.
HISTORY = r"link\.(35|47|48)$|napi\.|reg\.[ce]|qdisc\.|mcast\.333300000001$"


def strike(guest, seconds, dice):
    """All blows at once, and the cable pulled now and then; {name: how many succeeded}."""
    job = guest.spawn(f"sh /tmp/hammer.sh {seconds}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        guest.set_link(False)
        time.sleep(dice.uniform(0, 0.3))
        guest.set_link(True)
        time.sleep(dice.uniform(0, 3))
    said = job.wait(PATIENT + 60)
    return {name: int(hits) for name, hits in re.findall(r"^@ (\w+) (\d+)", said, re.M)}


def settings(guest):
    """All that can be set of the port."""
    state = parse_state(guest.sh("rigtool state eth0"))
    return {name: value for name, value in state.items() if not re.match(HISTORY, name)}


def bring_back(guest, before):
    """Whatever it was left at, the port can be given the settings that it had."""
    guest.sh("sh /tmp/back.sh", timeout=60)
    after = settings(guest)
    differs = {name: (before.get(name), after.get(name)) for name in before.keys() | after.keys()
               if before.get(name) != after.get(name)}
    assert not differs, f"before and after: {differs}"


def exchange(sender, receiver):
    """Frames that arrive as they were."""
    count = 50
    with receiver.receiving(f"until={count - 1}") as seen:
        sender.transmit(f"dst={receiver.mac} sizes=1000 repeat={count}")
    assert frames.summary(seen) == frames.expected([1000] * count)


def one_turn(guest, seconds, dice):
    """Load, hammer, bring back, try, unload; returns (blows that struck home, footprint)."""
    guest.sh(f"insmod {MODULE}; ip netns add a; ip netns add b; ip link set eth1 netns b; "
             "ip -n b addr add 10.1.0.2/24 dev eth1; ip -n b link set eth1 up")
    nic, other = Nic(guest), Nic(guest, "eth1", "0000:02:00.0")
    nic.up()
    before = settings(guest)
    hits = strike(guest, seconds, dice)
    bring_back(guest, before)
    guest.sh(f"{{ {TCP}; }} >/tmp/tcp 2>&1 || {{ cat /tmp/tcp; false; }}")
    guest.sh("ip addr flush dev eth0; ip -n b link set eth1 netns 1")
    other.up()
    exchange(nic, other)
    exchange(other, nic)
    guest.sh(f"rmmod {DRIVER}; ip netns del a; ip netns del b", timeout=60)
    assert not left_over(guest)
    # What one CPU freed of another's frames that other one gives back when it next receives.
    guest.sh("ip link set lo up; for cpu in 1 2; do taskset $cpu ping -c 1 127.0.0.1; done; "
             "sleep 2")
    return hits, Footprint.of(guest)


def grows(after, before):
    """What there is more of; files of the test's own, and of /proc, are remembered for a while."""
    return {name for name in after.grown(before, 0) if not re.search("inode|dentry", name)}


@pytest.mark.timeout(2 * SECONDS + (3 + AGAIN) * PATIENT + 600)
def test_hammer(guest):
    """It stands all of it, can be brought back to what it was, and leaves nothing behind."""
    guest.allow_log(ANNOUNCED)
    write_file(guest, "/tmp/hammer.sh", SCRIPT)
    write_file(guest, "/tmp/back.sh", BACK)
    write_file(guest, "/tmp/hosts", HOSTS)
    write_file(guest, "/tmp/blows", "\n".join(f"{name} {pause} {command}"
                                              for name, (pause, command) in BLOWS.items()))
    dice, hits, prints, grown = random.Random(SECONDS), collections.Counter(), [], []
    for share in (2, 4, 4, *[1] * AGAIN):
        struck, found = one_turn(guest, max(4, SECONDS * share // 10), dice)
        hits.update(struck)
        grown += [grows(found, before) for before in prints[-1:]]
        prints.append(found)
        # What goes on growing is a leak.
        if len(prints) > 2 and not (both := set.intersection(*grown)):
            break
    print(dict(hits))
    assert not both, f"grown each time: {both}"
    # TCP goes if it can.
    assert all(hits[name] for name in BLOWS if name != "tcp"), f"not all were done: {hits}"
