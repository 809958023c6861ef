"""How many walks match, or whether one does, by what the reader wants of them: walks that meet are one with a weight.

No walk is held: at each length there is a row for each vertex, position and value of the variables that are carried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.paths.chunk import Chunk, Keep, Table, begun, passed
from luma_bench.models.graph.paths.scene import Run, Scene, countable
from luma_bench.models.graph.topology import Ids, Ints

GROUP = 1 << 18
"""Sources whose walks are counted together, where each source has rows of its own."""
PIECE = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Partial matches of one length and position that differ, and how many of each there are.

    `weights` is None where only their existence counts.
    """

    chunk: Chunk
    weights: Ints | None


def counted(scene: Scene, *, exist: bool) -> Iterator[Bindings]:
    """The matches of a bounded pattern by the variables that are wanted: a row for each value, with its weight.

    Parameters
    ----------
    exist
        Leave the weights out: every row is there once.
    """
    turned = scene.cheaper_turned
    run = scene.run(scene.wanted.carried, turned=turned)
    starts = run.starts
    # Carried variables of the start keep the walks of each start apart, so starts are taken in groups.
    apart = run.program.node_binds[0] >= 0
    step = max(min(GROUP, len(starts)), 1) if apart else max(len(starts), 1)
    if apart and scene.control.memory:
        step = max(min(step, scene.control.memory // 4096), 1)
    met: list[Tally] = []
    for first in range(0, len(starts), step):
        whole = list(_of_starts(scene, run, starts[first : first + step], exist=exist))
        if apart:
            yield from _batches(scene, run, _merged(whole))
        else:
            met += whole
    yield from _batches(scene, run, _merged(met))


def _of_starts(scene: Scene, run: Run, starts: Ids, *, exist: bool) -> Iterator[Tally]:
    """The whole matches from some starts, length by length."""
    program, control = run.program, scene.control
    first = begun(program, starts, Keep(), timed=False)
    weights = None if exist else np.ones(len(starts), np.int64)
    level = _settled(_spread(run, [Tally(first, weights)]))
    seen = Seen() if exist else None
    while level:
        following: list[Tally] = []
        for position, tally in level.items():
            control.check()
            if position == program.final:
                yield tally
                continue
            to = program.move(position)
            if to < 0:
                continue
            for part in _pieces(run, tally):
                control.check()
                following.append(_moved(run, part, to))
                if sum(len(item.chunk) for item in following) > 4 * PIECE:
                    following = [item for item in _settled(following).values() if len(item.chunk)]
                    held = sum(len(item.chunk) * (item.chunk.width + 8) for item in following)
                    control.fits(held, "Counting walks")
        level = _settled(_spread(run, [item for item in following if len(item.chunk)]))
        if seen is not None:
            level = {position: seen.fresh(tally) for position, tally in level.items()}
            level = {position: tally for position, tally in level.items() if len(tally.chunk)}


def _pieces(run: Run, tally: Tally) -> Iterator[Tally]:
    """Parts of a tally that have not too many edges."""
    arcs = run.arcs[run.program.edge_at(tally.chunk.position)]
    ends = np.cumsum(arcs.at_most(tally.chunk.vertices))
    start = 0
    while start < len(ends):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + PIECE, side="right")), start + 1)
        part = slice(start, stop)
        yield Tally(tally.chunk.take(part), None if tally.weights is None else tally.weights[part])
        start = stop


def _moved(run: Run, tally: Tally, position: int) -> Tally:
    program, chunk = run.program, tally.chunk
    edge = program.edge_at(chunk.position)
    rows, vertices, slots = run.arcs[edge].expand(chunk.vertices)
    check, bind = program.edge_checks[edge], program.edge_binds[edge]
    if check >= 0:
        equal = chunk.carried[check][rows] == slots
        rows, vertices, slots = rows[equal], vertices[equal], slots[equal]
    carried = chunk.carried[:, rows]
    if bind >= 0:
        carried[bind] = slots
    moved = Chunk(position, chunk.depth + 1, vertices, carried, None, None, None, None, None)
    return Tally(moved, None if tally.weights is None else tally.weights[rows])


def _spread(run: Run, tallies: list[Tally]) -> list[Tally]:
    """Tallies, and what passes on from them."""
    found: list[Tally] = []
    for tally in tallies:
        if tally.weights is None:
            found += [Tally(chunk, None) for chunk in passed(run.program, run.gates, tally.chunk)]
            continue
        # Weights go along as a column more while gates choose among the rows.
        chunk = tally.chunk
        held = np.concatenate((chunk.carried, tally.weights[None, :]))
        carrying = Chunk(chunk.position, chunk.depth, chunk.vertices, held, None, None, None, None, None)
        for item in passed(run.program, run.gates, carrying):
            bare = Chunk(
                item.position, item.depth, item.vertices, item.carried[:-1], None, None, None, None, None
            )
            found.append(Tally(bare, item.carried[-1]))
    return found


def _settled(tallies: list[Tally]) -> dict[int, Tally]:
    """One tally for each position, equal rows added up."""
    by_position: dict[int, list[Tally]] = {}
    for tally in tallies:
        by_position.setdefault(tally.chunk.position, []).append(tally)
    return {position: _one(parts) for position, parts in sorted(by_position.items())}


def _one(parts: list[Tally]) -> Tally:
    first = parts[0].chunk
    vertices = np.concatenate([part.chunk.vertices for part in parts])
    carried = np.concatenate([part.chunk.carried for part in parts], axis=1)
    weights = None
    if parts[0].weights is not None:
        weights = np.concatenate([part.weights for part in parts if part.weights is not None])
    kept, summed = grouped(np.concatenate((vertices[None, :].astype(np.int64), carried)), weights)
    chunk = Chunk(first.position, first.depth, vertices[kept], carried[:, kept], None, None, None, None, None)
    return Tally(chunk, summed)


def grouped(columns: Table, weights: Ints | None) -> tuple[Ints, Ints | None]:
    """Equal columns of a table once: where each first stands, by their order, and the sum of their weights.

    Raises
    ------
    ResourceError
        A sum does not fit 64 bits.
    """
    count = columns.shape[1]
    if not count:
        return np.empty(0, np.int64), weights
    packed = _packed(columns)
    order = np.argsort(packed, kind="stable") if packed is not None else np.lexsort(columns[::-1])
    if packed is not None:
        ordered = packed[order]
        new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    else:
        held = columns[:, order]
        new = np.concatenate(([True], (held[:, 1:] != held[:, :-1]).any(axis=0)))
    starts = np.flatnonzero(new)
    if weights is None:
        return order[starts], None
    sorted_weights = weights[order]
    countable(float(np.add.reduceat(sorted_weights.astype(np.float64), starts).max()))
    return order[starts], np.add.reduceat(sorted_weights, starts)


def _packed(columns: Table) -> Ints | None:
    """The columns as one number each, where that fits 63 bits."""
    low, high = columns.min(axis=1), columns.max(axis=1)
    sizes = [int(b) - int(a) + 1 for a, b in zip(low, high, strict=True)]
    total = 1
    for size in sizes:
        total *= size
    if total >= 2**63:
        return None
    packed = np.zeros(columns.shape[1], np.int64)
    for column, size, least in zip(columns, sizes, low, strict=True):
        packed = packed * size + (column - least)
    return packed


class Seen:
    """What was met before, where only existence counts: what comes again at the same position leads to nothing new."""

    def __init__(self) -> None:
        self._held: dict[int, Table] = {}

    def fresh(self, tally: Tally) -> Tally:
        """The rows of a tally that were not met at their position before."""
        chunk = tally.chunk
        columns = np.concatenate((chunk.vertices[None, :].astype(np.int64), chunk.carried))
        held = self._held.get(chunk.position)
        if held is None:
            self._held[chunk.position] = columns
            return tally
        both = np.concatenate((held, columns), axis=1)
        kept, _ = grouped(both, None)
        self._held[chunk.position] = both[:, np.sort(kept)]
        new = np.sort(kept[kept >= held.shape[1]]) - held.shape[1]
        return Tally(chunk.take(new), None)


def _merged(tallies: list[Tally]) -> Tally | None:
    """The matches of all lengths, by the carried variables alone."""
    if not tallies:
        return None
    carried = np.concatenate([tally.chunk.carried for tally in tallies], axis=1)
    weights = None
    if tallies[0].weights is not None:
        weights = np.concatenate([tally.weights for tally in tallies if tally.weights is not None])
    if not len(carried):
        carried = np.zeros((1, carried.shape[1]), np.int64)
    kept, summed = grouped(carried, weights)
    first = tallies[0].chunk
    bare = carried[:, kept] if len(first.carried) else np.empty((0, len(kept)), np.int64)
    chunk = Chunk(first.position, 0, np.zeros(len(kept), np.int32), bare, None, None, None, None, None)
    return Tally(chunk, summed)


def _batches(scene: Scene, run: Run, tally: Tally | None) -> Iterator[Bindings]:
    if tally is None or not len(tally.chunk):
        return
    control, wanted = scene.control, scene.wanted
    columns = dict(zip(run.program.columns, tally.chunk.carried, strict=True))
    names = {name: columns[name].astype(np.int32) for name in sorted(wanted.nodes)}
    slots = {name: columns[name] for name in sorted(wanted.edges)}
    for start in range(0, len(tally.chunk), control.batch):
        part = slice(start, start + control.batch)
        rows = len(tally.chunk.vertices[part])
        yield Bindings(
            rows,
            {name: values[part] for name, values in names.items()},
            {name: values[part] for name, values in slots.items()},
            weights=None if tally.weights is None else tally.weights[part],
        )


def repeated(batches: Iterator[Bindings], control: Control) -> Iterator[Bindings]:
    """Rows with weights as that many rows, in batches: for a reader that needs each match."""
    for batch in batches:
        weights = batch.weights
        assert weights is not None
        ends = np.cumsum(weights)
        total = int(ends[-1]) if len(ends) else 0
        for start in range(0, total, control.batch):
            control.check()
            places = np.arange(start, min(start + control.batch, total))
            rows = np.searchsorted(ends, places, side="right")
            part = Bindings(batch.rows, batch.nodes, batch.edges).take(rows)
            yield part
