"""`bench.series("weather")`: a table as a set of series, as Python sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luma_bench.bench.series.handle_calls import SeriesCalls
from luma_bench.bench.series.handle_rows import SeriesRows, time_of
from luma_bench.bench.series.handle_text import Moment, names_of
from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.literals import constant
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.executor import PinnedExecutor
    from luma_bench.plot.figure import Chart

_LINES = 8
"""Series that one picture draws: more colours cannot be told apart."""
_COUNTED = 20_000_000
"""Up to this many rows the series are counted when a handle is shown."""
_SHOWN = 8


@dataclass(frozen=True, repr=False)
class TimeSeries(SeriesCalls):
    """A table as a set of series, pinned at the snapshot that it was asked for at.

    It is lazy: `where`, `between` and `select` give another handle and run nothing; the other methods write one statement
    of KadeQL each and give its `Result`, of which `.frame()` makes a DataFrame. Policies hold as in every statement.

    Attributes
    ----------
    name
        The table or view.
    time
        The column of times.
    by
        The columns that tell series apart; empty where all rows are one series.
    """

    def plot(
        self,
        column: str | None = None,
        points: int = 2000,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        series: Sequence[Any] | int | None = None,
        method: str = "minmaxlttb",
        title: str = "",
        width: int = 880,
        height: int = 440,
    ) -> Chart:
        """A line for each series, of as many rows as there may be: the engine picks the points that the lines are drawn by.

        Parameters
        ----------
        column
            A column of numbers; the only one when it is left out.
        points
            The most points of a line.
        start, end
            From and before which time.
        series
            Which series: their keys (tuples of several columns), or how many of the first; 8 at most. A note says how many
            there are.
        method
            How points are picked: `minmaxlttb`, `lttb`, `m4` or `minmax`.

        Returns
        -------
        Chart
            A notebook shows it; `.figure` is the plotly Figure, `.svg` the text of a static drawing.

        Examples
        --------
        >>> bench.series("weather").plot("temp", start="2013-02-01", end="2013-03-01")
        """
        from luma_bench.plot.picture import MARKS
        from luma_bench.plot.series import Lines, series_chart

        value = self._number(column)
        shown = self.between(start, end)
        picked, notes = shown._picked(series)
        most = MARKS // max(1, 1 if picked is None else len(picked))
        if points > most:
            points, notes = most, [*notes, f"{most:,} points a line: a picture draws {MARKS:,}"]
        more = [] if picked is None else [_among(self.by, picked)]
        rows = self._run(shown._downsampled(value, points, method, more)).to_arrow()
        lines = Lines(rows, self.time, value, self.by, tuple(notes))
        return series_chart(lines, title=title, width=width, height=height)

    def _picked(self, series: Sequence[Any] | int | None) -> tuple[list[tuple[Any, ...]] | None, list[str]]:
        """The keys of the series to draw, None for all; and what has to be said of it."""
        if not self.by:
            return None, []
        if series is not None and not isinstance(series, int):
            given = [key if isinstance(key, tuple) else (key,) for key in _keys(series)]
            if any(len(key) != len(self.by) for key in given):
                raise SchemaError(
                    f"A series of {self.name!r} is named by {', '.join(self.by)}.",
                    hint="Give a tuple of as many values for each series.",
                )
            _few(len(given))
            return given, []
        wanted = _LINES if series is None else series
        _few(wanted)
        rows = self.keys(wanted + 1).to_arrow().to_pylist()
        keys = [tuple(row.values()) for row in rows[:wanted]]
        if len(rows) <= wanted:
            return keys, []
        return keys, [f"{len(keys)} of {self.series:,} series; name others with series=[…]"]

    def __repr__(self) -> str:
        wide = max(len(lead) for lead, _ in self._lines())
        return "\n".join([self._title, *(f"  {lead:<{wide}}  {said}" for lead, said in self._lines())])

    def _repr_html_(self) -> str:
        from luma_bench.bench.display import escaped, wrapped

        facts = "".join(
            f"<div>{escaped(lead)}</div><div>{escaped(said)}</div>" for lead, said in self._lines()
        )
        return wrapped(
            f'<div class="luma-heading">{escaped(self._title)}</div><div class="luma-facts">{facts}</div>'
        )

    @property
    def _title(self) -> str:
        return f"TimeSeries({self.name!r}, snapshot {self.snapshot})"

    def _lines(self) -> list[tuple[str, str]]:
        """What there is, in a line each; the range is from statistics where nothing narrows the rows."""
        rows = len(self)
        first, last = self.span
        lines = [("rows", f"{rows:,}")]
        lines.append(("time", f"{self.time}: {first} to {last}" if rows else self.time))
        if self.by:
            counted = f"{self.series:,} by " if rows <= _COUNTED else "by "
            lines.append(("series", counted + ", ".join(self.by)))
        else:
            lines.append(("series", "one"))
        kept = self._settings.retention
        if kept is not None:
            lines.append(("kept", f"{kept.text} on {kept.column}"))
        if self._narrowed.where:
            lines.append(("where", " AND ".join(self._narrowed.where)))
        values = [name for name in self.schema.names if name != self.time and name not in self.by]
        more = f", … ({len(values)} in all)" if len(values) > _SHOWN else ""
        lines.append(("values", ", ".join(values[:_SHOWN]) + more))
        return lines


def series_of(
    executor: PinnedExecutor,
    table: str,
    time: str | None = None,
    by: str | Sequence[str] | None = None,
) -> TimeSeries:
    """A handle on a table or view.

    Raises
    ------
    CatalogError
        There is no such table.
    SchemaError
        There is no such column, or nothing says which one is the time; the hint names candidates.
    """
    name = executor.relation(table)
    schema = executor.schema(name)
    settings = executor.settings(name)
    moment = time_of(schema, settings, name, time)
    given = settings.series_key if by is None else names_of(by)
    known = SeriesRows(executor, name, moment, ())
    keys = tuple(dict.fromkeys(known._known(key) for key in given))
    if moment in keys:
        raise SchemaError(f"{moment!r} is both the time and a key of a series.", hint="Leave it out of by.")
    return TimeSeries(executor, name, moment, keys, settings)


def _keys(series: Sequence[Any]) -> list[Any]:
    return [series] if isinstance(series, str) else list(series)


def _few(count: int) -> None:
    if not 1 <= count <= _LINES:
        raise UnsupportedError(
            f"One picture draws 1 to {_LINES} series, not {count:,}.",
            hint="Draw them in several pictures, or aggregate first: resample(…, by=()).",
        )


def _among(by: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> str:
    """The condition that a row is of one of some series; NULL is a key like others."""
    if not keys:
        return "FALSE"
    if len(by) == 1 and all(key[0] is not None for key in keys):
        return f"{quoted(by[0])} IN ({', '.join(constant(key[0]) for key in keys)})"
    each = (
        " AND ".join(
            f"{quoted(name)} IS NOT DISTINCT FROM {constant(value)}"
            for name, value in zip(by, key, strict=True)
        )
        for key in keys
    )
    return "(" + " OR ".join(f"({item})" for item in each) + ")"
