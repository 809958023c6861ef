"""Which columns of a frame a picture shows, where the caller leaves it open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.errors import UnsupportedError
from luma_bench.frame.plotting_lines import Lines
from luma_bench.frame.plotting_source import Source
from luma_bench.plan.kinds import kind_of_type
from luma_bench.plot.picture import PlotError

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame

_USUAL = {"lon": ("lon", "longitude", "lng", "long"), "lat": ("lat", "latitude")}
"""Usual names of columns of degrees."""


class Picked:
    """A frame whose columns are picked for a picture."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def _source(self, names: Sequence[str | None] | None = None) -> Source:
        known = None if names is None else [name for name in names if name is not None]
        return Source.of(self._frame, known)

    def _columns(self, y: str | Sequence[str] | None, *, without: str | None = None) -> tuple[str, ...]:
        if isinstance(y, str):
            self._frame.check_column(y)
            return (y,)
        names = [name for name in self._source().numbers if name != without] if y is None else list(y)
        for name in names:
            self._frame.check_column(name)
        if not names:
            raise PlotError("There is no numeric column to draw.", hint="Convert one with astype(…).")
        return tuple(names)

    def _lines(
        self, kind: Any, x: str | None, y: str | Sequence[str] | None, color: str | None, *, stacked: bool
    ) -> Lines:
        for name in (x, color):
            if name is not None:
                self._frame.check_column(name)
        heights = tuple(name for name in self._columns(y) if y is not None or name not in (x, color))
        if not heights:
            raise PlotError("There is no numeric column to draw besides x.", hint="Name one as y.")
        return Lines(self._source([x, color, *heights]), x, heights, color, kind, stacked)

    def _named(self, x: str | None, y: str | Sequence[str] | None) -> tuple[str | None, tuple[str, ...]]:
        source = self._source()
        if x is None:
            others = [name for name in source.types if name not in source.numbers]
            x = next(
                (name for name in others if kind_of_type(source.types[name]) not in ("other", "bytes")), None
            )
        else:
            self._frame.check_column(x)
        heights = tuple(name for name in self._columns(y) if y is not None or name != x)
        if not heights:
            raise PlotError("There is no numeric column to draw besides x.", hint="Name one as y.")
        return x, heights

    def _usual(self, what: str) -> str:
        known = {name.casefold(): name for name in self._frame.columns}
        for name in _USUAL[what]:
            if name in known:
                return known[name]
        raise UnsupportedError(f"Which column holds {_USUAL[what][1]}s?", hint=f"Name it: {what}=….")
