"""`luma-bench doctor` says what a machine has, what its engines lack, and how a bench is; it never fails."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import luma_bench as lb
from luma_bench.cli import doctor
from luma_bench.engines import calibrate, router

Program = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_WRITTEN", 1 << 20)
    monkeypatch.setattr(calibrate, "_BUDGET", 0.002)


def asked(program: Program, *arguments: str | Path, **environment: str) -> dict[str, Any]:
    run = program("doctor", "--json", *arguments, **environment)
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


def test_the_machine(program: Program, tmp_path: Path):
    found = asked(program, LUMA_CACHE_DIR=str(tmp_path / "cache"), LUMA_SPILL_DIR=str(tmp_path))
    machine, figures = found["machine"], found["figures"]
    assert machine["cores"] == os.cpu_count()
    assert 0 < machine["usable_cores"] <= machine["cores"]
    assert 0 < machine["memory_free"] <= machine["memory"]
    assert machine["disk"].keys() == {"path", "free", "write", "read"}
    assert machine["disk"]["path"] == str(tmp_path)
    assert min(machine["disk"]["write"], machine["disk"]["read"], figures["core_speed"]) > 0
    assert figures["source"] == "measured"
    assert json.loads(Path(figures["file"]).read_text("utf-8"))["machine"] == calibrate.machine()
    assert found["versions"]["luma-bench"] == lb.__version__
    assert "bench" not in found
    again = asked(program, LUMA_CACHE_DIR=str(tmp_path / "cache"), LUMA_SPILL_DIR=str(tmp_path))
    assert again["figures"] == figures | {"source": "kept"}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cache"]


def test_the_engines(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    there = {"polars", "datafusion", "distributed", "numba"}

    def spec(name: str) -> object:
        return name if name in there else None

    monkeypatch.setattr(doctor.importlib.util, "find_spec", spec)
    found = asked(program, LUMA_CACHE_DIR=str(tmp_path))["engines"]
    assert found == {
        "duckdb": None, "point": None, "statistics": None, "polars": None, "dask": None, "gpu": router.absence("gpu"), "numba": None,
    }  # fmt: skip
    assert found["gpu"].startswith("the package cupy is not installed, and ")
    there -= {"datafusion", "numba"}
    found = asked(program, LUMA_CACHE_DIR=str(tmp_path))["engines"]
    assert found["polars"] == found["dask"] == "datafusion is not installed: pip install 'luma-bench[scale]'"
    assert found["numba"] == "numba is not installed: pip install 'luma-bench[graph]'"
    text = program("doctor", LUMA_CACHE_DIR=str(tmp_path)).stdout
    assert re.search(r"^dask +no: datafusion is not installed: pip install", text, re.MULTILINE)
    assert re.search(r"^duckdb +yes$", text, re.MULTILINE)
    assert re.search(r"^gpu +no: ", text, re.MULTILINE)


def test_a_bench(program: Program, bench_path: Path, tmp_path: Path):
    found = asked(program, "--bench", bench_path, LUMA_CACHE_DIR=str(tmp_path))["bench"]
    with lb.open(bench_path, mode="r") as bench:
        snapshots = len(bench.snapshots())
    assert found["nbytes"] > 0
    assert found | {"nbytes": 0} == {
        "path": str(bench_path), "format": 1, "tables": 1, "snapshots": snapshots, "nbytes": 0, "problems": [],
    }  # fmt: skip
    text = program("doctor", "--bench", bench_path, LUMA_CACHE_DIR=str(tmp_path)).stdout
    assert re.search(r"^problems +none found", text, re.MULTILINE)


def test_a_bench_that_is_not_well(program: Program, bench_path: Path, tmp_path: Path):
    with lb.open(bench_path) as bench:
        bench.write("more", {"n": list(range(300_000))})
    (segment,) = bench_path.glob("segments/*/*.zarr.zip")
    segment.write_bytes(segment.read_bytes()[:-100])
    found = asked(program, "--bench", bench_path, LUMA_CACHE_DIR=str(tmp_path))["bench"]
    assert found["problems"]
    text = program("doctor", "--bench", bench_path, LUMA_CACHE_DIR=str(tmp_path)).stdout
    assert found["problems"][0] in text
    (missing,) = asked(program, "--bench", "nowhere", LUMA_CACHE_DIR=str(tmp_path))["bench"]["problems"]
    assert missing.startswith("There is no bench at 'nowhere'")
    (bench_path / "luma.toml").write_text("format = 99\n", "utf-8")
    (newer,) = asked(program, "--bench", bench_path, LUMA_CACHE_DIR=str(tmp_path))["bench"]["problems"]
    assert "99" in newer


def test_a_folder_that_cannot_be_written(program: Program, tmp_path: Path):
    found = asked(program, LUMA_CACHE_DIR=str(tmp_path), LUMA_SPILL_DIR=str(tmp_path / "gone"))
    assert found["machine"]["disk"] == {
        "path": str(tmp_path / "gone"), "problem": "cannot be written: No such file or directory",
    }  # fmt: skip
    (tmp_path / "file").write_text("", "utf-8")
    kept = asked(program, LUMA_CACHE_DIR=str(tmp_path / "file" / "below"))["figures"]
    assert (kept["file"], kept["source"]) == (None, "measured")
    text = program("doctor", LUMA_CACHE_DIR=str(tmp_path / "file" / "below")).stdout
    assert "nowhere: the cache folder cannot be written" in text
