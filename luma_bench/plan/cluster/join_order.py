"""The order of inner joins over stages: which relation stays cut among the tasks, and how the others get to it.

The largest stays cut. Small ones are read by every task itself and joined inside the fragment, in whatever order DuckDB
likes. Each other one is made by a stage of its own first, with what hangs on it alone and reduced by what filters it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from luma_bench.plan.cluster.estimates import row_bytes, share
from luma_bench.plan.cluster.exchange import bucket_count, key_sql, moved_by
from luma_bench.plan.cluster.join_set import JoinSet, equal_sides, implied
from luma_bench.plan.cluster.joins import On, attached, fits_everywhere, key_kinds, met_by_keys
from luma_bench.plan.cluster.leaves import scanned
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.reduce import grouped, with_partners
from luma_bench.plan.cluster.work import Made, Work
from luma_bench.plan.relational.expressions import And, Column, Expression, columns_of, conjuncts, moved
from luma_bench.plan.relational.nodes import Filter, Node, Scan

_SELECTIVE = 0.5
"""A relation that keeps less of its rows is worth reducing others by."""
_TURN = 3
"""How many times smaller than the next one the largest relation has to become to be joined with it, not it with the largest."""


@dataclass(slots=True, eq=False)
class _Relation:
    """A relation of the set as a fragment; `columns` are the set's positions that its columns have."""

    pending: Pending
    columns: tuple[int, ...]
    small: bool = False

    @property
    def places(self) -> dict[int, int]:
        """Where a column of the set stands in it."""
        return {column: place for place, column in enumerate(self.columns)}


def joined_set(work: Work, joins: JoinSet, plan: Callable[[Node], Pending]) -> Pending:
    """The rows of the set with its outputs; `plan` makes a fragment of a relation."""
    ranges: list[range] = []
    for node in joins.relations:
        start = ranges[-1].stop if ranges else 0
        ranges.append(range(start, start + node.width))
    own: list[list[Expression]] = [[] for _ in ranges]
    between: list[Expression] = []
    constant: list[Expression] = []
    for condition in joins.conditions:
        read = columns_of(condition)
        inside = [at for at, columns in enumerate(ranges) if any(column in columns for column in read)]
        (constant if not inside else own[inside[0]] if len(inside) == 1 else between).append(condition)
    relations: list[_Relation] = []
    # Groups last: what filters the other relations may leave few of them.
    for at in sorted(range(len(ranges)), key=lambda at: grouped(joins.relations[at])):
        node, columns = joins.relations[at], ranges[at]
        if grouped(node):
            node = _with_partners(work, node, columns, relations, between)
        places = {column: place for place, column in enumerate(columns)}
        pending = _filtered(work, node, [moved(part, places) for part in own[at]], plan)
        relations.append(_Relation(pending, tuple(columns), work.worth_repeating(pending)))
    kinds: dict[int, str] = {}
    for relation in relations:
        kinds |= dict(zip(relation.columns, work.types(relation.pending), strict=True))
    found = _Joiner(work, between, implied(between, kinds)).joined(relations, set(joins.outputs))
    pending = found.pending.projected(Column(found.places[column]) for column in joins.outputs)
    for condition in constant:
        pending = pending.filtered(condition, 1.0)
    return pending


def _filtered(
    work: Work, node: Node, conditions: Sequence[Expression], plan: Callable[[Node], Pending]
) -> Pending:
    """A relation with the conditions that read nothing else."""
    if not conditions:
        return plan(node)
    if isinstance(node, Scan):
        return scanned(work, node, conditions)
    condition = conditions[0] if len(conditions) == 1 else And(tuple(conditions))
    if isinstance(node, Filter):
        return plan(Filter(node.child, And((*conjuncts(node.condition), *conditions))))
    return plan(node).filtered(condition, share(condition))


def _with_partners(
    work: Work, node: Node, columns: range, others: Sequence[_Relation], conditions: Sequence[Expression]
) -> Node:
    """An aggregate of only those rows whose groups a small and selective relation has as partners."""
    mine = {column: place for place, column in enumerate(columns)}
    for other in others:
        if not other.small or other.pending.kept > _SELECTIVE:
            continue
        on = [sides for one in conditions if (sides := equal_sides(one, mine, other.places))]
        partners = work.repeated(other.pending).projected(theirs for _, theirs in on)
        less = with_partners(node, [key for key, _ in on], work.stand_in(partners)) if on else None
        if less is not None:
            return less
    return node


class _Joiner:
    """Joins relations by conditions over the set's positions."""

    def __init__(
        self, work: Work, conditions: Sequence[Expression], implied_too: Sequence[Expression]
    ) -> None:
        self._work = work
        self._conditions = conditions
        self._implied = implied_too

    def joined(self, relations: Sequence[_Relation], outputs: set[int]) -> _Relation:
        """One relation of all of them, around the largest, with at least the columns `outputs`."""
        if len(relations) == 1:
            return relations[0]
        root = max(relations, key=lambda one: (not one.small, one.pending.tasks > 1, self._bytes(one)))
        smalls: list[_Relation] = []
        larges: list[_Relation] = []
        for group in self._components([one for one in relations if one is not root]):
            few, many = self._units(root, relations, group, outputs)
            smalls += few
            larges += many
        if sum(self._work.read_bytes(one.pending) for one in smalls) > 4 * self._work.settings.inline_bytes:
            smalls.sort(key=lambda one: self._work.read_bytes(one.pending))
            larges.append(smalls.pop())
        return self._around(root, smalls, larges, outputs)

    def _units(
        self,
        root: _Relation,
        relations: Sequence[_Relation],
        group: Sequence[_Relation],
        outputs: set[int],
    ) -> tuple[list[_Relation], list[_Relation]]:
        """A group's small relations, and its large ones, each joined with what hangs on it alone."""
        left = list(group)
        larges: list[_Relation] = []
        for large in sorted((one for one in group if not one.small), key=self._bytes, reverse=True):
            if large not in left:
                continue
            hanging = [
                one
                for part in self._components([one for one in relations if one is not large])
                if root not in part and self._worth(large, part)
                for one in part
                if one in left
            ]
            members = [large, *hanging]
            left = [one for one in left if one not in members]
            larges.append(self.joined(members, outputs | self._read_with_others(members)))
        return left, larges

    def _worth(self, large: _Relation, part: Sequence[_Relation]) -> bool:
        """Whether what hangs on a large relation is joined with it before it moves: less moves then."""
        if any(one.pending.kept < 0.9 for one in part):
            return True
        work = self._work
        widths = sum(row_bytes(work.types(one.pending)) for one in part)
        apart = sum(0.0 if one.small else self._bytes(one) for one in part)
        return large.pending.rows * widths < apart

    def _turned(
        self, root: _Relation, smalls: Sequence[_Relation], larges: Sequence[_Relation], outputs: set[int]
    ) -> tuple[_Relation, list[_Relation], list[_Relation]]:
        """Another root, when small relations leave so little of the largest that it had better go to the next largest."""
        rest = list(larges)
        after = max(rest, key=self._bytes, default=None)
        if (
            after is None
            or after.pending.tasks == 1
            or self._bytes(after) < 2 * self._work.settings.inline_bytes
        ):
            return root, list(smalls), rest
        (members,) = [part for part in self._components([root, *smalls], self._edges) if root in part]
        left = root.pending.rows
        for one in members:
            left *= one.pending.kept if one is not root else 1.0
        width = sum(row_bytes(self._work.types(self._cropped(one, outputs).pending)) for one in members)
        if left * _TURN > after.pending.rows or left * width > 2 * self._bytes(after):
            return root, list(smalls), rest
        if not any(self._edges(one, after) for one in members):
            return root, list(smalls), rest
        less = self.joined(members, outputs | self._read_with_others(members))
        rest = [one for one in rest if one is not after]
        return after, [one for one in smalls if one not in members], [less, *rest]

    def _around(
        self,
        root: _Relation,
        smalls: list[_Relation],
        larges: list[_Relation],
        outputs: set[int],
    ) -> _Relation:
        """The root joined with small relations inside, with those that go to every task, then with those that move."""
        work, settings = self._work, self._work.settings
        root, smalls, larges = self._turned(root, smalls, larges, outputs)
        wholes: list[_Relation] = []
        for small in smalls:
            small.pending = work.repeated(small.pending)
            wholes.append(small)
        waiting: list[tuple[_Relation, Made]] = []
        moving: list[_Relation] = []
        for large in sorted(larges, key=self._bytes):
            less = self._cropped(self._reduced(large, wholes), outputs)
            if self._bytes(less) > settings.broadcast_bytes and self._movable(root, less):
                moving.append(less)
                continue
            made = work.submit(less.pending)
            sent = _Relation(self._sent(less, made), less.columns)
            wholes.append(sent)
            if work.read_bytes(less.pending) > settings.broadcast_bytes:
                waiting.append((sent, made))
        current = root
        for sent, made in waiting:
            if not fits_everywhere(work, made, root.pending, self._bytes(root)) and self._movable(root, sent):
                wholes.remove(sent)
                moving.append(_Relation(work.parts(made).doing("join"), sent.columns))
        for large in moving:
            tied = [one for one in wholes if self._edges(current, one)]
            wholes = [one for one in wholes if one not in tied]
            current = self._attached(current, tied)
            current = self._met(self._cropped(current, outputs | self._read_by(wholes)), large)
        return self._attached(current, wholes)

    def _sent(self, less: _Relation, made: Made) -> Pending:
        what = ", ".join(less.pending.purpose)
        return self._work.whole(made).noted(f"stage {made.stage.number} ({what}) goes to every task")

    def _met(self, left: _Relation, right: _Relation) -> _Relation:
        """Two relations that are both large: whichever turns out small goes to every task, else both move by their keys."""
        work = self._work
        how = self._how(left, right)
        kinds = key_kinds(work, left.pending, right.pending, how)
        if kinds is None:
            return self._attached(left, [_Relation(work.whole(work.submit(right.pending)), right.columns)])
        right_bytes = self._bytes(right)
        buckets = bucket_count(work, self._bytes(left) + right_bytes)
        mine = moved_by(work, left.pending, key_sql(how.left, left.pending.width, kinds), buckets)
        if mine.nbytes < right_bytes and fits_everywhere(work, mine, right.pending, right_bytes):
            return self._attached(right, [_Relation(self._sent(left, mine), left.columns)])
        theirs = moved_by(work, right.pending, key_sql(how.right, right.pending.width, kinds), buckets)
        pending = met_by_keys(work, mine, theirs, how)
        return _Relation(pending, (*left.columns, *right.columns))

    def _attached(self, current: _Relation, wholes: Iterable[_Relation]) -> _Relation:
        """Whole relations joined inside of the fragment: those first that a condition ties to what is there."""
        left = list(wholes)
        while left:
            tied = next((one for one in left if self._edges(current, one)), None)
            if tied is None:
                tied = next((one for one in left if self._between(current, one)), left[0])
            left.remove(tied)
            pending = attached(current.pending, tied.pending, self._how(current, tied))
            current = _Relation(pending, (*current.columns, *tied.columns))
        return current

    def _reduced(self, large: _Relation, wholes: Sequence[_Relation]) -> _Relation:
        """A large relation with only the rows that selective relations which are there already leave of it."""
        work = self._work
        pending = large.pending
        for other in wholes:
            edges = self._edges(large, other)
            if (
                not edges
                or other.pending.kept > _SELECTIVE
                or work.read_bytes(pending) < 4 * work.read_bytes(other.pending)
            ):
                continue
            on = [sides for edge in edges if (sides := equal_sides(edge, large.places, other.places))]
            read = sorted(frozenset[int]().union(*(columns_of(key) for _, key in on)))
            places = {at: place for place, at in enumerate(read)}
            partner = work.repeated(other.pending).projected(Column(at) for at in read)
            how = On("semi", tuple((mine, moved(key, places)) for mine, key in on))
            pending = attached(pending, partner, how)
        return large if pending is large.pending else _Relation(pending, large.columns)

    def _how(self, left: _Relation, right: _Relation) -> On:
        """How two relations are joined: by equal keys, and by whatever else reads nothing but them."""
        lower, upper = left.places, right.places
        both = lower | {column: len(left.columns) + place for column, place in upper.items()}
        on: list[tuple[Expression, Expression]] = []
        rest: list[Expression] = []
        for condition in self._between(left, right):
            sides = equal_sides(condition, lower, upper)
            if sides is None:
                rest.append(moved(condition, both))
            else:
                on.append(sides)
        if not on:
            on = [sides for one in self._implied if (sides := equal_sides(one, lower, upper))]
        condition = None if not rest else rest[0] if len(rest) == 1 else And(tuple(rest))
        return On("inner" if on or rest else "cross", tuple(on), condition)

    def _between(self, left: _Relation, right: _Relation) -> list[Expression]:
        """The conditions that read both and nothing else."""
        mine, theirs = set(left.columns), set(right.columns)
        return [
            condition
            for condition in self._conditions
            if (read := columns_of(condition)) & mine and read & theirs and read <= mine | theirs
        ]

    def _edges(self, left: _Relation, right: _Relation) -> list[Expression]:
        """The equalities between two relations, implied ones too."""
        lower, upper = left.places, right.places
        return [
            one for one in (*self._conditions, *self._implied) if equal_sides(one, lower, upper) is not None
        ]

    def _movable(self, left: _Relation, right: _Relation) -> bool:
        """Whether there are keys between them that both can be moved by."""
        return key_kinds(self._work, left.pending, right.pending, self._how(left, right)) is not None

    def _components(
        self,
        relations: Sequence[_Relation],
        ties: Callable[[_Relation, _Relation], Sequence[Expression]] | None = None,
    ) -> list[list[_Relation]]:
        """The relations that conditions (or those of `ties`) tie to each other, over any number of others among them."""
        ties = ties or self._between
        left = list(relations)
        found: list[list[_Relation]] = []
        while left:
            group = [left.pop(0)]
            for one in group:
                tied = [other for other in left if ties(one, other)]
                group += tied
                left = [other for other in left if other not in tied]
            found.append(group)
        return found

    def _read_by(self, relations: Sequence[_Relation]) -> set[int]:
        return {column for one in relations for column in one.columns}

    def _read_with_others(self, members: Sequence[_Relation]) -> set[int]:
        """The columns that conditions read which also read relations outside of these."""
        inside = {column for one in members for column in one.columns}
        return {
            column
            for condition in (*self._conditions, *self._implied)
            if not (read := columns_of(condition)) <= inside
            for column in read
        }

    def _cropped(self, relation: _Relation, outputs: set[int]) -> _Relation:
        """Without the columns that nobody reads after it is joined."""
        needed = outputs | self._read_with_others([relation])
        kept = [place for place, column in enumerate(relation.columns) if column in needed]
        if len(kept) == len(relation.columns):
            return relation
        return _Relation(
            relation.pending.projected(Column(place) for place in kept),
            tuple(relation.columns[place] for place in kept),
            relation.small,
        )

    def _bytes(self, relation: _Relation) -> float:
        return self._work.expected_bytes(relation.pending)
