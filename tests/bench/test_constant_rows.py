"""Constants of VALUES that are stored without an engine are what the engine would have stored; a few values compared
without one meet the rows that they are equal to."""

from __future__ import annotations

import math
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.bench.few_rows import few_rows
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import LumaError
from luma_bench.language import Insert, parse
from luma_bench.language.literals import constant_rows
from luma_bench.types.scan import ScanCounters, ScanSource

TYPES = ("TINYINT", "BIGINT", "UINTEGER", "DOUBLE", "FLOAT", "DECIMAL(6,2)", "DECIMAL(38,10)", "VARCHAR", "BOOLEAN",
         "DATE", "TIMESTAMP", "TIMESTAMPTZ", "UUID", "BLOB", "HUGEINT", "ENUM('a', 'b')", "JSON", "INTEGER[]")  # fmt: skip
CELLS = st.one_of(
    st.integers(-300, 300).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-(10**9), 10**9, places=3).map(str),
    st.sampled_from([
        "0", "-0", "-0.0", "0.1", "00012", "1e3", "1_000", ".5", "5.", "- 7", "-(7)", "+7", "1 + 1", "99999.99", "0.005",
        "123456789012345.6", "0.1234567890123456", "NULL", "TRUE", "false", "'a'", "'it''s'", "''", "E'\\n'", "'\\n'",
        "'12'", "'1.5'", "'true'", "'2024-02-29'", "'2023-02-29'", "'2024-2-9'", "'0000-01-01'", "'infinity'",
        "DATE '2024-02-29'", "DATE '20240229'", "TIMESTAMP '2024-02-29 12:34:56'", "'2024-02-29 12:34:56.123456'",
        "'2024-02-29 12:34:56.1234567'", "'2024-02-29 24:00:00'", "'2024-02-29 23:59:60'", "'2024-02-29T12:34:56'",
        "'2024-02-29 12:34:56+02'", "$1", "$i", "$x", "$s", "$n", "$b", "$huge", "$nan", "$d", "lower('A')", "'a' || 'b'",
        "TIMESTAMP '2024-02-29'", "/* c */ 4", "x", "DEFAULT", "(SELECT 3)", "$$a$$", "''''", "'ä€😀'",
    ]),
)  # fmt: skip
PARAMS: dict[str, object] = {
    "i": 7, "x": 0.1 + 0.2, "s": "it's", "n": None, "b": True, "huge": 10**30, "nan": math.nan, "d": "2024-02-29"
}  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    with lb.open(tmp_path_factory.mktemp("constants") / "b") as opened:
        yield opened


def stored(bench: lb.Bench, kind: str, text: str, engine: str) -> pa.Table | str:
    """What the table holds after an INSERT, or what the user is told."""
    bench.kadeql(f"CREATE OR REPLACE TABLE t (id INTEGER, c {kind})")
    used = {name: value for name, value in PARAMS.items() if f"${name}" in text}
    try:
        bench.kadeql(text, params=used, engine=engine)
    except LumaError as error:
        return str(error)
    return bench.kadeql("FROM t", cache=False).to_arrow()


@pytest.mark.parametrize("kind", TYPES)
def test_constants_are_stored_as_the_engine_stores_them(bench: lb.Bench, kind: str) -> None:
    @settings(max_examples=15, deadline=None)
    @given(st.lists(CELLS, min_size=1, max_size=3))
    def check(cells: list[str]) -> None:
        text = "INSERT INTO t VALUES " + ", ".join(f"({place}, {cell})" for place, cell in enumerate(cells))
        found, wanted = stored(bench, kind, text, "auto"), stored(bench, kind, text, "duckdb")
        if isinstance(found, str) or isinstance(wanted, str):
            assert found == wanted
        else:
            assert found.schema == wanted.schema
            assert repr(found.to_pylist()) == repr(wanted.to_pylist())

    check()


@pytest.mark.parametrize("cell", ["7", "-7", "0.25", "'it''s'", "TRUE", "NULL", "DATE '2024-02-29'", "$i"])
def test_one_constant_alone(bench: lb.Bench, cell: str) -> None:
    for kind in TYPES:
        text = f"INSERT INTO t VALUES (1, {cell})"
        found, wanted = stored(bench, kind, text, "auto"), stored(bench, kind, text, "duckdb")
        assert repr(found if isinstance(found, str) else found.to_pylist()) == repr(
            wanted if isinstance(wanted, str) else wanted.to_pylist()
        )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("(1, 'a''b', -2.50), (NULL, $s, TRUE)", True),
        ("(DATE '2024-02-29')", True),
        ("(1) UNION ALL VALUES (2)", False),
        ("(1), (2) ORDER BY 1", False),
        ("(1 + 1)", False),
        ("(1::INTEGER)", False),
        ("(E'a')", False),
        ("(1e3)", False),
    ],
)
def test_what_is_read_without_an_engine(text: str, read: bool) -> None:
    (statement,) = parse(f"INSERT INTO t VALUES {text}", DuckInspector())
    assert isinstance(statement, Insert)
    assert statement.query is not None
    assert (constant_rows(statement.query) is not None) is read


@settings(max_examples=drawn(40), deadline=None)
@given(data=st.data())
def test_few_values_meet_the_rows_that_have_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    numbers = st.none() | st.integers(-3, 3)
    texts = st.none() | st.sampled_from(["", "a", "A", "b", "ä", "a\u0308", "x" * 250])
    rows = data.draw(st.lists(st.tuples(numbers, texts), max_size=30))
    names = data.draw(st.sampled_from([("n",), ("s",), ("n", "s"), ("s", "n")]))
    schema = pa.schema([("n", pa.int32()), ("s", pa.string())])
    table = pa.Table.from_pylist([{"n": n, "s": s} for n, s in rows], schema)
    wanted = data.draw(st.lists(st.tuples(numbers, texts), max_size=18))
    values = pa.Table.from_pylist([{"n": n, "s": s} for n, s in wanted], schema).select(list(names))
    # Without room for small writes every row lies in a segment, where texts are codes of a dictionary.
    room = data.draw(st.sampled_from([0, 10_000]))
    with lb.open(tmp_path_factory.mktemp("few") / "b", inline_bytes=room) as bench:
        half = len(rows) // 2
        bench.write("t", table.slice(0, half))
        bench.write("t", table.slice(half), mode="append")
        found = few_rows(scan_of(bench, "t"), names, values)
    keys = [tuple(row[name] for name in names) for row in values.to_pylist()]
    plain = 0 < len(keys) <= 16 and not any(
        part is None or (isinstance(part, str) and len(part) > 200) for key in keys for part in key
    )
    assert (found is not None) is plain
    if found is not None:
        held = Counter(tuple(row[name] for name in names) for row in table.to_pylist())
        assert found == {key: count for key, count in held.items() if key in keys}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("DOUBLE", "0.0"),
        ("DECIMAL(6,2)", "1.5"),
        ("UUID", "uuid()"),
        ("DATE", "'infinity'"),
        ("BLOB", "'a'"),
        ("TIMESTAMPTZ", "now()"),
        ("ENUM('a')", "'a'"),
    ],
)
def test_other_types_are_the_engines(bench: lb.Bench, kind: str, value: str) -> None:
    bench.kadeql(f"CREATE OR REPLACE TABLE k (c {kind})")
    bench.kadeql(f"INSERT INTO k SELECT {value}")
    scan = scan_of(bench, "k")
    assert few_rows(scan, ("c",), scan.stream([1], [], ScanCounters()).read_all()) is None


def scan_of(bench: lb.Bench, table: str) -> ScanSource:
    return bench._store.scan(bench._store.resolve(), table)
