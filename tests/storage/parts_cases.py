"""What the tests of parts share: tables with a history of any kind, and another process that reads parts."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.storage.evolve import AddColumn, DropColumn, RenameColumn, WidenColumn
from luma_bench.storage.parts import TablePart
from luma_bench.storage.parts_process import process_pool
from luma_bench.storage.scan import TableScan
from luma_bench.storage.store import Store
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters

SMALL = Settings(inline_bytes=1_500, shard_rows=64, chunk_rows=16, key_chunk_rows=4, threads=2, author="p")
READER = Settings(pool_bytes=1 << 24, threads=2)


@dataclass(frozen=True)
class Seen:
    """What a process saw of a part."""

    rows: pa.Table
    count: int
    schema: pa.Schema
    accepted: tuple[bool, ...]
    counters: dict[str, int] = field(default_factory=dict[str, int])


def read_part(
    part: TablePart, predicates: Sequence[Predicate] = (), columns: Sequence[int] | None = None
) -> Seen:
    """The rows of a part in this process; predicates are applied whether or not the source would take them."""
    process_pool(READER)
    source = part.open()
    accepted = tuple(source.accepts(predicate) for predicate in predicates)
    counters = ScanCounters()
    rows = source.stream(columns, predicates, counters).read_all()
    names = ("rows_read", "segments_read", "segments_pruned", "chunks_read", "chunks_pruned")
    return Seen(
        rows, source.rows(), source.schema, accepted, {name: getattr(counters, name) for name in names}
    )


@contextmanager
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """One other process, started afresh: nothing of this one is in it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def streamed(
    scan: TableScan, predicates: Sequence[Predicate] = (), columns: Sequence[int] | None = None
) -> pa.Table:
    return scan.stream(columns, predicates, ScanCounters()).read_all()


@dataclass
class History:
    """A table that is written, deleted from and altered as it is told; its store is left open."""

    store: Store
    rng: np.random.Generator
    keyed: bool
    made: int = 0

    def rows(self, count: int, *, spread: int) -> dict[str, Any]:
        """Rows that fit the first form of the table: `spread` is how many different words there are."""
        start, self.made = self.made, self.made + count
        words = [None if i % 7 == 3 else f"w{int(i) % spread}" for i in self.rng.integers(0, 1000, count)]
        return {
            "k": pa.array(range(start, start + count), pa.int64()),
            "n": pa.array(self.rng.integers(-100, 100, count), pa.int16()),
            "w": pa.array(words, pa.string()),
            "c": pa.array(words, pa.string()).dictionary_encode(),
            "l": pa.array([list(range(i % 3)) for i in range(count)], pa.list_(pa.int8())),
        }

    def do(self, step: str) -> None:
        store = self.store
        schema = store.resolve().find("t")
        match step:
            case "large" | "small":
                data = self.rows(150 if step == "large" else 5, spread=3 if self.made % 2 else 500)
                known = {name: value for name, value in data.items() if name in schema.names}
                store.write("t", known, mode="append")
            case "delete" | "clear":
                ids = store.scan(store.resolve(), "t").read(["_rowid"])["_rowid"].to_numpy()
                share = 0.3 if step == "delete" else 1.0
                picked = ids[self.rng.random(len(ids)) < share]
                if len(picked):
                    store.delete("t", picked)
            case "add":
                name = f"a{len(schema.columns)}"
                store.alter("t", AddColumn(name, pa.string(), default="early"))
            case "drop":
                if "l" in schema.names:
                    store.alter("t", DropColumn("l"))
            case "rename":
                if "w" in schema.names:
                    store.alter("t", RenameColumn("w", "word"))
            case "widen":
                if schema.column("n").type == pa.int16():
                    store.alter("t", WidenColumn("n", pa.float64()))
            case other:
                raise AssertionError(other)


STEPS = ["large", "small", "delete", "clear", "add", "drop", "rename", "widen"]


def history(folder: Path, seed: int, steps: Sequence[str], *, keyed: bool, ordered: bool) -> History:
    """A new table `t` after some steps."""
    store = Store.open(folder, settings=SMALL)
    made = History(store, np.random.default_rng(seed), keyed)
    store.write(
        "t", made.rows(90, spread=4), primary_key="k" if keyed else (), sort_by="n" if ordered else ()
    )
    for step in steps:
        made.do(step)
    return made
