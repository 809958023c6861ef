"""The inspector splits, classifies and binds texts, and runs nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.config import Settings
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError, KadeQLUnsupportedError

KINDS = {
    "SELECT 1": "SELECT",
    "FROM t": "SELECT",
    "SHOW TABLES": "SELECT",
    "DESCRIBE t": "SELECT",
    "SUMMARIZE t": "SELECT",
    "PIVOT t ON a USING sum(b)": "MULTI",
    "EXPLAIN ANALYZE DELETE FROM t": "EXPLAIN",
    "INSERT INTO t VALUES (1)": "INSERT",
    "UPDATE t SET a = 'x;y'": "UPDATE",
    "DELETE FROM t": "DELETE",
    "CREATE TABLE t (a INT)": "CREATE",
    "COPY t TO 'x'": "COPY",
    "ATTACH 'x'": "ATTACH",
    "SET threads = 1": "SET",
    "PRAGMA database_list": "PRAGMA",
    "BEGIN": "TRANSACTION",
    "LOAD fts": "LOAD",
}


@pytest.fixture(scope="module")
def inspector():
    made = DuckInspector(Settings(threads=1, timezone="UTC"))
    yield made
    made.close()


@pytest.mark.parametrize(("text", "kind"), KINDS.items())
def test_kinds(inspector: DuckInspector, text: str, kind: str):
    (statement,) = inspector.classify(f"  {text} ; ")
    assert (statement.kind, statement.start, statement.end) == (kind, 2, 2 + len(text))


PIECES = [
    "SELECT 1",
    "SELECT ';'",
    "SELECT 'é😀;' AS \"å;\"",
    "SELECT $$a;b$$",
    "FROM t -- c;d\n WHERE a = $lo",
    "SELECT /* ; */ $hi + $lo",
]
GAPS = [";", " ; ", ";\n-- between;\n", ";;", "; /* ü; */ "]


@given(
    st.lists(st.sampled_from(PIECES), max_size=5),
    st.lists(st.sampled_from(GAPS), min_size=6, max_size=6),
    st.sampled_from(["", "  ", "-- head;\n", "/* å */"]),
)
@settings(deadline=None, max_examples=80)
def test_places_and_parameters_of_each_statement(pieces: list[str], gaps: list[str], head: str):
    text = head + "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=False))
    found = DuckInspector.classify(_SHARED, text)
    assert [text[statement.start : statement.end] for statement in found] == pieces
    wanted = [{name for name in ("lo", "hi") if f"${name}" in piece} for piece in pieces]
    assert [set(statement.parameters) for statement in found] == wanted


_SHARED = DuckInspector(Settings(threads=1))


def test_a_syntax_error_points_into_the_whole_text(inspector: DuckInspector):
    text = "SELECT 'é'; SELECT 1 FORM t WHERE"
    with pytest.raises(KadeQLSyntaxError) as caught:
        inspector.classify(text)
    assert caught.value.span is not None
    assert caught.value.span[0] >= text.index("t WHERE")


def test_describe_forgets_tables_of_an_earlier_call(inspector: DuckInspector):
    one, two = pa.schema([("a", pa.int64())]), pa.schema([("a", pa.string()), ("b", pa.date32())])
    assert inspector.describe("SELECT a FROM t", {"t": one}) == one
    assert inspector.describe("SELECT * FROM T", {"t": two}) == two
    with pytest.raises(KadeQLBindError, match="no table 't'"):
        inspector.describe("SELECT * FROM t", {"u": one})
    assert inspector.describe("SELECT * FROM u", {"u": one}) == one


def test_describe_hides_the_row_id(inspector: DuckInspector):
    schema = pa.schema([pa.field("_rowid", pa.int64(), False), ("a", pa.int64())])
    assert inspector.describe("SELECT * FROM t", {"t": schema}).names == ["a"]


def test_describe_leaves_parameters_open(inspector: DuckInspector):
    schema = pa.schema([("a", pa.int64())])
    assert inspector.describe("SELECT a + $n::BIGINT AS s FROM t WHERE a > $lo", {"t": schema}) == pa.schema(
        [("s", pa.int64())]
    )
    with pytest.raises(KadeQLBindError, match="hangs on the value"):
        inspector.describe("SELECT $n AS s FROM t", {"t": schema})


@pytest.mark.parametrize(
    "text", ["DELETE FROM t", "SELECT 1; SELECT 2", "SET threads = 1", "COPY (SELECT 1) TO 'x'", ""]
)
def test_describe_takes_queries_only(inspector: DuckInspector, text: str):
    with pytest.raises(KadeQLUnsupportedError):
        inspector.describe(text, {"t": pa.schema([("a", pa.int64())])})


def test_describe_runs_nothing(inspector: DuckInspector):
    text = "SELECT error('ran') AS e, sum(range) AS s FROM range(100000000000) GROUP BY ALL"
    assert inspector.describe(text, {}).names == ["e", "s"]


def test_a_null_cast_tells_a_type(inspector: DuckInspector):
    for sql, kind in [
        ("INTEGER", pa.int32()),
        ("DECIMAL(9,2)", pa.decimal128(9, 2)),
        ("TIMESTAMPTZ", pa.timestamp("us", "UTC")),
        ("VARCHAR[]", pa.list_(pa.string())),
    ]:
        assert inspector.describe(f"SELECT CAST(NULL AS {sql}) AS c", {}).field("c").type == kind


def test_a_text_is_bound_again_when_its_tables_are_others(inspector: DuckInspector) -> None:
    narrow, wide = pa.schema([("a", pa.int32())]), pa.schema([("a", pa.int64())])
    text = "SELECT a + 1 AS b FROM t"
    first = inspector.describe(text, {"t": narrow})
    assert inspector.describe(text, {"t": narrow}) == first
    assert first.field("b").type == pa.int32()
    assert inspector.describe(text, {"t": wide}).field("b").type == pa.int64()
    assert inspector.describe(text, {"t": narrow}) == first
    with pytest.raises(KadeQLBindError):
        inspector.describe(text, {"other": narrow})
