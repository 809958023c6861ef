"""`frame.plot`: pandas' names for pictures, each worked out by one to two statements and at most 20,000 marks large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from luma_bench.errors import UnsupportedError, nearest
from luma_bench.frame.expr import MissingAttributeError
from luma_bench.frame.plotting_bars import Bars
from luma_bench.frame.plotting_boxes import Boxes
from luma_bench.frame.plotting_cells import Bins, Cells
from luma_bench.frame.plotting_counts import Counts
from luma_bench.frame.plotting_look import Look, chart_of, check_look, refuse_hexbin, refuse_pie, unknown_kind
from luma_bench.frame.plotting_picked import Picked
from luma_bench.frame.plotting_points import Points
from luma_bench.plot.figure import Chart

KINDS = ("line", "area", "bar", "barh", "scatter", "hist", "box", "density", "kde", "heatmap", "map")
"""The kinds of picture that `plot(kind=…)` knows."""


class FramePlots(Picked):
    """Pictures of a frame. Rows stay in the engine: what comes out are at most 20,000 marks, and a note says what they are.

    Every method takes `title`, `xlabel`, `ylabel` and `figsize` (inches) too, and gives a `Chart`: a notebook shows it,
    `.svg` is its text, `.figure` its plotly Figure. Where pandas takes the index as x, name a column: frames have none.
    `color` names a column that tells series apart, of at most 8 values; NULL is one of them. Rows without a place
    (NULL, NaN, an infinity) are left out, and a note counts them.
    """

    __slots__ = ()

    def __call__(
        self, x: str | None = None, y: str | Sequence[str] | None = None, kind: str = "line", **options: Any
    ) -> Chart:
        """A picture of any kind, by its name.

        Examples
        --------
        >>> flights.plot("distance", "air_time", kind="scatter")
        Chart(cells, 'air_time' by 'distance')
        """
        if kind == "pie":
            raise refuse_pie()
        if kind == "hexbin":
            raise refuse_hexbin()
        if kind not in KINDS:
            raise unknown_kind(kind, KINDS)
        given = {name: value for name, value in (("x", x), ("y", y)) if value is not None}
        if kind in ("hist", "box", "density", "kde"):
            by = given.pop("x", None)
            given |= {} if by is None else {"by": by}
        elif kind == "map":
            given = {{"x": "lon", "y": "lat"}[name]: value for name, value in given.items()}
        return getattr(self, kind)(**given, **options)

    def line(
        self,
        x: str | None = None,
        y: str | Sequence[str] | None = None,
        *,
        color: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """Lines along x, a number or a time. NULLs break them.

        More than 20,000 rows are summed up: of each of 2,000 stretches of x stay the first, the least, the greatest
        and the last value, so that the picture keeps every extreme.

        Parameters
        ----------
        x
            By default the number of each row, in the frame's order.
        y
            One numeric column or several; all of them by default.
        color
            A column that tells lines apart.

        Examples
        --------
        >>> flights.plot.line(x="sched", y="dep_delay")
        Chart(line, 'dep_delay' by 'sched')
        """
        check_look(look)
        return chart_of(self._lines("line", x, y, color, stacked=False).picture(), look)

    def area(
        self,
        x: str | None = None,
        y: str | Sequence[str] | None = None,
        *,
        color: str | None = None,
        stacked: bool = True,
        **look: Unpack[Look],
    ) -> Chart:
        """Areas below lines, on one another unless `stacked=False`; many rows are summed up as in `line`.

        Areas on one another need values at the same places: there, each of many stretches of x shows its mean.

        Examples
        --------
        >>> flights.groupby("month").agg(n=("distance", "count")).plot.area(x="month", y="n")
        Chart(area, 'n' by 'month')
        """
        check_look(look)
        return chart_of(self._lines("area", x, y, color, stacked=stacked).picture(), look)

    def bar(
        self,
        x: str | None = None,
        y: str | Sequence[str] | None = None,
        *,
        color: str | None = None,
        stacked: bool = False,
        **look: Unpack[Look],
    ) -> Chart:
        """A bar a row, in the frame's order: at most 500, so group the frame first.

        Parameters
        ----------
        x
            What names the bars; by default the first column that is no number.
        y
            One numeric column or several; all of them by default.
        color
            A column that tells bars of one name apart.
        stacked
            Bars of one name stand on one another instead of beside each other.

        Examples
        --------
        >>> flights.value_counts("origin").plot.bar(x="origin", y="count")
        Chart(bar, 'count' by 'origin')
        """
        check_look(look)
        x, heights = self._named(x, y)
        return chart_of(Bars(self._source(), x, heights, color, "bar", stacked).picture(), look)

    def barh(
        self,
        x: str | None = None,
        y: str | Sequence[str] | None = None,
        *,
        color: str | None = None,
        stacked: bool = False,
        **look: Unpack[Look],
    ) -> Chart:
        """Bars from left to right, the first row at the top; otherwise as `bar`.

        Examples
        --------
        >>> flights.value_counts("carrier").plot.barh(x="carrier", y="count")
        Chart(barh, 'count' by 'carrier')
        """
        check_look(look)
        x, heights = self._named(x, y)
        return chart_of(Bars(self._source(), x, heights, color, "barh", stacked).picture(), look)

    def scatter(self, x: str, y: str, *, color: str | None = None, **look: Unpack[Look]) -> Chart:
        """A dot a row.

        More than 20,000 rows are counted in 200 by 100 cells; with a colour, each cell has a dot for each of its
        colours, side by side at the mean of y, and larger the more rows there are.

        Examples
        --------
        >>> flights.head(500).plot.scatter(x="distance", y="air_time")
        Chart(scatter, 'air_time' by 'distance')
        """
        check_look(look)
        return chart_of(Points(self._source([x, y, color]), x, y, color).picture(), look)

    def hist(
        self,
        y: str | Sequence[str] | None = None,
        *,
        by: str | None = None,
        bins: int | Sequence[float] = 10,
        stacked: bool = False,
        color: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """Rows counted in bins, by the rules of `numpy.histogram`: the last bin has both its ends.

        Parameters
        ----------
        y
            One column of numbers or times, or several numeric ones, which share the bins; all of those by default.
        by, color
            A column that tells distributions apart.
        bins
            How many, or their edges.
        stacked
            Bars stand on one another instead of before each other.

        Examples
        --------
        >>> flights.plot.hist(y="dep_delay", by="origin", bins=[0, 15, 60, 240])
        Chart(hist, 'rows' by 'dep_delay')
        """
        check_look(look)
        by = _one(by, color)
        counts = Counts(self._source(), self._columns(y, without=by), by)
        return chart_of(counts.histogram(bins, stacked=stacked), look)

    def density(
        self,
        y: str | Sequence[str] | None = None,
        *,
        by: str | None = None,
        bw_method: str | float | None = None,
        ind: int | Sequence[float] | None = None,
        color: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """The Gaussian kernel density, from a fine histogram; also `kde`.

        Parameters
        ----------
        y, by, color
            As in `hist`.
        bw_method
            'scott' (the default), 'silverman', or the factor of the standard deviation.
        ind
            Where it is worked out: how many places (1,000 by default), or the places.

        Examples
        --------
        >>> flights.plot.density(y="distance", by="origin")
        Chart(line, 'density' by 'distance')
        """
        check_look(look)
        by = _one(by, color)
        counts = Counts(self._source(), self._columns(y, without=by), by)
        return chart_of(counts.density(bw_method, ind), look)

    kde = density

    def box(
        self,
        y: str | Sequence[str] | None = None,
        *,
        by: str | None = None,
        whis: float = 1.5,
        color: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """Boxes from the lower to the upper quartile, with a line at the median.

        Whiskers end at the outermost values within `whis` times the height of the box; of the outliers beyond, the
        least and the greatest of each of 150 stretches are drawn.

        Parameters
        ----------
        y
            Numeric columns, all by default; one when they are split by another.
        by, color
            A column with a box for each of its values, at most 50; rows where it is NULL are left out.

        Examples
        --------
        >>> flights.plot.box(y="dep_delay", by="carrier")
        Chart(box, 'dep_delay' by 'carrier')
        """
        check_look(look)
        by = _one(by, color)
        return chart_of(Boxes(self._source(), self._columns(y, without=by), by, whis).picture(), look)

    def heatmap(
        self,
        x: str,
        y: str,
        value: str | None = None,
        *,
        agg: str | None = None,
        bins: Bins | tuple[Bins, Bins] = 40,
        **look: Unpack[Look],
    ) -> Chart:
        """One cell for each pair of categories or bins, shaded by what `agg` makes of its rows.

        Parameters
        ----------
        x, y
            Text and truth values are categories; numbers and times are put into bins, whole numbers into bins of a
            whole width.
        value
            The numeric column that cells show; without it they count rows.
        agg
            'mean' by default; also 'sum', 'median', 'min', 'max', 'std', 'nunique' and other aggregates by name.
        bins
            How many, or their edges; a pair of them for x and y.

        Examples
        --------
        >>> flights.plot.heatmap(x="month", y="origin", value="dep_delay")
        Chart(heatmap, 'origin' by 'month')
        """
        check_look(look)
        return chart_of(Cells(self._source([x, y, value]), x, y, value, agg, bins).picture(), look)

    def map(
        self,
        lon: str | None = None,
        lat: str | None = None,
        *,
        color: str | None = None,
        **look: Unpack[Look],
    ) -> Chart:
        """Dots at degrees east and north, drawn to scale at the middle of the map; many rows as in `scatter`.

        It needs no network: there are no tiles and no coasts behind the dots.

        Parameters
        ----------
        lon, lat
            Columns of degrees; by default those with a usual name, such as `longitude` and `lat`.

        Examples
        --------
        >>> airports.plot.map(lon="lon", lat="lat")
        Chart(scatter, 'lat (°)' by 'lon (°)')
        """
        check_look(look)
        lon, lat = lon or self._usual("lon"), lat or self._usual("lat")
        return chart_of(Points(self._source([lon, lat, color]), lon, lat, color, earth=True).picture(), look)

    def pie(self, *_columns: Any, **_options: Any) -> Chart:
        """Refused: lengths can be compared, angles cannot.

        Raises
        ------
        UnsupportedError
            Always, with what to draw instead.

        Examples
        --------
        >>> flights.plot.pie()
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: There are no pies: ...
        """
        raise refuse_pie()

    def hexbin(self, *_columns: Any, **_options: Any) -> Chart:
        """Refused: `heatmap` is what it is for.

        Raises
        ------
        UnsupportedError
            Always.

        Examples
        --------
        >>> flights.plot.hexbin()
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: Cells are rectangles here, ...
        """
        raise refuse_hexbin()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        near = nearest(name, KINDS)
        raise MissingAttributeError(
            f"plot has no {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + "All of pandas' pictures are behind .to_pandas().plot.",
        )


def _one(by: str | None, color: str | None) -> str | None:
    if by is not None and color is not None and by != color:
        raise UnsupportedError("by and color mean the same here.", hint="Give one of them.")
    return by if by is not None else color
