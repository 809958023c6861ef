"""Two projections in a row become one, where no work is done twice."""

from __future__ import annotations

from collections import Counter

from luma_bench.plan.expressions import Call, Expression, SqlCondition, depth_of, fold, is_atom, substitute
from luma_bench.plan.expressions import ColumnRef as Ref
from luma_bench.plan.functions import FUNCTIONS
from luma_bench.plan.nodes import Node, Project
from luma_bench.plan.walk import transform

_DEEPEST = 400


def merge_projections(plan: Node) -> Node:
    """`Project(Project(x, a + 1 AS b), b * 2 AS c)` → `Project(x, (a + 1) * 2 AS c)`; a projection of nothing new goes.

    A computed column is put in only where it is read once, and never where its text would be written twice.
    """

    def change(node: Node) -> Node:
        while isinstance(node, Project):
            if isinstance(node.child, Project) and _worthwhile(node, node.child):
                inner = dict(node.child.columns)
                columns = tuple((name, substitute(expression, inner)) for name, expression in node.columns)
                node = Project(node.child.child, columns)
            elif node.columns == tuple((name, Ref(name)) for name in node.child.names):
                return node.child
            else:
                return node
        return node

    return transform(plan, change)


def _worthwhile(outer: Project, inner: Project) -> bool:
    computed = {name: expression for name, expression in inner.columns if not is_atom(expression)}
    renamed = {name for name, expression in inner.columns if expression != Ref(name)}
    reads: Counter[str] = Counter()
    for _, expression in outer.columns:
        found = _reads(expression)
        if found.repeated & computed.keys() or found.opaque & renamed:
            return False
        reads += found.counts
    if any(reads[name] > 1 for name in computed):
        return False
    deepest = max((depth_of(expression) for name, expression in computed.items() if reads[name]), default=0)
    return deepest + max(depth_of(expression) for _, expression in outer.columns) <= _DEEPEST


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
    if isinstance(expression, Ref):
        found.counts[expression.name] += 1
    return found
