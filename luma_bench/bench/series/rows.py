"""The rows that a construct reads: a stored table, a view, the caller's own relation or a query, as runs or as batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.bench.guarded import GuardedScan
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.index import PiecewiseSource, SeriesIndex
from luma_bench.bench.series.index_cut import Cut
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part, RunEnds
from luma_bench.bench.series.predicates import bounds_of, scans, tests_of, translates
from luma_bench.bench.series.queried import Queried, decoded
from luma_bench.bench.series.recording import Recorded, recorded
from luma_bench.bench.series.selecting import along, checked, selected
from luma_bench.bench.series.stretches import stretches
from luma_bench.bench.series.zoned import Mixed, Zoned
from luma_bench.errors import KadeQLBindError, choices
from luma_bench.language.series.pattern import Input, Name
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Ints
from luma_bench.storage.scan import TableScan
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.schema import TableSettings
from luma_bench.types.sql_types import engine_type

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_DAY = 86_400_000_000_000
_UNKNOWN_ROWS = 100_000


class InputRows:
    """One input of a construct at its snapshot, as the identity sees it.

    Parameters
    ----------
    given
        The input as it is written.
    whole
        The user's whole text, for messages.

    Attributes
    ----------
    warned
        What the run record should say, as keys.
    """

    def __init__(self, given: Input, whole: str, asked: Asked) -> None:
        self.given = given
        self.asked = asked
        self._whole = whole
        self._source = self._stored()
        self._queried = Queried(given, asked)
        self._where: Recorded | None = None
        self._indexes: dict[tuple[tuple[str, ...], str], SeriesIndex] = {}
        self._ended: SeriesIndex | None = None
        self._streamed: pa.Schema | None = None
        self._mixed: Mixed = {}
        self._notes: dict[str, None] = {}
        self.warned: dict[str, None] = {}

    def _stored(self) -> TableScan | GuardedScan | None:
        """The scan of the table that the input is, under the policies in force; None where it is anything else."""
        name, asked = self.given.table, self.asked
        if name is None or name.casefold() in {own.casefold() for own in asked.ask.tables}:
            return None
        table = asked.view.named(name)
        if table is None:
            return None
        store = asked.binder.store
        store.pins.hold_for(self, asked.view.id)
        return asked.binder.access.scan(asked.view, table.name, asked.ask.identity)

    @property
    def streamed(self) -> pa.Schema:
        """The input's columns in the types of the batches that `stream` gives, some of them dictionaries."""
        if self._streamed is None:
            source = self._source
            found = self._queried.columns if source is None else Zoned(source.schema.remove(0))
            self._streamed, self._mixed = found.schema, found.mixed
        return self._streamed

    @property
    def schema(self) -> pa.Schema:
        """The input's columns without `_rowid`, known without reading a row; dictionaries decoded in the type."""
        return pa.schema([field.with_type(decoded(field.type)) for field in self.streamed])

    @property
    def settings(self) -> TableSettings | None:
        """The settings of the stored table; None for any other input."""
        if self._source is None:
            return None
        return self.asked.view.find(self._source.name).settings

    @property
    def repeatable(self) -> bool:
        """Whether the rows come in the same order each time: a stored table's do, and those of a relation of the caller's."""
        return self.given.table is not None and (
            self._source is not None
            or self.given.table.casefold() in {own.casefold() for own in self.asked.ask.tables}
        )

    def column(self, name: Name) -> str:
        """The exact name of a column that the text names, ignoring case.

        Raises
        ------
        KadeQLBindError
            There is none; it points at the name.
        """
        names = self.streamed.names
        if name.name in names:
            return name.name
        folded = name.name.casefold()
        found = next((one for one in names if one.casefold() == folded), None)
        if found is None:
            raise self._wrong(
                f"There is no column {name.name!r} in {self._called()}.",
                choices(name.name, names, "columns"),
                name.span,
            )
        return found

    def time_name(self, name: Name | None) -> str:
        """The time column: the one that is named, else the table's time column, else its only timestamp or date.

        Raises
        ------
        KadeQLBindError
            There is none such, or it is of a type that is no time.
        """
        if name is not None:
            found = self.column(name)
            kind = decoded(self.streamed.field(found).type)
            if not is_time(kind):
                raise self._wrong(
                    f"The column {found!r} is of the type {engine_type(kind) or kind}, which is no time.",
                    f"Name a timestamp or a date: {self._times() or 'there is none here'}.",
                    name.span,
                )
            return found
        settings = self.settings
        if settings is not None and settings.time_column in self.streamed.names:
            return settings.time_column or ""
        stamps = [field.name for field in self.streamed if pa.types.is_timestamp(decoded(field.type))]
        dates = [field.name for field in self.streamed if pa.types.is_date(decoded(field.type))]
        for candidates in (stamps, dates):
            if len(candidates) == 1:
                return candidates[0]
        several = stamps or dates
        if several:
            problem, hint = f"has several times: {self._times()}", "Select only one of them."
            if self.given.table:
                setting = f"ALTER TABLE {self.given.table} SET (time_column = {several[0]})"
                hint = f"Select only one of them, or say which one counts: {setting}."
        else:
            problem = "has no column of a time"
            hint = "A timestamp or a date is needed: make one in a subquery, as ts::TIMESTAMP."
        raise self._wrong(
            f"{self._called()} {problem}.",
            hint,
            (self.given.query.start, self.given.query.end),
        )

    def unit(self, time: str) -> int:
        """The nanoseconds of a unit of a time column: 1 to 10⁹ of a timestamp, 86.4 · 10¹² of a date, 1 of a number."""
        return unit_of(decoded(self.streamed.field(time).type))

    def zone(self, time: str) -> str | None:
        """The zone of a time column: of the stored column, or the caller's, that it comes from; None for a naive one."""
        kind = decoded(self.streamed.field(time).type)
        return kind.tz if pa.types.is_timestamp(kind) else None

    def zones(self, time: str) -> tuple[str, ...]:
        """The zones of what a time column comes from, where these are several: `zone` is the session's then."""
        return self._mixed.get(self.streamed.field(time).name, ())

    def series(self, keys: Sequence[str]) -> SeriesKeys:
        """An empty numbering for some key columns: give it to `parts`.

        It may come to hold series without a row: of rows that are deleted, or that a condition leaves out.

        Raises
        ------
        UnsupportedError
            A column is of a type that cannot tell series.
        """
        return SeriesKeys([decoded(self.streamed.field(name).type) for name in keys])

    def parts(
        self,
        columns: Sequence[str],
        keys: Sequence[str],
        time: str,
        control: Control,
        *,
        filtered: bool = True,
        predicates: Sequence[Predicate] = (),
        series: SeriesKeys | None = None,
    ) -> Iterator[Part]:
        """The rows as runs, part by part in stored order, each of about `control.batch` rows.

        Parameters
        ----------
        columns
            What `Part.arrays` holds; keys and time only where they are named here.
        filtered
            Apply the input's WHERE.
        predicates
            More conditions over columns of the input, each TRUE of every row that comes. Any that `accepts` takes.
        series
            Numbers the keys; a new one by default.
        """
        numbers = self.series(keys) if series is None else series
        index = self._indexed(keys, time, filtered)
        if index is not None:
            cut = self._cut(keys, time, filtered, predicates)
            return index.parts(columns, cut, control, numbers)
        names = list(dict.fromkeys((*columns, *keys, time)))
        batches = self.stream(names, control, filtered=filtered, predicates=predicates)
        return stretches(batches, columns, keys, time, control, numbers)

    def stream(
        self,
        columns: Sequence[str],
        control: Control,
        *,
        filtered: bool = True,
        predicates: Sequence[Predicate] = (),
    ) -> Iterator[pa.RecordBatch]:
        """The rows as they are stored, in order, as batches of exactly `columns` in the types of `streamed`.

        Without a column the batches only have their numbers of rows.
        """
        where = self._recorded() if filtered else Recorded((), True)
        source = self._source
        if source is not None and where.whole:
            given = (*where.predicates, *predicates)
            own = [one for one in given if not scans(one, self.streamed)]
            wanted = along(columns, own)
            names = source.schema.names
            stream = source.stream(
                [names.index(name) for name in wanted],
                [one for one in given if one not in own],
                self.asked.counters,
            )
            self._notes["scan"] = None
            batches = checked(stream, control)
            return selected(batches, columns, own, self.streamed) if own else batches
        self._notes["sql"] = None
        batches = self._queried.batches(along(columns, predicates), self.streamed, filtered=filtered)
        return selected(checked(batches, control), columns, predicates, self.streamed)

    def accepts(self, predicate: Predicate) -> bool:
        """Whether `predicates` may hold it: it is applied exactly, and about nothing that is masked."""
        source = self._source
        if isinstance(source, GuardedScan) and not source.hidden.isdisjoint(columns_of(predicate)):
            return False
        return translates(predicate, self.streamed)

    def saves(self, predicate: Predicate) -> bool:
        """Whether to apply a predicate in the scan reads less; else whoever reads filters as fast by itself."""
        source = self._source
        return source is not None and scans(predicate, self.streamed) and source.accepts(predicate)

    def run_ends(
        self,
        keys: Sequence[str],
        time: str,
        control: Control,
        *,
        filtered: bool = True,
        predicates: Sequence[Predicate] = (),
        series: SeriesKeys | None = None,
        first_chunk: int = 0,
    ) -> Iterator[RunEnds] | None:
        """First and last row of each run, chunk by chunk in stored order, from the index without reading values.

        None where only `parts` can say it: the input is no stored table, rows of it are deleted, or a condition is about
        other columns than keys and time.

        Parameters
        ----------
        first_chunk
            Leave out the chunks before that one.
        """
        index = self._indexed(keys, time, filtered)
        if index is None:
            return None
        self._ended = index
        numbers = self.series(keys) if series is None else series
        return index.run_ends(self._cut(keys, time, filtered, predicates), control, numbers, first_chunk)

    def lasting_chunks(
        self, columns: Sequence[str], keys: Sequence[str], time: str
    ) -> tuple[Hashable, list[Hashable | None]] | None:
        """What is kept of the first rows and columns of the table holds as long as this stays the same.

        What names the columns, and what names each chunk, by the numbers that `run_ends` gives them without conditions; None
        for a chunk that may not last: with deleted rows, or the tail. None for an input that is no stored table.
        """
        index = self._indexed(keys, time, filtered=False)
        return None if index is None else index.chunks(columns)

    def take(
        self, columns: Sequence[str], chunks: np.ndarray[Any, Any], rows: Ints, control: Control
    ) -> list[pa.Array]:
        """Columns of single rows, by the chunk's number and the place in it, as `run_ends` gives them; in their order.

        Reads only the chunks that are named.
        """
        assert self._ended is not None
        return self._ended.take(columns, chunks, rows, control)

    def bounds(self, time: str) -> tuple[int | None, int | None]:
        """The first and the last time (both included) that the input's WHERE leaves room for; None for no bound."""
        return bounds_of(tests_of(self._recorded().predicates, self.streamed), time)

    def estimate(self) -> int:
        """The rows that it has, about."""
        return _UNKNOWN_ROWS if self._source is None else self._source.rows()

    def sorted_share(self, keys: Sequence[str], time: str) -> float:
        """The share of its rows that lies in sorted runs, from 0 to 1, as far as is known without reading."""
        settings = self.settings
        if settings is None or self._source is None:
            return 0.0
        index = self._indexed(keys, time, filtered=False)
        known = None if index is None else index.sorted_share()
        if known is not None:
            return known
        laid = (*settings.series_key, settings.time_column) if settings.time_column else settings.sort_by
        return 1.0 if tuple(laid) == (*keys, time) else 0.0

    def lines(self) -> list[str]:
        """How it was read, for EXPLAIN."""
        found: list[str] = []
        for index in self._indexes.values():
            seen = index.seen
            if not seen.chunks_read:
                continue
            ordered = "sorted" if seen.sorted_rows == seen.rows else "sorted by the index"
            found.append(
                f"series index: {seen.runs:,} runs in {seen.chunks_read} of {seen.chunks} chunks, {ordered}"
            )
        if "sql" in self._notes:
            where = self._recorded()
            why = "" if self._source is None or where.whole else " (a condition is SQL's)"
            found.append(f"rows from SQL{why}")
        return found

    def _recorded(self) -> Recorded:
        if self._where is None:
            self._where = recorded(self.given, self.streamed, self.estimate(), self.asked, self.accepts)
        return self._where

    def _cut(self, keys: Sequence[str], time: str, filtered: bool, predicates: Sequence[Predicate]) -> Cut:
        given = (*(self._recorded().predicates if filtered else ()), *predicates)
        return Cut.of(given, tests_of(given, self.streamed), keys, time)

    def _indexed(self, keys: Sequence[str], time: str, filtered: bool) -> SeriesIndex | None:
        """The index of the stored table; None where rows have to be streamed."""
        source = self._source
        if not isinstance(source, TableScan) or (filtered and not self._recorded().whole):
            return None
        held = self._indexes.get((tuple(keys), time))
        if held is None:
            pieces: PiecewiseSource = source
            asked = self.asked
            held = SeriesIndex(pieces, asked.kept.index, asked.counters, tuple(keys), time)
            self._indexes[tuple(keys), time] = held
        return held

    def _called(self) -> str:
        return f"{self.given.table!r}" if self.given.table else "the relation"

    def _times(self) -> str:
        return ", ".join(field.name for field in self.streamed if is_time(decoded(field.type)))

    def _wrong(self, message: str, hint: str, span: tuple[int, int]) -> KadeQLBindError:
        return KadeQLBindError(message, text=self._whole, span=span, hint=hint)


def is_time(kind: pa.DataType) -> bool:
    """Whether a type is a timestamp or a date."""
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def unit_of(kind: pa.DataType) -> int:
    """The nanoseconds of a unit of a type of time; 1 of a number."""
    if pa.types.is_timestamp(kind):
        return _UNITS[kind.unit]
    if pa.types.is_date32(kind):
        return _DAY
    return _UNITS["ms"] if pa.types.is_date64(kind) else 1
