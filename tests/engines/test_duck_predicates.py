"""Random predicates over random tables: DuckDB over a source that filters in plain Python equals DuckDB over its own table."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections import Counter

import duckdb
import pyarrow as pa
import pytest
from arrow_source import ArrowSource
from duckdb._sources import nodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_predicate import Untranslatable, translate
from luma_bench.errors import LumaError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or

D = decimal.Decimal
UTC = dt.UTC

# Few values a column, so that predicates hit; every odd one of its kind is among them.
COLUMNS: dict[str, tuple[pa.DataType, list[object], list[str]]] = {
    "i8": (pa.int8(), [-128, -1, 0, 1, 127], ["-128", "0", "1", "127", "300", "0.5"]),
    "i64": (pa.int64(), [-(2**63), -1, 0, 7, 2**63 - 1], ["-9223372036854775808", "0", "7", "1e18", "7.0", "7.5::DOUBLE"]),
    "u64": (pa.uint64(), [0, 1, 2**64 - 1], ["0", "1", "18446744073709551615", "-1"]),
    "f32": (pa.float32(), [-math.inf, -0.0, 0.0, 0.5, math.inf, math.nan], ["0", "-0.0", "0.5", "0.1", "'nan'::FLOAT", "'inf'"]),
    "f64": (pa.float64(), [-math.inf, -1.5, -0.0, 0.0, 0.1, math.inf, math.nan], ["0.0", "0.1", "-1.5", "'nan'::DOUBLE", "'-inf'::DOUBLE", "1e308"]),
    "dec": (pa.decimal128(10, 2), [D("-1.50"), D("0.00"), D("1.50"), D("99999999.99")], ["1.5", "0", "1.505", "-1.50", "99999999.99"]),
    "day": (pa.date32(), [dt.date(1, 1, 1), dt.date(1970, 1, 1), dt.date(2024, 2, 29)], ["DATE '2024-02-29'", "DATE '1970-01-01'", "TIMESTAMP '2024-02-29 12:00:00'"]),
    "ts": (pa.timestamp("us"), [dt.datetime(1970, 1, 1), dt.datetime(2024, 3, 31, 2, 30), dt.datetime(2024, 3, 31, 2, 30, 0, 1)], ["TIMESTAMP '2024-03-31 02:30:00'", "DATE '2024-03-31'", "TIMESTAMP '2024-03-31 02:30:00.000001'"]),
    "ts_s": (pa.timestamp("s"), [dt.datetime(1970, 1, 1), dt.datetime(2024, 3, 31, 2, 30)], ["TIMESTAMP '2024-03-31 02:30:00'", "TIMESTAMP '2024-03-31 02:30:00.5'"]),
    "oslo": (pa.timestamp("us", "Europe/Oslo"), [dt.datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC), dt.datetime(2024, 3, 31, 1, tzinfo=UTC), dt.datetime(2024, 10, 27, 0, 30, tzinfo=UTC)], ["TIMESTAMPTZ '2024-03-31 01:00:00Z'", "TIMESTAMPTZ '2024-10-27 02:30:00+02'", "DATE '2024-03-31'"]),
    "nyc": (pa.timestamp("ms", "America/New_York"), [dt.datetime(2024, 3, 10, 7, tzinfo=UTC), dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)], ["TIMESTAMPTZ '2024-03-10 07:00:00Z'", "TIMESTAMPTZ '2024-03-10 07:00:00.0005Z'", "TIMESTAMPTZ '1970-01-01 00:00:00Z'"]),
    "clock": (pa.time64("us"), [dt.time(0), dt.time(12, 30), dt.time(23, 59, 59, 999999)], ["TIME '12:30:00'", "TIME '23:59:59.999999'"]),
    "s": (pa.string(), ["", "a", "A", "åre", "Å", "日本", "a%b", "😀", "a\x00b"], ["''", "'a'", "'A'", "'Å'", "'日本'", "'a%b'", "'😀'"]),
    "dict": (pa.dictionary(pa.int8(), pa.string()), ["", "x", "é"], ["'x'", "''", "'é'", "'y'"]),
    "bin": (pa.binary(), [b"", b"\x00", b"\xff\x00", b"ab"], ["'ab'::BLOB", "''::BLOB", r"'\xFF\x00'::BLOB"]),
    "ok": (pa.bool_(), [True, False], ["true", "false"]),
}  # fmt: skip
LIKES = ["'a%'", "'%a'", "'_'", "'Å%'", "'%'", "''", "'a!%b' ESCAPE '!'"]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 25))
    columns = {
        name: pa.array(draw(st.lists(st.sampled_from([*values, None]), min_size=rows, max_size=rows)), kind)
        for name, (kind, values, _) in COLUMNS.items()
    }
    return pa.table(columns)


@st.composite
def predicates(draw: st.DrawFn, depth: int = 3) -> str:
    if depth and draw(st.booleans()):
        op = draw(st.sampled_from(["AND", "OR", "NOT"]))
        left = draw(predicates(depth=depth - 1))
        return f"(NOT {left})" if op == "NOT" else f"({left} {op} {draw(predicates(depth=depth - 1))})"
    name = draw(st.sampled_from(list(COLUMNS)))
    constants = st.sampled_from(COLUMNS[name][2])
    form = draw(
        st.sampled_from(
            [
                "compare",
                "compare",
                "flip",
                "in",
                "not in",
                "between",
                "null",
                "distinct",
                "like",
                "cast",
                "pair",
            ]
        )
    )
    match form:
        case "compare":
            return f"{name} {draw(st.sampled_from(['=', '<>', '<', '<=', '>', '>=']))} {draw(constants)}"
        case "flip":
            return f"{draw(constants)} {draw(st.sampled_from(['=', '<', '>=']))} {name}"
        case "in" | "not in":
            return f"{name} {form.upper()} ({', '.join(draw(st.lists(constants, min_size=1, max_size=4)))})"
        case "between":
            return f"{name} BETWEEN {draw(constants)} AND {draw(constants)}"
        case "null":
            return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
        case "distinct":
            return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}DISTINCT FROM {draw(constants)}"
        case "like":
            return f"{draw(st.sampled_from(['s', 'dict']))} {draw(st.sampled_from(['LIKE', 'NOT LIKE', 'ILIKE']))} {draw(st.sampled_from(LIKES))}"
        case "cast":
            return f"{name}::VARCHAR {draw(st.sampled_from(['=', '<', '>']))} {draw(st.sampled_from(['a', '0', '1970-01-01']))!r}"
        case _:
            return draw(
                st.sampled_from(
                    [
                        "i8 < i64",
                        "f32 = f64",
                        "ts > day",
                        "s = dict",
                        "f64 > i8",
                        "oslo > nyc",
                        "ok OR i8 = 1",
                    ]
                )
            )


def rows_of(table: pa.Table) -> Counter[str]:
    """The multiset of rows, with every instant in UTC: zone labels are another test's."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            table = table.set_column(index, field.name, table.column(index).cast(pa.timestamp("us", "UTC")))
    return (
        Counter(repr(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True))
        if table.num_columns
        else Counter()
    )


@pytest.fixture(scope="module", params=["source", "dataset"])
def shared_engine(request: pytest.FixtureRequest):
    from luma_bench.config import Settings

    engine = DuckEngine(Settings(threads=1, timezone="UTC"), scan_path=request.param)
    yield engine
    engine.close()


def native(table: pa.Table, text: str) -> pa.Table:
    con = duckdb.connect(config={"threads": 1})
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", table)
        con.execute("CREATE TABLE t AS SELECT * FROM given")
        return con.sql(text).to_arrow_table()
    finally:
        con.close()


def compare(engine: DuckEngine, table: pa.Table, condition: str) -> None:
    text = f"SELECT * FROM t WHERE {condition}"
    try:
        expected = native(table, text)
    except duckdb.Error:
        with pytest.raises(LumaError):
            engine.run(SqlFragment(text), Inputs({"t": ArrowSource(table, batch_rows=7)}))
        return
    got = engine.run(SqlFragment(text), Inputs({"t": ArrowSource(table, batch_rows=7)}))
    assert rows_of(got) == rows_of(expected)


@given(table=tables(), condition=predicates())
@settings(
    deadline=None,
    max_examples=drawn(60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_equals_a_native_table(shared_engine: DuckEngine, table: pa.Table, condition: str):
    compare(shared_engine, table, condition)


@pytest.mark.slow
@given(table=tables(), condition=predicates(depth=5))
@settings(deadline=None, max_examples=3000, suppress_health_check=list(HealthCheck))
def test_equals_a_native_table_at_length(shared_engine: DuckEngine, table: pa.Table, condition: str):
    compare(shared_engine, table, condition)


SCHEMA = pa.schema([(name, kind) for name, (kind, _, _) in COLUMNS.items()] + [
    ("ns", pa.timestamp("ns", "UTC")), ("st", pa.struct([("a", pa.int64())])), ("id", pa.uuid()), ("d64", pa.date64()),
])  # fmt: skip


def col(*parts: str) -> nodes.Col:
    return nodes.Col(parts)


def test_every_node_kind_translates():
    tree = nodes.Binary(
        "AND",
        nodes.Unary("NOT", nodes.In(col("i64"), [nodes.Lit(1, "BIGINT"), nodes.Lit(2, "BIGINT")])),
        nodes.Binary(
            "OR",
            nodes.Postfix("IS NULL", col("s")),
            nodes.Binary("<=", col("dec"), nodes.Lit(D("1.50"), "DECIMAL(10,2)")),
        ),
    )
    expected = And(
        Not(In("i64", (1, 2), "BIGINT")), Or(IsNull("s"), Comparison("dec", "<=", D("1.50"), "DECIMAL(10,2)"))
    )
    assert translate(tree, SCHEMA) == expected


@pytest.mark.parametrize(
    "node",
    [
        nodes.Binary("=", col("st", "a"), nodes.Lit(1, "BIGINT")),  # a path into a struct
        nodes.Postfix("IS NULL", col("st", "a")),
        nodes.Binary("=", col("nowhere"), nodes.Lit(1, "BIGINT")),
        nodes.Binary("=", col("i64"), nodes.Lit(1, "INTEGER")),  # not the column's type
        nodes.Binary("=", col("i64"), nodes.Lit(1.0, "BIGINT")),
        nodes.Binary("=", col("i8"), nodes.Lit(300, "TINYINT")),  # out of range
        nodes.Binary("=", col("f64"), nodes.Lit(math.nan, "DOUBLE")),
        nodes.Binary("=", col("f32"), nodes.Lit(0.1, "FLOAT")),  # no float32
        nodes.Binary("=", col("dec"), nodes.Lit(D("1.505"), "DECIMAL(10,2)")),
        nodes.Binary("=", col("ns"), nodes.Lit(0, "TIMESTAMP WITH TIME ZONE")),  # DuckDB truncates the column
        nodes.Binary("=", col("id"), nodes.Lit("x", "UUID")),
        nodes.Binary("=", col("d64"), nodes.Lit(dt.date(2024, 1, 1), "DATE")),
        nodes.Binary("~~", col("s"), nodes.Lit("a%", "VARCHAR")),
        nodes.Binary("=", col("s"), col("dict")),
        nodes.In(col("s"), []),
        nodes.In(col("s"), [col("dict")]),
        nodes.Unary("-", col("i64")),
        nodes.Col(("ok",)),
    ],
)
def test_what_is_not_exact_is_left_to_duckdb(node: nodes.Node):
    with pytest.raises(Untranslatable):
        translate(node, SCHEMA)


def test_long_chains_become_shallow_trees():
    tree: nodes.Node = nodes.Binary("=", col("i64"), nodes.Lit(0, "BIGINT"))
    for value in range(1, 5000):
        tree = nodes.Binary("OR", tree, nodes.Binary("=", col("i64"), nodes.Lit(value, "BIGINT")))

    def depth(predicate: object) -> int:
        return (
            1 + max(depth(predicate.left), depth(predicate.right)) if isinstance(predicate, And | Or) else 1
        )

    assert depth(translate(tree, SCHEMA)) <= 14
    nested: nodes.Node = nodes.Binary("=", col("i64"), nodes.Lit(0, "BIGINT"))
    for _ in range(5000):
        nested = nodes.Unary("NOT", nested)
    with pytest.raises(Untranslatable):
        translate(nested, SCHEMA)
