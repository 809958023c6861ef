"""The topology at a snapshot that differs from a base by a few rows: later edges, dead ones, and rows that took a place over.

Everything is told from the base at once, never from what was told before, so that a snapshot's topology does not depend on
the ones that were asked for earlier. Where telling it would cost more than building anew, or could order parallel edges
otherwise than building anew does, the answer is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.base import EdgeBase, End, Key, VertexBase, loose_names, places_of
from luma_bench.models.graph.csr import adjacency, edges_of, row_places
from luma_bench.models.graph.keys import MISSING, NULL, KeyIndex
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, EdgeRows, Ids, Ints, VertexRows
from luma_bench.types.arrays import mask, numbers
from luma_bench.types.schema import ROW_ID

_LEAST = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The rows that a view has otherwise than a base, by ascending row ids.

    Attributes
    ----------
    gone
        Rows of the base that do not live.
    come
        Rows that live and that it does not have: `_rowid`, then the columns of keys.
    """

    gone: Ints
    come: pa.Table

    @property
    def rows(self) -> int:
        """How many rows it names."""
        return len(self.gone) + self.come.num_rows


class Vertices:
    """The vertices of a table at a view, over a base.

    A row that is the same as a gone one by every key takes its place: it was updated, and its edges lead to it still.

    Parameters
    ----------
    base
        What it is told from.
    difference
        The rows that differ.
    keys
        What tells vertices apart: the table's own key, and those that edges refer to.

    Raises
    ------
    SchemaError
        Two rows have the same key.
    """

    def __init__(self, base: VertexBase, difference: Difference, keys: Sequence[Key]) -> None:
        self.base = base
        gone = base.row_ids.places(difference.gone)
        taken, places = _taken_over(base, gone, difference.come, keys)
        rows: Ints = numbers(difference.come.column(ROW_ID))
        order = np.argsort(places, kind="stable")
        self.row_ids = base.row_ids.patched(places[order], rows[taken][order], rows[~taken])
        self.count = len(self.row_ids)
        self.lost: Ints = np.setdiff1d(gone, places, assume_unique=True)
        self.dead: Bools | None = None
        if len(self.lost):
            self.dead = np.zeros(self.count, np.bool_)
            self.dead[self.lost] = True
        later = difference.come.filter(mask(~taken)) if taken.any() else difference.come
        self.later = later.num_rows
        self._own = {
            key: KeyIndex(base.table, key.names, [later.column(name) for name in key.columns]) for key in keys
        }
        if self.later:
            for own in self._own.values():
                own.check()

    @property
    def changed(self) -> int:
        """How many places have come or gone."""
        return self.later + len(self.lost)

    def find(self, key: Key, table: str, names: Sequence[str], values: Sequence[pa.ChunkedArray]) -> Ids:
        """The places of the vertices with these keys; see `Finder`."""
        found = self.base.find(key, table, names, values)
        if self.dead is not None:
            found[(found >= 0) & self.dead[np.maximum(found, 0)]] = MISSING
        if self.later:
            own = self._own[key].find(table, names, values)
            found = np.where(own >= 0, own + np.int32(self.base.count), found)
        return found

    def revived(self, key: Key) -> bool:
        """Whether a later vertex has the key of one that is dead, so that edges of the base lead to it."""
        if not self.later or not len(self.lost):
            return False
        found = self.base.find(key, self.base.table, key.names, self._own[key].columns)
        return bool(np.isin(found, self.lost).any())

    def at(self, first: int) -> VertexRows:
        """The vertices, with dense ids from `first` on."""
        return VertexRows(first, self.row_ids, self.dead)


def _taken_over(base: VertexBase, gone: Ints, come: pa.Table, keys: Sequence[Key]) -> tuple[Bools, Ints]:
    """Which rows take the place of one that is gone, being the same by every key; and these places."""
    none = np.zeros(come.num_rows, np.bool_)
    if not come.num_rows or not keys:
        return none, np.empty(0, np.int64)
    free = np.zeros(base.count + 1, np.bool_)
    free[gone] = True
    places: list[Ids] = []
    for key in keys:
        found = base.find(key, base.table, key.names, [come.column(name) for name in key.columns])
        if ((found >= 0) & ~free[np.maximum(found, 0)]).any():
            raise base.keys(key).repeated()
        places.append(found)
    taken = places[0] >= 0
    for found in places[1:]:
        taken &= found == places[0]
    mine = places[0][taken].astype(np.int64)
    if len(np.unique(mine)) < len(mine):
        raise base.keys(keys[0]).repeated()
    return taken, mine


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The edges of a table at a view, over a base.

    Attributes
    ----------
    ends
        Places of the ends of later edges, whose slots follow those of the base.
    dead
        By slot; None when none is.
    """

    base: EdgeBase
    row_ids: RowIds
    ends: tuple[Ids, Ids]
    dead: Bools | None
    dangling: int
    nulls: int

    @property
    def clean(self) -> bool:
        """Whether the base's adjacency is the whole truth."""
        return self.dead is None and not len(self.ends[0])

    @property
    def changed(self) -> int:
        """How many edges are later or dead."""
        return len(self.ends[0]) + (0 if self.dead is None else int(self.dead.sum()))

    def at(self, first: int, source: int, destination: int, vertices: int) -> EdgeRows:
        """The edges with slots from `first` on, and their ends with dense ids from `source` and `destination` on."""
        out, into = self.base.at(source, destination)
        later: tuple[Csr | None, Csr | None] = None, None
        if len(self.ends[0]):
            slots = np.arange(self.base.count, len(self.row_ids), dtype=np.int32)
            later = adjacency(
                self.ends[0] + np.int32(source),
                self.ends[1] + np.int32(destination),
                vertices,
                vertices,
                slots,
            )
        return EdgeRows(
            first,
            self.row_ids,
            None,
            None,
            Adjacency(out, later[0], self.dead),
            Adjacency(into, later[1], self.dead),
            dangling=self.dangling,
            nulls=self.nulls,
        )


def unchanged(base: EdgeBase) -> Edges:
    """The edges of a base as they are."""
    none = np.empty(0, np.int32)
    return Edges(base, base.row_ids, (none, none), None, base.loose.num_rows, len(base.null_ids))


def derived(
    base: EdgeBase,
    difference: Difference,
    table: str,
    ends: tuple[End, End],
    states: tuple[Vertices, Vertices],
    limit: int,
    *,
    longer: bool = False,
) -> Edges | None:
    """The edges at a view, or None where they are better built anew.

    Parameters
    ----------
    table
        The edge table's name, for messages.
    ends, states
        Source and destination, and their vertices at the view, which are what `ends` find places by.
    limit
        How many edges may be later or dead.
    longer
        Whether there are vertices that the base was not built with.
    """
    if difference.rows > 2 * max(limit, _LEAST):
        return None
    if any(state.revived(end.key) for end, state in zip(ends, states, strict=True)):
        return None
    alive = ~np.isin(base.loose_ids, difference.gone)
    if (longer or any(state.later for state in states)) and _have_ends(base.loose, alive, table, ends):
        return None
    source = destination = np.empty(0, np.int32)
    if difference.come.num_rows:
        source, destination = places_of(difference.come, table, ends)
    real = (source >= 0) & (destination >= 0)
    nulls = (source == NULL) | (destination == NULL)
    gone = base.row_ids.places(difference.gone)
    gone = np.sort(gone[gone >= 0])
    lost = _lost_with(base, states)
    rows: Ints = numbers(difference.come.column(ROW_ID))[real]
    source, destination = source[real], destination[real]
    slots, taken = _taken_slots(base, np.setdiff1d(gone, lost, assume_unique=True), source, destination)
    later = np.ones(len(rows), np.bool_)
    later[taken] = False
    if later.any() and int(rows[later][0]) <= base.last_row:
        return None
    count = int(later.sum())
    dead_slots = np.setdiff1d(np.union1d(gone, lost), slots, assume_unique=True)
    if len(dead_slots) + count > limit:
        return None
    dead = None
    if len(dead_slots):
        dead = np.zeros(base.count + count, np.bool_)
        dead[dead_slots] = True
    orphaned = len(np.setdiff1d(lost, gone, assume_unique=True))
    return Edges(
        base,
        base.row_ids.patched(slots, rows[taken], rows[later]),
        (source[later], destination[later]),
        dead,
        int(alive.sum()) + orphaned + int((~real & ~nulls).sum()),
        len(base.null_ids) - int(np.isin(base.null_ids, difference.gone).sum()) + int(nulls.sum()),
    )


def _have_ends(loose: pa.Table, alive: Bools, table: str, ends: tuple[End, End]) -> bool:
    """Whether rows that had no ends have them now."""
    rows = loose.filter(mask(alive))
    if not rows.num_rows:
        return False
    first, second = (
        replace(end, columns=loose_names(letter, end)) for letter, end in zip("sd", ends, strict=True)
    )
    source, destination = places_of(rows, table, (first, second))
    return bool(((source >= 0) & (destination >= 0)).any())


def _lost_with(base: EdgeBase, states: tuple[Vertices, Vertices]) -> Ints:
    """The slots whose source or destination is dead, ascending."""
    out, into, _ = base.local()
    found: list[np.ndarray[Any, Any]] = [
        edges_of(csr, state.lost) for state, csr in zip(states, (out, into), strict=True) if len(state.lost)
    ]
    return np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, np.int64)


def _taken_slots(base: EdgeBase, gone: Ints, source: Ids, destination: Ids) -> tuple[Ints, Ints]:
    """Slots of gone rows that a new row between the same vertices takes over, ascending, and the places of these rows.

    Only where neither has a parallel edge: the order of these is the order of their rows.
    """
    if not len(gone) or not len(source):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    out, _, (_, shift) = base.local()
    starts = np.unique(source)
    at = row_places(out, starts[starts < out.vertices])
    at = at[np.isin(out.slots[at], gone)]
    rows = np.searchsorted(out.indptr, at, "right") - 1
    ends = out.neighbours[at]
    before, after = np.maximum(at - 1, 0), np.minimum(at + 1, base.count - 1)
    parallel = (at > out.indptr[rows]) & (out.neighbours[before] == ends)
    parallel |= (at + 1 < out.indptr[rows + 1]) & (out.neighbours[after] == ends)
    at, rows, ends = at[~parallel], rows[~parallel], ends[~parallel].astype(np.int64) - shift
    old = rows << 32 | ends
    new = source.astype(np.int64) << 32 | destination
    pairs, first, counts = np.unique(new, return_index=True, return_counts=True)
    pairs, first = pairs[counts == 1], first[counts == 1]
    _, one, two = np.intersect1d(old, pairs, assume_unique=True, return_indices=True)
    slots, places = out.slots[at[one]].astype(np.int64), first[two]
    order = np.argsort(slots, kind="stable")
    return slots[order], places[order]
