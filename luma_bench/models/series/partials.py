"""Partial aggregates: made per stretch, merged by (code, start), finished once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series import aggregates
from luma_bench.models.series.aggregates import Spec
from luma_bench.models.series.finishing import Answering, Finished
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.ordering import by_twos, ordered, shared, steps
from luma_bench.models.series.runs import Bools, Codes, Ints, Runs, Stretch, Values
from luma_bench.models.series.states import Flat, Interleaved, Kind, Reducing, Rows
from luma_bench.models.series.stretches import mapped, split

__all__ = ["Aggregation", "Gathered", "Interleaved", "Partial", "mapped", "split"]


_FEW = 4_096
"""Groups of a stretch that are not worth merging among themselves."""
_WAITING = 1 << 28
"""Bytes of partials that may wait to be merged, however few groups they are of."""


@dataclass(frozen=True, slots=True)
class Partial:
    """States of groups.

    Attributes
    ----------
    codes, starts
        int32 and int64, one a group: its key and its bucket.
    states
        One of each kind that the aggregation keeps.
    firsts
        int64, the time of each group's first row; only where a state depends on the order of rows.
    lasts
        int64, the time of its last row; only of sessions.
    ascends
        Whether they are known to be in order of (code, start), each pair once.
    """

    codes: Codes
    starts: Ints
    states: tuple[Any, ...]
    firsts: Ints | None = None
    lasts: Ints | None = None
    ascends: bool = False

    def rows(self, part: slice) -> Partial:
        """Some of its groups."""
        return Partial(
            self.codes[part],
            self.starts[part],
            tuple(state.take(part) for state in self.states),
            None if self.firsts is None else self.firsts[part],
            None if self.lasts is None else self.lasts[part],
            ascends=self.ascends,
        )

    def places(self) -> Ints:
        """The stored row numbers that its states name, ascending and once: what must be kept of the part's arrays."""
        named = [
            state["place"][state["row"]]
            for state in self.states
            if isinstance(state, Flat) and "place" in state.arrays
        ]
        return np.unique(np.concatenate(named)) if named else np.zeros(0, np.int64)

    @property
    def nbytes(self) -> int:
        """What it takes."""
        times = sum(array.nbytes for array in (self.firsts, self.lasts) if array is not None)
        return self.codes.nbytes + self.starts.nbytes + times + sum(state.nbytes for state in self.states)


class Aggregation:
    """A list of aggregates over the same groups; equal states are kept once. Safe to use from several threads.

    Parameters
    ----------
    specs
        The aggregates.
    unit
        Nanoseconds of one unit of the time column.
    dtypes
        The dtype of each column that they name, as its `Values.data` will have it.

    Raises
    ------
    KadeQLBindError
        A constant is out of its range; without a place.
    """

    def __init__(self, specs: Sequence[Spec], unit: int, dtypes: Mapping[str, np.dtype[Any]]) -> None:
        self.specs = tuple(specs)
        self.unit = unit
        self.dtypes = dict(dtypes)
        self._asked = [
            aggregates.kinds(spec, [self.dtypes[name] for name in spec.columns], unit) for spec in self.specs
        ]
        self.kinds: tuple[Kind[Any], ...] = tuple(
            dict.fromkeys(kind for kinds in self._asked for kind in kinds)
        )
        self.ordered = any(kind.ordered for kind in self.kinds)

    def partial(self, stretch: Stretch, groups: Groups, first: int = 0) -> Partial:
        """States of the groups of one stretch.

        Parameters
        ----------
        first
            The stored number of its first row, to which `runs.order` is added (see `Spec.places`).
        """
        if not len(groups.codes):
            stretch = self._nothing()
        rows = Rows(stretch.runs, stretch.columns, groups, self.unit, first)
        with np.errstate(all="ignore"):
            states = tuple(kind.partial(rows) for kind in self.kinds)
        firsts = stretch.runs.time[groups.cuts[:-1]] if self.ordered else None
        again, back = steps(groups.codes, groups.starts, firsts)
        ascends = not back and not bool(again.any())
        made = Partial(groups.codes, groups.starts, states, firsts, groups.lasts, ascends=ascends)
        if groups.lasts is not None or ascends or len(groups.codes) < _FEW:
            return made
        # Runs that share a key shrink to one here, on whatever thread this is, before all stretches come together.
        return self._sorted(made, again, back) if shared(groups.codes, groups.starts) else made

    def together(self, partials: Sequence[Partial]) -> Partial:
        """Partials one behind the other, not merged."""
        if not partials:
            none = np.zeros(0, np.int64)
            groups = Groups(none.astype(np.int32), none, np.zeros(1, np.int64), none)
            return self.partial(self._nothing(), groups)
        if len(partials) == 1:
            return partials[0]
        head, rest = partials[0], partials[1:]
        return Partial(
            np.concatenate([partial.codes for partial in partials]),
            np.concatenate([partial.starts for partial in partials]),
            tuple(
                state.after([partial.states[place] for partial in rest])
                for place, state in enumerate(head.states)
            ),
            _put_together([partial.firsts for partial in partials]),
            _put_together([partial.lasts for partial in partials]),
        )

    def joined(self, whole: Partial, order: Ints | None, differs: Bools) -> tuple[Any, ...]:
        """The states in `order`, each group of neighbours put together; `differs` says where a group begins.

        Raises
        ------
        Interleaved
            Rows of a group are not one behind the other, and a state needs that.
        """
        again = ~differs
        if not again.any():
            return whole.states if order is None else tuple(state.take(order) for state in whole.states)
        several = again.copy()
        several[:-1] |= again[1:]
        places = np.flatnonzero(several)
        few = places if order is None else order[places]
        with np.errstate(all="ignore"):
            few_states = self._neighbours(tuple(state.take(few) for state in whole.states), differs[places])
        firsts = np.flatnonzero(differs)
        if len(places) == len(differs):
            return few_states
        at = np.searchsorted(firsts, places[differs[places]])
        kept = firsts if order is None else order[firsts]
        return tuple(
            state.take(kept).put(at, part) for state, part in zip(whole.states, few_states, strict=True)
        )

    def _neighbours(self, states: tuple[Any, ...], differs: Bools) -> tuple[Any, ...]:
        """Each group of neighbours put together: at once where the kind can, else by twos."""
        begins = np.flatnonzero(differs)
        made = [
            kind.reduced(state, begins) if isinstance(kind, Reducing) else None
            for kind, state in zip(self.kinds, states, strict=True)
        ]
        rest = [place for place, one in enumerate(made) if one is None]
        paired = by_twos([self.kinds[place] for place in rest], [states[place] for place in rest], differs)
        for place, one in zip(rest, paired, strict=True):
            made[place] = one
        return tuple(made)

    def merged(self, partials: Sequence[Partial]) -> Partial:
        """One partial, ordered by (code, start), each pair once.

        Raises
        ------
        Interleaved
            Rows of a group come from runs whose times overlap, and a state needs them in order.
        """
        chained = self._chained([partial for partial in partials if len(partial.codes)])
        if chained is not None:
            return chained
        whole = self.together(partials)
        if len(whole.codes) < 2:
            return whole
        return self._sorted(whole, *steps(whole.codes, whole.starts, whole.firsts))

    def _sorted(self, whole: Partial, again: Bools, back: bool) -> Partial:
        """The same, of one partial and its `steps`."""
        if not back and not again.any():
            return replace(whole, ascends=True)
        order = None
        if back:
            order = ordered(whole.codes, whole.starts, whole.firsts)
            again, _ = steps(whole.codes[order], whole.starts[order], None)
        differs = np.concatenate([np.ones(1, bool), ~again])
        states = self.joined(whole, order, differs)
        firsts = np.flatnonzero(differs)
        if order is not None:
            firsts = order[firsts]
        return Partial(
            whole.codes[firsts],
            whole.starts[firsts],
            states,
            None if whole.firsts is None else whole.firsts[firsts],
            ascends=True,
        )

    def _chained(self, partials: Sequence[Partial]) -> Partial | None:
        """Partials that follow one another in order of (code, start), where at most the last group of one goes on in the next.

        So come the stretches of a table that is stored in that order. None where they do not.
        """
        if len(partials) < 2 or not all(partial.ascends for partial in partials):
            return None
        heads: list[int] = []
        for before, after in itertools.pairwise(partials):
            last, first = (
                (int(before.codes[-1]), int(before.starts[-1])),
                (int(after.codes[0]), int(after.starts[0])),
            )
            if last > first:
                return None
            if last == first and self.ordered and _firsts(before)[-1] > _firsts(after)[0]:
                return None
            heads.append(int(last == first))
        goes_on = [0, *heads]
        bodies = [
            partial.rows(slice(head, None)) if head else partial
            for partial, head in zip(partials, goes_on, strict=True)
        ]
        whole = self.together(bodies)
        tails = np.cumsum([len(body.codes) for body in bodies])[:-1][np.array(heads, bool)] - 1
        if not len(tails):
            return replace(whole, ascends=True)
        places = np.unique(tails)
        order = np.argsort(np.concatenate([places, tails]), kind="stable")
        differs = order < len(places)
        going = [partial for partial, head in zip(partials, goes_on, strict=True) if head]
        with np.errstate(all="ignore"):
            parts = tuple(
                state.take(places).after([part.states[kind].take(slice(0, 1)) for part in going]).take(order)
                for kind, state in enumerate(whole.states)
            )
            joined = self._neighbours(parts, differs)
        states = tuple(state.put(places, part) for state, part in zip(whole.states, joined, strict=True))
        return replace(whole, states=states, ascends=True)

    def finished(self, partial: Partial, ends: Ints | None = None) -> list[Finished]:
        """The answers, one a spec, rows as in `partial`.

        Parameters
        ----------
        ends
            The end of each group's window; prom_rate needs it, and time_weight where it is carried.

        Raises
        ------
        EngineError
            It is not given and an aggregate needs it.
        """
        held = dict(zip(self.kinds, partial.states, strict=True))
        with np.errstate(all="ignore"):
            return [
                aggregates.answered(
                    spec,
                    Answering(
                        kinds,
                        tuple(held[kind] for kind in kinds),
                        spec.options,
                        spec.places,
                        spec.carried,
                        self.dtypes[spec.columns[0]] if spec.columns else None,
                        self.unit,
                        partial.starts,
                        ends,
                    ),
                )
                for spec, kinds in zip(self.specs, self._asked, strict=True)
            ]

    def _nothing(self) -> Stretch:
        none = np.zeros(0, np.int64)
        runs = Runs(none.astype(np.int32), np.zeros(1, np.int64), none)
        return Stretch(runs, {name: Values(np.zeros(0, dtype)) for name, dtype in self.dtypes.items()})


class Gathered:
    """Partials as they come, merged whenever they have become many: bounded by the groups, not by the stretches.

    Parameters
    ----------
    aggregation
        Whose they are.
    control
        What they are held to.
    merge
        How some become one, which may be merged again; None: as groups of (code, start).
    """

    def __init__(
        self,
        aggregation: Aggregation,
        control: Control,
        merge: Callable[[Sequence[Partial]], Partial] | None = None,
    ) -> None:
        self._merge = aggregation.merged if merge is None else merge
        self._control = control
        self._merged = self._nbytes = 0
        self._waiting: list[Partial] = []

    def add(self, partial: Partial) -> None:
        """Take one more.

        Raises
        ------
        Interleaved
            As `Aggregation.merged`.
        ResourceError
            The groups do not fit the memory.
        """
        self._control.check()
        self._waiting.append(partial)
        self._nbytes += partial.nbytes
        if self._nbytes > max(4 * self._merged, _WAITING):
            self._waiting = [self._merge(self._waiting)]
            self._nbytes = self._merged = self._waiting[0].nbytes
            self._control.fits(3 * self._merged, "The groups of an aggregate")

    def result(self) -> Partial:
        """All of them, merged."""
        self._control.fits(3 * self._nbytes, "The groups of an aggregate")
        return self._merge(self._waiting)


def _put_together(arrays: Sequence[Ints | None]) -> Ints | None:
    there = [array for array in arrays if array is not None]
    return np.concatenate(there) if len(there) == len(arrays) else None


def _firsts(partial: Partial) -> Ints:
    assert partial.firsts is not None
    return partial.firsts
