"""Stages on worker processes: what each task gets, how rows are exchanged, and what comes back. The oracle is plain Python."""

from __future__ import annotations

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from cluster_parts import RowsPart

from luma_bench.config import Settings
from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.runner import DaskRunner
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import EngineError, KadeQLError
from luma_bench.plan.cluster.stages import Hashed, Ranged, RowsFeed, Stage, StageFeed, TableFeed, Whole

Run = Callable[..., list[pa.Table]]


@pytest.fixture
def embedded() -> Iterator[DuckEngine]:
    made = DuckEngine(Settings(threads=1, timezone="UTC"))
    yield made
    made.close()


@pytest.fixture
def runner(cluster_handle: ClusterHandle, embedded: DuckEngine) -> Iterator[DaskRunner]:
    made = DaskRunner(cluster_handle, cluster_handle.desk(), embedded, "UTC")
    yield made
    made.close()


def fetched(runner: DaskRunner, *stages: Stage) -> pa.Table:
    handles = [runner.submit(stage) for stage in stages]
    tables = list(runner.fetch(handles[-1]))
    for handle in handles:
        runner.release(handle)
    return pa.concat_tables(tables)


def rows_of(count: int) -> pa.Table:
    drawn = random.Random(7)
    return pa.table(
        {
            "a": list(range(count)),
            "b": [drawn.choice([None, *range(9)]) for _ in range(count)],
            "s": [drawn.choice(["x", "yy", "é", "", None]) for _ in range(count)],
        }
    )


def test_a_small_query_ends_in_the_driver(runner: DaskRunner) -> None:
    rows = rows_of(1000)
    partial = Stage(
        0, "SELECT b AS c0, count(*) AS c1 FROM t GROUP BY b", (RowsFeed("t", rows, whole=False),), 4
    )
    final = Stage(1, "SELECT c0, sum(c1)::BIGINT AS c1 FROM p GROUP BY c0", (StageFeed("p", 0, "all"),), 1)
    found = fetched(runner, partial, final)
    assert dict(zip(*found.to_pydict().values(), strict=True)) == Counter(rows["b"].to_pylist())
    details = [node.detail for node in runner.nodes()]
    assert details[0].startswith("4 tasks on ")
    assert details[1] == "in the driver, on duckdb"


def test_equal_keys_meet_in_one_bucket_and_keep_their_order(runner: DaskRunner) -> None:
    rows = rows_of(2000)
    feed = RowsFeed("t", rows, whole=False)
    split = Stage(0, "SELECT b AS c0, a AS c1 FROM t", (feed,), 3, Hashed(("c0",), 5))
    read = Stage(1, "SELECT c0, list(c1) AS c1 FROM p GROUP BY c0", (StageFeed("p", 0, "bucket"),), 5)
    found = fetched(runner, split, read).to_pydict()
    expected = defaultdict(list)
    for key, value in zip(rows["b"].to_pylist(), rows["a"].to_pylist(), strict=True):
        expected[key].append(value)
    assert dict(zip(found["c0"], found["c1"], strict=True)) == expected


@pytest.mark.parametrize("shared", [True, False], ids=["files", "memory"])
def test_large_rows_are_exchanged(
    cluster_handle: ClusterHandle, embedded: DuckEngine, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from luma_bench.engines.cluster import exchange_folder

    if not shared:
        monkeypatch.setattr(
            cluster_handle._opened, "exchange", exchange_folder.ExchangeFolder(None, "not shared")
        )
    runner = DaskRunner(cluster_handle, cluster_handle.desk(), embedded, "UTC")
    split = Stage(
        0, "SELECT range % 1000 AS c0, range AS c1, 'some text ' || range AS c2 FROM range(200_000)", (), 2,
        Hashed(("c0",), 3),
    )  # fmt: skip
    read = Stage(
        1,
        "SELECT c0, sum(c1)::BIGINT AS c1, max(c2) AS c2, count(*) AS c3 FROM p GROUP BY c0",
        (StageFeed("p", 0, "bucket"),),
        3,
    )
    try:
        handles = [runner.submit(split), runner.submit(read)]
        reports = handles[0].reports()
        assert sum(sum(report.rows) for report in reports) == 400_000
        folder = cluster_handle.exchange_of(runner.ledger.query)
        assert (len(list(folder.iterdir())) if folder else 0) == (2 if shared else 0)
        found = pa.concat_tables(runner.fetch(handles[1])).sort_by("c0").to_pydict()
    finally:
        runner.close()
    assert found["c0"] == list(range(1000))
    assert found["c1"] == [2 * sum(range(key, 200_000, 1000)) for key in range(1000)]
    assert set(found["c3"]) == {400}
    assert folder is None or not folder.exists()


def test_rows_of_a_lost_file_are_made_anew(cluster_handle: ClusterHandle, runner: DaskRunner) -> None:
    split = Stage(0, "SELECT range % 10 AS c0, range AS c1 FROM range(100_000)", (), 2, Hashed(("c0",), 4))
    read = Stage(1, "SELECT c0, count(*) AS c1 FROM p GROUP BY c0", (StageFeed("p", 0, "bucket"),), 4)
    last = Stage(2, "SELECT sum(c1)::BIGINT AS c0 FROM q", (StageFeed("q", 1, "all"),), 1)
    first = runner.submit(split)
    first.reports()
    folder = cluster_handle.exchange_of(runner.ledger.query)
    assert folder is not None
    files = sorted(folder.iterdir())
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-100])
    runner.submit(read)
    runner.release(first)
    handle = runner.submit(last)
    assert pa.concat_tables(runner.fetch(handle)).to_pydict() == {"c0": [200_000]}
    assert "run anew" in runner.nodes()[0].detail


def test_ranges_follow_the_order_of_the_engine(runner: DaskRunner, embedded: DuckEngine) -> None:
    rows = rows_of(3000)
    from luma_bench.plan.engine import Inputs, SqlFragment

    order = "s DESC NULLS FIRST, b ASC NULLS LAST"
    inputs = Inputs({}, {"t": rows})
    edges = embedded.run(SqlFragment(f"SELECT DISTINCT s, b FROM t ORDER BY {order}"), inputs).take(
        [3, 11, 25]
    )
    output = Ranged(((2, True, True), (1, False, False)), edges)
    split = Stage(
        0, "SELECT a AS c0, b AS c1, s AS c2 FROM t", (RowsFeed("t", rows, whole=False),), 2, output
    )
    read = Stage(
        1,
        "SELECT * FROM p ORDER BY c2 DESC NULLS FIRST, c1 ASC NULLS LAST, c0",
        (StageFeed("p", 0, "bucket"),),
        4,
    )
    found = fetched(runner, split, read)
    expected = embedded.run(
        SqlFragment(f"SELECT a AS c0, b AS c1, s AS c2 FROM t ORDER BY {order}, a"), inputs
    )
    assert found.to_pydict() == expected.to_pydict()
    assert [
        sum(sizes) for sizes in zip(*(report.rows for report in runner._runs[0].reports), strict=True)
    ] != [3000, 0, 0, 0]


def test_buckets_are_grouped_sliced_and_left_out(runner: DaskRunner) -> None:
    rows = rows_of(900)
    split = Stage(
        0, "SELECT a AS c0, b AS c1 FROM t", (RowsFeed("t", rows, whole=False),), 2, Hashed(("c1",), 4)
    )
    groups = ((0, 2), (1,), (1,), (3,), ())
    feed = StageFeed("p", 0, "bucket", groups, ((0, 1), (0, 2), (1, 2), (0, 1), (0, 1)))
    read = Stage(1, "SELECT c0 FROM p", (feed,), 5)
    again = Stage(2, "SELECT c0 FROM q", (StageFeed("q", 1, "part", ((0, 1), (), (2, 3, 4))),), 3)
    assert sorted(fetched(runner, split, read, again)["c0"].to_pylist()) == list(range(900))


def test_parts_of_tables_are_read_where_tasks_run(runner: DaskRunner) -> None:
    parts = tuple(RowsPart("t", rows_of(100).slice(first, 25)) for first in (0, 25, 50, 75))
    read = Stage(0, "SELECT a AS c0 FROM t", (TableFeed("t", parts, groups=((0,), (1, 2), (), (3,))),), 4)
    every = Stage(
        1, "SELECT count(*) AS c0, sum(a)::BIGINT AS c1 FROM t", (TableFeed("t", parts, whole=True),), 1
    )
    handles = [runner.submit(read), runner.submit(every)]
    assert pa.concat_tables(runner.fetch(handles[0]))["c0"].to_pylist() == list(range(100))
    assert pa.concat_tables(runner.fetch(handles[1])).to_pydict() == {"c0": [100], "c1": [4950]}
    assert sum(report.rows_read for report in handles[0].reports()) == 100


def test_types_survive_the_way_between_stages(runner: DaskRunner) -> None:
    made = (
        (
            "SELECT (170141183460469231731687303715884105727)::HUGEINT AS c0, '7'::BIT AS c1, uuid() AS c2, true AS c3, "
            "TIMESTAMPTZ '2024-01-02 03:04:05+00' AS c4, {'a': [1::HUGEINT]} AS c5, '12:00:00+02'::TIMETZ AS c6, NULL AS c7"
        )
        .replace("'7'::BIT", "'101'::BIT")
        .replace("uuid()", f"'{uuid.UUID(int=5)}'::UUID")
    )
    first = Stage(0, made, (), 2, Hashed(("c0",), 2))
    read = Stage(1, "SELECT typeof(COLUMNS(*)) FROM p", (StageFeed("p", 0, "bucket"),), 2)
    found = fetched(runner, first, read)
    assert found.num_rows == 2
    kinds = [
        "HUGEINT",
        "BIT",
        "UUID",
        "BOOLEAN",
        "TIMESTAMP WITH TIME ZONE",
        "STRUCT(a HUGEINT[])",
        "TIME WITH TIME ZONE",
    ]
    assert list(found.slice(0, 1).to_pylist()[0].values())[:7] == kinds


def test_many_tasks_are_drained_in_order(runner: DaskRunner) -> None:
    stage = Stage(
        0, "SELECT a AS c0 FROM t", (RowsFeed("t", rows_of(400), whole=False),), 40, Whole(), "answer"
    )
    handle = runner.submit(stage)
    tables = runner.fetch(handle)
    first = next(tables)
    assert len(runner._runs[0].sent) < 40
    assert pa.concat_tables([first, *tables])["c0"].to_pylist() == list(range(400))


def test_an_error_of_the_rows_is_the_one_that_the_embedded_engine_raises(runner: DaskRunner) -> None:
    rows = pa.table({"s": ["1", "oops", "3", "4"]})
    stage = Stage(0, "SELECT s::INTEGER AS c0 FROM t", (RowsFeed("t", rows, whole=False),), 2)
    last = Stage(1, "SELECT sum(c0) AS c0 FROM p", (StageFeed("p", 0, "all"),), 1)
    handles = [runner.submit(stage), runner.submit(last)]
    with pytest.raises(KadeQLError, match="Could not convert string 'oops' to INTEGER") as caught:
        list(runner.fetch(handles[1]))
    assert caught.value.span is None
    assert "c0" not in str(caught.value)


def test_a_part_that_one_worker_cannot_read_is_read_by_another(runner: DaskRunner, tmp_path: Path) -> None:
    part = RowsPart("t", rows_of(10), str(tmp_path / "broken"))
    stage = Stage(0, "SELECT a AS c0 FROM t", (TableFeed("t", (part,)),), 1)
    last = Stage(1, "SELECT sum(c0)::BIGINT AS c0 FROM p", (StageFeed("p", 0, "all"),), 1)
    assert fetched(runner, stage, last).to_pydict() == {"c0": [45]}
    assert "1 task run anew" in runner.nodes()[0].detail


def test_a_part_that_no_worker_can_read_names_its_segment(runner: DaskRunner, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("*")
    part = RowsPart("t", rows_of(10), str(tmp_path / "broken"))
    stage = Stage(0, "SELECT a AS c0 FROM t", (TableFeed("t", (part,)),), 1)
    from luma_bench.errors import CorruptionError

    with pytest.raises(CorruptionError, match="Segment 01SEGMENT: it cannot be read") as caught:
        fetched(runner, stage)
    assert caught.value.segment == "01SEGMENT"


def test_a_stage_of_many_pieces_has_one_task_that_collects(runner: DaskRunner) -> None:
    split = Stage(0, "SELECT range AS c0 FROM range(500)", (), 50, Hashed(("c0",), 50))
    read = Stage(1, "SELECT count(*) AS c0 FROM p", (StageFeed("p", 0, "bucket"),), 50)
    handles = [runner.submit(split), runner.submit(read)]
    assert sum(pa.concat_tables(runner.fetch(handles[1]))["c0"].to_pylist()) == 25_000


def test_versions_that_differ_are_refused(
    cluster_handle: ClusterHandle, embedded: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    other = dataclasses.replace(cluster_handle.versions, duckdb="9.9")
    monkeypatch.setattr(cluster_handle, "_versions", other)
    runner = DaskRunner(cluster_handle, cluster_handle.desk(), embedded, "UTC")
    with pytest.raises(
        EngineError, match=r"does not go together with this process: duckdb \S+ there and 9\.9 here"
    ):
        fetched(runner, Stage(0, "SELECT 1 AS c0", (), 2))
    runner.close()
