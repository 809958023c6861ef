"""Bases of topologies with the states of their tables that are known: what a view has otherwise is told by row ids."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from luma_bench.bench.graph.topology_shapes import (
    Columns,
    EdgeShape,
    VertexShape,
    labelled,
    names_of,
)
from luma_bench.models.graph.base import EdgeBase, VertexBase
from luma_bench.models.graph.derive import Difference
from luma_bench.models.graph.topology import Bools, Ints
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.store import Store
from luma_bench.storage.table_rows import Shown, changes, live_rows, rows_with, shown
from luma_bench.types.schema import TableSchema

_STATES = 4
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What a table shows at some snapshot, as the rows that a base has and it has not, and the other way round."""

    shown: Shown
    gone: Ints
    come: Ints

    @property
    def digest(self) -> bytes:
        """What tells apart two states of one base, empty for its own; those of a transaction have row ids of their own."""
        if not len(self.gone) and not len(self.come):
            return b""
        found = hashlib.blake2b(digest_size=16)
        found.update(self.gone.tobytes() + b"|" + self.come.tobytes() + b"|%d" % self.shown.draft)
        return found.digest()


def built_at(known: Shown) -> State:
    """The state that a base was built at."""
    none = np.empty(0, np.int64)
    return State(known, none, none)


@dataclass(slots=True, eq=False)
class Known:
    """The committed states of a base's table, oldest first: parts that were merged since do not have to be compared again."""

    states: list[State] = field(default_factory=list[State])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def at(
        self,
        store: Store,
        view: ResolvedSnapshot,
        table: int,
        has: Callable[[Ints], Bools],
        rows: Callable[[], Ints],
        *,
        cheap: bool = False,
    ) -> State | None:
        """The state at a view.

        Parameters
        ----------
        has
            Of row ids, whether the base has them.
        rows
            All row ids of the base.
        cheap
            Whether to give None where all rows of the table have to be looked at.
        """
        now = shown(view, table)
        with self._lock:
            states = self.states[::-1]
        for state in states:
            if state.shown == now:
                return state
        for state in states:
            found = changes(store, state.shown, view)
            if found is not None:
                lost, came = found
                gone = np.union1d(state.gone, lost[has(lost)])
                left = np.setdiff1d(state.come, lost, assume_unique=True)
                return State(now, gone, np.union1d(left, came))
        if cheap:
            return None
        live = live_rows(store, view, table)
        known = has(live)
        mine = rows()
        at = np.zeros(len(mine), np.bool_)
        if len(live):
            low, high = int(live[0]), int(live[-1])
            if high - low < 8 * (len(live) + len(mine)):
                alive = np.zeros(high - low + 1, np.bool_)
                alive[live - low] = True
                inside = (mine >= low) & (mine <= high)
                at[inside] = alive[mine[inside] - low]
            else:
                at = np.isin(mine, live)
        state = State(now, np.sort(mine[~at]), live[~known])
        if not now.draft:
            with self._lock:
                self.states = [*self.states, state][-_STATES:]
        return state


@dataclass(slots=True, eq=False)
class HeldVertices:
    """A base of a vertex table; `number` is given to no other base of the process."""

    shape: VertexShape
    base: VertexBase
    known: Known
    number: int = field(default_factory=_NUMBERS.__next__)

    def state(self, store: Store, view: ResolvedSnapshot) -> State:
        """What a view has otherwise."""
        ids = self.base.row_ids
        found = self.known.at(
            store, view, self.shape.table, lambda rows: ids.places(rows) >= 0, lambda: ids.array
        )
        assert found is not None
        return found


@dataclass(slots=True, eq=False)
class HeldEdges:
    """A base of an edge table, and the vertices whose places its ends are; `ulid` names the generation that it was read from."""

    shape: EdgeShape
    base: EdgeBase
    known: Known
    source: HeldVertices
    destination: HeldVertices
    ulid: str | None = None
    number: int = field(default_factory=_NUMBERS.__next__)

    def state(self, store: Store, view: ResolvedSnapshot, *, cheap: bool = False) -> State | None:
        """What a view has otherwise; None with `cheap` where that takes a look at all rows."""
        return self.known.at(store, view, self.shape.table, self._has, self._rows, cheap=cheap)

    def _has(self, rows: Ints) -> Bools:
        found = self.base.row_ids.places(rows) >= 0
        for others in (self.base.loose_ids, self.base.null_ids):
            if len(others):
                found |= np.isin(rows, others)
        return found

    def _rows(self) -> Ints:
        base = self.base
        return np.concatenate((base.row_ids.array, base.loose_ids, base.null_ids))


def difference(
    store: Store, view: ResolvedSnapshot, table: TableSchema, state: State, columns: Columns
) -> Difference:
    """A state with the keys of the rows that came."""
    rows = rows_with(store, view, table.id, state.come, names_of(table, columns))
    return Difference(state.gone, labelled(rows, columns))
