"""`frame.loc` and `frame.iloc`: rows by condition or by place, with columns by name or by place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.operators import Operand
from luma_bench.frame.unchanging import Reaching

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


class Located(Reaching):
    """`frame.loc[condition]`, `frame.loc[condition, columns]`: there are no labels of rows."""

    __slots__ = ("_frame",)

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        rows, columns = _split(key)
        chosen = self._frame
        if not _is_all(rows):
            if callable(rows) and not isinstance(rows, Operand):
                rows = rows(chosen)
            if not isinstance(rows, Operand):
                raise UnsupportedError(
                    f"loc[{rows!r}] names a row by its label, and rows have none.",
                    hint="Give a condition: loc[frame.x > 0, columns]; or a place: iloc[0:10].",
                )
            chosen = chosen[rows]
        return chosen if columns is None else chosen[_named(chosen, columns)]


class Placed(Reaching):
    """`frame.iloc[a:b]`, `frame.iloc[n]`, `frame.iloc[rows, columns]`: rows by their place in the frame's order."""

    __slots__ = ("_frame",)

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        rows, columns = _split(key)
        chosen = self._frame
        if columns is not None:
            names = chosen.columns
            picked = _at(names, columns)
            chosen = chosen[picked] if isinstance(picked, list) else chosen[[picked]]
            if not isinstance(picked, list):
                found = _placed(chosen, rows)
                return found[picked]
        return _placed(chosen, rows)


class Cell(Reaching):
    """`series.iloc[n]`, `series.iloc[a:b]` and `series.loc[condition]`."""

    __slots__ = ("_labels", "_series")

    def __init__(self, series: Series, *, labels: bool = False) -> None:
        self._series = series
        self._labels = labels

    def __getitem__(self, key: Any) -> Any:
        series = self._series
        if isinstance(key, Operand) or (self._labels and not _is_all(key)):
            return (
                Located(series.to_frame())[key][series.name] if not isinstance(key, Operand) else series[key]
            )
        return _placed(series.to_frame(), key)[series.name]


def check_names(names: Sequence[Any], what: str) -> None:
    """Refuse truth values and numbers where columns are named: they are meant for rows.

    Raises
    ------
    UnsupportedError
        With the way to choose rows.
    """
    if names and all(isinstance(one, bool | np.bool_) for one in names):
        raise UnsupportedError(
            f"{what} got a list of truth values, and takes names of columns.",
            hint="Rows are chosen by a condition: frame[frame.x > 0].",
        )
    if names and all(isinstance(one, int | np.integer) for one in names):
        raise UnsupportedError(
            f"{what} got {list(names)!r}, and takes names of columns: rows have no labels.",
            hint="Rows are chosen by a condition, frame[frame.x > 0], or by place, frame.iloc[0:10].",
        )


def _split(key: Any) -> tuple[Any, Any]:
    if isinstance(key, tuple):
        if len(key) != 2:
            raise UnsupportedError(
                f"A frame has rows and columns, and [{key!r}] names {len(key)}.", hint="Give two."
            )
        return key[0], None if _is_all(key[1]) else key[1]
    return key, None


def _is_all(key: Any) -> bool:
    return isinstance(key, slice) and key == slice(None)


def _named(frame: DataFrame, columns: Any) -> Any:
    """Column names of a name, a list, a list of truth values, or a slice from one name to another, both included."""
    if isinstance(columns, slice):
        names = frame.columns
        for end in (columns.start, columns.stop):
            if end is not None:
                frame.check_column(end)
        first = 0 if columns.start is None else names.index(columns.start)
        last = len(names) if columns.stop is None else names.index(columns.stop) + 1
        return names[first : last : columns.step]
    if isinstance(columns, list) and columns and all(isinstance(one, bool) for one in columns):
        return [name for name, wanted in zip(frame.columns, columns, strict=True) if wanted]
    return columns


def _at(names: Sequence[str], places: Any) -> Any:
    if isinstance(places, slice):
        return list(names[places])
    if isinstance(places, list | tuple):
        return [_at(names, place) for place in places]
    if not isinstance(places, int) or not -len(names) <= places < len(names):
        raise SchemaError(
            f"There is no column at {places!r}; the frame has {len(names)}.",
            hint="Columns are counted from 0.",
        )
    return names[places]


def _placed(frame: DataFrame, rows: Any) -> Any:
    """Rows by place: a slice gives a frame, a number a dict of the row's values."""
    if isinstance(rows, slice):
        return _sliced(frame, rows)
    if isinstance(rows, list | tuple):
        return frame.take(rows)
    if isinstance(rows, int) and not isinstance(rows, bool):
        one = frame.iloc[rows : rows + 1] if rows != -1 else frame.tail(1)
        found = one.to_arrow().to_pylist()
        if not found:
            raise SchemaError(f"There is no row at {rows}.", hint="Rows are counted from 0; see len(frame).")
        return found[0]
    raise UnsupportedError(
        f"iloc[{rows!r}] is no place.",
        hint="Give a number, a slice, or a list of numbers; a condition goes to loc.",
    )


def _sliced(frame: DataFrame, rows: slice) -> DataFrame:
    start, stop, step = rows.start, rows.stop, rows.step
    if step is not None and step < 1:
        raise UnsupportedError(
            f"iloc goes forward, and not by {step}.", hint="Turn the order around with sort_values first."
        )
    return frame.rows_from(start or 0, stop, 1 if step is None else step)
