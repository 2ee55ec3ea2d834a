# SPDX-License-Identifier: GPL-2.0
"""KUnit: the driver's own sources, on registers that are memory; see tests/kunit."""
import re

import pytest
from rig import project

pytestmark = pytest.mark.guest("wire", ("msix-2cpu",))


def cases():
    """What the suites list, as suite.case."""
    for path in sorted((project.TOP / "tests" / "kunit").glob("*_test.c")):
        suite = path.name.removesuffix("_test.c")
        names = re.findall(r"\bKUNIT_CASE\w*\((\w+)", path.read_text(encoding="utf-8"))
        assert names, path
        yield from (f"{suite}.{name}" for name in names)


class Report:
    """What KUnit said, in KTAP, when the module was loaded."""

    def __init__(self, guest):
        guest.forget()
        guest.sh("[ ! -e /lib/modules/kunit.ko ] || insmod /lib/modules/kunit.ko enable=1; "
                 "insmod /lib/modules/igb_demo_kunit.ko", timeout=120)
        self.lines = [line.text for line in guest.dmesg()]
        guest.sh("rmmod igb_demo_kunit; [ ! -e /lib/modules/kunit.ko ] || rmmod kunit")
        guest.forget()
        self.suites = {}    # {suite: [its lines]}
        self.results = {}   # {suite.case: (result, what led to it)}
        self._parse()

    def _parse(self):
        suite, said = None, []
        for line in self.lines:
            begin = re.match(r" {4}# Subtest: (\S+)$", line)
            end = re.match(r" {4}((?:not )?ok) \d+ (\S+)(.*)", line)
            if begin:
                suite, said = begin[1], []
            elif end:
                self.results[f"{suite}.{end[2]}"] = end[1] + end[3], "\n".join(said)
                said = []
            elif re.match(r"(not )?ok \d+ ", line):
                self.suites[suite] = line
            else:
                said.append(line)


@pytest.fixture(scope="module")
def report(box):
    """All suites, run once; without the driver, whose tracepoints have the same names."""
    return Report(box.unload())


@pytest.mark.parametrize("case", cases())
def test_case(report, case):
    """As KUnit found it."""
    assert case in report.results, "\n".join(report.lines)
    result, said = report.results[case]
    assert result == "ok", said


def test_all(report):
    """Each suite ended, well, and nothing ran that is not listed here."""
    assert report.results.keys() == set(cases())
    assert {suite: line.split()[0] for suite, line in report.suites.items()} \
        == {case.split(".")[0]: "ok" for case in cases()}
