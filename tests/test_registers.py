# SPDX-License-Identifier: GPL-2.0
"""scripts/decode-registers: what a register dump says, in the datasheet's words."""
import re
import struct
import subprocess

import pytest
from rig import project

DECODER = project.SCRIPTS / "decode-registers"


def decode(*arguments, data=None):
    """What the decoder prints."""
    return subprocess.run([DECODER, *arguments], input=data, stdout=subprocess.PIPE,
                          check=True).stdout.decode()


def parse(lines):
    """{register: what follows it}."""
    return dict(line.split(None, 1) for line in lines.splitlines())


def dump(nic, path=None):
    """The port's registers, raw; in a file if there is a @path."""
    data = bytes.fromhex(nic.guest.sh(f"ethtool -d {nic.name} raw on | xxd -p"))
    if path:
        path.write_bytes(data)
    return data


def run(first, step, *values):
    """A run of registers as the driver dumps it."""
    return struct.pack(f"<{len(values) + 1}I", first << 16 | step << 8 | len(values), *values)


# What is changed, how it is undone, and the fields that are then different.
CHANGES = {
    "promisc": ("ip link set {} promisc on", "ip link set {} promisc off",
                {"RCTL": "UPE: 0 -> 1, MPE: 0 -> 1"}),
    "allmulti": ("ip link set {} allmulticast on", "ip link set {} allmulticast off",
                 {"RCTL": "MPE: 0 -> 1"}),
    "rx-all": ("ethtool -K {} rx-all on", "ethtool -K {} rx-all off", {"RCTL": "SBP: 0 -> 1"}),
    "vlan": ("ethtool -K {} rxvlan off", "ethtool -K {} rxvlan on", {"CTRL": "VME: 1 -> 0"}),
    "hash": ("ethtool -N {} rx-flow-hash udp4 sd", "ethtool -N {} rx-flow-hash udp4 sdfn",
             {"MRQC": "UDPIPV4: 1 -> 0"}),
    "mtu": ("ip link set {} mtu 4000", "ip link set {} mtu 1500", {"RLPML": ""}),
    "loopback": ("ethtool -K {} loopback on", "ethtool -K {} loopback off",
                 {"CTRL": "FRCSPD: 0 -> 1, FRCDPLX: 0 -> 1"}),
    "group": ("ip maddr add 01:00:5e:40:01:02 dev {}", "ip maddr del 01:00:5e:40:01:02 dev {}",
              {"MTA[1]": ""}),
    "rings": ("ethtool -G {} rx 512 tx 128", "ethtool -G {} rx 256 tx 256",
              {"RDLEN[0]": "", "RDLEN[1]": "", "TDLEN[0]": "", "TDLEN[1]": ""}),
}
# New rings are elsewhere in memory; and the link's state is read by MDIO.
ANYWAY = re.compile(r"[RT]D(BA[LH]|WBA[LH]|H|T)\[[01]\]|MDIC")


@pytest.mark.guest("wire", ("msix-2cpu",))
class TestDump:
    """A real port's registers."""

    def test_names(self, nic):
        """Each register has a name, and what is known of the port is in its fields."""
        shown = parse(decode("--all", data=dump(nic)))
        assert not [name for name in shown if name.startswith("0x")], "registers without a name"
        assert re.search(r"FD, LU, .*SPEED=1000 \(Mb/s\)", shown["STATUS"])
        assert re.search(r"\bRXEN, .*SECRC", shown["RCTL"])
        assert re.search(r"DESCTYPE=ADV_ONEBUF", shown["SRRCTL[1]"])
        assert re.search(r"ENABLE=RSS, TCPIPV4, IPV4", shown["MRQC"])
        assert "PRES" in shown["EECD"] and "EEP" not in shown["SW_FW_SYNC"]
        address = bytes.fromhex(nic.mac.replace(":", ""))
        low, high = (int(shown[name].split()[0], 16) for name in ("RAL[0]", "RAH[0]"))
        assert struct.pack("<IH", low, high & 0xffff) == address
        assert [index for index in range(16) if "ENABLE" in shown[f"RXDCTL[{index}]"]] == [0, 1]
        assert int(shown["TDLEN[0]"].split()[0], 16) == 16 * nic.rings()["tx"]
        assert {"RSSRK[9]", "PSRTYPE[0]", "TDWBAL[0]", "DCA_TXCTRL[15]", "FWSM"} < shown.keys()

    def test_as_printed(self, nic):
        """What the guest prints is as good as the raw dump; zeros of arrays can be left out."""
        data = dump(nic)
        printed = nic.ethtool("-d")
        assert decode("--all", data=printed.encode()) == decode("--all", data=data)
        few, many = parse(decode(data=data)), parse(decode("--all", data=data))
        assert len(few) < len(many) / 2
        assert all(many[name].startswith("0x00000000") and "[" in name
                   for name in many.keys() - few.keys())

    @pytest.mark.parametrize("setting", CHANGES)
    def test_changed(self, nic, tmp_path, setting):
        """A setting shows as the fields that it is made of, and as nothing else."""
        *commands, want = CHANGES[setting]
        before, after, again = (tmp_path / name for name in ("before", "after", "again"))
        dump(nic, before)
        for command, path in zip(commands, (after, again)):
            nic.guest.sh(f"{command.format(nic.name)} && rigtool carrier {nic.name} 1")
            dump(nic, path)
        found = {name: text for name, text in parse(decode("--changed", before, after)).items()
                 if not ANYWAY.fullmatch(name)}
        assert found.keys() == want.keys(), found
        for name, fields in want.items():
            values, _, shown = found[name].partition("  ")
            assert re.fullmatch(r"0x\w{8} -> 0x\w{8}", values)
            assert shown.startswith(fields), found
        left = parse(decode("--changed", before, again))
        assert not [name for name in left if not ANYWAY.fullmatch(name)], left


class TestDecoder:
    """Dumps that are made up."""

    def test_one(self):
        """Every kind of register and field there is."""
        data = (run(0x0000, 4, 0x40000940) + run(0x0020, 4, 0x18410000) + run(0x00d0, 4, 0x84)
                + run(0x0028, 4, 1, 2) + run(0x54e0, 4, 1, 0x80000002)
                + run(0xc028, 0x40, 0, 0x02010000) + run(0x1010, 4, 0x00080000)
                + run(0x2404, 4, 64) + run(0x7ff0, 8, 1, 2))
        assert decode(data=data) == """\
CTRL             0x40000940  SLU, SPEED=100 (Mb/s), FRCSPD, VME
MDIC             0x18410000  DATA=0, REGADD=1, PHYADD=2, OP=READ, READY
IMS              0x00000084  LSC, RXDW
FCAL             0x00000001
FCAH             0x00000002
RAL[16]          0x00000001
RAH[16]          0x80000002  AV, others=0x2
RXDCTL[1]        0x02010000  PTHRESH=0, HTHRESH=0, WTHRESH=1, ENABLE
EEMNGCTL         0x00080000  CFG_DONE(1)
RXPBS            0x00000040
0x7ff0           0x00000001
0x7ff8           0x00000002
"""

    def test_header_is_all_there_is(self, tmp_path):
        """Fields and registers added to the header show by themselves."""
        header = (project.TOP / "igb_hw.h").read_text(encoding="utf-8")
        header = header.replace("#define IGB_STATUS\t", "#define   IGB_CTRL_ADVD3WUC\t\tBIT(20)\n"
                                "#define IGB_ADDED\t0x7ff0\t/* new */\n"
                                "#define   IGB_ADDED_KIND\tGENMASK(5, 4)\n"
                                "#define   IGB_ADDED_KIND_GOOD\t2\n"
                                "#define IGB_MANY(n)\t(0x7100 + 0x10 * (n))\n"
                                "#define IGB_STATUS\t", 1)
        path = tmp_path / "igb_hw.h"
        path.write_text(header, encoding="utf-8")
        data = run(0, 4, 1 << 20) + run(0x7ff0, 4, 0x20) + run(0x7100, 0x10, 5, 6)
        shown = parse(decode("--header", path, data=data))
        assert "ADVD3WUC" in shown["CTRL"]
        assert shown["ADDED"].endswith("KIND=GOOD")
        assert shown["MANY[1]"] == "0x00000006"

    def test_different_registers(self, tmp_path):
        """Registers that only one of two dumps has are named."""
        first, second = tmp_path / "first", tmp_path / "second"
        first.write_bytes(run(0, 4, 0) + run(8, 4, 1))
        second.write_bytes(run(0, 4, 0) + run(0x100, 4, 1))
        assert parse(decode("--changed", first, second)) == {
            "STATUS": "is only in the first dump", "RCTL": "is only in the second dump"}

    @pytest.mark.parametrize("data, complaint", (
        (b"", "empty"),
        (b"no such device\n", "not a register dump"),
        (run(0, 4, 1)[:-1], "no number of words"),
        (run(0, 4, 1, 2)[:-4], "ends within the 2 registers from 0x0000"),
        (run(0, 0, 1), "byte 0x0 begins no run"),
        (run(0, 4, 1) + b"\xff\xff\xff\xff", "byte 0x8 begins no run"),
        (bytes(16), "byte 0x0 begins no run"),
        (b"0x0010:\t\t01 04 00 00\n", "the line of 0x0000 is missing"),
    ))
    def test_bad(self, data, complaint):
        """What is no dump is an error of one line."""
        self._fails(complaint, data=data)

    def test_no_file(self, tmp_path):
        """So is a file that does not exist, and a header without registers."""
        self._fails("No such file", tmp_path / "none")
        (tmp_path / "empty.h").write_text("")
        self._fails("no registers in it", "--header", tmp_path / "empty.h", data=run(0, 4, 1))

    @staticmethod
    def _fails(complaint, *arguments, data=b""):
        result = subprocess.run([DECODER, *arguments], input=data, capture_output=True, check=False)
        said = result.stderr.decode()
        assert result.returncode == 1 and not result.stdout
        assert said.startswith("decode-registers: ") and complaint in said, said
        assert said.count("\n") == 1
