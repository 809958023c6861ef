"""Files that a query names: looked up under the allow-list, and put into its text as exactly the files it may open.

`__luma_read_csv('data/*.csv', …)`, which reading the text made of the user's `read_csv('data/*.csv', …)`, becomes
`read_csv(['/…/data/a.csv', …], …)`. The engine opens these paths and nothing else.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from luma_bench.bench.allowed import AllowList
from luma_bench.config import Settings
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLError,
    KadeQLUnsupportedError,
    LumaError,
    UnsupportedError,
)
from luma_bench.language import Edit, Parameter, Query, rewritten
from luma_bench.language.files import ARROW, BARE, GLOB, FileCall, file_calls, reader_of
from luma_bench.plan.engine import FileInputs
from luma_bench.types.record import NodeRecord
from luma_bench.types.sql_text import string_literal

_RELATION: Final = "__luma_arrow_"
_HIVE: Final = frozenset(
    {"read_parquet", "parquet_scan", "read_csv", "read_csv_auto", "read_json", "read_json_auto"}
)
_SHOWN_FILES: Final = 100
_WILD: Final = frozenset("*?")


def files_read(files: FileInputs) -> str:
    """What a run record says of files: that no snapshot holds them."""
    count = len(files.paths)
    return f"reads {count:,} file{'' if count == 1 else 's'} outside of the snapshot"


def file_nodes(files: FileInputs | None, engine: str) -> tuple[NodeRecord, ...]:
    """The files as nodes of a run record: at most a hundred, with what they have on disk."""
    if files is None:
        return ()
    return tuple(
        NodeRecord(f"file {path}", engine, nbytes=place.stat().st_size if place.exists() else None)
        for path in files.paths[:_SHOWN_FILES]
        for place in (Path(path),)
    )


class ExternalFiles:
    """What the statements of one bench may read and write besides its tables. Thread-safe.

    Parameters
    ----------
    base
        The working directory when the bench was opened; None where there was none.
    bench
        The bench's own folder.
    """

    def __init__(self, settings: Settings, base: Path | None, bench: Path | None) -> None:
        self._start = start = base or Path(os.sep)
        self._own = bench
        keep = [
            item for item in settings.files if base is not None or Path(item).is_absolute() or "://" in item
        ]
        self._settings = settings
        self._lock = threading.Lock()
        self._named = dict.fromkeys(keep)
        self._readable = AllowList(keep, start, bench, "files")
        self._writable = AllowList(settings.files_write if base else (), start, bench, "files_write")
        self._urls = tuple(item.rstrip("/") for item in settings.files if "://" in item)

    def bind(
        self,
        query: Query,
        params: Mapping[str, object],
        check: Callable[[], None] | None = None,
        *,
        before: int = 0,
        notes: dict[str, None] | None = None,
    ) -> tuple[Query, FileInputs | None]:
        """The query with the files that it reads, and those files; None where it reads none.

        Parameters that name files are no longer among the query's.

        Parameters
        ----------
        check
            Called while files are fetched; what it raises ends it.
        before
            A number that tells the relations of this query from those of others that run with it: a view's, say.
        notes
            Is told what a glob leaves out.

        Raises
        ------
        KadeQLUnsupportedError
            A file is outside of the allow-list, or is none.
        KadeQLBindError
            A file is not there, or its parameter has no value or another than a path.
        """
        calls = file_calls(query.sql)
        if not calls:
            return query, None
        edits: list[Edit] = []
        paths: dict[str, None] = {}
        arrow: dict[str, tuple[str, ...]] = {}
        for call in calls:
            try:
                found = self._found(call, params, check, notes)
                edits += _edits(call, found, arrow, before)
            except (LumaError, FileNotFoundError) as error:
                raise _located(error, query, query.offsets.span(*call.argument)) from error
            if call.reader != GLOB:
                paths.update(dict.fromkeys(found))
        sql, own = rewritten(query.sql, 0, len(query.sql), edits)
        files = FileInputs(tuple(paths), arrow, sum(Path(path).stat().st_size for path in paths))
        offsets = query.offsets.behind(own)
        return replace(query, sql=sql, offsets=offsets, params=_used(query, calls), edits=()), files

    def allow(self, names: Sequence[str]) -> None:
        """Let statements read these paths, globs and URLs too: for one who names files to the program, and not in a text."""
        with self._lock:
            self._named |= dict.fromkeys(names)
            self._readable = AllowList(tuple(self._named), self._start, self._own, "files")
            self._urls = tuple(item.rstrip("/") for item in self._named if "://" in item)

    def writable(self, name: str) -> Path:
        """The real path of a file that a statement may write.

        Raises
        ------
        UnsupportedError
            It may not.
        """
        return self._writable.writable(name)

    def _found(
        self,
        call: FileCall,
        params: Mapping[str, object],
        check: Callable[[], None] | None,
        notes: dict[str, None] | None,
    ) -> list[str]:
        find = self._listed if call.reader == GLOB else self._files
        found = [
            path for name in call.names for item in _values(name, params) for path in find(item, check, notes)
        ]
        wild = next((path for path in found if _WILD & set(path)), None)
        if wild is not None and call.reader != GLOB:
            raise UnsupportedError(
                f"{wild!r}: a file whose name holds * or ? cannot be read.", hint="Rename the file."
            )
        return found

    def _listed(
        self, name: str, check: Callable[[], None] | None, notes: dict[str, None] | None
    ) -> list[str]:
        """The files that glob() lists: none where there are none."""
        try:
            return self._files(name, check, notes)
        except UnsupportedError:
            raise
        except LumaError:
            return []

    def _files(self, name: str, check: Callable[[], None] | None, notes: dict[str, None] | None) -> list[str]:
        if "://" not in name:
            return [str(path) for path in self._readable.expanded(name, notes)]
        self._check_url(name)
        from luma_bench.storage.remote.download import Downloads

        return [str(path) for path in Downloads(self._settings).fetch(name, check)]

    def check(self, query: Query) -> None:
        """Refuse a query whose files, where it names them by constants, may not be read or are not there.

        Raises
        ------
        KadeQLError
            As `bind`; what is behind a URL is not fetched.
        """
        for call in file_calls(query.sql):
            try:
                for name in call.names:
                    if isinstance(name, str) and "://" in name:
                        self._check_url(name)
                    elif isinstance(name, str) and call.reader != GLOB:
                        self._readable.expanded(name)
            except LumaError as error:
                raise _located(error, query, query.offsets.span(*call.argument)) from error

    def _check_url(self, name: str) -> None:
        if name.split("://")[0].lower() == "file":
            raise UnsupportedError(
                f"{name!r}: a file of this machine is named by its path.", hint="Leave file:// out."
            )
        parts = name.split("/")
        inside = any(name == item or name.startswith(item + "/") for item in self._urls)
        if not inside or any(part in (".", "..") for part in parts) or "%2e" in name.lower() or "\\" in name:
            allowed = ", ".join(map(repr, self._urls)) or "none"
            raise UnsupportedError(
                f"{name!r} is outside of what statements may read.",
                hint=f"Allowed URLs: {allowed}. More with the setting files: lb.open(path, files=['.', 'https://host/folder']).",
            )


def _located(error: LumaError | FileNotFoundError, query: Query, span: tuple[int, int]) -> KadeQLError:
    """What is wrong with a file, at the place where the query names it."""
    if isinstance(error, KadeQLError):
        return error.moved(query.whole, span)
    message, hint = (error.message, error.hint) if isinstance(error, LumaError) else (f"{error}.", None)
    kind = KadeQLUnsupportedError if isinstance(error, UnsupportedError) else KadeQLBindError
    return kind(message, text=query.whole, span=span, hint=hint)


def _values(name: str | Parameter, params: Mapping[str, object]) -> list[str]:
    """The paths that a constant or a parameter holds."""
    if isinstance(name, str):
        return [name]
    if name.name not in params:
        raise KadeQLBindError(
            f"Parameter ${name.name} has no value.",
            hint=f"Give it: bench.kadeql(text, params={{{name.name!r}: 'path'}}).",
        )
    value = params[name.name]
    listed: list[object] = list(value) if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownArgumentType]
    paths = [os.fspath(item) for item in listed if isinstance(item, str | os.PathLike)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if len(paths) != len(listed) or not all(isinstance(path, str) for path in paths) or not paths:
        raise LumaError(
            f"Parameter ${name.name} names files, and {value!r} is no path.", hint="Give a text or a list."
        )
    return [str(path) for path in paths]


def _edits(
    call: FileCall, found: list[str], arrow: dict[str, tuple[str, ...]], before: int = 0
) -> list[Edit]:
    """What makes a placeholder a call of the engine's own reader."""
    start, end = call.call
    opening = call.argument[0]
    if call.reader == GLOB:
        named = "" if call.aliased else f' AS "{GLOB}"'
        return [Edit(start, end, f"(SELECT unnest({_listed(found)}::VARCHAR[]) AS file){named}")]
    reader = _reader(found) if call.reader == BARE else call.reader
    if reader == ARROW:
        relation = f"{_RELATION}{len(arrow) + 1}" + (f"_{before}" if before else "")
        arrow[relation] = tuple(found)
        return [Edit(start, end, f'"{relation}"' + ("" if call.aliased else f" AS {ARROW}"))]
    files = string_literal(found[0]) if len(found) == 1 else _listed(found)
    more = ""
    hive = reader in _HIVE and "hive" not in call.options.casefold()
    if hive and any("=" in path for path in found) and not _partitioned(call, found):
        more = ", hive_partitioning = false"
    return [Edit(start, opening, f"{reader}("), Edit(*call.argument, files + more)]


def _reader(found: list[str]) -> str:
    """The reader of files that stand as a table by their names alone."""
    readers = {reader_of(path) for path in found}
    (reader,) = readers if len(readers) == 1 else (None,)
    if reader is None:
        raise UnsupportedError(
            "These files are of several formats.",
            hint="Name each format on its own, and UNION ALL BY NAME them.",
        )
    return reader


def _partitioned(call: FileCall, found: list[str]) -> bool:
    """Whether the folders that the query names are `key=value`; those above them do not count as columns."""
    named = [PurePosixPath(name).parts for name in call.names if isinstance(name, str)]
    depth = max((len(parts) for parts in named), default=0)
    if not depth or any("**" in parts for parts in named) or any(parts[0] == os.sep for parts in named):
        return True
    return any("=" in part for path in found for part in PurePosixPath(path).parts[-depth:-1])


def _listed(paths: list[str]) -> str:
    return f"[{', '.join(map(string_literal, paths))}]"


def _used(query: Query, calls: tuple[FileCall, ...]) -> frozenset[str]:
    """The parameters that still stand in the text once the files are in it."""
    named = {name.name for call in calls for name in call.names if isinstance(name, Parameter)}
    if not named:
        return query.params
    from luma_bench.language.tokens import tokenize

    tokens = tokenize(query.sql)
    files = [call.argument for call in calls]
    used = {
        tokens.names[index + 1]
        for index in range(len(tokens) - 1)
        if tokens.words[index] == "$"
        and not any(first <= tokens.starts[index] < last for first, last in files)
    }
    return query.params - (named - used)
