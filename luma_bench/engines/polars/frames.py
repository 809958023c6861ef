"""A node's rows: a lazy frame with columns `c0`, `c1`, …, what is known of each, and how many rows there can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan

import polars as pl

from luma_bench.engines.polars.values import Value

_SAMPLE, _PLACES = 8192, 8
_UNKNOWN = 0.3
"""The share of rows that a filter lets pass of which nothing can be told."""
MOST_ROWS = 1 << 48
"""More rows than any run lives to see."""
Collect = Callable[[pl.LazyFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are not computed yet.

    Attributes
    ----------
    columns
        Of `c0`, `c1`, …; their expressions are these names.
    most
        No more rows than this.
    likely, whole
        How many there probably are, and were before any filter: only the order of joins depends on it.
    sample
        Some of the rows, by which filters are judged; None behind a join or groups.
    """

    frame: pl.LazyFrame
    columns: tuple[Value, ...]
    most: int
    likely: float = float("nan")
    whole: float = float("nan")
    sample: pl.DataFrame | None = None

    @property
    def names(self) -> list[str]:
        """`c0`, `c1` and so on."""
        return titles(len(self.columns))

    @property
    def expected(self) -> float:
        """How many rows there probably are."""
        return float(self.most) if isnan(self.likely) else self.likely

    @property
    def unfiltered(self) -> float:
        """How many there were before any filter."""
        return self.expected if isnan(self.whole) else self.whole

    def filtered(self, condition: pl.Expr) -> Rows:
        """Those for which a condition is TRUE."""
        sample = None if self.sample is None else self.sample.filter(condition)
        share = _UNKNOWN
        if sample is not None and self.sample is not None and self.sample.height:
            share = max(sample.height, 0.5) / self.sample.height
        return replace(
            self,
            frame=self.frame.filter(condition),
            likely=self.expected * share,
            whole=self.unfiltered,
            sample=sample,
        )

    def distinct(self, value: Value) -> float:
        """How many different values a computed column has, at most."""
        if isinstance(value.dtype, pl.Enum):
            return max(1.0, float(len(value.dtype.categories)))
        if value.kind.family in ("integer", "date", "boolean"):
            low, high = value.range.measured()
            return max(1.0, min(self.unfiltered, float(high - low + 1)))
        return max(1.0, self.unfiltered)


def titles(width: int, first: int = 0) -> list[str]:
    """Names of columns by position."""
    return [f"c{first + at}" for at in range(width)]


def column(value: Value, name: str, *, nullable: bool | None = None) -> Value:
    """What is known of a computed value, as a column of this name."""
    found = value.over(pl.col(name))
    return found if nullable is None else replace(found, nullable=nullable)


def selected(rows: Rows, values: Sequence[Value]) -> Rows:
    """Rows with these values, over their columns, as columns."""
    names = titles(len(values))
    made = [value.expr.alias(name) for value, name in zip(values, names, strict=True)]
    frame, sample = rows.frame, rows.sample
    # Constants alone would make a single row.
    if values and all(value.constant is not None for value in values):
        frame = frame.with_columns(made).select(names)
        sample = None if sample is None else sample.with_columns(made).select(names)
    else:
        frame = frame.select(made)
        sample = None if sample is None else sample.select(made)
    columns = tuple(column(value, name) for value, name in zip(values, names, strict=True))
    return replace(rows, frame=frame, columns=columns, sample=sample)


def sampled(frame: pl.DataFrame) -> pl.DataFrame:
    """A few thousand rows of a table, from several places."""
    step = frame.height // _PLACES
    if frame.height <= _SAMPLE:
        return frame
    return pl.concat([frame.slice(at * step, _SAMPLE // _PLACES) for at in range(_PLACES)])
