"""A grouped construct as the relation that a query reads: its plan chosen, its groups made, ordered and filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.choose import Chosen, chosen
from luma_bench.bench.series.filling import plain
from luma_bench.bench.series.grouped_types import shape_of
from luma_bench.bench.series.grouped_work import Given, Met, Work
from luma_bench.bench.series.parts import untimed
from luma_bench.bench.series.relation import SeriesRelation
from luma_bench.bench.series.rows import InputRows, unit_of
from luma_bench.bench.series.windows import WindowScan
from luma_bench.language.series.pattern import Fill, Grouped, Name
from luma_bench.language.series.sample_by import settled
from luma_bench.models.control import Control
from luma_bench.storage.predicates import Untranslatable, translate
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.scan import ScanCounters

if TYPE_CHECKING:
    from luma_bench.types.record import NodeRecord


class GroupedScan(SeriesRelation):
    """The scan source of one grouped construct.

    Under SAMPLE BY and gapfill, rows come by bucket and then by the values of the keys, NULL last; other groups come in
    no order.

    Parameters
    ----------
    island
        The construct.
    whole
        The user's whole text.

    Raises
    ------
    KadeQLError
        It names a column that is not there, or one of a type that it does not take; it points into the user's text.
    """

    def __init__(self, island: Grouped, whole: str, asked: Asked) -> None:
        rows = InputRows(island.windows.input, whole, asked)
        time = _time(island, rows)
        if island.sampled:
            island = settled(island, time)
        if island.windows.time is None:
            island = replace(island, windows=replace(island.windows, time=Name(time, island.windows.span)))
        windows = WindowScan(island.windows, whole, asked)
        shape = shape_of(island, windows.schema.remove(0), whole, asked)
        super().__init__(island.alias, list(shape.schema)[1:], asked)
        self._given = Given(island, whole, asked, rows, time, windows, shape)
        self._chosen: Chosen | None = None
        self._met = Met()

    @property
    def chosen(self) -> Chosen:
        """The plan; chosen once.

        Raises
        ------
        UnsupportedError
            Somebody insists on sorted runs, and they cannot answer.
        """
        with self._lock:
            if self._chosen is None:
                insisted = self.asked.binder.series.plan
                given = self._given
                finer = unit_of(given.windows.kind) < given.input.unit(given.time)
                self._chosen = chosen(
                    given.island, given.shape, given.input, given.time, self.asked, insisted, finer=finer
                )
            return self._chosen

    def prepare(self) -> None:
        """Choose the plan."""
        _ = self.chosen

    def rows(self) -> int:
        """The rows that are expected: a tenth of the input's."""
        return max(1, self._given.input.estimate() // 10)

    def accepts(self, predicate: Predicate) -> bool:
        """Whether it is about one key that it can be applied to before rows are given.

        Of a filled construct only keys of series are: its buckets hang on one another.
        """
        names = columns_of(predicate)
        if len(names) != 1:
            return False
        (name,) = names
        place = next(
            (
                at
                for at, key in enumerate(self._given.island.keys)
                if key.column.casefold() == name.casefold()
            ),
            None,
        )
        if place is None:
            return False
        field = self._schema.field(place + 1)
        if field.metadata or name != field.name:
            return False
        if self._given.fills and isinstance(self.chosen.places[field.name], str):
            return False
        try:
            translate(predicate, {field.name: plain(field.type)})
        except Untranslatable:
            return False
        return True

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """The input's column of a key that is one."""
        found = next(
            (key for key in self._given.island.keys if key.column.casefold() == column.casefold()), None
        )
        table = self._given.island.windows.input.table
        if found is None or found.name is None or table is None:
            return None
        known = {name.casefold(): name for name in self._given.input.schema.names}
        own = known.get(found.name.name.casefold())
        return None if own is None else (f"{table}.{own}",)

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        work = Work(self._given, self.chosen, names, predicates, control, self._met)
        if self.chosen.plan.name == "sql":
            return work.by_sql(), False
        return work.by_runs()

    def warnings(self) -> tuple[str, ...]:
        """Rows without a time, a plan that was given up, and what the input has to say."""
        given = self._given
        found = list(dict.fromkeys((*given.windows.input.warned, *given.input.warned, *self._met.notes)))
        if self._met.ran is not None:
            found += untimed(self._met.ran.without_time, self._given.time)
        if self._met.sql is not None:
            found += [note for note in self._met.sql.warnings() if note not in found]
        return tuple(found)

    def record(self, label: str, engine: str) -> NodeRecord:
        """The construct as a node of the run record."""
        made = super().record(label, engine)
        return (
            replace(made, engine="numpy")
            if self.chosen.plan.name == "runs" and self._met.sql is None
            else made
        )

    def lines(self) -> list[str]:
        """The plan and its reason, and after a run what it met."""
        plan, windows = self.chosen.plan, self._given.island.windows
        size = " every ".join(item.text for item in reversed(windows.sizes))
        what = {"tumble": "bucket", "session": "gap"}.get(windows.kind, windows.kind)
        if plan.name == "sql" or self._met.sql is not None:
            found = [f"sql: {plan.reason}, {what} {size}"]
        else:
            by = ", ".join(self.chosen.series) or "no key"
            found = [f"sorted runs by {by}: {plan.reason}, {what} {size}"]
        ran = self._met.ran
        if ran is not None:
            found.append(
                f"{ran.series:,} series, {ran.stretches:,} stretches, {ran.groups:,} groups of {ran.rows:,} rows"
            )
            found += ran.notes
            found += self._given.input.lines()
        if self._given.fills:
            kinds = ", ".join(_shown(fill) for fill in self._given.fills)
            cells = f": {self._met.filled:,} rows" if self._met.filled else ""
            found.append(f"fill {kinds}{cells}")
        return found


def _time(island: Grouped, rows: InputRows) -> str:
    """The time column: the one that is named, the table's, the only timestamp among the keys, or the only one at all."""
    windows = island.windows
    settings = rows.settings
    if windows.time is None and (settings is None or settings.time_column is None):
        names = {name.casefold(): name for name in rows.schema.names}
        found = [
            key.name
            for key in island.keys
            if key.name is not None
            and (own := names.get(key.name.name.casefold())) is not None
            and (
                pa.types.is_timestamp(rows.schema.field(own).type)
                or pa.types.is_date(rows.schema.field(own).type)
            )
        ]
        distinct = {name.name.casefold() for name in found}
        if len(distinct) == 1:
            return rows.time_name(found[0])
    return rows.time_name(windows.time)


def _shown(fill: Fill) -> str:
    if fill.kind == "value" and fill.constant is not None:
        return fill.constant.text
    return f"{fill.kind.upper()}{' IGNORE NULLS' if fill.ignore_nulls else ''}"
