"""`lb.open` and the Bench: everything a user does starts here."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from luma_bench import config
from luma_bench.bench.ask import Ask
from luma_bench.bench.machinery import Machinery
from luma_bench.errors import CatalogError, ClosedError, ReadOnlyError, UnsupportedError
from luma_bench.types.record import Snapshot

if TYPE_CHECKING:
    from luma_bench.bench.result import Result
    from luma_bench.frame import DataFrame
    from luma_bench.storage.check import CheckReport
    from luma_bench.storage.store import Store

At = int | str | dt.datetime
WriteMode = Literal["create", "append", "replace", "upsert"]
Progress = Callable[[int, int | None], None]


def open(  # noqa: A001
    path: str | os.PathLike[str], mode: Literal["a", "r"] = "a", **settings: Any
) -> Bench:
    """Open the bench at `path`; it is created when there is none.

    Parameters
    ----------
    path
        A folder, by custom named `something.luma`.
    mode
        `"a"` reads and writes, `"r"` never writes and needs no write permission.
    settings
        Any field of `luma_bench.config.Settings`; they win over `luma.toml` and the environment.

    Raises
    ------
    CatalogError
        `mode="r"` and there is no bench, the folder is something else, or a later version wrote it.
    ConfigError
        A setting is unknown or wrong.

    Examples
    --------
    >>> import luma_bench as lb
    >>> with lb.open("demo.luma") as bench:
    ...     bench.write("t", {"a": [1, 2, 3]}, mode="create")
    ...     bench.kadeql("SELECT sum(a) AS s FROM t WHERE a > $lo", params={"lo": 1})
    """
    if mode not in ("a", "r"):
        raise UnsupportedError(
            f"mode={mode!r} is not a way to open a bench.", hint="Use mode='a' or mode='r'."
        )
    if not isinstance(path, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnsupportedError(
            f"{path!r} is no path.", hint="Give the path of a folder: lb.open('demo.luma')."
        )
    text = os.fspath(path)
    if Path(text).is_file():
        raise CatalogError.not_a_bench(text, "it is a file")
    if "://" in text:
        raise UnsupportedError(
            f"{text!r}: this version opens benches in local folders only.",
            hint="Copy the bench to a local folder first.",
        )
    from luma_bench.storage.store import Store

    folder = Path(text)
    store = Store.open(folder, mode=mode, settings=config.load(folder, settings))
    return Bench(store, Machinery(store))


class Bench:
    """A bench: tables under snapshots, one language over them. Safe to use from several threads.

    Attributes
    ----------
    path
        The bench's folder.
    settings
        Its effective settings.
    """

    def __init__(self, store: Store, machinery: Machinery, at: int | None = None) -> None:
        self._store = store
        self._machinery = machinery
        self._at = at

    # --- asking ---

    def kadeql(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        *,
        engine: str = "auto",
        strict: bool = False,
        at: At | None = None,
        cache: bool = True,
        tables: Mapping[str, Any] | None = None,
    ) -> Result:
        """Run KadeQL; several statements run in order, each a commit of its own, and the last Result is returned.

        Parameters
        ----------
        text
            One or more statements.
        params
            Values for `$name` parameters.
        engine
            `"auto"` or an engine's name. Another than this machine has falls back, which the run record says;
            with `strict` it is an error.
        at
            Read at this snapshot: an id, a tag, or a time.
        cache
            Whether an equal question at the same snapshot may be answered from the result cache (`run.cached` says so).
        tables
            More relations by name: pandas, Polars or Arrow tables.

        Raises
        ------
        KadeQLError
            The text is wrong; the message shows line, column and caret.
        UnsupportedError
            The statement is refused; the hint says what to write instead.
        """
        self._alive()
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UnsupportedError(f"KadeQL is text, not {type(text).__name__}.", hint="Give a str.")
        if params is not None and not isinstance(params, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UnsupportedError(
                f"params is a {type(params).__name__}; parameters have names.",
                hint="Write $lo in the text and params={'lo': 3}.",
            )
        asked = at if at is not None else self._at
        ask = Ask(params or {}, engine, strict, asked, cache, tables or {})
        return self._machinery.statements.run(text, ask, read_only=self.read_only or at is not None)

    def table(self, name: str, at: At | None = None) -> DataFrame:
        """A lazy DataFrame over a table, pinned at a snapshot (`at`, or the newest now).

        Raises
        ------
        CatalogError
            No such table at that snapshot.
        """
        from luma_bench.bench.executor import PinnedExecutor
        from luma_bench.frame import DataFrame

        self._alive()
        pinned = self._store.resolve(at if at is not None else self._at)
        return DataFrame.scan(PinnedExecutor(self._machinery.statements, pinned), pinned.find(name).name)

    # --- writing ---

    def write(
        self,
        table: str,
        data: Any,
        mode: WriteMode = "create",
        *,
        primary_key: str | Sequence[str] = (),
        sort_by: str | Sequence[str] = (),
        time_column: str | None = None,
        series_key: str | Sequence[str] = (),
        message: str = "",
        token: str | None = None,
        progress: Progress | None = None,
    ) -> Snapshot:
        """Write rows into a table as one atomic snapshot; a failure leaves nothing.

        Parameters
        ----------
        data
            Anything with `__arrow_c_stream__`, pandas, Polars, a dict of arrays, a list of dicts, or path(s) to
            parquet, csv, json or arrow files (a glob works). Streams larger than memory are written as they come.
        mode
            `"create"` a new table, `"append"` rows, or `"replace"` the table.
        primary_key, sort_by, time_column, series_key
            Keys and layout, on create or replace.
        message
            What the snapshot says.
        token
            Names this write: a second write with the same token returns the snapshot of the first.
        progress
            Called with rows done and rows in all (None when unknown).

        Raises
        ------
        SchemaError, ConstraintError, CatalogError, ReadOnlyError
            What is wrong with the data or the table; nothing was written.
        """
        self._writable("write")
        source, total = _arrow_source(data)
        report = None if progress is None else lambda rows: progress(rows, total)
        return self._store.write(
            table,
            source,
            mode=mode,
            primary_key=_names(primary_key),
            sort_by=_names(sort_by),
            time_column=time_column,
            series_key=_names(series_key),
            message=message,
            token=token,
            progress=report,
        )

    def export(
        self,
        what: str,
        path: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002 (the name people expect)
        *,
        progress: Progress | None = None,
    ) -> int:
        """Write a table, or the answer to a query, to a parquet, csv, json, ndjson or arrow file; the rows written.

        The file appears whole or not at all.
        """
        from luma_bench.engines.duck_export import FileWriter

        self._alive()
        pinned = self._store.resolve(self._at)
        if what in self.tables():
            scan = self._store.scan(pinned, what)
            reader, total = (
                scan.stream(list(range(1, len(scan.schema))), (), self._machinery.statements.counters()),
                scan.rows(),
            )
        elif what.isidentifier():
            raise CatalogError.unknown_table(what, self.tables())
        else:
            reader, total = self._machinery.statements.stream(what, Ask(at=self._at)), None
        return FileWriter().write(reader, Path(path), format, total=total, progress=progress)

    # --- history ---

    def tables(self) -> list[str]:
        """The names of the tables at this bench's snapshot, sorted."""
        self._alive()
        return sorted(schema.name for schema in self._store.resolve(self._at).tables.values())

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, oldest first; at a past snapshot, those up to it."""
        self._alive()
        return [
            snapshot for snapshot in self._store.snapshots() if self._at is None or snapshot.id <= self._at
        ]

    def at(self, when: At) -> Bench:
        """A read-only Bench at a snapshot: an id, a tag, or a time (the newest snapshot at or before it).

        Raises
        ------
        CatalogError
            No such snapshot.
        """
        self._alive()
        return Bench(self._store, self._machinery, self._store.resolve(when).id)

    def tag(self, name: str, at: At | None = None) -> Snapshot:
        """Name a snapshot (the newest, or `at`); a tag stays where it was put."""
        self._writable("tag")
        return self._store.tag(name, at)

    @property
    def snapshot(self) -> int:
        """The id of the snapshot that this bench reads now."""
        self._alive()
        return self._at if self._at is not None else self._store.head()

    # --- care ---

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Read every byte of every live snapshot and compare it with its checksum and statistics."""
        self._alive()
        return self._store.check(progress)

    def cancel(self) -> int:
        """Stop every running query of this bench, from any thread; how many there were."""
        return self._machinery.cancel()

    def progress(self) -> float | None:
        """The fraction done of the newest running query, None when nothing runs or it is unknown."""
        return self._machinery.statements.progress()

    @property
    def path(self) -> Path:
        """The bench's folder."""
        return self._store.path

    @property
    def settings(self) -> config.Settings:
        """The effective settings."""
        return self._store.settings

    @property
    def read_only(self) -> bool:
        """Whether this bench refuses writes."""
        return self._store.read_only or self._at is not None

    def close(self) -> None:
        """Stop running queries and release files; closing a bench from `at` closes only itself."""
        if self._at is None and not self._machinery.closed:
            self._machinery.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._machinery.closed:
            return f"Bench({str(self.path)!r}, closed)"
        mode = ", read-only" if self.read_only else ""
        return f"Bench({str(self.path)!r}, snapshot {self.snapshot}, {len(self.tables())} tables{mode})"

    def _alive(self) -> None:
        if self._machinery.closed:
            raise ClosedError.bench(str(self.path))

    def _writable(self, operation: str) -> None:
        self._alive()
        if self.read_only:
            raise ReadOnlyError.opened(operation)


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _arrow_source(data: Any) -> tuple[Any, int | None]:
    """What the store writes, and its rows where that is known: paths become Arrow streams, the rest goes as it is."""
    if not (isinstance(data, str | os.PathLike) or _is_path_list(data)):
        rows = getattr(data, "num_rows", None)
        return data, rows if isinstance(rows, int) else None
    from luma_bench.engines.duck_files import FileReader

    return FileReader().open(data), None


def _is_path_list(data: Any) -> bool:
    return (
        isinstance(data, list | tuple)
        and bool(data)
        and all(isinstance(item, str | os.PathLike) for item in data)
    )
