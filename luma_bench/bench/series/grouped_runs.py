"""A grouped construct by sorted runs: partial aggregates of each stretch, merged, finished once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.bucketing import Bucketing
from luma_bench.bench.series.grouped_groups import Groups as Answer
from luma_bench.bench.series.grouped_kernels import Kernel
from luma_bench.bench.series.parts import Part
from luma_bench.bench.series.rows import InputRows
from luma_bench.bench.series.values import operand, takes, values
from luma_bench.models.control import Control
from luma_bench.models.series import sessions
from luma_bench.models.series.aggregates import Spec
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.partials import Aggregation, Gathered, Interleaved, Partial
from luma_bench.models.series.runs import Codes, Ints, Runs, Stretch, Values
from luma_bench.models.series.whole import whole
from luma_bench.types.arrays import flags, integers
from luma_bench.types.predicate import Predicate

_HEAD = 2
"""From so many parts on, two threads are worth their start."""


@dataclass(slots=True)
class Ran:
    """What one run of the plan met, for EXPLAIN and the run record."""

    rows: int = 0
    stretches: int = 0
    series: int = 0
    groups: int = 0
    without_time: int = 0
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class SortedRuns:
    """The plan.

    Attributes
    ----------
    keys
        The input's columns that tell groups apart.
    series
        The columns that rows are read by: the table's series where groups are made of whole ones, else `keys`.
    cut
        The first time, and the one behind the last; None for no bound.
    """

    rows: InputRows
    time: str
    keys: tuple[str, ...]
    series: tuple[str, ...]
    kernels: tuple[Kernel, ...]
    bucketing: Bucketing
    predicates: tuple[Predicate, ...] = ()
    cut: tuple[int | None, int | None] = (None, None)

    def begun(self, control: Control, ran: Ran) -> Running:
        """A run of the plan, whose first rows are looked at."""
        specs = [kernel.spec for kernel in self.kernels] or [Spec("count_star")]
        schema = self.rows.schema
        used = dict.fromkeys(name for spec in specs for name in spec.columns)
        dtypes = {name: number_type(schema.field(name).type) for name in used}
        return Running(self, Aggregation(specs, self.rows.unit(self.time), dtypes), control, ran)


class Running:
    """One run of the plan: reads parts, and keeps what states of its aggregates point at.

    Attributes
    ----------
    few
        Whether there are so few rows that they are read at once.
    """

    def __init__(self, plan: SortedRuns, aggregation: Aggregation, control: Control, ran: Ran) -> None:
        self.plan = plan
        self.control = control
        self._aggregation = aggregation
        self._ran = ran
        self._numbers = plan.rows.series(plan.keys)
        self._kept: dict[str, list[tuple[Ints, pa.Array]]] = {}
        schema = plan.rows.schema
        used = dict.fromkeys(name for kernel in plan.kernels for name in kernel.spec.columns)
        self._columns = tuple(used)
        self._placed = tuple(
            dict.fromkeys(kernel.spec.columns[0] for kernel in plan.kernels if kernel.spec.places)
        )
        self._counted = frozenset(name for name in used if not takes(schema.field(name).type))
        self._rest = self._parts(plan.series)
        self._head = list(itertools.islice(self._rest, _HEAD))
        self.few = len(self._head) < _HEAD

    def groups(self) -> Iterator[Answer]:
        """The groups, all at once or some at a time.

        Raises
        ------
        Interleaved
            Rows of one group lie in several sorted runs, and an aggregate needs them in one.
        ResourceError
            The groups take more memory than there may be.
        """
        try:
            merged = self._merged()
        except Interleaved:
            merged = self._merged_whole()
        ran = self._ran
        ran.groups = len(merged.codes)
        ran.series = _distinct(merged.codes)
        hops = self.plan.bucketing.hops
        if hops is None:
            yield self._answer(merged, self._ends(merged))
            return
        ran.groups = 0
        for windows, ends in hops.windows(merged, self._aggregation, control=self.control):
            self.control.check()
            ran.groups += len(windows.codes)
            yield self._answer(windows, ends)

    def _ends(self, merged: Partial) -> Ints:
        cut = self.plan.bucketing
        if cut.buckets is not None:
            return cut.buckets.ends(merged.starts)
        assert merged.lasts is not None
        assert cut.gap is not None
        return merged.lasts + cut.gap

    def _answer(self, merged: Partial, ends: Ints) -> Answer:
        columns: dict[str, pa.Array] = {}
        kernels, keys = self.plan.kernels, self._numbers
        if kernels:
            finished = self._aggregation.finished(merged, ends)
            for kernel, one in zip(kernels, finished, strict=True):
                columns[kernel.column] = kernel.array(one, self._taken)
        return Answer(keys.arrays(), len(keys), merged.codes, merged.starts, ends, columns)

    def _merged(self) -> Partial:
        """The states of all groups."""
        gap, aggregation = self.plan.bucketing.gap, self._aggregation
        merge = None if gap is None else lambda some: sessions.merged(some, gap, aggregation)
        gathered = Gathered(aggregation, self.control, merge)
        for partial, places in self._partials(itertools.chain(self._head, self._rest)):
            self._keep(places)
            gathered.add(partial)
        return gathered.result()

    def _merged_whole(self) -> Partial:
        """The same, with the rows of all parts sorted together."""
        self._ran.notes.append("runs of one series overlap: sorted together")
        self._ran.rows = self._ran.stretches = self._ran.without_time = 0
        self._kept.clear()
        parts = [part for part, _ in self._parts(self.plan.keys)]
        held = sum(array.nbytes for part in parts for array in part.arrays.values())
        self.control.fits(4 * held + 40 * self._ran.rows, "Sorting the rows of a series together")
        runs = whole(list(_behind(parts)), self.control)
        arrays = {
            name: pa.concat_arrays([_plain(part.arrays[name]) for part in parts])
            for name in (parts[0].arrays if parts else ())
        }
        gap = self.plan.bucketing.gap
        made = self._partial((Part(runs, arrays, 0), runs.codes))
        self._keep(made[1])
        if gap is not None:
            return sessions.merged([made[0]], gap, self._aggregation)
        return self._aggregation.merged([made[0]])

    def _parts(self, series: Sequence[str]) -> Iterator[tuple[Part, Codes]]:
        """The parts of the input, each with the number of the group key of each of its runs."""
        plan = self.plan
        own = plan.rows.series(series) if tuple(series) != plan.keys else self._numbers
        mapping = np.zeros(0, np.int32)
        places = [list(series).index(name) for name in plan.keys] if own is not self._numbers else []
        low, high = plan.cut
        for part in plan.rows.parts(
            self._columns, series, plan.time, self.control, predicates=plan.predicates, series=own
        ):
            self.control.check()
            runs = part.runs
            if low is not None or high is not None:
                runs = cut(runs, low, high)
                part = replace(part, runs=runs)
            self._ran.rows += runs.rows
            self._ran.without_time += runs.without_time
            if not runs.rows:
                continue
            self._ran.stretches += 1
            codes = runs.codes
            if own is not self._numbers:
                if len(own) > len(mapping):
                    fresh = np.arange(len(mapping), len(own), dtype=np.int32)
                    arrays = own.arrays(fresh)
                    more = self._numbers.codes([arrays[at] for at in places], rows=len(fresh))
                    mapping = np.concatenate([mapping, more])
                codes = mapping[codes]
            yield part, codes

    def _partials(
        self, parts: Iterator[tuple[Part, Codes]]
    ) -> Iterator[tuple[Partial, dict[str, tuple[Ints, pa.Array]]]]:
        """The states of parts, on this thread: two would hand the interpreter's lock to and fro, and take longer."""
        for given in parts:
            self.control.check()
            yield self._partial(given)

    def _partial(self, given: tuple[Part, Codes]) -> tuple[Partial, dict[str, tuple[Ints, pa.Array]]]:
        part, codes = given
        runs = part.runs
        gap = self.plan.bucketing.gap
        stretch = Stretch(runs, {name: self._values(name, part) for name in self._columns})
        if gap is not None:
            groups = sessions.cut(runs, gap, codes)
        else:
            hops = self.plan.bucketing.hops
            groups = Groups.of(runs, self.plan.bucketing.buckets if hops is None else hops.panes, codes)
        partial = self._aggregation.partial(stretch, groups, part.first)
        if not self._placed:
            return partial, {}
        places = partial.places()
        index = integers(places - part.first)
        return partial, {name: (places, _plain(part.arrays[name]).take(index)) for name in self._placed}

    def _values(self, name: str, part: Part) -> Values:
        array, runs = part.arrays[name], part.runs
        if name not in self._counted:
            return values(array, runs)
        # Only whether there is a value matters.
        data = np.zeros(runs.rows, np.int8)
        if not array.null_count:
            return Values(data)
        valid = flags(array.is_valid())
        return Values(data, valid if runs.order is None else valid[runs.order])

    def _keep(self, places: dict[str, tuple[Ints, pa.Array]]) -> None:
        for name, kept in places.items():
            self._kept.setdefault(name, []).append(kept)

    def _taken(self, name: str, found: Values) -> pa.Array:
        """The stored values of a column that row numbers point at."""
        kept = self._kept.get(name, [])
        kind = self.plan.rows.schema.field(name).type
        if not kept:
            return pa.nulls(len(found.data), kind)
        places = np.concatenate([item for item, _ in kept])
        held = pa.concat_arrays([item for _, item in kept])
        order = np.argsort(places, kind="stable")
        at = order[np.minimum(np.searchsorted(places[order], found.data), len(order) - 1)]
        if found.valid is None:
            return held.take(integers(at))
        held = pa.concat_arrays([held, pa.nulls(1, held.type)])
        return held.take(integers(np.where(found.valid, at, len(held) - 1)))


def cut(runs: Runs, low: int | None, high: int | None) -> Runs:
    """The rows of runs from a time on, and before another."""
    kept = np.ones(runs.rows, np.bool_)
    if low is not None:
        kept &= runs.time >= low
    if high is not None:
        kept &= runs.time < high
    if kept.all():
        return runs
    order = np.flatnonzero(kept) if runs.order is None else runs.order[kept]
    counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[runs.offsets]
    full = counts[1:] > counts[:-1]
    offsets = np.concatenate([counts[:-1][full], counts[-1:]])
    return Runs(runs.codes[full], offsets, runs.time[kept], order, runs.without_time)


def _behind(parts: Sequence[Part]) -> Iterator[tuple[Runs, int]]:
    """The runs of parts, each with the place of its first row once the arrays of all stand one behind the other."""
    first = 0
    for part in parts:
        yield part.runs, first
        order = part.runs.order
        length = next((len(array) for array in part.arrays.values()), None)
        if length is None:
            length = part.runs.rows if order is None else int(order.max(initial=-1)) + 1
        first += length


def _distinct(codes: Codes) -> int:
    """How many codes there are; equal ones stand together."""
    return int(np.count_nonzero(codes[1:] != codes[:-1])) + (len(codes) > 0)


def number_type(kind: pa.DataType) -> np.dtype[Any]:
    """The dtype of a column as kernels read it: of one that is no number, only whether there is a value matters."""
    return operand(pa.nulls(0, kind))[0].dtype if takes(kind) else np.dtype(np.int8)


def _plain(array: pa.Array) -> pa.Array:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
