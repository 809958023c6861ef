"""ASOF JOIN over sorted runs: two relations that go together row by row, so that DuckDB reads both in lock step.

`"… left" POSITIONAL JOIN "… right"`: the left one gives the left rows in stored order, the right one beside each the row that
matches. Both go by one list of matches, which is made when the first of them is asked for rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
import pyarrow as pa

from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.asof_sides import Side
from luma_bench.bench.series.constants import length, value
from luma_bench.bench.series.gather import exactly, widened
from luma_bench.bench.series.narrowing import Reach
from luma_bench.bench.series.relation import BATCH, SeriesRelation
from luma_bench.bench.series.rows import InputRows
from luma_bench.bench.series.sides import BothRead, Sides
from luma_bench.errors import KadeQLBindError
from luma_bench.language.series.conditions import turned
from luma_bench.language.series.pattern import Asof
from luma_bench.models.control import Control
from luma_bench.models.series.asof import Way, matches
from luma_bench.models.series.runs import Array
from luma_bench.types.arrays import mask
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID

_SMALL = 1 << 31


def asof_relations(island: Asof, whole: str, asked: Asked) -> Mapping[str, IslandRelation]:
    """The two relations of an as-of join, by their names.

    Raises
    ------
    KadeQLBindError
        A column does not exist, two columns do not compare, or DIRECTION or TOLERANCE does not go with them.
    """
    if not island.sure:
        names = [InputRows(side.input, whole, asked).schema.names for side in (island.left, island.right)]
        island = turned(island, *names)
    join = AsofJoin(island, whole, asked)
    left, right = AsofLeft(join, asked), AsofRight(join, asked)
    return {left.name: left, right.name: right}


@dataclass(frozen=True, slots=True)
class Found:
    """What matches what.

    Attributes
    ----------
    places
        By place of a left row, the place of its right row; -1 for none, and -2 where there is no left row.
    least
        What this has to be at least for a left row to be given.
    given
        The places of the right rows of those that are given.
    matched
        How many have a right row.
    """

    read: BothRead
    places: Array
    least: int
    given: Array
    matched: int


class AsofJoin:
    """What both relations share: the sides, and the matches, which are made once."""

    def __init__(self, island: Asof, whole: str, asked: Asked) -> None:
        self.island = island
        self.whole = whole
        self.asked = asked
        self.sides = Sides(
            Side(island.left, whole, asked), Side(island.right, whole, asked), whole, island.outer
        )
        self._lock = threading.Lock()
        self._found: Found | None = None
        nearest, rank = island.direction == "nearest", self.sides.form == "rank"
        if rank and (nearest or island.tolerance is not None):
            what = "DIRECTION NEAREST" if nearest else "TOLERANCE"
            raise KadeQLBindError(
                f"{what} needs distances, and values of the type {self.sides.left.kind} have none.",
                text=whole,
                span=self.sides.right.span,
                hint="Join by a timestamp, a date or a number.",
            )

    @property
    def left(self) -> Side:
        """The left side."""
        return self.sides.left

    @property
    def right(self) -> Side:
        """The right side."""
        return self.sides.right

    @cached_property
    def way(self) -> Way:
        """Which right row matches.

        Raises
        ------
        KadeQLBindError
            TOLERANCE is negative, or no distance between the columns.
        """
        island = self.island
        forward = island.direction == "forward" or island.operator in ("<=", "<")
        direction = "nearest" if island.direction == "nearest" else "forward" if forward else "backward"
        return Way(
            direction, island.operator in (">", "<"), self._tolerance(), real=self.sides.form == "real"
        )

    def _tolerance(self) -> int | float | None:
        constant = self.island.tolerance
        if constant is None:
            return None
        if self.sides.form == "time":
            given = length(constant, self.asked)
            fixed = given.fixed
            if fixed is None or fixed < 0:
                why = "has months, which have no fixed length" if fixed is None else "is negative"
                raise self._bad_tolerance(why, "Give it in days or less, such as '1h'.")
            # Times are whole units, so a part of one cannot matter.
            return fixed // self.sides.unit
        found = value(constant, self.asked).as_py()
        if isinstance(found, bool) or not isinstance(found, int | float | Decimal):
            raise self._bad_tolerance("is no number, and the columns are", "Give a number of at least 0.")
        if not found >= 0:
            raise self._bad_tolerance("is negative", "Give a number of at least 0.")
        return float(found) if self.sides.form == "real" else int(found)

    def _reach(self) -> Reach | None:
        """How far the right rows that matter lie from left ones."""
        if self.sides.form != "time":
            return None
        way, within = self.way, None if self.way.tolerance is None else int(self.way.tolerance)
        before = 0 if way.direction == "forward" else within
        behind = 0 if way.direction == "backward" else within
        return Reach(before, behind)

    def _bad_tolerance(self, why: str, hint: str) -> KadeQLBindError:
        assert self.island.tolerance is not None
        return KadeQLBindError(
            f"TOLERANCE {self.island.tolerance.text} {why}.",
            text=self.whole,
            span=self.island.tolerance.span,
            hint=hint,
        )

    def found(self, control: Control) -> Found:
        """The matches; whoever asks first makes them.

        Raises
        ------
        CancelledError
            The statement is to end.
        ResourceError
            What is to be held does not fit.
        """
        while not self._lock.acquire(timeout=0.02):
            control.check()
        try:
            if self._found is None:
                self._found = self._match(control)
            return self._found
        finally:
            self._lock.release()

    def _match(self, control: Control) -> Found:
        read = self.sides.read(control, self._reach())
        left, right = read.left, read.right
        kind = np.int32 if right.size < _SMALL else np.int64
        own = matches(left.runs, right.runs, self.way, control, read.missing, kind)
        if left.runs.order is None:
            places = own
        else:
            places = np.full(left.size, -1 if left.streamed else -2, kind)
            places[left.runs.order] = own
        matched = int(np.count_nonzero(places >= 0))
        least = -1 if self.island.outer else 0
        all_given = matched == len(places) or (self.island.outer and not np.any(places < least))
        return Found(read, places, least, places if all_given else places[places >= least], matched)

    def lines(self) -> list[str]:
        """How it is answered."""
        way = self.way
        said = "nearest" if way.direction == "nearest" else f"{way.direction}, {self.island.operator}"
        within = "" if self.island.tolerance is None else f", within {self.island.tolerance.text}"
        lines = [f"as-of by sorted runs: {said}{within}; ties take the last row in stored order"]
        if self._found is not None:
            read = self._found.read
            lines.append(
                f"{read.left.runs.rows:,} rows of {len(read.left.runs.codes):,} series, {self._found.matched:,} matched among "
                f"{read.right.runs.rows:,} rows of {len(read.right.runs.codes):,} series"
            )
        for side in (self.left, self.right):
            lines += [f"{side.alias}: {line}" for line in side.rows.lines()]
        return lines


class AsofLeft(SeriesRelation):
    """The left rows, in stored order: all of them, or those with a match."""

    def __init__(self, join: AsofJoin, asked: Asked) -> None:
        super().__init__(f"{join.island.alias} left", widened(join.left.rows.streamed), asked)
        self._join = join

    def rows(self) -> int:
        """As many as the input has."""
        return max(1, self._join.left.rows.estimate())

    def prepare(self) -> None:
        """Read the constants."""
        _ = self._join.way

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        return self._join.lines()

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del predicates, counters
        self._join.left.wanted |= dict.fromkeys(name for name in names if name != ROW_ID)
        return self._made(names, control), False

    def _made(self, names: list[str], control: Control) -> Iterator[pa.RecordBatch]:
        found = self._join.found(control)
        wanted = [name for name in names if name != ROW_ID]
        given = 0
        if not wanted:
            while given < len(found.given):
                rows = min(BATCH, len(found.given) - given)
                yield self.batch(names, {}, given, rows)
                given += rows
            return
        kinds = [self._schema.field(name).type for name in wanted]
        for first, stored in self._join.left.batches(wanted, found.read.left, control):
            control.check()
            # What stands behind the last place is no row.
            places = found.places[first : first + stored.num_rows]
            batch = stored.slice(0, len(places))
            if len(found.given) < len(found.places):
                batch = batch.filter(mask(places >= found.least))
            if batch.num_rows:
                arrays = [exactly(array, kind) for array, kind in zip(batch.columns, kinds, strict=True)]
                yield self.batch(names, dict(zip(wanted, arrays, strict=True)), given, batch.num_rows)
                given += batch.num_rows


class AsofRight(SeriesRelation):
    """Beside each row of the left relation the right row that matches; NULLs where there is none."""

    def __init__(self, join: AsofJoin, asked: Asked) -> None:
        self._join = join
        right = join.right
        hidden = {*right.keys, right.time} if join.island.using else set[str]()
        self._given = {f"@{name}" if name in hidden else name: name for name in right.rows.schema.names}
        fields = [right.rows.schema.field(name).with_name(given).with_nullable(True) for given, name in self._given.items()]  # fmt: skip
        super().__init__(f"{join.island.alias} right", fields, asked)

    def rows(self) -> int:
        """As many as the left side has."""
        return max(1, self._join.left.rows.estimate())

    def prepare(self) -> None:
        """Read the constants."""
        _ = self._join.way

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        return ["beside each row of the left side, its match"]

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del predicates, counters
        self._join.right.wanted |= dict.fromkeys(self._given[name] for name in names if name != ROW_ID)
        return self._made(names, control), False

    def _made(self, names: list[str], control: Control) -> Iterator[pa.RecordBatch]:
        found = self._join.found(control)
        wanted = [name for name in names if name != ROW_ID]
        chunks = self._join.right.chunks([self._given[name] for name in wanted], found.read.right, control)
        for first in range(0, len(found.given), BATCH):
            control.check()
            places = found.given[first : first + BATCH].astype(np.int64)
            arrays: dict[str, pa.Array] = {}
            if wanted:
                sorted_out = chunks.places(places)
                arrays = {name: chunks.take(at, sorted_out) for at, name in enumerate(wanted)}
            yield self.batch(names, arrays, first, len(places))
