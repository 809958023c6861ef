"""The recipes, and the tour, run under nbmake in the kernels that they name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "notebooks" / "recipes").glob("*.ipynb"))
TOUR = ROOT / "notebooks" / "tour" / "01-why-was-my-flight-late.ipynb"


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    """Jupyter's data folder with this repository's kernelspec."""
    place = tmp_path / "jupyter"
    shutil.copytree(ROOT / "kernels", place / "kernels")
    return place


def test_there_are_recipes() -> None:
    assert RECIPES


@pytest.mark.slow
def test_nbmake_runs_them_in_both_kernels(small_tour: Path, kernels: Path, tmp_path: Path) -> None:
    tour = shutil.copytree(small_tour, tmp_path / "tour.luma")
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(kernels),
        "LUMA_TOUR_BENCH": str(tour),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    command = [
        sys.executable, "-W", "ignore", "-m", "pytest", "--nbmake", "--nbmake-timeout=120", "-q", "-p", "no:cacheprovider",
        "-o", "addopts=", "-o", "filterwarnings=ignore", "--rootdir", str(ROOT / "notebooks"), *map(str, RECIPES), str(TOUR),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RECIPES) + 1} passed" in done.stdout


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipe_is_well_formed_and_bare(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.metadata.kernelspec.name in ("kadeql", "python3")
