"""Rows that become columns, columns that become rows, and rows that repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby import GroupBy
from luma_bench.frame.groupby_plan import Keys
from luma_bench.frame.merge import as_names
from luma_bench.frame.order import order_for
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.series import Series
from luma_bench.plan.expressions import Call, ColumnRef, Expression
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.functions import SUMMED
from luma_bench.plan.nodes import Distinct, Explode, Filter, Project
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

Keep = Literal["first", "last", False]


class Reshaping(Selecting):
    """Pivots, melts, elements of lists, repeated rows."""

    __slots__ = ()

    def duplicated(
        self,
        subset: str | Sequence[str] | None = None,
        keep: Keep = "first",
        *,
        by: str | Sequence[str] | None = None,
    ) -> Series:
        """Whether the row repeats another: each but the first (or last) of equal rows, or with `keep=False` all of them.

        Parameters
        ----------
        subset
            The columns that have to be equal; all of them by default. NULL equals NULL.
        by
            The order in which one row is the first; by default that of the frame.

        Examples
        --------
        >>> flights.duplicated("origin").sum() == len(flights) - 3
        True
        """
        return Series(cast("DataFrame", self), self._repeats(subset, keep, by, "duplicated"), "duplicated")

    def _repeats(self, subset: Any, keep: Keep, by: Any, what: str) -> Expression:
        names = self._plan.names if subset is None else as_names(subset)
        for name in names:
            self.check_column(name)
        keys = tuple(ColumnRef(name) for name in names)
        if keep is False:
            return Call("gt", (Window("size", (), keys), Constant(1)))
        if keep not in ("first", "last"):
            raise UnsupportedError(f"keep={keep!r} is not known.", hint="It is 'first', 'last' or False.")
        order = order_for(self, by, what=what)
        if keep == "last":
            order = tuple(key.reversed for key in order)
        return Call("gt", (Window("row_number", (), keys, order), Constant(1)))

    def drop_duplicates(
        self,
        subset: str | Sequence[str] | None = None,
        *,
        keep: Keep = "first",
        ignore_index: bool = False,
        by: str | Sequence[str] | None = None,
    ) -> Self:
        """One row of those that are equal: the first (or last), or with `keep=False` none of them.

        Parameters
        ----------
        subset
            The columns that have to be equal; all of them by default, and then the rows are in no order.
        by
            With `subset`: the order in which one row is the first; by default that of the frame.

        Raises
        ------
        UnsupportedError
            Which row stays is not decided: the frame is in no known order.

        Examples
        --------
        >>> len(flights.drop_duplicates("origin"))
        3
        """
        if subset is None and keep is not False and by is None:
            return self.with_plan(Distinct(self._plan))
        repeats = self._repeats(subset, keep, by, "drop_duplicates")
        return self.with_plan(Filter(self._plan, Call("not", (repeats,))))

    def value_counts(
        self,
        subset: str | Sequence[str] | None = None,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        dropna: bool = True,
    ) -> DataFrame:
        """How often each combination of values occurs: a frame with a column `count` (or `proportion`), most frequent first.

        Examples
        --------
        >>> flights.value_counts("origin").columns
        ['origin', 'count']
        """
        from luma_bench.frame.groupby_tables import counted

        names = self._plan.names if subset is None else as_names(subset)
        for name in names:
            self.check_column(name)
        groups = GroupBy(cast("DataFrame", self), Keys((), sort=False))
        columns = [(name, ColumnRef(name)) for name in names]
        return counted(groups, columns, normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)

    def explode(self, column: str | Sequence[str], ignore_index: bool = False) -> Self:
        """A row for each element of a list, the other columns repeated; a list without elements, or NULL, has one row of NULL.

        Several columns are taken apart side by side; the shorter list is filled up with NULLs.

        Examples
        --------
        >>> parts = flights.head(1)[["origin"]].assign(part=lambda f: f.origin.str.findall("."))
        >>> len(parts.explode("part"))
        3
        """
        names = as_names(column)
        schema = self[list(names)].schema
        for field in schema:
            kind = field.type
            if not (
                pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
            ):
                raise SchemaError(
                    f"explode() is for lists, and {field.name!r} holds {kind}.",
                    hint="Choose a column of lists.",
                )
        return self.with_plan(
            Explode(self._plan, names, tuple(schema.field(name).type.value_type for name in names))
        )

    def melt(
        self,
        id_vars: str | Sequence[str] | None = None,
        value_vars: str | Sequence[str] | None = None,
        var_name: str | None = None,
        value_name: str = "value",
        ignore_index: bool = True,
    ) -> Self:
        """A row for each of some columns: its name in `variable`, its value in `value`, beside the columns of `id_vars`.

        The rows of one row stay together; pandas has those of one column together.

        Raises
        ------
        SchemaError
            The columns hold values of different kinds.

        Examples
        --------
        >>> flights.head(2).melt("origin", ["month", "day"]).columns
        ['origin', 'variable', 'value']
        """
        kept = () if id_vars is None else as_names(id_vars)
        values = (
            tuple(name for name in self._plan.names if name not in kept)
            if value_vars is None
            else as_names(value_vars)
        )
        for name in (*kept, *values):
            self.check_column(name)
        if not values:
            raise SchemaError("melt() has no columns to melt.", hint="Leave a column out of id_vars.")
        kinds = kinds_of(self._plan)
        found = {kinds[name] for name in values}
        if len(found) > 1 and not found <= SUMMED:
            raise SchemaError(
                f"The columns to melt hold {' and '.join(sorted(found))}.",
                hint="Choose value_vars of one kind, or convert: astype(str).",
            )
        pairs = tuple(Call("named_value", (Constant(name), ColumnRef(name))) for name in values)
        shown = [(name, ColumnRef(name)) for name in kept]
        pair = next(f"pair{n}" for n in range(len(kept) + 1) if f"pair{n}" not in kept)
        listed = self.with_plan(Project(self._plan, (*shown, (pair, Call("list", pairs)))))
        long = listed.explode(pair)
        parts = (
            (var_name or "variable", Call("field", (ColumnRef(pair), Constant("name")))),
            (value_name, Call("field", (ColumnRef(pair), Constant("value")))),
        )
        return self.with_plan(Project(long.plan, (*shown, *parts)))

    def pivot_table(
        self,
        values: str | Sequence[str] | None = None,
        index: str | Sequence[str] | None = None,
        columns: str | Sequence[str] | None = None,
        aggfunc: Any = "mean",
        fill_value: object = None,
        margins: bool = False,
        dropna: bool = True,
        observed: bool = True,
        sort: bool = True,
        *,
        among: Sequence[object] | None = None,
    ) -> DataFrame:
        """A row for each value of `index`, a column for each value of `columns`, and a reduction in each cell.

        Parameters
        ----------
        values
            What is reduced; by default every column of numbers that is no key. Of several, columns are named
            `value_column`, and of several reductions `aggregate_value_column`.
        among
            The values of `columns`, where they are known: else one query asks for them now.

        Raises
        ------
        UnsupportedError
            There would be more than 2,000 columns.

        Examples
        --------
        >>> flights.pivot_table("distance", index="month", columns="origin", aggfunc="max").columns
        ['month', 'EWR', 'JFK', 'LGA']
        """
        from luma_bench.frame.pivot import pivoted

        if margins:
            raise UnsupportedError(
                "pivot_table(margins=True) is not served.", hint="Group by index alone for the totals."
            )
        return pivoted(
            cast("DataFrame", self),
            values,
            index,
            columns,
            aggfunc,
            fill_value,
            dropna=dropna,
            sort=sort,
            among=among,
        )

    def pivot(
        self, *, columns: str, index: str | Sequence[str], values: str | Sequence[str] | None = None
    ) -> DataFrame:
        """A row for each value of `index`, a column for each value of `columns`: no two rows may meet in one cell.

        Raises
        ------
        SchemaError
            Two rows meet in one cell.

        Examples
        --------
        >>> counted = flights.groupby(["month", "origin"]).size("flights")
        >>> counted.pivot(columns="origin", index="month", values="flights").columns
        ['month', 'EWR', 'JFK', 'LGA']
        """
        keys = [*as_names(index), columns]
        frame = cast("DataFrame", self)
        repeated = frame[frame.duplicated(keys, keep=False)].head(1)[keys].to_arrow().to_pylist()
        if repeated:
            raise SchemaError(
                f"Several rows meet in the cell {repeated[0]}.",
                hint="Use pivot_table(…, aggfunc=…) to reduce them.",
            )
        wanted = values
        if wanted is None:
            wanted = [name for name in self._plan.names if name not in keys]
        return self.pivot_table(wanted, index, columns, "any_value", dropna=False)
