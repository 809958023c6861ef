"""`series.plot`: pictures of one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.expr import MissingAttributeError
from luma_bench.frame.plotting_frame import FramePlots
from luma_bench.frame.plotting_look import Look, refuse_pie, unknown_kind
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Project
from luma_bench.plot.figure import Chart

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

KINDS = ("line", "area", "bar", "barh", "hist", "box", "density", "kde")
"""The kinds of picture that `plot(kind=…)` knows."""


class SeriesPlots:
    """Pictures of a Series. A Series has no index, so `x`, `by` and `color` may name columns of the frame it comes from.

    Without x, lines and areas go by the number of each row in the frame's order. Everything else is as in `frame.plot`.
    """

    __slots__ = ("_series",)

    def __init__(self, series: Series) -> None:
        self._series = series

    def __call__(self, kind: str = "line", **options: Any) -> Chart:
        """A picture of any kind, by its name.

        Examples
        --------
        >>> flights.dep_delay.plot(kind="hist")
        Chart(hist, 'rows' by 'dep_delay')
        """
        if kind == "pie":
            raise refuse_pie()
        if kind not in KINDS:
            raise unknown_kind(kind, KINDS)
        return getattr(self, kind)(**options)

    def line(self, *, x: str | None = None, color: str | None = None, **look: Unpack[Look]) -> Chart:
        """A line along x, or in the order of rows.

        Examples
        --------
        >>> flights.dep_delay.plot.line(x="sched")
        Chart(line, 'dep_delay' by 'sched')
        """
        return self._plots(x, color).line(x, self._series.name, color=color, **look)

    def area(
        self, *, x: str | None = None, color: str | None = None, stacked: bool = True, **look: Unpack[Look]
    ) -> Chart:
        """An area along x, or in the order of rows.

        Examples
        --------
        >>> flights.distance.plot.area()
        Chart(area, 'distance' by 'row')
        """
        return self._plots(x, color).area(x, self._series.name, color=color, stacked=stacked, **look)

    def bar(
        self, *, x: str | None = None, color: str | None = None, stacked: bool = False, **look: Unpack[Look]
    ) -> Chart:
        """A bar a value: at most 500.

        Examples
        --------
        >>> flights.head(12).dep_delay.plot.bar()
        Chart(bar, 'dep_delay' by 'row')
        """
        return self._plots(x, color).bar(x, self._series.name, color=color, stacked=stacked, **look)

    def barh(
        self, *, x: str | None = None, color: str | None = None, stacked: bool = False, **look: Unpack[Look]
    ) -> Chart:
        """Bars from left to right.

        Examples
        --------
        >>> flights.head(12).dep_delay.plot.barh(x="carrier")
        Chart(barh, 'dep_delay' by 'carrier')
        """
        return self._plots(x, color).barh(x, self._series.name, color=color, stacked=stacked, **look)

    def hist(
        self,
        bins: int | Sequence[float] = 10,
        *,
        by: str | None = None,
        stacked: bool = False,
        **look: Unpack[Look],
    ) -> Chart:
        """Values counted in bins, by the rules of `numpy.histogram`.

        Examples
        --------
        >>> flights.distance.plot.hist(bins=20)
        Chart(hist, 'rows' by 'distance')
        """
        return self._plots(by).hist(self._series.name, by=by, bins=bins, stacked=stacked, **look)

    def box(self, *, by: str | None = None, whis: float = 1.5, **look: Unpack[Look]) -> Chart:
        """Quartiles, whiskers and outliers.

        Examples
        --------
        >>> flights.dep_delay.plot.box(by="origin")
        Chart(box, 'dep_delay' by 'origin')
        """
        return self._plots(by).box(self._series.name, by=by, whis=whis, **look)

    def density(
        self,
        bw_method: str | float | None = None,
        ind: int | Sequence[float] | None = None,
        *,
        by: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """The Gaussian kernel density; also `kde`.

        Examples
        --------
        >>> flights.distance.plot.density()
        Chart(line, 'density' by 'distance')
        """
        return self._plots(by).density(self._series.name, by=by, bw_method=bw_method, ind=ind, **look)

    kde = density

    def pie(self, *_columns: Any, **_options: Any) -> Chart:
        """Refused: lengths can be compared, angles cannot.

        Raises
        ------
        UnsupportedError
            Always, with what to draw instead.

        Examples
        --------
        >>> flights.distance.plot.pie()
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: There are no pies: ...
        """
        raise refuse_pie()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("scatter", "heatmap", "map", "hexbin"):
            raise UnsupportedError(
                f"A {name} needs two columns, and a Series is one.", hint=f"Use frame.plot.{name}(…)."
            )
        near = nearest(name, KINDS)
        raise MissingAttributeError(
            f"plot has no {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas' pictures are behind .to_pandas().plot.",
        )

    def _plots(self, *others: str | None) -> FramePlots:
        """The pictures of a frame of this Series and the columns of its frame that are asked for."""
        series = self._series
        columns: dict[str, Expression] = {series.name: series.expression}
        for name in others:
            if name is None or (name == series.name and series.expression == ColumnRef(name)):
                continue
            series.frame.check_column(name)
            if name.casefold() == series.name.casefold():
                raise SchemaError(
                    f"The Series is named {series.name!r}, like a column of its frame that it is not.",
                    hint="Give it a name of its own: series.rename('name').plot.",
                )
            columns[name] = ColumnRef(name)
        return FramePlots(series.frame.with_plan(Project(series.frame.plan, tuple(columns.items()))))
