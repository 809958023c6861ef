"""How grouped windows run: which plan, why, what is pushed into the scan, and what EXPLAIN and the run record say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from grouped_worlds import planned, tuples

import luma_bench as lb
from luma_bench.bench.series import grouped_runs
from luma_bench.errors import CancelledError, KadeQLError, ResourceError, UnsupportedError
from luma_bench.models.control import Control
from luma_bench.plan.series.choice import choose
from luma_bench.plan.series.cost import Work, by_runs, by_sql, prefers_runs

T = dt.datetime(2024, 1, 1)
ROWS = 60_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """A table of 20 hosts, 3,000 minutes each, sorted by host and time; and one that is not."""
    hosts = np.repeat(np.arange(20), ROWS // 20)
    times = np.tile(np.arange(ROWS // 20) * 60_000_000, 20) + int(np.datetime64(T, "us").astype(np.int64))
    values = (np.arange(ROWS) % 97).astype(float)
    rows = pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us")),
            "host": pa.array([f"h{one:02d}" for one in hosts]),
            "v": pa.array(values),
        }
    )
    with lb.open(tmp_path_factory.mktemp("plans") / "b.luma") as opened:
        opened.write("m", rows, time_column="ts", series_key="host")
        mixed = np.random.default_rng(1).permutation(ROWS)
        opened.write("mixed", rows.take(pa.array(mixed)))
        yield opened


def shown(bench: lb.Bench, text: str) -> str:
    return bench.kadeql(f"EXPLAIN {text}").explain()


def told(bench: lb.Bench, text: str) -> str:
    result = bench.kadeql(text, cache=False)
    (node,) = [node for node in result.run.nodes if node.name.startswith("series")]
    return node.detail


def test_sorted_rows_take_sorted_runs(bench: lb.Bench) -> None:
    detail = told(bench, "SELECT ts, host, avg(v) FROM m SAMPLE BY 1h")
    assert "sorted runs by host: sorted by series and time" in detail
    assert "20 series" in detail
    assert "1,000 groups of 60,000 rows" in detail


def test_what_has_no_kernel_is_said(bench: lb.Bench) -> None:
    detail = told(bench, "SELECT ts, host, median(v) FROM m SAMPLE BY 1h")
    assert "sql: median(v) has no kernel" in detail


def test_a_plan_may_be_insisted_on(bench: lb.Bench) -> None:
    text = "SELECT ts, host, avg(v) FROM m SAMPLE BY 1h"
    with planned(bench, "sql"):
        assert "sql: asked for" in told(bench, text)
    with planned(bench, "runs"):
        assert "sorted runs by host: asked for" in told(bench, text)
        with pytest.raises(UnsupportedError, match=r"median\(v\) has no kernel"):
            bench.kadeql("SELECT ts, host, median(v) FROM m SAMPLE BY 1h", cache=False)


def test_explain_shows_the_plan_without_running_it(bench: lb.Bench) -> None:
    found = str(
        bench.kadeql("EXPLAIN SELECT ts, host, avg(v) FROM m SAMPLE BY 2h FILL(PREV)").to_arrow().to_pylist()
    )
    assert "sorted runs by host" in found
    assert "bucket 2h" in found
    assert "fill PREV" in found
    assert "groups of" not in found


def test_fewer_keys_than_the_series_need_no_sorting(bench: lb.Bench) -> None:
    detail = told(bench, "SELECT ts, sum(v) FROM m SAMPLE BY 1d")
    assert "sorted runs by host" in detail
    assert "1 series" in detail


def test_rows_that_follow_no_order_by_series_and_time_agree(bench: lb.Bench) -> None:
    text = "SELECT ts, host, sum(v), first(v, ts) FROM {} SAMPLE BY 1h"
    assert tuples(bench.kadeql(text.format("mixed"))) == tuples(bench.kadeql(text.format("m")))


@pytest.mark.parametrize("plan", ["runs", "sql"])
@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("host = 'h07'", 50),
        ("host IN ('h07', 'h08') AND n > 0", 100),
        ("ts >= TIMESTAMP '2024-01-02 12:00'", 14 * 20),
        ("ts < TIMESTAMP '2024-01-01 02:30'", 3 * 20),
        ("ts = TIMESTAMP '2024-01-01 02:00'", 20),
        ("ts > TIMESTAMP '2024-01-01 02:00' AND ts <= TIMESTAMP '2024-01-01 04:00' AND host = 'h01'", 2),
        ("ts <> TIMESTAMP '2024-01-01 02:00' AND host = 'h01'", 49),
    ],
)
def test_conditions_around_are_pushed(bench: lb.Bench, plan: str, condition: str, count: int) -> None:
    inner = "(SELECT ts, host, count(*) AS n FROM m SAMPLE BY 1h)"
    with planned(bench, plan):
        found = tuples(bench.kadeql(f"SELECT ts, host, n FROM {inner} WHERE {condition}", cache=False))
    assert len(found) == count
    assert all(row[2] == 60 for row in found)


def test_a_pushed_condition_reads_less(bench: lb.Bench) -> None:
    inner = "(SELECT ts, host, count(*) AS n FROM m SAMPLE BY 1h)"
    detail = told(
        bench, f"SELECT ts, n FROM {inner} WHERE host = 'h07' AND ts < TIMESTAMP '2024-01-01 02:00'"
    )
    assert "2 groups of 120 rows" in detail


def test_memory_that_does_not_suffice_is_said_and_sql_answers(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ResourceError("The groups need 3 MB, and an operator may take 1 MB.")

    monkeypatch.setattr(grouped_runs.Gathered, "result", full)
    result = bench.kadeql("SELECT ts, host, sum(v) FROM m SAMPLE BY 1d", cache=False)
    assert len(result) == 60
    assert any("sorted runs were given up" in note for note in result.run.warnings)
    (node,) = [node for node in result.run.nodes if node.name.startswith("series")]
    assert node.detail.startswith("sql:")


def test_it_stops_when_asked(bench: lb.Bench) -> None:
    with pytest.raises(CancelledError):
        bench.kadeql(
            "SELECT sum(s) FROM (SELECT ts, host, sum(v) AS s FROM m SAMPLE BY 10ms FILL(LINEAR))",
            timeout=0.3,
            cache=False,
        )


def test_types_are_kept_between_texts_that_differ_in_constants(
    bench: lb.Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "SELECT ts, max(v) FROM m WHERE host = 'h{}' SAMPLE BY 10h"
    bench.kadeql(text.format("01"))
    inspector = bench._machinery.statements.runner.binder.inspector
    asked: list[str] = []
    before = inspector.describe
    monkeypatch.setattr(
        inspector, "describe", lambda sql, tables: (asked.append(sql), before(sql, tables))[1]
    )
    assert len(bench.kadeql(text.format("02"))) == 6
    assert not [sql for sql in asked if "max(v)" in sql]


def test_an_unknown_column_is_pointed_at(bench: lb.Bench) -> None:
    text = "SELECT ts, host, avg(vv) FROM m SAMPLE BY 1h"
    with pytest.raises(KadeQLError) as caught:
        bench.kadeql(text)
    assert caught.value.span is not None
    assert text[slice(*caught.value.span)].startswith("vv")


def test_views_and_joins_over_grouped_windows(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE OR REPLACE VIEW hourly AS SELECT ts, host, avg(v) AS a FROM m SAMPLE BY 1h FILL(PREV)"
    )
    found = tuples(
        bench.kadeql(
            "SELECT count(*), count(DISTINCT x.ts) FROM hourly x JOIN hourly y USING (ts, host) WHERE x.host < 'h02'"
        )
    )
    assert found == [(100, 50)]


def test_the_cheaper_plan_is_chosen() -> None:
    tidy, loose = Work(8_000_000, 1.0, 2), Work(8_000_000, 0.0, 2)
    assert prefers_runs(tidy)
    assert not prefers_runs(loose)
    assert prefers_runs(Work(8_000_000, 0.0, 2, sessions=True))
    assert prefers_runs(Work(1_000, 0.0, 5))
    assert prefers_runs(Work(8_000_000, 1.0, 1, folded=30_000))
    assert not prefers_runs(Work(8_000_000, 1.0, 1, folded=1_400_000))
    assert "become few" in choose(None, Work(8_000_000, 1.0, 1, folded=1_400_000), "auto").reason
    assert by_runs(loose) > by_runs(tidy)
    assert by_sql(Work(1_000, 1.0, 1, windows=4.0)) > by_sql(Work(1_000, 1.0, 1))
    assert choose(None, loose, "auto").name == "sql"
    assert "not sorted" in choose(None, loose, "auto").reason
    assert choose("x has no kernel", tidy, "auto").name == "sql"
    with pytest.raises(UnsupportedError, match="x has no kernel"):
        choose("x has no kernel", tidy, "runs")


def test_rows_of_runs_are_cut_exactly() -> None:
    from luma_bench.models.series.runs import Runs

    runs = Runs(np.array([4, 2], np.int32), np.array([0, 3, 5]), np.array([1, 2, 3, 1, 9]))
    assert grouped_runs.cut(runs, 0, 10) is runs
    found = grouped_runs.cut(runs, 2, 9)
    assert (found.codes.tolist(), found.offsets.tolist(), found.time.tolist()) == ([4], [0, 2], [2, 3])
    assert found.order is not None
    assert found.order.tolist() == [1, 2]
    assert Control().memory == 0
