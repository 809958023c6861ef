"""What publishing makes of a notebook's text: lines and outputs name the benches beside it, and what else names this machine is told."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import nbformat
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError
from luma_bench.notebook.pinned import bundle as making
from luma_bench.notebook.pinned.bundle import Bundle, bundle
from luma_bench.notebook.pinned.pin import METADATA, MIME, Pin, PinnedBench
from luma_bench.notebook.pinned.report import CellReport, Report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two benches of one name, and one beside the notebook."""
    folder = tmp_path / "work"
    for place, value in (("a/x.luma", 1), ("b/x.luma", 2), ("my data.luma", 3)):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        with lb.open(folder / place) as bench:
            bench.write("t", {"v": [value]})
    return folder


def pinned(folder: Path, *paths: str) -> Pin:
    benches: list[PinnedBench] = []
    for path in paths:
        with lb.open(folder / path, mode="r") as bench:
            one = PinnedBench.of(bench, bench.snapshots()[-1], folder)
            benches.append(PinnedBench(one.name, path, one.snapshot, one.time))
    return Pin.now(tuple(benches))


def published(
    folder: Path, pin: Pin, *sources: str, outputs: dict[int, list[Any]] | None = None
) -> tuple[Bundle, Any]:
    """The bundle of a notebook of these cells, and the notebook in it."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for place, made in (outputs or {}).items():
        cells[place].outputs = made
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata[METADATA] = {"pin": pin.to_json()}
    nbformat.write(notebook, folder / "paper.ipynb")
    made = bundle(folder / "paper.ipynb", folder.parent / "bundle", check=False)
    return made, nbformat.read(made.folder / "paper.ipynb", 4)


def value_of(place: Path) -> int:
    with lb.open(place, mode="r") as bench:
        return bench.kadeql("SELECT v FROM t").to_arrow()["v"][0].as_py()


def test_benches_of_one_name_are_told_apart_by_their_paths(folder: Path):
    pin = pinned(folder, "a/x.luma", "b/x.luma", "my data.luma")
    made, content = published(
        folder,
        pin,
        "%luma open a/x.luma",
        f"  %luma open --mode r {folder / 'b' / 'x.luma'}",
        "%luma open ./b/../a/x.luma --mode r\n%luma open 'my data.luma'",
    )
    assert made.benches == ("x.luma", "x-2.luma", "data.luma")
    assert [value_of(made.folder / name) for name in made.benches] == [1, 2, 3]
    assert [cell.source for cell in content.cells] == [
        "%luma open x.luma",
        "  %luma open --mode r x-2.luma",
        "%luma open x.luma --mode r\n%luma open data.luma",
    ]
    assert made.notes == ()


def test_a_bench_that_was_moved_is_known_by_its_name_where_one_has_it(folder: Path):
    pin = pinned(folder, "a/x.luma")
    made, content = published(folder, pin, "%luma open /gone/x.luma", "%luma open b/x.luma")
    assert [cell.source for cell in content.cells] == ["%luma open x.luma", "%luma open b/x.luma"]
    assert [note for note in made.notes if "pinned" in note] == [
        "Cell 2 opens 'b/x.luma', a bench that the notebook is not pinned to; what it is pinned to is 'x.luma' in the bundle."
    ]


@pytest.mark.parametrize("word", ["$place", "{place}"])
def test_a_bench_that_a_variable_names_is_told(folder: Path, word: str):
    made, content = published(folder, pinned(folder, "a/x.luma"), f"%luma open {word}", 'lb.open("a/x.luma")')
    assert content.cells[0].source == f"%luma open {word}"
    assert made.notes[0].startswith(f"Cell 1 opens '{word}', a bench by a variable: write its path")
    assert "Cell 2 opens a bench in Python: in the bundle it is 'x.luma'" in made.notes[1]


def test_saved_outputs_name_the_bench_of_the_bundle(folder: Path):
    pin = pinned(folder, "a/x.luma", "b/x.luma")
    stream = nbformat.v4.new_output(
        "stream", text=f"Opened {folder / 'b' / 'x.luma'} at snapshot 1; b/x.luma"
    )
    shown = nbformat.v4.new_output(
        "display_data",
        data={
            "text/plain": "Pinned to b/x.luma.",
            "text/html": f"<b>{folder}/a/x.luma/segments</b>",
            MIME: pin.to_json(),
        },
    )
    other = nbformat.v4.new_output("stream", text="a file b/x.luma")
    made, content = published(
        folder,
        pin,
        "%luma open b/x.luma",
        "%luma pin",
        "print(1)",
        outputs={0: [stream], 1: [shown], 2: [other]},
    )
    assert content.cells[0].outputs[0].text == "Opened x-2.luma at snapshot 1; x-2.luma"
    data = content.cells[1].outputs[0].data
    assert (data["text/plain"], data["text/html"]) == ("Pinned to x-2.luma.", "<b>x.luma/segments</b>")
    assert [one["path"] for one in data[MIME]["benches"]] == ["x.luma", "x-2.luma"]
    assert content.cells[2].outputs[0].text == "a file b/x.luma"
    assert made.notes == ()
    assert str(folder) not in json.dumps(content)


def test_what_names_a_folder_of_this_machine_is_told(folder: Path):
    error = nbformat.v4.new_output(
        "error", ename="E", evalue="e", traceback=[f'File "{folder}/code.py", line 3']
    )
    home, windows = PurePosixPath("/", "home", "ada"), PureWindowsPath("C:/", "Users", "ada")
    made, _ = published(
        folder,
        pinned(folder, "a/x.luma"),
        f'read("{home}/secret.csv")',
        "1 / 0",
        f"open('{windows}')",
        f"'/homework/x' + 'https://host{home}'",
        outputs={1: [error]},
    )
    assert made.notes == (
        f"Cell 1 names a folder of this machine: {home}/secret.csv.",
        f"The output of cell 2 names a folder of this machine: {folder}/code.py.",
        f"Cell 3 names a folder of this machine: {windows}.",
    )


def test_no_file_of_a_bundle_says_where_it_was_made(folder: Path):
    pin = pinned(folder, str(folder / "a" / "x.luma"), str(folder / "b" / "x.luma"))
    made, _ = published(folder, pin, f"%luma open {folder / 'b' / 'x.luma'}")
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if str(folder).encode() in path.read_bytes()] == []
    assert "- `x-2.luma`: snapshot" in (made.folder / "README.md").read_text("utf-8")


def test_a_bundle_holds_no_deleted_rows(folder: Path):
    with lb.open(folder / "a" / "x.luma") as bench:
        bench.write("u", {"s": ["SECRET", "open"], "ssn": ["SECRET", "SECRET"]}, message="SECRET")
        bench.kadeql("DELETE FROM u WHERE s = 'SECRET'")
        bench.kadeql("ALTER TABLE u DROP COLUMN ssn")
    made, _ = published(folder, pinned(folder, "a/x.luma"), "%luma open a/x.luma")
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"SECRET" in path.read_bytes()] == []


def test_a_bundle_under_a_file_is_refused_with_its_name(folder: Path):
    (folder / "file").write_text("")
    pin = pinned(folder, "a/x.luma")
    published(folder, pin, "1")
    for target in (folder / "file" / "bundle", folder / "file" / "deep" / "bundle"):
        with pytest.raises(CatalogError, match="file' is a file, not a folder") as caught:
            bundle(folder / "paper.ipynb", target, check=False)
        assert "Give a folder" in str(caught.value)


def test_cells_that_write_do_not_keep_a_bundle_from_being_made(folder: Path, monkeypatch: pytest.MonkeyPatch):
    published(folder, pinned(folder, "a/x.luma"), "%luma open $place")
    cells = {
        "writes": CellReport(1, "DELETE FROM t", "writes"),
        "changed": CellReport(1, "SELECT 1", "changed", 1),
    }
    monkeypatch.setattr(making, "verify", lambda path: Report(path.name, "", (cells["writes"],)))
    made = bundle(folder / "paper.ipynb", folder.parent / "one")
    assert made.notes[-1] == "Not every answer could be compared: luma-bench verify says which."
    # Nothing was saved that the Binder could compare.
    assert "verify" not in (made.folder / "binder" / "postBuild").read_text("utf-8")
    monkeypatch.setattr(making, "verify", lambda path: Report(path.name, "", (cells["changed"],)))
    with pytest.raises(CatalogError, match="does not give the saved answers") as caught:
        bundle(folder / "paper.ipynb", folder.parent / "two")
    assert "Cell 1 opens '$place', a bench by a variable" in str(caught.value)
    assert not (folder.parent / "two").exists()
