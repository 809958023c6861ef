"""What a picture may be told of its looks, and what of pandas' options belongs to matplotlib alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypedDict

from luma_bench.errors import UnsupportedError, nearest
from luma_bench.plot.figure import Chart
from luma_bench.plot.picture import Picture

_INCH = 80
"""Pixels of an inch of `figsize`."""

_KINDS = "line, area, bar, barh, scatter, hist, box, density, heatmap and map"


class Look(TypedDict, total=False):
    """Options of every picture.

    `title` stands above it; `xlabel` and `ylabel` take the place of the columns' names; `figsize` is width and height
    in inches, 11 by 5.5 by default.
    """

    title: str
    xlabel: str
    ylabel: str
    figsize: tuple[float, float]


def check_look(look: Mapping[str, Any], more: tuple[str, ...] = ()) -> None:
    """Refuse an option that is not known.

    Raises
    ------
    UnsupportedError
        With where plotly has what matplotlib's option does.
    """
    known = (*Look.__annotations__, *more)
    for name in look:
        if name in known:
            continue
        near = nearest(name, known)
        raise UnsupportedError(
            f"plot does not take {name!r}.",
            hint=(f"Did you mean {' or '.join(near)}? " if near else "")
            + f"It takes {', '.join(known)}; the rest of a picture's looks is plotly's: chart.figure.update_layout(…).",
        )


def chart_of(picture: Picture, look: Look) -> Chart:
    """The picture with its title and labels, ready to be looked at."""
    x, y = picture.x, picture.y
    if "xlabel" in look:
        x = replace(x, label=look["xlabel"])
    if "ylabel" in look:
        y = replace(y, label=look["ylabel"])
    wide, tall = look.get("figsize", (11.0, 5.5))
    if not (1 <= wide <= 60 and 1 <= tall <= 60):
        raise UnsupportedError(
            f"figsize={look.get('figsize')!r} cannot be drawn.",
            hint="Give width and height in inches: (11, 5.5).",
        )
    made = replace(picture, title=look.get("title", ""), x=x, y=y)
    return Chart(made, round(wide * _INCH), round(tall * _INCH))


def refuse_pie() -> UnsupportedError:
    """Why there is no pie."""
    return UnsupportedError(
        "There are no pies: angles cannot be compared, and lengths can.",
        hint="Use plot.barh(…) on the sorted frame, or to_pandas().plot.pie(…).",
    )


def refuse_hexbin() -> UnsupportedError:
    """Why there are no hexagons."""
    return UnsupportedError(
        "Cells are rectangles here, not hexagons.",
        hint="Use plot.heatmap(x=…, y=…), with value= and agg= for what hexbin calls C and reduce_C_function.",
    )


def unknown_kind(kind: object, known: tuple[str, ...]) -> UnsupportedError:
    """The error of a kind that does not exist."""
    near = nearest(str(kind), known)
    return UnsupportedError(
        f"There is no kind of picture {kind!r}.",
        hint=(f"Did you mean {' or '.join(near)}? " if near else "") + f"The kinds are {_KINDS}.",
    )
