"""`plot`, `hist` and `boxplot` of a frame and of a Series: what draws is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack, cast

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame
    from luma_bench.frame.plotting_frame import FramePlots
    from luma_bench.frame.plotting_look import Look
    from luma_bench.frame.plotting_series import SeriesPlots
    from luma_bench.frame.series import Series
    from luma_bench.plot.figure import Chart


class Plotting:
    """What a frame draws of itself."""

    __slots__ = ()

    @property
    def plot(self) -> FramePlots:
        """Pictures, aggregated in the engine: `plot(x=…, y=…)`, `plot.line`, `plot.bar`, `plot.hist`, `plot.map` and others.

        Examples
        --------
        >>> flights.plot.hist(y="distance", bins=12)
        Chart(hist, 'rows' by 'distance')
        """
        from luma_bench.frame.plotting_frame import FramePlots

        return FramePlots(cast("Frame", self))

    def hist(
        self,
        column: str | Sequence[str] | None = None,
        by: str | None = None,
        *,
        bins: int | Sequence[float] = 10,
        **look: Unpack[Look],
    ) -> Chart:
        """Rows counted in bins, as `plot.hist` draws them: the columns share one picture, and `by` is a colour.

        Examples
        --------
        >>> flights.hist("dep_delay", by="origin", bins=40)
        Chart(hist, 'rows' by 'dep_delay')
        """
        return self.plot.hist(column, by=by, bins=bins, **look)

    def boxplot(
        self, column: str | Sequence[str] | None = None, by: str | None = None, **look: Unpack[Look]
    ) -> Chart:
        """Quartiles, whiskers and outliers, as `plot.box` draws them.

        Examples
        --------
        >>> flights.boxplot("dep_delay", by="carrier")
        Chart(box, 'dep_delay' by 'carrier')
        """
        return self.plot.box(column, by=by, **look)


class SeriesPlotting:
    """What a Series draws of itself."""

    __slots__ = ()

    @property
    def plot(self) -> SeriesPlots:
        """Pictures of one column, aggregated in the engine: `plot()`, `plot.hist`, `plot.box`, `plot.density` and others.

        Examples
        --------
        >>> flights.distance.plot.hist(bins=12)
        Chart(hist, 'rows' by 'distance')
        """
        from luma_bench.frame.plotting_series import SeriesPlots

        return SeriesPlots(cast("Series", self))

    def hist(self, by: str | None = None, *, bins: int | Sequence[float] = 10, **look: Unpack[Look]) -> Chart:
        """Values counted in bins, as `plot.hist` draws them; `by` names a column of the frame and is a colour.

        Examples
        --------
        >>> flights.distance.hist(bins=12)
        Chart(hist, 'rows' by 'distance')
        """
        return self.plot.hist(bins, by=by, **look)
