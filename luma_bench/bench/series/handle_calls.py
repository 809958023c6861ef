"""What a series answers: each method writes one statement of KadeQL and runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.bench.series.handle_joins import SeriesJoins
from luma_bench.bench.series.handle_text import (
    Aggregates,
    Fills,
    Length,
    Made,
    Moment,
    aggregates,
    filled,
    fills,
    length_text,
    listed,
    moment_text,
    names_of,
)
from luma_bench.errors import SchemaError, UnsupportedError, choices
from luma_bench.plan.literals import constant, text
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

Kind = Literal["tumble", "hop", "cumulate", "session"]
_KINDS = ("tumble", "hop", "cumulate", "session")
_RATES = ("rate", "increase", "delta", "derivative")


class SeriesCalls(SeriesJoins):
    """Statements about series."""

    def resample(
        self,
        every: Length,
        agg: Aggregates = "mean",
        *,
        fill: Fills | Mapping[str, Fills] = None,
        by: str | Sequence[str] | None = None,
        zone: str | None = None,
        origin: Moment | None = None,
        offset: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> Result:
        """One row for each series and stretch of time: `SAMPLE BY`.

        Parameters
        ----------
        every
            How long a stretch is: `"1h"`, `"15m"`, `"1d"`, `"1mo"`; pandas' `"5min"` and `"MS"` too.
        agg
            A function for every number (`"mean"`, `"last"`, `"ohlc"`, any aggregate of SQL), several, or for each column
            its own: `{"temp": "mean", "gust": "max(wind_gust)"}`. `first` and `last` go by time.
        fill
            What stands in a stretch without rows: `"prev"` (the last one's), `"ffill"` (the last value that is not NULL),
            `"linear"`, `"null"`, a value, or for each column its own. None leaves such stretches out.
        by
            The keys, when not the handle's; `()` for none.
        zone
            The time zone whose calendar and clock stretches follow.
        origin
            A moment at which a stretch begins, or `"start"` for the first row's. Else they begin at whole multiples since
            1970, weeks on Monday.
        offset
            How far they are moved, as a clock: `"06:00"`.
        start, end
            The range that is filled; rows outside of it are left out.

        Examples
        --------
        >>> bench.series("weather").resample("6h", {"temp": "mean"}, fill="linear")
        """
        keys = self._parted(by)
        made = self._made(agg, keys)
        bounds = "".join(
            f" {word} {moment_text(moment)}"
            for word, moment in (("FROM", start), ("TO", end))
            if moment is not None
        )
        aligned = _aligned(origin, offset)
        zoned = "" if zone is None else f" ZONE {text(zone)}"
        listing = ", ".join([*(quoted(name) for name in (self.time, *keys)), *(_as(item) for item in made)])
        return self._run(
            f"SELECT {listing} FROM {self._source()} SAMPLE BY {length_text(every)}{bounds}"
            f"{fills(fill, made)}{aligned}{zoned} ORDER BY {listed((self.time, *keys))}"
        )

    def window(
        self,
        kind: Kind,
        size: Length,
        every: Length | None = None,
        *,
        agg: Aggregates | None = None,
        by: str | Sequence[str] | None = None,
        zone: str | None = None,
        offset: Length | None = None,
    ) -> Result:
        """Windows over time: each row with those that it is in, or with `agg` one row for each series and window.

        Parameters
        ----------
        kind
            `tumble` (one after the other), `hop` (a window of `size` begins each `every`), `cumulate` (windows that grow
            by `every` up to `size`), or `session` (a gap greater than `size` begins a new one).
        offset
            How far windows are moved; not of sessions.

        Examples
        --------
        >>> bench.series("flights", time="dep", by="tailnum").window("session", "4h", agg={"legs": "count(*)"})
        """
        if kind not in _KINDS:
            raise UnsupportedError(
                f"{kind!r} is no kind of window.", hint=choices(str(kind), _KINDS, "kinds")
            )
        steps = kind in ("hop", "cumulate")
        if steps != (every is not None):
            word = "needs every, the time between two windows" if steps else "takes no every"
            raise UnsupportedError(
                f"A {kind} window {word}.", hint="Write window('hop', '1d', '1h') or window('tumble', '1h')."
            )
        keys = self._parted(by)
        sizes = [length_text(every)] if every is not None else []
        given = [f"DESCRIPTOR({quoted(self.time)})", *sizes, length_text(size)]
        given += [f"OFFSET => {length_text(offset)}"] if offset is not None else []
        given += [f"ZONE => {text(zone)}"] if zone is not None else []
        function = f"{kind.upper()}({self._table(keys if kind == 'session' else ())}, {', '.join(given)})"
        if agg is None:
            return self._run(f"SELECT * FROM {function}")
        made = self._made(agg, keys)
        listing = ", ".join([
            "window_start", "window_end", *(quoted(name) for name in keys), *(_as(item) for item in made),
        ])  # fmt: skip
        order = listed(("window_start", *keys))
        return self._run(f"SELECT {listing} FROM {function} GROUP BY ALL ORDER BY {order}, window_end")

    def rate(
        self,
        column: str,
        every: Length,
        kind: str = "rate",
        *,
        by: str | Sequence[str] | None = None,
        zone: str | None = None,
    ) -> Result:
        """How fast a counter rises in each stretch of time, a second; where it falls it began again at zero.

        Parameters
        ----------
        kind
            `rate` (a second), `increase` (in all), `delta` (of a gauge: the last value less the first), or `derivative` (of
            a gauge: the slope of a line through the values, a second).
        """
        if kind not in _RATES:
            raise UnsupportedError(f"{kind!r} is no kind of rate.", hint=choices(kind, _RATES, "kinds"))
        return self.resample(every, {self._known(column): kind}, by=by, zone=zone)

    def latest(self) -> Result:
        """The newest row of each series: `LATEST ON`."""
        if not self.by:
            # Of equal times the last row: by its id where rows have one, else by what it says.
            stored = self._plain and self._executor.order(self.name) is not None
            tie = "_rowid" if stored else " DESC, ".join(quoted(name) for name in self.schema.names)
            return self._run(
                f"SELECT {listed(self.schema.names)} FROM {self._source([f'{quoted(self.time)} IS NOT NULL'], ids=stored)} "
                f"ORDER BY {quoted(self.time)} DESC, {tie} DESC LIMIT 1"
            )
        ordered = f" ORDER BY {listed(self.by)}"
        return self._run(
            f"SELECT {self._shown()} FROM {self._source()} LATEST ON {quoted(self.time)} PARTITION BY {listed(self.by)}{ordered}"
        )

    def fill(
        self, way: Fills | Mapping[str, Fills] = "prev", columns: str | Sequence[str] | None = None
    ) -> Result:
        """The rows with NULLs filled along each series; to add rows that are missing, `resample(…, fill=…)`.

        Parameters
        ----------
        way
            `"prev"`, `"next"`, `"linear"` (between its neighbours in time; NULL outside), a value, or for each column
            its own.
        columns
            Which columns; by default all that may be filled so.
        """
        if isinstance(way, Mapping):
            ways = {self._known(name): one for name, one in way.items()}
        elif columns is not None:
            ways = {self._known(name): way for name in names_of(columns)}
        elif isinstance(way, str) and way.casefold() not in ("linear", "interpolate"):
            ways = {name: way for name in self.schema.names if name != self.time and name not in self.by}
        else:
            ways = dict.fromkeys(self._numbers(), way)
        if not ways:
            raise SchemaError(
                "The series has no column that could be filled so.", hint="Name it: columns='temp'."
            )
        parted = f"PARTITION BY {listed(self.by)} " if self.by else ""
        over = f"{parted}ORDER BY {quoted(self.time)}"
        kind = self.schema.field(self.time).type
        listing = ", ".join(
            f"{filled(name, ways[name], self.time, kind, over)} AS {quoted(name)}"
            if name in ways
            else quoted(name)
            for name in self.schema.names
        )
        inner = self._source() if self._plain else self._subquery()
        return self._run(f"SELECT {listing} FROM {inner} ORDER BY {listed((*self.by, self.time))}")

    def downsample(self, column: str | None = None, points: int = 2000, method: str = "minmaxlttb") -> Result:
        """The rows of each series that its line is drawn by: it looks the same on a screen.

        Parameters
        ----------
        column
            A column of numbers; the only one when it is left out.
        points
            The most rows of a series.
        method
            `minmaxlttb`, `lttb`, `m4` or `minmax`.
        """
        return self._run(self._downsampled(self._number(column), points, method))

    def apply(self, function: str, column: str | None = None, **options: Any) -> Result:
        """A series function over each series: `EWMA`, `DIFFERENCES`, `ROBUST_ZSCORE`, `CHANGE_POINTS`, `FORECAST`, ….

        Parameters
        ----------
        column
            A column of numbers; the only one when it is left out.
        options
            The function's own, such as `alpha=0.1`.

        Examples
        --------
        >>> bench.series("weather").apply("EWMA", "temp", half_life="6h")
        """
        if not function.isidentifier():
            raise UnsupportedError(f"{function!r} is no function.", hint="Give a name such as 'EWMA'.")
        return self._run(self._applied(function, self._number(column), options))

    def stats(self, columns: str | Sequence[str] | None = None) -> Result:
        """A row for each series: how many rows, the first and last time, and of each number count, mean, deviation, least and greatest."""
        names = self._numbers() if columns is None else [self._known(name) for name in names_of(columns)]
        time = quoted(self.time)
        parts = [
            *(quoted(name) for name in self.by),
            'count(*) AS "rows"',
            f'min({time}) AS "first"',
            f'max({time}) AS "last"',
        ]
        for name in names:
            parts += [
                f"{function}({quoted(name)}) AS {quoted(f'{name}_{said}')}"
                for said, function in (
                    ("count", "count"), ("mean", "avg"), ("std", "stddev_samp"), ("min", "min"), ("max", "max"),
                )
            ]  # fmt: skip
        grouped = f" GROUP BY {listed(self.by)} ORDER BY {listed(self.by)}" if self.by else ""
        return self._run(f"SELECT {', '.join(parts)} FROM {self._source()}{grouped}")

    # --- how it becomes text ---

    def _made(self, agg: Aggregates, keys: Sequence[str]) -> list[Made]:
        return aggregates(agg, self._numbers(keys), self.schema.names, self.time)

    def _shown(self) -> str:
        """The columns of a row, where computed ones are the subquery's already."""
        if self._plain and self._narrowed.columns is None:
            return "*"
        return listed(self.schema.names)

    def _number(self, column: str | None) -> str:
        """The column that is named, or the only one of numbers."""
        if column is not None:
            return self._known(column)
        numbers = self._numbers()
        if len(numbers) != 1:
            said = (
                "no column of numbers" if not numbers else f"several columns of numbers: {', '.join(numbers)}"
            )
            raise SchemaError(f"The series {self.name!r} has {said}.", hint="Name the one that is meant.")
        return numbers[0]

    def _applied(
        self, function: str, column: str, options: Mapping[str, object], more: Sequence[str] = ()
    ) -> str:
        named = "".join(f", {name} => {constant(value)}" for name, value in options.items())
        table = self._table(self.by, (self.time, *self.by, column), more)
        return f"SELECT * FROM {function.upper()}({table}, DESCRIPTOR({quoted(self.time)}), {quoted(column)}{named})"

    def _downsampled(self, column: str, points: int, method: str, more: Sequence[str] = ()) -> str:
        return self._applied("DOWNSAMPLE", column, {"points": points, "method": method}, more)


def _as(item: Made) -> str:
    return f"{item.sql} AS {quoted(item.name)}"


def _aligned(origin: Moment | None, offset: str | None) -> str:
    """ALIGN TO."""
    if origin is None or origin in ("calendar", "epoch"):
        return "" if offset is None else f" ALIGN TO CALENDAR WITH OFFSET {text(offset)}"
    if offset is not None:
        raise UnsupportedError("origin and offset say both where stretches begin.", hint="Give one of them.")
    return " ALIGN TO FIRST OBSERVATION" if origin == "start" else f" ALIGN TO {moment_text(origin)}"
