"""What every grouped frame or column is: a frame, keys, and the columns that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.errors import SchemaError
from luma_bench.frame.estimate import rows_of
from luma_bench.frame.groupby_measures import Scope, measured, named_measure, present
from luma_bench.frame.groupby_plan import Column, Keys, check_of_group, is_reduction, one_row_each
from luma_bench.frame.unchanging import Named
from luma_bench.plan.expressions import Case, ColumnRef, Expression, Literal, all_of
from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of
from luma_bench.plan.nodes import Project
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series

_NUMBERS = frozenset[Kind](("bool", "int", "real", "decimal", "interval"))


class Groups(Named):
    """Groups of a frame's rows. Nothing runs until rows of a result are asked for."""

    __slots__ = ("_chosen", "_frame", "_keys")

    def __init__(self, frame: DataFrame, keys: Keys, chosen: tuple[Column, ...] | None = None) -> None:
        self._frame = frame
        self._keys = keys
        self._chosen = chosen

    @property
    def keys(self) -> list[str]:
        """The names of the key columns.

        Examples
        --------
        >>> flights.groupby(["origin", "dest"]).keys
        ['origin', 'dest']
        """
        return list(self._keys.names)

    @property
    def ndim(self) -> int:
        """2 for groups of a frame, 1 for groups of a column.

        Examples
        --------
        >>> flights.groupby("origin").ndim
        2
        """
        return 2

    def __repr__(self) -> str:
        frame, names = self._frame, ", ".join(self._keys.names)
        rows = rows_of(frame.plan, frame.executor)
        chosen = "" if self._chosen is None else f" of {', '.join(name for name, _ in self._chosen)}"
        return f"lb.{type(self).__name__}{chosen} by {names} of {rows}"

    @property
    def _scope(self) -> Scope:
        return Scope(self._frame, self._keys.expressions)

    @property
    def _values(self) -> tuple[Column, ...]:
        """The columns that were chosen, or all that are no keys."""
        if self._chosen is not None:
            return self._chosen
        return tuple(
            (name, ColumnRef(name))
            for name in self._frame.plan.names
            if name not in self._keys.plain and name not in self._keys.spans
        )

    def _kind(self, expression: Expression) -> Kind:
        return kind_of(expression, kinds_of(self._frame.plan))

    def _numbers(self) -> tuple[Column, ...]:
        """The columns that hold numbers."""
        return tuple(column for column in self._values if self._kind(column[1]) in _NUMBERS)

    def _one_each(self, measures: Sequence[Column]) -> DataFrame:
        """A row a group: the keys, then the measures."""
        return self._frame.with_plan(one_row_each(self._frame.plan, self._keys, measures))

    def _measure(self, column: Column, function: object, **options: Any) -> Expression:
        """What a reduction, by name or as a function of the group's column, is."""
        name, operand = column
        known = named_measure(function)
        if known is not None:
            given = {**known.options, **options}
            return measured(self._scope, known.name, name, operand, self._kind(operand), **given)
        if not callable(function):
            raise SchemaError(
                f"{function!r} is no aggregate.", hint="Name one, such as 'mean', or give a function."
            )
        return self._asked(function, column, **options)

    def _asked(self, function: Callable[..., object], column: Column, **options: Any) -> Expression:
        """What a Python function says of a column of the group, called once with a stand-in."""
        from luma_bench.frame.groupby_stand_in import Group, asked

        group = Group.of(self._scope)
        expression = asked(function, group.column(*column), options)
        check_of_group(expression, self._scope.partition, column[0])
        return expression

    def _applied(
        self, function: Callable[..., object], subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """What a function gave of the group: values a group, or a value a row."""
        from luma_bench.frame.groupby_stand_in import expressions_of

        name = self._values[0][0] if self.ndim == 1 else "value"
        made = expressions_of(function, subject, args, kwargs)
        if isinstance(made, Mapping):
            for label, expression in made.items():
                check_of_group(expression, self._scope.partition, label)
            return self._one_each(list(made.items()))
        check_of_group(made, self._scope.partition, name)
        if is_reduction(made, self._scope.partition):
            return self._one_each([(name, made)])
        return self._row_series(name, made)

    def _present(self, expression: Expression) -> Expression:
        """The expression; NULL in rows that are in no group, since a key is NULL."""
        if not self._keys.dropna or not self._keys.columns:
            return expression
        return Case(((all_of(present(self._keys.expressions)), expression),), Literal(None))

    def _row_frame(self, columns: Sequence[Column]) -> DataFrame:
        """The frame's rows with these columns alone."""
        shown = tuple((name, self._present(expression)) for name, expression in columns)
        return self._frame.with_plan(Project(self._frame.plan, shown))

    def _row_series(self, name: str, expression: Expression) -> Series:
        from luma_bench.frame.series import Series

        return Series(self._frame, self._present(expression), name)
