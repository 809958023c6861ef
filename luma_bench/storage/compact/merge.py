"""The merge: rows of many parts in one order, in bounded memory.

Parts whose row ids follow one another are read through. Else the rows are cut by key into partitions that fit the
budget, each wholly before the next, and each partition is sorted: a sample of the keys gives the cuts, and row chunks
that lie outside of a partition are not read for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from luma_bench.storage.columns_dictionary import taken, without_unused
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.compact.gather import Input, Selection, arranged, gathered, without_view
from luma_bench.types.schema import ROW_ID, Column, TableSchema

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

_SAMPLED = 1 << 16
_AIM = 0.96
_SHARE = 3
"""What is gathered, its sorted copy and what is being encoded lie in memory together."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows that become one segment: the table, its rows' ids (int64), and the bytes read for it and since the last."""

    table: pa.Table
    row_ids: np.ndarray
    nbytes_read: int


Task = Callable[[], tuple[pa.ChunkedArray, int]]
RunAll = Callable[[Sequence[Task]], list[tuple[pa.ChunkedArray, int]]]
"""Runs the reading of columns, on threads or one after the other, and stops when the work is cancelled."""


class Merge:
    """One merge of some parts of a table.

    Parameters
    ----------
    schema
        The table now.
    inputs
        The parts; in row-id order when there are no keys.
    keys
        The columns to sort by; ties go by row id. Without keys the order is that of the row ids.
    ranges
        The columns by which outputs follow each other: the keys, or others, and then the keys sort inside an output.
    target
        Rows of an output.
    budget
        Bytes that rows may take in memory at once.
    """

    def __init__(
        self,
        schema: TableSchema,
        inputs: Sequence[Input],
        keys: Sequence[str],
        ranges: Sequence[str],
        *,
        target: int,
        budget: int,
        run_all: RunAll,
    ) -> None:
        self._schema = schema
        self._inputs = inputs
        self._keys = [schema.column(name) for name in keys]
        self._ranges = [schema.column(name) for name in ranges]
        # Cut by other columns than the order's, rows that are equal in them stay together.
        self._apart = tuple(keys) != tuple(ranges)
        self._target = target
        self._budget = budget
        self._run_all = run_all
        self._read = 0
        self.rows = sum(_live_rows(source) for source in inputs)
        # What only deleted rows had must not live on in a dictionary.
        self._drops = any(_live_rows(source) < source.rows for source in inputs)

    def __iter__(self) -> Iterator[Merged]:
        """The outputs, in order."""
        if not self.rows:
            return
        window = max(1, self._budget // _SHARE // self._row_bytes())
        if self._apart:
            # A sample does not cut exactly: aim below the target, so that what is cut stays one output.
            window = min(
                window, max(1, self._target if self.rows <= self._target else int(_AIM * self._target))
            )
        if self._is_ordered():
            for selection in self._in_turn(window):
                yield from self._cut(selection, None)
            return
        for selection in self._partitions(window):
            yield from self._cut(selection, self._order(selection))

    def _is_ordered(self) -> bool:
        """Whether reading the inputs one after the other gives the order."""
        if self._keys:
            return False
        edge = -1
        for source in self._inputs:
            places = _live(source, 0, source.rows)
            if not len(places):
                continue
            ends: list[int] = []
            for place in (places[0], places[-1]):
                chunk, offset = divmod(int(place), source.chunk_rows)
                ends.append(source.read(None, chunk)[0][offset].as_py())
            # Within an input ids ascend: they were given out in order, or a merge by row id put them so.
            if ends[0] <= edge or ends[1] - ends[0] + 1 < len(places):
                return False
            edge = ends[1]
        return True

    def _row_bytes(self) -> int:
        """The decoded bytes of a row, as a chunk of up to three of the inputs has them."""
        widest = 1.0
        picks = {0, len(self._inputs) // 2, len(self._inputs) - 1}
        for source in (self._inputs[i] for i in sorted(picks)):
            if source.rows:
                arrays = [source.read(column, 0)[0] for column in self._schema.columns]
                widest = max(widest, 8 + sum(array.nbytes for array in arrays) / len(arrays[0]))
        return math.ceil(widest)

    def _in_turn(self, window: int) -> Iterator[Selection]:
        rows = min(self.rows, self._even(self.rows) * max(1, window // self._even(self.rows)), window)
        for start in range(0, self.rows, rows):
            yield self._from(start, start + rows)

    def _from(self, start: int, stop: int) -> Selection:
        """The live rows from number `start` to before `stop`, counted through all inputs."""
        chosen: list[np.ndarray] = []
        for source in self._inputs:
            count = _live_rows(source)
            low, high = max(0, start), min(count, stop)
            if low >= high:
                chosen.append(np.zeros(0, np.int64))
            elif source.deleted is None:
                chosen.append(np.arange(low, high))
            else:
                chosen.append(_live(source, 0, source.rows)[low:high])
            start, stop = start - count, stop - count
        return Selection(chosen)

    def _even(self, rows: int) -> int:
        """Rows of each output, so that none is much smaller than the others."""
        return math.ceil(rows / math.ceil(rows / self._target))

    def _cut(self, selection: Selection, order: np.ndarray | None) -> Iterator[Merged]:
        columns = self._schema.columns
        tasks = [self._task(selection, order, column) for column in columns]
        ids, nbytes = gathered(self._inputs, selection, None)
        self._read += nbytes
        row_ids = _numpy(ids)
        row_ids = row_ids if order is None else row_ids[order]
        results = self._run_all(tasks)
        self._read += sum(count for _, count in results)
        table = pa.Table.from_arrays([data for data, _ in results], schema=self._schema.arrow)
        del results
        rows = self._even(selection.rows)
        for start in range(0, selection.rows, rows):
            read, self._read = self._read, 0
            yield Merged(table.slice(start, rows), row_ids[start : start + rows], read)

    def _task(self, selection: Selection, order: np.ndarray | None, column: Column) -> Task:
        def task() -> tuple[pa.ChunkedArray, int]:
            data, nbytes = gathered(self._inputs, selection, column)
            made = arranged(data, order, column)
            return (without_unused(made) if self._drops else made), nbytes

        return task

    def _order(self, selection: Selection) -> np.ndarray:
        """The places of the selected rows in the order of the keys, NULLs last; equal rows by row id."""
        wanted = (*self._keys, None)
        return _sorted(self._key_table(wanted, lambda column: gathered(self._inputs, selection, column)))

    def _key_table(
        self, wanted: Sequence[Column | None], read: Callable[[Column | None], tuple[Any, int]]
    ) -> pa.Table:
        columns: dict[str, Any] = {}
        for i, column in enumerate(wanted):
            data, nbytes = read(column)
            self._read += nbytes
            columns[ROW_ID if column is None else str(i)] = _sortable(data)
        return pa.table(columns)

    def _partitions(self, window: int) -> Iterator[Selection]:
        """The rows in selections of about `window` rows, each wholly before the next in the order of the keys."""
        if self.rows <= window:
            yield self._from(0, self.rows)
            return
        cuts, reach = self._sampled(math.ceil(self.rows / window))
        for number in range(cuts.num_rows + 1):
            chosen: list[np.ndarray] = []
            for i, source in enumerate(self._inputs):
                parts: list[np.ndarray] = []
                for chunk, (low, high) in enumerate(reach[i]):
                    if not low <= number <= high:
                        continue
                    places = _chunk(source, chunk)
                    if low != high:
                        keys = self._chunk_keys(source, chunk, places)
                        places = places[_codes(keys, cuts) == number]
                    parts.append(places)
                chosen.append(np.concatenate(parts) if parts else np.zeros(0, np.int64))
            selection = Selection(chosen)
            if selection.rows:
                yield selection

    def _sampled(self, count: int) -> tuple[pa.Table, list[list[tuple[int, int]]]]:
        """The keys that cut the rows into `count` partitions, and the first and last partition of every row chunk."""
        step = max(1, self.rows // _SAMPLED)
        samples: list[pa.Table] = []
        ends: list[pa.Table] = []
        held: list[list[bool]] = []
        for source in self._inputs:
            held.append([])
            for chunk in range(math.ceil(source.rows / source.chunk_rows)):
                places = _chunk(source, chunk)
                held[-1].append(bool(len(places)))
                if not len(places):
                    continue
                keys = self._chunk_keys(source, chunk, places)
                order = _sorted(keys)
                samples.append(_rows_of(keys, np.arange(step // 2 % len(places), len(places), step)))
                ends.append(_rows_of(keys, order[[0, -1]]))
        sample = pa.concat_tables(samples)
        order = _sorted(sample)
        picks = np.unique(np.linspace(0, len(order), count + 1)[1:-1].astype(np.int64))
        cuts = _rows_of(sample, order[picks])
        codes = iter(_codes(pa.concat_tables(ends), cuts).reshape(-1, 2).tolist())
        # A chunk without live rows lies in no partition.
        reach = [[tuple[int, int](next(codes)) if some else (1, 0) for some in chunks] for chunks in held]
        return cuts, reach

    def _chunk_keys(self, source: Input, chunk: int, places: np.ndarray) -> pa.Table:
        inside = places - chunk * source.chunk_rows

        def read(column: Column | None) -> tuple[pa.Array, int]:
            array, nbytes = source.read(column, chunk)
            return array if len(inside) == len(array) else taken(array, pa.array(inside)), nbytes

        return self._key_table(self._ranges if self._apart else (*self._ranges, None), read)


def _live_rows(source: Input) -> int:
    return source.rows - (0 if source.deleted is None else len(source.deleted))


def _live(source: Input, start: int, stop: int) -> np.ndarray:
    """The places from `start` to before `stop` whose rows are not deleted."""
    places = np.arange(start, min(stop, source.rows))
    if source.deleted is None:
        return places
    low, high = np.searchsorted(source.deleted, (start, stop))
    return np.delete(places, source.deleted[low:high] - start)


def _chunk(source: Input, chunk: int) -> np.ndarray:
    return _live(source, chunk * source.chunk_rows, (chunk + 1) * source.chunk_rows)


def _sorted(keys: pa.Table) -> np.ndarray:
    by = [(name, "ascending") for name in keys.column_names]
    return pc.sort_indices(keys, sort_keys=by).to_numpy().astype(np.int64)


def _rows_of(table: pa.Table, places: np.ndarray) -> pa.Table:
    return table.take(pa.array(places))


def _codes(keys: pa.Table, cuts: pa.Table) -> np.ndarray:
    """How many of the sorted `cuts` are at or before each row, by the same comparison that sorts."""
    order = _sorted(pa.concat_tables([cuts, keys]))
    is_cut = order < cuts.num_rows
    codes = np.empty(keys.num_rows, np.int64)
    codes[order[~is_cut] - cuts.num_rows] = np.cumsum(is_cut)[~is_cut]
    return codes


def _sortable(data: Any) -> Any:
    """A key in a form that Arrow sorts."""
    if pa.types.is_dictionary(data.type):
        data = data.cast(data.type.value_type)
    plain = without_view(data.type)
    return data if data.type == plain else data.cast(plain)


def _numpy(data: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(one_array(data).to_numpy(zero_copy_only=False), np.int64)
