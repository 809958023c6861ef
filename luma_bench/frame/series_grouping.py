"""`series.groupby(keys)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from luma_bench.frame.operators import Operand

if TYPE_CHECKING:
    from luma_bench.frame.groupby_series import SeriesGroupBy
    from luma_bench.frame.series import Series


class Grouped(Operand):
    """Groups of a column's values."""

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
    ) -> SeriesGroupBy:
        """Groups of the values by other Series of the frame, or by the frame's columns; parameters as of `DataFrame.groupby`.

        Raises
        ------
        SchemaError
            A column does not exist.
        UnsupportedError
            There is no key, or it is one that only an index has.

        Examples
        --------
        >>> (flights.arr_delay - flights.dep_delay).rename("lost").groupby(flights.carrier).mean().columns
        ['carrier', 'lost']
        """
        from luma_bench.frame.groupby_keys import keys_of
        from luma_bench.frame.groupby_series import SeriesGroupBy

        series = cast("Series", self)
        keys = keys_of(series.frame, by, level=level, observed=observed, dropna=dropna, sort=sort)
        return SeriesGroupBy(series.frame, keys, ((series.name, series.expression),))
