"""A bench with a bit of everything that a snapshot may hold, and what its tables are at each snapshot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.storage.store import Store

SETTINGS = Settings(inline_bytes=2_000, shard_rows=4_000, chunk_rows=1_000, key_chunk_rows=500, threads=2)
ROWS = 10_000

Answers = dict[int, dict[str, pa.Table]]


def make(folder: Path) -> Answers:
    """Segments, inline rows, deletions, an added column, a replaced table, a tag; the tables of every snapshot."""
    rng = np.random.default_rng(7)
    with Store.open(folder, settings=SETTINGS) as store:
        big = {
            "n": np.arange(ROWS),
            "x": rng.normal(size=ROWS),
            "s": [None if i % 11 == 0 else f"word {i % 300}" for i in range(ROWS)],
            "l": [list(range(i % 4)) for i in range(ROWS)],
        }
        store.write("big", big)
        store.write("small", {"k": [1, 2, 3], "v": ["a", None, "c"]}, primary_key="k")
        store.tag("paper")
        store.write("small", {"k": [4], "v": ["d"]}, mode="append")
        store.delete("big", np.arange(100, 2_500))
        store.delete("small", np.array([1]))
        store.write("gone", {"z": [1.5]})
        store.drop_table("gone")
        store.write("big", {"n": [-1], "x": [0.5], "s": ["late"], "l": [[9]]}, mode="append")
        return answers(store)


def answers(store: Store) -> Answers:
    """Every table at every snapshot, in exactly the types that were written."""
    found: Answers = {}
    for snapshot in store.snapshots():
        pinned = store.resolve(snapshot.id)
        found[snapshot.id] = {
            name: store.scan(pinned, name).read(["_rowid", *pinned.find(name).names])
            for name in pinned.tables
        }
    return found


def assert_same(found: dict[str, pa.Table], expected: dict[str, pa.Table]) -> None:
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        assert found[name].equals(table), name
