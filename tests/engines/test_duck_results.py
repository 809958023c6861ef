"""Results come in the promised Arrow types, nothing is lost, and a description says the same schema as the run."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pytest
from arrow_source import ArrowSource
from test_duck_shapes import EDGES, QUOTES, SHAPES, TRADES

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.engines.duck_zones import zone_labels
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError
from luma_bench.plan.engine import Inputs, SqlFragment

D = decimal.Decimal
WIDE = pa.decimal128(38, 0)
BIG = 10**38 - 1

EXPRESSIONS: list[tuple[str, pa.DataType, object]] = [
    ("sum(x)", WIDE, D(6)),
    ("sum(x::DOUBLE)", pa.float64(), 6.0),
    ("avg(x)", pa.float64(), 2.0),
    ("count(*)", pa.int64(), 3),
    (f"max({BIG}::HUGEINT)", WIDE, D(BIG)),
    (f"max(-{BIG}::HUGEINT)", WIDE, D(-BIG)),
    ("max(NULL::HUGEINT)", WIDE, None),
    ("max(-1::HUGEINT)", WIDE, D(-1)),
    ("max(7::UHUGEINT)", WIDE, D(7)),
    ("list(x::HUGEINT ORDER BY x)", pa.list_(WIDE), [D(1), D(2), D(3)]),
    ("{'a': sum(x), 'b c': 'x'}", pa.struct([("a", WIDE), ("b c", pa.string())]), {"a": D(6), "b c": "x"}),
    ("MAP {'k': sum(x)}", pa.map_(pa.string(), WIDE), [("k", D(6))]),
    ("[sum(x), 1]::HUGEINT[2]", pa.list_(WIDE, 2), [D(6), D(1)]),
    ("row(sum(x), 2)", pa.struct([("element1", WIDE), ("element2", pa.int32())]), {"element1": D(6), "element2": 2}),
    ("any_value('{\"a\": [1]}'::JSON)", pa.string(), '{"a": [1]}'),
    ("['\"s\"'::JSON, NULL]", pa.list_(pa.string()), ['"s"', None]),
    ("'00000000-0000-0000-0000-00000000000a'::UUID", pa.string(), "00000000-0000-0000-0000-00000000000a"),
    ("'b'::ENUM ('a', 'b')", pa.string(), "b"),
    ("['b'::ENUM ('a', 'b')]", pa.list_(pa.string()), ["b"]),
    ("'10101'::BIT", pa.string(), "10101"),
    ("123456789012345678901234567890123456789012345::BIGNUM", pa.string(), "123456789012345678901234567890123456789012345"),
    ("TIMETZ '01:02:03+02'", pa.string(), "01:02:03+02"),
    ("{'a': 1}::VARIANT", pa.string(), '{"a":1}'),
    ("TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", pa.timestamp("ns"), None),
    ("TIMESTAMPTZ '2024-01-01 00:00:00Z'", pa.timestamp("us", "UTC"), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
    ("INTERVAL '1 month 2 days'", pa.month_day_nano_interval(), pa.MonthDayNano([1, 2, 0])),
    ("DATE '2024-02-29'", pa.date32(), dt.date(2024, 2, 29)),
    ("1.5::DECIMAL(9, 3)", pa.decimal128(9, 3), D("1.500")),
    ("NULL", pa.null(), None),
    ("'x'::BLOB", pa.binary(), b"x"),
    ("18446744073709551615::UBIGINT", pa.uint64(), 2**64 - 1),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "kind", "value"), EXPRESSIONS, ids=[case[0] for case in EXPRESSIONS])
def test_types_and_values(hook_engine: DuckEngine, expression: str, kind: pa.DataType, value: object):
    source = ArrowSource(pa.table({"x": pa.array([1, 2, 3], pa.int64())}))
    fragment = SqlFragment(f"SELECT {expression} AS v FROM t GROUP BY ALL LIMIT 1")
    got = hook_engine.run(fragment, Inputs({"t": source}))
    assert got.schema == pa.schema([("v", kind)])
    if kind != pa.timestamp("ns"):
        assert got["v"].to_pylist() == [value]
    else:
        assert got["v"].cast(pa.int64()).to_pylist() == [1704067200123456789]
    got.validate(full=True)
    streamed = hook_engine.stream(fragment, Inputs({"t": source})).read_all()
    assert streamed.schema == got.schema
    assert streamed.equals(got)
    assert DuckInspector(Settings(timezone="UTC")).describe(fragment.text, {"t": source.schema}) == got.schema


def test_sums_keep_their_nulls_and_signs_in_every_chunk(hook_engine: DuckEngine):
    rows = 300_000
    text = f"SELECT CASE WHEN range % 3 = 0 THEN NULL ELSE (range - 150000)::HUGEINT * 1000000000000000000000 END AS v FROM range({rows})"
    got = hook_engine.run(SqlFragment(text), Inputs({}))["v"]
    assert got.to_pylist() == [None if i % 3 == 0 else D((i - 150_000) * 10**21) for i in range(rows)]


@pytest.mark.parametrize("value", [10**38, -(10**38), 2**127 - 1, -(2**127)])
def test_a_whole_number_of_39_digits_is_an_error_and_no_wrong_value(hook_engine: DuckEngine, value: int):
    for text in (f"SELECT '{value}'::HUGEINT AS v", f"SELECT ['{value}'::HUGEINT] AS v"):
        with pytest.raises(KadeQLError, match=r"38 digits|DECIMAL\(38,0\)"):
            hook_engine.run(SqlFragment(text), Inputs({}))
        with pytest.raises(KadeQLError):
            hook_engine.stream(SqlFragment(text), Inputs({})).read_all()


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "pivot"])
def test_a_description_is_the_schema_of_the_run(hook_engine: DuckEngine, shape: str):
    sources = {"trades": ArrowSource(TRADES), "quotes": ArrowSource(QUOTES), "edges": ArrowSource(EDGES)}
    ran = hook_engine.run(SqlFragment(SHAPES[shape]), Inputs(sources)).schema
    inspector = DuckInspector(Settings(timezone="UTC"))
    described = inspector.describe(
        SHAPES[shape], {name: source.schema.remove(0) for name, source in sources.items()}
    )
    assert described == ran


def test_a_pivot_without_values_cannot_be_described():
    with pytest.raises(KadeQLUnsupportedError, match="known only when it has run"):
        DuckInspector().describe(SHAPES["pivot"], {"trades": TRADES.schema})


STORED = pa.table(
    {
        "large": pa.array(["a"], pa.large_string()),
        "dict": pa.array(["a"]).dictionary_encode(),
        "t32": pa.array([1], pa.time32("s")),
        "dur": pa.array([1_000_000], pa.duration("us")),
        "fsb": pa.array([b"ab"], pa.binary(2)),
        "ms": pa.array([5], pa.timestamp("ms", "Europe/Oslo")),
        "s": pa.array([5], pa.timestamp("s")),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16))),
        "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])),
    }
)


def test_stored_types_come_back_in_their_canonical_form(engine: DuckEngine):
    got = engine.run(SqlFragment("SELECT * FROM t"), Inputs({"t": ArrowSource(STORED)}))
    assert [str(kind) for kind in got.schema.types] == [
        "string", "string", "time64[us]", "month_day_nano_interval", "binary", "timestamp[us, tz=Europe/Oslo]",
        "timestamp[s]", "string", "string",
    ]  # fmt: skip
    assert (
        DuckInspector(Settings(timezone="UTC")).describe("SELECT * FROM t", {"t": STORED.schema})
        == got.schema
    )


OSLO, LIMA = pa.timestamp("us", "Europe/Oslo"), pa.timestamp("us", "America/Lima")
ZONED = {
    "f": pa.schema([("id", pa.int64()), ("dep", OSLO), ("arr", LIMA), ("plain", pa.timestamp("us"))]),
    "g": pa.schema([("id", pa.int64()), ("dep", LIMA), ("seen", OSLO)]),
}
ZONED_VIEWS = {
    "late": ("SELECT dep, arr FROM f", ("start",)),
    "later": ("SELECT max(start) AS start, arr FROM Late GROUP BY ALL", ()),
}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("SELECT dep, arr, plain FROM f", {"dep": "Europe/Oslo", "arr": "America/Lima"}),
        ("SELECT * FROM f WHERE id > 3 ORDER BY dep LIMIT 5", {"dep": "Europe/Oslo", "arr": "America/Lima"}),
        ("FROM f", {"dep": "Europe/Oslo", "arr": "America/Lima"}),
        ("SELECT DEP FROM F", {"dep": "Europe/Oslo"}),
        ("SELECT dep AS d, x.arr FROM f AS x", {"d": "Europe/Oslo", "arr": "America/Lima"}),
        (
            "SELECT f.dep, g.dep AS other, seen FROM f JOIN g USING (id)",
            {"dep": "Europe/Oslo", "other": "America/Lima", "seen": "Europe/Oslo"},
        ),
        ("SELECT f.dep, g.dep FROM f, g", {}),  # one name, two zones
        ("SELECT * FROM f, g", {"arr": "America/Lima", "seen": "Europe/Oslo"}),
        ("SELECT g.* FROM f, g", {"dep": "America/Lima", "seen": "Europe/Oslo"}),
        ("SELECT date_trunc('day', dep) AS dep FROM f", {}),
        ("SELECT dep, max(arr) AS arr FROM f GROUP BY dep", {"dep": "Europe/Oslo"}),
        ("SELECT * REPLACE (now() AS dep) FROM f", {"arr": "America/Lima"}),
        ("SELECT * EXCLUDE (dep) FROM f", {"arr": "America/Lima"}),
        ("SELECT * EXCLUDE (arr), arr AS dep2 FROM f", {"dep": "Europe/Oslo", "dep2": "America/Lima"}),
        ("SELECT * RENAME (dep AS arr, arr AS dep) FROM f", {}),
        ("SELECT COLUMNS('dep') FROM f", {}),
        ("SELECT dep FROM (FROM f) x", {"dep": "Europe/Oslo"}),
        ("FROM (SELECT dep AS d, now() AS arr FROM f)", {"d": "Europe/Oslo"}),
        ("WITH c AS (SELECT arr AS a FROM f), d AS (FROM c) SELECT * FROM d", {"a": "America/Lima"}),
        ("WITH f AS (SELECT arr AS dep FROM f) SELECT dep FROM f", {"dep": "America/Lima"}),
        ("WITH c(dep) AS (SELECT arr FROM f) SELECT dep FROM c", {}),
        ("WITH RECURSIVE f AS (SELECT 1 AS dep UNION ALL SELECT 2 FROM f) SELECT dep FROM f", {}),
        ("SELECT dep FROM f UNION ALL SELECT seen FROM g", {"dep": "Europe/Oslo"}),
        ("SELECT id, dep FROM f UNION ALL BY NAME SELECT dep, id FROM g", {}),
        ("SELECT * FROM f JOIN g USING (id) UNION ALL SELECT * FROM f JOIN g USING (id)", {}),
        ("(SELECT dep FROM f) EXCEPT (SELECT seen FROM g)", {"dep": "Europe/Oslo"}),
        ("SELECT x.dep FROM g, (SELECT g.dep FROM f) x", {}),
        ("SELECT dep FROM f, unnest([1]) u(n)", {}),
        ("SELECT * FROM late", {"start": "Europe/Oslo", "arr": "America/Lima"}),
        ("WITH f AS (SELECT now() AS dep) SELECT start FROM late", {"start": "Europe/Oslo"}),
        ("SELECT * FROM later", {"arr": "America/Lima"}),
        ("SELECT dep FROM (SELECT now() AS dep) f", {}),
        ("WITH f AS (SELECT now() AS dep) SELECT dep FROM f", {}),
        ("SELECT dep FROM f UNION ALL SELECT dep FROM g", {}),
        ("SELECT plain FROM f", {}),
        ("SELECT dep FROM nowhere", {}),
        ("not sql at all (", {}),
    ],
)
def test_a_zone_is_given_back_to_columns_that_are_passed_through(text: str, labels: dict[str, str]):
    assert zone_labels(text, ZONED, ZONED_VIEWS) == labels


def test_a_zone_label_changes_no_instant(engine: DuckEngine):
    table = pa.table({"at_": pa.array([0, None, 1_700_000_000_000_000], pa.timestamp("us", "Europe/Oslo"))})
    got = engine.run(
        SqlFragment("SELECT at_, at_ + INTERVAL 1 HOUR AS later FROM t"), Inputs({"t": ArrowSource(table)})
    )
    assert got["at_"].to_pylist() == table["at_"].to_pylist()
    assert str(got.schema.field("at_").type) == "timestamp[us, tz=Europe/Oslo]"
    assert str(got.schema.field("later").type) == "timestamp[us, tz=UTC]"
