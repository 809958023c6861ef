"""`%luma pin` and `%luma unpin` in a shell: what a pinned notebook reads, what it keeps, and where it learns of its pin."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import luma_bench as lb
from luma_bench.notebook.magic import LumaMagics, loaded
from luma_bench.notebook.pinned.pin import MIME, Pin, PinnedBench, differing
from luma_bench.notebook.pinned.pins import Pins

Cell = Callable[[str], Any]


@pytest.fixture
def magics(shell: Any) -> LumaMagics:
    found = loaded(shell)
    assert found is not None
    return found


def append(path: Path) -> None:
    with lb.open(path) as bench:
        bench.write("flights", {"carrier": ["ZZ"], "n": [99]}, mode="append")


def counted(cell: Cell) -> int:
    result, _ = cell("%kadeql SELECT count(*) AS n FROM flights")
    return result.to_arrow().column("n")[0].as_py()


def test_a_pinned_notebook_reads_its_snapshot(cell: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    panel, _ = cell("%luma pin")
    append(bench_path)
    assert counted(cell) == 4
    assert cell("len(bench.table('flights').to_arrow())")[0] == 4
    assert f"snapshot {cell('bench.snapshot')[0]} of notebook.luma" in repr(panel)
    cell("%luma unpin")
    assert counted(cell) == 5
    assert cell("len(bench.table('flights').to_arrow())")[0] == 5


def test_the_pin_is_an_output_of_its_own_type(cell: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    panel, _ = cell("%luma pin --tag paper-v1")
    kept = panel._repr_mimebundle_()[MIME]
    assert kept["benches"][0]["name"] == "notebook.luma"
    assert kept["benches"][0]["tags"] == ["paper-v1"]
    assert kept["environment"]["luma-bench"] == lb.__version__
    assert "paper-v1" in panel._repr_mimebundle_()["text/html"]
    assert Pin.from_json(json.loads(json.dumps(kept))) == Pin.from_json(kept)


def test_pinning_again_keeps_the_pin_until_another_snapshot_is_named(cell: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    append(bench_path)
    again, _ = cell("%luma pin")
    assert "Still pinned" in repr(again)
    assert counted(cell) == 4
    with lb.open(bench_path, mode="r") as bench:
        newest = bench.snapshot
    cell(f"%luma pin --at {newest}")
    assert counted(cell) == 5
    # What a cell names itself counts more than the pin.
    result, _ = cell("%kadeql --at 2 SELECT count(*) AS n FROM flights")
    assert result.to_arrow().column("n")[0].as_py() == 4


def test_a_pinned_notebook_never_writes(cell: Cell, failing: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    error, said = failing("%kadeql INSERT INTO flights VALUES ('XX', 1)")
    assert isinstance(error, lb.errors.ReadOnlyError), said
    cell(f'%luma open "{bench_path}"')
    assert cell("bench.read_only")[0]
    with lb.open(bench_path, mode="r") as bench:
        assert len(bench.table("flights").to_arrow()) == 4


def test_a_bench_of_python_is_read_at_its_snapshot_too(cell: Cell, bench_path: Path):
    cell(f"import luma_bench as lb\nbench = lb.open({str(bench_path)!r})")
    cell("%luma pin")
    append(bench_path)
    assert counted(cell) == 4
    cell("bench.close()")


def test_another_bench_is_refused_and_a_copy_is_not(
    cell: Cell, failing: Cell, bench_path: Path, tmp_path: Path
):
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    with lb.open(bench_path) as bench:
        bench.publish(tmp_path / "published.luma")
    with lb.open(tmp_path / "stranger.luma") as stranger:
        stranger.write("flights", {"n": [1]})
    cell(f'%luma open "{tmp_path / "stranger.luma"}"')
    _, said = failing("%kadeql SELECT * FROM flights")
    assert "is pinned to snapshot" in said
    assert "%luma unpin" in said
    cell(f'%luma open "{tmp_path / "published.luma"}"')
    assert counted(cell) == 4
    # A second bench may be pinned beside the first.
    cell(f'%luma open "{tmp_path / "stranger.luma"}"')
    panel, _ = cell("%luma pin")
    assert "notebook.luma at snapshot" in repr(panel)
    assert counted(cell) == 1


def test_a_snapshot_that_has_expired_is_not_taken_for_another_bench(
    cell: Cell, failing: Cell, bench_path: Path, tmp_path: Path
):
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    cell("%luma close")
    shutil.copytree(bench_path, tmp_path / "copies" / bench_path.name)
    with lb.open(bench_path) as bench:
        bench.write("flights", {"carrier": ["ZZ"], "n": [99]}, mode="replace")
        bench.compact(retention=0)
        assert 2 not in [one.id for one in bench.snapshots()]
    cell(f'%luma open "{bench_path}"')
    _, said = failing("%kadeql SELECT * FROM flights")
    assert "pinned to snapshot 2 of notebook.luma, which has expired" in said
    assert "%luma pin --tag NAME" in said
    cell(f'%luma open "{tmp_path / "copies" / bench_path.name}"')
    assert counted(cell) == 4


def test_a_transaction_is_no_snapshot(cell: Cell, failing: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    cell("%kadeql BEGIN")
    error, _ = failing("%luma pin")
    assert isinstance(error, lb.errors.TransactionError)
    cell("%kadeql ROLLBACK")


def test_front_ends_are_told(cell: Cell, magics: LumaMagics, bench_path: Path):
    told: list[Any] = []
    magics.pins.subscribe(told.append)
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    # One that connects later, and read in the notebook what was there before, learns better.
    magics.pins.adopt(None)
    assert magics.pins.snapshot_of(magics.unpinned) == told[0]["benches"][0]["snapshot"]
    cell("%luma unpin")
    assert [one and one["benches"][0]["name"] for one in told] == ["notebook.luma", "notebook.luma", None]


def test_front_ends_tell_what_the_notebook_says(cell: Cell, magics: LumaMagics, bench_path: Path):
    with lb.open(bench_path) as bench:
        pin = Pin.now((PinnedBench.of(bench, bench.snapshots()[-1]),)).to_json()
    append(bench_path)
    cell(f'%luma open "{bench_path}"')
    assert counted(cell) == 5
    magics.pins.adopt(pin)
    assert counted(cell) == 4
    magics.pins.adopt(None)
    assert counted(cell) == 5


@pytest.mark.parametrize(
    "kept", [{"version": 1, "benches": "nonsense"}, {"version": 2, "benches": []}, "text", {}, [1]]
)
def test_a_pin_that_cannot_be_read_is_not_passed_over(
    cell: Cell, failing: Cell, magics: LumaMagics, bench_path: Path, kept: object
):
    magics.pins.adopt(kept)
    cell(f'%luma open "{bench_path}"')
    assert cell("bench.read_only")[0]
    error, said = failing("%kadeql SELECT * FROM flights")
    assert isinstance(error, lb.errors.CatalogError)
    assert "pin cannot be read" in said
    assert "reads the newest snapshot again" in repr(cell("%luma unpin")[0])
    assert counted(cell) == 4


def test_a_kernel_learns_of_the_pin_from_the_notebook(
    cell: Cell, bench_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cell(f'%luma open "{bench_path}"')
    kept = cell("%luma pin")[0]._repr_mimebundle_()[MIME]
    notebook = tmp_path / "paper.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": {"luma_bench": {"pin": kept}}}), "utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    assert Pins({}).pin == Pin.from_json(kept)
    notebook.write_text("{half", "utf-8")
    assert Pins({}).pin is None
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "gone.ipynb"))
    assert Pins({}).pin is None
    notebook.write_text(json.dumps({"cells": [], "metadata": {"luma_bench": {"pin": kept}}}), "utf-8")
    assert Pins({"__vsc_ipynb_file__": str(notebook)}).pin == Pin.from_json(kept)


def test_verify_decides_what_its_kernel_reads(bench_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LUMA_NOTEBOOK", json.dumps({"pin": None, "at": "2", "verify": True}))
    pins = Pins({})
    pins.adopt({"version": 1})
    with lb.open(bench_path) as bench:
        bench.write("more", {"a": [1]})
        assert pins.view(bench).snapshot == 2
    assert pins.reading
    monkeypatch.setenv("LUMA_NOTEBOOK", "{")
    with pytest.raises(lb.errors.CatalogError, match="LUMA_NOTEBOOK"):
        Pins({})


def test_outputs_carry_the_fingerprint(cell: Cell, shell: Any, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    result, _ = cell("%kadeql SELECT * FROM flights ORDER BY n")
    _, metadata = shell.display_formatter.format(result)
    kept = metadata["luma_bench"]
    assert (kept["rows"], kept["snapshot"], kept["columns"]) == (
        4,
        2,
        [["carrier", "string"], ["n", "int64"]],
    )
    assert kept["content"]["order"] is not None
    plan, _ = cell("%kadeql --explain SELECT * FROM flights")
    assert "luma_bench" not in shell.display_formatter.format(plan)[1]


def test_closing_and_opening_again_keeps_the_pin(cell: Cell, bench_path: Path):
    cell(f'%luma open "{bench_path}"')
    cell("%luma pin")
    append(bench_path)
    cell("%luma close")
    cell(f'%luma open "{bench_path}"')
    assert counted(cell) == 4


def test_what_differs_between_environments():
    assert differing({"python": "3.12.1", "duckdb": "2.0.0"}, {"python": "3.12.1", "duckdb": "2.0.1"}) == [
        "duckdb 2.0.0 → 2.0.1"
    ]
    assert differing({"zarr": "3.4"}, {}) == ["zarr 3.4 → none"]
