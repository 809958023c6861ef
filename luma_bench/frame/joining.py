"""Several frames brought together: `merge`, `merge_asof`, `join`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.meeting import meeting, other_of
from luma_bench.frame.merge import join_of
from luma_bench.frame.merge_checks import check_unique, sorted_by_keys, with_indicator
from luma_bench.frame.selecting import Selecting
from luma_bench.plan.nodes import Join, Node

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Joining(Selecting):
    """Rows of several frames beside one another."""

    __slots__ = ()

    def merge(
        self,
        right: Any,
        how: str = "inner",
        on: str | Sequence[str] | None = None,
        left_on: str | Sequence[str] | None = None,
        right_on: str | Sequence[str] | None = None,
        left_index: bool = False,
        right_index: bool = False,
        sort: bool = False,
        suffixes: tuple[str | None, str | None] = ("_x", "_y"),
        *,
        indicator: bool | str = False,
        validate: str | None = None,
    ) -> Self:
        """Rows of both frames whose keys are equal; NULL equals nothing. They are in no order until sorted.

        Parameters
        ----------
        right
            A frame or Series of the same bench and snapshot, a frame of data or of files, or data itself: Arrow, pandas,
            Polars, or a dict of lists.
        how
            'inner', 'left', 'right', 'outer', 'cross', 'semi' (left rows that have a match) or 'anti' (that have none).
        on, left_on, right_on
            Key columns; by default those whose names both frames have. Whole numbers meet other numbers, and dates times.
        left_index, right_index
            There is no index: leave them out.
        sort
            Whether the rows come in the order of the keys.
        suffixes
            Added to other columns that both frames have.
        indicator
            Whether a column `_merge` (or of the name that is given) says where a row is from: 'left_only', 'right_only'
            or 'both'.
        validate
            'one_to_one' (or '1:1'), 'one_to_many' ('1:m') or 'many_to_one' ('m:1'): keys that must be unique are looked
            at now, by a query a side.

        Raises
        ------
        SchemaError
            A key does not exist, its kinds differ, or two columns would have one name.
        ConstraintError
            Keys stand more than once where `validate` says they do not.
        UnsupportedError
            The frames are of different benches or snapshots, or an argument has no meaning here.

        Examples
        --------
        >>> flights.merge(airports, left_on="origin", right_on="iata").shape[0] == len(flights)
        True
        """
        if left_index or right_index:
            raise UnsupportedError(
                "A frame has no index to merge on.", hint="Name the columns: on=, or left_on= and right_on=."
            )
        other = other_of(self, right)
        joined = join_of(
            self._plan, other.plan, how=how, on=on, left_on=left_on, right_on=right_on, suffixes=suffixes
        )
        executor = meeting(self, other)
        check_unique(self, other, joined.on, validate)
        plan: Node = with_indicator(joined, indicator) if indicator else joined
        if sort:
            plan = sorted_by_keys(plan, _names_of_keys(joined), joined.on)
        return type(self)(executor, plan)

    def join(
        self,
        other: Any,
        on: str | Sequence[str] | None = None,
        how: str = "left",
        lsuffix: str = "",
        rsuffix: str = "",
        sort: bool = False,
        validate: str | None = None,
    ) -> Self:
        """Rows of this frame, and beside them those of another (or of several) with the same keys.

        pandas joins by the index; there is none, so `on` names columns that all frames have.

        Parameters
        ----------
        other
            A frame, data, or a list of them.
        on
            Key columns.
        how, sort, validate
            As for `merge`.
        lsuffix, rsuffix
            Added to other columns that both have.

        Raises
        ------
        UnsupportedError
            Without `on`, or when both frames have a column and there is no suffix.

        Examples
        --------
        >>> flights.join(bench.table("airlines"), on="carrier").columns[-1]
        'name'
        """
        if on is None and how != "cross":
            raise UnsupportedError("A frame has no index to join on.", hint="Name the key columns: on=….")
        frame = self
        for item in other if isinstance(other, list | tuple) else [other]:
            frame = frame.merge(item, how, on, sort=sort, suffixes=(lsuffix, rsuffix), validate=validate)
        return frame

    def merge_asof(
        self,
        right: Any,
        on: str | None = None,
        *,
        left_on: str | None = None,
        right_on: str | None = None,
        by: str | Sequence[str] | None = None,
        left_by: str | Sequence[str] | None = None,
        right_by: str | Sequence[str] | None = None,
        suffixes: tuple[str | None, str | None] = ("_x", "_y"),
        tolerance: float | str | dt.timedelta | None = None,
        allow_exact_matches: bool = True,
        direction: str = "backward",
    ) -> DataFrame:
        """Each row of this frame beside the nearest row of another; see `lb.merge_asof`.

        Examples
        --------
        >>> trades = lb.from_dict({"t": [2, 5], "n": [1, 1]})
        >>> trades.merge_asof({"t": [1, 4, 6], "price": [10, 40, 60]}, on="t").sort_values("t").price.to_list()
        [10, 40]
        """
        from luma_bench.frame.merge_asof import merge_asof

        return merge_asof(
            cast("DataFrame", self),
            right,
            on=on,
            left_on=left_on,
            right_on=right_on,
            by=by,
            left_by=left_by,
            right_by=right_by,
            suffixes=suffixes,
            tolerance=tolerance,
            allow_exact_matches=allow_exact_matches,
            direction=direction,
        )


def _names_of_keys(joined: Join) -> dict[str, str]:
    """Under which name the left side's keys come out."""
    return {
        column.left or column.name: column.name
        for column in joined.columns
        if column.left is not None or any(left == right == column.name for left, right in joined.on)
    }


def frame_of(data: Any) -> Frame:
    """A frame as it is, or one of data that belongs to no bench."""
    from luma_bench.frame.dataframe import DataFrame

    if isinstance(data, Frame):
        return data
    if hasattr(data, "frame") and hasattr(data, "expression"):
        return data.to_frame()
    return DataFrame(data)
