"""Published benches over HTTP: what is asked of the server, what stays in the cache, and what goes wrong."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import published_cases as cases
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from range_server import RangeServer, serving

import luma_bench as lb
from luma_bench.config import Settings
from luma_bench.errors import (
    CatalogError,
    ClosedError,
    CorruptionError,
    LumaError,
    RemoteError,
    UnsupportedError,
)
from luma_bench.storage.remote import blocks as fetching
from luma_bench.storage.remote import folder as requests
from luma_bench.storage.remote.address import parse_url
from luma_bench.storage.remote.blocks import BLOCK_BYTES, RUN_BYTES, Blocks
from luma_bench.storage.remote.cache import DiskCache
from luma_bench.storage.remote.folder import RemoteFolder
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, cases.Answers]:
    root = tmp_path_factory.mktemp("remote")
    expected = cases.make(root / "b.luma")
    with Store.open(root / "b.luma", settings=cases.SETTINGS) as store:
        for snapshot in store.snapshots():
            store.publish(root / "pub", snapshot.id)
    return root / "pub", expected


@pytest.fixture
def expected(original: tuple[Path, cases.Answers]) -> cases.Answers:
    return original[1]


@pytest.fixture
def server(original: tuple[Path, cases.Answers], tmp_path: Path) -> Iterator[RangeServer]:
    """A server of a copy of the publication, under a path with a blank."""
    shutil.copytree(original[0], tmp_path / "served" / "my bench")
    with serving(tmp_path / "served") as state:
        yield state


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are tried twice only."""
    monkeypatch.setattr(requests, "_RETRIES", 1)


def opened(server: RangeServer, cache: Path, **changes: int) -> PublishedStore:
    values = {"inline_bytes": 2_000, "threads": 2, "cache_bytes": 1 << 30} | changes
    return PublishedStore.open_url(f"{server.url}/my%20bench", Settings(cache_dir=str(cache), **values))


def tables(store: Store, snapshot: int, names: dict[str, pa.Table]) -> dict[str, pa.Table]:
    pinned = store.resolve(snapshot)
    assert set(pinned.tables) == set(names)
    return {name: store.scan(pinned, name).read(table.column_names) for name, table in names.items()}


def test_every_snapshot_reads_the_same_cold_and_warm(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    with opened(server, tmp_path / "cache") as store:
        for snapshot, names in expected.items():
            cases.assert_same(tables(store, snapshot, names), names)
    server.reset()
    with opened(server, tmp_path / "cache") as store:
        for snapshot, names in expected.items():
            cases.assert_same(tables(store, snapshot, names), names)
        assert store.blocks is not None
        assert store.blocks.traffic.requests == 0
    assert [path for path, _ in server.requests] == ["/my bench/published/latest.json"]


def test_without_a_disk_cache_too(server: RangeServer, expected: cases.Answers, tmp_path: Path) -> None:
    with opened(server, tmp_path / "cache", cache_bytes=0) as store:
        last = max(expected)
        cases.assert_same(tables(store, last, expected[last]), expected[last])
    assert not (tmp_path / "cache").exists()


def test_a_cache_folder_that_cannot_be_made_is_no_failure(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with opened(server, tmp_path / "file" / "cache") as store:
        last = max(expected)
        cases.assert_same(tables(store, last, expected[last]), expected[last])


def test_a_bench_is_asked_in_sql(server: RangeServer, tmp_path: Path) -> None:
    url = f"{server.url}/my%20bench/"
    with lb.open(url, mode="r", cache_dir=str(tmp_path / "cache"), threads=2) as bench:
        assert bench.kadeql("SELECT count(*) AS n, max(s) AS s FROM big").to_arrow().to_pylist() == [
            {"n": 7_601, "s": "word 99"}
        ]
        assert bench.kadeql("SELECT v FROM small WHERE k = 4").to_arrow()["v"].to_pylist() == ["d"]
        assert bench.at("paper").kadeql("SELECT count(*) AS n FROM small").to_arrow()["n"].to_pylist() == [3]
        assert repr(bench).startswith(f"Bench('{url.rstrip('/')}', snapshot ")
        with pytest.raises(LumaError, match="read-only"):
            bench.kadeql("CREATE TABLE t AS SELECT 1 AS a")
        assert bench.check().ok
    with pytest.raises(ClosedError, match=r"127\.0\.0\.1"):
        bench.tables()
    with pytest.raises(UnsupportedError, match="PostgreSQL"):
        lb.open(url)


def test_blocks_are_asked_for_once_and_together(server: RangeServer, tmp_path: Path) -> None:
    size = 20 * BLOCK_BYTES + 77
    data = os.urandom(size)
    (server.folder / "f.bin").write_bytes(data)
    folder = RemoteFolder.open(parse_url(server.url))
    blocks = Blocks(folder, DiskCache(tmp_path / "cache", server.url, 1 << 30))
    file = blocks.file("f.bin", "F", size)
    assert file.read(BLOCK_BYTES - 3, 7) == data[BLOCK_BYTES - 3 : BLOCK_BYTES + 4]
    assert server.requests == [("/f.bin", f"bytes=0-{2 * BLOCK_BYTES - 1}")]
    server.reset()
    file.prefetch([(5, 10), (3 * BLOCK_BYTES, 9 * BLOCK_BYTES), (15 * BLOCK_BYTES + 8, 100)])
    with ThreadPoolExecutor(8) as threads:
        found = list(
            threads.map(lambda at: file.read(at, 1_000), range(3 * BLOCK_BYTES, 12 * BLOCK_BYTES, 50_001))
        )
    assert found == [data[at : at + 1_000] for at in range(3 * BLOCK_BYTES, 12 * BLOCK_BYTES, 50_001)]
    assert file.read(size - 10, 50) == data[-10:]
    assert file.read(size, 50) == b""
    assert sorted(wanted or "" for _, wanted in server.requests) == sorted(
        f"bytes={first * BLOCK_BYTES}-{min(last * BLOCK_BYTES, size) - 1}"
        for first, last in ((3, 12), (15, 16), (20, 21))
    )
    blocks.close()
    with pytest.raises(ClosedError):
        file.read(0, 1)


@given(st.lists(st.integers(0, 200), unique=True).map(sorted))
def test_runs_hold_every_block_once_in_order_and_adjoin(wanted: list[int]) -> None:
    runs = list(fetching._runs(wanted))
    assert [block for run in runs for block in run] == wanted
    for run in runs:
        assert run == list(range(run[0], run[0] + len(run)))
        assert len(run) * BLOCK_BYTES <= RUN_BYTES


def test_a_damaged_cache_costs_a_request_and_no_answer(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    last = max(expected)
    with opened(server, tmp_path / "cache") as store:
        tables(store, last, expected[last])
    entries = list((tmp_path / "cache").rglob("*.block"))
    assert len(entries) > 2
    for at, entry in enumerate(entries):
        data = entry.read_bytes()
        entry.write_bytes([b"", data[:20], data[:-1] + bytes([data[-1] ^ 1])][at % 3])
    server.reset()
    with opened(server, tmp_path / "cache") as store:
        cases.assert_same(tables(store, last, expected[last]), expected[last])
    assert len(server.requests) == 1 + len(entries)


def test_bytes_that_were_spoilt_on_the_way_are_fetched_once_more(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    last = max(expected)
    segments = {f"/{path.relative_to(server.folder)}" for path in server.folder.rglob("*.zip")}
    server.spoil = dict.fromkeys(segments, 1)
    with opened(server, tmp_path / "cache") as store:
        cases.assert_same(tables(store, last, expected[last]), expected[last])
    with opened(server, tmp_path / "cache") as store:  # and what was kept is right
        cases.assert_same(tables(store, last, expected[last]), expected[last])
        assert store.blocks is not None
        assert store.blocks.traffic.requests == 0


def largest(folder: Path, snapshot: int) -> Path:
    """The largest segment that a published snapshot reads."""
    root = next(folder.rglob("published")).parent
    with PublishedStore.open_folder(root, cases.SETTINGS) as store:
        pinned = store.resolve(snapshot)
        refs = [ref for table in pinned.tables.values() for ref in pinned.segments(table.id)]
        return max(refs, key=lambda ref: ref.nbytes).path


def test_a_damaged_segment_is_an_error_never_an_answer(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    segment = largest(server.folder, max(expected))
    data = bytearray(segment.read_bytes())
    for at in range(0, len(data) // 2, 100):
        data[at] ^= 1
    segment.write_bytes(data)
    last = max(expected)
    ulid = segment.name.removesuffix(".zarr.zip")
    with opened(server, tmp_path / "cache") as store:
        with pytest.raises(CorruptionError, match=ulid):
            tables(store, last, expected[last])
        assert {problem.segment for problem in store.check().problems} == {ulid}


@pytest.mark.parametrize("change", ["missing", "short", "long", "replaced"])
def test_a_segment_that_is_not_the_published_one(
    server: RangeServer, expected: cases.Answers, tmp_path: Path, change: str
) -> None:
    segment = largest(server.folder, max(expected))
    data = segment.read_bytes()
    if change == "missing":
        segment.unlink()
    else:
        segment.write_bytes(
            {"short": data[:3_000], "long": data + b"x", "replaced": bytes(len(data))}[change]
        )
    last = max(expected)
    with opened(server, tmp_path / "cache") as store:
        with pytest.raises(CorruptionError) as caught:
            tables(store, last, expected[last])
        assert not store.check().ok
    assert caught.value.segment == segment.name.removesuffix(".zarr.zip")
    if change != "replaced":
        assert server.url in str(caught.value)


def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    server.refuse = 2
    with opened(server, tmp_path / "cache") as store:
        server.refuse = 2
        cases.assert_same(tables(store, 3, expected[3]), expected[3])


@pytest.mark.usefixtures("quick")
def test_a_server_that_stays_away_is_named(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    last = max(expected)
    with opened(server, tmp_path / "cache") as store:
        server.refuse = 1_000
        with pytest.raises(
            RemoteError, match=r"http://127.0.0.1:\d+/my%20bench/segments/.* could not be read: .*503"
        ):
            tables(store, last, expected[last])
        server.refuse = 0
        cases.assert_same(tables(store, last, expected[last]), expected[last])
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1:1/b/published/latest\.json") as caught:
        lb.open("http://127.0.0.1:1/b", mode="r")
    assert "Debug source" not in str(caught.value)


@pytest.mark.usefixtures("quick")
def test_a_server_without_ranges_is_refused_not_misread(
    server: RangeServer, expected: cases.Answers, tmp_path: Path
) -> None:
    last = max(expected)
    server.ranges = False
    with opened(server, tmp_path / "cache") as store, pytest.raises(RemoteError, match=r"[Rr]ange"):
        tables(store, last, expected[last])


def test_nothing_published(server: RangeServer, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no published bench") as caught:
        lb.open(server.url, mode="r", cache_dir=str(tmp_path))
    assert "published/latest.json" in str(caught.value)


def test_a_catalog_file_that_is_not_the_published_one(server: RangeServer, tmp_path: Path) -> None:
    for path in server.folder.rglob("*.sqlite"):
        path.write_bytes(b"not it")
    with pytest.raises(RemoteError, match="not what was published"):
        opened(server, tmp_path / "cache")
    for path in server.folder.rglob("*.sqlite"):
        path.unlink()
    with pytest.raises(CorruptionError, match="is not there"):
        opened(server, tmp_path / "cache")


def test_a_later_publication_is_seen_when_the_bench_is_opened_again(
    server: RangeServer, tmp_path: Path
) -> None:
    with Store.open(tmp_path / "c.luma") as writer:
        writer.write("t", {"a": [1]})
        target = server.folder / "c"
        writer.publish(target)
        settings = Settings(cache_dir=str(tmp_path / "cache"))
        with PublishedStore.open_url(f"{server.url}/c", settings) as store:
            writer.write("t", {"a": [2]}, mode="append")
            writer.publish(target)
            assert store.scan(store.resolve(), "t").read()["a"].to_pylist() == [1]
            with PublishedStore.open_url(f"{server.url}/c", settings) as newer:
                assert newer.scan(newer.resolve(), "t").read()["a"].to_pylist() == [1, 2]
                assert newer.scan(newer.resolve(2), "t").read()["a"].to_pylist() == [1]


def test_without_obstore_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'luma-bench\[connect\]'"):
        lb.open("s3://bucket/b", mode="r")


def test_an_unknown_storage_option_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="regoin"):
        lb.open("s3://bucket/b", mode="r", storage_options={"regoin": "eu-west-1"})


def test_the_cache_keeps_what_was_used_last(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, "http://a", 10_000)
    for i in range(9):
        cache.put(f"x/{i}", bytes([i]) * 1_000)
        os.utime(next(tmp_path.rglob(f"x/{i}.block")), (i, i))
    assert cache.get("x/0") == bytes(1_000)  # used now
    cache.put("x/9", b"9" * 1_000)
    assert [i for i in range(10) if cache.get(f"x/{i}") is not None] == [0, 3, 4, 5, 6, 7, 8, 9]
    other = DiskCache(tmp_path, "http://b", 10_000)
    assert other.get("x/9") is None
    other.put("y", b"y" * 20_000)
    assert other.get("y") is None
    cache.drop("x/9")
    assert cache.get("x/9") is None


def test_threads_and_handles_share_a_cache_folder(tmp_path: Path) -> None:
    caches = [DiskCache(tmp_path, "http://a", 40_000) for _ in range(4)]
    wrong: list[int] = []
    begin = threading.Barrier(4)

    def work(cache: DiskCache) -> None:
        begin.wait()
        for turn in range(150):
            i = turn * 7 % 40
            found = cache.get(f"{i}")
            if found is None:
                cache.put(f"{i}", bytes([i]) * (500 + 50 * i))
            elif found != bytes([i]) * (500 + 50 * i):
                wrong.append(i)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, caches))
    assert not wrong
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.block")) <= 4 * 40_000
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".block"]


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_cache_gives_what_was_put_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache = DiskCache(folder, "http://a", 5_000)
    model: dict[str, bytes] = {}
    for _ in range(data.draw(st.integers(1, 12))):
        name = data.draw(st.sampled_from("abc"))
        if data.draw(st.booleans()):
            model[name] = data.draw(st.binary(max_size=2_000))
            cache.put(name, model[name])
        elif data.draw(st.booleans()) and (held := folder.joinpath(cache.folder, f"{name}.block")).exists():
            held.write_bytes(data.draw(st.binary(max_size=50)))
        found = cache.get(name)
        assert found is None or found == model[name]
