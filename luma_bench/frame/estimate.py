"""How many rows a plan has, and whether its first ones come without the others: worked out, never run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from luma_bench.plan.expressions import Expression, has
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Files,
    Filter,
    Join,
    Limit,
    Mapped,
    Node,
    Project,
    Relation,
    Sort,
    Table,
    Union,
)
from luma_bench.plan.walk import bottom_up
from luma_bench.plan.window import Window
from luma_bench.types.executor import Executor

SMALL = 3_000_000
"""Rows of all inputs together up to which a plan is run for its first rows, whatever it does."""

TINY = 100_000
"""The same, up to which nobody minds how long it takes."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A number of rows.

    Attributes
    ----------
    count
        None when nothing is known.
    most
        There may be fewer.
    about
        It is a guess: that a join finds one partner for each row of its larger side.
    """

    count: int | None
    most: bool = False
    about: bool = False

    @property
    def exact(self) -> bool:
        """Whether there are exactly so many."""
        return self.count is not None and not self.most and not self.about

    def __str__(self) -> str:
        if self.count is None:
            return "rows not counted"
        words = f"{self.count:,} row{'' if self.count == 1 else 's'}"
        return f"{'at most ' if self.most else ''}{'about ' if self.about else ''}{words}"


_UNKNOWN = Rows(None)


def rows_of(plan: Node, executor: Executor) -> Rows:
    """The rows of a plan, from the catalog's counts and what each step does to them."""
    done: dict[int, Rows] = {}
    for node in bottom_up(plan):
        done[id(node)] = _rows(node, [done[id(child)] for child in node.children], executor)
    return done[id(plan)]


def _rows(node: Node, below: list[Rows], executor: Executor) -> Rows:
    match node:
        case Table():
            # Those of a view are counted, not known.
            return Rows(executor.rows(node.name)) if node.stored else _UNKNOWN
        case Relation():
            return Rows(node.data.num_rows)
        case Files() | Mapped() | Explode():
            return _UNKNOWN
        case Project() | Sort():
            return below[0]
        case Filter() | Distinct():
            return replace(below[0], most=below[0].count is not None)
        case Aggregate():
            return replace(below[0], most=below[0].count is not None) if node.keys else Rows(1)
        case Limit():
            return _limited(node, below[0])
        case Union():
            return _summed(below)
        case Asof():
            return below[0]
        case Join():
            return _joined(node, *below)


def _limited(node: Limit, below: Rows) -> Rows:
    if below.count is None:
        return Rows(node.count, most=True)
    left = max(0, below.count - node.offset)
    # A guess that is far above the limit is one no more, but only a limit then.
    return Rows(min(node.count, left), below.most or below.about, below.about and left < node.count)


def _summed(parts: list[Rows]) -> Rows:
    counts = [part.count for part in parts if part.count is not None]
    if len(counts) < len(parts):
        return _UNKNOWN
    return Rows(sum(counts), any(part.most for part in parts), any(part.about for part in parts))


def _joined(node: Join, left: Rows, right: Rows) -> Rows:
    if node.how in ("semi", "anti"):
        return replace(left, most=left.count is not None)
    if left.count is None or right.count is None:
        return _UNKNOWN
    about, most = left.about or right.about, left.most or right.most
    if node.how == "cross":
        return Rows(left.count * right.count, most, about)
    return Rows(max(left.count, right.count), about=True)


def held_up(plan: Node, executor: Executor) -> str | None:
    """What stands between a plan and its first rows, as a clause about it; None when they come as they are read.

    Nothing does when all of its inputs are small; else sorts, groupings, joins and the like read much first.
    """
    nodes = bottom_up(plan)
    if any(isinstance(node, Mapped) for node in nodes):
        return "a Python function makes its rows"
    read: dict[int, int] = {}
    for node in nodes:
        below = [read[id(child)] for child in node.children]
        read[id(node)] = sum(below) if below else _input(node, executor)
        clause = _clause(node)
        if clause is not None and read[id(node)] > SMALL:
            return f"{clause} many rows first"
    return None


def rows_read(plan: Node, executor: Executor) -> int:
    """The rows of all inputs of a plan together; more than `SMALL` when those of one are not known."""
    return sum(_input(node, executor) for node in bottom_up(plan) if not node.children)


def searched(plan: Node) -> bool:
    """Whether the first rows may be far into the input: something leaves rows out."""
    return any(isinstance(node, Filter | Explode | Files) or _is_view(node) for node in bottom_up(plan))


def blocks(plan: Node) -> bool:
    """Whether a step of the plan needs many rows before it gives the first one."""
    return any(_clause(node) is not None for node in bottom_up(plan))


def _is_view(node: Node) -> bool:
    return isinstance(node, Table) and not node.stored


def _input(node: Node, executor: Executor) -> int:
    if isinstance(node, Relation):
        return node.data.num_rows
    if isinstance(node, Table) and node.stored:
        return executor.rows(node.name)
    # Files and views may hold any number.
    return SMALL + 1


def _clause(node: Node) -> str | None:
    match node:
        case Sort():
            return "it sorts"
        case Aggregate():
            return "it groups"
        case Distinct():
            return "it compares"
        case Join() | Asof():
            return "it joins"
        case Project():
            return "its windows read" if _windowed([value for _, value in node.columns]) else None
        case Filter():
            return "its windows read" if _windowed([node.condition]) else None
        case _:
            return None


def _windowed(expressions: list[Expression]) -> bool:
    return any(has(expression, Window) for expression in expressions)
