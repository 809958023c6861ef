"""The two that answer: a bench, and plain DuckDB as the judge where a bench and a file disagree."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import duckdb
import pyarrow as pa
from sqllogic_answer import Answer, written
from sqllogic_settings import Setting, setting

import luma_bench as lb
from luma_bench.errors import ConfigError, ConflictError, LumaError, UnsupportedError

_COUNTED = re.compile(
    r"^\s*(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY|WITH|EXECUTE|CREATE\b.*?\bAS)\b",
    re.IGNORECASE | re.DOTALL,
)


_VARIANT = re.compile(r"\bVARIANT\b")
_AS_TEXT = re.compile(r"\b(?:VARIANT|JSON)\b")
_TEXT_INSIDE = re.compile(r"\bVARIANT\b|\bJSON\b.|.\bJSON\b")
_PLACE = re.compile(r"^Column .*? of table .*?: ")
_BY_NAME = re.compile(r"is not stored|does not widen")
"""Refusals of the store, which are errors of data where data comes from elsewhere."""


class RefusedError(Exception):
    """The statement is refused by name; the message is the refusal."""


class FailedError(Exception):
    """The statement is wrong, by the side's own word."""


class BrokenError(Exception):
    """Something came out that is no answer and no error of the bench."""


class OtherRuleError(FailedError):
    """It failed by a rule of KadeQL's own: of two writers of the same rows the second to commit loses."""


class CannotError(Exception):
    """The runner cannot do what the file asks; the message says what."""


class Side(Protocol):
    """What runs the statements of one file."""

    def execute(self, sql: str, connection: str = "") -> Answer:
        """Run a text and give its last answer."""
        ...

    def load(self, name: str, read_only: bool) -> None:
        """Go on with the database of this name."""
        ...

    def restart(self) -> None:
        """Close the database and open it again."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class BenchSide:
    """A bench in a folder, with a handle for each connection that a file names."""

    def __init__(self, folder: Path, readable: Path) -> None:
        self._folder = folder
        self._readable = readable
        self._name = "main"
        self._read_only = False
        self._zone = ""
        self._engine: dict[str, str] = {}
        self._handles: dict[str, lb.Bench] = {}
        self._formatter = duckdb.connect()

    def execute(self, sql: str, connection: str = "") -> Answer:
        """Run a text; the count of rows changed where DuckDB gives one.

        Raises
        ------
        RefusedError, FailedError, BrokenError, CannotError
            How else it ended.
        """
        taken = setting(sql)
        if taken is not None:
            self._set(taken)
            return Answer((), ())
        bench = self._handle(connection)
        try:
            # An engine starts with the first statement that needs one.
            with _engine_settings(self._engine):
                table = bench.kadeql(sql).to_arrow()
        except UnsupportedError as error:
            raise RefusedError(getattr(error, "plain", error.message)) from error
        except LumaError as error:
            if _BY_NAME.search(error.message):
                raise RefusedError(_PLACE.sub("", error.message)) from error
            raise (OtherRuleError if isinstance(error, ConflictError) else FailedError)(str(error)) from error
        except Exception as error:
            raise BrokenError(f"{type(error).__name__}: {error}") from error
        if table.column_names == ["operation", "rows", "snapshot"]:
            counted = _COUNTED.match(sql) is not None
            return Answer((str(table["rows"][0]),), ("bigint",)) if counted else Answer((), ())
        return written(table, self._formatter)

    def in_transaction(self, connection: str) -> bool:
        """Whether a connection has a transaction open."""
        found = self._handles.get(connection)
        return found is not None and found._session.current is not None

    def load(self, name: str, read_only: bool) -> None:
        """Go on with the bench of this name."""
        self._close_handles()
        self._name, self._read_only = re.sub(r"\W+", "_", name) or "main", read_only

    def restart(self) -> None:
        """Close the bench; the next statement opens it again."""
        self._close_handles()

    def close(self) -> None:
        """Close the bench and the formatter."""
        self._close_handles()
        self._formatter.close()

    def _handle(self, connection: str) -> lb.Bench:
        found = self._handles.get(connection)
        if found is None:
            options: dict[str, Any] = {"threads": 2, "memory_limit": 2 << 30, "timezone": self._zone}
            written = str(self._folder / "files")
            options |= {"files": (written, str(self._readable)), "files_write": (written,)}
            mode = "r" if self._read_only else "a"
            try:
                found = lb.open(self._folder / f"{self._name}.luma", mode, **options)
            except ConfigError as error:
                raise CannotError(error.message) from error
            self._handles[connection] = found
        return found

    def _set(self, taken: Setting) -> None:
        if taken.effect == "none":
            return
        if taken.effect == "zone":
            self._zone = taken.value or ""
            _show_in_zone(self._formatter, self._zone)
        elif taken.value is None:
            self._engine.pop(taken.name, None)
        else:
            self._engine[taken.name] = taken.value
        if any(bench._session.current is not None for bench in self._handles.values()):
            raise CannotError(f"SET {taken.name} inside of a transaction")
        self._close_handles()

    def _close_handles(self) -> None:
        for bench in self._handles.values():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a file may end inside of a transaction
                bench.close()
        self._handles.clear()


@contextlib.contextmanager
def _engine_settings(options: dict[str, str]) -> Iterator[None]:
    """Start engines with these options of DuckDB besides their own: KadeQL has no SET, and files do."""
    if not options:
        yield
        return
    connect = duckdb.connect

    def configured(
        database: str = ":memory:", *, config: dict[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        return connect(database, config={**(config or {}), **options})

    with mock.patch.object(duckdb, "connect", configured):
        yield


class DuckSide:
    """Plain DuckDB, with its own storage."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = ":memory:"
        self._read_only = False
        self._root: duckdb.DuckDBPyConnection | None = None
        self._connections: dict[str, duckdb.DuckDBPyConnection] = {}
        self._formatter = duckdb.connect()

    def execute(self, sql: str, connection: str = "") -> Answer:
        """Run a text.

        Raises
        ------
        FailedError
            DuckDB says no.
        """
        taken = setting(sql)
        try:
            con = self._connection(connection)
            if taken is not None and taken.effect == "none":
                return Answer((), ())
            if taken is not None and taken.effect == "zone":
                _show_in_zone(self._formatter, taken.value or "")
            found = con.execute(sql)
            # A text that is nothing but comments and semicolons has no result.
            if found is None or found.description is None:
                return Answer((), ())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the extra copy is of a few rows
                return written(_without_variants(found, con), self._formatter)
        except (duckdb.Error, RuntimeError, OSError) as error:
            raise FailedError(str(error)) from error

    def load(self, name: str, read_only: bool) -> None:
        """Go on with the database of this name."""
        self.restart()
        self._name = str(self._folder / (re.sub(r"\W+", "_", name) + ".duckdb")) if name else ":memory:"
        self._read_only = read_only

    def restart(self) -> None:
        """Close the database; the next statement opens it again."""
        for con in self._connections.values():
            con.close()
        self._connections.clear()
        if self._root is not None:
            self._root.close()
            self._root = None

    def close(self) -> None:
        """Close everything."""
        self.restart()
        self._formatter.close()

    def _connection(self, name: str) -> duckdb.DuckDBPyConnection:
        if self._root is None:
            options = {"arrow_lossless_conversion": True, "threads": 2, "python_enable_replacements": False}
            self._root = duckdb.connect(self._name, read_only=self._read_only, config=options)
        if name not in self._connections:
            self._connections[name] = self._root.cursor()
        return self._connections[name]


def _show_in_zone(formatter: duckdb.DuckDBPyConnection, zone: str) -> None:
    formatter.execute(f"SET TimeZone = '{zone}'" if zone else "RESET TimeZone")


def _without_variants(found: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The answer with VARIANT as the text of its JSON, and JSON in lists as text: that is how KadeQL gives them out."""
    kinds = [str(column[1]) for column in found.description]
    table = found.to_arrow_table()
    if not any(_TEXT_INSIDE.search(kind) for kind in kinds):
        return table
    names = [f"c{index}" for index in range(table.num_columns)]
    shown = [
        f"CAST(CAST({name} AS {_VARIANT.sub('JSON', kind)}) AS {_AS_TEXT.sub('VARCHAR', kind)})"
        if _TEXT_INSIDE.search(kind)
        else name
        for name, kind in zip(names, kinds, strict=True)
    ]
    con.register("answer_with_variants", table.rename_columns(names))
    try:
        return con.execute(f"SELECT {', '.join(shown)} FROM answer_with_variants").to_arrow_table()
    finally:
        con.unregister("answer_with_variants")
