"""Any byte of a keyed segment, a deletion or an inline blob may be wrong: an answer is right or refused, never wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError
from luma_bench.storage.segment import Segment
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=600, shard_rows=200, key_chunk_rows=64, threads=1)
KEYS = [0, 3, 77, 150, 199, 200, 1_000, 5_000]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts") / "b.luma"
    with Store.open(folder, settings=SETTINGS) as store:
        store.write("t", {"k": np.arange(200), "s": [f"x{n % 9}" for n in range(200)]}, primary_key="k")
        store.delete("t", np.array([3, 77]))
        store.write("t", {"k": [1_000, 1_001], "s": ["p", "q"]}, mode="append")
        store.delete("t", np.arange(80, 150))
    return folder


def answers(folder: Path) -> list[Any]:
    """The rows of every snapshot, and some by their keys."""
    with Store.open(folder, mode="r", settings=SETTINGS) as store:
        found: list[Any] = []
        for at in (2, 3, 4, 5):
            scan = store.scan(store.resolve(at), "t")
            found.append(scan.read(["_rowid", "k", "s"]).to_pydict())
            found.append([scan.lookup().get(key) for key in KEYS])
            found.append(scan.lookup().get_many(pa.array(KEYS)).to_pydict())
        return found


@pytest.fixture(scope="module")
def expected(bench: Path) -> list[Any]:
    return answers(bench)


def holds(folder: Path, expected: list[Any]) -> bool:
    """Whether the answers are right; False when they are refused."""
    try:
        found = answers(folder)
    except CorruptionError:
        return False
    same = found == expected
    assert same
    return True


def segment(folder: Path) -> Path:
    return next((folder / "segments").glob("*/*.zarr.zip"))


@settings(deadline=None, max_examples=drawn(30))
@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_any_byte_of_a_keyed_segment(bench: Path, expected: list[Any], where: float, mask: int) -> None:
    path = segment(bench)
    whole = path.read_bytes()
    data = bytearray(whole)
    data[int(where * len(data))] ^= mask
    path.write_bytes(data)
    try:
        holds(bench, expected)
        with Store.open(bench, mode="r", settings=SETTINGS) as store:
            assert not store.check().ok
    finally:
        path.write_bytes(whole)


def test_every_array_of_keys_is_checked_before_it_is_believed(bench: Path, expected: list[Any]) -> None:
    path = segment(bench)
    whole = path.read_bytes()
    with Store.open(bench, mode="r", settings=SETTINGS) as store:
        index = Segment.open(store.resolve(2).segments(1)[0]).index
    seen: set[str] = set()
    for name, array in index.arrays.items():
        if not name.startswith("_pk."):
            continue
        seen.add(name.split(".")[1])
        offset, length = int(index.chunks.offset[array.first]), int(index.chunks.length[array.first])
        if not length:
            continue
        data = bytearray(whole)
        data[offset + length // 2] ^= 32
        path.write_bytes(data)
        try:
            holds(bench, expected)
            with Store.open(bench, mode="r", settings=SETTINGS) as store:
                (problem,) = store.check().problems
                assert (problem.column, problem.kind) == ("_pk", "keys")
        finally:
            path.write_bytes(whole)
    assert seen == {"exact", "row", "fence", "bloom"}


def each_row(folder: Path, table: str, column: str, change: Callable[[bytes], bytes]) -> None:
    connection = sqlite3.connect(folder / "catalog.sqlite")
    with connection:
        for number, data in connection.execute(f"SELECT id, {column} FROM {table}").fetchall():
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (change(data), number))
    connection.close()


@settings(deadline=None, max_examples=drawn(20))
@given(
    what=st.sampled_from([("deletion", "positions"), ("inline_blob", "ipc")]),
    where=st.floats(0, 1, exclude_max=True),
    mask=st.integers(1, 255),
)
def test_any_byte_of_deletions_and_blobs(
    bench: Path, expected: list[Any], what: tuple[str, str], where: float, mask: int
) -> None:
    def flip(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[int(where * len(changed))] ^= mask
        return bytes(changed)

    each_row(bench, *what, flip)
    try:
        assert not holds(bench, expected)
        with Store.open(bench, mode="r", settings=SETTINGS) as store:
            kinds = {problem.kind for problem in store.check().problems}
        assert kinds == {"deletion" if what[0] == "deletion" else "blob"}
    finally:
        each_row(bench, *what, flip)
    assert holds(bench, expected)
