"""WINDOW JOIN: the rows of the left side, each with aggregates over the right rows in a range of time around its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.asof_sides import Read, Side
from luma_bench.bench.series.constants import length
from luma_bench.bench.series.gather import Chunks, exactly, widened
from luma_bench.bench.series.grouped_kernels import kernels
from luma_bench.bench.series.narrowing import Reach
from luma_bench.bench.series.relation import SeriesRelation
from luma_bench.bench.series.rows import is_time
from luma_bench.bench.series.sides import BothRead, Sides
from luma_bench.bench.series.window_answers import WindowAnswers
from luma_bench.bench.series.window_sql import WindowSql
from luma_bench.errors import KadeQLBindError
from luma_bench.language.series.pattern import Constant, WindowJoin
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Ints
from luma_bench.types.arrays import mask
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID


class WindowJoinScan(SeriesRelation):
    """The scan source of one window join: every left row, in stored order; without a time or a key its ranges are empty."""

    def __init__(self, island: WindowJoin, whole: str, asked: Asked) -> None:
        self.island = island
        self._whole = whole
        left, right = Side(island.left, whole, asked), Side(island.right, whole, asked)
        for side in (left, right):
            if not is_time(side.kind):
                raise KadeQLBindError(
                    f"{side.alias}.{side.time} is {side.kind}, and RANGE is a length of time.",
                    text=whole,
                    span=side.span,
                    hint="Name a timestamp or a date: USING TIME (t.ts, q.ts).",
                )
        self._sides = Sides(left, right, whole, every=True)
        self._sql = WindowSql(island, whole, right, asked)
        self._fields = self._sql.fields()
        found = kernels(island.aggregates, self._fields, right.rows.schema, right.time, asked)
        self._kernels = None if isinstance(found, str) or asked.binder.series.plan == "sql" else found
        self._why = found if isinstance(found, str) else "asked for"
        self._pairs = -1
        super().__init__(island.alias, [*widened(left.rows.streamed), *self._fields], asked)

    def rows(self) -> int:
        """As many as the left side has."""
        return max(1, self._sides.left.rows.estimate())

    def prepare(self) -> None:
        """Read the constants."""
        _ = self._reach

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        how = "kernels" if self._kernels is not None else f"sql over pairs: {self._why}"
        lines = [f"window join by sorted runs: {how}"]
        if self._pairs >= 0:
            lines.append(f"{self._pairs:,} pairs of rows")
        for side in (self._sides.left, self._sides.right):
            lines += [f"{side.alias}: {line}" for line in side.rows.lines()]
        return lines

    @cached_property
    def _reach(self) -> Reach:
        island = self.island
        before, behind = self._ticks(island.preceding), self._ticks(island.following)
        if before + behind < 0:
            raise KadeQLBindError(
                "The range of this WINDOW JOIN ends before it begins.",
                text=self._whole,
                span=island.span,
                hint="Write RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND INTERVAL '0' SECOND FOLLOWING.",
            )
        return Reach(before, behind)

    def _ticks(self, constant: Constant | None) -> int:
        """So many units of time; a part of one cannot matter."""
        if constant is None:
            return 0
        given = length(constant, self.asked)
        if given.fixed is None:
            raise KadeQLBindError(
                f"The range of {constant.text} has months, which have no fixed length.",
                text=self._whole,
                span=constant.span,
                hint="Give it in days or less, such as '1h'.",
            )
        return given.fixed // self._sides.unit

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del predicates, counters
        return self._made(names, control), False

    def _made(self, names: list[str], control: Control) -> Iterator[pa.RecordBatch]:
        mine = {item.name: at for at, item in enumerate(self._fields)}
        asked = [name for name in names if name in mine]
        wanted = [name for name in names if name != ROW_ID and name not in mine]
        left = self._sides.left
        left.wanted |= dict.fromkeys(wanted)
        chosen = [mine[name] for name in asked]
        self._sides.right.wanted |= dict.fromkeys(self._columns(chosen))
        both = self._sides.read(control, self._reach)
        answers = self._answers(chosen, both, control)
        arrays = [pa.concat_arrays(pair) for pair in zip(answers.arrays(), answers.nothing, strict=True)]
        self._pairs = answers.pairs
        fields = [self._fields[mine[name]] for name in asked]
        held = Chunks(fields, [(0, pa.RecordBatch.from_arrays(arrays, names=asked))] if asked else [])
        yield from self._beside(names, wanted, asked, held, both.left, control)

    def _answers(self, asked: list[int], both: BothRead, control: Control) -> WindowAnswers:
        """What computes some of the aggregates."""
        fields = [self._fields[at] for at in asked]
        columns = self._columns(asked)
        if self._kernels is not None:
            chosen = [self._kernels[at] for at in asked]
            return WindowAnswers(self._sides, both, self._reach, control, fields, chosen, columns)
        calls = [self.island.aggregates[at] for at in asked]

        def by_sql(pairs: pa.Table, sizes: Ints) -> list[pa.Array]:
            return self._sql.answers(calls, pairs, sizes)

        return WindowAnswers(self._sides, both, self._reach, control, fields, None, columns, by_sql)

    def _columns(self, asked: list[int]) -> list[str]:
        """The right columns that some of the aggregates read."""
        if self._kernels is None:
            return self._sql.columns
        return list(dict.fromkeys(name for at in asked for name in self._kernels[at].spec.columns))

    def _beside(
        self,
        names: list[str],
        wanted: list[str],
        asked: list[str],
        held: Chunks,
        read: Read,
        control: Control,
    ) -> Iterator[pa.RecordBatch]:
        """The left rows in stored order, with what is held of them in the order of their runs."""
        runs = read.runs
        # Behind the answers stands the one of no rows; -1 is no row at all.
        places = np.full(read.size, runs.rows if read.streamed else -1)
        places[slice(None) if runs.order is None else runs.order] = np.arange(runs.rows)
        kinds = [self._schema.field(name).type for name in wanted]
        given = 0
        # A column is read even where none is asked for: it says which rows there are.
        for first, stored in self._sides.left.batches(wanted or [self._sides.left.time], read, control):
            control.check()
            own = places[first : first + stored.num_rows]
            batch, there = stored.slice(0, len(own)), own >= 0
            if not there.all():
                batch, own = batch.filter(mask(there)), own[there]
            if not len(own):
                continue
            arrays = {
                name: exactly(array, kind)
                for name, array, kind in zip(wanted, batch.columns, kinds, strict=False)
            }
            if asked:
                chosen = held.places(own)
                arrays |= {name: held.take(at, chosen) for at, name in enumerate(asked)}
            yield self.batch(names, arrays, given, len(own))
            given += len(own)
