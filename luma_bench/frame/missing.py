"""The error for a name that a frame, a Series, an accessor or a grouping does not have: the nearest, and the way to pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from luma_bench.errors import nearest
from luma_bench.frame.absent import INSTEAD, note
from luma_bench.frame.expr import MissingAttributeError

_WAYS = {
    "DataFrame": "frame.to_pandas()",
    "Series": "series.to_pandas()",
    "DataFrameGroupBy": "frame.to_pandas().groupby(…)",
    "SeriesGroupBy": "frame.to_pandas().groupby(…)[…]",
}
"""How an object of pandas' kind is had from one of ours; a namespace is one of Series."""


def missing(
    owner: object, name: str, *, what: str, kind: str, columns: Iterable[str] = ()
) -> MissingAttributeError:
    """The error for a name that `owner` does not have.

    Parameters
    ----------
    what
        What the owner is, to begin the message with: `A frame has no column or method`.
    kind
        Pandas' word for it: `DataFrame`, `Series`, `Series.str`, `DataFrameGroupBy`, …
    columns
        Its columns, which are names too.
    """
    own = [item for item in dir(type(owner)) if not item.startswith("_")]
    near = nearest(name, [*own, *columns])
    meant = f"Did you mean {' or '.join(near)}? " if near else ""
    instead = note(INSTEAD, kind, name)
    if instead is not None:
        return MissingAttributeError(f"{what} {name!r}.", hint=f"Pandas has it. Here: {instead}")
    found = pandas_attribute(kind, name)
    if found is None:
        return MissingAttributeError(
            f"{what} {name!r}.", hint=f"{meant}All of pandas is behind .to_pandas()."
        )
    way = f"{_way(kind)}.{name}{'(…)' if callable(found) else ''}"
    return MissingAttributeError(
        f"{what} {name!r}; pandas has one.", hint=f"{meant}Take the rows to pandas: {way}."
    )


def pandas_attribute(kind: str, name: str) -> Any:
    """What pandas has under a name on one of its classes; None when it has nothing there.

    Pandas is loaded for it.
    """
    import pandas as pd

    place: Any = getattr(pd, kind.partition(".")[0], None) or getattr(pd.api.typing, kind, None)
    for part in kind.split(".")[1:]:
        place = getattr(place, part, None)
    return None if place is None or name.startswith("_") else getattr(place, name, None)


def _way(kind: str) -> str:
    root, dot, rest = kind.partition(".")
    return f"{_WAYS.get(root, 'frame.to_pandas()')}{dot}{rest}"
