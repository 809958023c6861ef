"""The public contract of a Bench: open, write, ask, travel, close."""

import datetime as dt
import threading

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import luma_bench as lb

ROWS = pa.table(
    {
        "id": [1, 2, 3, 4],
        "k": ["a", "b", "a", None],
        "x": [1.5, 2.5, None, 4.0],
        "ts": pa.array([dt.datetime(2024, 1, 1, hour) for hour in range(4)], pa.timestamp("us")),
    }
)


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("t", ROWS, mode="create")
        yield opened


def rows(result):
    return list(zip(*(column.to_pylist() for column in result.to_arrow().columns), strict=True))


def test_answer_with_parameters_and_run_record(bench):
    result = bench.kadeql(
        "SELECT k, sum(x) AS s FROM t WHERE id > $lo GROUP BY k ORDER BY k NULLS LAST", params={"lo": 1}
    )
    assert result.to_arrow().to_pydict() == {"k": ["a", "b", None], "s": [None, 2.5, 4.0]}
    assert len(result) == 3
    assert result.schema.names == ["k", "s"]
    assert pa.table(result).num_rows == 3
    assert result.run.engine == "duckdb"
    assert result.run.snapshot == bench.snapshots()[-1].id
    assert 0 < result.run.rows_read <= 4
    assert not result.run.cached
    assert result.run.elapsed > 0


def test_missing_parameter_points_at_it(bench):
    with pytest.raises(lb.errors.KadeQLBindError) as caught:
        bench.kadeql("SELECT *\nFROM t WHERE id > $lo")
    assert (caught.value.line, caught.value.column) == (2, 19)
    assert "params" in caught.value.hint


def test_cached_answers_say_so_and_cost_no_rows(bench):
    first = bench.kadeql("SELECT max(x) AS m FROM t")
    again = bench.kadeql("SELECT max(x) AS m FROM t")
    assert not first.run.cached
    assert again.run.cached
    assert again.run.rows_read == 0
    assert again.to_arrow() == first.to_arrow()
    assert not bench.kadeql("SELECT max(x) AS m FROM t", cache=False).run.cached


def test_the_cache_key_holds_snapshot_parameters_and_their_types(bench):
    ask = "SELECT count(*) AS n, typeof($p) AS t FROM t"
    assert rows(bench.kadeql(ask, {"p": 1})) != rows(bench.kadeql(ask, {"p": True}))
    before = rows(bench.kadeql("SELECT count(*) FROM t"))
    bench.write("t", ROWS, mode="append")
    after = bench.kadeql("SELECT count(*) FROM t")
    assert (before, rows(after)) == ([(4,)], [(8,)])
    assert not after.run.cached


def test_volatile_answers_are_never_cached(bench):
    for _ in range(2):
        assert not bench.kadeql("SELECT random() AS r FROM t").run.cached
        assert not bench.kadeql("SELECT now() AS r FROM t").run.cached


def test_time_travel_by_id_tag_time_and_statement(bench):
    first = bench.write("u", {"a": [1]}, mode="create")
    bench.write("u", {"a": [2]}, mode="append")
    bench.tag("two")
    bench.write("u", {"a": [9]}, mode="replace")
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u")) == [(9,)]
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u", at="two")) == [(3,)]
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u", at=first.id)) == [(1,)]
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u AT (TAG => 'two')")) == [(3,)]
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u AT (VERSION => $v)", {"v": first.id})) == [(1,)]
    both = "SELECT now_.a, then_.a FROM u now_, u AT (TAG => 'two') then_ ORDER BY 2"
    assert rows(bench.kadeql(both)) == [(9, 1), (9, 2)]
    assert rows(bench.at("two").kadeql("SELECT sum(a)::INT FROM u")) == [(3,)]
    assert rows(bench.kadeql("SELECT sum(a)::INT FROM u", at=first.time)) == [(1,)]
    assert bench.at(1).tables() == []


def test_a_past_bench_and_a_read_only_bench_refuse_writes(bench):
    past = bench.at(bench.snapshot)
    for call in (
        lambda: past.write("t", ROWS, mode="append"),
        lambda: past.tag("x"),
        lambda: past.kadeql("DROP TABLE t"),
        lambda: bench.kadeql("DROP TABLE t", at=1),
    ):
        with pytest.raises(lb.errors.ReadOnlyError):
            call()
    with lb.open(bench.path, mode="r") as reader:
        assert rows(reader.kadeql("SELECT count(*) FROM t")) == [(4,)]
        with pytest.raises(lb.errors.ReadOnlyError):
            reader.kadeql("INSERT INTO t (id) VALUES (1)")
    assert rows(bench.kadeql("SELECT count(*) FROM t")) == [(4,)]


def test_statements_run_in_order_and_give_all_results(bench):
    result = bench.kadeql(
        "CREATE TABLE n (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL, born DATE, price DECIMAL(10,2));"
        "INSERT INTO n VALUES (1, 'one', '2024-02-29', 1.25), (2, 'two', NULL, 2);"
        "INSERT INTO n (name, id) VALUES ('three', 3);"
        "SELECT id, name, born, price FROM n ORDER BY id"
    )
    assert len(result.results) == 4
    assert [r.to_arrow()["operation"][0].as_py() for r in result.results[:3]] == [
        "create",
        "append",
        "append",
    ]
    assert result.to_arrow().schema.types == [pa.int64(), pa.string(), pa.date32(), pa.decimal128(10, 2)]
    assert rows(result)[0][:3] == (1, "one", dt.date(2024, 2, 29))
    assert rows(result)[2] == (3, "three", None, None)
    with pytest.raises(lb.errors.ConstraintError):
        bench.kadeql("INSERT INTO n VALUES (1, 'again', NULL, NULL)")
    with pytest.raises(lb.errors.ConstraintError):
        bench.kadeql("INSERT INTO n VALUES (9, NULL, NULL, NULL)")
    assert rows(bench.kadeql("SELECT count(*) FROM n")) == [(3,)]


def test_create_table_as_drop_and_their_conditions(bench):
    made = bench.kadeql("CREATE TABLE s AS SELECT k, count(*) AS n FROM t GROUP BY ALL")
    assert made.to_arrow()["rows"].to_pylist() == [3]
    with pytest.raises(lb.errors.CatalogError):
        bench.kadeql("CREATE TABLE s AS SELECT 1 AS a")
    before = bench.snapshot
    bench.kadeql("CREATE TABLE IF NOT EXISTS s AS SELECT 1 AS a")
    assert bench.snapshot == before
    bench.kadeql("CREATE OR REPLACE TABLE s AS SELECT 1 AS a")
    assert rows(bench.kadeql("SELECT * FROM s")) == [(1,)]
    bench.kadeql("DROP TABLE s")
    with pytest.raises(lb.errors.CatalogError, match="no table 's'"):
        bench.kadeql("DROP TABLE s")
    bench.kadeql("DROP TABLE IF EXISTS s")
    assert bench.tables() == ["t"]
    assert [s.operation for s in bench.snapshots()][-1] == "drop"


def test_show_describe_summarize_explain(bench):
    assert rows(bench.kadeql("SHOW TABLES")) == [("t", 4, 4, None, None, "table")]
    described = bench.kadeql("DESCRIBE t").to_arrow()
    assert described["column_name"].to_pylist() == ["id", "k", "x", "ts"]
    assert described["column_type"].to_pylist() == ["BIGINT", "VARCHAR", "DOUBLE", "TIMESTAMP"]
    assert bench.kadeql("DESCRIBE SELECT 1 AS one").to_arrow()["column_name"].to_pylist() == ["one"]
    assert "approx_unique" in bench.kadeql("SUMMARIZE t").schema.names
    plan = bench.kadeql("EXPLAIN SELECT k FROM t WHERE id = 3").to_arrow().to_pylist()
    assert plan[0]["explain_key"] == "luma"
    assert "duckdb" in plan[0]["explain_value"]
    analyzed = str(bench.kadeql("EXPLAIN ANALYZE SELECT count(*) FROM t").to_arrow().to_pylist())
    assert "rows read" in analyzed
    assert "snapshot" in bench.kadeql("SELECT k FROM t").explain()


def test_nothing_bypasses_the_catalog(bench, tmp_path):
    for text in (
        "ATTACH 'x.db'",
        "SET threads = 1",
        "PRAGMA database_list",
        "EXPLAIN ANALYZE DROP TABLE t",
        "EXPLAIN ANALYZE COPY t TO 'x.csv'",
        "PREPARE p AS ATTACH 'x.db'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "CREATE VIEW v AS FROM '/etc/passwd'",
        "CREATE TEMP TABLE v AS SELECT 1",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL pragma_version()",
        "SELECT * FROM query('SELECT 1')",
        "EXPORT DATABASE 'x'",
        "WITH d AS (FROM '/etc/passwd') DELETE FROM t USING d",
    ):
        with pytest.raises(lb.errors.LumaError):
            bench.kadeql(text)
    assert rows(bench.kadeql("SELECT count(*) FROM t")) == [(4,)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.luma"]


def test_an_error_points_into_the_users_own_text(bench):
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql("SELECT id\nFROM t WHERE kk = 'a'")
    assert caught.value.line == 2
    assert caught.value.column == 14
    assert "^" in str(caught.value)
    assert "k" in caught.value.hint
    shifted = "SELECT 1;\nSELECT a.id FROM t AT (VERSION => 2) a, t AT (VERSION => 2) b WHERE b.nope = 1"
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql(shifted)
    assert shifted[caught.value.span[0] :].startswith(("b.nope", "nope"))
    with pytest.raises(lb.errors.KadeQLError, match="no table 'tt'") as caught:
        bench.kadeql("SELECT * FROM tt")
    assert "'t'" in caught.value.hint


def test_notebook_tables_are_relations(bench):
    frame = pd.DataFrame({"k": ["a", "b"], "w": [10, 20]})
    got = bench.kadeql("SELECT t.id, f.w FROM t JOIN f USING (k) ORDER BY id", tables={"f": frame})
    assert rows(got) == [(1, 10), (2, 20), (3, 10)]
    assert not got.run.cached
    polars = pl.DataFrame({"k": ["a"]})
    assert rows(bench.kadeql("SELECT count(*) FROM t SEMI JOIN f USING (k)", tables={"f": polars})) == [(2,)]
    with pytest.raises(lb.errors.UnsupportedError):
        bench.kadeql("SELECT * FROM f", tables={"f": 3})


def test_python_variables_are_never_read(bench):
    secret = pd.DataFrame({"a": [1]})
    with pytest.raises(lb.errors.KadeQLError):
        bench.kadeql("SELECT * FROM secret")
    assert len(secret) == 1


def test_writes_take_paths_frames_and_dicts(bench, tmp_path):
    pq.write_table(ROWS, tmp_path / "p.parquet")
    ROWS.to_pandas().to_csv(tmp_path / "c.csv", index=False)
    bench.write("p", tmp_path / "p.parquet")
    bench.write("c", str(tmp_path / "c.csv"))
    bench.write("d", {"a": [1, 2]})
    bench.write("f", pd.DataFrame({"a": [1.5]}))
    bench.write("g", pl.DataFrame({"a": ["x"]}))
    assert bench.table("p").to_arrow() == ROWS
    assert rows(bench.kadeql("SELECT count(*) FROM c")) == [(4,)]
    assert bench.tables() == ["c", "d", "f", "g", "p", "t"]
    with pytest.raises(lb.errors.LumaError):
        bench.write("h", tmp_path / "missing.parquet")


def test_results_convert_without_losing_integers(bench):
    big = 2**60 + 1
    result = bench.kadeql("SELECT sum(v) AS s, max(v) AS m FROM (VALUES ($big), (NULL)) q(v)", {"big": big})
    assert result.to_pandas()["s"].tolist() == [big]
    frame = bench.kadeql(
        "SELECT v FROM (VALUES ($big), (NULL)) q(v) ORDER BY v NULLS LAST", {"big": big}
    ).to_pandas()
    assert frame["v"][0] == big
    assert frame["v"].isna().tolist() == [False, True]
    assert result.to_polars().schema["s"] == pl.Int64


def test_export_round_trips(bench, tmp_path):
    for form in ("parquet", "csv", "json", "arrow"):
        target = tmp_path / f"out.{form}"
        assert bench.export("t", target) == 4
        assert bench.export("SELECT id FROM t WHERE id > 2", tmp_path / f"q.{form}") == 2
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4


def test_another_engine_is_never_pretended(bench):
    result = bench.kadeql("SELECT count(*) FROM t", engine="gpu")
    assert result.run.engine == "duckdb"
    assert result.run.fallbacks
    with pytest.raises(lb.errors.LumaError):
        bench.kadeql("SELECT count(*) FROM t", engine="gpu", strict=True)
    with pytest.raises(lb.errors.LumaError):
        bench.kadeql("SELECT count(*) FROM t", engine="warp")


def test_cancel_from_another_thread(bench):
    caught = []

    def ask():
        try:
            bench.kadeql(
                "SELECT count(*) FROM range(100000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"
            )
        except lb.errors.CancelledError as error:
            caught.append(error)

    worker = threading.Thread(target=ask)
    worker.start()
    deadline = dt.datetime.now() + dt.timedelta(seconds=20)
    while not bench.cancel() and dt.datetime.now() < deadline:
        worker.join(0.02)
    worker.join(20)
    assert caught


def test_a_closed_bench_says_so(tmp_path):
    bench = lb.open(tmp_path / "c.luma")
    bench.close()
    bench.close()
    with pytest.raises(lb.errors.ClosedError):
        bench.tables()
    assert "closed" in repr(bench)


def test_opening_what_is_not_a_bench(tmp_path):
    with pytest.raises(lb.errors.CatalogError, match="no bench"):
        lb.open(tmp_path / "missing.luma", mode="r")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "file").write_text("hello")
    with pytest.raises(lb.errors.CatalogError, match="not a Luma bench"):
        lb.open(tmp_path / "x")
    with pytest.raises(lb.errors.ConfigError, match="unknown setting 'thread'"):
        lb.open(tmp_path / "y.luma", thread=3)
    with pytest.raises(lb.errors.UnsupportedError):
        lb.open("s3://bucket/x.luma")


def test_a_frame_is_pinned_and_runs_the_same_text(bench):
    frame = bench.table("t")
    big = frame[frame["x"] > 2].groupby("k").agg(n=("id", "count"))
    bench.write("t", ROWS, mode="append")
    assert set(big.to_pandas().columns) == {"k", "n"}
    assert len(frame) == 4
    assert len(bench.table("t")) == 8


def test_threads_share_a_bench(bench):
    answers = []

    def ask():
        text = "SELECT count(*) FROM t WHERE id <= $n"
        answers.extend(rows(bench.kadeql(text, {"n": n % 5})) == [(n % 5,)] for n in range(20))

    workers = [threading.Thread(target=ask) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(answers) == 120
    assert all(answers)


def test_arguments_of_a_wrong_kind_are_refused_with_advice(bench, tmp_path):
    (tmp_path / "o.csv").write_text("a")
    frame = bench.table("t")
    for call in (
        lambda: bench.kadeql(None),
        lambda: bench.kadeql("SELECT $v", params=[1]),
        lambda: bench.write(5, {"a": [1]}),
        lambda: bench.write("__luma_x", {"a": [1]}),
        lambda: bench.write("x", {"__luma_c": [1]}),
        lambda: lb.open(None),
        lambda: lb.open(tmp_path / "o.csv"),
        lambda: lb.open(tmp_path / "z.luma", timezone="Mars/X"),
        lambda: frame.assign(z=[1, 2, 3, 4]),
        lambda: frame.assign(z=pd.Series([1, 2, 3, 4]).to_numpy()),
    ):
        with pytest.raises(lb.errors.LumaError) as caught:
            call()
        assert caught.value.hint


def test_a_bench_that_lost_its_catalog_is_not_made_anew(tmp_path):
    with lb.open(tmp_path / "b.luma", inline_bytes=0) as bench:
        bench.write("t", ROWS)
    catalog = tmp_path / "b.luma" / "catalog.sqlite"
    catalog.write_bytes(b"")
    with pytest.raises(lb.errors.CatalogError, match="empty"):
        lb.open(tmp_path / "b.luma")
    assert catalog.stat().st_size == 0


def test_a_value_that_the_text_has_no_parameter_for_is_refused(tmp_path):
    with lb.open(tmp_path / "p.luma") as bench:
        text = "SELECT $low + 1 AS a; SELECT $high AS b"
        assert bench.kadeql(text, {"low": 1, "high": 2}).to_arrow().to_pylist() == [{"b": 2}]
        for call in (bench.kadeql, bench.stream, bench.lineage):
            with pytest.raises(lb.errors.KadeQLError, match=r"no parameter \$hi\.\nDid you mean 'high'"):
                call(text, {"hi": 4})
        with bench.transaction() as tx, pytest.raises(lb.errors.KadeQLError, match="no parameter"):
            tx.kadeql("SELECT 1", {"lo": 1})
