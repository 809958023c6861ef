"""Plans as pictures: `PlanView` shows a profile as static SVG, as text, and as data that a front end may unfold.

`steps` turns the tree into lines with lanes, `drawing` and `head` write the SVG, `view` bundles the forms.
"""

from luma_bench.plot.plan.view import MIME, PlanView

__all__ = ["MIME", "PlanView"]
