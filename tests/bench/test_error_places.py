"""Every wrong statement says what is wrong, exactly where, and what to do: in the user's own text, whatever ran."""

from __future__ import annotations

import re

import pytest
from error_cases import CASES

import luma_bench as lb
from luma_bench.engines.duck_advice import FAMILIES

SCHEMA = """
CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, n BIGINT, price DECIMAL(6, 2), day DATE, ts TIMESTAMP,
    ok BOOLEAN, tags VARCHAR[], doc STRUCT(a INTEGER, b VARCHAR));
INSERT INTO t VALUES
    (1, 'one', 10, 1.50, DATE '2026-01-01', TIMESTAMP '2026-01-01 10:00:00', true, ['x'], {'a': 1, 'b': 'y'}),
    (2, 'two', 20, 2.50, DATE '2026-01-02', TIMESTAMP '2026-01-02 10:00:00', false, [], NULL);
CREATE TABLE u (id INTEGER, name VARCHAR, tid INTEGER);
INSERT INTO u VALUES (1, 'a', 1), (2, '12x', 2)
"""
# Words of the engine's own that no user can do anything with.
FOREIGN = re.compile(
    r"\bSET \w+=|PRAGMA|INSTALL|__luma|_rowid|errors_as_json|core_functions|INT(?:8|16|32|64)\b|_LITERAL|LINE \d"
)
MARKED = [(kind, text) for kind, texts in CASES.items() for text in texts]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with lb.open(tmp_path_factory.mktemp("errors") / "e.luma", threads=1) as opened:
        opened.kadeql(SCHEMA)
        yield opened


@pytest.fixture
def unchanged(bench):
    before = bench.snapshot
    yield bench
    if bench.in_transaction:
        bench.kadeql("ROLLBACK")
    assert bench.snapshot == before


def test_there_are_many_cases():
    assert len(MARKED) >= 300


@pytest.mark.parametrize(("kind", "marked"), MARKED, ids=[text for _, text in MARKED])
def test_a_wrong_statement_has_its_error_its_place_and_advice(unchanged, kind, marked):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(lb.errors.LumaError) as caught:
        unchanged.kadeql(text)
    error = caught.value
    assert type(error).__name__ == kind, error
    assert error.span == (start, end), error
    shown = text[:start]
    assert (error.line, error.column) == (shown.count("\n") + 1, len(shown) - shown.rfind("\n"))
    assert error.hint
    assert not FOREIGN.search(str(error).replace(text, "")), error
    assert "\n" not in error.plain


def test_places_move_with_what_stands_before(unchanged):
    prefix = "SELECT 1;\n/* ü */\t"
    for kind, marked in MARKED[:: len(MARKED) // 40]:
        if "\n" in marked or ";" in marked:
            continue
        start = marked.index("«")
        with pytest.raises(lb.errors.LumaError) as caught:
            unchanged.kadeql(prefix + marked.replace("«", "").replace("»", ""))
        assert (type(caught.value).__name__, caught.value.line, caught.value.column) == (kind, 2, 9 + start)


@pytest.mark.parametrize("family", FAMILIES, ids=[family.title for family in FAMILIES])
def test_each_family_of_messages_is_met_by_its_example(unchanged, family):
    with pytest.raises(lb.errors.KadeQLError) as caught:
        unchanged.kadeql(family.example)
    assert caught.value.hint.startswith(family.fix.split("{")[0])
    assert caught.value.line == 1


def test_a_function_of_another_system_names_its_like(unchanged):
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        unchanged.kadeql("SELECT nvl(n, 0) FROM t")
    assert caught.value.hint == "Write coalesce(x, 0)."


def test_a_text_in_double_quotes_is_told_apart(unchanged):
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        unchanged.kadeql('SELECT id FROM t WHERE name = "one"')
    assert caught.value.hint == "A text stands in single quotes: 'one'. Double quotes hold names."


def test_what_runs_without_end_is_refused(unchanged):
    with pytest.raises(lb.errors.KadeQLUnsupportedError, match="never ends"):
        unchanged.kadeql("SELECT * FROM summary((SELECT 1))")


def test_a_value_far_behind_in_inserted_rows_has_its_place_in_the_whole_text(tmp_path):
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t (a INTEGER)")
        rows = "CAST(CASE WHEN i > 250000 THEN 'x' ELSE '1' END AS INTEGER)"
        with pytest.raises(lb.errors.KadeQLError) as caught:
            bench.kadeql(f"INSERT INTO t\nSELECT {rows} FROM range(300000) r(i)")
        assert (caught.value.line, caught.value.column) == (2, 8)
        assert bench.table("t").to_arrow().num_rows == 0
