"""The rows of a series handle: which table, its time, its keys, and what narrows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from luma_bench.bench.series.handle_text import Moment, listed, moment_text, names_of
from luma_bench.errors import SchemaError
from luma_bench.plan.literals import constant
from luma_bench.storage.catalog.schema import is_time
from luma_bench.types.schema import TableSettings
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.executor import PinnedExecutor
    from luma_bench.bench.result import Result
    from luma_bench.frame import DataFrame


@dataclass(frozen=True)
class Narrowed:
    """What a handle leaves of its table.

    Attributes
    ----------
    where
        Conditions, all of which hold.
    columns
        The columns beside time and keys; None for all.
    computed
        Further columns: their names and SQL.
    """

    where: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    computed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, repr=False)
class SeriesRows:
    """A table as a set of series, pinned at a snapshot."""

    _executor: PinnedExecutor
    name: str
    time: str
    by: tuple[str, ...]
    _settings: TableSettings = field(default_factory=TableSettings)
    _narrowed: Narrowed = field(default_factory=Narrowed)

    @property
    def snapshot(self) -> int:
        """The snapshot that it is read at."""
        return self._executor.snapshot

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of its rows, time and keys first where some were selected."""
        narrowed = self._narrowed
        if narrowed.columns is None and not narrowed.computed:
            return self._executor.schema(self.name)
        return self._executor.describe(f"SELECT {self._selected()} FROM {quoted(self.name)}")

    # --- what narrows it; each gives another handle, and nothing runs ---

    def where(self, condition: str | None = None, /, **equal: Any) -> Self:
        """Only the rows where a condition holds, and where columns are equal to values (a list: to one of them).

        Examples
        --------
        >>> bench.series("weather").where("temp > 90", origin="JFK")
        """
        found = [] if condition is None else [f"({condition})"]
        for name, value in equal.items():
            column = quoted(self._known(name))
            if isinstance(value, list | tuple | set):
                found.append(f"{column} IN ({', '.join(constant(item) for item in value)})")
            else:
                found.append(f"{column} IS NULL" if value is None else f"{column} = {constant(value)}")
        return self._with(replace(self._narrowed, where=(*self._narrowed.where, *found)))

    def between(self, start: Moment | None = None, end: Moment | None = None) -> Self:
        """Only the rows from `start` on and before `end`; None leaves that side open."""
        found = [
            f"{quoted(self.time)} {sign} {moment_text(moment)}"
            for sign, moment in ((">=", start), ("<", end))
            if moment is not None
        ]
        return self._with(replace(self._narrowed, where=(*self._narrowed.where, *found)))

    def select(self, *columns: str, **computed: str) -> Self:
        """Only some columns beside time and keys, and further ones: `select("temp", celsius="(temp - 32) / 1.8")`.

        Raises
        ------
        SchemaError
            There is no such column.
        """
        kept = tuple(name for name in map(self._known, columns) if name != self.time and name not in self.by)
        known = {name for name, _ in self._narrowed.computed}
        stored = tuple(name for name in kept if name not in known)
        again = tuple(item for item in self._narrowed.computed if item[0] in kept)
        return self._with(replace(self._narrowed, columns=stored, computed=(*again, *computed.items())))

    # --- the rows themselves ---

    def rows(self) -> Result:
        """The rows, in the order of the table."""
        return self._run(f"SELECT {self._selected()} FROM {self._source()}")

    def frame(self) -> DataFrame:
        """A lazy DataFrame of the rows; those of a narrowed handle are read now."""
        from luma_bench.frame import DataFrame

        if self._narrowed == Narrowed():
            return DataFrame.scan(self._executor, self.name)
        return self.rows().frame()

    def keys(self, limit: int | None = None) -> Result:
        """The series there are, by their keys, sorted; without keys one row."""
        if not self.by:
            return self._run(f"SELECT count(*) AS rows FROM {self._source()}")
        cut = "" if limit is None else f" LIMIT {limit}"
        return self._run(f"SELECT DISTINCT {listed(self.by)} FROM {self._source()} ORDER BY ALL{cut}")

    def __len__(self) -> int:
        """How many rows there are."""
        if not self._narrowed.where:
            return self._executor.rows(self.name)
        return int(self._one(f"SELECT count(*) AS rows FROM {self._source()}")["rows"])

    @cached_property
    def span(self) -> tuple[Any, Any]:
        """The first and the last time, from statistics where nothing narrows the rows; (None, None) without rows."""
        time = quoted(self.time)
        found = self._one(f'SELECT min({time}) AS "first", max({time}) AS "last" FROM {self._source()}')
        return found["first"], found["last"]

    @cached_property
    def series(self) -> int:
        """How many series there are."""
        if not self.by:
            return 1
        asked = f"SELECT DISTINCT {listed(self.by)} FROM {self._source()}"
        return int(self._one(f"SELECT count(*) AS series FROM ({asked})")["series"])

    # --- how it becomes text ---

    def _with(self, narrowed: Narrowed) -> Self:
        return replace(self, _narrowed=narrowed)

    def _run(self, text: str) -> Result:
        return self._executor.execute(text)

    def _one(self, text: str) -> dict[str, Any]:
        return self._run(text).to_arrow().to_pylist()[0]

    def _selected(self) -> str:
        """The columns of a row as a select list."""
        narrowed = self._narrowed
        if narrowed.columns is None:
            further = "".join(f", {sql} AS {quoted(name)}" for name, sql in narrowed.computed)
            return f"*{further}"
        plain = listed((self.time, *self.by, *narrowed.columns))
        return plain + "".join(f", {sql} AS {quoted(name)}" for name, sql in narrowed.computed)

    @property
    def _plain(self) -> bool:
        """Whether statements may read the table itself: its own time is meant, and no column is computed."""
        own = self._settings.time_column
        return not self._narrowed.computed and own in (None, self.time)

    def _conditions(self, more: Sequence[str] = ()) -> str:
        held = (*self._narrowed.where, *more)
        return f" WHERE {' AND '.join(held)}" if held else ""

    def _source(self, more: Sequence[str] = (), *, ids: bool = False) -> str:
        """What stands behind FROM: the table (with the ids of its rows) and its conditions, or a subquery."""
        if self._plain:
            table = f"with_rowid({quoted(self.name)})" if ids else quoted(self.name)
            return f"{table}{self._conditions(more)}"
        return self._subquery(more)

    def _subquery(self, more: Sequence[str] = ()) -> str:
        inner = f"SELECT {self._selected()} FROM {quoted(self.name)}{self._conditions()}"
        outer = f" WHERE {' AND '.join(more)}" if more else ""
        return f"({inner}) AS {quoted(self.name)}{outer}"

    def _relation(self, alias: str | None = None) -> str:
        """One relation without anything behind it, which may stand in a join."""
        named = f" AS {alias or quoted(self.name)}"
        if self._plain and not self._narrowed.where:
            return f"{quoted(self.name)}{named if alias else ''}"
        return f"(SELECT {self._selected()} FROM {quoted(self.name)}{self._conditions()}){named}"

    def _table(
        self, by: Sequence[str] = (), columns: Sequence[str] | None = None, more: Sequence[str] = ()
    ) -> str:
        """`TABLE t PARTITION BY …` for a function in FROM."""
        parted = f" PARTITION BY {listed(by)}" if by else ""
        if self._plain and not self._narrowed.where and not more:
            return f"TABLE {quoted(self.name)}{parted}"
        wanted = "*" if columns is None else listed(columns)
        return f"TABLE (SELECT {wanted} FROM {self._source(more)}){parted}"

    def _known(self, name: str) -> str:
        """A column's name as the rows have it.

        Raises
        ------
        SchemaError
            There is none.
        """
        names = self.schema.names
        if name in names:
            return name
        folded = {item.casefold(): item for item in names}
        if name.casefold() in folded:
            return folded[name.casefold()]
        raise SchemaError.unknown_column(name, names, f"{self.name!r}")

    def _parted(self, by: str | Sequence[str] | None) -> tuple[str, ...]:
        """The keys that are asked for; None for the handle's own."""
        return self.by if by is None else tuple(self._known(name) for name in names_of(by))

    def _numbers(self, without: Sequence[str] = ()) -> list[str]:
        """The columns of numbers beside time and keys."""
        return [
            item.name
            for item in self.schema
            if item.name != self.time and item.name not in (*self.by, *without) and _is_number(item.type)
        ]


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def time_of(schema: pa.Schema, settings: TableSettings, table: str, given: str | None) -> str:
    """The time column of a series: the one that is named, the table's own, or the only one that there could be.

    Raises
    ------
    SchemaError
        There is no such column or none at all, its type says no time, or there are several.
    """
    folded = {name.casefold(): name for name in schema.names}
    name = (
        settings.time_column
        if given is None
        else given
        if given in schema.names
        else folded.get(given.casefold())
    )
    if name is None and given is not None:
        raise SchemaError.unknown_column(given, schema.names, f"{table!r}")
    if name is not None:
        if not is_time(schema.field(name).type):
            problem = f"type {schema.field(name).type} is no time"
            raise SchemaError.column(table, name, problem, _candidates(schema))
        return name
    moments = _moments(schema)
    if len(moments) != 1:
        said = (
            "no time column"
            if not moments
            else f"several columns of times and says not which is its own: {', '.join(moments)}"
        )
        raise SchemaError(f"Table {table!r} has {said}.", hint=_candidates(schema))
    return moments[0]


def _moments(schema: pa.Schema) -> list[str]:
    return [item.name for item in schema if pa.types.is_timestamp(item.type) or pa.types.is_date(item.type)]


def _candidates(schema: pa.Schema) -> str:
    found = _moments(schema) or [item.name for item in schema if pa.types.is_integer(item.type)]
    if not found:
        return (
            "A time is a timestamp, a date or a whole number; cast one: ALTER TABLE t ALTER c TYPE TIMESTAMP."
        )
    return (
        f"Name it: bench.series(…, time={found[0]!r}), or for good ALTER TABLE t SET (time_column = {found[0]}). "
        f"Candidates: {', '.join(found)}."
    )
