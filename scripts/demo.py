#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Play the learner sessions in guests, without a terminal.

Prints each command and what it answered, and ends with an error when a session
fails. They are the sessions of tests/test_sessions.py; what is repeated is
repeated less often here, unless --full is given.
"""
import argparse
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
# pylint: disable=wrong-import-position
from rig import image, peers, project, sessions  # noqa: E402
from rig.guest import Guest, GuestError, Spec  # noqa: E402


class Stage(Guest):
    """A guest that shows what is done to it."""

    def run(self, command, timeout=30, check=True, dry=False):
        """Show the command, do it, show the answer."""
        print(f"guest# {command}", flush=True)
        output = super().run(command, timeout, check, dry)
        if output.strip():
            print(output.rstrip("\n"), flush=True)
        return output

    def note(self, text):
        """Show what a person would not see by themselves."""
        print(f"   ... {text}", flush=True)


def user_network(directory):
    """One card on QEMU's user network; options, and what the sessions need of them."""
    port = peers.free_port()
    pcap = str(Path(directory, "eth0.pcap"))
    forwards = tuple(f"{kind}:{port}:{sessions.PORT}" for kind in ("tcp", "udp"))
    return {"netdevs": ("user",), "pcap": pcap, "hostfwd": forwards}, port, pcap


def stages(directory, scale):
    """(options of a guest, the sessions played in it), in order."""
    options, port, pcap = user_network(directory)
    yield options, (
        ("Rust for Linux: load, ping, down and up", lambda g: sessions.rust_for_linux(g, scale)),
        ("ArceOS: HTTP and UDP, both ways", lambda g: sessions.arceos(g, port, scale)),
        ("xv6: UDP echo, and the pcap of it", lambda g: sessions.xv6(g, pcap, scale)),
        ("Load and unload, again and again", lambda g: sessions.reload_cycles(g, scale)),
    )
    yield {"netdevs": ("hub", "hub")}, (
        ("xv6 PCI: identity, rebinding, two ports", lambda g: sessions.xv6_pci(g, scale)),
    )


def play(guest, title, session):
    """One session; True when it went well and the kernel had nothing to complain about."""
    print(f"\n=== {title} ===", flush=True)
    guest.forget()
    start = time.monotonic()
    try:
        session(guest)
        complaints = guest.judge(guest.dmesg())
    except (AssertionError, OSError) as error:
        where = traceback.extract_tb(error.__traceback__)
        print("".join(traceback.format_list(where)), end="")
        complaints = [f"{type(error).__name__}: {error}"]
    for complaint in complaints:
        print(f"complaint: {complaint}", flush=True)
    verdict = "FAILED" if complaints else "passed"
    print(f"=== {title}: {verdict} after {time.monotonic() - start:.0f} s ===", flush=True)
    return not complaints


def boot(arch, options, directory):
    """A guest, with a word about it."""
    guest = Stage(Spec(arch=arch, initrd=str(image.initramfs(arch)), memory=768, **options),
                  log_dir=directory).boot()
    print(f"\nA guest of {len(options['netdevs'])} card(s) on {arch}, "
          f"shell after {guest.boot_seconds:.1f} s", flush=True)
    return guest


def perform(arch, scale):
    """All sessions; the titles of those that failed."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="igb_demo-") as directory:
        for options, played in stages(directory, scale):
            guest = boot(arch, options, directory)
            try:
                failed += [title for title, session in played
                           if not (guest.usable and play(guest, title, session))]
            finally:
                guest.close()
    return failed


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--arch", default=os.environ.get("ARCH") or "x86_64",
                        help="x86_64 or arm64 (default: $ARCH, or x86_64)")
    parser.add_argument("--full", action="store_true",
                        help="repeat as often as the tests do")
    args = parser.parse_args()
    start = time.monotonic()
    try:
        failed = perform(project.arch_name(args.arch),
                         sessions.FULL if args.full else sessions.SMALL)
    except (GuestError, RuntimeError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 2
    print(f"\n{'failed: ' + ', '.join(failed) if failed else 'All sessions passed'}"
          f" ({time.monotonic() - start:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
