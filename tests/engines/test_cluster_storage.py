"""Stored tables read by workers: at their snapshot, from wherever they are published, and what a segment that cannot be read does."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import CorruptionError, RemoteError, SnapshotExpired
from luma_bench.plan.cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from distributed import Client

ROWS = 40_000
MOVING = ClusterSettings(least_part_bytes=1, inline_bytes=0, broadcast_bytes=0, single_bytes=0)
"""Every table is read in parts by the workers, however small it is."""

SETTINGS: dict[str, Any] = {"chunk_rows": 1_000, "inline_bytes": 2_000, "threads": 2, "timezone": "UTC"}

GROUPED = (
    "SELECT s, count(*) AS n, sum(k) AS total, min(x) AS low FROM t WHERE k % 3 <> 1 GROUP BY s ORDER BY s"
)
JOINED = "SELECT g.label, count(*) AS n, max(t.k) AS most FROM t JOIN g ON t.s = g.s GROUP BY g.label ORDER BY g.label"


def fill(bench: lb.Bench) -> None:
    """A table of two segments with deleted rows, an added column and a tail, one to join it with, and one without rows."""
    rng = np.random.default_rng(11)

    def rows(start: int, count: int) -> dict[str, Any]:
        keys = np.arange(start, start + count)
        words = [None if i % 17 == 0 else f"word {i % 23}" for i in keys]
        return {"k": keys, "s": words, "x": rng.normal(size=count)}

    bench.write("t", rows(0, ROWS // 2))
    bench.write("t", rows(ROWS // 2, ROWS // 2), mode="append")
    bench.kadeql("DELETE FROM t WHERE k BETWEEN 500 AND 3500")
    bench.kadeql("ALTER TABLE t ADD COLUMN late VARCHAR DEFAULT 'before'")
    bench.kadeql("INSERT INTO t VALUES (-1, 'word 3', 0.5, 'after'), (-2, NULL, 0.25, NULL)")
    bench.write("e", {"k": pa.array([], pa.int64()), "v": pa.array([], pa.string())})
    words = [f"word {i}" for i in range(0, 23, 2)]
    bench.write("g", {"s": words, "label": [f"label {i % 5}" for i in range(len(words))]})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cluster") / "b.luma"
    with lb.open(path, **SETTINGS) as bench:
        fill(bench)
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    """A copy, whose folder no worker has read before."""
    return Path(shutil.copytree(original, tmp_path / "b.luma"))


@pytest.fixture
def bench(path: Path, cluster_client: Client) -> Iterator[lb.Bench]:
    with lb.open(path, cluster=cluster_client, **SETTINGS) as opened:
        yield moving(opened)


@pytest.fixture(scope="module")
def shared(
    original: Path, tmp_path_factory: pytest.TempPathFactory, cluster_client: Client
) -> Iterator[lb.Bench]:
    """The bench for tests that change nothing; the others copy one that nobody has open."""
    path = shutil.copytree(original, tmp_path_factory.mktemp("shared") / "b.luma")
    with lb.open(path, cluster=cluster_client, **SETTINGS) as opened:
        yield moving(opened)


@pytest.fixture(autouse=True)
def unread(cluster_client: Client) -> None:
    """Workers forget what they decoded: the copies have segments of the same names."""
    cluster_client.run(forget)


def forget() -> None:
    from luma_bench.storage.parts_process import process_pool

    process_pool().clear()


def moving(bench: lb.Bench) -> lb.Bench:
    bench._machinery.statements.runner.engines["dask"].planning = MOVING
    return bench


def on_workers(bench: lb.Bench, text: str) -> Any:
    result = bench.kadeql(text, engine="dask", strict=True, cache=False)
    assert result.run.engine == "dask"
    assert result.run.rows_read > 0
    return result


def same(bench: lb.Bench, text: str) -> None:
    assert (
        on_workers(bench, text).to_arrow().equals(bench.kadeql(text, engine="duckdb", cache=False).to_arrow())
    )


@pytest.mark.parametrize(
    "text",
    [
        GROUPED,
        JOINED,
        "SELECT * FROM t ORDER BY k",
        "SELECT late, count(*) AS n FROM t GROUP BY late ORDER BY late",
        "SELECT count(*) AS n FROM t",
        "SELECT k, s FROM t WHERE k BETWEEN 3490 AND 3510 ORDER BY k",
    ],
)
def test_workers_read_what_the_embedded_engine_reads(shared: lb.Bench, text: str) -> None:
    same(shared, text)


def test_an_older_snapshot(bench: lb.Bench) -> None:
    before = bench.snapshots()[-1].id
    expected = bench.kadeql(GROUPED, engine="duckdb").to_arrow()
    bench.kadeql("DELETE FROM t WHERE k > 10_000")

    found = bench.kadeql(GROUPED, engine="dask", strict=True, at=before)

    assert found.run.snapshot == before
    assert found.to_arrow().equals(expected)
    same(bench, GROUPED)


def test_what_zone_maps_leave_out_is_told_like_the_embedded_engine_tells_it(shared: lb.Bench) -> None:
    run = on_workers(shared, "SELECT sum(x) AS total FROM t WHERE k >= 39500").run

    assert run.segments_pruned == 1
    assert run.segments_read == 1
    assert run.rows_read <= 8_200


@pytest.mark.parametrize(
    "text",
    [
        "SELECT k, s FROM t WHERE k = 7",
        "SELECT count(*) AS n, sum(k) AS total FROM t WHERE k = 1_000_000_000",
        "SELECT s, count(*) AS n FROM t WHERE k < -1_000_000_000 GROUP BY s",
        "SELECT k FROM e ORDER BY k",
        "SELECT t.k FROM t JOIN e USING (k) ORDER BY t.k",
        "SELECT t.k, e.v FROM t LEFT JOIN e USING (k) WHERE t.k < 5 ORDER BY t.k",
        "SELECT count(*) AS n FROM e",
        "SELECT k, row_number() OVER (PARTITION BY s ORDER BY k) AS place FROM t WHERE k IN (1, 24, 39_999) ORDER BY k",
    ],
)
def test_parts_without_rows_and_tables_without_parts(shared: lb.Bench, text: str) -> None:
    found = shared.kadeql(text, engine="dask", strict=True, cache=False)

    assert found.run.engine == "dask"
    assert found.to_arrow().equals(shared.kadeql(text, engine="duckdb", cache=False).to_arrow())


def break_reading(ulid: str) -> None:
    """From now on this worker's disk fails where a segment is."""
    from luma_bench.storage import files

    if not hasattr(files, "whole_read"):
        files.whole_read = files.LocalFile.size  # type: ignore[attr-defined]

    def size(self: Any) -> int:
        if ulid in self.path.name:
            raise OSError(5, "Input/output error")
        return files.whole_read(self)  # type: ignore[attr-defined]

    files.LocalFile.size = size  # type: ignore[method-assign]


def mend_reading() -> None:
    from luma_bench.storage import files

    if hasattr(files, "whole_read"):
        files.LocalFile.size = files.whole_read  # type: ignore[method-assign]


@pytest.fixture
def breaking(cluster_client: Client) -> Iterator[Client]:
    yield cluster_client
    cluster_client.run(mend_reading)


def segments(path: Path) -> list[Path]:
    """The files of the table `t`, which was made first."""
    folder = min((path / "segments").iterdir(), key=lambda item: int(item.name))
    return sorted(folder.iterdir())


def test_a_segment_that_one_worker_cannot_read_is_read_by_another(
    bench: lb.Bench, path: Path, breaking: Client
) -> None:
    worker = min(breaking.nthreads())
    for file in segments(path):
        breaking.run(break_reading, file.name.split(".")[0], workers=[worker])

    same(bench, GROUPED)


def test_a_segment_that_no_worker_can_read_is_named(bench: lb.Bench, path: Path, breaking: Client) -> None:
    ulid = segments(path)[1].name.split(".")[0]
    breaking.run(break_reading, ulid)

    with pytest.raises(CorruptionError, match="Input/output error") as caught:
        on_workers(bench, GROUPED)
    assert caught.value.segment == ulid
    same(bench, "SELECT count(*) AS n FROM g")

    breaking.run(mend_reading)
    same(bench, GROUPED)


def test_a_damaged_segment_is_an_error_and_never_an_answer(bench: lb.Bench, path: Path) -> None:
    file = segments(path)[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 255
    file.write_bytes(data)

    with pytest.raises(CorruptionError) as caught:
        on_workers(bench, "SELECT min(s) AS a, sum(k) AS b, sum(x) AS c, min(late) AS d FROM t")
    assert caught.value.segment == file.name.split(".")[0]


def test_workers_that_do_not_see_the_folder_say_so(bench: lb.Bench, path: Path) -> None:
    bench.kadeql("SELECT count(*) FROM t WHERE x > 0", engine="duckdb")  # this process has the statistics
    (path / "segments").rename(path / "elsewhere")

    with pytest.raises(RemoteError, match="does not see the folder") as caught:
        on_workers(bench, GROUPED)
    assert "Mount it" in (caught.value.hint or "")

    (path / "elsewhere").rename(path / "segments")
    same(bench, GROUPED)


def test_a_snapshot_that_is_read_is_not_collected(path: Path, cluster_client: Client) -> None:
    with lb.open(path, retention=0, cluster=cluster_client, **SETTINGS) as bench:
        frame = moving(bench).table("t")
        expected = frame.k.sum()
        bench.write("t", {"k": [1]}, mode="replace")
        bench.compact()
        assert len(segments(path)) >= 2

        found = frame.agg(total=("k", "sum")).collect(engine="dask", strict=True)

    assert found.run.engine == "dask"
    assert found.to_arrow()["total"][0].as_py() == expected


def test_a_snapshot_that_was_collected_meanwhile_has_expired(path: Path, cluster_client: Client) -> None:
    old = {file.name for file in segments(path)}
    with lb.open(path, mode="r", cluster=cluster_client, **SETTINGS) as reader:  # it holds no lease
        frame = moving(reader).table("t")
        reader.kadeql(
            "SELECT min(x), max(s) FROM t", engine="duckdb"
        )  # it knows the segments and their statistics
        with lb.open(path, retention=0, **SETTINGS) as writer:
            writer.write("t", {"k": [1]}, mode="replace")
            writer.compact()
        assert old.isdisjoint(file.name for file in segments(path))

        with pytest.raises(SnapshotExpired, match="expired, and its files were collected"):
            frame.agg(total=("k", "sum")).collect(engine="dask", strict=True)


def test_a_published_folder(path: Path, tmp_path: Path, cluster_client: Client) -> None:
    with lb.open(path, **SETTINGS) as bench:
        bench.publish(tmp_path / "public")
        expected = bench.kadeql(GROUPED).to_arrow()

    with lb.open(tmp_path / "public", mode="r", cluster=cluster_client, timezone="UTC") as public:
        assert on_workers(moving(public), GROUPED).to_arrow().equals(expected)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Options that lead to an S3 server with one bucket."""
    beside = Path(sys.executable).with_name("moto_server")
    server = str(beside) if beside.exists() else shutil.which("moto_server")
    if server is None:
        pytest.skip("NO S3 SERVER: moto[server] is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
        try:
            made = urllib.request.Request(f"http://127.0.0.1:{port}/bench-bucket", method="PUT")
            for _ in range(300):
                try:
                    with urllib.request.urlopen(made, timeout=5):
                        break
                except OSError:
                    time.sleep(0.1)
            yield {
                "endpoint": f"http://127.0.0.1:{port}",
                "region": "us-east-1",
                "access_key_id": "testing",
                "secret_access_key": "testing",
                "allow_http": "true",
            }
        finally:
            process.terminate()
            process.wait()


def test_an_object_store(path: Path, tmp_path: Path, cluster_client: Client, service: dict[str, Any]) -> None:
    url = "s3://bench-bucket/cluster/b.luma"
    with lb.open(path, **SETTINGS) as bench:
        bench.publish(url, storage_options=service)
        expected = bench.kadeql(GROUPED).to_arrow()
    options = {"storage_options": service, "cache_dir": str(tmp_path / "cache"), "timezone": "UTC"}

    with lb.open(url, mode="r", cluster=cluster_client, **options) as public:
        assert on_workers(moving(public), GROUPED).to_arrow().equals(expected)
        found = public.table("t").to_dask(npartitions=4)
        assert int(found.k.sum().compute(scheduler=cluster_client)) == public.table("t").k.sum()


def test_a_dask_dataframe_is_read_and_computed_on_the_workers(
    shared: lb.Bench, cluster_client: Client
) -> None:
    frame = shared.table("t")
    narrow = frame[(frame.k > 100) & (frame.s == "word 3")][["k", "late"]]

    found, less = frame.to_dask(npartitions=5), narrow.to_dask(npartitions=3)

    assert found.npartitions == 5
    assert float(found.x.sum().compute(scheduler=cluster_client)) == pytest.approx(frame.x.sum())
    rows = less.compute(scheduler=cluster_client)
    assert rows.k.tolist() == narrow.k.to_list()
    assert rows.late.tolist() == narrow.late.to_list()
