"""A publication holds what its snapshot shows: no byte of deleted rows, former values, dropped columns or old names."""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zarr

import luma_bench as lb
from luma_bench.config import Settings
from luma_bench.storage.remote.store import PublishedStore
from luma_bench.storage.store import Store

SECRET = "SECRET"
NUMBER = 7_777_123_456_789_012_345
SMALL = Settings(inline_bytes=1_000_000, threads=2)
FILES = Settings(inline_bytes=0, shard_rows=4_000, chunk_rows=500, key_chunk_rows=500, threads=2)
DICTIONARY = pa.dictionary(pa.int16(), pa.string())
TYPES = {
    "few": pa.string(),
    "many": pa.string(),
    "view": pa.string_view(),
    "coded": DICTIONARY,
    "ordered": pa.dictionary(pa.int8(), pa.string(), ordered=True),
    "listed": pa.list_(pa.string()),
    "listed_codes": pa.list_(DICTIONARY),
    "held": pa.struct([("s", pa.string()), ("c", DICTIONARY), ("v", pa.string_view())]),
    "mapped": pa.map_(pa.string(), DICTIONARY),
    "raw": pa.binary(),
}


def values(name: str, count: int, secret: int) -> list[object]:
    """`count` values; that of row `secret` is secret."""
    texts = [f"value {i % 3 if name in ('few', 'coded', 'ordered') else i}" for i in range(count)]
    texts[secret] = f"{SECRET} {name}"
    wrap = {
        "listed": lambda text: [text, "x"],
        "listed_codes": lambda text: [text, "x"],
        "held": lambda text: {"s": text, "c": text, "v": f"{text} that is long enough for a buffer"},
        "mapped": lambda text: [(text, text)],
        "raw": lambda text: text.encode(),
    }.get(name, lambda text: text)
    return [wrap(text) for text in texts]


def rows(count: int, secret: int) -> pa.Table:
    columns = {name: pa.array(values(name, count, secret), kind) for name, kind in TYPES.items()}
    numbers = np.arange(count, dtype=np.int64)
    numbers[secret] = NUMBER
    return pa.table({"id": numbers, "gone": values("many", count, secret), **columns})


def pieces(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under a folder, every decoded array of its segments, every value of its catalogs."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        yield str(path), path.read_bytes()
        if path.name.endswith(".zarr.zip"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                group = zarr.open_group(zarr.storage.ZipStore(path, mode="r"), mode="r")
                for name, array in group.arrays():
                    yield f"{path}:{name}", np.asarray(array[...]).tobytes()
        elif path.suffix == ".sqlite":
            with sqlite3.connect(path) as connection:
                yield f"{path}:dump", "\n".join(connection.iterdump()).encode()
                for table, name in (("inline_blob", "ipc"), ("segment", "stats")):
                    for (data,) in connection.execute(f"SELECT {name} FROM {table}"):
                        yield f"{path}:{table}", data


def found(folder: Path) -> list[str]:
    needles = (SECRET.encode(), NUMBER.to_bytes(8, "little"), str(NUMBER).encode())
    return sorted({name for name, data in pieces(folder) if any(needle in data for needle in needles)})


@pytest.fixture(params=["segments", "inline", "inline and scattered"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bench whose rows once were secret, and are no more."""
    folder = tmp_path / "b.luma"
    scattered = request.param == "inline and scattered"
    with Store.open(folder, settings=FILES if request.param == "segments" else SMALL) as store:
        store.write("t", rows(2_600 if scattered else 900, secret=77), message=SECRET)
        store.write("k", rows(50, secret=7).select(["many", "coded"]), primary_key="many")
        store.write("dropped", {"z": [SECRET]})
        store.drop_table("dropped")
        store.delete("t", np.arange(1, 2_600, 2) if scattered else np.array([0, 77, 78, 500]))
        store.delete("k", np.array([7]))
    with lb.open(folder) as opened:
        opened.kadeql("UPDATE t SET few = 'now open' WHERE id = 200")
        opened.kadeql("ALTER TABLE t DROP COLUMN gone")
        opened.kadeql(f'ALTER TABLE k ADD COLUMN "{SECRET}_name" INTEGER')
        opened.kadeql(f'ALTER TABLE k RENAME COLUMN "{SECRET}_name" TO plain')
        opened.kadeql("CREATE TABLE last AS SELECT 1 AS one")
    assert found(folder)
    return folder


def shown(store: Store | PublishedStore) -> dict[str, pa.Table]:
    pinned = store.resolve()
    return {
        name: store.scan(pinned, name).read(["_rowid", *pinned.find(name).names]) for name in pinned.tables
    }


def test_no_byte_of_what_was_deleted_is_published_and_every_answer_is_the_same(
    bench: Path, tmp_path: Path
) -> None:
    with Store.open(bench, mode="r") as store:
        expected = shown(store)
        made = store.publish(tmp_path / "pub")
    assert found(tmp_path / "pub") == []
    with PublishedStore.open_folder(tmp_path / "pub", SMALL) as published:
        answers = shown(published)
        assert published.check().ok
        assert published.snapshots()[-1] == made.snapshot
    assert answers.keys() == expected.keys()
    for name, table in expected.items():
        assert answers[name].schema == table.schema
        assert answers[name].to_pylist() == table.to_pylist()


def test_what_was_written_anew_is_the_same_again(bench: Path, tmp_path: Path) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    with Store.open(bench) as store:
        first = store.publish(tmp_path / "pub")
        again = store.publish(tmp_path / "pub")
        store.publish(tmp_path / "other")
    assert (again.nbytes, again.uploaded, again.rewritten) == (0, 0, first.rewritten)
    assert content(tmp_path / "pub") == content(tmp_path / "other")


def test_a_publication_of_both_sides_of_a_delete_shows_both(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=FILES) as store:
        store.write("t", {"a": np.arange(100)})
        store.publish(tmp_path / "pub")
        store.delete("t", np.array([5]))
        made = store.publish(tmp_path / "pub")
        store.delete("t", np.arange(6, 100))
        store.delete("t", np.arange(5))
        empty = store.publish(tmp_path / "pub")
    assert (made.segments, made.uploaded, made.rewritten) == (1, 1, 1)
    assert (empty.segments, empty.uploaded, empty.rewritten) == (0, 0, 0)
    with PublishedStore.open_folder(tmp_path / "pub", SMALL) as published:
        counts = [published.resolve(one.id).rows("t") for one in published.snapshots()]
        assert counts == [100, 99, 0]
        assert published.check().ok


def test_whole_segments_are_published_as_they_are(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=FILES) as store:
        store.write("t", {"a": np.arange(100)})
        made = store.publish(tmp_path / "pub")
    assert made.rewritten == 0
    copies = [path.relative_to(tmp_path / "pub") for path in (tmp_path / "pub").rglob("*.zip")]
    assert [(tmp_path / "b.luma" / path).read_bytes() for path in copies] == [
        (tmp_path / "pub" / path).read_bytes() for path in copies
    ]


def test_in_its_own_folder_a_bench_is_published_with_its_own_segments(bench: Path, tmp_path: Path) -> None:
    with Store.open(bench) as store:
        before = set(bench.rglob("*.zip"))
        assert store.publish().rewritten == 0
        assert set(bench.rglob("*.zip")) == before
        expected = shown(store)
    shutil.copytree(bench, tmp_path / "copy", ignore=shutil.ignore_patterns("luma.toml", "catalog.sqlite*"))
    with PublishedStore.open_folder(tmp_path / "copy", SMALL) as published:
        assert {name: table.to_pylist() for name, table in shown(published).items()} == {
            name: table.to_pylist() for name, table in expected.items()
        }


def test_compacted_rows_leave_no_values_in_dictionaries(tmp_path: Path) -> None:
    with Store.open(tmp_path / "b.luma", settings=FILES) as store:
        store.write("t", rows(900, secret=77))
        store.delete("t", np.array([77]))
        store.compact()
        assert store.publish(tmp_path / "pub").rewritten == 0
    assert found(tmp_path / "pub") == []


def test_publishing_says_which_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Store.open(tmp_path / "b.luma") as store:
        store.write("t", {"a": [1]})
        for target in (tmp_path / "file", tmp_path / "file" / "deep" / "pub"):
            with pytest.raises(lb.errors.CatalogError, match="file' is a file, not a folder") as caught:
                store.publish(target)
            assert "Give a folder" in str(caught.value)
