"""What of an answer is kept beside it, so that another run can be held against it: schema, rows, and a digest of its values.

The digest does not depend on the order of rows unless the statement says ORDER BY, and not on rounding: each row is hashed with
its floating-point values cut to their first bits, on two grids, and answers are the same when all their rows are on one of
them. So sums that were added up in another order are equal, and a value that lies on an edge of both grids says that an answer
differs which does not, never the other way. See `digest` for how values are hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa

from luma_bench.notebook.pinned.digest import (
    COARSE,
    GRIDS,
    Grid,
    Hashes,
    column_hashes,
    has_floats,
    joined,
    mixed,
)
from luma_bench.notebook.pinned.order import Order

VERSION = 1
MOST_VALUES = 500_000
"""Values of an answer beyond which its digest is left out, unless the notebook is pinned."""
MOST_COLUMNS = 64
"""Columns that are named, and have digests of their own; wider answers have those of the whole."""


@dataclass(frozen=True, slots=True)
class Content:
    """Digests of an answer's values; each is one of each grid, or a single one where nothing is floating-point.

    Attributes
    ----------
    rows
        Of whole rows, in no order.
    coarse
        The same on the coarser grids; empty where nothing is floating-point.
    order
        Of the order, None where none is promised.
    columns
        Of each of the first columns, in no order: they only tell which of them differ.
    """

    rows: tuple[str, ...]
    coarse: tuple[str, ...]
    order: tuple[str, ...] | None
    columns: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of one answer.

    `columns` are the names and types of the first columns, `schema` a digest of all; `content` is None for an answer that was
    too large to be read again only for this.
    """

    statement: str
    snapshot: int
    rows: int
    schema: str
    columns: tuple[tuple[str, str], ...]
    content: Content | None

    def to_json(self) -> dict[str, Any]:
        """As it stands in an output's metadata."""
        made: dict[str, Any] = {
            "version": VERSION,
            "statement": self.statement,
            "snapshot": self.snapshot,
            "rows": self.rows,
            "schema": self.schema,
            "columns": [list(column) for column in self.columns],
        }
        if self.content is not None:
            content = self.content
            made["content"] = {
                "rows": list(content.rows),
                "coarse": list(content.coarse),
                "order": None if content.order is None else list(content.order),
                "columns": [list(column) for column in content.columns],
            }
        return made

    @classmethod
    def from_json(cls, data: object) -> Fingerprint | None:
        """What `to_json` made; None for anything else, or what another version made."""
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            return None
        try:
            columns = tuple((_text(name), _text(kind)) for name, kind in data["columns"])
            kept: Any = data.get("content")
            content = None
            if kept is not None:
                order = None if kept["order"] is None else _texts(kept["order"])
                values = tuple(_texts(column) for column in kept["columns"])
                content = Content(_texts(kept["rows"]), _texts(kept["coarse"]), order, values)
            return cls(
                _text(data["statement"]), _count(data["snapshot"]), _count(data["rows"]), _text(data["schema"]), columns, content
            )  # fmt: skip
        except (KeyError, IndexError, TypeError, ValueError):
            return None


def statement_digest(text: str, params: Mapping[str, object] | None) -> str:
    """A digest of a statement and of the values of its parameters."""
    values = json.dumps(params or {}, sort_keys=True, default=repr, ensure_ascii=False)
    return _hex(hashlib.sha256(f"{text.strip()}\0{values}".encode("utf-8", "surrogatepass")).digest())


def fingerprint(
    table: pa.Table,
    *,
    statement: str,
    snapshot: int,
    order: Order | None = None,
    most_values: int | None = MOST_VALUES,
) -> Fingerprint:
    """Read an answer once and keep what tells it from others.

    Parameters
    ----------
    table
        The rows as the engine gave them.
    statement
        What `statement_digest` gave.
    snapshot
        The snapshot that was read.
    order
        The order that the statement promises.
    most_values
        Values beyond which there is no content; None for no limit.
    """
    kinds = [(item.name, str(item.type)) for item in table.schema]
    schema = _hex(hashlib.sha256(json.dumps(kinds).encode("utf-8", "surrogatepass")).digest())
    small = most_values is None or table.num_rows * table.num_columns <= most_values
    content = content_of(table, order) if small else None
    return Fingerprint(statement, snapshot, table.num_rows, schema, tuple(kinds[:MOST_COLUMNS]), content)


def content_of(table: pa.Table, order: Order | None) -> Content:
    """The digests of a table's values."""
    loose = [has_floats(item.type) for item in table.schema]
    grids: tuple[Grid, ...] = (*GRIDS, *COARSE) if any(loose) else GRIDS[:1]
    fine = min(len(grids), len(GRIDS))
    chosen = set(range(table.num_columns) if order is None or not order.keys else order.keys)
    rows = [np.zeros(table.num_rows, np.uint64) for _ in grids]
    keys = [np.zeros(table.num_rows, np.uint64) for _ in range(fine)]
    columns: list[tuple[str, ...]] = []
    with np.errstate(over="ignore"):
        for index, column in enumerate(table.columns):
            hashes = [column_hashes(column, grid) for grid in (grids if loose[index] else grids[:1])]
            place = np.uint64(index + 1)
            for number in range(len(grids)):
                here = hashes[min(number, len(hashes) - 1)]
                rows[number] = joined(rows[number] + place, here)
                if order is not None and index in chosen and number < fine:
                    keys[number] = joined(keys[number] + place, here)
            if index < MOST_COLUMNS:
                columns.append(tuple(_multiset(here)[:16] for here in hashes[:fine]))
    digests = [_multiset(here) for here in rows]
    ordered = tuple(_sequence(here) for here in keys) if order is not None else None
    return Content(tuple(digests[:fine]), tuple(digests[fine:]), ordered, tuple(columns))


def _multiset(hashes: Hashes) -> str:
    """A digest that does not depend on the order: two sums, so that no chance of 2**-64 decides alone."""
    with np.errstate(over="ignore"):
        sums = np.array([np.sum(hashes, dtype=np.uint64), np.sum(mixed(hashes), dtype=np.uint64)], np.uint64)
    return _hex(sums.astype("<u8").tobytes())


def _sequence(hashes: Hashes) -> str:
    with np.errstate(over="ignore"):
        return _multiset(mixed(hashes + mixed(np.arange(len(hashes), dtype=np.uint64))))


def _hex(data: bytes) -> str:
    return data[:16].hex()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(values)
    return tuple(map(_text, cast("list[object]", values)))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value
