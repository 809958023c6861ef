"""Few rows of many: a range of one per cent, a delete of one in a thousand, a merge of ten thousand keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import luma_bench as lb
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request

LUMA, PARQUET, NATIVE = "luma", "duckdb/parquet", "duckdb/storage"
RANGED, DELETED, MERGED = "1 % range", "delete 0.1 %", "merge 10,000 keys"
MERGE = (
    "MERGE INTO kept USING news ON kept.id = news.id WHEN MATCHED THEN UPDATE SET amount = news.amount "
    "WHEN NOT MATCHED THEN INSERT (id, grp, day, amount, note) VALUES (news.id, news.grp, news.day, news.amount, news.note)"
)


def run(request: Request) -> list[SuiteResult]:
    """Check what each statement leaves behind against DuckDB's, then time it."""
    rows = 50_000 if request.quick else 1_000_000
    rounds = max(9, 3 * request.rounds)
    with request.scratch() as folder:
        data = Rows(folder, rows, request.threads)
        try:
            ranged = measure([data.range()], rounds=3 * rounds, warmup=3)
            changed = measure([data.delete(), data.merge()], rounds=rounds)
        finally:
            data.close()
    return [_range(ranged, rows), _changes(changed, rows)]


class Rows:
    """A million rows under an integer key, in a bench, a Parquet file and a database of DuckDB's."""

    def __init__(self, folder: Path, rows: int, threads: int) -> None:
        self.rows = rows
        table = _table(rows)
        pq.write_table(table, folder / "kept.parquet", row_group_size=122_880, compression="zstd")
        self.bench = lb.open(folder / "rows.luma", threads=threads)
        self.bench.write("kept", table)
        self.parquet = duckdb.connect(config={"threads": threads})
        self.parquet.execute(f"CREATE VIEW kept AS FROM read_parquet('{folder / 'kept.parquet'}')")
        self.native = duckdb.connect(str(folder / "rows.duckdb"), config={"threads": threads})
        self.native.register("given", table)
        self.native.execute("CREATE TABLE kept AS FROM given")
        self._turn = {LUMA: 0, NATIVE: 0}

    def close(self) -> None:
        """Let go of the files."""
        self.bench.close()
        self.parquet.close()
        self.native.close()

    def range(self) -> Case:
        """One per cent of the keys, summed."""
        low = self.rows // 2
        text = f"SELECT grp, sum(amount) AS total, count(*) AS n FROM kept WHERE id BETWEEN {low} AND {low + self.rows // 100 - 1} GROUP BY grp"
        return Case(
            RANGED,
            (
                Contender(PARQUET, lambda: self.parquet.sql(text).to_arrow_table()),
                Contender(LUMA, lambda: self.bench.kadeql(text, cache=False).to_arrow()),
                Contender(NATIVE, lambda: self.native.sql(text).to_arrow_table()),
            ),
            same_rows,
        )

    def delete(self) -> Case:
        """Another thousandth at every call, spread over the whole table, committed."""

        def text(name: str) -> str:
            turn = self._turn[name]
            self._turn[name] += 1
            return f"DELETE FROM kept WHERE grp = {turn % 1000}"

        def ours() -> pa.Table:
            self.bench.kadeql(text(LUMA))
            return self._left(lambda asked: self.bench.kadeql(asked, cache=False).to_arrow())

        def theirs() -> pa.Table:
            self.native.execute(text(NATIVE))
            return self._left(lambda asked: self.native.sql(asked).to_arrow_table())

        # The first call is the one that is compared; the timed ones change and do not look.
        return Case(
            DELETED,
            (
                Contender(NATIVE, _first(theirs, lambda: self.native.execute(text(NATIVE)))),
                Contender(LUMA, _first(ours, lambda: self.bench.kadeql(text(LUMA)))),
            ),
            same_rows,
        )

    def merge(self) -> Case:
        """Ten thousand rows by key, half of them known, committed."""

        def ours() -> pa.Table:
            self.merge_once(1)
            return self._left(lambda asked: self.bench.kadeql(asked, cache=False).to_arrow())

        def theirs() -> pa.Table:
            self.merge_peer(1)
            return self._left(lambda asked: self.native.sql(asked).to_arrow_table())

        turns = {LUMA: iter(range(2, 1_000)), NATIVE: iter(range(2, 1_000))}
        return Case(
            MERGED,
            (
                Contender(NATIVE, _first(theirs, lambda: self.merge_peer(next(turns[NATIVE])))),
                Contender(LUMA, _first(ours, lambda: self.merge_once(next(turns[LUMA])))),
            ),
            same_rows,
        )

    def merge_once(self, turn: int) -> None:
        """Merge the news of a turn into the bench."""
        self.bench.kadeql(MERGE, tables={"news": self.news(turn)})

    def merge_peer(self, turn: int) -> None:
        """Merge the news of a turn into DuckDB's table."""
        self.native.register("news", self.news(turn))
        self.native.execute(MERGE)

    def news(self, turn: int) -> pa.Table:
        """Rows to merge: keys spread over the old ones, and new ones above them."""
        rng = np.random.default_rng(turn)
        count = min(10_000, self.rows // 10)
        old = rng.choice(self.rows, count // 2, replace=False)
        new = self.rows * 2 + turn * count + np.arange(count - count // 2)
        return _table(count, np.concatenate([old, new]), seed=turn + 1)

    def _left(self, ask: Callable[[str], pa.Table]) -> pa.Table:
        return ask("SELECT count(*) AS n, sum(id) AS ids, sum(amount) AS amounts, min(day) AS low FROM kept")


def _first(first: Callable[[], pa.Table], then: Callable[[], object]) -> Callable[[], object]:
    """A call whose first turn also answers what it left behind."""
    turns = iter([first])
    return lambda: next(turns, then)()


def _table(rows: int, ids: np.ndarray | None = None, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    words = np.array(["red", "green", "blue", "amber"])
    return pa.table(
        {
            "id": np.arange(rows) if ids is None else ids,
            "grp": rng.integers(0, 1_000, rows).astype(np.int32),
            "day": pc.cast(pa.array(rng.integers(15_000, 16_000, rows).astype(np.int32)), pa.date32()),
            "amount": rng.integers(0, 100_000, rows),
            "note": words[rng.integers(0, len(words), rows)],
        }
    )


def _range(timings: tuple[Timing, ...], rows: int) -> SuiteResult:
    result = SuiteResult(
        "sql-range", f"One per cent of {rows:,} rows, by a range of the key", LUMA, PARQUET, timings
    )
    ratio = result.ratio(RANGED, LUMA)
    assert ratio is not None, "both ran it"
    return replace(result, targets=(Target(f"{RANGED} against {PARQUET}", ratio, 0.5, " x"),))


def _changes(timings: tuple[Timing, ...], rows: int) -> SuiteResult:
    median = {timing.case: timing.median for timing in timings if timing.contender == LUMA}
    limits = {DELETED: 0.030, MERGED: 0.100}
    return SuiteResult(
        "sql-changes",
        f"Changes in {rows:,} rows, each a durable commit",
        LUMA,
        NATIVE,
        timings,
        tuple(Target(f"{case}, median", median[case], limits[case], "s") for case in median),
    )
