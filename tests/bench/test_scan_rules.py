"""Every rule over scans against its absence and against DuckDB: random statements, and shapes that only look alike."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import scan_rule_cases as cases

import luma_bench as lb
from luma_bench.bench import reducing
from luma_bench.bench.metered import MeteredScan
from luma_bench.engines.statistics import StatisticsEngine
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.storage import scan_statistics
from luma_bench.types.scan import ScanCounters

NONE: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[lb.Bench, duckdb.DuckDBPyConnection]]:
    bench, twin = cases.opened(tmp_path_factory.mktemp("rules"))
    with bench, twin:
        bench.kadeql("SELECT 1")
        yield bench, twin


@pytest.fixture(autouse=True)
def _rules_take_small_tables(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = twins[0]._machinery.statements.runner
    monkeypatch.setattr(scan_statistics, "_WORTH_SKIPPING", 0.0)
    monkeypatch.setattr(reducing, "_FEWER", 1)
    monkeypatch.setattr(reducing, "_CLUSTERED", 1.0)
    monkeypatch.setattr(runner.binder.reducer, "least_rows", 0)
    monkeypatch.setattr(runner.binder.reducer, "least_chunks", 0)
    monkeypatch.setattr(runner.engines["statistics"], "least_rows", 0)


def rows(table: pa.Table) -> list[str]:
    return cases.plain([tuple(row.values()) for row in _unique(table).to_pylist()])


def _unique(table: pa.Table) -> pa.Table:
    return table.rename_columns([str(i) for i in range(table.num_columns)])


def check(twins: tuple[lb.Bench, duckdb.DuckDBPyConnection], text: str, params: Any = None) -> lb.Result:
    """The answer with the rules, which is the one without them and DuckDB's."""
    bench, twin = twins
    reducer = bench._machinery.statements.runner.binder.reducer
    ours = bench.kadeql(text, params, cache=False)
    rules, reducer.rules = reducer.rules, NONE
    try:
        without = bench.kadeql(text, params, engine="duckdb", cache=False)
    finally:
        reducer.rules = rules
    peer = cases.plain(twin.execute(text, params or {}).fetchall())
    assert without.run.engine == "duckdb"
    assert ours.schema.equals(without.schema, check_metadata=True), text
    assert rows(ours.to_arrow()) == rows(without.to_arrow()) == peer, (text, ours.run)
    return ours


def fired(result: lb.Result) -> str:
    """What answered, or the rule that fired."""
    if result.run.engine != "duckdb":
        return result.run.engine
    return next((node.name.split()[1] for node in result.run.nodes if node.name.startswith("rule")), "")


@pytest.mark.parametrize(
    ("made", "rule", "least"),
    [(cases.figures, "statistics", 40), (cases.top, "top-k", 25), (cases.join, "semi-join", 20)],
)
def test_random_statements(twins: Any, made: Any, rule: str, least: int) -> None:
    rng = random.Random(3)
    seen = Counter(fired(check(twins, made(rng))) for _ in range(120))
    assert seen[rule] >= least, seen


@pytest.mark.slow
@pytest.mark.parametrize("made", [cases.figures, cases.top, cases.join])
def test_random_statements_at_length(twins: Any, made: Any) -> None:
    rng = random.Random(11)
    for _ in range(3000):
        check(twins, made(rng))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("SELECT count(*) FROM facts", "statistics"),
        ("SELECT max(x), min(x) FROM facts WHERE id < 300", "statistics"),
        ("SELECT count(DISTINCT k) FROM facts", ""),
        ("SELECT count(*) FILTER (WHERE k > 3) FROM facts", ""),
        ("SELECT max(k, 3) FROM facts", ""),
        ("SELECT max(k) OVER () FROM facts LIMIT 1", ""),
        ("SELECT count(*) FROM facts f, few", ""),
        ("SELECT k, max(id) FROM facts GROUP BY k", ""),
        ("SELECT max(k) FROM facts HAVING max(k) > 1000", ""),
        ("SELECT count(NULL) FROM facts", ""),
        ("SELECT DISTINCT count(*) FROM facts", ""),
        ("SELECT count(*) FROM facts WHERE random() > 2", ""),
        ("WITH facts AS (SELECT 1 AS k) SELECT count(*) FROM facts", ""),
        ("SELECT count(k) FROM facts AS t (a, k)", ""),
        ("SELECT id FROM facts ORDER BY id LIMIT 3", "top-k"),
        ("SELECT id FROM facts ORDER BY -id LIMIT 3", ""),
        ("SELECT -id AS id FROM facts ORDER BY id LIMIT 3", ""),
        ("SELECT id AS moment, moment AS id FROM facts ORDER BY id, moment LIMIT 3", ""),
        ("SELECT * REPLACE (-id AS id) FROM facts ORDER BY id LIMIT 3", ""),
        ("SELECT k, count(*) FROM facts GROUP BY k ORDER BY k LIMIT 3", ""),
        ("SELECT DISTINCT k FROM facts ORDER BY k LIMIT 3", ""),
        ("SELECT id, row_number() OVER (ORDER BY id DESC) FROM facts ORDER BY id LIMIT 3", ""),
        ("SELECT unnest(CASE WHEN id < 100 THEN [] ELSE [1] END), id FROM facts ORDER BY id LIMIT 3", ""),
        ("SELECT id FROM facts ORDER BY s COLLATE NOCASE, id LIMIT 3", ""),
        ("SELECT id FROM facts WHERE id % 2 = 0 ORDER BY id LIMIT 3", ""),
        ("SELECT max(id) FROM facts ORDER BY 1 LIMIT 3", ""),
        ("SELECT id FROM facts ORDER BY id LIMIT 10%", ""),
        ("SELECT f.id FROM facts f JOIN few d ON f.k = d.k", "semi-join"),
        ("SELECT f.id FROM facts f JOIN few d ON f.k = d.k WHERE d.name = 'red'", "semi-join"),
        ("SELECT f.id FROM facts f LEFT JOIN few d ON f.k = d.k", ""),
        ("SELECT f.id FROM facts f ANTI JOIN few d ON f.k = d.k", ""),
        ("SELECT f.id FROM facts f ASOF JOIN few d ON f.k >= d.k", ""),
        ("SELECT f.id FROM facts f POSITIONAL JOIN few d WHERE f.k = d.k", ""),
        ("SELECT f.id FROM facts f NATURAL JOIN few d", ""),
        ("SELECT f.id FROM facts f JOIN few d ON f.k = d.k OR f.id = 1", ""),
        ("SELECT a.id FROM facts a JOIN few d ON a.k = d.k JOIN facts b ON a.id = b.id", ""),
        ("SELECT f.id FROM facts f WHERE f.k IN (SELECT k FROM few)", "semi-join"),
        ("SELECT f.id FROM facts f WHERE NOT (f.k IN (SELECT k FROM few WHERE k IS NOT NULL))", ""),
        ("SELECT f.id FROM facts f WHERE (f.k IN (SELECT k FROM few)) IS NULL", ""),
        ("SELECT f.id FROM facts f WHERE EXISTS (SELECT count(*) FROM few d WHERE d.k = f.k)", ""),
        ("SELECT f.id FROM facts f WHERE EXISTS (SELECT 1 FROM few d WHERE d.k = f.k)", "semi-join"),
        ("SELECT f.id FROM facts f WHERE f.k IN (SELECT k FROM few UNION SELECT 7)", ""),
        ("SELECT f.id FROM facts f WHERE f.k = (SELECT max(k) FROM few)", ""),
        ("SELECT f.id FROM facts f JOIN few d ON f.k = d.grp", "semi-join"),
        ("SELECT f.id FROM facts f JOIN few d ON f.x = d.grp", ""),
    ],
)  # fmt: skip
def test_what_fires_and_what_only_looks_alike(twins: Any, text: str, rule: str) -> None:
    if "random" not in text:
        assert fired(check(twins, text)) == rule
    else:
        assert fired(twins[0].kadeql(text, cache=False)) == rule


def test_parameters_are_constants(twins: Any) -> None:
    assert fired(check(twins, "SELECT count(*), max(k) FROM facts WHERE id < $n", {"n": 128})) == "statistics"
    assert fired(check(twins, "SELECT id FROM facts ORDER BY moment DESC LIMIT $n", {"n": 4})) == "top-k"
    text = "SELECT f.id FROM facts f JOIN dims d ON f.k = d.k WHERE d.grp = $g"
    assert {fired(check(twins, text, {"g": g})) for g in range(10)} == {"semi-join"} | {
        fired(check(twins, text, {"g": g})) for g in range(10)
    }


def test_the_past_has_its_own_statistics(twins: Any) -> None:
    bench, _ = twins
    first = min(snapshot.id for snapshot in bench.snapshots() if "facts" in snapshot.tables)
    now = bench.kadeql("SELECT count(*) AS n FROM facts", cache=False)
    assert now.run.engine == "statistics"
    past = bench.kadeql(f"SELECT count(*) AS n FROM facts AT (VERSION => {first})", cache=False)
    assert (past.run.engine, past.to_arrow()["n"].to_pylist()) == ("statistics", [300])


def test_a_transaction_sees_its_own_rows(twins: Any) -> None:
    bench, _ = twins
    before = (
        bench.kadeql("SELECT count(*) AS n, max(id) AS m FROM facts", cache=False).to_arrow().to_pylist()[0]
    )

    class Enough(Exception):
        """Rolls the transaction back."""

    def changed() -> None:
        with bench.transaction() as tx:
            tx.kadeql("INSERT INTO facts (id, moment) VALUES (5000, TIMESTAMP '2024-01-01')")
            inside = tx.kadeql("SELECT count(*) AS n, max(id) AS m FROM facts", cache=False).to_arrow()
            assert inside.to_pylist() == [{"n": before["n"] + 1, "m": 5000}]
            top = tx.kadeql("SELECT id FROM facts ORDER BY id DESC LIMIT 1").to_arrow()["id"].to_pylist()
            assert top == [5000]
            raise Enough

    with pytest.raises(Enough):
        changed()
    after = (
        bench.kadeql("SELECT count(*) AS n, max(id) AS m FROM facts", cache=False).to_arrow().to_pylist()[0]
    )
    assert after == before


def test_callers_tables_hide_stored_ones(twins: Any) -> None:
    bench, _ = twins
    mine = pa.table({"id": [1, 2], "k": pa.array([1, 1], pa.int32())})
    assert bench.kadeql("SELECT count(*) AS n FROM facts", tables={"facts": mine}).to_arrow()[
        "n"
    ].to_pylist() == [2]
    found = bench.kadeql("SELECT f.id FROM facts f JOIN few USING (k)", tables={"few": mine}, cache=False)
    assert (
        len(found)
        == 2 * bench.kadeql("SELECT count(*) AS n FROM facts WHERE k = 1").to_arrow()["n"][0].as_py()
    )


def test_what_views_read_is_left_alone(twins: Any) -> None:
    bench, twin = twins
    for run in (bench.kadeql, twin.execute):
        run("CREATE VIEW seen AS SELECT id, k FROM facts")
    try:
        text = "SELECT f.id, v.k FROM facts f JOIN few d ON f.k = d.k JOIN seen v ON v.id = f.id + 1"
        assert fired(check(twins, text)) == ""
        assert fired(check(twins, "SELECT id FROM seen ORDER BY id LIMIT 2")) == ""
        assert fired(check(twins, "SELECT count(*), max(k) FROM seen")) == ""
    finally:
        for run in (bench.kadeql, twin.execute):
            run("DROP VIEW seen")


def test_a_source_without_statistics_takes_part_in_no_rule() -> None:
    class Hidden:
        """A source that shows less than the whole table."""

        name, schema = "facts", pa.schema([("_rowid", pa.int64())])

        def rows(self) -> int:
            return 1_000_000

    source: Any = Hidden()
    metered = MeteredScan(source, ScanCounters())
    assert metered.statistics is None
    inputs = Inputs({"facts": metered})
    fragment = SqlFragment("SELECT count(*), max(k) FROM facts ORDER BY 1 LIMIT 1")
    assert reducing.Reducer().apply(fragment, inputs) == ()
    engine = StatisticsEngine(lambda *_: pa.schema([]))
    reason = engine.supports(SqlFragment("SELECT count(*) FROM facts"), inputs)
    assert reason == "'facts' offers no statistics"
