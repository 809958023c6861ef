"""Narwhals' joins as plan nodes, with narwhals' names of columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from narwhals._utils import check_column_names_are_unique
from narwhals.exceptions import ColumnNotFoundError

from luma_bench.plan.nodes import Asof, Join, JoinColumn, JoinHow, Node

_HOWS: dict[str, JoinHow] = {
    "inner": "inner",
    "left": "left",
    "full": "outer",
    "cross": "cross",
    "semi": "semi",
    "anti": "anti",
}


def join_of(
    left: Node,
    right: Node,
    *,
    how: str,
    left_on: Sequence[str] | None,
    right_on: Sequence[str] | None,
    suffix: str,
) -> Join:
    """The join that narwhals' arguments mean: keys of the right side come out of a full join only."""
    pairs = tuple(zip(left_on or (), right_on or (), strict=True))
    _check(left, left_on or ())
    _check(right, right_on or ())
    kind = _HOWS[how]
    columns = [JoinColumn(name, name, None) for name in left.names]
    if kind not in ("semi", "anti"):
        hidden = () if kind == "outer" else right_on or ()
        columns += _right(left, right, hidden, suffix)
    check_column_names_are_unique([column.name for column in columns])
    return Join(left, right, kind, pairs, tuple(columns))


def asof_of(
    left: Node,
    right: Node,
    *,
    on: tuple[str, str],
    by: tuple[tuple[str, str], ...],
    strategy: Any,
    suffix: str,
) -> Asof:
    """The as-of join that narwhals' arguments mean.

    Raises
    ------
    NotImplementedError
        The strategy 'nearest'.
    """
    if strategy not in ("backward", "forward"):
        raise NotImplementedError(
            "Only 'backward' and 'forward' strategies are currently supported for frames of Luma Bench"
        )
    _check(left, [on[0], *(name for name, _ in by)])
    _check(right, [on[1], *(name for _, name in by)])
    hidden = {on[1], *(name for _, name in by)}
    columns = [JoinColumn(name, name, None) for name in left.names]
    columns += _right(left, right, hidden, suffix)
    check_column_names_are_unique([column.name for column in columns])
    return Asof(left, right, on, by, tuple(columns), forward=strategy == "forward")


def _right(left: Node, right: Node, hidden: Collection[str], suffix: str) -> list[JoinColumn]:
    return [
        JoinColumn(f"{name}{suffix}" if name in left.names else name, None, name)
        for name in right.names
        if name not in hidden
    ]


def _check(side: Node, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in side.names]
    if missing:
        raise ColumnNotFoundError.from_missing_and_available_column_names(missing, side.names)
