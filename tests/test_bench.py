# SPDX-License-Identifier: GPL-2.0
"""The arithmetic of make bench: what it calls worse, and what it does then."""
import argparse
import contextlib
import copy
import itertools
import subprocess
import types

import pytest
from bench import bench, plot, publish, results, wall, workloads
from rig.guest import GuestError

FIGURES = {"instructions": 900, "generator": 100, "share": 800, "registers": 0.05,
           "interrupts": 0.01, "lost": 0}


# What a guest says whose port did nothing.
NOTHING = "=".join(["eth1: 0\n\n0\n0\n"] * 3).replace("=", "\n=\n")


@pytest.fixture(name="base")
def _base():
    """Results of a run."""
    return {"commit": "abc", "kernel": "6.12", "qemu": "10.0.2", "workloads": {
        key: {"title": key.upper(), "igb": dict(FIGURES), "igb_demo": dict(FIGURES)}
        for key in ("tx", "rx")}}


def _grown(base, share, driver="igb_demo"):
    new = copy.deepcopy(base)
    new["workloads"]["rx"][driver].update(share=share, instructions=share + 100)
    return new


@pytest.mark.parametrize("share, status", [(800, 0), (400, 0), (815, 0), (817, 1), (1600, 1)])
def test_growth(base, share, status, capsys):
    """More than 2 % is a failure that names the workload."""
    assert bench.report(_grown(base, share), base) == status
    complaint = "worse: RX: igb_demo's 800 instructions have grown"
    assert (complaint in capsys.readouterr().out) == bool(status)


def test_remarks(base):
    """What in-tree igb does or a workload left out are remarks only."""
    new = _grown(base, 900, "igb")
    del new["workloads"]["tx"]
    worse, remarks = results.compare(base, new)
    assert not worse
    assert [remark.split(" ")[0] for remark in remarks] == ["RX:", "not"]
    assert remarks[1] == "not measured this time: TX"


@pytest.mark.parametrize("name", ["kernel", "qemu", "compiler"])
def test_other_versions(base, name, capsys):
    """With another kernel, emulator or compiler growth is a remark, too."""
    base["compiler"] = "GCC 12"
    assert bench.report({**_grown(base, 1600), name: "another"}, base) == 0
    printed = capsys.readouterr().out
    assert f"note: {name} was {base[name]}, is another" in printed
    assert "note: RX: igb_demo's 800 instructions have grown by 100.0 %" in printed


def test_version_unknown(base):
    """A file of the time when nobody noted the compiler is compared all the same."""
    worse, remarks = results.compare(base, {**_grown(base, 1600), "compiler": "GCC 12"})
    assert len(worse) == 1 and not remarks


def test_one_driver(base, tmp_path):
    """The short form has igb_demo only, and in-tree igb cannot do everything."""
    new = _grown(base, 1600)
    del new["workloads"]["rx"]["igb"]
    new["workloads"]["tx"]["igb"] = None
    results.save(tmp_path / "r", new)
    assert results.load(tmp_path / "r") == new
    assert len(results.compare(base, new)[0]) == 1
    cells = [line.split("|") for line in results.table(new["workloads"]).splitlines()[2:]]
    assert [[cell.strip() for cell in row[3:7] + row[-3:-1]] for row in cells] == [["-"] * 6] * 2


def test_memory_table():
    """KiB, and the ratio."""
    memory = {"title": "a port", "igb": {"kib": 2000}, "igb_demo": {"kib": 1000}}
    assert results.memory_table(memory).splitlines()[2].split("|")[1:-1] == \
        [" a port ", " 2,000 ", "    1,000 ", "  0.50 "]


def test_chosen():
    """All, the short form's, the named ones; a name nobody knows is an error."""
    assert [workload.key for workload in bench.chosen([], short=True)] == \
        ["tx-burst", "tx", "tx-1514", "xsk-push"]
    assert len(bench.chosen([])) == len(workloads.WORKLOADS) + 1
    assert [workload.key for workload in bench.chosen(["memory"])] == ["memory"]
    with pytest.raises(results.ResultsError, match="there are memory, tx-burst"):
        bench.chosen(["nothing"])


def test_repeated():
    """What one run in three did besides does not count."""
    takes = iter([800, 900, 801])
    workload = workloads.Workload("rx", "RX", lambda lab: {**FIGURES, "share": next(takes)}, 3)
    assert workloads.repeated(workload).measure(None)["share"] == 801


def test_plot(base):
    """Title, versions, and a bar for what was measured."""
    base["workloads"]["tx"]["igb"] = None
    script = plot.script(base, "x.svg", *plot.PICTURES[0][1:])
    assert "igb_demo abc, Linux 6.12, QEMU 10.0.2" in script and '"TX" 0, "RX" 1' in script
    assert "$cigb << END\n0.8 800 800\nEND" in script
    assert "$cigb_demo << END\n0.2 800 800\n1.2 800 800\nEND" in script


def test_wall():
    """The median of the neighbours' ratios, the least and the greatest."""
    found = wall.summary({"igb": [4, 9, 4], "igb_demo": [2, 2, 3]})
    assert found == {"igb": [4, 9, 4], "igb_demo": [2, 2, 3], "ratio": 0.5, "least": 0.222,
                     "greatest": 0.75}
    assert wall.summary({"igb": [], "igb_demo": [2]}) is None


def test_wall_turns(monkeypatch):
    """The drivers take turns at a few workloads each, and each time is noted."""
    monkeypatch.setattr(wall, "TURN", 2)
    numbers = itertools.count(1)
    turns = []

    @contextlib.contextmanager
    def place(_):
        turns.append("in")
        yield
        turns.append("out")

    def takes(lab):
        turns.append(lab.key)
        return {"instructions": next(numbers)}

    here = [workloads.Workload(key, key, lambda _, key=key: takes(types.SimpleNamespace(key=key)))
            for key in "abc"]
    there = workloads.Workload("d", "d", lambda _: None, place=place)
    monkeypatch.setattr(wall, "ROUNDS", 2)
    guest = types.SimpleNamespace(bind=lambda _, driver: turns.append(driver),
                                  dmesg=lambda: "", judge=lambda text: [])
    found = wall.measure(guest, [*here, there], lambda text: None)
    assert turns == ["igb", "a", "b", "igb_demo", "a", "b", "igb", "c", "igb_demo", "c",
                     "igb", "in", "out", "igb_demo", "in", "out",
                     "igb_demo", "a", "b", "igb", "a", "b", "igb_demo", "c", "igb", "c",
                     "igb_demo", "in", "out", "igb", "in", "out"]
    assert found["a"]["igb"] == [1, 9] and found["c"]["igb_demo"] == [6, 11]
    assert found["d"] is None


def test_wall_guest(monkeypatch):
    """Its two ports have a CPU each, whatever happens; nothing is traced or taken off."""
    said = []
    monkeypatch.setattr(bench.lab.Guest, "__init__", lambda *_: None)
    guest = wall.WallLab(None, None)
    monkeypatch.setattr(guest, "sh_status", lambda command: (said.append(command), 0))
    monkeypatch.setattr(guest, "sh", lambda command, timeout=0: said.append(command) or (
        "Combined: 8\nCombined: 2\n" if "-l" in command else NOTHING))
    with guest.queues(8) as can:
        assert can
    words = ["-l eth1", "combined 8", "link set eth1 up", "echo 2 >/proc/irq", "sleep",
             "combined 2", "link set eth1 up", "echo 2 >/proc/irq", "sleep"]
    assert len(said) == len(words) and all(map(str.__contains__, said, words))
    assert "02:00.0" in said[3]
    assert guest.generator("dummy0", burst=1) == 0
    assert guest.window("x").registers == {}


@pytest.mark.parametrize("change, clock", [
    ({}, True), ({"workload": ["tx"]}, False), ({"workload": ["tx"], "wall": True}, True),
    ({"short": True}, False), ({"arch": "arm64"}, True)])
def test_wall_when(change, clock, base, monkeypatch):
    """A whole run has the clock; a part of it only who asks."""
    asked = []
    monkeypatch.setattr(bench, "run", lambda *words: asked.append(words[-1]) or (base, {}))
    monkeypatch.delenv("IGB_DEMO_KO", raising=False)
    bench.counted(argparse.Namespace(**{
        "workload": [], "short": False, "wall": False, "arch": "x86_64", "output": None,
        "base": None, "publish": False, "repeat": 1, "profile": False, **change}))
    assert asked == [clock]


def test_clock_shown(base):
    """The ratio by the clock ends a workload's line."""
    base["workloads"]["rx"]["clock"] = {"ratio": 0.5, "least": 0.278, "greatest": 7}
    lines = results.table(base["workloads"]).splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["-", "0.50 (0.28-7.00)"]


def test_clock_fails(base, monkeypatch):
    """What was counted is kept, and is not published for the whole."""
    monkeypatch.setattr(bench, "repetition", lambda *_: (
        {"kernel": "6.12", "qemu": "10"}, {"tx": {"igb": FIGURES, "igb_demo": FIGURES}}))
    monkeypatch.setattr(bench.image, "initramfs", lambda *_: "")
    monkeypatch.setattr(bench, "compiler", lambda _: "")
    wanted = [workloads.Workload("tx", "TX", None)]

    def fails(*_):
        raise GuestError("no")

    for timed, why in ((fails, "no times"), (lambda *_: {"tx": {"ratio": 1}}, None)):
        monkeypatch.setattr(bench, "by_the_clock", timed)
        new, _ = bench.run("x86_64", 1, wanted, clock=True)
        assert new["workloads"]["tx"]["igb"] == FIGURES
        found = bench.unfinished(new["workloads"])
        assert found is None if why is None else why in found
    assert bench.unfinished(base["workloads"])


def test_every_workload():
    """What is to be measured: nothing is lost from the list by mistake."""
    assert {workload.key for workload in workloads.WORKLOADS} == {
        "tx-burst", "tx", "tx-1514", "tx-1514-burst", "rx", "rx-burst", "forward",
        *(f"{way}-queues-{queues}" for way in ("tx", "rx") for queues in (1, 2, 8)),
        "xdp-drop", "xdp-tx", "xdp-redirect", "xsk-drop", "xsk-push", "xsk-forward",
        "tcp-receive", "tcp-send", "udp-send", "ping", "udp-request", "tcp-request"}


def _with_modes(base, igb, demo):
    new = copy.deepcopy(base)
    for driver, mode in (("igb", igb), ("igb_demo", demo)):
        new["workloads"]["rx"][driver]["mode"] = mode
    return new


def test_mode_shown(base):
    """The table and the picture say who has copies."""
    new = _with_modes(base, "copy", "zero copy")
    words = "RX (igb copy, igb_demo zero copy)"
    assert f"| {words} |" in results.table(new["workloads"])
    assert f'"{words}" 1' in plot.script(new, "x.svg", *plot.PICTURES[0][1:])
    del new["workloads"]["rx"]["igb"]
    assert "| RX (igb_demo zero copy) |" in results.table(new["workloads"])


def test_mode_lost(base):
    """Zero copy that has become copies is a failure, however cheap; the reverse is none."""
    good, bad = _with_modes(base, "copy", "zero copy"), _with_modes(base, "copy", "copy")
    assert results.compare(good, bad) == (["RX: igb_demo had zero copy, and has not now"], [])
    assert results.compare(bad, good) == ([], [])
    assert results.compare(good, good) == ([], [])
    assert results.median([new["workloads"]["rx"]["igb_demo"] for new in (good, good)])["mode"] \
        == "zero copy"


class FakeLab:
    """A guest whose application says what the test wants."""

    def __init__(self, frames=0, sent=0, said="took 20000 us\n"):
        self.window_of = types.SimpleNamespace(output=said, registers={"0x0e018": 1250},
                                               interrupts=4, received=0, sent=sent)
        self._job = types.SimpleNamespace(
            kill=lambda: None, wait=lambda: f"ready, zero copy\nframes {frames} drops 0\n",
            wait_output=lambda pattern: "ready, zero copy\n")

    def spawn(self, command):
        """The application."""
        assert command.startswith("rigtool xsk eth1 any=1 ")
        return self._job

    def generator(self, *_, **__):
        """What sending costs."""
        return 100

    packets = 40_000
    idle = 20_000

    def pktgen(self, *_, **__):
        """What sending to eth1 costs."""
        return types.SimpleNamespace(packets=40_000, each=400, window=self.window_of)

    def window(self, *_, **__):
        """What the application did."""
        return self.window_of

    def sh(self, *_, **__):  # pylint: disable=invalid-name
        """Always well."""

    raise_port = sh


def test_xsk():
    """Packets that arrive are those that the application has or has sent again."""
    lab = FakeLab(frames=30_000, sent=20_000)
    for what, lost, share in (("drop", 10_000, 400), ("forward", 20_000, 600)):
        found = workloads.xsk_receive(lab, what)
        assert (found["lost"], found["share"], found["mode"]) == (lost, share, "zero copy")
    found = workloads.xsk_push(FakeLab(sent=40_000))
    assert (found["share"], found["lost"], found["registers"]) == (500, 0, 0.0312)


@pytest.mark.parametrize("measure, said", [
    (lambda: workloads.xsk_receive(FakeLab(), "drop"), "of 40000 packets none arrived"),
    (lambda: workloads.xsk_receive(FakeLab(frames=9), "forward"), "none arrived"),
    (lambda: workloads.xsk_push(FakeLab()), "none arrived"),
    (lambda: workloads.xsk_push(FakeLab(sent=9, said="no zero copy\n")), "no zero copy")])
def test_xsk_broken(measure, said):
    """A driver that delivers nothing has no figures."""
    with pytest.raises(GuestError, match=said):
        measure()


PART = "only some of it was measured"


@pytest.mark.parametrize("part, described, now, words", [
    (None, "abc", "abc", None), (PART, "abc", "abc", PART),
    (None, "abc-dirty", "abc-dirty", "not committed"), (None, "unknown", "unknown", "not comm"),
    (None, "abc", "abc-dirty", "abc was measured"), (None, "abc", "def", "now the tree is def")])
def test_objection(part, described, now, words):
    """Only a whole run of a clean tree, which stayed what it was, is shown to everyone."""
    found = publish.objection(part, described, now)
    assert found is None if words is None else words in found


@pytest.mark.parametrize("change, why", [
    ({}, None), ({"workload": ["tx"]}, PART), ({"short": True}, PART), ({"wall": True}, None),
    ({"arch": "arm64"}, "of another architecture")])
def test_partial(change, why, monkeypatch):
    """What is only a part."""
    monkeypatch.delenv("IGB_DEMO_KO", raising=False)
    args = argparse.Namespace(**{"workload": [], "short": False, "wall": False,
                                 "arch": "x86_64", **change})
    assert bench.partial(args) == why
    monkeypatch.setenv("IGB_DEMO_KO", "x.ko")
    assert bench.partial(args)


@pytest.fixture(name="tree")
def _tree(tmp_path, base):
    """A repository with what is published."""
    base["memory"] = {"title": "a port", "igb": {"kib": 2000}, "igb_demo": {"kib": 1000}}
    for name in ("bench", "Documentation"):
        (tmp_path / name).mkdir()
    results.save(tmp_path / publish.BASELINE, base)
    (tmp_path / publish.README).write_text(
        f"Before\n\n{results.table(base['workloads'])}\n\n"
        f"{results.memory_table(base['memory'])}\n\n(Linux 6.1, QEMU 9.9.)\n\n| else |\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b",
                                                 "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    return tmp_path


def test_publish(tree, base, monkeypatch):
    """Pictures, tables and baseline are those of the run; the rest of README stays."""
    drawn = []
    monkeypatch.setattr(plot, "draw", lambda new, directory: drawn.append(directory))
    new = _grown(base, 400)
    assert not publish.commit(tree).endswith("-dirty")
    publish.publish(new, {"RX": {"igb": [(3.04, "igb_poll")],
                                 "igb_demo": [(2.0, "igb_rx_take"), (1.0, "memcpy")]}}, tree)
    text = (tree / publish.README).read_text()
    assert text == f"Before\n\n{results.table(new['workloads'])}\n\n" \
        f"{results.memory_table(new['memory'])}\n\n(Linux 6.12, QEMU 10.0.2.)\n\n| else |\n"
    assert results.load(tree / publish.BASELINE) == new and drawn == [tree / "Documentation"]
    assert (tree / publish.PROFILES).read_text().endswith(
        "RX\n==\n\n::\n\n"
        "              igb                  igb_demo\n"
        "         3.0  igb_poll        2.0  igb_rx_take\n"
        "                              1.0  memcpy\n")
    assert publish.commit(tree).endswith("-dirty")


def test_publish_where(tree, base, monkeypatch):
    """A README without the table is an error, and nothing is drawn or written."""
    monkeypatch.setattr(plot, "draw", None)
    (tree / publish.README).write_text("Nothing\n")
    with pytest.raises(results.ResultsError, match="has 0 places for '. one packet"):
        publish.publish(_grown(base, 400), {}, tree)
    assert results.load(tree / publish.BASELINE) == base


def test_real_readme():
    """The README of this repository has the places."""
    text = (bench.TOP / publish.README).read_text(encoding="utf-8")
    new = {"kernel": "6.99", "qemu": "11.0 x", "workloads": {},
           "memory": {"title": "a", "igb": {"kib": 2}, "igb_demo": {"kib": 1}}}
    text = publish.readme(text, new)
    assert "(Linux 6.99, QEMU 11.0.)" in text and "XDP_REDIRECT to itself" not in text


def test_tracked_is_kept(tree):
    """Part of the figures does not go where the repository has all of them."""
    publish.may_write(tree / publish.BASELINE, None, tree)
    publish.may_write(tree / "bench" / "mine.json", PART, tree)
    with pytest.raises(results.ResultsError, match=PART):
        publish.may_write(tree / publish.BASELINE, PART, tree)


@pytest.mark.parametrize("option", ["--short", "tx"])
def test_part_refused(option, monkeypatch, capsys):
    """... and that is said before anything is measured."""
    monkeypatch.setattr("sys.argv", ["bench.py", "--output",
                                     str(bench.TOP / publish.BASELINE), option])
    monkeypatch.setattr(bench, "run", None)
    assert bench.main() == 2
    assert PART in capsys.readouterr().err


@pytest.mark.parametrize("share, why", [(800, None), (850, "worse than b.json")])
def test_worse_is_not_shown(share, why, base, monkeypatch):
    """The baseline does not become what has just failed."""
    base["workloads"]["tx"]["clock"] = {"ratio": 0.5, "least": 0.3, "greatest": 7}
    shown = []
    monkeypatch.setattr(bench, "show", lambda new, profiles, part: shown.append(part or None))
    monkeypatch.setattr(bench, "baseline", lambda path, output: base)
    monkeypatch.setattr(bench, "run", lambda *_: (_grown(base, share), {}))
    monkeypatch.delenv("IGB_DEMO_KO", raising=False)
    args = argparse.Namespace(workload=[], short=False, wall=False, arch="x86_64", output=None,
                              base="b.json", publish=True, repeat=1, profile=False)
    assert bench.counted(args) == bool(why) and shown == [why]


@pytest.mark.parametrize("part, described, where", [
    (None, "abc", "top"), (PART, "abc", "build"), (None, "abc-dirty", "build")])
def test_show(part, described, where, base, monkeypatch):
    """Where a run's pictures go."""
    shown = []
    monkeypatch.setattr(publish, "commit", lambda: described)
    monkeypatch.setattr(publish, "publish", lambda new, profiles: shown.append("top"))
    monkeypatch.setattr(plot, "draw", lambda new, directory: shown.append(directory.name))
    bench.show({**base, "commit": described}, {}, part)
    assert shown == [where]


def test_new_workload(base):
    """One that the earlier run did not have is not compared."""
    new = copy.deepcopy(base)
    new["workloads"]["xdp"] = new["workloads"]["rx"]
    assert results.compare(base, new) == ([], [])


def test_file(base, tmp_path):
    """What is saved is what is loaded."""
    results.save(tmp_path / "r", base)
    assert results.load(tmp_path / "r") == base


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"workloads": {"tx": {}}}'])
def test_bad_file(text, tmp_path, monkeypatch, capsys):
    """What is no results file is one line of complaint, before anything is measured."""
    path = tmp_path / "r"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr("sys.argv", ["bench.py", "--base", str(path)])
    monkeypatch.setattr(bench, "run", None)
    assert bench.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_base_is_kept(base, tmp_path):
    """Results do not overwrite what they are compared with."""
    path = tmp_path / "r"
    results.save(path, base)
    with pytest.raises(results.ResultsError, match="overwritten"):
        bench.baseline(path, path)


def test_table(base):
    """A line for each workload, the ratio, and none by the clock."""
    lines = results.table(_grown(base, 400)["workloads"]).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert [cell.strip() for cell in lines[3].split("|")[-3:-1]] == ["0.50", "-"]


def test_median():
    """Number by number; a register that one run did not touch is left out."""
    runs = [{"share": share, "accesses": {"a": share}} for share in (3, 1, 2)]
    runs[0]["accesses"]["b"] = 1
    assert results.median(runs) == {"share": 2, "accesses": {"a": 2}}
