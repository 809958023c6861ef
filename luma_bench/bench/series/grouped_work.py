"""One stream of a grouped construct: its groups by the chosen plan, in order and filled as it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.series.bucketing import Bucketing, bucketing
from luma_bench.bench.series.constants import moment
from luma_bench.bench.series.filling import Rows, plain
from luma_bench.bench.series.grouped_bounds import Range, narrowed, time_predicates
from luma_bench.bench.series.grouped_groups import Groups, spanned
from luma_bench.bench.series.grouped_runs import Ran, Running, SortedRuns
from luma_bench.bench.series.grouped_sql import Between, BySql
from luma_bench.bench.series.grouped_types import fill_constant
from luma_bench.bench.series.rows import unit_of
from luma_bench.errors import ResourceError
from luma_bench.models.control import Control
from luma_bench.models.series.fill import Filler, filler
from luma_bench.models.series.grid import Grid
from luma_bench.models.series.partials import Interleaved
from luma_bench.types.predicate import And, Not, Or, Predicate, columns_of

if TYPE_CHECKING:
    from luma_bench.bench.series.asked import Asked
    from luma_bench.bench.series.choose import Chosen
    from luma_bench.bench.series.grouped_types import Shape
    from luma_bench.bench.series.rows import InputRows
    from luma_bench.bench.series.windows import WindowScan
    from luma_bench.language.series.pattern import Fill, Grouped
    from luma_bench.types.scan import ScanSource

_GRID_BYTES = 40
_SHORT = 10_000


@dataclass(frozen=True, slots=True)
class Given:
    """A grouped construct, bound.

    Attributes
    ----------
    time
        The time column of the input.
    windows
        The rows with their windows, which SQL reads.
    """

    island: Grouped
    whole: str
    asked: Asked
    input: InputRows
    time: str
    windows: WindowScan
    shape: Shape

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The fills of the aggregates; none where empty buckets are left out."""
        fills = self.island.fills
        return () if all(fill.kind == "none" for fill in fills) else fills


@dataclass(slots=True)
class Met:
    """What the streams of a construct met, for EXPLAIN and the run record."""

    ran: Ran | None = None
    sql: BySql | None = None
    filled: int = 0
    notes: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> None:
        """Keep what the run record should say."""
        if text not in self.notes:
            self.notes.append(text)


class Work:
    """One stream of a grouped construct: `names` of its columns, of the groups that fulfil `predicates`."""

    def __init__(
        self,
        given: Given,
        chosen: Chosen,
        names: Sequence[str],
        predicates: Sequence[Predicate],
        control: Control,
        met: Met,
    ) -> None:
        self.given = given
        self.chosen = chosen
        self.names = list(names)
        self.predicates = list(predicates)
        self.control = control
        self.met = met
        self.island = given.island
        self.input = given.input
        self.fills = given.fills
        self.time = self.input.schema.field(given.time).type
        self.kind = given.windows.kind
        self.scale = self.input.unit(given.time) // unit_of(self.kind)
        self.rows = Rows(given.shape.schema, chosen.places, self.kind)
        low, high = (
            None if item is None else moment(item, self.time, given.asked) for item in self.island.bounds
        )
        self.cut = low, high
        self._pushed: list[Predicate] = []

    def by_runs(self) -> tuple[Iterator[pa.RecordBatch], bool]:
        """The rows by sorted runs, and whether they are few; by SQL where the runs do not fit or need another order."""
        ran = Ran()
        plan, buckets, window = self._planned()
        running = plan.begun(self.control, ran)
        few = running.few and (not self.fills or self._is_short(buckets, window))
        return self._run(running, ran, buckets, window), few

    def _is_short(self, buckets: Bucketing, window: Range) -> bool:
        """Whether the range that is filled is known, and short."""
        if window.first is None or window.last is None or buckets.buckets is None:
            return False
        return spanned(buckets.buckets, window.first, max(window.first, window.last)) <= _SHORT

    def _run(self, running: Running, ran: Ran, buckets: Bucketing, window: Range) -> Iterator[pa.RecordBatch]:
        answers = running.groups()
        try:
            first = next(answers)
        except StopIteration:
            self.met.ran = ran
            return
        except (ResourceError, Interleaved) as error:
            why = error.message if isinstance(error, ResourceError) else "runs of one series overlap"
            self.met.note(f"sorted runs were given up: {why}")
            yield from self.by_sql()
            return
        self.met.ran = ran
        rest = [item for item in self.predicates if item not in self._pushed]
        if self.fills:
            yield from self._fill(first, rest, buckets, window)
            return
        yield from self._given(first, rest, buckets)
        for answer in answers:
            yield from self._given(answer, rest, buckets)

    def _given(
        self, answer: Groups, rest: Sequence[Predicate], buckets: Bucketing
    ) -> Iterator[pa.RecordBatch]:
        kept = self.rows.kept(answer, rest)
        ordered = self.island.sampled
        return self.rows.batches(
            self.names, kept, ordered=ordered, buckets=buckets.buckets, control=self.control
        )

    def _planned(self) -> tuple[SortedRuns, Bucketing, Range]:
        """The plan, the windows, and the range that is filled."""
        given = self.given
        low, high = self.cut
        window = Range.of(self.input, given.time, self.cut, self.scale) if self.fills else Range()
        scanned = time_predicates(self.input.schema.field(given.time), low, high, self.input.accepts)
        buckets = bucketing(
            self.island.windows,
            self.input,
            given.time,
            given.whole,
            given.asked,
            self.control,
            predicates=scanned,
        )
        own: list[Predicate] = []
        if not self.fills or window.fixed:
            for predicate in self.predicates:
                renamed = self._on_input(predicate)
                if renamed is not None and self.input.accepts(renamed):
                    self._pushed.append(predicate)
                    own.append(renamed)
        if not self.fills and buckets.buckets is not None:
            for predicate in self.predicates:
                (name,) = columns_of(predicate)
                if self.rows.places.get(name) == "window_start":
                    low, high = narrowed(predicate, plain(self.rows.schema.field(name).type), self.time, buckets.buckets, (low, high))  # fmt: skip
        if (low, high) != self.cut:
            scanned = time_predicates(self.input.schema.field(given.time), low, high, self.input.accepts)
        wanted = tuple(kernel for kernel in self.chosen.kernels if kernel.column in self.names)
        plan = SortedRuns(
            self.input,
            given.time,
            tuple(name for name in self.chosen.keys if name is not None),
            self.chosen.series,
            wanted,
            buckets,
            (*own, *scanned),
            (low, high),
        )
        return plan, buckets, window

    def _on_input(self, predicate: Predicate) -> Predicate | None:
        """A predicate about a key as one about the input's column; None of a part of the window or an expression."""
        (name,) = columns_of(predicate)
        place = self.rows.places.get(name)
        if not isinstance(place, int):
            return None
        own = self.chosen.keys[place]
        return None if own is None else _renamed(predicate, own)

    def by_sql(self) -> Iterator[pa.RecordBatch]:
        """The rows by SQL."""
        given = self.given
        windows: ScanSource = given.windows
        if self.cut != (None, None):
            windows = Between(windows, given.time, self.time, self.cut)
        places = self.chosen.places
        series = tuple(name for name, place in places.items() if isinstance(place, int))
        starts = next((name for name, place in places.items() if place == "window_start"), None)
        plan = BySql(self.island, given.shape, given.asked, windows, series, starts)
        self.met.sql = plan
        if not self.fills:
            yield from self._streamed(plan)
            return
        window = Range.of(self.input, given.time, self.cut, self.scale)
        groups = plan.groups(self.kind, self.control)
        origin = int(groups.starts.min()) if groups.rows else None
        if self.island.windows.align == "first observation" and origin is None:
            return
        buckets = bucketing(
            self.island.windows,
            self.input,
            given.time,
            given.whole,
            given.asked,
            self.control,
            origin=origin if self.island.windows.align == "first observation" else None,
            unit=unit_of(self.kind) if self.scale > 1 else None,
        )
        yield from self._fill(groups, self.predicates, buckets, window)

    def _streamed(self, plan: BySql) -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in plan.stream(self.control, ordered=self.island.sampled):
            kept = self.rows.matching(batch, self.predicates)
            if kept.num_rows:
                yield self.rows.projected(kept, self.names, first)
                first += kept.num_rows

    def _fill(
        self, groups: Groups, rest: Sequence[Predicate], buckets: Bucketing, window: Range
    ) -> Iterator[pa.RecordBatch]:
        """A row of every bucket of the range and every series."""
        assert buckets.buckets is not None
        groups = groups.present(alone=not self.rows.keys)
        edges = window.over(groups.starts, buckets.buckets)
        if edges is None:
            return
        self.control.fits(spanned(buckets.buckets, *edges) * _GRID_BYTES, "The grid of buckets")
        starts = buckets.buckets.grid(*edges)
        groups = self.rows.kept(groups, rest).by_key(self.rows.keys).by_series()
        if not groups.count:
            return
        grid = Grid(starts, groups.count, groups.rank, groups.starts)
        self.met.filled += grid.cells
        fillers: dict[str, Filler] = {}
        shape = self.given.shape
        for fill, given, made in zip(self.fills, shape.aggregates, shape.filled, strict=True):
            if given.name not in self.names:
                continue
            values = groups.columns[given.name]
            constant = None
            if fill.kind == "value":
                constant = fill_constant(fill, given, self.given.whole, self.given.asked)
            if fill.kind == "none":
                raise AssertionError("a construct without buckets to fill")
            fillers[given.name] = filler(
                fill.kind,
                values if values.type == made.type else values.cast(made.type),
                grid,
                groups.starts,
                groups.rank,
                constant=constant,
                ignore_nulls=fill.ignore_nulls,
            )
        ends = buckets.buckets.ends(starts)
        yield from self.rows.filled(self.names, groups, grid, ends, fillers, self.control)


def _renamed(predicate: Predicate, name: str) -> Predicate:
    """The same predicate about a column of another name."""
    match predicate:
        case And(left, right):
            return And(_renamed(left, name), _renamed(right, name))
        case Or(left, right):
            return Or(_renamed(left, name), _renamed(right, name))
        case Not(operand):
            return Not(_renamed(operand, name))
        case _:
            return replace(predicate, column=name)
