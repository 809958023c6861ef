"""Terms: plan expressions with Python's operators, and the aggregates among them that wait for a window or a grouping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from luma_bench.frame.expr import binary
from luma_bench.frame.expr import literal as checked
from luma_bench.plan.expressions import (
    AggregateCall,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    IsNull,
    Literal,
    fold,
    rewrite,
)
from luma_bench.plan.functions import AGGREGATES, WINDOWS, Kind
from luma_bench.plan.kinds import kind_of_call, kind_of_sql, kind_of_value, widest
from luma_bench.plan.window import Between, Order, Window

WHOLE = Between(None, None)
"""The window of all rows of a partition, whatever its order."""


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate, or a function of windows, that is not yet over anything. It never stands in a plan.

    A grouping makes an `AggregateCall` of it, `over` a `Window`.
    """

    function: str
    args: tuple[Expression, ...] = ()
    order: tuple[Order, ...] = ()

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments belong to the rows below, so that nothing walks into them."""
        return ()

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """Itself."""
        return cast("Expression", self)

    def call(self) -> AggregateCall:
        """The aggregate over a group."""
        operand = self.args[0] if self.args else None
        more = self.args[1] if len(self.args) > 1 else None
        if AGGREGATES[self.function].pair:
            return AggregateCall(self.function, operand, other=more, order=self.order)
        parameter = more.value if isinstance(more, Literal) else None
        return AggregateCall(self.function, operand, parameter, order=self.order)

    def window(
        self,
        partition: tuple[Expression, ...],
        order: tuple[Order, ...],
        frame: Between | None,
        *,
        ignore_nulls: bool,
    ) -> Window:
        """The function over a window; `first` and `last` in their own order."""
        if self.order:
            return Window(f"{self.function}_value", self.args, partition, self.order, WHOLE)
        return Window(self.function, self.args, partition, order, frame, ignore_nulls)


class Term:
    """An expression over a frame's columns and its kind; operators follow SQL's NULL rules."""

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # == builds a term
    __slots__ = ("expression", "kind", "name")

    def __init__(self, expression: Expression, kind: Kind, name: str | None = None) -> None:
        self.expression = expression
        self.kind: Kind = kind
        self.name = name

    def named(self, name: str) -> Term:
        """The same under a name."""
        return Term(self.expression, self.kind, name)

    def _binary(self, function: str, other: Term) -> Term:
        return Term(*binary(function, (self.expression, self.kind), (other.expression, other.kind)))

    def __add__(self, other: Term) -> Term:
        return self._binary("add", other)

    def __sub__(self, other: Term) -> Term:
        return self._binary("sub", other)

    def __mul__(self, other: Term) -> Term:
        return self._binary("mul", other)

    def __truediv__(self, other: Term) -> Term:
        return self._binary("div", other)

    def __floordiv__(self, other: Term) -> Term:
        return self._binary("floordiv", other)

    def __mod__(self, other: Term) -> Term:
        return self._binary("mod", other)

    def __pow__(self, other: Term) -> Term:
        return self._binary("pow", other)

    def __eq__(self, other: Term) -> Term:  # type: ignore[override]
        return self._binary("eq", other)

    def __ne__(self, other: Term) -> Term:  # type: ignore[override]
        return self._binary("ne", other)

    def __lt__(self, other: Term) -> Term:
        return self._binary("lt", other)

    def __le__(self, other: Term) -> Term:
        return self._binary("le", other)

    def __gt__(self, other: Term) -> Term:
        return self._binary("gt", other)

    def __ge__(self, other: Term) -> Term:
        return self._binary("ge", other)

    def __and__(self, other: Term) -> Term:
        return self._binary("and", other)

    def __or__(self, other: Term) -> Term:
        return self._binary("or", other)

    def __invert__(self) -> Term:
        return scalar("not", self)

    def __neg__(self) -> Term:
        return scalar("neg", self)

    def between(self, lower: Term, upper: Term) -> Term:
        """Whether it is within both ends, which count."""
        return (self >= lower) & (self <= upper)

    def cast(self, type_: str) -> Term:
        """As a SQL type; a fraction is cut off on the way to a whole number."""
        kind = kind_of_sql(type_)
        cut = kind == "int" and self.kind in ("real", "decimal")
        operand = Call("trunc", (self.expression,)) if cut else self.expression
        return Term(Cast(operand, type_), kind)

    def is_null(self, *, negated: bool = False) -> Term:
        """Whether it is NULL, or is not."""
        return Term(IsNull(self.expression, negated), "bool")


def column(name: str, kind: Kind) -> Term:
    """A column of the frame."""
    return Term(ColumnRef(name), kind)


def constant(value: object) -> Term:
    """A Python value.

    Raises
    ------
    UnsupportedError
        It has no SQL constant.
    """
    return Term(checked(value), kind_of_value(value))


NULL = Term(Literal(None), "other")
"""NULL of no type."""


def scalar(function: str, *args: Term) -> Term:
    """A function of the plans' registry."""
    kind = kind_of_call(function, tuple(arg.kind for arg in args))
    return Term(Call(function, tuple(arg.expression for arg in args)), kind)


def measure(function: str, *args: Term, order: Sequence[str] = ()) -> Term:
    """An aggregate, or a function of windows, that is not yet over anything; NULLs first in its own order."""
    yields = (AGGREGATES.get(function) or WINDOWS[function]).yields
    kind: Kind = args[0].kind if yields == "first" else cast("Kind", yields)
    keys = tuple(Order(ColumnRef(name), nulls_last=False) for name in order)
    made = Measure(function, tuple(arg.expression for arg in args), keys)
    return Term(cast("Expression", made), kind)


def when(condition: Term, value: Term, otherwise: Term | None = None) -> Term:
    """A value where the condition is TRUE, else another, or NULL."""
    other = NULL if otherwise is None else otherwise
    kinds: tuple[Kind, ...] = tuple(term.kind for term in (value, other) if term.kind != "other")
    return Term(Case(((condition.expression, value.expression),), other.expression), widest(kinds))


def over(
    term: Term,
    partition: Sequence[str | Term] = (),
    order: Sequence[str | Term] = (),
    *,
    frame: Between | None = None,
    descending: Sequence[bool] | None = None,
    nulls_last: Sequence[bool] | None = None,
    ignore_nulls: bool = False,
) -> Term:
    """The term with every measure in it over a window."""
    down = descending or [False] * len(order)
    last = nulls_last or [False] * len(order)
    parts = tuple(_expression(part) for part in partition)
    keys = tuple(Order(_expression(key), *flags) for key, *flags in zip(order, down, last, strict=True))
    made = replaced(term.expression, lambda one: one.window(parts, keys, frame, ignore_nulls=ignore_nulls))
    return Term(made, term.kind, term.name)


def replaced(expression: Expression, change: Callable[[Measure], Expression]) -> Expression:
    """The tree with every measure replaced."""

    def visit(node: Expression) -> Expression:
        found: Any = node
        return change(found) if isinstance(found, Measure) else node

    return rewrite(expression, visit)


def has_measure(expression: Expression) -> bool:
    """Whether a measure stands anywhere in the tree."""
    return fold(expression, lambda node, below: isinstance(cast("Any", node), Measure) or any(below))


def _expression(part: str | Term) -> Expression:
    return ColumnRef(part) if isinstance(part, str) else part.expression
