# SPDX-License-Identifier: GPL-2.0
"""The initramfs that the tests boot: the driver, and helpers built for the guest."""
import os
import shutil
from pathlib import Path

from . import project

GUEST_SOURCES = project.TOP / "tests" / "guest"
KUNIT = project.TOP / "tests" / "kunit"
COMPILER = {"x86_64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
# Modules of the tests' own.
TEST_MODULES = ("nomsix", "requeue", "spirom")
# Of the guest's kernel, beside what mkinitramfs.sh always takes.
KMODS = ("8021q", "vxlan", "ip_gre", "ipip", "sit", "bridge", "sctp", "veth", "igb", "pktgen",
         "sch_fq", "sch_mqprio", "sch_ingress", "button")

# What the kernel's tests of network drivers want beside those.
SELFTEST_KMODS = ("vrf", "ipv6", "act_gact", "cls_flower", "cls_matchall", "sch_ingress", "sch_cbs",
                  "sch_etf", "sch_mqprio", "sch_taprio")
KSRC = "/usr/src/linux"         # in the guest
SELFTESTS = f"{KSRC}/tools/testing/selftests"
# Of the kernel's source: the tests, and what they use.
SELFTEST_FILES = (*(f"tools/testing/selftests/{path}" for path in
                    ("drivers/net/lib", "drivers/net/hw", "drivers/net/ping.py",
                     "drivers/net/queues.py", "drivers/net/stats.py", "net/forwarding",
                     "net/lib", "net/lib.sh", "net/net_helper.sh")),
                  "tools/net/ynl/lib", "Documentation/netlink/specs")


def _newer(target, sources):
    """Whether @target exists and is no older than any of @sources."""
    if not target.exists():
        return False
    made = target.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources)


def _files(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def _compiler(arch):
    if arch == os.uname().machine and not shutil.which(COMPILER[arch]):
        return "gcc"
    return COMPILER[arch]


def _rigtool(arch):
    """The helper program, static, for the guest's architecture."""
    program = project.build_dir(arch) / "rigtool"
    sources = sorted(GUEST_SOURCES.glob("*.[ch]"))
    if not _newer(program, sources):
        project.run([_compiler(arch), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static", "-s",
                     "-o", program, *(source for source in sources if source.suffix == ".c")])
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
    return project.driver_dir(arch) / f"{project.DRIVER}.ko"


def _stripped(arch, module):
    """@module without debug information: reading that in is most of a slow insmod."""
    target = project.build_dir(arch) / "stripped" / module.name
    if not target.exists() or target.stat().st_mtime != module.stat().st_mtime:
        target.parent.mkdir(exist_ok=True)
        project.run([COMPILER[arch].replace("gcc", "strip"), "--strip-debug",
                     "--preserve-dates", "-o", target, module])
    return target


def _make_modules(arch, target):
    """Build the modules of @target's Kbuild against the guest's kernel."""
    cross = [] if arch == os.uname().machine else [
        f"CROSS_COMPILE={COMPILER[arch].removesuffix('gcc')}"]
    project.run(["make", "-C", project.guest_kernel(arch)["KDIR"], f"M={target}",
                 f"ARCH={arch}", *cross, "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"],
                env={key: value for key, value in os.environ.items()
                     if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARCH")})


def _test_module(arch, name):
    """A module of the tests' own."""
    source = GUEST_SOURCES / name
    target = project.build_dir(arch) / name
    module = target / f"{name}.ko"
    if not _newer(module, _files(source)):
        target.mkdir(exist_ok=True)
        for path in _files(source):
            shutil.copy2(path, target)
        _make_modules(arch, target)
    return module


def _copy(sources, target):
    """Make @target a directory of copies of @sources, {name: path}, and of what was built."""
    target.mkdir(parents=True, exist_ok=True)
    for path in target.glob("*.[ch]"):
        if path.name not in sources and not path.name.endswith(".mod.c"):
            path.unlink()
    for name, path in sources.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copy(path, copy)


def _kunit(arch):
    """The driver's KUnit suites; and KUnit itself where the guest's kernel was built without."""
    target = project.build_dir(arch) / "kunit"
    sources = {path.name: path for path in (*_files(KUNIT), *project.TOP.glob("igb*.[ch]"))}
    sources["driver.Kbuild"] = project.TOP / "Kbuild"
    library = {}
    config = Path(project.guest_kernel(arch)["KDIR"]) / "include" / "config" / "auto.conf"
    if "\nCONFIG_KUNIT=" not in config.read_text():
        library = {path.name: path for path in
                   (project.kernel_source() / "lib" / "kunit").glob("*.[ch]")}
    modules = [target / f"{name}.ko" for name in (("kunit",) if library else ())
               + ("igb_demo_kunit",)]
    if not all(_newer(module, (*sources.values(), *library.values(), config))
               for module in modules):
        _copy(sources, target)
        _copy(library, target / "lib" / "kunit")
        _make_modules(arch, target)
        for module in modules:
            module.touch()
    return [_stripped(arch, module) for module in modules]


def initramfs(arch, kmods=KMODS, name="initramfs", options=(), files=()):
    """Path of the image, made once whatever the number of workers; other @kmods or @options for
    mkinitramfs.sh, or more @files, pairs of where they are here and there, other @name."""
    directory = project.build_dir(arch)
    image, contents = directory / f"{name}.cpio", directory / f"{name}.contents"
    with project.locked(directory / "lock"):
        driver = _stripped(arch, _driver(arch))
        rigtool, programs = _rigtool(arch), _bpf()
        modules = [_test_module(arch, module) for module in TEST_MODULES]
        files = [*files, (rigtool, "/usr/bin/rigtool"),
                 *((module, f"/lib/modules/{module.name}") for module in modules),
                 *((program, f"/lib/bpf/{program.name}") for program in programs)]
        inputs = [driver, *(here for here, _ in files),
                  *(project.SCRIPTS / f"{script}.sh" for script in ("mkinitramfs", "guest-tools")),
                  *sorted(_files(project.TOP / "rootfs"))]
        wanted = f"{' '.join((*kmods, *options))}\n" \
            + "".join(f"{path} {path.stat().st_mtime_ns}\n" for path in inputs)
        if not image.exists() or not contents.exists() or contents.read_text() != wanted:
            project.run([project.SCRIPTS / "mkinitramfs.sh", "--arch", arch, "--output", image,
                         *options, "--module", driver,
                         *(word for kmod in kmods for word in ("--kmod", kmod)),
                         *(word for here, there in files
                           for word in ("--add", f"{here}:{there}"))])
            contents.write_text(wanted)
    return image


def with_kunit(arch):
    """Path of an image that has the driver's KUnit suites, too."""
    with project.locked(project.build_dir(arch) / "lock"):
        _driver(arch)   # whose first build empties the directory
        modules = _kunit(arch)
    return initramfs(arch, name="kunit",
                     files=[(module, f"/lib/modules/{module.name}") for module in modules])


def with_kernel(arch):
    """Path of an image that has what kexec boots, too."""
    return initramfs(arch, name="kexec", files=[
        (Path(project.guest_kernel(arch)["KERNEL_IMAGE"]), "/boot/vmlinuz"),
        (initramfs(arch), "/boot/initrd")])


def _csum(arch, source):
    """The helper of the kernel's test of checksums, static."""
    program = project.build_dir(arch) / "csum"
    tests = source / "tools" / "testing" / "selftests"
    code = tests / "net" / "lib" / "csum.c"
    if not _newer(program, [code]):
        project.run([_compiler(arch), "-O2", "-static", "-s", f"-I{tests}", "-o", program, code])
    return program


def with_selftests(arch):
    """Path of an image that has Python, and the kernel's tests of network drivers, too."""
    source = Path(project.guest_kernel(arch, "--source")["SOURCE"])
    with project.locked(project.build_dir(arch) / "lock"):
        _driver(arch)
        csum = _csum(arch, source)
    files = [*((source / path, f"{KSRC}/{path}") for path in SELFTEST_FILES),
             (csum, f"{SELFTESTS}/net/lib/csum"),
             (source / "include/uapi/linux/ethtool.h", "/usr/include/linux/ethtool.h"),
             *((path, f"/usr/lib/python3/dist-packages/{path.name}")
               for path in sorted((GUEST_SOURCES / "python").glob("*.py")))]
    return initramfs(arch, (*KMODS, *SELFTEST_KMODS), "selftests", ("--selftests",), files)
