# SPDX-License-Identifier: GPL-2.0
"""A guest: QEMU through scripts/run-qemu.sh, with its shell, kernel log and monitor."""
import contextlib
import dataclasses
import itertools
import os
import re
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import project
from .journal import Expectations, Line, without_foreign_races
from .qmp import Qmp, QmpError

READY = b"IGB-DEMO-GUEST-READY"
LONGEST_MARK = 64
BOOT_LIMIT = 75       # seconds; it takes 5, or 25 on a busy host
COMMAND_LIMIT = 4000  # what the tty keeps while the shell is busy


class GuestError(AssertionError):
    """The guest did not do what was asked."""


class CommandError(GuestError):
    """A command in the guest ended with a status other than 0."""


class GuestDied(GuestError):
    """QEMU is gone, or its shell does not answer: only a new boot helps."""


@dataclasses.dataclass
class Spec:
    """What to boot; the fields are run-qemu.sh's options."""
    arch: str = "x86_64"
    cpus: int = 2
    memory: int = 512
    netdevs: tuple = ("user",)
    hostfwd: tuple = ()
    pcap: str = ""
    append: str = ""
    initrd: str = ""
    accel: str = "auto"
    extra: tuple = ()
    boot_limit: int = BOOT_LIMIT

    def command(self, qmp_path):
        """The command line of run-qemu.sh."""
        words = [project.SCRIPTS / "run-qemu.sh", "--arch", self.arch, "--cpus", self.cpus,
                 "--memory", self.memory, "--ports", len(self.netdevs),
                 "--accel", self.accel, "--initrd", self.initrd, "--qmp", qmp_path, "--console", "stdio",
                 "--append", f"igb_demo.mode=test {self.append}".strip()]
        if os.environ.get("KERNEL_IMAGE"):
            words += ["--kernel", os.environ["KERNEL_IMAGE"]]
        for netdev in self.netdevs:
            words += ["--netdev", netdev]
        for forward in self.hostfwd:
            words += ["--hostfwd", forward]
        if self.pcap:
            words += ["--pcap", self.pcap]
        if self.extra:
            words += ["--", *self.extra]
        return [str(word) for word in words]


class Job:
    """A command running in the guest's background, its output in a file there."""

    def __init__(self, guest, command):
        self.guest = guest
        self.command = command
        self.base = f"/tmp/job{next(guest.numbers)}"
        self.pid = int(guest.sh(f"( {{ {command}\n}} >{self.base} 2>&1 </dev/null; "
                                f"echo $? >{self.base}.status ) & echo $!").split()[-1])

    def output(self):
        """What it has printed so far."""
        return self.guest.sh(f"cat {self.base}")

    def wait_output(self, pattern, timeout=20):
        """Wait until its output matches; this is how a helper says it is ready."""
        return self.guest.until(f"cat {self.base}", pattern, timeout)

    def wait(self, timeout=60, check=True):
        """Its output, once it ended; a status other than 0 is an error unless not @check."""
        self.guest.until(f"cat {self.base}.status 2>/dev/null; true", r"^\d", timeout)
        output = self.guest.sh(f"cat {self.base}", timeout=60)
        status = int(self.guest.sh(f"cat {self.base}.status; rm -f {self.base}*"))
        if check and status:
            raise CommandError(f"{self.command}: exit {status}\n{output}")
        return output

    def kill(self, name="KILL"):
        """End it and its children; harmless when it has ended."""
        self.guest.sh(f"for p in $(ps -o pid,ppid | awk '$2 == {self.pid} {{print $1}}') "
                      f"{self.pid}; do kill -{name} $p 2>/dev/null; done; rm -f {self.base}*; true")


class Guest:  # pylint: disable=too-many-instance-attributes
    """One virtual machine, from boot to poweroff; every wait has an end."""

    live = []

    def __init__(self, spec, log_dir=None):
        self.spec = spec
        self.numbers = itertools.count(1)
        self.usable = False
        self.boot_seconds = 0.0
        self._dir = Path(tempfile.mkdtemp(prefix="guest-", dir=log_dir))
        self.console_path = self._dir / "console.log"
        self._console = bytearray()
        self._news = threading.Condition()
        self._eof = False
        self._token = secrets.token_hex(4)
        self._expectations = Expectations()
        self._monitor = None
        self._process = None
        self._on_close = []

    # ---------------------------------------------------------------- life

    def boot(self):
        """Start QEMU and wait for the shell."""
        start = time.monotonic()
        qmp_path = self._dir / "qmp"
        with open(self._dir / "qemu.stderr", "wb") as errors:
            # However this program ends, its guest ends with it.
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                ["setpriv", "--pdeathsig", "KILL", *self.spec.command(qmp_path)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True)
        threading.Thread(target=self._read_console, daemon=True).start()
        Guest.live.append(self)
        try:
            self._wait_shell("boot")
            self._monitor = Qmp(qmp_path)
            self.usable = True
            self._settle()
            self.boot_seconds = time.monotonic() - start
        except BaseException:
            self.kill()
            raise
        return self

    def _wait_shell(self, what):
        self._wait_console(re.compile(re.escape(READY)), self.spec.boot_limit, what)

    def _settle(self):
        self.sh("echo 1 >/proc/sys/kernel/sysrq; "
                "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; "
                "modprobe 8021q 2>/dev/null; true")
        self.forget()

    def hand_over(self, command):
        """Run @command, which has another kernel take this one's place, and wait for its shell."""
        with self._news:
            self._console.clear()
        self._write(f"{command}\n")
        self._wait_shell(command)
        self._settle()

    def close(self):
        """Power off; kills what does not end by itself."""
        if self.usable and self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._write("poweroff -f\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        self.kill()

    def kill(self):
        """End QEMU now."""
        self.usable = False
        if self._process and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        if self._monitor:
            self._monitor.close()
            self._monitor = None
        if self in Guest.live:
            Guest.live.remove(self)
        while self._on_close:
            self._on_close.pop()()

    def on_close(self, action):
        """Run @action when the guest ends: what belongs to it ends with it."""
        self._on_close.append(action)

    def __enter__(self):
        return self.boot()

    def __exit__(self, *_):
        self.close()

    # ------------------------------------------------------------- console

    def _read_console(self):
        with open(self.console_path, "wb") as log:
            while True:
                piece = self._process.stdout.read1(65536)
                log.write(piece)
                with self._news:
                    self._console += piece.replace(b"\r", b"")
                    self._eof = not piece
                    # QEMU's serial port says a byte at a time; what is waited for ends a line.
                    if b"\n" in piece or not piece:
                        log.flush()
                        self._news.notify_all()
                if not piece:
                    return

    def _wait_console(self, ready, timeout, what):
        """Wait for a short pattern, looking at each part of the console once."""
        deadline = time.monotonic() + timeout * project.PATIENCE
        seen = 0
        with self._news:
            while not ready.search(self._console, max(0, seen - LONGEST_MARK)):
                seen = len(self._console)
                left = deadline - time.monotonic()
                if self._eof or left <= 0:
                    self.usable = False
                    why = "QEMU ended" if self._eof else f"no answer in {timeout} s"
                    break
                self._news.wait(left)
            else:
                return
        if not self._eof:
            self._ask_why()
        raise GuestDied(f"{what}: {why}\n{self.console_tail(400)}")

    def _ask_why(self):
        """A shell that does not answer: let the kernel list blocked and running tasks."""
        try:
            for key in (b"9", b"w", b"l"):
                self._monitor.command("chardev-send-break", id="console")
                self._process.stdin.write(key)
                self._process.stdin.flush()
                time.sleep(1)
        except (AttributeError, QmpError, OSError) as error:
            with self._news:
                self._console += f"\nQEMU's monitor does not answer either: {error!r}\n".encode()

    def console_tail(self, count=60):
        """The console's last lines, and what QEMU itself had to say."""
        with self._news:
            text = bytes(self._console[-65536:]).decode(errors="replace")
        errors = (self._dir / "qemu.stderr").read_text(errors="replace").strip()
        tail = "\n".join(text.splitlines()[-count:])
        return f"--- console (all of it: {self.console_path}) ---\n{tail}\n--- qemu ---\n{errors}"

    def _write(self, text):
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    # --------------------------------------------------------------- shell

    def sh(self, command, timeout=30, check=True):
        """Run @command in the guest's shell; returns its output, both streams."""
        output, status = self.sh_status(command, timeout)
        if check and status:
            raise CommandError(f"{command}: exit {status}\n{output}")
        return output

    def sh_status(self, command, timeout=30):
        """Run @command; returns (output, exit status)."""
        if not self.usable:
            raise GuestDied("this guest is gone")
        if len(command) > COMMAND_LIMIT:
            raise ValueError("the command is longer than the tty takes")
        mark = f"{self._token}-{next(self.numbers)}"
        begin, end = f"<{mark}>".encode(), re.compile(f"\n<{mark}/([0-9]+)>\n".encode())
        with self._news:
            self._console.clear()
        # The marks are put together by the shell, so an echoed command is not one.
        what = command.splitlines()[0] if command else ""
        try:
            self._write(f"M={mark}; echo \"<$M>\"; {{ {command}\n}} </dev/null 2>&1; "
                        f"echo \"\n<$M/$?>\"\n")
        except OSError as error:
            self.usable = False
            raise GuestDied(f"{what}: {error}\n{self.console_tail()}") from error
        self._wait_console(end, timeout, what)
        with self._news:
            text = bytes(self._console)
        found = end.search(text)
        start = text.rfind(begin + b"\n", 0, found.start() + 1)
        output = text[start + len(begin) + 1:found.start()] if start >= 0 else b""
        return output.decode(errors="replace"), int(found[1])

    def run(self, command, timeout=30, check=True, dry=False):
        """As sh(), for what a person would type: the demo echoes it. @dry only shows it."""
        return "" if dry else self.sh(command, timeout, check)

    def note(self, text):
        """Something a person watching would like to know; the demo prints it."""

    def spawn(self, command):
        """Run @command in the guest's background."""
        return Job(self, command)

    def spawn_for(self, seconds, command):
        """Run @command in the background again and again, $n times by now."""
        return self.spawn(f"n=0; end=$(($(date +%s) + {seconds})); "
                          f"while [ $(date +%s) -lt $end ]; do n=$((n + 1)); {command}; done "
                          ">/dev/null 2>&1; true")

    def until(self, command, pattern, timeout=20, step=0.05):
        """Repeat @command until its output matches; returns that output."""
        deadline = time.monotonic() + timeout * project.PATIENCE
        while True:
            output = self.sh(command, check=False)
            if re.search(pattern, output):
                return output
            if time.monotonic() > deadline:
                raise GuestError(f"{command}: no {pattern!r} in {timeout} s, but\n{output}")
            time.sleep(step)

    def read(self, path):
        """A file's text, stripped."""
        return self.sh(f"cat {path}").strip()

    # ---------------------------------------------------------- kernel log

    def dmesg(self, since=0):
        """Kernel messages since the test began, those from number @since on."""
        return without_foreign_races(
            Line.parse_all(self.sh(f"rigtool kmsg {since}", timeout=60)))

    def log_position(self):
        """The number that the next kernel message will have; 0 if the test has none yet."""
        lines = self.dmesg()
        return lines[-1].number + 1 if lines else 0

    def forget(self):
        """What was said up to now is nobody's fault: a new test begins."""
        self.sh("rigtool kmsg clear")
        self._expectations = Expectations()

    def expect_log(self, pattern):
        """The kernel will say this, and the test fails if it does not."""
        self._expectations.expect(pattern)

    def allow_log(self, pattern):
        """The kernel may say this."""
        self._expectations.allow(pattern)

    def wait_log(self, pattern, timeout=20):
        """Wait for a message since the test began; returns the first that matches."""
        deadline = time.monotonic() + timeout * project.PATIENCE
        while True:
            lines = self.dmesg()
            for line in lines:
                if re.search(pattern, line.text, re.IGNORECASE):
                    return line
            if time.monotonic() > deadline:
                said = "\n".join(map(str, lines))
                raise GuestError(f"no message {pattern!r} in {timeout} s, but\n{said}")
            time.sleep(0.1)

    def judge(self, lines):
        """Complaints about the messages @lines, those of this test."""
        return self._expectations.judge(lines)

    # ------------------------------------------------------------- monitor

    def qmp(self, command, /, **arguments):
        """Run a QMP command."""
        return self._monitor.command(command, **arguments)

    def unplug(self, port=0, timeout=40):
        """Take a port's card out, as its slot's button asks for it; returns when it is out."""
        self._monitor.forget_events()
        self.qmp("device_del", id=f"nic{port}")
        self._monitor.wait_event("DEVICE_DELETED", timeout * project.PATIENCE, device=f"nic{port}")
        self.until("ls /sys/class/net", rf"^(?![\s\S]*eth{port})", timeout)

    def plug(self, port=0, mac="52:54:00:12:34:56", timeout=40):
        """Put a card into a port's slot; returns when the driver has it."""
        self.qmp("device_add", driver="igb", id=f"nic{port}", netdev=f"net{port}",
                 bus=f"rp{port}", mac=mac)
        self.until("ls /sys/class/net", rf"eth{port}", timeout)

    def set_link(self, up, port=0):
        """Plug or pull a port's cable."""
        self.qmp("set_link", name=f"nic{port}", up=up)
