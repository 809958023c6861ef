"""What runs frames that belong to no bench: a bench of the process, in a temporary folder, made with the first question.

It has no tables. It reads the files that the program named to `lb.read_csv` and its like, and no others.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.executor import PinnedExecutor
from luma_bench.bench.persisting import in_memory
from luma_bench.errors import CatalogError, UnsupportedError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.bench.result import Result


@dataclass(frozen=True, slots=True)
class _Opened:
    """The bench of a process."""

    bench: Bench
    executor: PinnedExecutor


class LooseExecutor:
    """The executor of frames of data and of files. All of a process are one, so that such frames meet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._process = os.getpid()
        self._named: dict[str, None] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LooseExecutor)

    def __hash__(self) -> int:
        return hash(LooseExecutor)

    @property
    def loose(self) -> bool:
        """It belongs to no bench."""
        return True

    @property
    def snapshot(self) -> int:
        """It has no tables, and one snapshot."""
        return 0

    def allow(self, names: Sequence[str]) -> None:
        """Let it read these files, which the program named."""
        with self._lock:
            fresh = [name for name in names if name not in self._named]
            self._named |= dict.fromkeys(fresh)
            if fresh and self._opened is not None:
                _files_of(self._opened.bench, fresh)

    def execute(
        self,
        text: str,
        *,
        params: Mapping[str, object] | None = None,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run one SELECT text and give its finished result."""
        result = self._inner.execute(
            text, params=params, engine=engine, strict=strict, tables=tables, timeout=timeout
        )
        return result.over(lambda: self)

    def answer(self, rows: pa.Table) -> Result:
        """Rows in memory as a finished result, exactly as they are; nothing is opened for it."""
        return in_memory(rows, self.snapshot).over(lambda: self)

    def stream(
        self,
        text: str,
        *,
        engine: str = "auto",
        strict: bool = False,
        tables: Mapping[str, Any] | None = None,
    ) -> pa.RecordBatchReader:
        """The rows of one SELECT text as the engine makes them."""
        return self._inner.stream(text, engine=engine, strict=strict, tables=tables)

    def describe(self, text: str, *, tables: Mapping[str, Any] | None = None) -> pa.Schema:
        """The Arrow schema a SELECT text yields, without running it."""
        return self._inner.describe(text, tables=tables)

    def explain(self, text: str, *, tables: Mapping[str, Any] | None = None) -> str:
        """The plan of a SELECT text as printed text."""
        return self._inner.explain(text, tables=tables)

    def read(self, table: str, columns: Sequence[str] | None = None) -> Result:
        """It has no tables."""
        raise _no_table(table)

    def scan(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        """It has no tables."""
        raise _no_table(table)

    def schema(self, table: str) -> pa.Schema:
        """It has no tables."""
        raise _no_table(table)

    def order(self, table: str) -> tuple[str, ...] | None:
        """It has no tables."""
        raise _no_table(table)

    def rows(self, table: str) -> int:
        """It has no tables."""
        raise _no_table(table)

    def divided(self, text: str, **_: Any) -> None:
        """It has no tables whose parts others could read."""

    def store(self, table: str, rows: pa.RecordBatchReader, mode: str, **details: Any) -> PinnedExecutor:
        """It has nowhere to store rows.

        Raises
        ------
        UnsupportedError
            Always; it says where rows can be stored.
        """
        raise UnsupportedError(
            "This frame belongs to no bench, so there is nowhere to store it.",
            hint=f"Write it into one: bench.write({table!r}, frame).",
        )

    @property
    def _inner(self) -> PinnedExecutor:
        with self._lock:
            if self._process != os.getpid():  # a child of fork has its parent's, which is not to be touched
                self._opened, self._process = None, os.getpid()
            if self._opened is None:
                self._opened = self._open()
            return self._opened.executor

    def _open(self) -> _Opened:
        from luma_bench.bench.bench import open as open_bench

        folder = tempfile.mkdtemp(prefix="luma-loose-")
        bench = open_bench(Path(folder) / "loose.luma", files=(), files_write=())
        # At the latest when the process ends; a child of fork leaves its parent's alone, and in place.
        weakref.finalize(self, _remove, bench, folder, os.getpid())
        _files_of(bench, list(self._named))
        return _Opened(bench, bench.executor())


def _remove(bench: Bench, folder: str, process: int) -> None:
    if process == os.getpid():
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


def _files_of(bench: Bench, names: Sequence[str]) -> None:
    bench._machinery.statements.runner.files.allow(names)


@functools.cache
def loose_executor() -> LooseExecutor:
    """The process's one; it opens nothing before it is asked something."""
    return LooseExecutor()


def _no_table(name: str) -> CatalogError:
    return CatalogError(
        f"There is no table {name!r}: a frame of data or of files belongs to no bench.",
        hint="Take tables from bench.table(name).",
    )
