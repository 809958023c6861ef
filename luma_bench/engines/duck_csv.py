"""How a CSV or JSON file is read: the options that `read_csv` or `read_json` gets, from the caller's, the file and the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from luma_bench.types.sql_text import quoted, string_literal

Kind = Literal["csv", "json"]
_SNIFF_ALL = 64 << 20
_SNIFF_ROWS = 204_800
_QUOTED_EMPTY = re.compile(rb'(?:^|[^"])""(?:[^"]|$)')
_OWN_NULLS = frozenset({"allow_quoted_nulls", "force_not_null", "nullstr", "quote"})


def reading_options(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    kind: Kind,
    options: Mapping[str, Any],
    target: pa.Schema | None,
) -> dict[str, Any]:
    """Everything that `read_csv` or `read_json` is told.

    Quotes are double ones unless the caller says otherwise. An empty value without quotes is NULL, one in quotes is an empty text; unless a column that is no text has one in
    quotes: then the file quotes its NULLs, and both are NULL.

    Parameters
    ----------
    con
        A connection that may read the files.
    target
        The columns of the table that the rows are for: columns of the same name are read as their types.
    """
    whole = sum(path.stat().st_size for path in paths) <= _SNIFF_ALL
    given: dict[str, Any] = {"sample_size": -1 if whole else _SNIFF_ROWS} | dict(options)
    if kind == "json":
        types = (
            {} if target is None or not whole else _matching(con, target, _columns(con, paths, kind, given))
        )
        return given | ({"columns": types} if types else {})
    # A guess takes another sign for the quotes where it stands in every value of a column, and lines that do not fit the
    # last ones for notes, which it leaves out.
    given = (
        {"quote": '"', "skip": _blank_lines(paths[0])} | ({"delim": "\t"} if is_tsv(paths[0]) else {}) | given
    )
    given |= _nulls(con, paths, given, _texts(target, options))
    if target is None or "columns" in options or options.get("all_varchar"):
        return given
    asked: Any = options.get("types", {})
    if not isinstance(asked, Mapping):
        return given  # a list of types, in the order of the columns
    columns = _columns(con, paths, kind, {name: value for name, value in given.items() if name != "types"})
    types = _matching(con, target, columns, rest=False) | dict(asked)
    return given | ({"types": types} if types else {})


def reading_sql(kind: Kind, paths: Sequence[Path], options: Mapping[str, Any]) -> str:
    """The call of `read_csv` or `read_json`."""
    more = "".join(f", {name} = {sql_value(value)}" for name, value in options.items())
    return f"read_{kind}({sql_value([str(path) for path in paths])}{more})"


def sql_value(value: Any) -> str:
    """An option's value as SQL."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Mapping():
            return (
                "{"
                + ", ".join(f"{quoted(str(name))}: {sql_value(item)}" for name, item in value.items())
                + "}"
            )
        case list() | tuple():
            return "[" + ", ".join(sql_value(item) for item in value) + "]"
        case _:
            return string_literal(str(value))


def is_tsv(path: Path) -> bool:
    """Whether the file's name says that tabs stand between values."""
    return Path(path.name.removesuffix(".gz").removesuffix(".zst")).suffix.lower() == ".tsv"


def sql_types(con: duckdb.DuckDBPyConnection, schema: pa.Schema) -> dict[str, str]:
    """The SQL type in which texts are read for a column of each Arrow type."""
    plain = pa.schema([field.with_type(_plain(field.type)).with_metadata(None) for field in schema])
    con.register("luma_target", pa.Table.from_batches([], plain))
    try:
        rows = con.execute("DESCRIBE SELECT * FROM luma_target").fetchall()
    finally:
        con.unregister("luma_target")
    return {row[0]: row[1] for row in rows}


def _plain(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.float32() if pa.types.is_float16(kind) else kind


def _matching(
    con: duckdb.DuckDBPyConnection, target: pa.Schema, columns: Mapping[str, str], *, rest: bool = True
) -> dict[str, str]:
    """The types of the file's columns: the table's, where a name agrees, else (with `rest`) those that were found."""
    wanted = {name.casefold(): sql for name, sql in sql_types(con, target).items()}
    return {
        name: wanted.get(name.casefold(), sql)
        for name, sql in columns.items()
        if rest or name.casefold() in wanted
    }


def _columns(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], kind: Kind, options: Mapping[str, Any]
) -> dict[str, str]:
    rows = con.execute(f"DESCRIBE SELECT * FROM {reading_sql(kind, paths, options)}").fetchall()
    return {row[0]: row[1] for row in rows}


def _texts(target: pa.Schema | None, options: Mapping[str, Any]) -> frozenset[str]:
    """The columns that are known to be texts, folded: by the table, or by the caller's own `types`."""
    known = {} if target is None else {field.name.casefold(): _is_text(field.type) for field in target}
    asked: Any = options.get("types", {})
    if isinstance(asked, Mapping):
        for name, kind in asked.items():
            known[str(name).casefold()] = str(kind).upper() in ("VARCHAR", "TEXT", "STRING")
    return frozenset(name for name, text in known.items() if text)


def _is_text(kind: pa.DataType) -> bool:
    plain = _plain(kind)
    return pa.types.is_string(plain) or pa.types.is_large_string(plain) or pa.types.is_string_view(plain)


def _nulls(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    options: Mapping[str, Any],
    texts: frozenset[str],
) -> dict[str, Any]:
    if _OWN_NULLS & options.keys() - {"quote"} or options.get("quote", '"') != '"':
        return {}
    apart = {"allow_quoted_nulls": False}
    if not any(_quotes_empty(path) for path in paths):
        return apart
    free = {name: value for name, value in options.items() if name != "types"}
    together, parted = (
        {name: kind for name, kind in found.items() if name.casefold() not in texts}
        for found in (_columns(con, paths, "csv", free), _columns(con, paths, "csv", free | apart))
    )
    return apart if together == parted else {}


def _blank_lines(path: Path) -> int:
    """How many lines before the first one hold nothing; compressed files are not looked into."""
    if path.suffix.lower() in (".gz", ".zst"):
        return 0
    with path.open("rb") as stream:
        head = stream.read(4096)
    lines = head.splitlines()
    return next((place for place, line in enumerate(lines) if line.strip()), 0)


def _quotes_empty(path: Path) -> bool:
    """Whether a value in quotes may be empty; compressed files are not looked into."""
    if path.suffix.lower() in (".gz", ".zst"):
        return True
    with path.open("rb") as stream:
        return _QUOTED_EMPTY.search(stream.read(_SNIFF_ALL)) is not None
