# SPDX-License-Identifier: GPL-2.0
"""How many queue pairs are used: ethtool -L."""
import re

import pytest
from rig import frames
from rig.frames import PEER

pytestmark = pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))


@pytest.fixture
def nic(fresh_nic):
    """Numbers of queues at their default."""
    return fresh_nic


def channels(nic):
    """(most, in use)"""
    found = re.findall(r"^Combined:\s+(\d+)", nic.ethtool("-l"), re.M)
    return tuple(map(int, found))


def vectors(nic):
    """The queues' interrupt numbers, by their names."""
    return {name: vector.number for name, vector in nic.vectors().items() if "-TxRx-" in name}


def works(nic, wire):
    """Frames pass in both directions, through each transmit queue."""
    most, used = channels(nic)
    assert used <= most
    with nic.receiving("until=19") as seen:
        wire.burst(frames.series(nic.mac, 20, 200))
    wire.drain()
    nic.transmit(f"dst={PEER} sizes=60-99")
    return len(seen) == 20 and len(wire.collect(40)) == 40


class TestChannels:
    """Combined channels, one vector each."""

    def test_default(self, nic, box, wire):
        """One a CPU; more can be had with MSI-X."""
        most, used = channels(nic)
        assert most == (8 if box.msi else 1)
        assert used == (box.cpus if box.msi else 1)
        assert works(nic, wire)

    def test_each_number(self, nic, box, wire):
        """From one to the most and back, each with its vectors, the link kept."""
        if not box.msi:
            pytest.skip("one vector")
        since = nic.guest.log_position()
        for count in (1, 2, 3, 4, 5, 6, 7, 8, 5, 2, 8, 1):
            nic.ethtool(f"-L {{}} combined {count}")
            assert channels(nic) == (8, count)
            assert len(vectors(nic)) == count
            assert nic.guest.sh(f"ls -d /sys/class/net/{nic.name}/queues/*").count("rx-") == count
            assert works(nic, wire)
        assert not [line for line in nic.guest.dmesg(since) if "igb_demo" in line.text]

    def test_spread(self, nic, box, wire):
        """The table follows, unless it was set; what was set is not broken."""
        if not box.msi:
            pytest.skip("one vector")
        nic.ethtool("-L {} combined 4")
        used = {int(word) for line in nic.ethtool("-x").splitlines()
                if re.match(r"\s+\d+:\s+\d", line) for word in line.split(":")[1].split()}
        assert used == {0, 1, 2, 3}
        nic.ethtool("-X {} weight 1 1 1 0")
        table = nic.ethtool("-x").split("RSS hash key")[0]
        said, status = nic.guest.sh_status(f"ethtool -L {nic.name} combined 2")
        assert status, said
        assert channels(nic)[1] == 4
        nic.ethtool("-L {} combined 3")
        assert nic.ethtool("-x").split("RSS hash key")[0].splitlines()[1:] \
            == table.splitlines()[1:]
        assert works(nic, wire)

    @pytest.mark.guest("wire", ("msix-2cpu",))
    def test_affinity_is_kept(self, nic, wire):
        """Where the administrator put a vector, it stays."""
        def affinity():
            """{name: CPUs} of the vectors that are in use."""
            found = {name: vector.number for name, vector in nic.vectors().items()}
            masks = nic.guest.sh(f"cd /proc/irq; for n in {' '.join(map(str, found.values()))}; do "
                                 "cat $n/smp_affinity; done; cd - >/dev/null").split()
            return dict(zip(found, (int(mask, 16) for mask in masks)))

        nic.ethtool("-L {} combined 8")
        before = affinity()
        chosen = {name: 1 + number % 2 for number, name in enumerate(before)}
        # Half of them, or so, where they would not be by themselves.
        assert len(chosen) == 9 and chosen != before
        nic.guest.sh("".join(f"echo {mask} >/proc/irq/{nic.vectors()[name].number}/smp_affinity;"
                             for name, mask in chosen.items()))
        for count in (1, 8, 2, 5, 8):
            nic.ethtool(f"-L {{}} combined {count}")
            now = affinity()
            assert len(now) == 1 + count
            assert now == {name: chosen[name] for name in now}
        assert works(nic, wire)

    def test_while_down(self, nic, box, wire):
        """Set while down, used when up; counters of a queue out of use are kept."""
        if not box.msi:
            pytest.skip("one vector")
        nic.ethtool("-L {} combined 4")
        assert works(nic, wire)
        before = nic.counters()
        nic.down()
        nic.ethtool("-L {} combined 1")
        nic.up()
        after = nic.counters()
        assert all(after[name] >= before[name] for name in before)
        assert channels(nic)[1] == 1 and works(nic, wire)

    @pytest.mark.parametrize("setting", ("combined 0", "combined 9", "rx 1", "tx 1", "other 0",
                                         "combined 100000"))
    def test_refused(self, nic, box, wire, setting):
        """The port goes on as it was."""
        if setting == "other 0" and not box.msi:
            pytest.skip("there is none anyway")
        before = nic.state()
        said, status = nic.guest.sh_status(f"ethtool -L {nic.name} {setting}")
        assert status, said
        assert nic.state() == before
        assert works(nic, wire)

    def test_under_traffic(self, nic, box, wire):
        """Changed again and again in the midst of frames, with ring sizes."""
        if not box.msi:
            pytest.skip("one vector")
        guest = nic.guest
        sender = guest.spawn(f"while rigtool send {nic.name} dst={PEER} sizes=60-200; do :; done")
        for count in (8, 1, 3, 2, 7, 4, 1, 8, 2):
            nic.ethtool(f"-L {{}} combined {count}")
            nic.ethtool(f"-G {{}} rx {64 * count} tx {64 * count}")
            wire.burst(frames.series(nic.mac, 30, 100))
        sender.kill()
        guest.sh("sleep 1")
        assert works(nic, wire)
        assert not [line for line in guest.dmesg() if "Link is Down" in line.text]
