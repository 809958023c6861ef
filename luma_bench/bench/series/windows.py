"""TUMBLE, HOP, CUMULATE and SESSION as relations: the rows of an input with the windows that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.bucketing import Bucketing, bucketing
from luma_bench.bench.series.constants import length
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part, untimed
from luma_bench.bench.series.predicates import tests_of, translates
from luma_bench.bench.series.queried import decoded
from luma_bench.bench.series.relation import SeriesRelation
from luma_bench.bench.series.rows import InputRows
from luma_bench.bench.series.window_bounds import reaching
from luma_bench.bench.series.window_rows import Missing, Windowed, bucketed, hopped, sessions
from luma_bench.errors import KadeQLBindError
from luma_bench.language.series.pattern import END, START, TIME, Windows
from luma_bench.models.control import Control
from luma_bench.storage.filter import mask_of
from luma_bench.storage.predicates import Test, columns_in
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID

_WINDOW = frozenset({START, END, TIME})
_DAY = 86_400_000_000_000
_PER_DAY = 86_400_000_000


class WindowScan(SeriesRelation):
    """The relation of one window construct.

    Its columns are those of the input, then `window_start`, `window_end` and `window_time`, of the type of the time
    column; of a date that is cut into less than days they are timestamps. Rows come in stored order, those of sessions by
    series; a row without a time is in no window.

    Parameters
    ----------
    island
        The construct.
    whole
        The user's whole text.

    Raises
    ------
    KadeQLBindError
        A column or length is wrong, or the input has a column of a window's name.
    """

    def __init__(self, island: Windows, whole: str, asked: Asked) -> None:
        self.island = island
        self.input = InputRows(island.input, whole, asked)
        self.time = self.input.time_name(island.time)
        self.partition = tuple(self.input.column(name) for name in island.keys)
        fields = list(self.input.streamed)
        for field in fields:
            if field.name.casefold() in _WINDOW:
                raise KadeQLBindError(
                    f"The rows have a column {field.name!r} already, and each window brings one.",
                    text=whole,
                    span=island.span,
                    hint="Rename it in a subquery, as TUMBLE(TABLE (SELECT … AS other_name FROM t), …) does.",
                )
        kind = decoded(self.input.streamed.field(self.time).type)
        self._stamped = (
            island.kind != "session"
            and pa.types.is_date(kind)
            and any(length(size, asked).nanos for size in (*island.sizes, *filter(None, (island.offset,))))
        )
        # Days that are cut into less are counted in microseconds.
        self.kind = pa.timestamp("us") if self._stamped else kind
        self._scale = _PER_DAY // _per_day(kind) if self._stamped else 1
        super().__init__(
            island.alias, [*fields, *(pa.field(name, self.kind, False) for name in (START, END, TIME))], asked
        )
        self._whole = whole
        self._cut: Bucketing | None = None
        self._missing = Missing()
        if island.align != "first observation":
            self._cut = self._bucketing(Control())

    def rows(self) -> int:
        """As many as the input has, once a window that holds them."""
        return self.input.estimate() * self._most()

    def accepts(self, predicate: Predicate) -> bool:
        """Whether it is about the input's columns and the input applies it, or about the windows alone.

        Rows that are left out before sessions are found would change these: then only conditions on whole series are taken.
        """
        names = columns_of(predicate)
        if self.island.kind == "session":
            return names <= frozenset(self.partition) and self.input.accepts(predicate)
        if names <= _WINDOW:
            return translates(predicate, self._schema)
        if names & _WINDOW or ROW_ID in names:
            return False
        # Rows of one window each are filtered as fast by the engine, where none has to be read less for it.
        return self.input.saves(predicate) if self.island.kind == "tumble" else self.input.accepts(predicate)

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """The column of the stored table that the input is; None of window columns and other inputs."""
        if self.input.settings is None or column not in self.input.streamed.names:
            return None
        return (f"{self.island.input.table}.{column}",)

    def lines(self) -> list[str]:
        """Which windows, and how the rows were read."""
        shown = " every ".join(size.text for size in reversed(self.island.sizes))
        said = f"rows with windows: {self.island.kind} {shown} of {self.time}"
        by = f" by {', '.join(self.partition)}" if self.partition else ""
        return [f"{said}{by}", *self.input.lines()]

    def warnings(self) -> tuple[str, ...]:
        """That rows without a time are in no window, and what the input has to say."""
        return (*self.input.warned, *untimed(self._missing.rows, self.time))

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        about = [one for one in predicates if columns_of(one) <= _WINDOW]
        pushed = [one for one in predicates if one not in about]
        if self._cut is None:
            self._cut = self._bucketing(control)
        tests = tests_of(about, self._schema)
        if tests and not self._stamped:
            longest = None if self._cut.buckets is not None else length(self.island.sizes[-1], self.asked)
            unit = self.input.unit(self.time)
            pushed += reaching(tests, self.time, self.kind, unit, self._cut.buckets, longest)
        self._missing = Missing()
        # The time is read last, for the windows, whether or not it is asked for.
        columns = [name for name in names if name != ROW_ID and name not in _WINDOW]
        windowed = self._windowed(columns, pushed, control)
        return self._made(names, columns, windowed, tests), False

    def _windowed(
        self, columns: list[str], pushed: Sequence[Predicate], control: Control
    ) -> Iterator[Windowed]:
        cut = self._cut
        assert cut is not None
        if cut.gap is not None:

            def parts(wanted: Sequence[str], series: SeriesKeys) -> Iterator[Part]:
                return self.input.parts(
                    wanted, self.partition, self.time, control, predicates=pushed, series=series
                )

            again = self.input.repeatable and not self._volatile()
            series = self.input.series(self.partition)
            return sessions(parts, columns, series, cut.gap, self._missing, control, again=again)
        batches = self._timed(columns, pushed, control)
        if cut.buckets is not None:
            return bucketed(batches, cut.buckets, self._scale, self._missing)
        assert cut.hops is not None
        return hopped(batches, cut.hops, self._scale, self._missing, control)

    def _timed(
        self, columns: list[str], pushed: Sequence[Predicate], control: Control
    ) -> Iterator[pa.RecordBatch]:
        """Batches of the columns, and the time behind them."""
        wanted = [*columns] if self.time in columns else [*columns, self.time]
        place = wanted.index(self.time)
        order = [*range(len(columns)), place]
        for batch in self.input.stream(wanted, control, predicates=pushed):
            arrays = [batch.column(at) for at in order]
            yield pa.RecordBatch.from_arrays(arrays, names=[str(at) for at in range(len(arrays))])

    def _made(
        self, names: list[str], columns: list[str], windowed: Iterator[Windowed], tests: Sequence[Test]
    ) -> Iterator[pa.RecordBatch]:
        """Batches of what is asked for, of the windows that fulfil the tests."""
        tested = {name for test in tests for name in columns_in(test)}
        first = 0
        for part in windowed:
            arrays = dict(zip(columns, part.arrays, strict=True))
            rows = len(part.starts)
            counts = {START: part.starts, END: part.ends}
            for name in (START, END, TIME):
                if name in names or name in tested:
                    held = part.ends - 1 if name == TIME else counts[name]
                    arrays[name] = as_time(held, self.kind)
            if tests:
                mask = mask_of(tests[0], arrays)
                for test in tests[1:]:
                    mask = pc.and_kleene(mask, mask_of(test, arrays))
                rows = mask.true_count
                if not rows:
                    continue
                if rows < len(mask):
                    arrays = {name: array.filter(mask) for name, array in arrays.items()}
            yield self.batch(names, arrays, first, rows)
            first += rows

    def _bucketing(self, control: Control) -> Bucketing:
        return bucketing(
            self.island,
            self.input,
            self.time,
            self._whole,
            self.asked,
            control,
            unit=1_000 if self._stamped else None,
        )

    def _most(self) -> int:
        """How many windows hold a row, about."""
        if self.island.kind not in ("hop", "cumulate"):
            return 1
        slide, size = (length(one, self.asked) for one in self.island.sizes)
        return max(1, -(-_nanos(size) // max(1, _nanos(slide))))

    def _volatile(self) -> bool:
        given = self.island.input
        return given.query.volatile or (given.where is not None and given.where.volatile)


def as_time(values: np.ndarray[Any, np.dtype[np.int64]], kind: pa.DataType) -> pa.Array:
    """Counts of a time's units as the time."""
    width = np.int32 if kind.bit_width == 32 else np.int64
    held = np.ascontiguousarray(values, width)
    return pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held)])


def _nanos(found: Any) -> int:
    """The nanoseconds of a length, a month as thirty days."""
    return (found.months * 30 + found.days) * _DAY + found.nanos


def _per_day(kind: pa.DataType) -> int:
    return 1 if pa.types.is_date32(kind) else 86_400_000
