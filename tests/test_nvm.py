# SPDX-License-Identifier: GPL-2.0
"""The non-volatile memory: read anywhere, written with care, and who cannot write says so."""
import random
import re
import struct

import pytest
from rig.box import STEADY
from rig.project import DRIVER

# The driver waits for so long, the EEPROM is ready after so many questions: where the
# host may stop the one and not the other, that fits only by luck.
pytestmark = pytest.mark.guest("wire", STEADY)

MAGIC = 0x10c98086
SIZE = 512
CHECKSUM = slice(126, 128)
SLOW = 60       # seconds: each bit that is moved is some breakpoints
COMMAND, MEMORY = 0x04, 0x2
NOT_GRANTED = r"EECD\.GNT did not set"


@pytest.fixture
def nic(fresh_nic):
    """What is written is in the driver's card as long as the driver is loaded."""
    return fresh_nic


def read(nic, offset=0, length=SIZE):
    """Bytes of the NVM."""
    return bytes.fromhex(nic.guest.sh(f"ethtool -e {nic.name} raw on offset {offset} "
                                      f"length {length} | xxd -p"))


def write(nic, offset, data, magic=MAGIC):
    """Write bytes to the NVM; returns what ethtool said and its exit status."""
    return nic.guest.sh_status(f"echo {data.hex()} | xxd -r -p | ethtool -E {nic.name} "
                               f"magic {magic:#x} offset {offset} length {len(data)}", timeout=SLOW)


def with_checksum(content):
    """@content with a checksum that is right."""
    words = struct.unpack_from("<63H", content)
    good = bytearray(content)
    good[CHECKSUM] = struct.pack("<H", (0xbaba - sum(words)) & 0xffff)
    return bytes(good)


def changed(content, offset, data):
    """@content after @data was written to @offset."""
    after = content[:offset] + data + content[offset + len(data):]
    return with_checksum(after) if offset < CHECKSUM.stop else after


def noise(length, seed=1):
    """Bytes that are nowhere else."""
    return random.Random(seed).randbytes(length)


@pytest.mark.guest("wire", ("msix-1cpu", "nomsi-1cpu"))
class TestRead:
    """ethtool -e."""

    def test_content(self, nic):
        """It begins with the MAC address, and its words sum up to what they should."""
        content = read(nic)
        assert content[:6] == bytes.fromhex(nic.permanent_mac.replace(":", ""))
        assert with_checksum(content) == content
        assert "supports-eeprom-access: yes" in nic.ethtool("-i")

    def test_any_part(self, nic):
        """Any bytes, whether or not they begin or end with a word."""
        content = read(nic)
        for offset, length in ((0, 1), (1, 1), (1, 2), (2, 2), (3, 5), (4, 4), (125, 4), (511, 1)):
            assert read(nic, offset, length) == content[offset:offset + length], (offset, length)
        shown = nic.ethtool("-e {} offset 1 length 3")
        assert re.search(r"^0x0001:\s+" + content[1:4].hex(" "), shown, re.M), shown

    def test_beyond(self, nic):
        """What is not there cannot be read."""
        said, status = nic.guest.sh_status(f"ethtool -e {nic.name} offset {SIZE} length 1")
        assert status and "Invalid argument" in said

    def test_beside_the_phy(self, nic):
        """The semaphore lets in one after the other, the readers of the NVM and of the PHY."""
        nic.guest.sh(f"ethtool -e {nic.name} raw on >/tmp/nvm")
        same = f"ethtool -e {nic.name} raw on | cmp - /tmp/nvm"
        jobs = [nic.guest.spawn(f"n=0; while [ $n -lt 40 ]; do n=$((n + 1)); {command}; done")
                for command in (same, f"rigtool mii {nic.name} 1 >/dev/null", same)]
        for job in jobs:
            assert job.wait(90) == ""


class TestRefused:
    """ethtool -E where nothing can be written."""

    def test_never_granted(self, nic):
        """The emulated chip never gives its lines away: said in time, nothing changed."""
        nic.guest.expect_log(NOT_GRANTED)
        nic.guest.expect_log("NVM: 1 bytes from offset 0x0 were to be written, 0 are")
        content, state = read(nic), nic.state()
        took = []
        for _ in range(8):
            said, status = nic.guest.sh_status(
                "bash -c 'TIMEFORMAT=took=%R; time "
                f"ethtool -E {nic.name} magic {MAGIC:#x} offset 0 value 0'")
            assert status and "timed out" in said.lower()
            took.append(float(re.search(r"took=([\d.]+)", said)[1]))
        assert min(took) < 0.1, took
        assert read(nic) == content
        assert nic.state() == state

    @pytest.mark.parametrize("magic", (0, MAGIC ^ 1, 0x80861533))
    def test_magic(self, nic, magic):
        """The magic number guards against writing to the wrong card."""
        nic.guest.expect_log("magic number 0x10c98086")
        said, status = write(nic, 0, b"\0", magic)
        assert status and "Invalid argument" in said

    @pytest.mark.parametrize("offset, length", ((SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1)))
    def test_beyond(self, nic, offset, length):
        """Behind its end nothing can be written."""
        _, status = write(nic, offset, bytes(length))
        assert status

    def test_gone(self, nic):
        """Neither reading nor writing waits for a card that is not there."""
        guest = nic.guest
        guest.expect_log("device does not answer")
        guest.allow_log("detached|is gone|cannot be started|NVM|SWSM")
        nic.down()
        command = int(guest.sh(f"rigtool pcicfg {nic.pci} {COMMAND} w"), 16)
        guest.sh(f"rigtool pcicfg {nic.pci} {COMMAND} w {command & ~MEMORY}")
        for option in ("-e {}", f"-E {{}} magic {MAGIC:#x} offset 0 value 0"):
            said, status = guest.sh_status(f"ethtool {option.format(nic.name)}")
            assert status and "No such device" in said
        guest.sh(f"rigtool pcicfg {nic.pci} {COMMAND} w {command}; rmmod {DRIVER}")


class Rom:
    """The EEPROM that a module plays."""

    def __init__(self, nic, options):
        self.nic = nic
        self.guest = nic.guest
        self.guest.sh(f"insmod /lib/modules/spirom.ko {options}")

    def probe_again(self):
        """Have the driver find the card anew."""
        driver = f"/sys/bus/pci/drivers/{DRIVER}"
        self.guest.sh(f"echo {self.nic.pci} >{driver}/unbind && "
                      f"echo {self.nic.pci} >{driver}/bind", timeout=60)

    def set(self, name, value):
        """Break it."""
        self.guest.sh(f"echo {value} >/sys/module/spirom/parameters/{name}")

    def get(self, name):
        """What it counted."""
        return int(self.guest.read(f"/sys/module/spirom/parameters/{name}"))

    def check_manners(self, page):
        """It was driven as it may be."""
        assert self.get("wrong") == 0
        assert self.get("longest") <= page


@pytest.fixture
def rom(nic):
    """An EEPROM of 512 bytes; pages of 8 bytes."""
    found = Rom(nic, "")
    yield found
    nic.guest.sh("rmmod spirom")


@pytest.fixture
def wide_rom(nic):
    """An EEPROM of 8 KiB; pages of 32 bytes, addresses of 16 bits."""
    found = Rom(nic, "wide=1")
    found.probe_again()
    yield found
    nic.guest.sh("rmmod spirom")


class TestWrite:
    """ethtool -E to an EEPROM that can be written, its lines moved bit by bit."""

    @pytest.mark.parametrize("offset, length", (
        (0x80, 1), (0x81, 1), (0x81, 2), (0x80, 8), (0x84, 8), (0x87, 2), (0x83, 21), (0xf8, 16),
        (0x1ff, 1), (0x100, 256), (10, 1), (11, 3), (125, 1), (126, 2), (120, 16), (0, SIZE)))
    def test_bytes(self, nic, rom, offset, length):
        """Any bytes, across pages too; none beside them, and the checksum stays right."""
        content, data = read(nic), noise(length)
        rom.set("released", 0)
        said, status = write(nic, offset, data)
        assert not status, said
        released = rom.get("released")
        assert read(nic) == changed(content, offset, data)
        rom.check_manners(page=8)
        pages = (offset + length - 1) // 8 - offset // 8 + 1
        assert rom.get("writes") == pages + (offset < CHECKSUM.stop)
        assert rom.get("waits") > pages, "it was not asked whether it is ready"
        # Others get at it between pages; the checksum is read, and then written.
        assert released == pages + 2 * (offset < CHECKSUM.stop)

    def test_what_probe_finds(self, nic, rom):
        """A driver that comes next finds what was written, and its checksum right."""
        said, status = write(nic, 2 * 0x05, bytes((0x34, 0x12)))
        assert not status, said
        rom.probe_again()
        assert "NVM 0x1234" in nic.ethtool("-i")

    @pytest.mark.parametrize("address, taken", (("02:00:00:00:37:01", True),
                                                ("03:00:00:00:37:01", False),
                                                ("00:00:00:00:00:00", False)))
    def test_other_mac(self, nic, rom, address, taken):
        """An address that the NVM has in place of the card's own, if it can be one."""
        assert not write(nic, 2 * 0x80, bytes.fromhex(address.replace(":", "")))[1]
        assert not write(nic, 2 * 0x37, struct.pack("<H", 0x80))[1]
        rom.probe_again()
        assert nic.mac == (address if taken else nic.permanent_mac)

    def test_by_value(self, nic, rom):
        """A byte as it is given on the command line."""
        content = read(nic)
        nic.ethtool(f"-E {{}} magic {MAGIC:#x} offset 0x21 value 0x5a")
        assert read(nic) == changed(content, 0x21, b"\x5a")
        rom.check_manners(page=8)

    def test_wide(self, nic, wide_rom):
        """Addresses of 16 bits, pages of 32 bytes, more than the kernel takes at once."""
        content = read(nic, 0, 8192)
        assert len(content) == 8192
        for offset, length in ((31, 2), (0x40, 64), (4090, 13), (0x1fe1, 31)):
            data = noise(length, offset)
            said, status = write(nic, offset, data)
            assert not status, said
            content = changed(content, offset, data)
        assert read(nic, 0, 8192) == content
        # A page of memory is what the kernel takes at once.
        most = 4096 + 40
        nic.guest.sh(f"ethtool -e {nic.name} raw on length {most} | "
                     "tr '\\000-\\377' '\\001-\\377\\000' >/tmp/nvm; ethtool -E "
                     f"{nic.name} magic {MAGIC:#x} offset 0 length {most} </tmp/nvm", timeout=SLOW)
        assert read(nic, 0, 8192) == with_checksum(bytes((byte + 1) % 256
                                                         for byte in content[:most])
                                                   + content[most:])
        wide_rom.check_manners(page=32)


class TestWriteFails:
    """EEPROMs with which something is wrong; each is told apart."""

    def test_busy_for_ever(self, nic, rom):
        """It never becomes ready after the first page: a torn write, which is said."""
        nic.guest.expect_log("NVM is not ready after 40 ms, its status reads 0x01")
        nic.guest.expect_log("NVM: 24 bytes from offset 0x84 were to be written, 0 are")
        rom.set("busy", -1)
        content = read(nic)
        said, status = write(nic, 0x84, noise(24))
        assert status and "timed out" in said.lower()
        assert read(nic) == changed(content, 0x84, noise(24)[:4])
        # Nor is it written to while it is busy.
        assert write(nic, 0x84, noise(24))[1]
        assert rom.get("writes") == 1
        rom.check_manners(page=8)

    def test_torn(self, nic, rom):
        """It fails in the midst: said how far it came, and the checksum tells the next driver."""
        nic.guest.expect_log("NVM: 40 bytes from offset 0x10 were to be written, 16 are")
        nic.guest.expect_log("NVM checksum is 0x.*, should be 0xbaba")
        nic.guest.allow_log("NVM is not ready")
        rom.set("stuck_after", 3)
        content, data = read(nic), noise(40)
        assert write(nic, 0x10, data)[1]
        assert read(nic) == content[:0x10] + data[:24] + content[0x10 + 24:]
        rom.check_manners(page=8)
        rom.probe_again()
        assert "NVM 0x" not in nic.ethtool("-i")

    def test_locked(self, nic, rom):
        """Writing cannot be enabled: nothing is written, and the reason is named."""
        nic.guest.expect_log("NVM is write protected, its status reads 0x00")
        nic.guest.expect_log("4 bytes from offset 0x8 were to be written, 0 are")
        rom.set("locked", 1)
        content = read(nic)
        said, status = write(nic, 8, noise(4))
        assert status and "Read-only" in said
        assert read(nic) == content
        assert rom.get("writes") == 0
        rom.check_manners(page=8)

    @pytest.mark.parametrize("first, offset", ((0, 0x20), (0x28, 0x20), (0x100, 0xff)))
    def test_ignored(self, nic, rom, first, offset):
        """A protected block ignores writes silently: found by reading back."""
        nic.guest.expect_log("NVM reads .* was written")
        nic.guest.expect_log(rf"16 bytes from offset {offset:#x} were to be written, "
                             f"{max(first - offset, 0)} are")
        rom.set("protect", first)
        content, data = read(nic), noise(16)
        said, status = write(nic, offset, data)
        assert status and "Input/output error" in said
        kept = data[:max(first - offset, 0)]
        assert read(nic) == content[:offset] + kept + content[offset + len(kept):]
        rom.check_manners(page=8)

    def test_checksum_protected(self, nic, rom):
        """The bytes are written, the checksum cannot be: an error, too."""
        nic.guest.expect_log("NVM reads .* from offset 0x7e, .* was written")
        nic.guest.expect_log("2 bytes from offset 0x7e were to be written, 0 are")
        rom.set("protect", CHECKSUM.start)
        said, status = write(nic, 0x20, noise(4))
        assert status and "Input/output error" in said

    def test_grant_comes_late(self, nic, rom):
        """Refused once, granted the next time."""
        nic.guest.expect_log(NOT_GRANTED)
        nic.guest.expect_log("NVM: 1 bytes from offset 0x20 were to be written, 0 are")
        rom.set("granted", 0)
        content = read(nic)
        assert write(nic, 0x20, b"\1")[1]
        rom.set("granted", 1)
        said, status = write(nic, 0x20, b"\1")
        assert not status, said
        assert read(nic) == changed(content, 0x20, b"\1")
        rom.check_manners(page=8)
