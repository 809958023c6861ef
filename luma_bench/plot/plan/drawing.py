"""A profile as one static SVG, drawn here without a browser, a script or a font file."""

from __future__ import annotations

import html
from itertools import accumulate

from luma_bench.plan.profile import Profile
from luma_bench.plot.pieces import printable
from luma_bench.plot.plan.head import above, below
from luma_bench.plot.plan.rows import columns, edges, height, operator, titles
from luma_bench.plot.plan.steps import Step, steps
from luma_bench.plot.plan.style import FONT
from luma_bench.types.record import seconds_text

WIDTH = 960
"""The width of a drawing in pixels; a narrower page shrinks it."""


def draw(profile: Profile, found: tuple[Step, ...] | None = None) -> str:
    """The drawing as one `<svg>` element.

    Its ink is the page's (`currentColor`). Each operator is a group `g.luma-step` with its number as `data-step`, which
    is what a front end unfolds and moves.
    """
    found = steps(profile) if found is None else found
    places = columns(found, WIDTH)
    head, y = above(profile, WIDTH)
    marks = titles(places, y + 12)
    y += 20
    tops = [y + before for before in accumulate((height(step) for step in found), initial=0.0)]
    body = [
        *edges(found, tops),
        *(operator(step, top, places) for step, top in zip(found, tops, strict=False)),
    ]
    foot, end = below(profile, tops[-1], WIDTH)
    tall = int(end + 16)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="luma-plan" width="{WIDTH}" height="{tall}" '
        f'viewBox="0 0 {WIDTH} {tall}" role="img" aria-label="{html.escape(printable(title(profile, found)))}" '
        f'style="max-width:100%;height:auto" color="inherit" font-family="{html.escape(FONT)}">'
        f"<g>{''.join(head)}{''.join(marks)}</g>"
        f'<g class="luma-steps" data-top="{y:g}">{"".join(body)}</g>'
        f'<g class="luma-foot" data-top="{tops[-1]:g}">{"".join(foot)}</g></svg>'
    )


def title(profile: Profile, found: tuple[Step, ...]) -> str:
    """What the drawing shows, in a sentence."""
    took = f", took {seconds_text(profile.totals['seconds'])}" if profile.totals else ""
    count = len(found)
    return f"Plan on {profile.engine} at snapshot {profile.snapshot}: {count} operator{'' if count == 1 else 's'}{took}"
