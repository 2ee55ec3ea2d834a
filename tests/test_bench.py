# SPDX-License-Identifier: GPL-2.0
"""The arithmetic of make bench: what it calls worse, and what it does then."""
import copy

import pytest
from bench import bench, results

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
    """What in-tree igb does, another kernel or a workload left out are remarks only."""
    new = _grown(base, 900, "igb")
    new["kernel"] = "6.13"
    del new["workloads"]["tx"]
    worse, remarks = results.compare(base, new)
    assert not worse
    assert [remark.split()[0] for remark in remarks] == ["kernel", "TX:", "RX:"]


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
