"""Estimates grow with what a statement reads and does; the machine's figures are measured once and kept."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.engines import calibrate
from luma_bench.engines.calibrate import Calibration, Figures, measured
from luma_bench.engines.costs import (
    START_SECONDS,
    ClusterFigures,
    cluster_estimate,
    duck_estimate,
    load_of,
    polars_estimate,
    row_bytes,
    shape_of,
)
from luma_bench.plan.engine import Inputs, SqlFragment, View

GB = 10**9


class Sized:
    """A source of so many rows that nobody reads."""

    def __init__(self, rows: int, **kinds: pa.DataType) -> None:
        self.name = "t"
        self.schema = pa.schema([("_rowid", pa.int64()), *kinds.items()])
        self._rows = rows

    def rows(self) -> int:
        return self._rows


def big(rows: int = 10_000_000) -> Sized:
    return Sized(rows, a=pa.int64(), b=pa.int32(), s=pa.string())


def read(text: str, *sources: Sized, **more: object) -> tuple[SqlFragment, Inputs]:
    named = {f"t{place or ''}": source for place, source in enumerate(sources)}
    return SqlFragment(text), Inputs(named, **more)  # pyright: ignore[reportArgumentType]


def seconds(text: str, *sources: Sized) -> float:
    return duck_estimate(*read(text, *sources), None, 2, 8 * GB).seconds


def test_row_bytes():
    kinds = pa.schema(
        [
            ("a", pa.int64()),
            ("b", pa.bool_()),
            ("c", pa.string()),
            ("d", pa.decimal128(9, 2)),
            ("e f", pa.list_(pa.int8())),
        ]
    )
    assert row_bytes(kinds) == 8 + 1 / 8 + 24 + 16 + 24
    assert row_bytes(kinds, shape_of("SELECT A, count(*) FROM t GROUP BY a")) == 8
    assert row_bytes(kinds, shape_of('SELECT "e f", b FROM t')) == 24 + 1 / 8
    for text in (
        "SELECT * FROM t",
        "FROM t",
        "SELECT t.* FROM t",
        "SELECT columns('a') FROM t",
        "SUMMARIZE t",
    ):
        assert row_bytes(kinds, shape_of(text)) == row_bytes(kinds), text


def test_what_a_text_says():
    shape = shape_of(
        "SELECT g, sum(x * y), avg(x), rank() OVER (ORDER BY g) FROM t JOIN u ON a = b JOIN v ON c = d"
        " WHERE name LIKE '%x%' AND EXISTS (SELECT * FROM w) GROUP BY g ORDER BY g"
    )
    assert (shape.joins, shape.sums, shape.groups, shape.sorts, shape.windows, shape.texts, shape.whole) == (
        2, 2, 1, 1, 1, 1, False,
    )  # fmt: skip


def test_small_statements_cost_their_start():
    assert seconds("SELECT 1") == START_SECONDS
    assert START_SECONDS < seconds("SELECT sum(a) FROM t", big(100)) < 1.1 * START_SECONDS
    relation = pa.table({"a": pa.array(range(1000), pa.int64())})
    fragment, inputs = read("FROM r", relations={"r": relation})
    assert START_SECONDS < duck_estimate(fragment, inputs, None, 1, GB).seconds < 1.1 * START_SECONDS


def test_more_work_costs_more():
    plain = seconds("SELECT a FROM t WHERE b > 1", big())
    assert plain < seconds("SELECT a FROM t WHERE b > 1", big(20_000_000))
    assert plain < seconds("SELECT a, s FROM t WHERE b > 1", big())
    assert plain < seconds("SELECT sum(a) FROM t WHERE b > 1", big())
    assert plain < seconds("SELECT a FROM t WHERE b > 1 ORDER BY a", big())
    assert plain == seconds("SELECT a FROM t WHERE b > 1 ORDER BY a LIMIT 3", big())
    assert plain < seconds("SELECT a, lag(a) OVER (PARTITION BY b) FROM t WHERE b > 1", big())
    assert plain < seconds("SELECT t.a FROM t JOIN t1 ON t.b = t1.b", big(), big())
    assert seconds("SELECT sum(a) FROM t", big()) < seconds("SELECT b, sum(a) FROM t GROUP BY b", big())


def test_a_views_columns_are_read():
    fragment, inputs = read("SELECT v FROM w", big(), views=(View("w", "SELECT s AS v FROM t"),))
    assert load_of(fragment, inputs).nbytes == 24 * 10_000_000


def test_memory_is_the_working_set():
    def held(text: str, *sources: Sized) -> int:
        return duck_estimate(*read(text, *sources), None, 2, 8 * GB).memory

    assert held("SELECT sum(a) FROM t", big()) == 0
    one = held("SELECT t.a FROM t JOIN t1 ON t.b = t1.b", big(), big(1_000_000))
    other = held("SELECT t.a FROM t1 JOIN t ON t.b = t1.b", big(1_000_000), big())
    assert one == other > 0
    assert held("SELECT b, count(*) FROM t GROUP BY b", big()) > 0
    assert held("FROM t ORDER BY a", big()) > held("SELECT a FROM t ORDER BY a", big()) > 0


def test_what_does_not_fit_is_said_and_takes_longer():
    fragment, inputs = read("FROM t ORDER BY a", big())
    fits = duck_estimate(fragment, inputs, None, 2, 8 * GB)
    spills = duck_estimate(fragment, inputs, None, 2, GB // 10)
    assert (fits.why_not, fits.detail) == ("", "")
    assert spills.seconds > fits.seconds
    assert spills.detail.startswith("spills about ")
    assert spills.why_not.startswith("it would hold about ")
    assert "memory for it is 100.0 MB" in spills.why_not
    polars = polars_estimate(fragment, inputs, None, 2, GB // 10)
    assert polars.memory > spills.memory
    assert polars.why_not


def cluster(workers: int, latency: float = 0.001, bandwidth: float = GB) -> ClusterFigures:
    return ClusterFigures(workers, workers, workers * 4 * GB, latency, bandwidth)


def test_a_cluster_shares_the_work_and_pays_for_its_tasks():
    fragment, inputs = read("SELECT b, sum(a) FROM t GROUP BY b", big(2_000_000_000))
    times = [cluster_estimate(fragment, inputs, None, cluster(count)).seconds for count in (1, 4, 16)]
    assert times[0] > 2 * times[1] > 4 * times[2]
    alone = duck_estimate(fragment, inputs, None, 2, 100 * GB).seconds
    assert times[2] < alone
    # Tasks take the scheduler's time however many workers there are.
    slow = cluster_estimate(fragment, inputs, None, cluster(1000, latency=0.1))
    tasks = int(slow.detail.split(" ")[0].replace(",", ""))
    assert slow.seconds >= 0.1 * tasks
    assert slow.detail.endswith(" on 1,000 workers, 2 rounds; 100 ms a task, 1.0 GB/s exchanged")


def test_a_cluster_pays_for_what_it_exchanges():
    fragment, inputs = read("SELECT t.a FROM t JOIN t1 ON t.b = t1.b", big(), big())
    quick = cluster_estimate(fragment, inputs, None, cluster(4))
    slow = cluster_estimate(fragment, inputs, None, cluster(4, bandwidth=GB / 1000))
    assert slow.seconds > quick.seconds + 1
    tight = ClusterFigures(4, 4, 1000, 0.001, GB)
    assert "the workers' memory for it is 1.0 kB" in cluster_estimate(fragment, inputs, None, tight).why_not


def test_a_small_statement_is_not_worth_a_cluster():
    fragment, inputs = read("SELECT sum(a) FROM t", big(1_000_000))
    alone = duck_estimate(fragment, inputs, None, 2, GB).seconds
    assert cluster_estimate(fragment, inputs, None, cluster(64)).seconds > alone
    assert cluster_estimate(*read("SELECT 1"), None, cluster(2)).detail.startswith(
        "1 task on 2 workers, 1 round; "
    )


def test_a_faster_machine_is_expected_to_be_faster(tmp_path: Path):
    fragment, inputs = read("SELECT sum(a) FROM t", big(100_000_000))

    def expected(folder: str, bandwidth: float, core: float) -> float:
        calibration = Calibration(Settings(cache_dir=str(tmp_path / folder)), lambda: (bandwidth, core))
        return duck_estimate(fragment, inputs, calibration, 1, GB).seconds

    slow = expected("slow", 16e9, 29e9)
    assert expected("quick", 32e9, 58e9) < slow
    assert expected("slow", 32e9, 58e9) == slow  # it found the file of the first one


def test_only_long_statements_are_worth_measuring(tmp_path: Path):
    calls: list[int] = []

    def measure() -> tuple[float, float]:
        calls.append(1)
        return 16e9, 29e9

    calibration = Calibration(Settings(cache_dir=str(tmp_path)), measure)
    for source in (big(100), big(500_000)):
        duck_estimate(*read("SELECT sum(a) FROM t", source), calibration, 1, GB)
        assert (calls, list(tmp_path.iterdir())) == ([], [])
    assert calibration.known.source == "typical"
    for _ in range(2):
        duck_estimate(*read("SELECT sum(a) FROM t", big(100_000_000)), calibration, 1, GB)
    assert (calls, calibration.known.source) == ([1], "measured")
    again = Calibration(Settings(cache_dir=str(tmp_path)), measure)
    duck_estimate(*read("SELECT sum(a) FROM t", big(100_000_000)), again, 1, GB)
    assert (calls, again.known.source) == ([1], "kept")
    assert "measured before" in again.known.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"{}",
        b'{"machine": 1}',
        b"[1, 2]",
        b'{"machine": "other", "versions": "", "memory_bandwidth": 1e9, "core_speed": 1e9}',
    ],
)
def test_a_damaged_file_is_measured_anew(tmp_path: Path, content: bytes):
    calibration = Calibration(Settings(cache_dir=str(tmp_path)), lambda: (16e9, 29e9))
    calibration.path.write_bytes(content)
    assert calibration.known.source == "typical"
    assert calibration.figures().source == "measured"
    assert json.loads(calibration.path.read_bytes())["core_speed"] == 29e9
    assert Calibration(Settings(cache_dir=str(tmp_path))).known.source == "kept"


@pytest.mark.parametrize("figure", ["0", "-1", "1e300", "null", "1e-5"])
def test_figures_that_cannot_be_are_not_believed(tmp_path: Path, figure: str):
    calibration = Calibration(Settings(cache_dir=str(tmp_path)), lambda: (16e9, 29e9))
    calibration.figures()
    text = calibration.path.read_text("utf-8")
    assert '"core_speed":29000000000.0' in text
    calibration.path.write_text(text.replace("29000000000.0", figure), "utf-8")
    assert Calibration(Settings(cache_dir=str(tmp_path))).known.source == "typical"


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").write_text("", "utf-8")
    calibration = Calibration(Settings(cache_dir=str(tmp_path / "file" / "below")), lambda: (16e9, 29e9))
    assert calibration.figures() == Figures(16e9, 29e9, calibrate.usable_cores(), "measured")
    assert not calibration.path.exists()


def test_the_machine_is_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calibrate, "_BUDGET", 0.005)
    start = time.perf_counter()
    bandwidth, speed = measured()
    assert time.perf_counter() > start + 0.005
    assert 1e8 <= bandwidth <= 1e13
    assert 1e8 <= speed <= 1e13
    figures = Figures(bandwidth, speed, 1, "measured")
    assert 0 < figures.scan_bandwidth <= bandwidth
    assert figures.text.endswith("1 core (measured now)")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT sum(range) FROM range(50_000_000)", 50_000_000),
        ("SELECT * FROM GENERATE_SERIES( 1000000, 3000000 )", 2_000_000),
        ("SELECT * FROM range(9, 3)", 0),
        ("SELECT * FROM range(n)", 0),
        ("SELECT * FROM range(_, 1__)", 0),
        (f"SELECT * FROM range({'9' * 5000})", 0),
    ],
)
def test_rows_that_a_function_makes_count(text: str, rows: int):
    load = load_of(*read(text))
    assert load.nbytes == 8 * rows
    assert (seconds(text) > 2 * START_SECONDS) == (rows > 1_000_000)
