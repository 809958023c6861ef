"""From rows to pictures: `figure` for plotly, `svg` for a static drawing without a browser, `chart` for both.

The only room with plotly. At most 20,000 marks are drawn; more rows are aggregated or refused with advice.
"""

from luma_bench.plot.figure import Chart, chart, figure, svg
from luma_bench.plot.picture import MARKS, PlotError
from luma_bench.plot.rows import KINDS

__all__ = ["KINDS", "MARKS", "Chart", "PlotError", "chart", "figure", "svg"]
