"""A series function in FROM as a relation: whole series gathered from the input, run in batches on two threads.

A function needs all rows of a series at once. Where the rows of all series are more than may be held, the input is
read several times, each time for a share of the series.
"""

from __future__ import annotations

import time as clock
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.applied_rows import Gathered, answered, taken
from luma_bench.bench.series.applied_spec import Call
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.relation import BATCH, SeriesRelation
from luma_bench.errors import KadeQLError, KadeQLUnsupportedError, UnsupportedError
from luma_bench.language.series.pattern import Applied
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Runs
from luma_bench.models.series.whole import whole as merged
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID

_ROWS: Final = 262_144
"""Rows of a batch of whole series, about."""
_HELD: Final = 48
"""Bytes a row that sorting and computing hold beside the columns."""
_THREADS: Final = 2
_AHEAD: Final = 3
"""Batches that are computed before they are asked for."""
_FINEST: Final = 4_096


@dataclass(frozen=True, slots=True)
class _Share:
    """The series whose numbers leave `rest` when divided by `by`."""

    by: int
    rest: int

    def halves(self) -> tuple[_Share, _Share]:
        """Two shares of it."""
        return _Share(self.by * 2, self.rest), _Share(self.by * 2, self.rest + self.by)


class AppliedScan(SeriesRelation):
    """The scan source of one series function.

    Its columns are the keys of the series, the time, the value columns where rows are kept, and what the function adds.
    Rows without a time are left out. Rows come series by series, each ascending in time.

    Raises
    ------
    KadeQLBindError
        A column or option is unknown, missing, of another type or out of its range.
    """

    def __init__(self, island: Applied, whole: str, asked: Asked) -> None:
        self.island = island
        self.call = Call.of(island, whole, asked)
        super().__init__(island.alias, list(self.call.fields), asked)
        self._whole = whole
        self._ran = ""
        self._untimed = 0

    def rows(self) -> int:
        """As many as the input has, about."""
        return self.call.input.estimate()

    def accepts(self, predicate: Predicate) -> bool:
        """What is about keys alone leaves out whole series, so the input is asked for the others alone."""
        names = columns_of(predicate)
        return bool(names) and names <= set(self.call.keys) and self.call.input.accepts(predicate)

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """The stored column that a key, a kept row's time or a value is; None of what the function makes."""
        call = self.call
        rows = (call.time, *call.values) if call.spec.keeps_rows else ()
        if call.input.settings is None or column not in {*call.keys, *rows}:
            return None
        return (f"{self.island.input.table}.{column}",)

    def lines(self) -> list[str]:
        """Which function, over what, and how it ran."""
        return [self.call.said, *([self._ran] if self._ran else []), *self.call.input.lines()]

    def warnings(self) -> tuple[str, ...]:
        """That rows without a time are left out."""
        count = self._untimed
        if not count:
            return ()
        rows = "1 row has" if count == 1 else f"{count:,} rows have"
        left = f"{'is' if count == 1 else 'are'} left out of {self.call.spec.name}"
        return (f"{rows} no {self.call.time} and {left}.",)

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del counters
        return self._placed(self._made(names, predicates, control)), False

    def _placed(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches; an error of the function points at its call."""
        span = self.island.span
        try:
            yield from batches
        except KadeQLError as error:
            if error.span is not None:
                raise
            raise error.moved(self._whole, span) from error
        except UnsupportedError as error:
            raise KadeQLUnsupportedError(
                error.message, text=self._whole, span=span, hint=error.hint
            ) from error

    def _made(
        self, names: list[str], predicates: Sequence[Predicate], control: Control
    ) -> Iterator[pa.RecordBatch]:
        started = clock.perf_counter()
        series = self.call.input.series(self.call.keys)
        wanted = [name for name in names if name != ROW_ID]
        shares = deque(self._shares(control))
        found = first = passes = 0
        while shares:
            share = shares.popleft()
            passes += 1
            held = self._gathered(series, share, wanted, predicates, control)
            if held is None:
                shares.extendleft(reversed(share.halves()))
                continue
            found += len(held.runs.codes)
            for rows, arrays in self._answers(held, series, wanted, control):
                for begin in range(0, rows, BATCH):
                    count = min(BATCH, rows - begin)
                    part = {name: array.slice(begin, count) for name, array in arrays.items()}
                    yield self.batch(names, part, first, count)
                    first += count
            del held
        again = f" · input read {passes} times" if passes > 1 else ""
        self._ran = f"{found:,} series{again} · {(clock.perf_counter() - started) * 1e3:.1f} ms"

    def _shares(self, control: Control) -> list[_Share]:
        """As many shares of the series as the rows need by their number, as far as that is known."""
        by = 1
        if control.memory and not self.island.volatile:
            needed = self.call.input.estimate() * (_HELD + 8 * len(self.call.values))
            while by < _FINEST and needed > by * control.memory:
                by *= 2
        return [_Share(by, rest) for rest in range(by)]

    def _gathered(
        self,
        series: SeriesKeys,
        share: _Share,
        wanted: Sequence[str],
        predicates: Sequence[Predicate],
        control: Control,
    ) -> Gathered | None:
        """The rows of a share of the series; None where they are too many and the share can be cut.

        Raises
        ------
        ResourceError
            They are too many and cannot be cut: one series alone, or an input that is not the same when read again.
        """
        call = self.call
        kept = list(dict.fromkeys((call.values[0], *(name for name in call.values if name in wanted))))
        fields = [call.input.schema.field(name) for name in kept]
        parts: list[tuple[Runs, int]] = []
        batches: list[tuple[int, pa.RecordBatch]] = []
        nbytes = rows = untimed = 0
        for part in call.input.parts(
            kept, call.keys, call.time, control, predicates=predicates, series=series
        ):
            control.check()
            untimed += part.runs.without_time
            runs, arrays, place = part.runs, [part.arrays[name] for name in kept], part.first
            if share.by > 1:
                runs, arrays = taken(part, kept, part.runs.codes % share.by == share.rest)
                place = rows
            rows += runs.rows
            nbytes += sum(array.nbytes for array in arrays) + runs.rows * _HELD
            parts.append((runs, place))
            batches.append((place, pa.RecordBatch.from_arrays(arrays, names=kept)))
            if control.memory and nbytes > control.memory:
                codes = {int(code) for one, _ in parts for code in np.unique(one.codes)[:2]}
                if len(codes) > 1 and share.by < _FINEST and not self.island.volatile:
                    return None
                control.fits(nbytes, f"{call.spec.name} of a whole series")
        self._untimed = untimed
        return Gathered.of(merged(parts, control), fields, batches)

    def _answers(
        self, held: Gathered, series: SeriesKeys, wanted: Sequence[str], control: Control
    ) -> Iterator[tuple[int, dict[str, pa.Array]]]:
        """The rows of one batch of series after the other, in order."""

        def answer(first: int, last: int) -> tuple[int, dict[str, pa.Array]]:
            return answered(self.call, held, series, (first, last), wanted, control)

        spans = _cuts(held.runs)
        if not self.call.spec.together or len(spans) < 2:
            for span in spans:
                yield answer(*span)
            return
        with ThreadPoolExecutor(_THREADS, "luma-series") as pool:
            yield from _in_order(pool, answer, spans)


type _Rows = tuple[int, dict[str, pa.Array]]


def _in_order(
    pool: ThreadPoolExecutor, answer: Callable[[int, int], _Rows], spans: Sequence[tuple[int, int]]
) -> Iterator[_Rows]:
    waiting: deque[Future[_Rows]] = deque()
    try:
        for span in spans:
            waiting.append(pool.submit(answer, *span))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _cuts(runs: Runs) -> list[tuple[int, int]]:
    """Series that are answered together: as many as have about as many rows as a batch, one at least."""
    cuts = [0]
    count = len(runs.codes)
    while cuts[-1] < count:
        enough = runs.offsets[cuts[-1]] + _ROWS
        cuts.append(min(count, max(cuts[-1] + 1, int(np.searchsorted(runs.offsets, enough, "right")) - 1)))
    return list(pairwise(cuts))
