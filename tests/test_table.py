# SPDX-License-Identifier: GPL-2.0
"""What in-tree igb offers is offered here, or there is a reason; what is published says so."""
import copy

import pytest
from rig import features, project

# Much is asked at once, which takes minutes where the host is busy.
pytestmark = [pytest.mark.guest("selftests", ("msix-2cpu",)), pytest.mark.timeout(900)]


@pytest.fixture(name="asked")
def _asked(guest, box):
    """(answers, versions); asked once of each guest."""
    if not hasattr(box, "asked"):
        box.asked = features.ask(guest), features.versions(guest)
    return box.asked


def published():
    """(README, the page) as they are in the repository."""
    return [(project.TOP / name).read_text(encoding="utf-8")
            for name in (features.README, features.PAGE)]


class TestAsked:
    """Both drivers, in one guest."""

    def test_nothing_missing(self, asked):
        """What in-tree igb has and this driver has not has a reason."""
        assert not [what for what, why in features.missing(asked[0]).items() if not why]

    def test_reasons(self, asked):
        """Each of them is still needed."""
        assert not features.unused(asked[0])

    def test_questions(self, asked):
        """All were asked, and answered by somebody."""
        table = asked[0]
        assert set(table) >= {"features", "ethtool", "netlink ethtool", "netlink devlink", "tc"}
        for area, rows in table.items():
            assert area == "tc" or any(features.offered(ours)[0] for _, ours in rows.values()), area
        assert table["ethtool"]["--show-ring"] == ("yes", "yes")
        assert table["ethtool"]["--show-fec"] == ("no", "no")
        assert table["features"]["tx-scatter-gather"] == ("on", "on")
        assert table["netlink netdev"]["dev-get: xdp-features/rx-sg"] == ("-", "yes")

    def test_published(self, asked, arch):
        """README and the page are of these answers, unless of another kernel or ethtool."""
        readme, page = published()
        table, versions = asked
        if arch != "x86_64" or f"({versions}.)" not in page:
            pytest.skip("published of another kernel, ethtool or machine")
        assert features.page(table, versions) == page
        assert features.readme(readme, table, versions) == readme


class TestRule:
    """What the rule finds, in answers of which some are changed."""

    TABLE = {"features": {"this": ("on", "on"), "that": ("off [fixed]", "off")},
             "ethtool": {"--show-this": ("yes", "yes"), "--show-that": ("no", "yes")}}

    @pytest.mark.parametrize("area, what, answers", (
        ("features", "this", ("on", "off")), ("features", "this", ("on", "on [fixed]")),
        ("features", "that", ("off", "off [fixed]")), ("ethtool", "--show-this", ("yes", "no")),
        ("ethtool", "--show-this", ("yes", "-")), ("ethtool", "--show-this", ("yes", "fails"))))
    def test_lost(self, area, what, answers):
        """A thing that this driver has lost."""
        assert not features.missing(self.TABLE)
        table = copy.deepcopy(self.TABLE)
        table[area][what] = answers
        assert features.missing(table) == {f"{area}: {what}": None}

    def test_reason(self, monkeypatch):
        """It may be lost with a reason, which has to go when it is found."""
        monkeypatch.setattr(features, "REASONS", {"ethtool: --show-th.s": "no need"})
        table = copy.deepcopy(self.TABLE)
        assert features.unused(table) == ["ethtool: --show-th.s"]
        table["ethtool"]["--show-this"] = ("yes", "no")
        assert set(features.missing(table).values()) == {"no need"}
        assert not features.unused(table)

    def test_tables(self):
        """Who has what alone, and how much both have; they take the place of the last ones."""
        table = copy.deepcopy(self.TABLE)
        table["features"]["tx-gso-partial"] = ("on", "off [fixed]")
        text = ("Text.\n\n| asked | x |\n|---|\n| a |\n\nMore.\n\n| left out | x |\n\n"
                "(Linux 6, ethtool 5)\n")
        for _ in range(2):
            text = features.readme(text, table, "Linux 7, ethtool 8")
        lines = text.splitlines()
        assert lines[:5] == [
            "Text.", "", "| asked | questions | in both | only igb | only igb_demo |",
            "|---|---|---|---|---|", "| features | 3 | 1 | 1 | `that` |"]
        assert f"| `tx-gso-partial` | {features.TUNNELS} |" in lines
        assert lines[-1] == "(Linux 7, ethtool 8.)"
