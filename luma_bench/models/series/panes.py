"""HOP and CUMULATE: overlapping windows, put together from panes that do not overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from luma_bench.errors import KadeQLBindError
from luma_bench.models.control import Control
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.edges import Edges, Even
from luma_bench.models.series.length import Length
from luma_bench.models.series.partials import Aggregation, Partial
from luma_bench.models.series.runs import Codes, Ints
from luma_bench.models.series.stretches import mapped

_NO_OFFSET = Length()


@dataclass(frozen=True, slots=True)
class Overlaps:
    """HOP or CUMULATE as multiples of panes: what the aggregates are made of is grouped by `panes`.

    HOP: windows begin every `every` panes and are `wide` panes long; the first ones, which begin before the data, are there
    too. CUMULATE: windows begin every `wide` panes and end one pane later each time. They follow the rule of the slide (of the
    step), see `Buckets`: panes shorter than it inherit that.

    Attributes
    ----------
    every, wide
        In panes.
    grows
        CUMULATE.
    """

    panes: Buckets
    every: int
    wide: int
    grows: bool

    @classmethod
    def hop(
        cls,
        slide: Length,
        size: Length,
        unit: int,
        zone: str | None = None,
        offset: Length = _NO_OFFSET,
        origin: int | None = None,
    ) -> Overlaps:
        """HOP(slide, size); the arguments as for `Buckets.of`.

        Raises
        ------
        KadeQLBindError
            The slide and the size have no common length, or a bucket cannot have it; without a place.
        """
        base = Buckets.of(slide, unit, zone, offset, origin)
        whole = Buckets.of(size, unit, zone, offset, origin)
        common = size.common(slide)
        if common is None:
            raise KadeQLBindError(
                f"Windows of {size} that begin every {slide} have no common panes.",
                hint="Give both in months and years, or both in days and less.",
            )
        if size.over(slide) is not None:
            return cls(base, 1, whole.step // base.step, grows=False)
        pane = Buckets.of(common, unit, zone, offset, origin)
        panes = replace(base, length=common, step=pane.step)
        return cls(panes, base.step // pane.step, whole.step // pane.step, grows=False)

    @classmethod
    def cumulate(
        cls,
        step: Length,
        size: Length,
        unit: int,
        zone: str | None = None,
        offset: Length = _NO_OFFSET,
        origin: int | None = None,
    ) -> Overlaps:
        """CUMULATE(step, size); the arguments as for `Buckets.of`.

        Raises
        ------
        KadeQLBindError
            The size is not a multiple of the step, or a bucket cannot have it; without a place.
        """
        whole = Buckets.of(size, unit, zone, offset, origin)
        pane = Buckets.of(step, unit, zone, offset, origin)
        count = size.over(step)
        if count is None:
            raise KadeQLBindError(
                f"CUMULATE: the size {size} is not a multiple of the step {step}.",
                hint="Choose a step that divides the size, such as '1h' for '1d'.",
            )
        return cls(replace(whole, length=step, step=pane.step), count, count, grows=True)

    def windows(
        self,
        panes: Partial,
        aggregation: Aggregation,
        rows: int = 1 << 17,
        control: Control | None = None,
    ) -> Iterator[tuple[Partial, Ints]]:
        """The windows of a merged partial over the panes, in order of (code, start, end): their states and ends.

        Some at a time, made on two threads: about `rows` windows each, so that they may be far more than the panes.

        Raises
        ------
        SchemaError
            A window lies outside of what int64 holds.
        """
        if not len(panes.codes):
            return
        view = self._numbered(panes.starts)
        numbers = view.index(panes.starts)
        begins = _first_of_code(panes.codes)
        fresh, count = self._fresh(numbers, begins)
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])

        # A window holds no more panes than its code has.
        most = min(self.wide, int((np.arange(len(begins)) - begins).max()) + 1)

        def made(part: tuple[int, int]) -> tuple[Partial, Ints]:
            return self._made(panes, aggregation, view, numbers, begins, fresh, most, *_spread(total, *part))

        for found in mapped(made, _parts(total, rows), Control() if control is None else control):
            if len(found[0].codes):
                yield found

    def rows(self, times: Ints) -> tuple[Ints, Ints, Ints]:
        """Row mode: each row once for every window that holds it: which row, and the window's start and end; ascending by row.

        Raises
        ------
        SchemaError
            A window lies outside of what int64 holds.
        """
        found = list(self.pieces(times))
        if not found:
            none = np.zeros(0, np.int64)
            return none, none, none
        take, starts, ends = (np.concatenate([piece[at] for piece in found]) for at in range(3))
        return take, starts, ends

    def pieces(self, times: Ints, rows: int = 1 << 17) -> Iterator[tuple[Ints, Ints, Ints]]:
        """What `rows` gives, at most so many rows at a time, as one row alone may lie in millions of windows.

        Raises
        ------
        SchemaError
            A window lies outside of what int64 holds.
        """
        if not len(times):
            return
        view = self._numbered(times)
        pane = view.index(times)
        window = pane // self.every
        low = window * self.every if self.grows else -(-(pane - self.wide + 1) // self.every)
        count = self.every - (pane - low) if self.grows else window - low + 1
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
        for begin, end in _parts(total, rows):
            take, index = _spread(total, begin, end)
            if self.grows:
                after = pane[take] + 1 + index
                first, stop = view.edge(low[take]), view.edge(after)
                keep = stop > view.edge(after - 1)
            else:
                at = (low[take] + index) * self.every
                first, stop = view.edge(at), view.edge(at + self.wide)
                keep = first < view.edge(at + 1)
            yield (take, first, stop) if bool(keep.all()) else (take[keep], first[keep], stop[keep])

    def _numbered(self, times: Ints) -> Even | Edges:
        """How panes are numbered around these times, with room for the windows that hold them."""
        panes = self.wide + self.every + 1
        room = (
            panes * (self.panes.longest if self.panes.rule == "months" else self.panes.step)
            + self.panes.longest
        )
        return self.panes.over(int(times.min()) - room, int(times.max()) + room)

    def _fresh(self, numbers: Ints, begins: Ints) -> tuple[Ints, Ints]:
        """The windows that no earlier pane of the code is in: the number of the first one for each pane, and how many."""
        every, wide = self.every, self.wide
        if self.grows:
            window = numbers // every
            new = np.ones(len(numbers), bool)
            new[1:] = (window[1:] != window[:-1]) | (begins[1:] != begins[:-1])
            return numbers - window * every, np.where(new, every - (numbers - window * every), 0)
        low, high = numbers - (wide - 1), numbers
        if every > 1:
            low, high = -(-low // every), high // every
        same = begins[1:] == begins[:-1]
        first = np.where(same, np.maximum(low[1:], high[:-1] + 1), low[1:])
        low = np.concatenate([low[:1], first])
        return low, np.maximum(high - low + 1, 0)

    def _made(
        self,
        panes: Partial,
        aggregation: Aggregation,
        view: Even | Edges,
        numbers: Ints,
        begins: Ints,
        fresh: Ints,
        most: int,
        pane: Ints,
        index: Ints,
    ) -> tuple[Partial, Ints]:
        base = int(pane[0])
        index = index + fresh[pane]
        if self.grows:
            begin = numbers[pane] // self.every * self.every
            end = begin + index + 1
        else:
            begin = index * self.every
            end = begin + self.wide
        first, stop = view.edge(begin), view.edge(end)
        if isinstance(view, Edges):
            # A skipped day begins no window, and ends none a second time.
            there = first < view.edge(begin + 1) if not self.grows else stop > view.edge(end - 1)
            if not bool(there.all()):
                pane, end, first, stop = pane[there], end[there], first[there], stop[there]
        length = _reach(numbers, begins, pane, end, most)
        last = int((pane + length).max()) if len(pane) else base
        states = _ranges(aggregation, panes, slice(base, last), pane - base, length)
        firsts = None if panes.firsts is None else panes.firsts[pane]
        return Partial(panes.codes[pane], first, states, firsts), stop


def _first_of_code(codes: Codes) -> Ints:
    """For each pane where its code begins."""
    differs = np.concatenate([np.ones(1, bool), codes[1:] != codes[:-1]])
    begins = np.flatnonzero(differs)
    return np.repeat(begins, np.diff(np.append(begins, len(codes))))


def _parts(total: Ints, rows: int) -> Iterator[tuple[int, int]]:
    """So many windows each, from one number to another; `total` are the windows before each pane, and all of them."""
    count = int(total[-1])
    for low in range(0, count, rows):
        yield low, min(low + rows, count)


def _spread(total: Ints, low: int, high: int) -> tuple[Ints, Ints]:
    """Of the windows of a part: the pane of each, and which of its windows it is."""
    first, last = int(np.searchsorted(total, low, "right")) - 1, int(np.searchsorted(total, high, "left"))
    sizes = np.diff(np.clip(total[first : last + 1], low, high))
    pane = np.repeat(np.arange(first, last), sizes)
    return pane, np.arange(low, high) - total[pane]


def _reach(numbers: Ints, begins: Ints, pane: Ints, end: Ints, most: int) -> Ints:
    """How many panes from each on are before an end, in the same code: by halving steps, as panes may be missing."""
    # Where no pane is missing the last one is as far away as the numbers say.
    length = end - numbers[pane]
    last = np.minimum(pane + length, len(numbers)) - 1
    gone = (numbers[last] != end - 1) | (begins[last] != begins[pane]) | (pane + length > len(numbers))
    rest = np.flatnonzero(gone)
    if not len(rest):
        return length
    pane, end, code = pane[rest], end[rest], begins[pane[rest]]
    found = np.ones(len(rest), np.int64)
    step = 1 << max(most - 1, 0).bit_length()
    while step:
        reached = pane + found + step - 1
        inside = np.minimum(reached, len(numbers) - 1)
        fits = (reached < len(numbers)) & (begins[inside] == code) & (numbers[inside] < end)
        found[fits] += step
        step >>= 1
    length[rest] = found
    return length


def _ranges(
    aggregation: Aggregation, panes: Partial, part: slice, begin: Ints, length: Ints
) -> tuple[Any, ...]:
    """The states of ranges of panes, each put together from runs of 1, 2, 4, … panes: disjoint, and in order."""
    made: list[Any] = []
    with np.errstate(all="ignore"):
        for kind, whole in zip(aggregation.kinds, panes.states, strict=True):
            blocks = whole.take(part)
            size, count = 1, part.stop - part.start
            states, place, rest = blocks.take(begin), begin + 1, length - 1
            while bool(rest.any()):
                at = np.flatnonzero(rest & size)
                if len(at):
                    states = states.put(at, kind.join(states.take(at), blocks.take(place[at]), checked=False))
                    place[at] += size
                    rest[at] -= size
                if bool(rest.any()):
                    count -= size
                    blocks = kind.join(
                        blocks.take(slice(0, count)), blocks.take(slice(size, size + count)), checked=False
                    )
                    size *= 2
            made.append(states)
    return tuple(made)
