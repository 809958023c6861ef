"""A small bench and an IPython shell with the extension loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from grid_kinds import RECORD
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config

import luma_bench as lb
from luma_bench.bench.result import Result
from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.session import GridSession


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckEngine]:
    """The engine that grids of a test's results ask."""
    made = DuckEngine(Settings(threads=2))
    yield made
    made.close()


@pytest.fixture
def look(engine: DuckEngine) -> Callable[[pa.Table], GridSession]:
    """Makes the grid of a table."""
    return lambda table: GridSession(Result(table, RECORD, "SELECT * FROM t"), lambda: engine)


@pytest.fixture
def bench_path(tmp_path: Path) -> Path:
    path = tmp_path / "notebook.luma"
    with lb.open(path) as bench:
        bench.write("flights", {"carrier": ["UA", "B6", None, "UA"], "n": [1, 2, 3, 4]}, mode="create")
    return path


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    # The one shell of the process, since `display()` writes to that one.
    made = InteractiveShell.instance(config=config)
    made.run_line_magic("load_ext", "luma_bench")
    yield made
    made.run_line_magic("unload_ext", "luma_bench")
    InteractiveShell.clear_instance()


@pytest.fixture
def cell(shell: InteractiveShell) -> Callable[[str], tuple[Any, CapturedIO]]:
    """Runs a cell that must succeed; its value and what it printed or displayed."""

    def run(source: str) -> tuple[Any, CapturedIO]:
        with capture_output() as captured:
            outcome = shell.run_cell(source, store_history=True)
        outcome.raise_error()
        return outcome.result, captured

    return run


@pytest.fixture
def failing(shell: InteractiveShell) -> Callable[[str], tuple[BaseException, str]]:
    """Runs a cell that must fail; its error and the text that a reader sees, without colours."""
    import re

    def run(source: str) -> tuple[BaseException, str]:
        with capture_output() as captured:
            outcome = shell.run_cell(source)
        assert outcome.error_in_exec is not None
        return outcome.error_in_exec, re.sub("\x1b\\[[0-9;]*m", "", captured.stdout)

    return run
