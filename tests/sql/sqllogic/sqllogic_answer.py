"""Answers as sqllogictest writes them: every value as text, sorted and hashed, and when two of them are the same."""

from __future__ import annotations

import decimal
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

_HASH = re.compile(r"^\d+ values hashing to [0-9a-z]{32}$")
_NUMBERS = frozenset({"tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint", "float", "double", "bignum"})  # fmt: skip
_INEXACT = frozenset({"float", "double"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, value by value as text, with the names of their types."""

    values: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.types)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.values) // len(self.types) if self.types else 0

    def sorted(self, sort: str) -> Answer:
        """The same answer in the order that the file asks for."""
        if sort == "values":
            return Answer(tuple(sorted(self.values)), self.types)
        if sort == "rows":
            rows = sorted(self.values[i : i + self.columns] for i in range(0, len(self.values), self.columns))
            return Answer(tuple(value for row in rows for value in row), self.types)
        return self

    def hashed(self) -> str:
        """The line that stands for a long answer."""
        digest = hashlib.md5("".join(f"{value}\n" for value in self.values).encode(), usedforsecurity=False)
        return f"{len(self.values)} values hashing to {digest.hexdigest()}"


def written(table: pa.Table, formatter: duckdb.DuckDBPyConnection) -> Answer:
    """An Arrow answer as text; DuckDB's own cast says how each value looks."""
    if not table.num_columns:
        return Answer((), ())
    names = [f"c{index}" for index in range(table.num_columns)]
    if any(chunk.offset for column in table.columns for chunk in column.chunks):
        table = table.take(pa.array(range(table.num_rows), pa.int64()))  # DuckDB takes no slices of structs
    table = table.rename_columns(names)
    formatter.register("answer", table)
    try:
        texts = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
        kinds = [str(row[1]).casefold() for row in formatter.execute("DESCRIBE answer").fetchall()]
        rows = formatter.execute(f"SELECT {texts} FROM answer").fetchall()
    finally:
        formatter.unregister("answer")
    values: list[str] = []
    for row in rows:
        values += [_text(value, kind) for value, kind in zip(row, kinds, strict=True)]
    return Answer(tuple(values), tuple(kinds))


def _text(value: Any, kind: str) -> str:
    if value is None:
        return "NULL"
    if kind == "boolean":
        return "1" if value == "true" else "0"
    return str(value).replace("\0", "\\0") or "(empty)"


def expected_values(lines: Sequence[str], columns: int, rows: int) -> tuple[str, ...]:
    """The values of an answer in a file, which stand one a line or one row a line with tabs between."""
    by_rows = (columns > 1 and len(lines) == rows) or all("\t" in line for line in lines)
    if by_rows:
        return tuple(value for line in lines for value in line.split("\t"))
    return tuple(lines)


def differs(answer: Answer, lines: Sequence[str], hashed: bool = False) -> str:
    """What differs from what the file says, in one line; empty when nothing does."""
    if len(lines) == 1 and _HASH.match(lines[0]):
        found = answer.hashed()
        return "" if found == lines[0] else f"{found}, expected {lines[0]}"
    if hashed:
        return ""
    wanted = expected_values(lines, answer.columns, answer.rows)
    if len(wanted) != len(answer.values):
        shown = ", ".join(answer.values[:6])
        return f"{len(answer.values)} values ({shown}), expected {len(wanted)} ({', '.join(wanted[:6])})"
    for index, (ours, theirs) in enumerate(zip(answer.values, wanted, strict=True)):
        if not _same(ours, theirs, answer.types[index % answer.columns]):
            place = f"row {index // answer.columns + 1}, column {index % answer.columns + 1}"
            return f"{place}: {ours[:200]!r}, expected {theirs[:200]!r}"
    return ""


def _same(ours: str, theirs: str, kind: str) -> bool:
    if ours == theirs:
        return True
    for mark, wanted in (("<REGEX>:", True), ("<!REGEX>:", False)):
        if theirs.startswith(mark):
            return (re.fullmatch(theirs[len(mark) :], ours, re.DOTALL) is not None) is wanted
    if kind == "boolean":
        return {"true": "1", "false": "0"}.get(theirs.casefold(), theirs) == ours
    if kind not in _NUMBERS and not kind.startswith("decimal"):
        return False
    try:
        if kind not in _INEXACT:
            return decimal.Decimal(ours) == decimal.Decimal(theirs)
        mine, other = float(ours), float(theirs)
    except (ValueError, decimal.InvalidOperation):
        return False
    if math.isnan(mine) or math.isnan(other):
        return math.isnan(mine) and math.isnan(other)
    # The format's own tolerance: files write floats with few digits.
    return mine == other or abs(mine - other) <= abs(other) * 0.01 + 1e-8
