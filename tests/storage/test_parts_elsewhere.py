"""Parts whose files are somewhere else, damaged, collected or not there: the answer, or an error that names the segment."""

from __future__ import annotations

import pickle
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import parts_cases as cases
import published_cases
import pyarrow as pa
import pytest
from range_server import RangeServer, serving
from test_collect import catalog_of

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError, LumaError, RemoteError, SnapshotExpired
from luma_bench.storage.collect import collect
from luma_bench.storage.parts import TablePart
from luma_bench.storage.parts_process import PartReaders, process_pool
from luma_bench.storage.remote import folder as requests
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.segment import Segment
from luma_bench.storage.store import Store
from luma_bench.types.scan import ScanCounters


@pytest.fixture(scope="module")
def other() -> Iterator[ProcessPoolExecutor]:
    with cases.elsewhere() as pool:
        yield pool


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, published_cases.Answers]:
    root = tmp_path_factory.mktemp("parts")
    expected = published_cases.make(root / "b.luma")
    with Store.open(root / "b.luma", settings=published_cases.SETTINGS) as store:
        store.publish(root / "served" / "my bench")
    return root / "served", expected


@pytest.fixture
def server(published: tuple[Path, published_cases.Answers], tmp_path: Path) -> Iterator[RangeServer]:
    shutil.copytree(published[0], tmp_path / "served")
    with serving(tmp_path / "served") as state:
        yield state


def opened(server: RangeServer, cache: Path) -> PublishedStore:
    settings = Settings(cache_dir=str(cache), threads=2)
    return PublishedStore.open_url(f"{server.url}/my%20bench", settings)


def split(store: Store, table: str, count: int) -> list[TablePart]:
    parts = store.scan(store.resolve(), table).split(count)
    assert parts is not None
    return list(parts)


def together(seen: list[cases.Seen]) -> list[dict[str, object]]:
    return pa.concat_tables([item.rows for item in seen]).to_pylist()


def test_a_published_bench_is_read_by_others_from_its_server(
    server: RangeServer,
    published: tuple[Path, published_cases.Answers],
    other: ProcessPoolExecutor,
    tmp_path: Path,
) -> None:
    expected = published[1][max(published[1])]
    with opened(server, tmp_path / "cache") as store:
        for name, rows in expected.items():
            parts = split(store, name, 4)
            assert max(len(pickle.dumps(part)) for part in parts) < 9_000

            found = together(list(other.map(cases.read_part, parts)))

            assert found == rows.to_pylist()


def test_the_other_process_fetches_by_itself_and_keeps_what_it_fetched(
    server: RangeServer, other: ProcessPoolExecutor, tmp_path: Path
) -> None:
    with opened(server, tmp_path / "cache") as store:
        parts = split(store, "big", 3)
        server.reset()

        first = together(list(other.map(cases.read_part, parts)))
        asked = server.asked(".zarr.zip")
        second = together(list(other.map(cases.read_part, parts)))

        assert asked > 0
        assert server.asked(".zarr.zip") == asked
        assert first == second


def test_a_published_folder_of_this_machine_is_read_by_others(
    published: tuple[Path, published_cases.Answers], other: ProcessPoolExecutor
) -> None:
    expected = published[1][max(published[1])]
    with PublishedStore.open_folder(published[0] / "my bench", Settings()) as store:
        found = together(list(other.map(cases.read_part, split(store, "big", 5))))

        assert found == expected["big"].to_pylist()


def test_credentials_travel_and_are_not_shown(tmp_path: Path) -> None:
    pytest.importorskip("obstore")
    from luma_bench.storage.parts_process import RemotePlace
    from luma_bench.storage.remote.address import parse_url

    options = {"secret_access_key": "hidden-1", "access_key_id": "me", "region": "us-east-1"}
    folder = requests.RemoteFolder.open(parse_url("s3://bucket/b.luma"), options)
    place = RemotePlace.of(folder, Settings())
    others = requests.RemoteFolder.open(parse_url("s3://bucket/b.luma"), options | {"region": "eu-west-1"})

    back = pickle.loads(pickle.dumps(place))

    assert "hidden" not in repr(place)
    assert back == place
    assert hash(back) == hash(place)
    assert back.folder.client.config["secret_access_key"] == "hidden-1"
    assert RemotePlace.of(others, Settings()) != place


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = Settings(inline_bytes=0, chunk_rows=100, threads=1, author="t")
    with Store.open(tmp_path / "b.luma", settings=settings) as found:
        for start in (0, 2_000):
            data = {
                "k": list(range(start, start + 2_000)),
                "x": np.random.default_rng(start).normal(size=2_000),
            }
            found.write("t", data, mode="append" if start else "create")
        yield found


def failing(other: ProcessPoolExecutor, part: TablePart) -> LumaError:
    """What reading a part in the other process raises."""
    with pytest.raises(LumaError) as caught:
        other.submit(cases.read_part, part).result()
    return caught.value


def test_damage_is_found_by_the_reader_and_names_segment_column_and_chunk(
    store: Store, other: ProcessPoolExecutor
) -> None:
    parts = split(store, "t", 4)
    ref = parts[1].refs[0]
    index = Segment.open(ref.whole).index
    array = index.arrays["c2"]
    chunk = 13
    at = int(index.chunks.offset[array.first + chunk]) + 5
    data = bytearray(ref.path.read_bytes())
    data[at] ^= 64
    ref.path.write_bytes(data)

    error = failing(other, parts[1])

    assert isinstance(error, CorruptionError)
    assert (error.segment, error.column, error.chunk) == (ref.ulid, "x", chunk)
    assert error.hint is not None
    assert parts[1].why(error) is error
    assert len(together([other.submit(cases.read_part, parts[0]).result()])) == 1_000


def test_a_missing_segment_is_named(store: Store, other: ProcessPoolExecutor) -> None:
    part = split(store, "t", 2)[1]
    part.refs[0].path.unlink()

    error = failing(other, part)

    assert isinstance(error, CorruptionError)
    assert error.segment == part.segments[0]
    assert part.why(error) is error, "the catalog still has it"


def test_a_collected_segment_is_an_expired_snapshot(store: Store, other: ProcessPoolExecutor) -> None:
    part = split(store, "t", 2)[0]
    store.write("t", {"k": [1], "x": [0.5]}, mode="replace")
    assert collect(catalog_of(store), retention=0).files == 2

    error = failing(other, part)

    assert isinstance(error, CorruptionError)
    assert error.segment == part.segments[0]
    assert isinstance(part.why(error), SnapshotExpired)
    assert pickle.loads(pickle.dumps(part)).why(error) is error, "only the bench can tell"


def test_a_machine_that_does_not_see_the_folder_says_so(
    store: Store, other: ProcessPoolExecutor, tmp_path: Path
) -> None:
    part = split(store, "t", 1)[0]
    (tmp_path / "b.luma" / "segments").rename(tmp_path / "b.luma" / "elsewhere")

    error = failing(other, part)

    assert isinstance(error, RemoteError)
    assert str(tmp_path) in str(error)
    assert part.segments[0] in str(error)
    assert "Mount it" in (error.hint or "")


def test_a_segment_that_may_not_be_read_is_named(store: Store, other: ProcessPoolExecutor) -> None:
    part = split(store, "t", 1)[0]
    path = part.refs[0].path
    path.unlink()
    path.mkdir()  # a permission would not stop the superuser

    error = failing(other, part)

    assert isinstance(error, CorruptionError)
    assert error.segment == part.segments[0]


def test_parts_of_one_process_share_what_they_decoded(store: Store) -> None:
    pickled = [pickle.dumps(part) for part in split(store, "t", 2)]
    readers = [pickle.loads(data) for data in pickled * 4]
    pool = process_pool(Settings(pool_bytes=1 << 23, threads=2))
    pool.clear()
    counters = ScanCounters()

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda part: part.open().stream(None, (), counters).read_all(), readers))

    assert process_pool() is pool
    assert all(found[at].equals(found[at % 2]) for at in range(8))
    assert counters.rows_read == 4 * 4_000
    assert 0 < counters.bytes_read < sum(ref.nbytes for part in readers[:2] for ref in part.refs)


def test_a_part_that_stays_reads_through_the_pool_of_its_bench(store: Store) -> None:
    part = split(store, "t", 2)[0]
    store.pool.clear()

    part.open().stream(None, (), ScanCounters()).read_all()

    assert store.pool.nbytes > 0


def test_the_pool_follows_the_settings_it_is_given() -> None:
    readers = PartReaders()

    first = readers.pool(Settings(pool_bytes=1_000, threads=1))

    assert (first.budget, first.threads) == (1_000, 1)
    assert readers.pool() is first
    assert readers.pool(Settings(pool_bytes=1_000, threads=1)) is first
    assert readers.pool(Settings(pool_bytes=2_000, threads=1)).budget == 2_000


def test_threads_that_ask_first_get_one_pool() -> None:
    readers = PartReaders()
    barrier = threading.Barrier(8)

    def asked(_: int) -> int:
        barrier.wait()
        return id(readers.pool())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(asked, range(8)))) == 1
