"""What is not the same in two results: columns, rows that came and went, values that changed; found by the engine."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench import display
from luma_bench.bench.cells import type_text
from luma_bench.bench.diff_close import close, comparable, holds, is_number
from luma_bench.bench.diff_pairing import Ints, unpaired
from luma_bench.bench.diff_sql import (
    AFTER,
    BEFORE,
    CAME,
    GONE,
    NUMBER,
    Pair,
    changed_sql,
    duplicates_sql,
    groups_sql,
    missing_sql,
    surplus_sql,
)
from luma_bench.bench.grid import count_text
from luma_bench.errors import SchemaError, UnsupportedError

Run = Callable[..., pa.Table]
"""Runs a SELECT text over tables by name."""

TOLERANCE = 1e-9
"""How far floating-point values may be apart, relative to the larger one, and still be equal."""


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column of which the type changed."""

    name: str
    before: pa.DataType
    after: pa.DataType


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a difference, and how many values of each column changed; see `Diff`."""

    added: pa.Table
    removed: pa.Table
    changed: pa.Table
    counts: dict[str, int]
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference of two results: what must be done to the first to get the second.

    Attributes
    ----------
    key
        The columns that rows are known by; without a key a row is its values, as often as it occurs.
    columns_added, columns_removed, columns_retyped
        What changed in the schema.
    added, removed
        Rows that only the second, only the first result has, as Arrow tables of that result's columns.
    changed
        With a key: rows whose key both have and whose values differ: the key, then each changed column's values before and
        after, NULL where they are the same. Without a key it has no rows: such a row is removed and added.
    changed_columns
        How many values of each column changed.
    rows_before, rows_after
        How many rows there were.
    undecided
        Without a key: how many removed rows may have a counterpart within the tolerance among the added ones, since they were
        not held against all of them.
    """

    key: tuple[str, ...]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_retyped: tuple[Retyped, ...]
    added: pa.Table
    removed: pa.Table
    changed: pa.Table
    changed_columns: dict[str, int]
    rows_before: int
    rows_after: int
    undecided: int = 0

    @property
    def same_schema(self) -> bool:
        """Whether columns and types are the same."""
        return not (self.columns_added or self.columns_removed or self.columns_retyped)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.same_schema and not (len(self.added) or len(self.removed) or len(self.changed))

    @property
    def summary(self) -> str:
        """The difference in one line."""
        if self.same:
            return f"The same: {count_text(self.rows_before, 'row')}."
        counts = ((self.added, "added"), (self.removed, "removed"), (self.changed, "changed"))
        said = [f"{count_text(len(rows), 'row')} {what}" for rows, what in counts if len(rows)]
        if not said:
            whole = self.rows_before == self.rows_after == 0
            said = ["no rows" if whole else "the same rows in the columns that both have"]
        columns = (
            (self.columns_added, "added"), (self.columns_removed, "removed"), (self.columns_retyped, "retyped")
        )  # fmt: skip
        parts = [f"{count_text(len(names), 'column')} {what}" for names, what in columns if names]
        how = f", by {', '.join(self.key)}" if self.key else ""
        counted = f"{count_text(self.rows_before, 'row')} before, {self.rows_after:,} after"
        unsure = (
            f" · {self.undecided:,} of the removed rows may be among the added ones within the tolerance: give a key"
            if self.undecided
            else ""
        )
        return f"{', '.join([*parts, *said])}{how} · {counted}{unsure}."

    def __repr__(self) -> str:
        parts = [self.summary, *self._schema_lines()]
        for heading, rows in self._sections():
            parts += [f"\n{heading}", display.table_text(rows)]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<div>{display.escaped(line)}</div>" for line in [self.summary, *self._schema_lines()]
        )
        tables = "".join(
            f'<div class="luma-heading">{display.escaped(heading)}</div>{display.table_html(rows)}'
            for heading, rows in self._sections()
        )
        return display.wrapped(lines + tables)

    def _schema_lines(self) -> list[str]:
        lines = [f"New column: {display.one_line(name)}." for name in self.columns_added]
        lines += [f"Column that is gone: {display.one_line(name)}." for name in self.columns_removed]
        return lines + [
            f"Column {display.one_line(one.name)} was {type_text(one.before)} and is {type_text(one.after)}."
            for one in self.columns_retyped
        ]

    def _sections(self) -> list[tuple[str, pa.Table]]:
        counts = ", ".join(
            f"{display.one_line(name)} {count:,}" for name, count in self.changed_columns.items()
        )
        found = (("Added", self.added), ("Removed", self.removed), (f"Changed ({counts})", self.changed))
        return [(heading, rows) for heading, rows in found if len(rows)]


def diff(
    before: pa.Table, after: pa.Table, run: Run, *, key: str | Sequence[str] | None = None, tolerance: float = TOLERANCE
) -> Diff:  # fmt: skip
    """Hold two tables against one another.

    Parameters
    ----------
    before, after
        The tables.
    run
        Runs a SELECT over tables by name.
    key
        The columns that rows are known by; None compares rows as wholes.
    tolerance
        How far floating-point values may be apart, relative to the larger one; 0 takes them as they are.

    Raises
    ------
    SchemaError
        A key column is missing, its types cannot be compared, or several rows have one key.
    UnsupportedError
        The tolerance is negative, or not a finite number.
    """
    # A caller's mistake is told before the engine sees it.
    if (
        isinstance(tolerance, bool)
        or not isinstance(tolerance, numbers.Real)
        or not 0 <= tolerance < math.inf
    ):
        raise UnsupportedError(
            f"tolerance={tolerance!r} is no tolerance.", hint="Give 0 or more, such as tolerance=1e-6."
        )
    tolerance = float(tolerance)
    keys = (key,) if isinstance(key, str) else tuple(key or ())
    pairs = _pairs(before, after, tolerance)
    for name in keys:
        if name not in {pair.name for pair in pairs}:
            known = [pair.name for pair in pairs]
            raise SchemaError.unknown_column(name, known, "both results")
    tables = {BEFORE: _numbered(before), AFTER: _numbered(after)}

    def ask(text: str, **more: pa.Table) -> pa.Table:
        return run(text, tables={**tables, **more})

    parts = _by_key(before, after, pairs, keys, ask) if keys else _as_wholes(before, after, pairs, ask)
    old, new = _named(before), _named(after)
    both = [(name, old[name], new[name]) for name in old if name in new]
    return Diff(
        keys,
        tuple(name[0] for name in new if name not in old),
        tuple(name[0] for name in old if name not in new),
        tuple(
            Retyped(name[0], before.schema.field(one).type, after.schema.field(two).type)
            for name, one, two in both
            if before.schema.field(one).type != after.schema.field(two).type
        ),
        parts.added,
        parts.removed,
        parts.changed,
        parts.counts,
        before.num_rows,
        after.num_rows,
        parts.undecided,
    )


def _by_key(
    before: pa.Table, after: pa.Table, pairs: Sequence[Pair], names: Sequence[str], ask: Run
) -> Parts:
    keys = [next(pair for pair in pairs if pair.name == name) for name in names]
    rest = [pair for pair in pairs if pair not in keys]
    for side, label in ((BEFORE, "first"), (AFTER, "second")):
        found = ask(duplicates_sql(keys, side))
        if found.num_rows:
            values = ", ".join(
                f"{name} = {value}" for name, value in zip(names, found.to_pylist()[0].values(), strict=False)
            )
            raise SchemaError(
                f"The {label} result has several rows with one key: {values}.",
                hint="Give more columns as the key, or none to compare rows as wholes.",
            )
    removed = _taken(before, ask(missing_sql(keys, BEFORE)))
    added = _taken(after, ask(missing_sql(keys, AFTER)))
    if not rest:
        return Parts(added, removed, _changed(before, after, keys, [], pa.table({})), {})
    found = _looked_again(before, after, rest, ask(changed_sql(keys, rest)))
    moved = [pair for index, pair in enumerate(rest) if pc.any(found.column(f"d{index}")).as_py()]
    counts = {
        pair.name: int(pc.sum(found.column(f"d{rest.index(pair)}").cast(pa.int64())).as_py())
        for pair in moved
    }
    places = {pair.name: f"d{rest.index(pair)}" for pair in moved}
    changed = _changed(before, after, keys, [(pair, places[pair.name]) for pair in moved], found)
    return Parts(added, removed, changed, counts)


def _looked_again(before: pa.Table, after: pa.Table, rest: Sequence[Pair], found: pa.Table) -> pa.Table:
    """The rows that differ, less what is only apart within the tolerance inside of lists and structs."""
    flags = {index: pair for index, pair in enumerate(rest) if pair.nested}
    for index, pair in flags.items():
        apart = np.array(found.column(f"d{index}"))
        here = np.flatnonzero(apart)
        rows = found.take(pa.array(here))
        one = before.column(pair.before).take(rows.column("n_before"))
        two = after.column(pair.after).take(rows.column("n_after"))
        apart[here] = ~close(one, two, pair.tolerance)
        place = found.column_names.index(f"d{index}")
        found = found.set_column(place, f"d{index}", pa.array(apart))
    if not flags:
        return found
    some = np.zeros(found.num_rows, np.bool_)
    for index in range(len(rest)):
        some |= np.asarray(found.column(f"d{index}"))
    return found.filter(pa.array(some))


def _changed(
    before: pa.Table,
    after: pa.Table,
    keys: Sequence[Pair],
    moved: Sequence[tuple[Pair, str]],
    found: pa.Table,
) -> pa.Table:
    """The rows that changed: keys, then each changed column before and after, NULL where that value is the same."""
    columns: list[Any] = []
    names: list[str] = []
    olds = found.column("n_before") if moved else pa.array([], pa.int64())
    news = found.column("n_after") if moved else pa.array([], pa.int64())
    for pair in keys:
        columns.append(before.column(pair.before).take(olds))
        names.append(pair.name)
    for pair, flag in moved:
        apart = found.column(flag)
        for table, index, rows, word in (
            (before, pair.before, olds, "before"),
            (after, pair.after, news, "after"),
        ):
            values = table.column(index).take(rows)
            columns.append(pc.if_else(apart, values, pa.scalar(None, values.type)))
            names.append(f"{pair.name} {word}")
    return pa.Table.from_arrays(columns, names=names)


def _as_wholes(before: pa.Table, after: pa.Table, pairs: Sequence[Pair], ask: Run) -> Parts:
    nothing = _changed(before, after, [], [], pa.table({}))
    gone, came = (np.asarray(ask(surplus_sql(pairs, side)).column(NUMBER)) for side in (BEFORE, AFTER))
    undecided = 0
    loose = [pair for pair in pairs if pair.loose]
    if len(gone) and len(came) and loose:
        groups = _groups(before, after, gone, came, [pair for pair in pairs if not pair.loose], ask)
        old, new = before.take(pa.array(gone)), after.take(pa.array(came))
        columns = [(old.column(pair.before), new.column(pair.after)) for pair in loose]
        left = unpaired(groups, columns, loose[0].tolerance)
        gone, came, undecided = gone[left.before], came[left.after], left.undecided
    return Parts(after.take(pa.array(came)), before.take(pa.array(gone)), nothing, {}, undecided)


def _groups(
    before: pa.Table, after: pa.Table, gone: Ints, came: Ints, exact: Sequence[Pair], ask: Run
) -> tuple[Ints, Ints]:
    """A number for each row that is left on either side, the same for rows that agree in all columns that are exact."""
    if not exact:
        return np.zeros(len(gone), np.int64), np.zeros(len(came), np.int64)
    left = {GONE: _numbered(before, gone), CAME: _numbered(after, came)}
    found = np.asarray(ask(groups_sql(exact), **left).column("g")).astype(np.int64)
    return found[: len(gone)], found[len(gone) :]


def _pairs(before: pa.Table, after: pa.Table, tolerance: float) -> list[Pair]:
    """The columns that both tables have, by name and, of equal names, by order."""
    found: list[Pair] = []
    new = _named(after)
    for name, index in _named(before).items():
        if name not in new:
            continue
        one, two = before.schema.field(index).type, after.schema.field(new[name]).type
        loose = tolerance > 0 and comparable(one, two) and (
            holds(one, pa.types.is_floating) or holds(two, pa.types.is_floating)
        )  # fmt: skip
        scalar = is_number(one) and is_number(two)
        as_text = (
            (one != two and not scalar)
            or holds(one, pa.types.is_interval)
            or holds(two, pa.types.is_interval)
        )
        found.append(
            Pair(name[0], index, new[name], loose and scalar, loose and not scalar, tolerance, as_text)
        )
    return found


def _named(table: pa.Table) -> dict[tuple[str, int], int]:
    """The index of each column by its name and how many of that name came before."""
    seen: dict[str, int] = {}
    found: dict[tuple[str, int], int] = {}
    for index, name in enumerate(table.column_names):
        found[name, seen.get(name, 0)] = index
        seen[name] = seen.get(name, 0) + 1
    return found


def _numbered(table: pa.Table, rows: Ints | None = None) -> pa.Table:
    """The table with columns `c0`, `c1`, … and each row's number; of some rows only, where `rows` says which."""
    numbers = pa.array(np.arange(table.num_rows) if rows is None else rows, pa.int64())
    chosen = table if rows is None else table.take(numbers)
    names = [f"c{index}" for index in range(table.num_columns)]
    return chosen.rename_columns(names).append_column(NUMBER, numbers)


def _taken(table: pa.Table, found: pa.Table) -> pa.Table:
    return table.take(found.column(NUMBER))
