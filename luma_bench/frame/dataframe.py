"""`lb.DataFrame`: a lazy, pandas-style frame over the tables of a bench, put together from one class a theme."""

from __future__ import annotations

from typing import Any

from luma_bench.frame.applying import Applying
from luma_bench.frame.columnwise import Columnwise
from luma_bench.frame.constructing import Constructing
from luma_bench.frame.filing import Filing
from luma_bench.frame.grouping import Grouping
from luma_bench.frame.joining import Joining
from luma_bench.frame.missing import missing
from luma_bench.frame.moving import Moving
from luma_bench.frame.ordering import Ordering
from luma_bench.frame.out import Leaving
from luma_bench.frame.plotting import Plotting
from luma_bench.frame.reshaping import Reshaping
from luma_bench.frame.statistics import Statistics
from luma_bench.frame.telling import Telling
from luma_bench.frame.windowing import Windowing
from luma_bench.plan.nodes import SortKey, Table
from luma_bench.types.executor import Executor


class DataFrame(
    Columnwise,
    Applying,
    Ordering,
    Windowing,
    Moving,
    Grouping,
    Joining,
    Reshaping,
    Statistics,
    Plotting,
    Leaving,
    Filing,
    Telling,
    Constructing,
):
    """A lazy frame: `bench.table("flights")`, and whatever its methods make of it.

    It has pandas' names and no index. Every method gives a new frame at once; column names are checked when it is
    built, and nothing runs until rows or a count are asked for. Rows are in stored order, then in the order of the
    last `sort_values`; after joins and groupings they are in none until sorted.
    """

    __slots__ = ()

    @classmethod
    def scan(cls, executor: Executor, table: str) -> DataFrame:
        """The whole stored table at the executor's snapshot.

        Raises
        ------
        CatalogError
            There is no such table.
        """
        order = executor.order(table)
        keys = tuple(SortKey(name) for name in order or ())
        return cls(executor, Table(table, executor.snapshot, executor.schema(table), keys, order is not None))

    def __getattr__(self, name: str) -> Any:
        # The plan is unset while a copy or a pickle is being built.
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._plan.names:
            return self[name]
        what = "A frame has no column or method"
        raise missing(self, name, what=what, kind="DataFrame", columns=self._plan.names)
