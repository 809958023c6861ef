"""The aggregates of a window join: over ranges of the right rows, over pairs of rows, or by SQL over pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.gather import Chunks
from luma_bench.bench.series.grouped_kernels import Kernel
from luma_bench.bench.series.narrowing import Reach
from luma_bench.bench.series.sides import BothRead, Sides
from luma_bench.bench.series.values import operand, takes
from luma_bench.models.control import Control
from luma_bench.models.series.aggregates import Finished, Spec, form
from luma_bench.models.series.groups import Groups
from luma_bench.models.series.pairs import Pairs, in_threads
from luma_bench.models.series.partials import Aggregation
from luma_bench.models.series.range_columns import WIDE, Bounds, RangeColumn
from luma_bench.models.series.runs import Ints, Runs, Stretch, Values
from luma_bench.models.series.window_ranges import PAIRS, Ranges, joined, ranges
from luma_bench.types.arrays import integers

_STRETCH = 1 << 21
"""Right rows that a tree is made over at least, where several blocks share it."""
_SPARSE = 8
"""Where so many right rows are read for a pair, the pairs are laid out."""
_ENDS = frozenset({"first", "last"})
_RANGED = frozenset({"count_star", "count", "sum", "avg", "min", "max"}) | _ENDS
_COUNTS = frozenset({"count", "count_star"})
_RESULT_BYTES = 24

type BySql = Callable[[pa.Table, Ints], list[pa.Array]]


@dataclass
class WindowAnswers:
    """One run of a window join.

    Attributes
    ----------
    kernels
        The aggregates that are asked for; None where `by_sql` answers them.
    columns
        The right columns that they read.
    by_sql
        Gives the aggregates of pairs: a table with the right columns, and how many of its rows are of each left row.
    """

    sides: Sides
    read: BothRead
    reach: Reach
    control: Control
    fields: Sequence[pa.Field]
    kernels: Sequence[Kernel] | None
    columns: Sequence[str]
    by_sql: BySql | None = None
    pairs: int = 0
    _chunks: Chunks = field(init=False)

    def __post_init__(self) -> None:
        self._chunks = self.sides.right.chunks(self.columns, self.read.right, self.control)

    def arrays(self) -> list[pa.Array]:
        """Each aggregate for every left row, in the order of the left runs.

        Raises
        ------
        ResourceError
            They take more memory than the join may have.
        CancelledError
            The work is to end.
        """
        left = self.read.left.runs
        self.control.fits(left.rows * _RESULT_BYTES * (1 + len(self.fields)), "The answers of a window join")
        found = self._found()
        if not found:
            return [self._empty(at, left.rows) for at in range(len(self.fields))]
        if self.kernels is None:
            parts = [part for one in found for part in one.cut(PAIRS)]
            return self._answered(parts, self._by_sql, range(len(self.fields)))
        # What looks at ranges alone is not held up by what looks at each pair.
        ranged = [at for at, kernel in enumerate(self.kernels) if kernel.spec.function in _RANGED]
        others = [at for at in range(len(self.kernels)) if at not in ranged]
        answers: dict[int, pa.Array] = {}
        for chosen, by_ranges in ((ranged, True), (others, False)):
            kernels = [self.kernels[at] for at in chosen]
            if kernels:
                made = self._by_kernels(found, kernels, chosen, by_ranges=by_ranges)
                answers |= dict(zip(chosen, made, strict=True))
        return [answers[at] for at in range(len(self.fields))]

    def _found(self) -> list[Ranges]:
        """The right rows of every left row that has a series on the right, in order; none where no row has."""
        pairs = Pairs(self.read.left.runs, self.read.right.runs, self.control, self.read.missing)
        before, behind = self.reach.before or 0, self.reach.behind or 0
        blocks = list(pairs.blocks())
        found: list[Ranges | None] = [None] * len(blocks)

        def search(at: int) -> None:
            found[at] = ranges(pairs, blocks[at], before, behind)

        in_threads(range(len(blocks)), search, self.control)
        known = [one for one in found if one is not None]
        self.pairs = sum(one.pairs for one in known)
        return known

    def _by_kernels(
        self, found: Sequence[Ranges], kernels: Sequence[Kernel], chosen: Sequence[int], *, by_ranges: bool
    ) -> list[pa.Array]:
        """The answers of some kernels."""
        names = list(dict.fromkeys(name for kernel in kernels for name in kernel.spec.columns))
        schema = self.sides.right.rows.schema
        dtypes = {name: _values(pa.nulls(0, schema.field(name).type)).data.dtype for name in names}
        aggregation = Aggregation([kernel.spec for kernel in kernels], self.sides.unit, dtypes)

        def answer(part: Ranges) -> list[pa.Array]:
            if by_ranges and not _sparse(part):
                return self._over_ranges(part, kernels)
            return self._over_pairs(part, kernels, names, aggregation)

        parts: list[Ranges] = []
        for one in together(found) if by_ranges else found:
            parts += [one] if by_ranges and not _sparse(one) else one.cut(PAIRS)
        return self._answered(parts, answer, chosen)

    def _answered(
        self, parts: Sequence[Ranges], answer: Callable[[Ranges], list[pa.Array]], chosen: Sequence[int]
    ) -> list[pa.Array]:
        """Answers of parts, one behind the other; those of SQL are not made by several threads at once."""
        answers: list[list[pa.Array]] = [[]] * len(parts)

        def work(at: int) -> None:
            part = parts[at]
            rows = np.flatnonzero(part.sizes)
            if len(rows):
                answers[at] = self._spread(answer(part), chosen, rows, len(part.sizes))
            else:
                answers[at] = [self._empty(one, len(part.sizes)) for one in chosen]

        if self.by_sql is None:
            in_threads(range(len(parts)), work, self.control)
        else:
            for at in range(len(parts)):
                self.control.check()
                work(at)
        return [pa.concat_arrays(column) for column in zip(*answers, strict=True)]

    def _stored(self, places: Ints) -> Ints:
        """The stored places of right rows that are counted along their runs."""
        order = self.read.right.runs.order
        return places if order is None else order[places]

    def _by_sql(self, part: Ranges) -> list[pa.Array]:
        """Answers of the rows with pairs, by SQL over the pairs."""
        assert self.by_sql is not None
        wanted = self._chunks.places(self._stored(part.places()))
        arrays = [self._chunks.take(at, wanted) for at in range(len(self.columns))]
        sizes = part.sizes[part.sizes > 0]
        return self.by_sql(pa.table(arrays, names=list(self.columns)), sizes)

    def _over_pairs(
        self, part: Ranges, kernels: Sequence[Kernel], names: Sequence[str], aggregation: Aggregation
    ) -> list[pa.Array]:
        """Answers of the rows with pairs, by looking at the right rows of each."""
        places, sizes = part.places(), part.sizes[part.sizes > 0]
        stored = self._stored(places)
        wanted = self._chunks.places(stored)
        columns = {name: _values(self._chunks.take(self.columns.index(name), wanted)) for name in names}
        cuts = np.concatenate([[0], np.cumsum(sizes)])
        codes = np.arange(len(sizes), dtype=np.int32)
        runs = Runs(codes, cuts, self.read.right.runs.time[places], stored)
        groups = Groups(codes, np.zeros(len(sizes), np.int64), cuts)
        partial = aggregation.partial(Stretch(runs, columns), groups)
        finished = aggregation.finished(partial)
        return [kernel.array(one, self._taken) for kernel, one in zip(kernels, finished, strict=True)]

    def _over_ranges(self, part: Ranges, kernels: Sequence[Kernel]) -> list[pa.Array]:
        """Answers of the rows with pairs, over ranges of the right rows that they lie among."""
        low, high = part.hull()
        order = self.read.right.runs.order
        rows = np.flatnonzero(part.sizes)
        starts = part.starts[rows] - low
        bounds = Bounds(starts, starts + part.sizes[rows])
        stored = None if order is None else self._chunks.places(order[low:high])
        held: dict[str, RangeColumn] = {}
        answers: list[pa.Array] = []
        for kernel in kernels:
            self.control.check()
            spec = kernel.spec
            if spec.function in _ENDS:
                ends = bounds.starts if spec.function == "first" else bounds.ends - 1
                picked = Values(self._stored(ends + low))
                answers.append(self._taken(spec.columns[0], picked))
                continue
            name = spec.columns[0] if spec.columns else ""
            if name and name not in held:
                at = self.columns.index(name)
                array = self._chunks.span(at, low, high) if stored is None else self._chunks.take(at, stored)
                held[name] = RangeColumn(_values(array), bounds)
            answers.append(kernel.array(_finished(spec, held.get(name), bounds), self._taken))
        return answers

    def _taken(self, name: str, found: Values) -> pa.Array:
        """Stored values of a column by their places."""
        places = found.data if found.valid is None else np.where(found.valid, found.data, -1)
        return self._chunks.take(self.columns.index(name), self._chunks.places(places))

    def _spread(
        self, answers: Sequence[pa.Array], chosen: Sequence[int], rows: Ints, count: int
    ) -> list[pa.Array]:
        """Answers of the rows that have pairs, among all rows."""
        cast = [
            array if array.type == self.fields[at].type else array.cast(self.fields[at].type)
            for array, at in zip(answers, chosen, strict=True)
        ]
        if len(rows) == count:
            return cast
        index = np.full(count, len(rows))
        index[rows] = np.arange(len(rows))
        places = integers(index)
        return [
            pa.concat_arrays([array, self.nothing[at]]).take(places)
            for array, at in zip(cast, chosen, strict=True)
        ]

    def _empty(self, at: int, rows: int) -> pa.Array:
        """What an aggregate gives of no rows, so many times."""
        array = self.nothing[at]
        return pa.repeat(array[0], rows).cast(array.type)

    @cached_property
    def nothing(self) -> list[pa.Array]:
        """What each aggregate gives of no rows, as an array of one."""
        if self.by_sql is not None:
            schema = self.sides.right.rows.schema
            none = pa.schema([schema.field(name) for name in self.columns]).empty_table()
            found = self.by_sql(none, np.empty(0, np.int64))
            return [array.cast(item.type) for array, item in zip(found, self.fields, strict=True)]
        assert self.kernels is not None
        return [
            integers(np.zeros(1, np.int64)) if kernel.spec.function in _COUNTS else pa.nulls(1, item.type)
            for kernel, item in zip(self.kernels, self.fields, strict=True)
        ]


def together(found: Sequence[Ranges]) -> Iterator[Ranges]:
    """Ranges that are so wide that they are answered by trees: put together where they share right rows."""
    group: list[Ranges] = []
    low = high = 0
    for one in found:
        if one.pairs <= WIDE * len(one.sizes):
            if group:
                yield joined(group)
            group = []
            yield one
            continue
        own = one.hull()
        both = min(low, own[0]), max(high, own[1])
        if group and both[1] - both[0] > max(_STRETCH, (high - low) * 3 // 2):
            yield joined(group)
            group = []
        low, high = both if group else own
        group.append(one)
    if group:
        yield joined(group)


def _sparse(part: Ranges) -> bool:
    """Whether few of the right rows that the ranges lie among are in one."""
    pairs = part.pairs
    if not pairs:
        return True
    low, high = part.hull()
    return high - low > _SPARSE * pairs


def _values(array: pa.Array) -> Values:
    if takes(array.type):
        return Values(*operand(array))
    # Of what is no number only matters whether there is a value.
    valid = operand(array.is_valid())[0] if array.null_count else None
    return Values(np.zeros(len(array), np.int8), valid)


def _finished(spec: Spec, column: RangeColumn | None, bounds: Bounds) -> Finished:
    """The answer of one aggregate over ranges, in the form that its kernel has."""
    if column is None:
        return Finished("int64", (Values(bounds.ends - bounds.starts),))
    valid = None if bool(column.counts.all()) else column.counts > 0
    match spec.function:
        case "count":
            return Finished("int64", (Values(column.counts),))
        case "sum":
            return Finished(form(spec, [column.dtype]), (Values(column.sum(), valid),))
        case "avg":
            return Finished("float64", (Values(column.mean(), valid),))
        case _:
            return Finished("same", (Values(column.extreme(greatest=spec.function == "max"), valid),))
