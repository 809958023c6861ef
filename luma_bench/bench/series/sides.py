"""Both sides of a join by time: series with the same numbers, and times that compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.series.asof_sides import Read, Side
from luma_bench.bench.series.comparing import Form, form_of, has_order, labels, marked, unified, zones_differ
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.narrowing import Reach, narrowing
from luma_bench.bench.series.rows import is_time
from luma_bench.bench.series.values import operand, whole_numbers
from luma_bench.errors import KadeQLBindError
from luma_bench.language.series.pattern import Name
from luma_bench.models.control import Control
from luma_bench.models.series.ordinals import of_reals, scaled
from luma_bench.models.series.runs import Bools, Codes, Ints
from luma_bench.models.series.whole import runs_of, whole
from luma_bench.types.arrays import flags, numbers
from luma_bench.types.predicate import Predicate

_SMALL = 16
"""How many times the left rows fit into the right ones where they say which of these are needed."""


@dataclass(frozen=True, slots=True)
class BothRead:
    """Both sides, read, with times in one unit.

    Attributes
    ----------
    missing
        By number of a series, whether one of its keys is NULL; None where none is.
    """

    left: Read
    right: Read
    missing: Bools | None


@dataclass(slots=True)
class Sides:
    """Both sides of a join by time.

    Attributes
    ----------
    every
        Left rows that have no time are needed, too.
    form
        How the two columns that are compared go together.
    unit
        Nanoseconds of the unit of the times that `read` gives.
    """

    left: Side
    right: Side
    whole: str
    every: bool
    form: Form = field(init=False)
    unit: int = field(init=False, default=1)
    _types: list[pa.DataType] = field(init=False)

    def __post_init__(self) -> None:
        self.form = self._form()
        if self.form == "time":
            self.unit = min(self.left.rows.unit(self.left.time), self.right.rows.unit(self.right.time))
        pairs = zip(self.left.keys, self.right.keys, self.right.written.keys, strict=True)
        self._types = [self._common(mine, other, written) for mine, other, written in pairs]

    def read(self, control: Control, reach: Reach | None = None) -> BothRead:
        """Both sides as runs.

        Parameters
        ----------
        reach
            How far the right rows that matter may lie from left ones; None where nothing is known of it.

        Raises
        ------
        KadeQLBindError
            A value does not fit the type in which both sides compare.
        ResourceError
            What is held of them does not fit into the memory that the join may take.
        """
        try:
            return self._both(control, reach)
        except pa.ArrowInvalid as error:
            raise KadeQLBindError(
                f"A value of {self.left.alias} or {self.right.alias} does not fit the type in which both compare: {error}.",
                text=self.whole,
                span=self.right.span,
                hint="Cast the columns that have to be equal to one type in a subquery.",
            ) from error

    def _both(self, control: Control, reach: Reach | None) -> BothRead:
        series = SeriesKeys(self._types)
        if self.form not in ("time", "whole"):
            right, left = self.right.by_rows(series, control), self.left.by_rows(series, control)
            for read, ordinals in zip((left, right), self._ordinals(left, right), strict=True):
                _settle(read, ordinals, control)
        elif self._left_is_small():
            # What it has says which right rows are needed. The right ones are more, so series are numbered as they come there.
            own = SeriesKeys(self._types)
            left = self._read(self.left, own, control, every=self.every)
            needed = () if reach is None else narrowing(self.right, left.runs, own, reach, self.unit)
            right = self._read(self.right, series, control, every=False, predicates=needed)
            codes = series.codes(own.arrays(), rows=len(own))
            runs = left.runs
            left.runs = whole([(replace(runs, codes=codes[runs.codes]), 0)], control)
        else:
            right = self._read(self.right, series, control, every=False)
            left = self._read(self.left, series, control, every=self.every)
        missing: Bools | None = None
        for array in series.arrays():
            if array.null_count:
                own_missing = flags(array.is_null())
                missing = own_missing if missing is None else missing | own_missing
        return BothRead(left, right, missing)

    def _left_is_small(self) -> bool:
        rows = self.left.rows
        return rows.given.where is not None or rows.estimate() * _SMALL <= self.right.rows.estimate()

    def _read(
        self,
        side: Side,
        series: SeriesKeys,
        control: Control,
        *,
        every: bool,
        predicates: tuple[Predicate, ...] = (),
    ) -> Read:
        read = side.by_runs(series, control, every=every, predicates=predicates)
        if read is None:
            read = side.by_rows(series, control)
            _settle(read, _joined([operand(array)[0] for array in read.values]), control)
        factor = side.rows.unit(side.time) // self.unit
        if factor != 1:
            read.runs = replace(read.runs, time=scaled(read.runs.time, factor))
        return read

    def _ordinals(self, left: Read, right: Read) -> tuple[Ints, Ints]:
        """Whole numbers that compare as the values of both sides do."""
        if self.form == "real":
            return tuple(  # pyright: ignore[reportReturnType]
                _joined([of_reals(numbers(array.cast(pa.float64(), safe=False))) for array in read.values])
                for read in (left, right)
            )
        enum = labels(self.left.field, self.right.field)
        if enum is not None:
            return tuple(  # pyright: ignore[reportReturnType]
                _joined([whole_numbers(pc.index_in(array, value_set=enum), 0) for array in read.values])
                for read in (left, right)
            )
        kind = unified(self.left.kind, self.right.kind)
        arrays = [array.cast(kind) for array in (*left.values, *right.values)]
        ranks = pc.rank(pa.chunked_array(arrays, kind), "ascending", tiebreaker="dense")
        both = numbers(ranks).astype(np.int64)
        return both[: left.size], both[left.size :]

    def _form(self) -> Form:
        """How the two columns compare."""
        mine, other = self.left.kind, self.right.kind
        if zones_differ(mine, other):
            raise self._unlike(
                "one has a time zone, and the other has none",
                "Give both one, or none, in a subquery: ts AT TIME ZONE 'UTC'.",
            )
        found = form_of(mine, other)
        if found is None:
            raise self._unlike("they do not compare", "Cast one of them in a subquery.")
        for side in (self.left, self.right):
            if found == "rank" and not has_order(side.field):
                raise KadeQLBindError(
                    f"{side.alias}.{side.time} is {marked(side.field)}, which a join by time cannot put in order.",
                    text=self.whole,
                    span=side.span,
                    hint="Cast it to a number or a time in a subquery.",
                )
        return found

    def _unlike(self, why: str, hint: str) -> KadeQLBindError:
        left, right = self.left, self.right
        return KadeQLBindError(
            f"{left.alias}.{left.time} is {left.kind} and {right.alias}.{right.time} is {right.kind}: {why}.",
            text=self.whole,
            span=right.span,
            hint=hint,
        )

    def _common(self, mine: str, other: str, written: Name) -> pa.DataType:
        """The type that the values of a pair of keys are compared in."""
        fields = self.left.rows.schema.field(mine), self.right.rows.schema.field(other)
        # The texts in which variants are held differ where these are equal, as 5 and 5.0 are.
        found, why = None, None
        if "VARIANT" not in map(marked, fields):
            try:
                found = unified(fields[0].type, fields[1].type)
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
                why = error
        if found is None:
            one, two = (marked(item) or item.type for item in fields)
            raise KadeQLBindError(
                f"The key {self.left.alias}.{mine} is {one} and {self.right.alias}.{other} is {two}: they do not compare.",
                text=self.whole,
                span=written.span,
                hint="Cast one of them in a subquery.",
            ) from why
        return found


def single(side: Side, control: Control) -> Read:
    """One side alone, its rows with a time as runs.

    Raises
    ------
    ResourceError
        What is held of it does not fit into the memory that it may take.
    """
    series, kind = side.rows.series(side.keys), side.kind
    if is_time(kind) or (pa.types.is_integer(kind) and kind != pa.uint64()):
        read = side.by_runs(series, control, every=False)
        assert read is not None, "rows without a time are not asked for"
        return read
    read = side.by_rows(series, control)
    ranks = pc.rank(pa.chunked_array(read.values, kind), "ascending", tiebreaker="dense")
    _settle(read, numbers(ranks).astype(np.int64), control)
    return read


def _settle(read: Read, ordinals: Ints, control: Control) -> None:
    """Make runs of rows that were read one after the other."""
    missing = [array.null_count > 0 for array in read.values]
    valid: Bools | None = None
    if any(missing):
        valid = np.concatenate([flags(array.is_valid()) for array in read.values])
    codes: Codes = np.concatenate(read.codes) if read.codes else np.empty(0, np.int32)
    read.runs = whole([(runs_of(codes, ordinals, valid), 0)], control)
    read.values, read.codes = [], []


def _joined(arrays: Sequence[Ints]) -> Ints:
    return np.concatenate([np.empty(0, np.int64), *arrays]).astype(np.int64, copy=False)
