"""Inner joins that stand together, in an order of our own: Polars joins in the order that it is told.

Joins, filters and plain projections between them are taken apart into leaves and conditions over the leaves' columns,
each with a number of its own. Then the two parts whose join probably is the smallest are joined, again and again. Semi
and anti joins in between wait for their columns: a selective one comes first, any other one last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import polars as pl

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import Collect, Rows, column, titles
from luma_bench.engines.polars.joins import filtered, joined, likely
from luma_bench.plan.relational.expressions import (
    And,
    Column,
    Compare,
    Expression,
    columns_of,
    conjuncts,
    moved,
)
from luma_bench.plan.relational.nodes import Aggregate, Filter, Join, Node, Project, Scan, Values

_SELECTIVE = 0.5
_REDUCED = 8
_SMALL = 1_000_000
_EMPTY = Values((), 0)


class Builder(Protocol):
    """Builds the rows of any node."""

    @property
    def collect(self) -> Collect:
        """Computes a frame now."""
        ...

    def rows(self, node: Node) -> Rows:
        """The rows of a node."""
        ...

    def watched(self, rows: Rows) -> Rows:
        """The rows, which stop coming when the query was stopped."""
        ...

    def hold(self, rows: Rows) -> tuple[str, Rows]:
        """Compute rows now, under a name of their own that scans read."""
        ...


@dataclass(slots=True)
class _Part:
    """Leaves that are joined already: which numbers its columns have, and of one leaf alone its node."""

    rows: Rows
    numbers: list[int]
    node: Node | None = None

    @property
    def places(self) -> dict[int, int]:
        return {number: place for place, number in enumerate(self.numbers)}

    def has(self, expression: Expression) -> bool:
        return columns_of(expression) <= set(self.numbers)


@dataclass(frozen=True, slots=True)
class _Reducer:
    """A semi or anti join: its right side's columns are counted from -1 downwards in `condition`."""

    node: Join
    on: tuple[tuple[Expression, Expression], ...]
    condition: Expression | None

    @property
    def needed(self) -> set[int]:
        own = {number for a, _ in self.on for number in columns_of(a)}
        if self.condition is not None:
            own |= {number for number in columns_of(self.condition) if number >= 0}
        return own


def joins_below(node: Node) -> bool:
    """Whether joins of a cluster stand below filters and plain projections."""
    while isinstance(node, Filter) or (isinstance(node, Project) and _is_plain(node)):
        node = node.child
    return isinstance(node, Join) and _is_open(node)


def _is_open(node: Join) -> bool:
    return node.kind in ("inner", "cross", "semi", "anti") and not node.null_safe


def _is_plain(node: Project) -> bool:
    return all(isinstance(part, Column) for part in node.expressions)


@dataclass(slots=True)
class Cluster:
    """The joins below a node."""

    builder: Builder
    duck: Duck
    root: Node
    _parts: list[_Part] = field(default_factory=list[_Part])
    _conditions: list[Expression] = field(default_factory=list[Expression])
    _reducers: list[_Reducer] = field(default_factory=list[_Reducer])
    _count: int = 0

    def rows(self) -> Rows:
        """The rows of the node, joined in the order that seems best.

        Raises
        ------
        Refused
            Something in it is not proven to come out as DuckDB has it.
        """
        if isinstance(self.root, Join) and not _is_open(self.root):
            left, right = self.builder.rows(self.root.left), self.builder.rows(self.root.right)
            return joined(self.root, left, right, self.duck, self.builder.collect)
        numbers = self._flattened(self.root)
        sides = [self.builder.rows(reducer.node.right) for reducer in self._reducers]
        for part in self._parts:
            self._filter(part)
        waiting = [
            (reducer, side)
            for reducer, side in zip(self._reducers, sides, strict=True)
            if not self._reduced_early(reducer, side)
        ]
        while len(self._parts) > 1:
            self._join_next()
        (part,) = self._parts
        for reducer, side in waiting:
            self._reduce(part, reducer, side)
        places = part.places
        names = titles(len(numbers))
        order = [places[number] for number in numbers]
        frame = part.rows.frame.select(
            pl.col(f"c{at}").alias(name) for at, name in zip(order, names, strict=True)
        )
        columns = tuple(column(part.rows.columns[at], name) for at, name in zip(order, names, strict=True))
        return replace(part.rows, frame=frame, columns=columns, sample=None)

    def _flattened(self, node: Node) -> list[int]:
        """Take a node apart; the numbers of its columns."""
        match node:
            case Filter() if joins_below(node):
                numbers = self._flattened(node.child)
                self._conditions += [
                    moved(part, dict(enumerate(numbers))) for part in conjuncts(node.condition)
                ]
                return numbers
            case Project() if joins_below(node):
                numbers = self._flattened(node.child)
                return [numbers[part.index] for part in node.expressions if isinstance(part, Column)]
            case Join() if _is_open(node):
                left = self._flattened(node.left)
                mine = dict(enumerate(left))
                if node.kind in ("semi", "anti"):
                    theirs = {len(left) + at: -1 - at for at in range(node.right.width)}
                    on = tuple((moved(a, mine), b) for a, b in node.on)
                    condition = None if node.condition is None else moved(node.condition, mine | theirs)
                    self._reducers.append(_Reducer(node, on, condition))
                    return left
                right = self._flattened(node.right)
                other = dict(enumerate(right))
                self._conditions += [Compare("=", moved(a, mine), moved(b, other)) for a, b in node.on]
                both = dict(enumerate([*left, *right]))
                self._conditions += [moved(part, both) for part in conjuncts(node.condition)]
                return [*left, *right]
            case _:
                rows = self.builder.rows(node)
                numbers = list(range(self._count, self._count + len(rows.columns)))
                self._count += len(numbers)
                self._parts.append(_Part(rows, numbers, node))
                return numbers

    def _filter(self, part: _Part) -> None:
        """What reads one part alone, or nothing."""
        own = [condition for condition in self._conditions if part.has(condition)]
        if own:
            self._conditions = [condition for condition in self._conditions if condition not in own]
            here = tuple(moved(condition, part.places) for condition in own)
            part.rows = filtered(part.rows, here, self.duck)
            part.node = None if part.node is None else Filter(part.node, And(here))

    def _reduced_early(self, reducer: _Reducer, side: Rows) -> bool:
        if reducer.condition is not None or not reducer.on or reducer.node.kind == "anti":
            return False
        part = next((part for part in self._parts if reducer.needed <= set(part.numbers)), None)
        if part is None:
            return False
        on = tuple((moved(a, part.places), b) for a, b in reducer.on)
        share = likely(replace(reducer.node, on=on, condition=None), part.rows, side, self.duck)
        if share > _SELECTIVE * part.rows.expected:
            return False
        self._reduce(part, reducer, side)
        return True

    def _reduce(self, part: _Part, reducer: _Reducer, side: Rows) -> None:
        width = len(part.numbers)
        places = part.places
        on = tuple((moved(a, places), b) for a, b in reducer.on)
        condition = reducer.condition
        if condition is not None:
            theirs = {-1 - at: width + at for at in range(len(side.columns))}
            condition = moved(condition, places | theirs)
        node = replace(reducer.node, on=on, condition=condition)
        if condition is not None or not on:
            side = self._narrowed(part, on, reducer.node.right, side)
        part.rows = joined(node, part.rows, side, self.duck, self.builder.collect)
        part.node = None

    def _join_next(self) -> None:
        """Join the two parts that probably give the fewest rows."""
        best: tuple[float, int, int] | None = None
        for at, left in enumerate(self._parts):
            for further, right in enumerate(self._parts[at + 1 :], at + 1):
                on = self._pairs(left, right)
                if not on and min(left.rows.most, right.rows.most) > 1:
                    continue
                rows = likely(Join(_EMPTY, _EMPTY, "inner", on), left.rows, right.rows, self.duck)
                # Of equally small answers, the one of the smaller inputs.
                weight = rows + 1e-3 * (left.rows.expected + right.rows.expected)
                if best is None or weight < best[0]:
                    best = (weight, at, further)
        if best is None:
            order = sorted(range(len(self._parts)), key=lambda at: self._parts[at].rows.expected)
            best = (0.0, min(order[:2]), max(order[:2]))
        right, left = self._parts.pop(best[2]), self._parts.pop(best[1])
        self._parts.append(self._joined(left, right))

    def _pairs(self, left: _Part, right: _Part) -> tuple[tuple[Expression, Expression], ...]:
        """The keys by which two parts meet."""
        found: list[tuple[Expression, Expression]] = []
        for condition in self._conditions:
            if not isinstance(condition, Compare) or condition.operator != "=":
                continue
            for a, b in ((condition.left, condition.right), (condition.right, condition.left)):
                if columns_of(a) and columns_of(b) and left.has(a) and right.has(b):
                    found.append((moved(a, left.places), moved(b, right.places)))
                    break
        return tuple(found)

    def _joined(self, left: _Part, right: _Part) -> _Part:
        on = self._pairs(left, right)
        self._conditions = [
            condition
            for condition in self._conditions
            if not (
                isinstance(condition, Compare)
                and condition.operator == "="
                and any(
                    columns_of(a) and columns_of(b) and left.has(a) and right.has(b)
                    for a, b in ((condition.left, condition.right), (condition.right, condition.left))
                )
            )
        ]
        mine, theirs = left.rows, right.rows
        if right.node is not None and on:
            narrowed = self._narrowed(left, on, right.node, theirs)
            mine, theirs = left.rows, narrowed
        if left.node is not None and on and theirs is right.rows:
            turned = tuple((b, a) for a, b in on)
            narrowed = self._narrowed(right, turned, left.node, mine)
            mine, theirs = narrowed, right.rows
        made = joined(Join(_EMPTY, _EMPTY, "inner", on), mine, theirs, self.duck, self.builder.collect)
        part = _Part(self.builder.watched(made), [*left.numbers, *right.numbers])
        self._filter(part)
        return part

    def _narrowed(
        self, part: _Part, on: Sequence[tuple[Expression, Expression]], node: Node, side: Rows
    ) -> Rows:
        """Groups of another side, made only of rows that this part, being small, has a partner for."""
        small = part.rows.expected
        if small > _SMALL or small * _REDUCED > side.unfiltered:
            return side
        pairs = [(a, b.index) for a, b in on if isinstance(a, Column) and isinstance(b, Column)]
        if not pairs:
            return side
        places = [place for _, place in pairs]
        columns = tuple(f"c{a.index}" for a, _ in pairs)
        if narrowed(node, places, Scan("", columns, shared=True)) is None:
            return side
        name, part.rows = self.builder.hold(part.rows)
        found = narrowed(node, places, Scan(name, columns, shared=True))
        assert found is not None
        return self.builder.rows(found)


def narrowed(node: Node, places: Sequence[int], scan: Scan) -> Node | None:
    """The node with groups made only of rows whose keys the scan has; None where it has no such groups.

    Parameters
    ----------
    places
        The node's columns that must equal the scan's, in its order.
    """
    match node:
        case Project():
            inner = [node.expressions[place] for place in places]
            if not all(isinstance(part, Column) for part in inner):
                return None
            found = narrowed(node.child, [part.index for part in inner if isinstance(part, Column)], scan)
            return None if found is None else replace(node, child=found)
        case Filter():
            found = narrowed(node.child, places, scan)
            return None if found is None else replace(node, child=found)
        case Aggregate() if (
            node.sets is None and node.keys and all(place < len(node.keys) for place in places)
        ):
            on = tuple((node.keys[place], Column(at)) for at, place in enumerate(places))
            return replace(node, child=Join(node.child, scan, "semi", on))
        case _:
            return None
