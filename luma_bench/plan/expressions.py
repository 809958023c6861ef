"""Expression nodes: frozen trees over the columns of one relation, one value a row.

A node checks its own shape when it is built; the plan node that holds it checks its column names. Every pass over a
tree goes through `fold`, which walks with its own stack: a chain of hundreds of operations is no deeper for Python
than one of two, and a subtree that is shared is visited once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.functions import AGGREGATES, FUNCTIONS, Kind
from luma_bench.plan.window import Order, Origin, Window


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """The column `name` of the relation below."""

    name: str

    @property
    def children(self) -> tuple[Expression, ...]:
        """No operands."""
        return ()

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: a Python value that `plan.literals` can write."""

    value: object

    @property
    def children(self) -> tuple[Expression, ...]:
        """No operands."""
        return ()

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """Itself: it has none."""
        return self


@dataclass(frozen=True, slots=True)
class Call:
    """A scalar function or operator of the registry (`plan.functions`) over its arguments.

    Raises
    ------
    UnsupportedError
        The function is unknown or does not take this many arguments.
    """

    function: str
    args: tuple[Expression, ...]

    def __post_init__(self) -> None:
        known = FUNCTIONS.get(self.function)
        if known is None:
            raise UnsupportedError(
                f"There is no function {self.function!r} in plans.", hint=f"It has {', '.join(FUNCTIONS)}."
            )
        if not known.least <= len(self.args) <= known.most:
            raise UnsupportedError(
                f"{self.function} takes {known.least} to {known.most} arguments, not {len(self.args)}.",
                hint="Give it the arguments that its description in plan/functions.py names.",
            )

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments."""
        return self.args

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same call over other arguments."""
        return Call(self.function, tuple(children))


@dataclass(frozen=True, slots=True)
class Cast:
    """`operand` as the SQL type `type`; a value that does not convert is an error when it runs."""

    operand: Expression
    type: str

    @property
    def children(self) -> tuple[Expression, ...]:
        """The operand."""
        return (self.operand,)

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same cast of another operand."""
        return Cast(children[0], self.type)


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first branch whose condition is TRUE, else `otherwise`."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Condition, value, condition, value, …, otherwise."""
        return (*(part for branch in self.branches for part in branch), self.otherwise)

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same shape over other operands."""
        pairs = zip(children[0:-1:2], children[1:-1:2], strict=True)
        return Case(tuple(pairs), children[-1])


@dataclass(frozen=True, slots=True)
class IsIn:
    """`operand IN (values)`; `null` adds `OR operand IS NULL`. No value is None."""

    operand: Expression
    values: tuple[Literal, ...]
    null: bool = False

    @property
    def children(self) -> tuple[Expression, ...]:
        """The operand; the values are constants of this node."""
        return (self.operand,)

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same set over another operand."""
        return IsIn(children[0], self.values, self.null)


@dataclass(frozen=True, slots=True)
class Between:
    """`operand BETWEEN low AND high`, both ends included."""

    operand: Expression
    low: Expression
    high: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Operand, low, high."""
        return (self.operand, self.low, self.high)

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same test over other operands."""
        return Between(*children)


@dataclass(frozen=True, slots=True)
class IsNull:
    """`operand IS NULL`, or `IS NOT NULL` when negated."""

    operand: Expression
    negated: bool = False

    @property
    def children(self) -> tuple[Expression, ...]:
        """The operand."""
        return (self.operand,)

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same test of another operand."""
        return IsNull(children[0], self.negated)


@dataclass(frozen=True, slots=True)
class SqlCondition:
    """An expression the user wrote as text; `columns` are the names it may read (exact spelling of the relation).

    It is opaque: rules may move it under a filter or a sort, but never rewrite it, nor put it into another expression.
    """

    text: str
    columns: frozenset[str]
    kind: Kind = "bool"

    @property
    def children(self) -> tuple[Expression, ...]:
        """Opaque: none."""
        return ()

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """Itself: it has none."""
        return self


Expression = (
    ColumnRef | Literal | Call | Cast | Case | IsIn | Between | IsNull | SqlCondition | Window | Origin
)


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """One aggregate over a group: a function of `plan.functions.AGGREGATES`; `operand` is None only for `size`.

    Attributes
    ----------
    operand, other
        What it reads; `other` is the second column of `corr`, `arg_min` and their like.
    parameter
        A constant of the function, such as the fraction of a quantile.
    order
        The order in which it sees the rows, where that matters (`first`, `list`).
    where
        The rows that it sees; all by default.

    Raises
    ------
    UnsupportedError
        The aggregate is unknown, or lacks an operand.
    """

    function: str
    operand: Expression | None = None
    parameter: object = None
    other: Expression | None = None
    order: tuple[Order, ...] = ()
    where: Expression | None = None

    def __post_init__(self) -> None:
        known = AGGREGATES.get(self.function)
        if known is None:
            raise UnsupportedError(
                f"There is no aggregate {self.function!r}.",
                hint=f"The aggregates are: {', '.join(sorted(AGGREGATES))}.",
            )
        if known.operand and self.operand is None:
            raise UnsupportedError(
                f"The aggregate {self.function!r} needs a column.",
                hint="Only 'size' counts rows without one.",
            )
        if known.pair != (self.other is not None):
            raise UnsupportedError(
                f"The aggregate {self.function!r} reads {'two columns' if known.pair else 'one column'}.",
                hint="Give it as many operands.",
            )

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Every expression that it reads."""
        fixed = (self.operand, self.other, self.where)
        return (*(part for part in fixed if part is not None), *(key.key for key in self.order))

    def over(self, change: Callable[[Expression], Expression]) -> AggregateCall:
        """The same aggregate with `change` applied to every operand."""
        return AggregateCall(
            self.function,
            None if self.operand is None else change(self.operand),
            self.parameter,
            None if self.other is None else change(self.other),
            tuple(Order(change(key.key), key.descending, key.nulls_last) for key in self.order),
            None if self.where is None else change(self.where),
        )


def fold[T](expression: Expression, visit: Callable[[Expression, tuple[T, ...]], T]) -> T:
    """The value of `visit(node, values of its children)` at the root, bottom-up, each shared subtree once."""
    if not expression.children:
        return visit(expression, ())
    done: dict[int, T] = {}
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if ready:
            done[id(node)] = visit(node, tuple(done[id(child)] for child in node.children))
        else:
            stack.append((node, True))
            stack += [(child, False) for child in node.children]
    return done[id(expression)]


def columns_of(expression: Expression) -> frozenset[str]:
    """The names of every column the expression reads."""
    found: set[str] = set()
    seen: set[int] = set()
    pending: list[Expression] = [expression]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case ColumnRef():
                found.add(node.name)
            case SqlCondition():
                found |= node.columns
            case _:
                pending += node.children
    return frozenset(found)


def rewrite(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The tree with `change` applied to every node, bottom-up; nodes that stay equal stay the same objects."""

    def visit(node: Expression, children: tuple[Expression, ...]) -> Expression:
        if any(new is not old for new, old in zip(children, node.children, strict=True)):
            node = node.with_children(children)
        return change(node)

    return fold(expression, visit)


def substitute(expression: Expression, by_name: Mapping[str, Expression]) -> Expression:
    """The tree with every column that `by_name` knows replaced."""
    return rewrite(
        expression, lambda node: by_name.get(node.name, node) if isinstance(node, ColumnRef) else node
    )


def conjuncts(condition: Expression) -> list[Expression]:
    """The operands of nested ANDs, from left to right."""
    parts: list[Expression] = []
    pending = [condition]
    while pending:
        node = pending.pop()
        if isinstance(node, Call) and node.function == "and":
            pending += reversed(node.args)
        else:
            parts.append(node)
    return parts


def all_of(parts: Sequence[Expression]) -> Expression:
    """One condition that is TRUE where every part is."""
    return parts[0] if len(parts) == 1 else Call("and", tuple(parts))


def depth_of(expression: Expression) -> int:
    """The height of the tree: 1 for a column."""
    return fold(expression, lambda _, below: 1 + max(below, default=0))


def is_atom(expression: Expression) -> bool:
    """Whether repeating the expression costs nothing: a column or a constant."""
    return isinstance(expression, ColumnRef | Literal | Origin)


def has(expression: Expression, kind: type[Window | Origin]) -> bool:
    """Whether a window, or the origin of rows, stands anywhere in the expression."""
    seen: set[int] = set()
    pending: list[Expression] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, kind):
            return True
        if id(node) not in seen:
            seen.add(id(node))
            pending += node.children
    return False


def check_columns(expression: Expression, known: Sequence[str], where: str) -> None:
    """Refuse a name that the relation below does not have.

    Raises
    ------
    SchemaError
        The first unknown name, with the nearest ones.
    """
    check_all((expression,), known, where)


def check_all(expressions: Iterable[Expression], known: Sequence[str], where: str) -> None:
    """`check_columns` of many expressions over one relation, whose names are looked at once.

    Raises
    ------
    SchemaError
        The first unknown name, with the nearest ones.
    """
    names = frozenset(known)
    for expression in expressions:
        if isinstance(expression, ColumnRef):
            if expression.name not in names:
                raise SchemaError.unknown_column(expression.name, known, where)
        elif not isinstance(expression, Literal) and (unknown := columns_of(expression) - names):
            raise SchemaError.unknown_column(min(unknown), known, where)
