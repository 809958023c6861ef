"""The tour's notebook runs from top to bottom in a real kernel, over a small copy of the tour's bench."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks" / "tour").glob("*.ipynb"))


@pytest.fixture
def tour(small_tour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small tour that notebooks find through the environment, in a folder of their own."""
    folder = tmp_path / "tour.luma"
    shutil.copytree(small_tour, folder)
    monkeypatch.setenv("LUMA_TOUR_BENCH", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    return folder


def run(path: Path, folder: Path) -> list[dict[str, Any]]:
    """Execute a notebook; its code cells with outputs. A cell that raises ends the test with its traceback."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name=notebook.metadata.kernelspec.name,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_tour() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings(
    "default::DeprecationWarning", "default::ResourceWarning", "default::RuntimeWarning"
)
def test_the_notebook_runs(path: Path, tour: Path, tmp_path: Path) -> None:
    cells = run(path, tmp_path)

    for cell in cells:
        failed = [output for output in cell.outputs if output.output_type == "error"]
        # A cell that shows an error says so with Jupyter's own tag, and then it must fail.
        assert bool(failed) == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        assert all(
            output.ename.endswith("Error") and "Traceback" not in "".join(output.traceback)
            for output in failed
        )
        warned = [
            output.text
            for output in cell.outputs
            if output.output_type == "stream" and output.name == "stderr"
        ]
        assert warned == [], cell.source
    asked = [cell for cell in cells if is_question(cell, path)]
    agreed = [cell for cell in cells if cell.source.startswith("agrees(")]
    assert asked or agreed, "the tour asks questions in %%kadeql cells, or compares frames with them"
    for cell in agreed:
        assert "the same" in json.dumps(cell.outputs[-1].data), cell.source
    for cell in asked:
        shown = [
            output for output in cell.outputs if output.output_type in {"display_data", "execute_result"}
        ]
        assert shown, cell.source
        assert "snapshot" in json.dumps(shown[-1].data), f"no run record under:\n{cell.source}"


def is_question(cell: Any, path: Path) -> bool:
    """A `%%kadeql` cell that shows its answer: not one that fails, explains, or names a variable for it."""
    first = cell.source.lstrip().partition("\n")[0]
    if kadeql_only(path):
        return not first.startswith(("%", "--"))
    quiet = "<<" in first or "--explain" in first or "raises-exception" in cell.metadata.get("tags", [])
    return first.startswith("%%kadeql") and not quiet


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_well_formed_and_bare(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.metadata.kernelspec.name == ("kadeql" if kadeql_only(path) else "python3")


def kadeql_only(path: Path) -> bool:
    """Whether a notebook is one of the KadeQL kernel."""
    return path.stem.endswith("in-kadeql-alone")
