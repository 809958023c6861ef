"""Schema actions: what each makes of a schema, what is refused, and how older rows read through the new schema."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from evolve_cases import ADDED, fitted, opened
from segment_cases import written

from luma_bench.errors import CatalogError, ConstraintError, LumaError, SchemaError
from luma_bench.storage import evolve
from luma_bench.storage.catalog.schema import decode_column, encode_field
from luma_bench.storage.evolve import (
    AddColumn,
    CommentColumn,
    CommentTable,
    DropColumn,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNullable,
    SetSettings,
    WidenColumn,
    evolved,
    evolved_all,
    needs_null_check,
)
from luma_bench.storage.evolve_check import check_evolved, needs_check
from luma_bench.storage.evolve_types import widens
from luma_bench.storage.evolve_values import encode_value
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import InlineBlob
from luma_bench.storage.scan_pieces import Source
from luma_bench.types.schema import Column, TableSchema, TableSettings

TABLE = TableSchema(
    1,
    "trips",
    (
        Column(1, "id", pa.int32(), nullable=False),
        Column(2, "at", pa.timestamp("s"), nullable=False),
        Column(3, "price", pa.decimal128(6, 2)),
        Column(5, "town", pa.string(), comment="where to"),
    ),
    TableSettings(primary_key=("id",), time_column="at", series_key=("town",)),
)


@pytest.fixture
def pool() -> Iterator[BufferPool]:
    held = BufferPool(1 << 24, 2)
    yield held
    held.close()


@pytest.fixture
def _every_predicate_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "worthwhile", lambda *_: True)


def test_a_column_is_added_with_its_default_for_old_and_new_rows() -> None:
    made = evolved(TABLE, AddColumn("note", pa.string(), default="-", comment="why"), 7).columns[-1]
    assert (made.id, made.name, made.comment) == (7, "note", "why")
    assert made.initial == made.default == pa.scalar("-")
    assert evolved(TABLE, AddColumn("n", pa.int8()), 7).columns[-1].initial is None
    later = evolved(evolved(TABLE, AddColumn("n", pa.int8(), False, 1), 7), SetDefault("n", 2), 8)
    assert (later.columns[-1].initial.as_py(), later.columns[-1].default.as_py()) == (1, 2)


def test_a_rename_keeps_the_id_and_moves_the_settings() -> None:
    actions = [RenameColumn("id", "Key"), RenameColumn("at", "when"), RenameColumn("town", "Town")]
    made = evolved_all(TABLE, actions, 9)
    assert [column.id for column in made.columns] == [1, 2, 3, 5]
    assert made.settings == TableSettings(primary_key=("Key",), time_column="when", series_key=("Town",))


def test_a_name_that_was_dropped_names_another_column() -> None:
    made = evolved_all(TABLE, [DropColumn("price"), AddColumn("price", pa.decimal128(6, 2))], 9)
    assert [(column.id, column.name) for column in made.columns] == [
        (1, "id"),
        (2, "at"),
        (5, "town"),
        (9, "price"),
    ]


def test_the_other_actions() -> None:
    made = evolved_all(
        TABLE,
        [
            CommentTable("all of them"),
            CommentColumn("town", None),
            CommentColumn("price", "in euro"),
            RenameTable("rides"),
            SetNullable("price", False),
            SetSettings(time_column=None, series_key=(), sort_by="price", codec="exchange"),
            DropColumn("at"),
        ],
        9,
    )
    assert (made.name, made.comment, made.id) == ("rides", "all of them", 1)
    assert [column.comment for column in made.columns] == [None, "in euro", None]
    assert not made.column("price").nullable
    assert made.settings == TableSettings(("id",), ("price",), None, (), "exchange")
    assert needs_null_check(SetNullable("price", False))
    assert not needs_null_check(SetNullable("price", True))
    assert evolved(TABLE, SetSettings(), 9) == TABLE
    assert evolved(TABLE, WidenColumn("price", pa.decimal128(6, 2)), 9) == TABLE


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (AddColumn("town", pa.string()), "already"),
        (AddColumn("TOWN", pa.string()), "'town' in case alone"),
        (AddColumn("", pa.string()), "empty"),
        (AddColumn("a\0b", pa.string()), "NUL"),
        (AddColumn("_rowid", pa.int64()), "row id"),
        (AddColumn("__luma_x", pa.int64()), "reserved"),
        (AddColumn(3, pa.int64()), "text"),  # type: ignore[arg-type]
        (AddColumn("n", pa.int64(), nullable=False), "Give it a default"),
        (AddColumn("n", pa.float16()), "float32"),
        (AddColumn("n", pa.decimal256(50, 2)), "decimal128"),
        (AddColumn("n", pa.duration("ns")), "duration"),
        (AddColumn("n", pa.int8(), default=300), "no int8"),
        (AddColumn("n", pa.int8(), default=1.5), "no int8"),
        (AddColumn("n", pa.timestamp("s"), default=dt.datetime(2024, 1, 1, 0, 0, 0, 1)), "no timestamp"),
        (
            AddColumn("n", pa.timestamp("s"), default=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
            "time zone",
        ),
        (AddColumn("n", pa.map_(pa.string(), pa.int8()), default=[("a", 1), ("a", 2)]), "twice"),
        (SetDefault("price", "dear"), "no decimal128"),
        (SetDefault("pryce", 1), "'price'"),
        (DropColumn("nope"), "There is no column"),
        (DropColumn("id"), "primary key"),
        (DropColumn("at"), "time_column"),
        (DropColumn("town"), "series_key"),
        (RenameColumn("price", "Town"), "case alone"),
        (RenameColumn("price", " "), "empty"),
        (WidenColumn("id", pa.int64()), "primary key"),
        (WidenColumn("price", pa.decimal128(5, 2)), "does not widen"),
        (WidenColumn("price", pa.float64()), "does not widen"),
        (WidenColumn("town", pa.int64()), "does not widen"),
        (WidenColumn("at", pa.timestamp("us", "UTC")), "does not widen"),
        (SetNullable("id", True), "primary key"),
        (SetSettings(sort_by=("nope",)), "sort_by"),
        (SetSettings(time_column="town"), "no time"),
        (SetSettings(codec="zip"), "codec"),
        (RenameTable("__luma_t"), "reserved"),
        (RenameTable(""), "empty"),
        (CommentTable(3), "text"),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_what_is_refused(action: evolve.Action, message: str) -> None:
    with pytest.raises((SchemaError, CatalogError), match=message) as caught:
        evolved(TABLE, action, 9)
    assert caught.value.hint


def test_the_last_column_stays() -> None:
    with pytest.raises(SchemaError, match="last column"):
        evolved(TableSchema(1, "t", (Column(1, "a", pa.int8()),)), DropColumn("a"), 2)


def test_a_rename_may_change_case_alone() -> None:
    assert evolved(TABLE, RenameColumn("town", "TOWN"), 9).names[-1] == "TOWN"


INTEGERS = [getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("old", INTEGERS, ids=str)
def test_integers_widen_where_both_ends_of_their_range_fit(old: pa.DataType) -> None:
    low, high = (getattr(np.iinfo(old.to_pandas_dtype()), end) for end in ("min", "max"))
    decimals = [pa.decimal128(38, 0), pa.decimal128(10, 2), pa.decimal64(18, 0), pa.decimal32(5, 1)]
    for new in [*INTEGERS, pa.float32(), pa.float64(), *decimals]:
        if new == old:
            continue
        try:
            ends = pa.array([int(low), int(high), int(high) - 1], old)
            kept = ends.cast(new).cast(pa.decimal128(38, 2)).cast(pa.int64() if high < 2**63 else pa.uint64())
            fits = kept.to_pylist() == ends.to_pylist()
        except pa.ArrowInvalid:
            fits = False
        assert widens(old, new) == fits, (old, new)


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        (pa.float32(), pa.float64(), True),
        (pa.float64(), pa.float32(), False),
        (pa.decimal128(5, 2), pa.decimal128(6, 2), True),
        (pa.decimal128(5, 2), pa.decimal32(5, 2), True),
        (pa.decimal128(5, 2), pa.decimal128(6, 3), True),
        (pa.decimal128(5, 2), pa.decimal128(5, 3), False),
        (pa.decimal128(5, 2), pa.decimal128(9, 1), False),
        (pa.date32(), pa.timestamp("ms"), True),
        (pa.date32(), pa.timestamp("ms", "UTC"), False),
        (pa.timestamp("us"), pa.timestamp("ms"), False),
        (pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC"), True),
        (pa.time32("s"), pa.time64("ns"), True),
        (pa.time64("us"), pa.time32("ms"), False),
        (pa.duration("s"), pa.duration("us"), True),
        (pa.string(), pa.string_view(), True),
        (pa.large_string(), pa.string(), True),
        (pa.string(), pa.binary(), False),
        (pa.binary(3), pa.large_binary(), True),
        (pa.binary(3), pa.string(), False),
        (pa.dictionary(pa.int8(), pa.string()), pa.large_string(), True),
        (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int16(), pa.string()), True),
        (pa.dictionary(pa.int16(), pa.string()), pa.dictionary(pa.int8(), pa.string()), False),
        (pa.dictionary(pa.int8(), pa.int32()), pa.int64(), True),
        (pa.string(), pa.dictionary(pa.int8(), pa.string()), False),
        (pa.null(), pa.list_(pa.int8()), True),
        (pa.bool_(), pa.int8(), False),
        (pa.uuid(), pa.binary(16), False),
        (pa.list_(pa.int8()), pa.list_(pa.int16()), False),
    ],
    ids=str,
)
def test_which_types_widen(old: pa.DataType, new: pa.DataType, fits: bool) -> None:
    assert widens(old, new) == fits


def test_a_write_that_leaves_a_column_out_gets_the_default() -> None:
    schema = evolved_all(
        TableSchema(1, "t", (Column(1, "k", pa.int64()),)),
        [
            AddColumn("n", pa.int8(), False, 1),
            AddColumn("s", pa.dictionary(pa.int8(), pa.string()), default="d"),
            AddColumn("z", pa.string()),
            SetDefault("n", 2),
        ],
        2,
    )
    made = fitted(schema, pa.table({"k": [1, 2]}))
    assert made.to_pydict() == {"k": [1, 2], "n": [2, 2], "s": ["d", "d"], "z": [None, None]}
    assert made.schema == schema.arrow
    given = fitted(schema, pa.table({"K": [1], "s": pa.array([None], pa.string())}))
    assert given.to_pydict() == {"k": [1], "n": [2], "s": [None], "z": [None]}
    with pytest.raises(SchemaError, match="missing in the data"):
        fitted(evolved(schema, SetDefault("n", None), 9), pa.table({"k": [1]}))
    with pytest.raises(ConstraintError, match="row 1 is"):
        fitted(schema, pa.table({"k": [1, 1], "n": [1, None]}))


def test_a_null_in_a_dictionary_is_a_null() -> None:
    coded = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array([None, "a"]))
    schema = TableSchema(1, "t", (Column(1, "c", coded.type, nullable=False),))
    with pytest.raises(ConstraintError, match="row 1 is"):
        fitted(schema, pa.table({"c": coded}))


def test_not_null_is_refused_while_a_live_row_is_null(tmp_path: Path, pool: BufferPool) -> None:
    schema = TableSchema(1, "t", (Column(1, "a", pa.int64()), Column(2, "b", pa.string())))
    ref = written(tmp_path, pa.table({"a": [1, None, 3], "b": ["x"] * 3}), schema=schema)
    new = evolved(schema, SetNullable("a", False), 3)
    assert needs_check(schema, new)
    assert not needs_check(new, schema)
    with pytest.raises(ConstraintError, match="1 rows are NULL"):
        check_evolved(opened(schema, [ref], pool), new)
    check_evolved(opened(schema, [replace(ref, deleted=np.array([1]))], pool), new)
    check_evolved(opened(schema, [ref], pool), evolved(schema, SetNullable("b", False), 3))
    blob = InlineBlob(1, 1, 3, pa.table({"a": pa.array([None], pa.int64()), "b": ["x"]}))
    with pytest.raises(ConstraintError, match="NULL"):
        check_evolved(opened(schema, [], pool, [blob]), new)
    # A column without a default, in rows that are older than it.
    late = evolved(schema, AddColumn("c", pa.int8()), 3)
    with pytest.raises(ConstraintError, match="3 rows"):
        check_evolved(opened(late, [ref], pool), evolved(late, SetNullable("c", False), 4))


@pytest.mark.parametrize(
    ("old", "new", "near", "far"),
    [
        (pa.timestamp("s"), pa.timestamp("us"), 9_000_000_000_000, 10_000_000_000_000),
        (pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC"), 9_000_000_000, 10_000_000_000),
        (pa.date32(), pa.timestamp("us"), 100_000_000, 110_000_000),
        (pa.duration("s"), pa.duration("us"), 9_000_000_000_000, 10_000_000_000_000),
    ],
    ids=str,
)
def test_a_finer_unit_is_refused_when_a_value_lies_beyond_it(
    tmp_path: Path, pool: BufferPool, old: pa.DataType, new: pa.DataType, near: int, far: int
) -> None:
    schema = TableSchema(1, "t", (Column(1, "a", old),))
    after = evolved(schema, WidenColumn("a", new), 2)
    assert needs_check(schema, after)
    for i, (value, fits) in enumerate([(near, True), (-near, True), (far, False), (-far, False)]):
        table = pa.table({"a": pa.array([0, value, None], old)})
        ref = written(tmp_path, table, schema=schema, ulid=f"01S{i}")
        unknown = replace(ref, stats=None)
        deleted = replace(ref, deleted=np.array([1]))
        for refs, blobs in (
            ([ref], []),
            ([unknown], []),
            ([deleted], []),
            ([], [InlineBlob(1, 3, 0, table)]),
        ):
            scan = opened(schema, refs, pool, blobs)
            if fits:
                check_evolved(scan, after)
                assert opened(after, refs, pool, blobs).read()["a"].null_count == 1
            else:
                with pytest.raises(SchemaError, match="does not fit"):
                    check_evolved(scan, after)


def test_a_default_that_does_not_fit_the_wider_type_is_refused() -> None:
    schema = evolved(TABLE, AddColumn("t", pa.timestamp("s"), default=10_000_000_000_000), 9)
    with pytest.raises(LumaError, match="default"):
        evolved(schema, WidenColumn("t", pa.timestamp("us")), 10)
    kept = evolved(
        evolved(TABLE, AddColumn("n", pa.int8(), default=3), 9), WidenColumn("n", pa.float64()), 10
    )
    assert kept.columns[-1].initial == kept.columns[-1].default == pa.scalar(3.0)


@pytest.mark.parametrize(("kind", "value", "_sql", "_constant"), ADDED, ids=str)
def test_a_default_survives_the_catalog(kind: pa.DataType, value: Any, _sql: str, _constant: Any) -> None:
    column = evolved(TABLE, AddColumn("a", kind, default=value, comment="c", metadata=((b"k", b"v"),)), 9)
    made = column.columns[-1]
    assert made.initial is not None
    data = encode_value(made.initial)
    again = decode_column(made.id, made.name, encode_field(made), made.comment, data, data)
    assert again.initial.type == kind
    assert repr(again) == repr(made)
    assert again.metadata == ((b"k", b"v"),)
