# SPDX-License-Identifier: GPL-2.0
"""The arithmetic of make bench: what it calls worse, and what it does then."""
import copy

import pytest
from bench import bench, plot, results, wall, workloads

FIGURES = {"instructions": 900, "generator": 100, "share": 800, "registers": 0.05,
           "interrupts": 0.01, "lost": 0}


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
    assert [remark.split()[0] for remark in remarks] == ["TX:", "RX:"]


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
    assert [[cell.strip() for cell in row[3:7] + row[-2:-1]] for row in cells] == [["-"] * 5] * 2


def test_memory_table():
    """KiB, and the ratio."""
    memory = {"title": "a port", "igb": {"kib": 2000}, "igb_demo": {"kib": 1000}}
    assert results.memory_table(memory).splitlines()[2].split("|")[1:-1] == \
        [" a port ", " 2,000 ", "    1,000 ", "  0.50 "]


def test_chosen():
    """All, the short form's, the named ones; a name nobody knows is an error."""
    assert [workload.key for workload in bench.chosen([], short=True)] == \
        ["tx-burst", "tx", "tx-1514"]
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
    """The ratio of the medians, and how far apart one driver's times are."""
    assert list(wall.report({"TX": {"igb": [4, 9, 4], "igb_demo": [2, 2, 3]}})) == \
        ["TX: 0.50 (times of one driver differ by 125 %)"]


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
    """A line for each workload, and the ratio last."""
    lines = results.table(_grown(base, 400)["workloads"]).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[3].split("|")[-2].strip() == "0.50"


def test_median():
    """Number by number; a register that one run did not touch is left out."""
    runs = [{"share": share, "accesses": {"a": share}} for share in (3, 1, 2)]
    runs[0]["accesses"]["b"] = 1
    assert results.median(runs) == {"share": 2, "accesses": {"a": 2}}
