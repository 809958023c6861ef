"""Two projections in a row become one, where no work is done twice."""

from __future__ import annotations

from collections import Counter

from luma_bench.plan.expressions import (
    Call,
    Expression,
    SqlCondition,
    columns_of,
    fold,
    is_atom,
    substitute,
)
from luma_bench.plan.expressions import ColumnRef as Ref
from luma_bench.plan.functions import FUNCTIONS
from luma_bench.plan.nodes import Node, Project
from luma_bench.plan.walk import transform
from luma_bench.plan.window import Window

_DEEPEST = 400


def merge_projections(plan: Node) -> Node:
    """`Project(Project(x, a + 1 AS b), b * 2 AS c)` → `Project(x, (a + 1) * 2 AS c)`; a projection of nothing new goes.

    A computed column is put in only where it is read once, and never where its text would be written twice.
    """
    facts = _Facts()

    def change(node: Node) -> Node:
        while isinstance(node, Project):
            if isinstance(node.child, Project) and _worthwhile(node, node.child, facts):
                inner = dict(node.child.columns)
                columns = tuple((name, _put(expression, inner)) for name, expression in node.columns)
                node = Project(node.child.child, columns)
            elif _changes_nothing(node):
                return node.child
            else:
                return node
        return node

    return transform(plan, change)


def _changes_nothing(node: Project) -> bool:
    below = node.child.names
    return len(node.columns) == len(below) and all(
        isinstance(expression, Ref) and expression.name == name == own
        for (name, expression), own in zip(node.columns, below, strict=True)
    )


def _put(expression: Expression, inner: dict[str, Expression]) -> Expression:
    return inner[expression.name] if isinstance(expression, Ref) else substitute(expression, inner)


class _Facts:
    """The height of expressions and whether a window is in them, each subtree worked out once for a whole chain."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Expression, int, bool]] = {}

    def of(self, expression: Expression) -> tuple[int, bool]:
        """Height and whether it has a window."""
        stack = [expression]
        while stack:
            node = stack[-1]
            if id(node) in self._known:
                stack.pop()
                continue
            missing = [child for child in node.children if id(child) not in self._known]
            if missing:
                stack += missing
                continue
            below = [self._known[id(child)] for child in node.children]
            height = 1 + max((height for _, height, _ in below), default=0)
            windowed = isinstance(node, Window) or any(windowed for *_, windowed in below)
            self._known[id(node)] = (
                node,
                height,
                windowed,
            )  # the node lives on, so that its id stays its own
        return self._known[id(expression)][1:]


def _worthwhile(outer: Project, inner: Project, facts: _Facts) -> bool:
    computed = {name: expression for name, expression in inner.columns if not is_atom(expression)}
    renamed = {
        name
        for name, expression in inner.columns
        if not (isinstance(expression, Ref) and expression.name == name)
    }
    above = [expression for _, expression in outer.columns if not is_atom(expression)]
    if any(facts.of(part)[1] for part in computed.values()) and any(facts.of(part)[1] for part in above):
        return False  # a window cannot stand inside another
    opaque = {name for name, expression in computed.items() if isinstance(expression, SqlCondition)}
    reads = Counter(expression.name for _, expression in outer.columns if isinstance(expression, Ref))
    for expression in above:
        found = _reads(expression)
        if found.repeated & computed.keys() or found.opaque & renamed or opaque & columns_of(expression):
            return False
        for name, count in found.counts.items():
            reads[name] += count
    if any(reads[name] > 1 for name in computed):
        return False
    deepest = max((facts.of(part)[0] for name, part in computed.items() if reads[name]), default=0)
    return deepest + max((facts.of(part)[0] for part in above), default=1) <= _DEEPEST


class _Reads:
    """How often each column is read, which of them where the text repeats, and which by the user's text."""

    __slots__ = ("counts", "opaque", "repeated")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.repeated: set[str] = set()
        self.opaque: set[str] = set()


def _reads(expression: Expression) -> _Reads:
    found = _Reads()

    def visit(node: Expression, below: tuple[None, ...]) -> None:
        # A shared subtree is visited once, but each of its parents counts.
        for child in node.children:
            if isinstance(child, Ref):
                found.counts[child.name] += 1
                if isinstance(node, Call) and FUNCTIONS[node.function].repeats:
                    found.repeated.add(child.name)
        if isinstance(node, SqlCondition):
            found.opaque |= node.columns

    fold(expression, visit)
    return found
