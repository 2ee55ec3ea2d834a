# SPDX-License-Identifier: GPL-2.0
"""The initramfs that the tests boot: the driver, and helpers built for the guest."""
import os
import shutil
from pathlib import Path

from . import project

GUEST_SOURCES = project.TOP / "tests" / "guest"
COMPILER = {"x86_64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
# Modules of the tests' own.
TEST_MODULES = ("nomsix", "requeue", "spirom")
# Of the guest's kernel, beside what mkinitramfs.sh always takes.
KMODS = ("8021q", "vxlan", "ip_gre", "ipip", "sit", "bridge", "sctp", "veth", "igb", "pktgen")


def _newer(target, sources):
    """Whether @target exists and is no older than any of @sources."""
    if not target.exists():
        return False
    made = target.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources)


def _files(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def _rigtool(arch):
    """The helper program, static, for the guest's architecture."""
    program = project.build_dir(arch) / "rigtool"
    sources = sorted(GUEST_SOURCES.glob("*.[ch]"))
    if not _newer(program, sources):
        compiler = COMPILER[arch]
        if arch == os.uname().machine and not shutil.which(compiler):
            compiler = "gcc"
        project.run([compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-s", "-o",
                     program, *(source for source in sources if source.suffix == ".c")])
    return program


def _bpf():
    """The tests' XDP programs, for frames of one buffer and of several."""
    directory = project.build_dir("bpf")
    source = project.TOP / "tests" / "bpf" / "xdp.c"
    programs = [directory / f"{kind}.o" for kind in ("xdp", "xdp.frags")]
    for program in programs:
        if not _newer(program, [source]):
            project.run(["clang", "-target", "bpf", "-O2", "-g", "-Wall", "-Wextra",
                         "-Wno-unused-parameter", f"-DSECTION=\"{program.stem}\"",
                         f"-I/usr/include/{os.uname().machine}-linux-gnu",
                         "-c", "-o", program, source])
    return programs


def _make(arch):
    """The make variables that choose what modules are built against."""
    words = [f"ARCH={arch}"]
    words += [f"{name}={os.environ[name]}" for name in ("KDIR",) if os.environ.get(name)]
    return words


def _driver(arch):
    """igb_demo.ko, brought up to date by the project's own make; or the one $IGB_DEMO_KO names."""
    if os.environ.get("IGB_DEMO_KO"):
        return Path(os.environ["IGB_DEMO_KO"])
    project.run(["make", "-C", project.TOP, "--no-print-directory", *_make(arch)],
                env={name: value for name, value in os.environ.items()
                     if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")})
    return project.TOP / "build" / arch / f"{project.DRIVER}.ko"


def _stripped(arch, module):
    """@module without debug information: reading that in is most of a slow insmod."""
    target = project.build_dir(arch) / "stripped" / module.name
    if not target.exists() or target.stat().st_mtime != module.stat().st_mtime:
        target.parent.mkdir(exist_ok=True)
        project.run([COMPILER[arch].replace("gcc", "strip"), "--strip-debug",
                     "--preserve-dates", "-o", target, module])
    return target


def _test_module(arch, name):
    """A module of the tests' own."""
    source = GUEST_SOURCES / name
    target = project.build_dir(arch) / name
    module = target / f"{name}.ko"
    if not _newer(module, _files(source)):
        target.mkdir(exist_ok=True)
        for path in _files(source):
            shutil.copy2(path, target)
        cross = [] if arch == os.uname().machine else [
            f"CROSS_COMPILE={COMPILER[arch].removesuffix('gcc')}"]
        project.run(["make", "-C", project.guest_kernel(arch)["KDIR"], f"M={target}",
                     f"ARCH={arch}", *cross, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"],
                    env={key: value for key, value in os.environ.items()
                         if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")})
    return module


def initramfs(arch, kmods=KMODS, name="initramfs", options=()):
    """Path of the image, made once whatever the number of workers; other @kmods or @options for
    mkinitramfs.sh, other @name."""
    directory = project.build_dir(arch)
    image, contents = directory / f"{name}.cpio", directory / f"{name}.contents"
    with project.locked(directory / "lock"):
        driver = _stripped(arch, _driver(arch))
        rigtool, programs = _rigtool(arch), _bpf()
        modules = [_test_module(arch, module) for module in TEST_MODULES]
        inputs = [driver, rigtool, *modules, *programs,
                  *(project.SCRIPTS / f"{script}.sh" for script in ("mkinitramfs", "guest-tools")),
                  *sorted(_files(project.TOP / "rootfs"))]
        wanted = f"{' '.join((*kmods, *options))}\n" \
            + "".join(f"{path} {path.stat().st_mtime_ns}\n" for path in inputs)
        if not image.exists() or not contents.exists() or contents.read_text() != wanted:
            project.run([project.SCRIPTS / "mkinitramfs.sh", "--arch", arch, "--output", image,
                         *options, "--module", driver, "--add", f"{rigtool}:/usr/bin/rigtool",
                         *(word for module in modules
                           for word in ("--add", f"{module}:/lib/modules/{module.name}")),
                         *(word for kmod in kmods for word in ("--kmod", kmod)),
                         *(word for program in programs
                           for word in ("--add", f"{program}:/lib/bpf/{program.name}"))])
            contents.write_text(wanted)
    return image
