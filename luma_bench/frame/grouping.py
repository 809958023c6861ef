"""Groups and distinct rows of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from luma_bench.frame.groupby import GroupBy
from luma_bench.frame.groupby_keys import keys_of
from luma_bench.frame.selecting import Selecting

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Grouping(Selecting):
    """Groups, and rows that differ."""

    __slots__ = ()

    def groupby(
        self,
        by: Any = None,
        level: None = None,
        *,
        as_index: bool = True,
        sort: bool = True,
        group_keys: bool = True,
        observed: bool = True,
        dropna: bool = True,
    ) -> GroupBy:
        """Groups by columns, by Series of the frame, or by spans of time.

        Parameters
        ----------
        by
            A column name, a Series such as `frame.dep.dt.year` (its name is the key's), a `pandas.Grouper` with a key,
            or a list of these.
        as_index, group_keys
            Taken as pandas takes them, without effect: there is no index, and keys come out as columns.
        sort
            Put the groups in the order of their keys, NULL last. Without it they are in no order.
        observed
            Only groups that have rows are there; False is refused.
        dropna
            Leave out the rows where a key is NULL; with False, NULL is a key like others. NaN is one in any case.

        Raises
        ------
        SchemaError
            A column does not exist.
        UnsupportedError
            There is no key, or it is one that only an index has: a level, a dictionary, a function.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].mean().columns
        ['origin', 'dep_delay']
        >>> flights.groupby(["origin", flights.time_hour.dt.year.rename("year")]).size().columns
        ['origin', 'year', 'size']
        """
        frame = cast("DataFrame", self)
        return GroupBy(frame, keys_of(frame, by, level=level, observed=observed, dropna=dropna, sort=sort))
