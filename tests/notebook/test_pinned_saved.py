"""Saved notebooks as `verify` reads them: whatever stands in a file, what is said is an error of Luma Bench, or a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import CatalogError, LumaError
from luma_bench.notebook.pinned.comparing import changes
from luma_bench.notebook.pinned.fingerprint import fingerprint
from luma_bench.notebook.pinned.pin import METADATA, MIME
from luma_bench.notebook.pinned.report import CellReport, Report
from luma_bench.notebook.pinned.saved import fingerprints, kernel_name, pin_of, read_notebook, tags
from luma_bench.notebook.pinned.throwaway import Throwaways
from luma_bench.notebook.pinned.verify import _compared

KEPT = fingerprint(pa.table({"a": [1], "x": [0.5]}), statement="s", snapshot=1).to_json()
PIN = {
    "version": 1,
    "benches": [{"name": "d", "path": "d", "snapshot": 1, "time": "t", "tags": []}],
    "environment": {"python": "3"},
    "pinned_at": "",
}
WORDS = st.sampled_from(
    ["pin", "version", "benches", "name", "content", "rows", "tags", "columns", "floats", "a"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text(max_size=2) | st.just(PIN) | st.just(KEPT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def damaged(whole: Any) -> st.SearchStrategy[Any]:
    """The same JSON with anything in place of one of its parts."""
    found = [JSON]
    if isinstance(whole, dict):
        found += [
            damaged(part).map(lambda new, name=name: {**whole, name: new}) for name, part in whole.items()
        ]
    if isinstance(whole, list) and whole:
        found += [damaged(whole[0]).map(lambda new: [new, *whole[1:]])]
    return st.one_of(found)


def notebook(**more: Any) -> dict[str, Any]:
    output = {
        "output_type": "display_data",
        "data": {"text/plain": "x", MIME: PIN},
        "metadata": {METADATA: KEPT},
    }
    cell = {
        "cell_type": "code", "id": "a", "source": "SELECT 1", "metadata": {"tags": ["x"]}, "outputs": [output], "execution_count": 1,
    }  # fmt: skip
    metadata = {"kernelspec": {"name": "kadeql", "display_name": "K"}, METADATA: {"pin": PIN}, **more}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell]}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved") / "n.ipynb"


@settings(deadline=None, max_examples=300)
@given(damaged(notebook()))
def test_any_file_is_read_or_refused(path: Path, content: Any):
    path.write_text(json.dumps(content), "utf-8")
    run = nbformat.from_dict(notebook())
    try:
        found = read_notebook(path)
        pin_of(found)
        kernel_name(found)
        cells = list(_compared(found, run, None)) if len(found.cells) == 1 else []
    except LumaError:
        return
    Report("n", "", tuple(cells)).text()
    for cell in found.cells:
        tags(cell)
        assert all(one is None or not changes(one, one) for one in fingerprints(cell) if one and one.content)


@pytest.mark.parametrize("kept", [3, "pin", [PIN], {"pin": 1}, {"pin": {**PIN, "version": 9}}, {"pin": []}])
def test_a_pin_that_cannot_be_read_is_not_no_pin(path: Path, kept: Any):
    path.write_text(json.dumps(notebook(**{METADATA: kept})), "utf-8")
    with pytest.raises(CatalogError, match="pin cannot be read"):
        pin_of(read_notebook(path))


def test_a_fingerprint_that_cannot_be_read_is_not_equal(path: Path):
    run = nbformat.from_dict(notebook())
    assert [cell.status for cell in _compared(run, run, None)] == ["equal"]
    for kept in (
        {**KEPT, "version": 0},
        {**KEPT, "content": {**KEPT["content"], "rows": "abc"}},
        {**KEPT, "content": None},
        3,
    ):
        saved = notebook()
        saved["cells"][0]["outputs"][0]["metadata"][METADATA] = kept
        (cell,) = _compared(nbformat.from_dict(saved), run, None)
        assert (cell.status, Report("n", "", (cell,)).outcome) == ("unclear", "incomplete")
        assert cell.details[0].startswith("cannot tell: ")


def test_a_cell_without_its_saved_answer_is_not_passed_over():
    run, saved = nbformat.from_dict(notebook()), nbformat.from_dict(notebook())
    for content in (run, saved):
        content.cells.append(nbformat.from_dict(notebook()["cells"][0]))
    saved.cells[1].outputs = []
    first, second = _compared(saved, run, None)
    assert (first.status, second.status) == ("equal", "unclear")
    assert "no answer of this cell is saved" in second.details[0]
    assert "1 unclear of 2 cells" in Report("n", "", (first, second)).summary
    saved.cells[1].metadata.tags = ["volatile"]
    assert [cell.status for cell in _compared(saved, run, None)] == ["equal", "left out"]
    # A notebook that was never run has nothing to compare with, which is said once.
    saved.cells[0].outputs = []
    assert list(_compared(saved, run, None)) == []


def test_what_a_report_comes_to():
    def outcome(*statuses: Any) -> str:
        cells = tuple(
            CellReport(number, "", status, int(status == "equal")) for number, status in enumerate(statuses)
        )
        return Report("n", "", cells).outcome

    assert outcome("equal", "left out") == "equal"
    assert outcome("equal", "changed", "unclear") == "differs"
    assert outcome("equal", "failed", "not run") == "differs"
    assert outcome("equal", "writes", "not run") == "incomplete"
    assert outcome("writes") == "incomplete"
    assert outcome("equal", "unclear") == "incomplete"
    assert outcome() == outcome("left out") == "differs"


def test_a_throwaway_takes_the_writes(tmp_path: Path):
    with lb.open(tmp_path / "a.luma") as bench:
        bench.write("t", {"n": list(range(300_000))})
    copies = Throwaways(tmp_path / "room")
    copy = copies.of(tmp_path / "a.luma")
    assert copy is not None
    assert copies.of(tmp_path / "." / "a.luma") == copy
    before = sorted(
        (file, file.stat().st_mtime_ns) for file in (tmp_path / "a.luma" / "segments").rglob("*.zip")
    )
    with lb.open(copy) as bench:
        bench.kadeql("DELETE FROM t WHERE n > 3")
        bench.compact(retention=0)
        assert len(bench.table("t").to_arrow()) == 4
    assert before
    assert before == sorted((file, file.stat().st_mtime_ns) for file, _ in before)
    assert {file.name for file in (tmp_path / "a.luma").iterdir()} == {
        "catalog.sqlite",
        "luma.toml",
        "segments",
    }
    with lb.open(tmp_path / "a.luma", mode="r") as bench:
        assert bench.check().ok
        assert len(bench.table("t").to_arrow()) == 300_000
        bench.publish(tmp_path / "published")
    assert copies.of(tmp_path / "published") is None
    with lb.open(tmp_path / "a.luma") as bench:
        # What a writer has committed is in its log.
        bench.write("u", {"n": [1]})
        late = Throwaways(tmp_path / "late").of(tmp_path / "a.luma")
        assert late is not None
    with lb.open(late, mode="r") as bench:
        assert set(bench.tables()) == {"t", "u"}
    new = copies.of(tmp_path / "new.luma")
    assert new is not None
    with lb.open(new) as bench:
        bench.write("t", {"n": [1]})
    assert not (tmp_path / "new.luma").exists()
