"""A plan that can be looked at: one object with the forms that front ends, pages and terminals show."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from luma_bench.plan.explain_tree import head_text, tree_text
from luma_bench.plan.profile import Profile
from luma_bench.plot.pieces import printable
from luma_bench.plot.plan.drawing import draw, title
from luma_bench.plot.plan.steps import steps
from luma_bench.plot.plan.style import STYLE

MIME = "application/vnd.luma-bench.plan+json"
"""The media type that JupyterLab unfolds; its data are those of `PlanView.data`."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as a picture.

    Attributes
    ----------
    profile
        What it shows.

    Notes
    -----
    A page without scripts shows the SVG, one without styles (GitHub) the text. In JupyterLab the same SVG can be moved and
    unfolded, and an operator's details are read beside it.
    """

    profile: Profile

    @property
    def svg(self) -> str:
        """The drawing as SVG text, to be put into a page or saved; its ink is the page's."""
        return draw(self.profile)

    @property
    def text(self) -> str:
        """The plan as text: what EXPLAIN prints."""
        return f"{head_text(self.profile)}\n\n{tree_text(self.profile.tree)}"

    @property
    def html(self) -> str:
        """The drawing for a page, and its text for a page that takes drawings away."""
        shown = html.escape("\n".join(printable(line) for line in self.text.split("\n")))
        return (
            f'<div class="luma-plan-view mathjax_ignore tex2jax_ignore">{STYLE}'
            f'<pre class="luma-plan-words">{shown}</pre>'
            # Shown by the style above: a page without styles would show the drawing's labels in a heap.
            f'<div class="luma-plan-drawing" hidden style="display:none">{self.svg}</div></div>'
        )

    @property
    def data(self) -> dict[str, Any]:
        """The operators as JSON: what a front end needs to unfold the drawing and to tell the details."""
        found = steps(self.profile)
        return {
            "version": 1,
            "title": title(self.profile, found),
            "steps": [step.as_dict() for step in found],
        }

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The forms that a front end may choose from."""
        return {"text/plain": self.text, "text/html": self.html, MIME: self.data}

    def __repr__(self) -> str:
        return self.text
