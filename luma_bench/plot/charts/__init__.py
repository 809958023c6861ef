"""Charts of a result of any size: which ones fit (`suggest`), and one of them drawn (`figure`).

The rows stay in the engine, which groups, bins and samples them: at most 2,000 marks come back. `facts` asks it what the
columns hold; `columns` and `queries` write its texts; `figure` makes plotly's JSON, an SVG and the code for both.
"""

from luma_bench.plot.charts.columns import Ask
from luma_bench.plot.charts.facts import Facts, facts
from luma_bench.plot.charts.figure import ChartFigure, figure
from luma_bench.plot.charts.script import plotly_script
from luma_bench.plot.charts.suggest import Suggestion, suggest

__all__ = ["Ask", "ChartFigure", "Facts", "Suggestion", "facts", "figure", "plotly_script", "suggest"]
