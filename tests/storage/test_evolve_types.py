"""Every Arrow type out of a bench exactly as it went in, and through SQL as the documented canonical type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import ConstraintError, SchemaError

DOCUMENTED = Path(__file__).parents[2] / "docs" / "reference" / "types.md"


@dataclass(frozen=True)
class Case:
    """A type's name on the page, values of it, and the type that SQL gives back."""

    name: str
    values: pa.Array
    sql: pa.DataType
    same: bool = True  # whether SQL gives back the same Python values


def floats(bits: list[int], code: str, kind: Any) -> pa.Array:
    return pa.array(np.frombuffer(struct.pack(f"{len(bits)}{code}", *bits), kind))


def extension(kind: Any, values: list[Any]) -> pa.Array:
    return pa.ExtensionArray.from_storage(kind, pa.array(values, kind.storage_type))


def coded(values: list[Any], kind: pa.DataType, index: pa.DataType | None = None, **more: Any) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array([1, 0, None, 1], index or pa.int8()), pa.array(values, kind), **more
    )


def counts(kind: pa.DataType, values: list[Any]) -> pa.Array:
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.array(values, width).cast(kind)


def integers() -> Iterator[Case]:
    for sign in ("", "u"):
        name = ", ".join(f"{sign}int{bits}" for bits in (8, 16, 32, 64))
        for bits in (8, 16, 32, 64):
            kind = getattr(pa, f"{sign}int{bits}")()
            ends = np.iinfo(kind.to_pandas_dtype())
            yield Case(name, pa.array([int(ends.min), None, int(ends.max)], kind), kind)


def timestamps() -> Iterator[Case]:
    for unit in ("s", "ms", "us", "ns"):
        kind = pa.timestamp(unit)
        yield Case(str(kind), counts(kind, [-1, None, 5_000_001]), kind)
        for zone in ("UTC", "Europe/Oslo", "+02:00"):
            kind = pa.timestamp(unit, zone)
            sql = pa.timestamp("us", zone) if unit != "ns" else pa.timestamp("ns", "Etc/UTC")
            name = f"timestamp[{unit}, tz]"
            yield Case(name, counts(kind, [-1, None, 5_000_001]), sql, unit != "ns")


TEXT = ["", "a\0é😀", None, "more than the twelve bytes of a view"]
BLOBS = [b"", b"a\0\xff", None, b"more than the twelve bytes of a view"]

CASES: list[Case] = [
    *integers(),
    Case("float", floats([0x7FC00001, 0xFFC00123, 0x80000000, 0x7F800000], "I", np.float32), pa.float32()),
    Case(
        "double",
        floats([0x7FF8000000000001, 0xFFF8000000000123, 1 << 63, 0x7FF0000000000000], "Q", np.float64),
        pa.float64(),
    ),
    Case("bool", pa.array([True, None, False]), pa.bool_()),
    *[
        Case("decimal32, decimal64, decimal128", pa.array([Decimal(text), None], kind), pa.decimal128(kind.precision, kind.scale))
        for kind, text in [
            (pa.decimal32(7, 2), "12345.67"),
            (pa.decimal64(15, 3), "-1.125"),
            (pa.decimal128(5, 2), "-1.25"),
            (pa.decimal128(38, 10), "1234567890123456789012345678.0123456789"),
        ]
    ],
    Case("date32[day]", counts(pa.date32(), [-700_000, None, 20_000]), pa.date32()),
    Case("date64[ms]", counts(pa.date64(), [0, None, 86_400_000]), pa.date32()),
    Case("time32[s], time32[ms]", counts(pa.time32("s"), [0, None, 86_399]), pa.time64("us")),
    Case("time32[s], time32[ms]", counts(pa.time32("ms"), [0, None, 86_399_999]), pa.time64("us")),
    Case("time64[us]", counts(pa.time64("us"), [0, None, 86_399_999_999]), pa.time64("us")),
    Case("time64[ns]", counts(pa.time64("ns"), [0, None, 86_399_999_999_999]), pa.time64("ns")),
    *timestamps(),
    *[
        Case("duration[s], duration[ms], duration[us]", counts(pa.duration(unit), [-1, None, 7]), pa.month_day_nano_interval(), False)
        for unit in ("s", "ms", "us")
    ],
    Case("month_day_nano_interval", pa.array([(1, -2, 3000), None], pa.month_day_nano_interval()), pa.month_day_nano_interval()),
    *[Case("string, large_string, string_view", pa.array(TEXT, kind), pa.string()) for kind in (pa.string(), pa.large_string(), pa.string_view())],
    *[Case("binary, large_binary, binary_view", pa.array(BLOBS, kind), pa.binary()) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())],
    Case("fixed_size_binary", pa.array([b"abc", None], pa.binary(3)), pa.binary()),
    *[
        Case("dictionary", coded(["a", "b"], pa.string(), getattr(pa, name)()), pa.string())
        for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
    ],
    Case("dictionary", coded(["lo", "hi", "unused"], pa.string(), ordered=True), pa.string()),
    Case("dictionary", coded([None, "b"], pa.string()), pa.string()),
    Case("dictionary", coded(["a", "b"], pa.large_string()), pa.string()),
    Case("dictionary", coded(["a", "b"], pa.string_view()), pa.string()),
    Case("dictionary", coded([b"a", b"b"], pa.binary_view()), pa.binary()),
    Case("dictionary", coded([5, 6], pa.int64()), pa.int64()),
    Case("dictionary", coded([1.5, -0.0], pa.float64()), pa.float64()),
    Case("dictionary", coded([True, False], pa.bool_()), pa.bool_()),
    Case("dictionary", coded([Decimal("1.5"), Decimal("2.5")], pa.decimal32(5, 1)), pa.decimal128(5, 1)),
    Case("dictionary", coded([b"ab", b"cd"], pa.binary(2)), pa.binary()),
    Case("dictionary", coded([[1], [2, None]], pa.list_(pa.int8())), pa.list_(pa.field("l", pa.int8()))),
    Case("dictionary", coded([{"a": 1}, {"a": None}], pa.struct([("a", pa.int8())])), pa.struct([("a", pa.int8())])),
    Case("dictionary", coded([{"a": "x"}, {"a": None}], pa.struct([("a", pa.string_view())])), pa.struct([("a", pa.string())])),
    Case("list, large_list", pa.array([[1, None], [], None]), pa.list_(pa.field("l", pa.int64()))),
    Case("list, large_list", pa.array([["a", None], [], None], pa.large_list(pa.string())), pa.list_(pa.field("l", pa.string()))),
    Case("list, large_list", pa.array([[1], [], None], pa.list_(pa.field("element", pa.int8(), False, {"k": "v"}))), pa.list_(pa.field("l", pa.int8()))),
    Case("fixed_size_list", pa.array([[1, None], None, [3, 4]], pa.list_(pa.int32(), 2)), pa.list_(pa.field("", pa.int32()), 2)),
    Case("fixed_size_list", pa.array([[], None], pa.list_(pa.int32(), 0)), pa.list_(pa.field("", pa.int32()), 0)),
    Case("fixed_size_list of halffloat", pa.array([[1.5, 65504.0], None], pa.list_(pa.float16(), 2)), pa.list_(pa.field("", pa.float32()), 2)),
    Case("struct", pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": None}]), pa.struct([("a", pa.int64()), ("b", pa.string())])),
    Case("struct", pa.array([{"a": 1}, None], pa.struct([pa.field("a", pa.int8(), False, {"k": "v"})])), pa.struct([("a", pa.int8())])),
    Case("map", pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int64())), pa.map_(pa.string(), pa.int64())),
    Case("map", pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64(), keys_sorted=True)), pa.map_(pa.string(), pa.int64())),
    Case("null", pa.nulls(3), pa.null()),
    Case("extension: uuid", extension(pa.uuid(), [b"0" * 16, None]), pa.string(), False),
    Case("extension: json", extension(pa.json_(), ['{"a": 1}', None]), pa.string()),
    Case("extension: json", extension(pa.json_(pa.large_string()), ['{"a": 1}', None]), pa.string()),
    Case("extension: bool8", extension(pa.bool8(), [1, 0, None]), pa.bool_()),
    Case("extension: any other", extension(pa.opaque(pa.binary(), "x", "v"), [b"1", None]), pa.binary()),
    Case(
        "extension: any other",
        pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(8, dtype=np.float32).reshape(2, 2, 2)),
        pa.list_(pa.field("", pa.float32()), 4),
        False,
    ),
    Case(
        "nested",
        pa.array(
            [{"a": [{"m": [("k", [1.5, None])]}]}, None],
            pa.struct([("a", pa.list_(pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.float64())))])))]),
        ),
        pa.struct([("a", pa.list_(pa.field("l", pa.struct([("m", pa.map_(pa.string(), pa.list_(pa.field("l", pa.float64()))))]))))]),
    ),
    Case("nested", pa.array([["a", None], None], pa.list_(pa.string_view())), pa.list_(pa.field("l", pa.string()))),
    Case("nested", pa.array([[Decimal("1.5"), None], None], pa.list_(pa.decimal32(5, 1))), pa.list_(pa.field("l", pa.decimal128(5, 1)))),
    Case("nested", pa.array([[[1.0, 2.0]], None], pa.list_(pa.list_(pa.float16(), 2))), pa.list_(pa.field("l", pa.list_(pa.field("", pa.float32()), 2)))),
    Case("nested", pa.ListArray.from_arrays(pa.array([0, 2, 4]), coded(["a", "b"], pa.string())), pa.list_(pa.field("l", pa.string()))),
]  # fmt: skip


@pytest.fixture(scope="module", params=["inline", "segments"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    inline = 256_000 if request.param == "inline" else 0
    folder = tmp_path_factory.mktemp("types") / "b.luma"
    with lb.open(str(folder), inline_bytes=inline, timezone="Etc/UTC") as opened:
        yield opened


def table_of(values: pa.Array, nullable: bool = True) -> pa.Table:
    own = pa.field("a", values.type, nullable, {"unit": "m"} if nullable else None)
    return pa.table([values], schema=pa.schema([own]))


def bits(chunks: list[Any]) -> list[Any]:
    """The values of arrays: floats by their bits, everything else by its Python value."""
    found: list[Any] = []
    for chunk in chunks:
        array = chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk
        kind = array.type
        if pa.types.is_floating(kind) and not pa.types.is_float16(kind):
            raw = np.frombuffer(array.buffers()[1], f"u{kind.bit_width // 8}")[array.offset :]
            found += [None if none else int(raw[i]) for i, none in enumerate(array.is_null().to_pylist())]
        else:
            found += [repr(item) for item in array.to_pylist()]
    return found


def shapes(values: pa.Array) -> dict[str, pa.Array]:
    """The values as they are, in many rows, cut out of a longer array, none, and all NULL."""
    valid = values.filter(values.is_valid()) if _filters(values) else values
    found = {
        "as they are": values,
        "many": pa.concat_arrays([values] * 40),
        "a slice": pa.concat_arrays([values, values, values]).slice(1, len(values) + 1),
        "none": values.slice(0, 0),
        "no null": valid,
    }
    if not isinstance(values, pa.ExtensionArray):
        found["all null"] = pa.nulls(5, values.type)
    return found


def _filters(values: pa.Array) -> bool:
    try:
        values.filter(values.is_valid())
    except pa.ArrowNotImplementedError:
        return False
    return True


def written(bench: lb.Bench, table: pa.Table, name: str = "t") -> lb.Bench:
    bench.write(name, table, mode="replace")
    return bench


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.values.type))
def test_a_type_comes_out_as_it_went_in(bench: lb.Bench, case: Case) -> None:
    for shape, values in shapes(case.values).items():
        table = table_of(values)
        found = written(bench, table).table("t").to_arrow()
        found.validate(full=True)
        assert found.schema.equals(table.schema, check_metadata=True), shape
        assert str(found.schema) == str(table.schema)
        assert len(found) == len(values)
        assert bits(found["a"].chunks) == bits([values]), shape
        if not values.null_count and _filters(values) and not pa.types.is_null(values.type):
            strict = table_of(values, nullable=False)
            assert written(bench, strict).table("t").to_arrow().schema == strict.schema


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.values.type))
def test_a_type_comes_through_sql_as_its_canonical_type(bench: lb.Bench, case: Case) -> None:
    for values in (case.values, pa.concat_arrays([case.values] * 40)):
        found = written(bench, table_of(values)).kadeql("SELECT * FROM t").to_arrow()
        assert found.schema.field("a").type == case.sql
        assert found["a"].null_count == sum(item is None for item in values.to_pylist())
        if case.same:
            assert repr(found["a"].to_pylist()) == repr(values.to_pylist())


def test_appended_dictionaries_keep_floats_apart_by_their_bits(bench: lb.Bench) -> None:
    kind = pa.dictionary(pa.int8(), pa.float64())
    first, second = (
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), floats(pair, "Q", np.float64))
        for pair in ([0x7FF8000000000001, 0], [0x7FF8000000000123, 1 << 63])
    )
    table = pa.table({"a": pa.chunked_array([first, second], kind)})
    found = written(bench, table).table("t").to_arrow()["a"]
    cells = bits([chunk.dictionary_decode() for chunk in found.chunks])
    assert cells == [0x7FF8000000000001, 0, 0x7FF8000000000123, 1 << 63]


def test_field_metadata_is_kept_and_schema_metadata_is_not(bench: lb.Bench) -> None:
    table = table_of(pa.array([1])).replace_schema_metadata({"pandas": "{}"})
    found = written(bench, table).table("t").to_arrow()
    assert found.schema.field("a").metadata == {b"unit": b"m"}
    assert found.schema.metadata is None


def test_a_map_takes_the_names_that_arrow_files_give_it(bench: lb.Bench) -> None:
    kind = pa.map_(pa.field("k", pa.string(), False), pa.field("v", pa.int64(), False))
    table = pa.table({"a": pa.array([[("a", 1)], None], kind)})
    found = written(bench, table).table("t").to_arrow()
    assert found.schema.field("a").type == kind
    assert (found["a"].type.key_field.name, found["a"].type.item_field) == (
        "key",
        pa.field("value", pa.int64(), False),
    )


@dataclass(frozen=True)
class Refused:
    """What a write refuses, and what its message says."""

    name: str
    data: Callable[[], Any]
    message: str
    error: type[Exception] = SchemaError
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


def fields(*names: str) -> Callable[[], pa.Table]:
    return lambda: pa.Table.from_arrays([pa.array([1])] * len(names), names=list(names))


def column(values: Any, kind: pa.DataType) -> Callable[[], pa.Table]:
    return lambda: pa.table({"a": pa.array(values, kind)})


def inner(*names: str) -> Callable[[], pa.Table]:
    def make() -> pa.Table:
        own = [pa.field(name, pa.int64()) for name in names]
        return pa.table({"a": pa.StructArray.from_arrays([pa.array([1])] * len(names), fields=own)})

    return make


def unions() -> Iterator[Refused]:
    tags, parts = pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]
    sparse = pa.UnionArray.from_sparse(tags, parts)
    dense = pa.UnionArray.from_dense(tags, pa.array([0, 1], pa.int32()), parts)
    for values in (sparse, dense):
        yield Refused("unions", lambda values=values: pa.table({"a": values}), "union")


REFUSED = [
    Refused("duplicate column names", fields("a", "a"), "twice"),
    Refused("column names that differ in case alone", fields("a", "A"), "case alone"),
    Refused("empty column names", fields(""), "empty"),
    Refused("empty column names", fields(" "), "empty"),
    Refused("column names with a NUL character", fields("a\0"), "NUL"),
    Refused("the column name `_rowid`, and names that begin with `__luma`", fields("_rowid"), "row id"),
    Refused("the column name `_rowid`, and names that begin with `__luma`", fields("__luma_a"), "reserved"),
    Refused("no columns", lambda: pa.table({}), "no columns"),
    Refused("the same for the fields of a struct", inner("a", "a"), "twice"),
    Refused("the same for the fields of a struct", inner("a", "A"), "case alone"),
    Refused("the same for the fields of a struct", inner(""), "empty"),
    Refused("the same for the fields of a struct", inner("a\0b"), "NUL"),
    Refused("halffloat outside fixed-size lists", column([1.0], pa.float16()), "float32"),
    Refused("halffloat outside fixed-size lists", column([[1.0]], pa.list_(pa.float16())), "float32"),
    Refused("decimal256", column([1], pa.decimal256(50, 2)), "decimal256"),
    Refused("decimals of negative scale", column([Decimal("1E2")], pa.decimal128(5, -2)), "negative scale"),
    Refused("durations finer than 1 µs", column([1], pa.duration("ns")), "1 µs"),
    Refused("durations finer than 1 µs", column([[1]], pa.list_(pa.duration("ns"))), "1 µs"),
    Refused("a map that holds a key twice", column([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())), "twice"),
    Refused("fixed-size binary of no bytes", column([b""], pa.binary(0)), "zero bytes"),
    Refused("list_view, large_list_view", column([[1]], pa.list_view(pa.int64())), "not stored"),
    Refused("list_view, large_list_view", column([[1]], pa.large_list_view(pa.int64())), "not stored"),
    Refused(
        "run_end_encoded",
        lambda: pa.table({"a": pa.RunEndEncodedArray.from_arrays([2], ["x"])}),
        "not stored",
    ),
    *unions(),
    Refused(
        "a NULL in a field that must not be NULL",
        lambda: pa.table([pa.array([1, None])], schema=pa.schema([pa.field("a", pa.int64(), False)])),
        "must not be NULL",
        ConstraintError,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.name}-{case.message}")
def test_what_is_refused_says_why_and_what_to_do(bench: lb.Bench, case: Refused) -> None:
    before = [item.id for item in bench.snapshots()]
    with pytest.raises(case.error, match=case.message) as caught:
        bench.write("refused", case.data(), **case.arguments)
    assert getattr(caught.value, "hint", None)
    assert [item.id for item in bench.snapshots()] == before


def test_intervals_finer_than_a_microsecond_are_refused(bench: lb.Bench) -> None:
    kind = pa.month_day_nano_interval()
    with pytest.raises(SchemaError, match="1 µs"):
        bench.write("refused", pa.table({"a": pa.array([(0, 0, 1)], kind)}))


def test_the_page_lists_every_type_and_every_refusal() -> None:
    page = DOCUMENTED.read_text("utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")]
    names = {row[1].strip().strip("`").replace("`", "") for row in rows}
    for name in {case.name for case in CASES} | {case.name for case in REFUSED}:
        assert name.replace("`", "") in names, name
