"""The rules of tables, decided by the SQL engine: one query a batch of rows, one for each comparison with other rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pyarrow as pa

from luma_bench.bench.few_rows import few_rows
from luma_bench.bench.rule_values import lookup
from luma_bench.errors import ConstraintError, KadeQLError
from luma_bench.plan.engine import Engine, Inputs, SqlFragment
from luma_bench.plan.literals import identifier
from luma_bench.types.constraints import Check, DefaultExpression
from luma_bench.types.rules import TakeValues
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import ROW_ID, TableSchema, rows_relation
from luma_bench.types.sql_text import quoted

GROUP_ROWS = 1 << 17
"""Small batches are joined up to this many rows before they are computed and checked."""
_NEW = "__luma_new"
_VALUES = "__luma_values"
_FAILED = "__luma_failed"
_DUMMY = "__luma_row"


class EngineRules:
    """`RowRules` by an SQL engine.

    Parameters
    ----------
    engine
        Gives the engine when it is first needed.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def prepared(
        self, table: TableSchema, given: pa.Schema, batches: Iterator[pa.RecordBatch], take: TakeValues
    ) -> Iterator[pa.RecordBatch]:
        """Rows with everything computed and checked; see `RowRules.prepared`."""
        work = _Work(table, given.names, self._run)
        done = 0
        for group in _grouped(batches):
            computed = work.computed(group, take)
            if work.checks:
                self._check(work, computed, done)
            yield from computed.select(list(table.names)).to_batches()
            done += group.num_rows

    def refused(
        self, table: TableSchema, given: pa.Schema, batch: pa.RecordBatch
    ) -> Sequence[tuple[int, str]]:
        """The rows of a batch that a check or a generated column refuses, ascending, each with the reason."""
        work = _Work(table, given.names, self._run)
        return list(self._refused(work, table, pa.Table.from_batches([batch]), 0))

    def duplicate(
        self, table: ScanSource, columns: Sequence[str], among: pa.Table | None
    ) -> Mapping[str, object] | None:
        """Values that two rows of a table have in these columns; see `RowRules.duplicate`."""
        if among is not None and (held := few_rows(table, columns, among.select(list(columns)))) is not None:
            twice = next((values for values, count in held.items() if count > 1), None)
            return None if twice is None else dict(zip(columns, twice, strict=True))
        names = ", ".join(map(quoted, columns))
        present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
        relations: dict[str, pa.Table] = {}
        source = f"SELECT {names} FROM {quoted(table.name)} WHERE {present}"
        if among is not None:
            relations[_VALUES] = among
            source += lookup(columns[0], among.column(columns[0]))
            source = f"SELECT {names} FROM ({source}) SEMI JOIN {_VALUES} USING ({names})"
        text = f"SELECT {names} FROM ({source}) GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
        return _first(self._run(text, Inputs({table.name: table}, relations)))

    def unmatched(
        self,
        rows: pa.Table | ScanSource,
        columns: Sequence[str],
        table: ScanSource,
        referenced: Sequence[str],
    ) -> Mapping[str, object] | None:
        """Values of `columns` that no row of a table has in `referenced`; see `RowRules.unmatched`."""
        if isinstance(rows, pa.Table):
            chosen = cast("pa.Table", rows).select(list(columns))
            if (held := few_rows(table, referenced, chosen)) is not None:
                given = zip(*(column.to_pylist() for column in chosen.columns), strict=True)
                missing = next((values for values in given if values not in held), None)
                return None if missing is None else dict(zip(columns, missing, strict=True))
        sources, relations = {table.name: table}, dict[str, pa.Table]()
        wanted = f"SELECT {_renamed(referenced)} FROM {quoted(table.name)} WHERE true"
        if isinstance(rows, pa.Table):
            values = relations[_VALUES] = cast("pa.Table", rows)
            wanted += lookup(referenced[0], values.column(columns[0]))
            name = _VALUES
        else:
            sources[rows.name] = rows
            name = quoted(rows.name)
        present = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
        given = f"SELECT {_renamed(columns)} FROM {name} WHERE {present}"
        keys = ", ".join(f"k{place}" for place in range(len(columns)))
        text = f"SELECT {keys} FROM ({given}) ANTI JOIN ({wanted}) USING ({keys}) LIMIT 1"
        found = _first(self._run(text, Inputs(sources, relations)))
        return None if found is None else dict(zip(columns, found.values(), strict=True))

    def matched(self, table: ScanSource, columns: Sequence[str], values: pa.Table) -> pa.Table:
        """The distinct rows of `values` that some row of a table has in `columns`."""
        chosen = values.select(list(columns))
        if (held := few_rows(table, columns, chosen)) is not None:
            given = zip(*(column.to_pylist() for column in chosen.columns), strict=True)
            places = {key: place for place, key in enumerate(given) if key in held}
            return chosen.take(pa.array(list(places.values()), pa.int64()))
        names = ", ".join(map(quoted, columns))
        source = f"SELECT {names} FROM {quoted(table.name)} WHERE true"
        source += lookup(columns[0], values.column(columns[0]))
        text = f"SELECT DISTINCT {names} FROM {_VALUES} SEMI JOIN ({source}) USING ({names})"
        return self._run(text, Inputs({table.name: table}, {_VALUES: values}))

    def holders(
        self, rows: pa.Table, columns: Sequence[str], table: ScanSource, referenced: Sequence[str]
    ) -> np.ndarray:
        """The id of the row that each of `rows` meets in a table; see `RowRules.holders`."""
        found = np.full(rows.num_rows, -1, np.int64)
        if not rows.num_rows:
            return found
        values = rows.select(list(columns)).rename_columns([f"k{place}" for place in range(len(columns))])
        values = values.append_column("n", pa.array(np.arange(rows.num_rows)))
        keys = ", ".join(f"k{place}" for place in range(len(columns)))
        source = f"SELECT {ROW_ID} AS id, {_renamed(referenced)} FROM {quoted(rows_relation(table.name))} WHERE true"
        source += lookup(referenced[0], values.column(0))
        text = f"SELECT n, id FROM {_VALUES} JOIN ({source}) USING ({keys})"
        met = self._run(text, Inputs({table.name: table}, {_VALUES: values}))
        found[met.column(0).to_numpy()] = met.column(1).to_numpy()
        return found

    def holds(self, table: TableSchema, source: ScanSource, names: Sequence[str]) -> None:
        """Make sure that the rows of a table pass the checks of these names."""
        for check in table.rules.checks:
            if check.name not in names:
                continue
            columns = _columns(check, table) or (table.names[0],)
            shown = ", ".join(map(quoted, columns))
            text = f"SELECT {shown} FROM {quoted(source.name)} WHERE {_fails(check, table)} LIMIT 1"
            try:
                found = _first(self._run(text, Inputs({source.name: source})))
            except KadeQLError as error:
                raise _uncomputed(table, error) from error
            if found is not None:
                raise ConstraintError(
                    f"The constraint {check.name!r} does not hold for table {table.name!r}: {_text(check, table)} is FALSE "
                    f"for a row with {_pairs(found)}.",
                    hint="Nothing was changed. Correct such rows first.",
                )

    def _check(self, work: _Work, rows: pa.Table, done: int) -> None:
        """Raise for the first row that breaks a check."""
        table = work.table
        try:
            broken = work.broken(rows)
            if not broken:
                return
            number, check = work.first_failure(rows)
        except KadeQLError as error:
            raise _uncomputed(table, error) from error
        values = rows.slice(number, 1).select(list(_columns(check, table))).to_pylist()[0]
        raise ConstraintError(
            f"The constraint {check.name!r} of table {table.name!r} is violated: {_text(check, table)} is FALSE for row "
            f"{done + number:,}{f', {_pairs(values)}' if values else ''}.",
            hint="Nothing was written. Correct the row, or leave it out.",
        )

    def _refused(
        self, work: _Work, table: TableSchema, rows: pa.Table, start: int
    ) -> Iterator[tuple[int, str]]:
        """By halves where a row cannot even be computed."""
        if not rows.num_rows:
            return
        try:
            whole = work.computed(rows, _no_values)
            codes = work.failures(whole) if work.checks else []
        except (ConstraintError, KadeQLError) as error:
            if rows.num_rows == 1:
                told = error.plain if isinstance(error, KadeQLError) else error.message
                yield start, f"A constraint or generated column cannot be computed: {told}"
                return
            half = rows.num_rows // 2
            yield from self._refused(work, table, rows.slice(0, half), start)
            yield from self._refused(work, table, rows.slice(half), start + half)
            return
        for place, code in enumerate(codes):
            if code:
                check = table.rules.checks[code - 1]
                yield (
                    start + place,
                    f"The constraint {check.name!r} is violated: {_text(check, table)} is FALSE.",
                )

    def _run(self, text: str, inputs: Inputs) -> pa.Table:
        return self._engine().run(SqlFragment(text), inputs)


@dataclass(slots=True)
class _Work:
    """The queries that compute and check the rows of one write."""

    table: TableSchema
    given: Sequence[str]
    run: Callable[[str, Inputs], pa.Table]
    _once: dict[int, pa.Array] | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        return self.table.rules.checks

    def computed(self, rows: pa.Table, take: TakeValues) -> pa.Table:
        """The rows with default expressions and generated columns filled in."""
        rules, names = self.table.rules, self.table.by_id
        known = set(self.given)
        left = [item for item in rules.defaults if names[item.column] not in known]
        if not left and not rules.generated:
            return rows
        try:
            for item in left:
                rows = rows.append_column(names[item.column], self._default(item, rows.num_rows, take))
            return self._generated(rows)
        except KadeQLError as error:
            raise _uncomputed(self.table, error) from error

    def _default(self, item: DefaultExpression, count: int, take: TakeValues) -> pa.ChunkedArray | pa.Array:
        tokens = item.expression.sequences
        if not item.per_row:
            if self._once is None:
                self._once = {}
            if item.column not in self._once:
                text = f"SELECT CAST(({item.expression.sql({})}) AS {item.type}) AS v"
                self._once[item.column] = self.run(text, Inputs({})).column(0).chunk(0)
            return pa.repeat(self._once[item.column][0], count)
        held = {f"s{place}": take(token, count) for place, token in enumerate(tokens)}
        rows = pa.table(held or {_DUMMY: pa.nulls(count, pa.int8())})
        spelt = {token: f"s{place}" for place, token in enumerate(tokens)}
        text = f"SELECT CAST(({item.expression.sql({}, spelt)}) AS {item.type}) AS v FROM {_NEW}"
        return self.run(text, Inputs({}, {_NEW: rows})).column(0)

    def _generated(self, rows: pa.Table) -> pa.Table:
        """One query, whose every step may use the columns of the one before."""
        rules, names = self.table.rules, self.table.by_id
        if not rules.generated:
            return rows
        source, made = _NEW, list[str]()
        for item in rules.generated:
            name = quoted(names[item.column])
            value = f"({item.expression.sql(names)})"
            if item.type:
                value = f"CAST({value} AS {item.type})"
            source = f"(SELECT *, {value} AS {name} FROM {source})"
            made.append(name)
        used = {names[column] for item in rules.generated for column in item.expression.columns}
        found = self.run(f"SELECT {', '.join(made)} FROM {source}", Inputs({}, {_NEW: _of(rows, used)}))
        for name, column in zip(found.column_names, found.columns, strict=True):
            rows = rows.append_column(name, column)
        return rows

    def broken(self, rows: pa.Table) -> bool:
        """Whether a check is FALSE for some row."""
        conditions = " OR ".join(f"({_fails(check, self.table)})" for check in self.checks)
        text = f"SELECT coalesce(bool_or({conditions}), false) FROM {_NEW}"
        return self.run(text, Inputs({}, {_NEW: self._checked(rows)})).column(0)[0].as_py()

    def failures(self, rows: pa.Table) -> list[int]:
        """For each row the number of the first check that is FALSE, counted from 1; 0 where none is."""
        cases = " ".join(
            f"WHEN {_fails(check, self.table)} THEN {number}" for number, check in enumerate(self.checks, 1)
        )
        text = f"SELECT CASE {cases} ELSE 0 END AS {_FAILED} FROM {_NEW}"
        return self.run(text, Inputs({}, {_NEW: self._checked(rows)})).column(0).to_pylist()

    def first_failure(self, rows: pa.Table) -> tuple[int, Check]:
        """The first row for which a check is FALSE, and that check."""
        codes = self.failures(rows)
        number = next(place for place, code in enumerate(codes) if code)
        return number, self.checks[codes[number] - 1]

    def _checked(self, rows: pa.Table) -> pa.Table:
        return _of(rows, {name for check in self.checks for name in _columns(check, self.table)})


def _of(rows: pa.Table, names: set[str]) -> pa.Table:
    """The columns of these names that are there; at least one, so that the number of rows is."""
    found = [name for name in rows.column_names if name in names]
    return rows.select(found) if found else pa.table({_DUMMY: pa.nulls(rows.num_rows, pa.int8())})


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows in tables of at least `GROUP_ROWS` rows, where there are as many; bigger batches as they come."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= GROUP_ROWS:
            yield _table(waiting)
            waiting, count = [], 0
    if count:
        yield _table(waiting)


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    if batches[0].num_columns:
        return pa.Table.from_batches(batches)
    return pa.table({_DUMMY: pa.nulls(sum(batch.num_rows for batch in batches), pa.int8())})


def _fails(check: Check, table: TableSchema) -> str:
    # As DuckDB does: a condition that is no BOOLEAN counts as a whole number.
    return f"CAST(({check.expression.sql(table.by_id)}) AS INTEGER) = 0"


def _text(check: Check, table: TableSchema) -> str:
    return (
        f"CHECK ({check.expression.shown({column.id: identifier(column.name) for column in table.columns})})"
    )


def _columns(check: Check, table: TableSchema) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.id in check.expression.columns)


def _renamed(columns: Sequence[str]) -> str:
    return ", ".join(f"{quoted(name)} AS k{place}" for place, name in enumerate(columns))


def _first(found: pa.Table) -> dict[str, object] | None:
    return found.slice(0, 1).to_pylist()[0] if found.num_rows else None


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_shown(value)}" for name, value in values.items())


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _uncomputed(table: TableSchema, error: KadeQLError) -> ConstraintError:
    """An expression that fails on a value."""
    return ConstraintError(
        f"A constraint, default or generated column of table {table.name!r} cannot be computed: {error.plain}",
        hint="Nothing was written. Correct the values that it is computed from.",
    )


def _no_values(token: str, count: int) -> pa.Array:
    """Values of a sequence while rows are only looked at: none is used up."""
    return pa.nulls(count, pa.int64())
