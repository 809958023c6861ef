"""Any schema changes, writes, deletes and compactions, read back at every snapshot: against rows kept as plain Python."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from luma_bench.config import Settings
from luma_bench.errors import ConstraintError, SchemaError
from luma_bench.storage.evolve import (
    Action,
    AddColumn,
    CommentColumn,
    DropColumn,
    RenameColumn,
    SetDefault,
    SetNullable,
    WidenColumn,
)
from luma_bench.storage.scan_pieces import Source
from luma_bench.storage.store import Store
from luma_bench.types.predicate import Comparison, In, IsNull, Not, Predicate
from luma_bench.types.scan import ScanCounters

SETTINGS = Settings(inline_bytes=1_000, shard_rows=32, chunk_rows=8, threads=1, author="m")
NAMES = ["a", "b", "c", "d", "E"]
DAYS = [None, dt.date(1960, 1, 1), dt.date(2024, 2, 29), dt.date(2024, 3, 1)]


@dataclass(frozen=True)
class Kind:
    """A type of a column: its values, the SQL type of constants, and the kinds it widens to."""

    type: pa.DataType
    values: tuple[Any, ...]
    sql: str
    wider: tuple[str, ...] = ()


NUMBERS = (None, -3, 0, 7, 100)
WORDS = (None, "", "a", "b\0", "p" * 70 + "z")
KINDS = {
    "int8": Kind(pa.int8(), NUMBERS, "TINYINT", ("int16", "int64", "double", "decimal")),
    "int16": Kind(pa.int16(), (*NUMBERS, 30_000), "SMALLINT", ("int64", "double", "decimal")),
    "int64": Kind(pa.int64(), (*NUMBERS, 2**60), "BIGINT", ("decimal",)),
    "double": Kind(pa.float64(), (None, -3.0, 0.0, 7.5, float("inf")), "DOUBLE"),
    "decimal": Kind(pa.decimal128(22, 2), (None, Decimal("-3.00"), Decimal("7.50")), "DECIMAL(22,2)"),
    "coded": Kind(pa.dictionary(pa.int8(), pa.string()), WORDS, "VARCHAR", ("string", "large")),
    "string": Kind(pa.string(), WORDS, "VARCHAR", ("large", "view")),
    "large": Kind(pa.large_string(), WORDS, "VARCHAR", ("string",)),
    "view": Kind(pa.string_view(), WORDS, "VARCHAR", ("string",)),
    "date": Kind(pa.date32(), tuple(DAYS), "DATE", ("seconds", "micros")),
    "seconds": Kind(pa.timestamp("s"), tuple(day and dt.datetime(day.year, day.month, day.day) for day in DAYS), "TIMESTAMP_S", ("micros",)),
    "micros": Kind(pa.timestamp("us"), tuple(day and dt.datetime(day.year, day.month, day.day, 1, 2, 3, 4) for day in DAYS), "TIMESTAMP"),
}  # fmt: skip


def converted(value: Any, kind: str) -> Any:
    """A value as the wider kind has it."""
    if value is None:
        return None
    if kind == "double":
        return float(value)
    if kind == "decimal":
        return Decimal(value).quantize(Decimal("0.01"))
    if kind in ("seconds", "micros") and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)
    return value


@dataclass(frozen=True)
class Known:
    """What the oracle knows of a column."""

    name: str
    kind: str
    nullable: bool = True
    default: Any = None
    comment: str | None = None


Row = dict[str, Any]


@dataclass(frozen=True)
class State:
    """A table at a snapshot: its columns beside `id`, which no change touches, and its rows by that."""

    columns: tuple[Known, ...]
    rows: dict[int, Row]

    @property
    def table(self) -> list[Row]:
        """The rows as a table has them."""
        return [{"id": number, **self.rows[number]} for number in sorted(self.rows)]

    def column(self, name: str) -> Known:
        return next(column for column in self.columns if column.name == name)

    def put(self, changed: Known, name: str) -> State:
        columns = tuple(changed if column.name == name else column for column in self.columns)
        return replace(self, columns=columns)


def after(state: State, action: Action, kind: str = "") -> State:
    """What an action makes of a table; `kind` is the kind of the type that it names."""
    rows = state.rows
    match action:
        case AddColumn(name, _, nullable, default, comment):
            added = Known(name, kind, nullable, default, comment)
            return State((*state.columns, added), {i: {**row, name: default} for i, row in rows.items()})
        case DropColumn(name):
            columns = tuple(column for column in state.columns if column.name != name)
            return State(columns, {i: {k: v for k, v in row.items() if k != name} for i, row in rows.items()})
        case RenameColumn(name, to):
            moved = {i: {to if k == name else k: v for k, v in row.items()} for i, row in rows.items()}
            return replace(state, rows=moved).put(replace(state.column(name), name=to), name)
        case WidenColumn(name, _):
            old = state.column(name)
            new = replace(old, kind=kind, default=converted(old.default, kind))
            wide = {i: {**row, name: converted(row[name], kind)} for i, row in rows.items()}
            return replace(state, rows=wide).put(new, name)
        case SetDefault(name, value):
            return state.put(replace(state.column(name), default=value), name)
        case SetNullable(name, nullable):
            return state.put(replace(state.column(name), nullable=nullable), name)
        case CommentColumn(name, text):
            return state.put(replace(state.column(name), comment=text), name)
        case _:
            raise AssertionError(action)


def truth(predicate: Predicate, row: Row) -> bool | None:
    """TRUE, FALSE or NULL for one row."""
    if isinstance(predicate, Not):
        inner = truth(predicate.operand, row)
        return None if inner is None else not inner
    assert isinstance(predicate, IsNull | Comparison | In)
    value = row[predicate.column]
    if isinstance(predicate, IsNull):
        return (value is None) is not predicate.negated
    if value is None:
        return None
    key = (lambda item: item.encode()) if isinstance(value, str) else (lambda item: item)
    if isinstance(predicate, In):
        return any(key(value) == key(item) for item in predicate.values)
    held, other = key(value), key(predicate.value)
    return {
        "=": held == other, "!=": held != other, "<": held < other,
        "<=": held <= other, ">": held > other, ">=": held >= other,
    }[predicate.op]  # fmt: skip


def in_order(table: pa.Table) -> list[Row]:
    """The rows by their ids."""
    return sorted(table.to_pylist(), key=lambda row: row["id"])


class EvolveMachine(RuleBasedStateMachine):
    """One table without a key; `history` has its state at every snapshot."""

    @initialize(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=2))
    def begin(self, kinds: list[str]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(self.folder / "b", settings=SETTINGS)
        columns = tuple(Known(name, kind) for name, kind in zip(NAMES, kinds, strict=False))
        schema = pa.schema(
            [("id", pa.int64()), *((column.name, KINDS[column.kind].type) for column in columns)]
        )
        self.store.create_table(schema, "t")
        self.history = {self.store.head(): State(columns, {})}
        self.next = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> State:
        return self.history[max(self.history)]

    def committed(self, state: State) -> None:
        self.history[self.store.head()] = state

    def drawn(self, data: st.DataObject, state: State) -> tuple[pa.Table, State]:
        """New rows, and the state with them; columns that may be left out are, now and then."""
        count = data.draw(st.integers(1, 30))
        given = [
            column
            for column in state.columns
            if not (column.nullable or column.default is not None) or data.draw(st.booleans())
        ]
        arrays = {"id": pa.array(range(self.next, self.next + count), pa.int64())}
        cells: dict[str, list[Any]] = {}
        for column in given:
            kind = KINDS[column.kind]
            few = [value for value in kind.values if value is not None or column.nullable]
            random = data.draw(st.randoms(use_true_random=False))
            cells[column.name] = [random.choice(few) for _ in range(count)]
            arrays[column.name] = pa.array(cells[column.name], kind.type)
        rows = dict(state.rows)
        for i in range(count):
            rows[self.next + i] = {
                column.name: cells[column.name][i] if column.name in cells else column.default
                for column in state.columns
            }
        self.next += count
        return pa.table(arrays), replace(state, rows=rows)

    def action(self, data: st.DataObject, state: State) -> tuple[Action, State]:
        """An action that fits the table, and what it makes of it."""
        column = data.draw(st.sampled_from(state.columns))
        kind = KINDS[column.kind]
        taken = {other.name.casefold() for other in state.columns}
        free = [name for name in NAMES if name.casefold() not in taken]
        choices: list[tuple[Action, str]] = [
            (SetDefault(column.name, data.draw(st.sampled_from(kind.values))), ""),
            (CommentColumn(column.name, data.draw(st.sampled_from(["x", None]))), ""),
        ]
        if not column.nullable:
            choices.append((SetNullable(column.name, True), ""))
        elif all(row[column.name] is not None for row in state.rows.values()):
            choices.append((SetNullable(column.name, False), ""))
        if len(state.columns) > 1:
            choices.append((DropColumn(column.name), ""))
        choices += [(WidenColumn(column.name, KINDS[wide].type), wide) for wide in kind.wider]
        if free:
            new = data.draw(st.sampled_from(sorted(KINDS)))
            default = data.draw(st.sampled_from(KINDS[new].values))
            strict = default is not None and data.draw(st.booleans())
            choices.append((RenameColumn(column.name, free[0]), ""))
            choices += 2 * [(AddColumn(free[0], KINDS[new].type, not strict, default, "new"), new)]
        picked, named = data.draw(st.sampled_from(choices))
        return picked, after(state, picked, named)

    @rule(data=st.data())
    def append(self, data: st.DataObject) -> None:
        table, state = self.drawn(data, self.now)
        self.store.write("t", table, mode="append")
        self.committed(state)

    @rule(data=st.data())
    def alter(self, data: st.DataObject) -> None:
        action, state = self.action(data, self.now)
        self.store.alter("t", action)
        self.committed(state)

    @rule(data=st.data())
    def alter_amid_writes(self, data: st.DataObject) -> None:
        state = self.now
        with self.store.begin() as transaction:
            for _ in range(data.draw(st.integers(1, 2))):
                table, state = self.drawn(data, state)
                transaction.write("t", table, mode="append")
                action, state = self.action(data, state)
                transaction.alter("t", action)
                scan = self.store.scan(transaction.view(), "t")
                assert in_order(scan.read()) == state.table
        self.committed(state)

    @precondition(lambda self: self.now.rows)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(self.now.rows)), min_size=1))
        found = self.store.scan(self.store.resolve(), "t").read(["_rowid", "id"])
        mask = np.isin(found["id"].to_numpy(), sorted(gone))
        self.store.delete("t", found["_rowid"].to_numpy()[mask])
        rows = {i: row for i, row in self.now.rows.items() if i not in gone}
        self.committed(replace(self.now, rows=rows))

    @rule()
    def compact(self) -> None:
        self.store.compact("t", retention=10**6)
        for snapshot in range(max(self.history) + 1, self.store.head() + 1):
            self.history[snapshot] = self.now

    @precondition(
        lambda self: any(row[c.name] is None for row in self.now.rows.values() for c in self.now.columns)
    )
    @rule()
    def not_null_is_refused(self) -> None:
        name = next(
            column.name
            for column in self.now.columns
            if any(row[column.name] is None for row in self.now.rows.values())
        )
        with pytest.raises(ConstraintError):
            self.store.alter("t", SetNullable(name, False))
        with pytest.raises(SchemaError):
            self.store.alter("t", AddColumn("z", pa.int8(), nullable=False))

    @rule(data=st.data())
    def filter(self, data: st.DataObject) -> None:
        snapshot = data.draw(st.sampled_from(sorted(self.history)))
        state = self.history[snapshot]
        column = data.draw(st.sampled_from(state.columns))
        kind = KINDS[column.kind]
        constant = data.draw(st.sampled_from([value for value in kind.values if value is not None]))
        predicate: Predicate = data.draw(
            st.sampled_from(
                [
                    *[Comparison(column.name, op, constant, kind.sql) for op in ("=", "!=", "<", "<=", ">", ">=")],
                    In(column.name, (constant, constant), kind.sql),
                    IsNull(column.name),
                    IsNull(column.name, True),
                ]
            )
        )  # fmt: skip
        if data.draw(st.booleans()):
            predicate = Not(predicate)
        scan = self.store.scan(self.store.resolve(snapshot), "t")
        assert scan.accepts(predicate)
        found = scan.stream(None, [predicate], ScanCounters()).read_all()
        found.validate(full=True)
        wanted = [row for row in state.table if truth(predicate, row) is True]
        assert in_order(found.drop_columns(["_rowid"])) == wanted

    @invariant()
    def every_snapshot_reads_as_it_was(self) -> None:
        newest = sorted(self.history)[-2:]
        for snapshot in {*newest, min(self.history)}:
            state = self.history[snapshot]
            scan = self.store.scan(self.store.resolve(snapshot), "t")
            found = scan.read()
            found.validate(full=True)
            assert [
                (c.name, c.type, c.nullable, c.comment, None if c.default is None else c.default.as_py())
                for c in scan.table.columns[1:]
            ] == [(c.name, KINDS[c.kind].type, c.nullable, c.comment, c.default) for c in state.columns]
            assert found.schema == scan.table.arrow
            assert in_order(found) == state.table
            streamed = scan.stream(None, [], ScanCounters()).read_all()
            assert in_order(streamed.drop_columns(["_rowid"])) == state.table


@pytest.fixture(autouse=True)
def _every_predicate_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "worthwhile", lambda *_: True)


def run(examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        EvolveMachine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None),
    )


def test_any_changes_read_back_at_every_snapshot() -> None:
    run(12, 15)


@pytest.mark.slow
def test_any_changes_read_back_at_every_snapshot_at_length() -> None:
    run(300, 30)
