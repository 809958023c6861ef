"""papermill puts parameters into a KadeQL notebook, which its statements then read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ENTRY = "[papermill.engine]\nkadeql = luma_bench.notebook.kernel.papermill:KadeQLEngine\n"
RUN = """
import json, sys, papermill
from jupyter_client.kernelspec import KernelSpecManager
papermill.execute_notebook("in.ipynb", "out.ipynb", parameters=json.loads(sys.argv[1]), progress_bar=False)
print(papermill.inspect_notebook("in.ipynb"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a notebook, a kernelspec, and this package's entry points, installed or not."""
    cells = [
        nbformat.v4.new_code_cell(
            "%%python\nleast = 1  # the least number\nname = 'all'", metadata={"tags": ["parameters"]}
        ),
        nbformat.v4.new_code_cell(
            "SELECT count(*) AS n, $name AS name FROM range(10) t(i) WHERE i >= $least"
        ),
    ]
    content = nbformat.v4.new_notebook(cells=cells)
    content.metadata.kernelspec = {"name": "kadeql", "display_name": "KadeQL", "language": "kadeql"}
    nbformat.write(content, tmp_path / "in.ipynb")
    info = tmp_path / "site" / "luma_bench_entries-0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(ENTRY, "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: luma-bench-entries\nVersion: 0\n", "utf-8")
    spec = tmp_path / "share" / "jupyter" / "kernels" / "kadeql"
    spec.mkdir(parents=True)
    root = Path(__file__).parents[2]
    (spec / "kernel.json").write_text(
        (root / "kernels" / "kadeql" / "kernel.json").read_text("utf-8"), "utf-8"
    )
    return tmp_path


def run(folder: Path, parameters: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "site"),
        "JUPYTER_PATH": str(folder / "share" / "jupyter"),
        "LUMA_BENCH_NONE": "",
    }
    command = [sys.executable, "-W", "ignore", "-c", RUN, parameters]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_parameters_reach_the_statements(folder: Path):
    cells = nbformat.read(folder / "in.ipynb", 4)
    cells.cells.insert(0, nbformat.v4.new_code_cell(f"%luma open {folder / 'empty.luma'}"))
    for cell in cells.cells:
        cell.metadata.setdefault("tags", [])
    nbformat.write(cells, folder / "in.ipynb")
    done = run(folder, '{"least": 7, "name": "l\'été \\"x\\"\\nnew"}')
    assert done.returncode == 0, done.stderr
    out = nbformat.read(folder / "out.ipynb", 4)
    injected = next(cell for cell in out.cells if "injected-parameters" in cell.metadata.tags)
    assert injected.source.startswith("%%python\n# Parameters\n")
    shown = out.cells[-1].outputs[0]["data"]["text/plain"]
    assert "3 │ l'été" in shown, shown
    # What the notebook says of its own parameters, for `papermill --help-notebook`.
    assert "'least'" in done.stdout
    assert "the least number" in done.stdout
