"""What of an answer is kept beside it, so that another run can be held against it: schema, rows, and a digest of its values.

The digest does not depend on the order of rows unless the statement says ORDER BY, and not on rounding: sums that were added up
in another order are equal. See `digest` for how values are hashed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.notebook.pinned.digest import Hashes, column_hashes, has_floats, joined, mixed, significant
from luma_bench.notebook.pinned.order import Order

VERSION = 1
MOST_VALUES = 500_000
"""Values of an answer beyond which its digest is left out, unless the notebook is pinned."""
MOST_COLUMNS = 64
"""Columns that are named, and have digests of their own; wider answers have those of the whole."""


@dataclass(frozen=True, slots=True)
class Moments:
    """A column of floating-point numbers in a few: they change when a value does, and hardly when it is rounded.

    `total` is the sum of the values' logarithms with their signs, each weighted by a hash of the row's other columns: a change
    of one value counts by how large it is beside that value, not beside the others.
    """

    total: float
    least: float
    most: float
    odd: tuple[int, int, int]
    """How many values are NaN, infinite, NULL."""


@dataclass(frozen=True, slots=True)
class Content:
    """Digests of an answer's values; each is a pair, one of each grid, or a single one where nothing is floating-point.

    Attributes
    ----------
    rows
        Of the rows, in no order.
    exact
        Of the rows without their floating-point columns.
    order
        Of the order, None where none is promised.
    columns
        Of every column, in no order.
    floats
        The moments of floating-point columns by index.
    """

    rows: tuple[str, ...]
    exact: str
    order: tuple[str, ...] | None
    columns: tuple[tuple[str, ...], ...]
    floats: Mapping[int, Moments] = field(default_factory=dict[int, Moments])


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
                "exact": content.exact,
                "order": None if content.order is None else list(content.order),
                "columns": [list(column) for column in content.columns],
                "floats": {
                    str(index): [one.total, one.least, one.most, *one.odd]
                    for index, one in content.floats.items()
                },
            }
        return made

    @classmethod
    def from_json(cls, data: object) -> Fingerprint | None:
        """What `to_json` made; None for anything else, or what another version made."""
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            return None
        try:
            kept: Any = data.get("content")
            content = None
            if kept is not None:
                content = Content(
                    tuple(kept["rows"]),
                    kept["exact"],
                    None if kept["order"] is None else tuple(kept["order"]),
                    tuple(tuple(column) for column in kept["columns"]),
                    {
                        int(index): Moments(*map(float, one[:3]), odd=(int(one[3]), int(one[4]), int(one[5])))
                        for index, one in kept["floats"].items()
                    },
                )
            columns = tuple((str(name), str(kind)) for name, kind in data["columns"])
            return cls(
                str(data["statement"]), int(data["snapshot"]), int(data["rows"]), str(data["schema"]), columns, content
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
    count = table.num_rows
    columns: list[tuple[str, ...]] = []
    floats: dict[int, Moments] = {}
    loose = [has_floats(item.type) for item in table.schema]
    grids = 2 if any(loose) else 1
    rows = [np.zeros(count, np.uint64) for _ in range(grids)]
    keys = [np.zeros(count, np.uint64) for _ in range(grids)]
    exact = np.zeros(count, np.uint64)
    chosen = set(range(table.num_columns) if order is None or not order.keys else order.keys)
    with np.errstate(over="ignore"):
        for index, column in enumerate(table.columns):
            hashes = [column_hashes(column, grid) for grid in range(2 if loose[index] else 1)]
            place = np.uint64(index + 1)
            for grid in range(grids):
                here = hashes[min(grid, len(hashes) - 1)]
                rows[grid] = joined(rows[grid] + place, here)
                if order is not None and index in chosen:
                    keys[grid] = joined(keys[grid] + place, here)
            if not loose[index]:
                exact = joined(exact + place, hashes[0])
            if index < MOST_COLUMNS:
                columns.append(tuple(_multiset(here) for here in hashes))
        for index, column in enumerate(table.columns[:MOST_COLUMNS]):
            if pa.types.is_floating(column.type):
                floats[index] = _moments(column, exact)
        ordered = tuple(_sequence(here) for here in keys) if order is not None else None
        return Content(
            tuple(_multiset(here) for here in rows), _multiset(exact), ordered, tuple(columns), floats
        )


def _moments(column: pa.ChunkedArray, exact: Hashes) -> Moments:
    values = np.asarray(column.cast(pa.float64()).fill_null(0.0)).astype(np.float64)
    finite = np.isfinite(values)
    nan = int(np.isnan(values).sum())
    odd = (nan, int(len(values) - finite.sum()) - nan, int(column.null_count))
    weights = (mixed(exact) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 0.5
    kept = significant(values, finite)
    # Every finite logarithm is above -1,100, so that the sign of what is summed is the value's.
    logarithms = np.log2(np.abs(kept), where=kept != 0, out=np.full(len(kept), -1100.0)) + 1100.0
    total = float(np.sum(np.copysign(logarithms, kept) * weights))
    bounds = kept[finite]
    least, most = (float(bounds.min()), float(bounds.max())) if len(bounds) else (0.0, 0.0)
    return Moments(total, least, most, odd)


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
