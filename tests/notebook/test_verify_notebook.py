"""Notebooks of both kernels, run, saved, run again by `verify`, published and run where they were published to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

import luma_bench as lb
from luma_bench.cli.main import main

Verified = Callable[..., tuple[int, dict[str, Any]]]

QUESTIONS = [
    "SELECT carrier, sum(x) AS s FROM flights GROUP BY ALL ORDER BY carrier",
    "SELECT * FROM flights WHERE n > $least",
]
KADEQL = ["%luma open data/demo.luma", "%luma pin", "%%python\nleast = 2", *QUESTIONS, "SELECT random() AS r"]
PYTHON = [
    "%load_ext luma_bench\n%luma open data/demo.luma", "%luma pin", "least = 2",
    *(f"%%kadeql\n{question}" for question in QUESTIONS), "%%kadeql\nSELECT random() AS r",
]  # fmt: skip


def notebook(cells: list[str], kernel: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    made.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": kernel}
    made.cells[-1].metadata.tags = ["volatile"]
    return made


def program(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`luma-bench`, in a process of its own: nbclient leaves sockets to the garbage collector, which warns."""
    runner = "import sys; from luma_bench.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-W", "ignore", "-c", runner, *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=False
    )  # fmt: skip


def save(folder: Path, cells: list[str], kernel: str) -> None:
    """A notebook that was run and saved."""
    path = folder / f"{kernel}.ipynb"
    nbformat.write(notebook(cells, kernel), path)
    done = program("verify", path.name, "--output", path.name, folder=folder)
    assert done.returncode == 3, done.stderr
    assert "no saved answer to compare with" in done.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bench and a KadeQL notebook that was run and saved."""
    folder = tmp_path_factory.mktemp("saved")
    (folder / "data").mkdir()
    with lb.open(folder / "data" / "demo.luma") as bench:
        bench.write(
            "flights", {"carrier": ["UA", "B6", None, "UA"], "n": [1, 2, 3, 4], "x": [0.1, 0.2, 0.3, 0.7]}
        )
    save(folder, KADEQL, "kadeql")
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "work"))


@pytest.fixture
def verified(folder: Path) -> Verified:
    def run(name: str = "kadeql", *more: str) -> tuple[int, dict[str, Any]]:
        done = program("verify", f"{name}.ipynb", "--json", *more, folder=folder)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


def changed(folder: Path, statement: str) -> None:
    with lb.open(folder / "data" / "demo.luma") as bench:
        bench.kadeql(statement)


@pytest.mark.parametrize("name", ["kadeql", pytest.param("python3", marks=pytest.mark.slow)])
def test_a_pinned_notebook_gives_the_same_answers_later(folder: Path, verified: Verified, name: str):
    if name == "python3":
        save(folder, PYTHON, name)
    changed(folder, "INSERT INTO flights VALUES ('ZZ', 9, 1.5)")
    code, report = verified(name)
    assert (code, report["ok"], report["answers"]) == (0, True, 2), report
    assert [cell["status"] for cell in report["cells"]] == ["equal", "equal", "left out"]
    assert report["reading"] == "pinned to snapshot 2 of demo.luma"


@pytest.mark.slow
def test_other_values_are_named(folder: Path, verified: Verified):
    changed(folder, "UPDATE flights SET x = 0.25 WHERE n = 2")
    code, report = verified("kadeql", "--at", "newest")
    assert code == 3
    assert [cell["details"] for cell in report["cells"]] == [["values: other values in s"], [], []]


@pytest.mark.slow
def test_other_rows_and_columns_are_named(folder: Path, verified: Verified):
    changed(folder, "ALTER TABLE flights ADD COLUMN y INTEGER; INSERT INTO flights VALUES ('ZZ', 9, 1.5, 1)")
    _, report = verified("kadeql", "--at", "newest")
    assert [cell["details"] for cell in report["cells"]] == [
        ["rows: 3 rows before, 4 now"],
        ["schema: y int32 is new", "rows: 2 rows before, 3 now"],
        [],
    ]


@pytest.mark.slow
def test_an_edited_statement_and_a_failing_cell_are_said(folder: Path, verified: Verified):
    path = folder / "kadeql.ipynb"
    content = nbformat.read(path, 4)
    content.cells[3].source += ", s"
    content.cells[4].source = "SELECT * FROM flihgts WHERE n > $least"
    nbformat.write(content, path)
    code, report = verified()
    assert code == 3
    assert report["cells"][0]["details"] == [
        "statement: the statement or its parameters are not those of the saved output"
    ]
    assert report["cells"][1]["status"] == "failed"
    assert "There is no table 'flihgts'" in report["cells"][1]["details"][0]
    assert report["cells"][2]["status"] in ("left out", "not run")


def writing(folder: Path, *statements: str, pinned: bool) -> Path:
    path = folder / "kadeql.ipynb"
    content = nbformat.read(path, 4)
    kept = content.cells[: 2 if pinned else 1]
    content.cells = [*kept, content.cells[3], *map(nbformat.v4.new_code_cell, statements)]
    nbformat.write(content, path)
    return path


@pytest.mark.slow
def test_what_an_unpinned_notebook_writes_is_thrown_away(folder: Path, verified: Verified):
    ways = ("INSERT INTO flights VALUES ('XX', 0, 0)", "SELECT count(*) AS n FROM flights")
    path = writing(folder, *ways, pinned=False)
    program("verify", path.name, "--output", path.name, folder=folder)
    before = path.read_bytes()
    code, report = verified()
    assert (code, [cell["status"] for cell in report["cells"]]) == (0, ["equal"] * 3), report
    content = nbformat.read(path, 4)
    assert "Opened data/demo.luma at" in content.cells[0].outputs[0]["data"]["text/plain"]
    assert content.cells[-1].outputs[0]["metadata"]["luma_bench"]["rows"] == 1
    assert path.read_bytes() == before
    with lb.open(folder / "data" / "demo.luma", mode="r") as bench:
        assert len(bench.table("flights").to_arrow()) == 4


@pytest.mark.slow
def test_a_pinned_notebook_that_writes_is_neither_equal_nor_changed(folder: Path, verified: Verified):
    path = writing(folder, "INSERT INTO flights VALUES ('XX', 0, 0)", "SELECT 1", pinned=True)
    before = path.read_bytes()
    code, report = verified()
    assert (code, report["ok"], report["outcome"]) == (4, False, "incomplete")
    assert [cell["status"] for cell in report["cells"]] == ["equal", "writes"]
    assert "read-only" in report["cells"][-1]["details"][0]
    assert path.read_bytes() == before
    with lb.open(folder / "data" / "demo.luma", mode="r") as bench:
        assert len(bench.table("flights").to_arrow()) == 4


@pytest.mark.slow
def test_metadata_pin_a_notebook_whose_outputs_do_not(folder: Path, verified: Verified):
    path = folder / "kadeql.ipynb"
    content = nbformat.read(path, 4)
    pin = content.cells[1].outputs[0]["data"]["application/vnd.luma-bench.pin+json"]
    content.metadata["luma_bench"] = {"pin": pin}
    del content.cells[1]
    nbformat.write(content, path)
    changed(folder, "DELETE FROM flights")
    code, report = verified()
    assert (code, report["answers"]) == (0, 2), report


def test_what_is_no_notebook_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(folder)
    (folder / "text.ipynb").write_text("no notebook", "utf-8")
    refused = {
        ("gone.ipynb",): "There is no notebook",
        ("text.ipynb",): "is no notebook",
        ("kadeql.ipynb", "--timeout", "0"): "lets no cell run",
        ("kadeql.ipynb", "--timeout", "-3"): "lets no cell run",
        ("kadeql.ipynb", "--timeout", "nan"): "lets no cell run",
        ("kadeql.ipynb", "--kernel", "fortran"): "There is no kernel 'fortran'",
    }
    for given, said in refused.items():
        with pytest.raises(SystemExit) as ended:
            main(["verify", *given])
        assert (ended.value.code, said in capsys.readouterr().err) == (1, True), given


@pytest.mark.slow
def test_a_published_notebook_stands_alone(folder: Path, tmp_path: Path):
    done = program("publish", "kadeql.ipynb", str(tmp_path / "bundle"), folder=folder)
    assert done.returncode == 0, done.stderr
    assert "2 answers compared, all equal" in done.stdout
    shutil.rmtree(folder)
    moved = Path(shutil.move(tmp_path / "bundle", tmp_path / "elsewhere"))
    assert {path.name for path in moved.iterdir()} == {"README.md", "binder", "demo.luma", "kadeql.ipynb"}
    content = nbformat.read(moved / "kadeql.ipynb", 4)
    assert content.cells[0].source == "%luma open demo.luma"
    done = program("verify", "kadeql.ipynb", "--json", folder=moved)
    assert json.loads(done.stdout)["ok"], done.stdout
    environment = (moved / "binder" / "environment.yml").read_text("utf-8")
    assert f"luma-bench[lab]=={lb.__version__}" in environment
    assert "pyarrow==" in environment
    for name in ("postBuild", "start"):
        assert os.access(moved / "binder" / name, os.X_OK)
    assert "luma-bench verify kadeql.ipynb || [ $? -eq 4 ]\n" in (moved / "binder" / "postBuild").read_text(
        "utf-8"
    )


@pytest.mark.slow
def test_a_bundle_that_answers_otherwise_is_not_made(folder: Path, tmp_path: Path):
    path = folder / "kadeql.ipynb"
    content = nbformat.read(path, 4)
    content.cells[2].source = "%%python\nleast = 3"
    nbformat.write(content, path)
    done = program("publish", "kadeql.ipynb", str(tmp_path / "bundle"), folder=folder)
    assert done.returncode == 1
    assert "rows: 2 rows before, 1 now" in done.stderr
    assert not (tmp_path / "bundle").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
    done = program("publish", "kadeql.ipynb", str(tmp_path / "bundle"), "--no-check", folder=folder)
    assert done.returncode == 0, done.stderr
    done = program("publish", "kadeql.ipynb", str(tmp_path / "bundle"), "--no-check", folder=folder)
    assert "is there already" in done.stderr


@pytest.mark.slow
def test_an_unpinned_notebook_is_published_with_the_bench_that_is_named(folder: Path, tmp_path: Path):
    save(folder, PYTHON, "python3")
    path = folder / "python3.ipynb"
    content = nbformat.read(path, 4)
    content.cells[1].source, content.cells[1].outputs = "1", []
    nbformat.write(content, path)
    done = program("publish", "python3.ipynb", str(tmp_path / "bundle"), folder=folder)
    assert (done.returncode, "is not pinned" in done.stderr) == (1, True)
    done = program(
        "publish", "python3.ipynb", str(tmp_path / "bundle"), "--bench", "data/demo.luma", folder=folder
    )
    assert done.returncode == 0, done.stderr
    kept = nbformat.read(tmp_path / "bundle" / "python3.ipynb", 4).metadata["luma_bench"]["pin"]
    assert kept["benches"][0]["path"] == "demo.luma"


@pytest.mark.slow
def test_a_notebook_verifies_itself(folder: Path):
    from kadeql_kernel import Kernel

    kernel = Kernel("kadeql")
    try:
        assert "2 answers compared, all equal" in kernel.shown(f"%luma verify {folder / 'kadeql.ipynb'}")
        assert "There is no notebook" in kernel.error(f"%luma verify {folder / 'gone.ipynb'}")
        assert "does not say which file" in kernel.error("%luma verify")
    finally:
        kernel.stop()
