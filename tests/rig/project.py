# SPDX-License-Identifier: GPL-2.0
"""Where things are, and one lock for what several workers would build at once."""
import contextlib
import fcntl
import functools
import os
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = TOP / "scripts"
DRIVER = "igb_demo"
# A kernel that checks everything takes that much longer.
PATIENCE = 6 if os.environ.get("KERNEL") in ("debug", "race") else 1
ARCHES = {"x86_64": "x86_64", "x86": "x86_64", "amd64": "x86_64",
          "arm64": "arm64", "aarch64": "arm64"}


def arch_name(text):
    """The project's name of an architecture, however it was spelt."""
    try:
        return ARCHES[text]
    except KeyError:
        raise SystemExit(f"unknown ARCH '{text}': x86_64 or arm64") from None


def driver_dir(arch):
    """Where the driver is built for one architecture, and for a kernel of the project's own."""
    return TOP / "build" / "-".join(filter(None, (arch, os.environ.get("KERNEL"))))


def build_dir(arch):
    """Where what is built for the tests lies."""
    path = driver_dir(arch) / "tests"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(path):
    """Hold @path as a lock between processes, as xdist workers build the same image."""
    with open(path, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command, **kwargs):
    """Run a build step; what it printed is shown only when it failed."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if result.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {result.returncode}\n"
                           f"{result.stdout}")
    return result.stdout


@functools.lru_cache(maxsize=None)
def guest_kernel(arch, *options):
    """KERNEL_IMAGE, KDIR and MODULES of the guest, the environment's words first; with
    --source also SOURCE."""
    out = subprocess.run([SCRIPTS / "guest-kernel.sh", "--arch", arch, *options], text=True,
                         check=True, stdout=subprocess.PIPE).stdout
    found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    found.update({word: os.environ[word] for word in ("KERNEL_IMAGE", "KDIR")
                  if os.environ.get(word)})
    return found


@functools.lru_cache(maxsize=None)
def kernel_source():
    """What is kept of the source of Debian's kernel."""
    out = subprocess.run([SCRIPTS / "guest-kernel.sh", "--source"], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    return pathlib.Path(found["SOURCE"])
