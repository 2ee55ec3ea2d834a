# SPDX-License-Identifier: GPL-2.0
"""Fixtures: guests by kind and configuration, and the judge of their kernel's log."""
import contextlib
import functools
import os
import re
import zlib

import pytest
from rig import journal, project
from rig.box import ALL, CONFIGS, STEADY, Box
from rig.guest import Guest, GuestError
from rig.nic import Nic
from rig.qmp import QmpError


# How many tests one guest goes through, more or less: several share the work then.
PART = 120

# What one would ask first when a port does not do what it should.
PORT_STATE = """
ip -s link show eth0; grep eth0 /proc/interrupts; ethtool -S eth0 | grep -v ': 0$'
for register in 0x0008 0x0100 0x1524 0xc010 0xc018 0xe010 0xe018; do
    echo "$register $(rigtool mmio 0000:01:00.0 $register)"
done 2>&1; true"""


def pytest_addoption(parser):
    """--arch: for which architecture's guest."""
    parser.addoption("--arch", default=os.environ.get("ARCH") or "x86_64",
                     help="the guest's architecture: x86_64 or arm64 (default: $ARCH)")
    parser.addoption("--guest", choices=("", *CONFIGS), default=os.environ.get("GUEST") or "",
                     help="run what is for guests with MSI-X in this one instead "
                          "(default: $GUEST)")
    parser.addoption("--share", default=os.environ.get("SHARE") or "1/1",
                     help="2/3: the second of three parts of the tests (default: $SHARE, or all)")


def pytest_configure(config):
    """No such guest or part, no tests."""
    # What is not said on the command line is not checked there.
    name = config.getoption("--guest")
    if name not in ("", *CONFIGS):
        raise pytest.UsageError(f"no guest '{name}': there are {', '.join(CONFIGS)}")
    share = config.getoption("--share")
    if not re.fullmatch(r"[1-9]\d?/[1-9]\d?", share) or share_of(config)[0] > share_of(config)[1]:
        raise pytest.UsageError(f"no part '{share}' of the tests: 2/3 is the second of three")


def share_of(config):
    """(which part, of how many)"""
    return tuple(map(int, config.getoption("--share").split("/")))


def _is_wanted(item, part, parts):
    """Whether it is to run at all, and in that part: what it is called decides."""
    name = item.nodeid.partition("[")[0]
    return _box_of(item) and zlib.crc32(name.encode()) % parts == part - 1


def pytest_generate_tests(metafunc):
    """A test marked guest(kind, configs) runs once in each configuration; with only="debug" for
    that kernel only, with never="debug" for all others."""
    marker = metafunc.definition.get_closest_marker("guest")
    if "box" in metafunc.fixturenames:
        metafunc.parametrize("box", _wanted(metafunc.config.getoption("--guest"),
                                            *marker.args, **marker.kwargs) or [None],
                             indirect=True, scope="session",
                             ids=lambda key: "-".join(key or ("none",)))


def _wanted(instead, kind, configs=ALL, only=None, never=None):
    here = os.environ.get("KERNEL", "")
    if only not in (None, here) or never == here:
        return []
    if instead:
        configs = (instead,) if any(name.startswith(("msix", "smp")) for name in configs) else ()
    if here == "debug":
        # It takes several times as long: each test once, and none of those that are about time.
        configs = [config for config in configs if config not in STEADY][:1]
    return [_key(kind, config) for config in configs]


@functools.lru_cache(maxsize=None)
def _key(kind, config):
    """One object for one box: pytest keeps a fixture only for the identical parameter."""
    return kind, config


def _box_of(item):
    return getattr(item, "callspec").params.get("box", ("host", "")) \
        if hasattr(item, "callspec") else ("host", "")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Tests of one guest form one group; the groups that take longest start first."""
    share = share_of(config)
    wanted = [item for item in items if _is_wanted(item, *share)]
    config.hook.pytest_deselected(items=set(items) - set(wanted))
    items[:] = wanted
    groups = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        limit = limit.args[0] if limit else float(item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(limit * project.PATIENCE), append=False)
        groups.setdefault(_box_of(item), []).append(item)
    weight = {"wire": 4, "user": 3, "pair": 2, "clients": 2, "selftests": 2, "kexec": 1,
              "host": 0}
    order = sorted(groups, key=lambda group: (group[1] != ALL[0], -weight[group[0]]))
    for kind, config in order:
        for item in groups[kind, config]:
            part = _part(item, groups[kind, config])
            item.add_marker(pytest.mark.xdist_group(f"{kind}-{config}{part}"))
    items[:] = [item for group in order for item in groups[group]]


def _part(item, group):
    """A group that would keep one worker alone for long is several, at a boot for each."""
    files = list(dict.fromkeys(other.path for other in group))
    parts = -(-len(group) // PART)
    return f"-{files.index(item.path) * parts // len(files)}" if parts > 1 else ""


@pytest.fixture(scope="session")
def arch(request):
    """The guest's architecture."""
    return project.arch_name(request.config.getoption("--arch"))


@pytest.fixture(scope="session")
def box(request, arch):
    """The kind of guest that the test's marker names; several tests share it."""
    made = Box(*request.param, arch)
    yield made
    found = made.leaks()
    made.close()
    assert not found, found


@pytest.fixture
def guest(box):
    """A guest without the driver."""
    found = box.unload()
    found.forget()
    yield found
    _plug_in(found, box)


@pytest.fixture
def nic(box):
    """eth0, up and at its defaults; the driver may have been loaded for a test before."""
    port = Nic(box.guest())
    port.guest.forget()
    if not (box.tidy and port.tidy_up()):
        port = Nic(box.unload())
        port.guest.forget()
        port.load()
    box.tidy = True
    yield port
    _plug_in(port.guest, box)


@pytest.fixture
def fresh_nic(guest):
    """eth0 of a driver that was loaded for this test, which may leave it in any state."""
    port = Nic(guest)
    port.load()
    return port


def _plug_in(guest, box):
    """Whatever the test did to the cable, the next one finds it plugged."""
    if guest.usable and box.kind == "wire":
        try:
            guest.set_link(True)
        except QmpError:
            guest.usable = False


@pytest.fixture
def wire(box):
    """The other end of eth0's cable."""
    box.guest()
    box.wire.drain()
    return box.wire


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """What the kernel says in a test is part of the test's result."""
    outcome = yield
    if outcome.excinfo is not None:
        for guest in Guest.live:
            with contextlib.suppress(GuestError):
                pyfuncitem.add_report_section("call", "port", guest.sh(PORT_STATE))
    guests = {getattr(value, "guest", value) for value in pyfuncitem.funcargs.values()
              if isinstance(value, (Guest, Nic))}
    complaints = [line for guest in guests for line in _judge(pyfuncitem, guest)]
    if "box" in pyfuncitem.funcargs and (outcome.excinfo or complaints):
        pyfuncitem.funcargs["box"].tidy = False
    if outcome.excinfo is None and complaints:
        raise AssertionError("\n".join(complaints))


def _judge(item, guest):
    """The guest's complaints; its log becomes a section of the test's report."""
    if not guest.usable:
        return []
    try:
        lines = guest.dmesg()
        complaints = guest.judge(lines)
    except GuestError as error:
        return [f"the guest is gone: {error}"]
    item.add_report_section("call", "dmesg", "\n".join(map(str, lines)))
    if any(journal.FATAL.search(line.text) for line in lines):
        # It may go on, but nothing that it does from now on proves anything.
        if complaints:
            guest.usable = False
    return complaints
