"""Equal rows put together, rows joined and paired: what stands between the steps that walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from luma_bench.models.graph.bindings import Bindings, Lists, PathBindings
from luma_bench.models.graph.expand import pieces, sliced
from luma_bench.models.graph.running import LARGEST, Run, plus, summed, times, too_many
from luma_bench.models.graph.topology import Ids, Ints

DENSE_SHARE = 32
"""Rows of at least one in this many of all vertices are put together by vertex, fewer by sorting."""

_FIRST: Final = np.ones(1, np.bool_)


class Vertices:
    """The vertices of one variable as they come, with how often each: put together at the end, ascending."""

    __slots__ = ("_exists", "_held", "_parts", "_rows", "_run")

    def __init__(self, run: Run) -> None:
        self._run = run
        self._exists = run.exists
        self._parts: list[tuple[Ids, Ints | None]] = []
        self._held: Ints | None = None
        self._rows = 0

    def add(self, ids: Ids, weights: Ints | None) -> None:
        """Vertices, and how often each; once for None."""
        if len(ids) == 0:
            return
        self._parts.append((ids, None if self._exists else weights))
        self._rows += len(ids)
        if self._rows > max(self._run.topology.vertex_count, self._run.limit):
            self._settle()

    def _settle(self) -> None:
        if not self._parts:
            return
        count = self._run.topology.vertex_count
        held = self._held
        if self._exists:
            held = np.zeros(count, np.int64) if held is None else held
            for ids, _ in self._parts:
                held[ids] = 1
        else:
            plain = [ids for ids, weights in self._parts if weights is None]
            if plain:
                more = np.bincount(plain[0] if len(plain) == 1 else np.concatenate(plain), minlength=count)
                held = more if held is None else held + more
            for ids, weights in self._parts:
                if weights is not None:
                    more = summed(ids, weights, count)
                    held = more if held is None else plus(held, more)
        self._held = held
        self._parts, self._rows = [], 0

    def result(self) -> tuple[Ids, Ints | None]:
        """The distinct vertices, ascending, and how often each came; None where once each or where nobody counts."""
        few = self._held is None and self._rows * DENSE_SHARE < self._run.topology.vertex_count
        if few:
            return self._sorted()
        self._settle()
        if self._held is None:
            return np.empty(0, np.int32), None
        # Of booleans, which are found many times faster than numbers.
        ids = np.flatnonzero(self._held != 0)
        return ids.astype(np.int32), None if self._exists else self._held[ids]

    def _sorted(self) -> tuple[Ids, Ints | None]:
        if not self._parts:
            return np.empty(0, np.int32), None
        if len(self._parts) == 1:
            ids, weights = self._parts[0]
            # What one step put together, the next one takes as it is.
            if len(ids) == 1 or bool((ids[1:] > ids[:-1]).all()):
                return ids, weights
        else:
            ids = np.concatenate([part for part, _ in self._parts])
            weights = None
            if any(held is not None for _, held in self._parts):
                weights = np.concatenate(
                    [np.ones(len(part), np.int64) if held is None else held for part, held in self._parts]
                )
        if weights is None or self._exists:
            ordered = np.sort(ids)
            begins = np.flatnonzero(np.concatenate((_FIRST, ordered[1:] != ordered[:-1])))
            return ordered[begins], None if self._exists else np.diff(begins, append=len(ordered))
        order = ids.argsort(kind="stable")
        ordered = ids[order]
        begins = np.flatnonzero(np.concatenate((_FIRST, ordered[1:] != ordered[:-1])))
        if float(weights.sum(dtype=np.float64)) > LARGEST:
            most = float(np.add.reduceat(weights[order].astype(np.float64), begins).max())
            if most > LARGEST * (1 - 1e-9):
                raise too_many(most)
        return ordered[begins], np.add.reduceat(weights[order], begins)


def gathered(run: Run, rows: Iterable[Bindings], variable: str) -> Bindings:
    """All rows as the distinct vertices of one variable, weighted."""
    held = Vertices(run)
    for batch in rows:
        held.add(batch.nodes[variable], batch.weights)
    ids, weights = held.result()
    return Bindings(len(ids), {variable: ids}, weights=weights)


def counted(run: Run, rows: Iterable[Bindings]) -> Iterator[Bindings]:
    """All rows as one without columns, weighted by how many there are; none for none."""
    total = 0
    for batch in rows:
        total += total_of(batch)
        if run.exists and total:
            break
    if run.exists:
        total = min(total, 1)
    if total:
        if total > LARGEST:
            raise too_many(float(total))
        yield Bindings(1, weights=np.array([total], np.int64))


def total_of(batch: Bindings) -> int:
    """How many matches a batch stands for."""
    if batch.weights is None:
        return batch.rows
    if float(batch.weights.sum(dtype=np.float64)) < LARGEST / 2:
        return int(batch.weights.sum())
    return sum(batch.weights.tolist())


def codes_of(columns: Sequence[Ids | Ints]) -> Ints:
    """A number for each row, equal where all columns are."""
    first = columns[0].astype(np.int64)
    if len(columns) == 1:
        return first
    if len(columns) == 2 and all(column.dtype == np.int32 for column in columns):
        return (first << 32) | (columns[1].astype(np.int64) & 0xFFFFFFFF)
    code = np.unique(first, return_inverse=True)[1]
    for column in columns[1:]:
        distinct, places = np.unique(column, return_inverse=True)
        code = np.unique(code * len(distinct) + places, return_inverse=True)[1]
    return code.astype(np.int64)


def merged_rows(run: Run, batch: Bindings) -> Bindings:
    """A batch with its equal rows put together; as it is where it has lists, which are not compared."""
    if batch.rows < 2 or batch.groups or batch.paths:
        return batch
    columns = [*batch.nodes.values(), *batch.edges.values()]
    if not columns:
        total = total_of(batch)
        return Bindings(1, weights=None if run.exists else np.array([total], np.int64))
    distinct, first, places = np.unique(codes_of(columns), return_index=True, return_inverse=True)
    if len(distinct) == batch.rows:
        return batch
    kept = Bindings(batch.rows, batch.nodes, batch.edges).take(first)
    if run.exists:
        return kept
    return Bindings(kept.rows, kept.nodes, kept.edges, weights=summed(places, batch.weights, len(distinct)))


def joined(run: Run, left: Bindings, right: Bindings, on: Sequence[str]) -> Iterator[Bindings]:
    """The pairs of rows that agree in the columns `on`, in pieces; columns of both, those of `on` once."""
    sides = [[side.nodes.get(name, side.edges.get(name)) for name in on] for side in (left, right)]
    columns = [[column for column in side if column is not None] for side in sides]
    assert len(columns[0]) == len(columns[1]) == len(on), "both sides have the columns"
    both = codes_of([np.concatenate(pair) for pair in zip(*columns, strict=True)])
    mine, theirs = both[: left.rows], both[left.rows :]
    order = np.argsort(theirs, kind="stable")
    ordered = theirs[order]
    begins = np.searchsorted(ordered, mine, side="left")
    counts = np.searchsorted(ordered, mine, side="right") - begins
    for part in parts_of(run, counts, "The join of two parts of a pattern"):
        lengths = counts[part]
        ends = np.cumsum(lengths)
        rows = np.repeat(np.arange(part.start, part.stop), lengths)
        places = np.arange(ends[-1]) + np.repeat(begins[part] - (ends - lengths), lengths)
        yield beside(run, left.take(rows), right.take(order[places]))


def parts_of(run: Run, counts: Ints, what: str) -> Iterator[slice]:
    """Slices of rows that become about `run.limit` rows each, where each row becomes `counts` of them."""
    for part in pieces(run, counts, what=what):
        if int(counts[part].sum()):
            yield part


def beside(run: Run, left: Bindings, right: Bindings) -> Bindings:
    """The rows of two batches of one length side by side."""
    return Bindings(
        left.rows,
        left.nodes | right.nodes,
        left.edges | right.edges,
        left.groups | right.groups,
        left.paths | right.paths,
        None if run.exists else times(left.weights, right.weights),
    )


def paired(run: Run, rows: Iterable[Bindings], held: Sequence[Bindings]) -> Iterator[Bindings]:
    """Every row with every row that is held."""
    for batch in rows:
        for other in held:
            counts = np.full(batch.rows, other.rows, np.int64)
            # A row with more than fits at once is paired with slices of the other side.
            width = max(run.limit, 1)
            for begin in range(0, other.rows, width):
                piece = sliced(other, slice(begin, min(begin + width, other.rows)))
                counts[:] = piece.rows
                for part in parts_of(run, counts, "Every pair of two parts of a pattern"):
                    size = part.stop - part.start
                    rows_of = np.repeat(np.arange(part.start, part.stop), piece.rows)
                    places = np.tile(np.arange(piece.rows), size)
                    yield beside(run, batch.take(rows_of), piece.take(places))


def held_rows(run: Run, rows: Iterable[Bindings], what: str) -> list[Bindings]:
    """Batches kept together, where they fit."""
    found: list[Bindings] = []
    size = 0
    for batch in rows:
        found.append(batch)
        size += batch.nbytes + (0 if batch.weights is None else batch.weights.nbytes)
        run.control.check()
        run.control.fits(size, what)
    return found


def appended(batches: Sequence[Bindings]) -> Bindings:
    """Batches with the same columns as one."""
    if len(batches) == 1:
        return batches[0]
    first = batches[0]
    weighted = any(batch.weights is not None for batch in batches)
    return Bindings(
        sum(batch.rows for batch in batches),
        {name: np.concatenate([batch.nodes[name] for batch in batches]) for name in first.nodes},
        {name: np.concatenate([batch.edges[name] for batch in batches]) for name in first.edges},
        {name: _lists([batch.groups[name] for batch in batches]) for name in first.groups},
        {name: _paths([batch.paths[name] for batch in batches]) for name in first.paths},
        np.concatenate(
            [np.ones(batch.rows, np.int64) if batch.weights is None else batch.weights for batch in batches]
        )
        if weighted
        else None,
    )


def _lists(parts: Sequence[Lists]) -> Lists:
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    values: Any = np.concatenate(
        [part.values[int(part.offsets[0]) : int(part.offsets[-1])] for part in parts]
    )
    valid = None
    if any(part.valid is not None for part in parts):
        valid = np.concatenate(
            [np.ones(len(part), np.bool_) if part.valid is None else part.valid for part in parts]
        )
    return Lists(offsets, values, valid)


def _paths(parts: Sequence[PathBindings]) -> PathBindings:
    costs = [part.cost for part in parts if part.cost is not None]
    departures = [part.departure for part in parts if part.departure is not None]
    arrivals = [part.arrival for part in parts if part.arrival is not None]
    return PathBindings(
        _lists([part.nodes for part in parts]),
        _lists([part.edges for part in parts]),
        np.concatenate(costs) if costs else None,
        np.concatenate(departures) if departures else None,
        np.concatenate(arrivals) if arrivals else None,
    )


def coalesced(run: Run, rows: Iterable[Bindings]) -> Iterator[Bindings]:
    """The same rows in batches of about `control.batch`: small ones together, large ones in slices; empty ones left out."""
    wanted = max(run.control.batch, 1)
    held: list[Bindings] = []
    size = 0
    for batch in rows:
        if batch.rows == 0:
            continue
        if batch.rows > wanted:
            if held:
                yield appended(held)
                held, size = [], 0
            parts = max(round(batch.rows / wanted), 1)
            cuts = [batch.rows * part // parts for part in range(parts + 1)]
            for begin, end in pairwise(cuts):
                yield sliced(batch, slice(begin, end))
            continue
        held.append(batch)
        size += batch.rows
        if size >= wanted:
            yield appended(held)
            held, size = [], 0
    if held:
        yield appended(held)


def repeated(run: Run, rows: Iterable[Bindings]) -> Iterator[Bindings]:
    """Each row as often as it is weighted, without weights."""
    wanted = max(run.control.batch, 1)
    for batch in rows:
        if batch.weights is None:
            yield batch
            continue
        for place in np.flatnonzero(batch.weights > wanted).tolist():
            left = int(batch.weights[place])
            while left > 0:
                run.control.check()
                yield _plain(batch, np.full(min(left, wanted), place, np.int64))
                left -= wanted
        small = np.where(batch.weights > wanted, 0, batch.weights)
        for part in parts_of(run, small, "Rows of matches"):
            yield _plain(batch, np.repeat(np.arange(part.start, part.stop), small[part]))


def _plain(batch: Bindings, rows: Ints) -> Bindings:
    kept = batch.take(rows)
    return Bindings(kept.rows, kept.nodes, kept.edges, kept.groups, kept.paths)
