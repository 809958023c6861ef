"""What DuckDB's own tests taught, restated over our own tables: each text answers, or fails, as on plain DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import luma_bench as lb
from benchmarks.agreement import same_rows

SETUP = (
    "CREATE TABLE parcel (id UUID, size ENUM('small', 'medium', 'huge'), flags BIT, meta JSON, weight HUGEINT, handed TIMETZ)",
    """INSERT INTO parcel VALUES
        ('5F0C1D2E-0000-4000-8000-00000000000A', 'huge', '10110', '{"fragile": true, "stops": [3, 4]}', 12, '08:30:00+02'),
        ('5f0c1d2e-0000-4000-8000-00000000000b', 'small', '00001', '[1, 2]', 99999999999999999999, '07:30:00+00'),
        ('5f0c1d2e-0000-4000-8000-00000000000c', 'medium', '11111', 'null', -1, '23:00:00-05'),
        (NULL, NULL, NULL, NULL, NULL, NULL)""",
    "CREATE TABLE stop (place VARCHAR, spot STRUCT(x INTEGER, y INTEGER), seen UUID[], shape GEOMETRY, pair TUPLE(INTEGER, VARCHAR))",
    """INSERT INTO stop SELECT 'quay', {'x': 1, 'y': 2}, ['5F0C1D2E-0000-4000-8000-00000000000A'], 'POINT (3 4)'::GEOMETRY,
        ROW(7, 'seven')""",
)


class Both:
    """A bench and plain DuckDB with the same tables."""

    def __init__(self, folder: Path) -> None:
        self.bench = lb.open(folder / "b.luma", threads=2, timezone="UTC")
        self.twin = duckdb.connect(config={"threads": 1})
        self.twin.execute("SET TimeZone = 'UTC'")
        for text in SETUP:
            self.run(text)

    def run(self, text: str) -> None:
        """Run a change on both."""
        self.twin.execute(text)
        self.bench.kadeql(text)

    def same(self, text: str) -> None:
        """Ask both, and compare the answers as text, which every type has."""
        shown = f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({text})"
        same_rows(self.twin.sql(shown).to_arrow_table(), self.bench.kadeql(shown).to_arrow(), ordered=True)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    pair = Both(tmp_path_factory.mktemp("taught"))
    yield pair
    pair.bench.close()
    pair.twin.close()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id, typeof(id), typeof(size), typeof(flags), typeof(meta), typeof(weight), typeof(handed) FROM parcel ORDER BY id",
        "SELECT column_name, column_type FROM (DESCRIBE parcel)",
        "SELECT column_name, column_type FROM (DESCRIBE stop)",
        # An ENUM is ordered as it was declared, a BIT by its bits, a time by the moment that it is.
        "SELECT size FROM parcel ORDER BY size NULLS LAST",
        "SELECT max(size), min(size) FROM parcel",
        "SELECT size FROM parcel WHERE size >= 'medium' ORDER BY ALL",
        "SELECT flags, flags & '00111'::BIT, bit_count(flags), flags::INTEGER FROM parcel ORDER BY flags",
        "SELECT handed FROM parcel ORDER BY handed",
        "SELECT count(*) FROM parcel WHERE handed < '07:00:00+00'::TIMETZ",
        # A UUID is one however its letters are written.
        "SELECT size FROM parcel WHERE id = '5f0C1D2e-0000-4000-8000-00000000000a'",
        "SELECT count(*) FROM parcel JOIN (SELECT unnest(seen) AS id FROM stop) USING (id)",
        # JSON is JSON when it comes back: arrows, keys, arrays.
        "SELECT meta->'stops'->0, meta->>'fragile', json_type(meta) FROM parcel ORDER BY id",
        "SELECT weight // 5, weight % 7, weight * 1000, sum(weight) OVER () FROM parcel ORDER BY id",
        "SELECT list_max([weight, 3]), typeof(weight + 1) FROM parcel ORDER BY id",
        "SELECT shape, pair, typeof(pair), seen[1], spot.x FROM stop",
        "SELECT id, size FROM parcel UNION ALL SELECT seen[1], 'small' FROM stop ORDER BY ALL",
        "WITH p AS MATERIALIZED (FROM parcel) SELECT size, count(*) FROM p GROUP BY ALL ORDER BY ALL",
    ],
)
def test_a_column_keeps_its_sql_type(both: Both, text: str) -> None:
    both.same(text)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO parcel (size) VALUES ('gigantic')",
        "INSERT INTO parcel (id) VALUES ('5f0c1d2e')",
        "INSERT INTO parcel (flags) VALUES ('0120')",
        "INSERT INTO parcel (meta) VALUES ('{not json')",
        "INSERT INTO parcel (handed) VALUES ('half past eight')",
        "UPDATE parcel SET size = 'gigantic'",
        "SELECT flags + 1 FROM parcel",
    ],
)
def test_what_is_no_value_of_the_type_is_refused(both: Both, text: str) -> None:
    with pytest.raises(duckdb.Error):
        both.twin.execute(text)
    with pytest.raises(lb.errors.LumaError):
        both.bench.kadeql(text)
    both.same("SELECT * FROM parcel ORDER BY ALL")


def test_types_survive_copies_changes_and_new_columns(both: Both) -> None:
    both.run("CREATE TABLE kept AS SELECT id, size, flags, meta, {'inner': [flags]} AS nested FROM parcel")
    both.run("ALTER TABLE kept ADD COLUMN other UUID DEFAULT '00000000-0000-4000-8000-0000000000FF'")
    both.run("UPDATE kept SET flags = ~flags, size = 'small' WHERE size = 'huge'")
    both.run("DELETE FROM kept WHERE flags = '11111'::BIT")
    both.same("SELECT column_name, column_type FROM (DESCRIBE kept)")
    both.same("SELECT * FROM kept ORDER BY id")
    both.same(
        "SELECT count(*), count(DISTINCT other) FROM kept WHERE other < 'ffffffff-ffff-4fff-8fff-ffffffffffff'"
    )


def test_a_result_given_back_as_a_relation_keeps_its_types(both: Both) -> None:
    given = both.bench.kadeql("SELECT id, flags, meta FROM parcel").to_arrow()
    found = both.bench.kadeql(
        "SELECT typeof(id) AS i, typeof(flags) AS f, typeof(meta) AS m FROM given LIMIT 1",
        tables={"given": given},
    )
    assert found.to_arrow().to_pylist() == [{"i": "UUID", "f": "BIT", "m": "JSON"}]
    assert given.schema.field("id").type == pa.string()


def test_a_bit_becomes_the_number_that_it_is(both: Both) -> None:
    both.run("CREATE TABLE counted (n INTEGER)")
    both.run("INSERT INTO counted SELECT flags FROM parcel WHERE flags IS NOT NULL")
    both.same("SELECT n FROM counted ORDER BY n")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT sum(x) EXPORT_STATE FROM range(3) t(x)", "AGGREGATE_STATE"),
        ("SELECT {'s': max(x) EXPORT_STATE} FROM range(3) t(x)", "AGGREGATE_STATE"),
        ("CREATE TABLE state AS SELECT sum(x) EXPORT_STATE AS s FROM range(3) t(x)", "AGGREGATE_STATE"),
        ("CREATE TABLE v (x VARIANT)", "VARIANT"),
        ("CREATE TABLE v AS SELECT 1::VARIANT AS x", "VARIANT"),
        ("CREATE TABLE u (x UNION(a INTEGER, b VARCHAR))", "UNION"),
        ("ALTER TABLE parcel ALTER id TYPE VARCHAR", "UUID"),
        ("SELECT rowid FROM parcel", "rowid"),
        ("SELECT p.rowid, q.id FROM parcel p JOIN parcel q ON p.rowid = q.rowid", "rowid"),
        ("SELECT bitstring_agg(weight) FROM parcel", "bitstring_agg"),
        ("SELECT stats(weight) FROM parcel", "stats"),
        ("SELECT 170141183460469231731687303715884105727", "38 digits"),
        ("SELECT 340282366920938463463374607431768211455::UHUGEINT", "38 digits"),
    ],
)
def test_what_is_not_served_is_refused_by_name(both: Both, text: str, named: str) -> None:
    with pytest.raises(lb.errors.UnsupportedError) as caught:
        both.bench.kadeql(text)
    assert named in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "rows",
    [
        "(1, 1, 'x'), (1.5, 'infinity', 7)",
        "(true, '-inf', true), (1, 2.25, 1)",
        "(DATE '2024-02-29', NULL, TIMESTAMP '2024-02-29 12:00:00'), ('leap', 'nan', DATE '2024-03-01')",
        "(0.10, 1e3, 2), (0.125, 0.1, 2.50)",
    ],
)
def test_each_cell_of_values_takes_its_columns_type_by_itself(both: Both, rows: str) -> None:
    both.run("CREATE OR REPLACE TABLE cells (a VARCHAR, b DOUBLE, c VARCHAR)")
    both.run(f"INSERT INTO cells VALUES {rows}")
    both.same("SELECT * FROM cells ORDER BY ALL")


def test_rows_without_names_fill_the_fields_of_a_struct(both: Both) -> None:
    both.run("CREATE TABLE boxes (spot STRUCT(x INTEGER, y INTEGER), all_of STRUCT(v VARCHAR)[])")
    both.run("INSERT INTO boxes VALUES (ROW(1, 2), [ROW('a'), ROW('b')]), ({'x': 3, 'y': NULL}, NULL)")
    both.same("SELECT spot.x, spot.y, all_of FROM boxes ORDER BY ALL")


def test_a_cell_that_does_not_fit_is_the_one_that_is_shown(both: Both) -> None:
    text = "INSERT INTO cells (b) VALUES (1), ('many')"
    both.run("CREATE OR REPLACE TABLE cells (a VARCHAR, b DOUBLE, c VARCHAR)")
    with pytest.raises(lb.errors.KadeQLError) as caught:
        both.bench.kadeql(text)
    assert caught.value.span == (text.index("'many'"), len(text) - 1)


def test_rows_that_were_read_before_their_commit_can_be_changed_behind_it(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma", inline_bytes=200) as bench:
        bench.kadeql("CREATE TABLE t (a INTEGER, s VARCHAR)")
        bench.kadeql("BEGIN; INSERT INTO t SELECT i, 'x' || i FROM range(40) r(i)")
        assert len(bench.kadeql("SELECT * FROM t")) == 40
        bench.kadeql("COMMIT")
        bench.kadeql("UPDATE t SET s = 'y' WHERE a < 10")
        bench.kadeql("DELETE FROM t WHERE a >= 30")
        found = bench.kadeql("SELECT count(*) AS n, count(*) FILTER (WHERE s = 'y') AS y FROM t").to_arrow()
    assert found.to_pylist() == [{"n": 30, "y": 10}]


def test_a_union_with_a_truth_value_is_delivered(both: Both) -> None:
    text = "SELECT union_value(yes := true) AS u, [union_value(yes := x)] AS l FROM (VALUES (true), (false), (NULL)) v(x)"
    found = both.bench.kadeql(text).to_arrow()
    assert found.to_pylist() == [{"u": True, "l": [x]} for x in (True, False, None)]
    assert found.schema.field("u").type.field(0).type == pa.bool_()


def test_a_text_that_is_no_utf8_is_a_syntax_error(both: Both) -> None:
    with pytest.raises(lb.errors.KadeQLSyntaxError) as caught:
        both.bench.kadeql("SELECT 42 FR\udcf9OM t")
    assert caught.value.span == (12, 13)
    str(caught.value).encode()


def test_a_comma_may_stand_behind_the_last_column(both: Both) -> None:
    both.run("CREATE TABLE behind (a INTEGER, b VARCHAR,)")
    both.run("INSERT INTO behind VALUES (1, 'x')")
    both.same("SELECT * FROM behind")
    with pytest.raises(lb.errors.KadeQLSyntaxError):
        both.bench.kadeql("CREATE TABLE nothing (,)")
