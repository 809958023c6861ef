"""Row ids, and dropped columns that an order still needs, are carried up to where they are read."""

from __future__ import annotations

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import Call, Cast, ColumnRef, Expression, Literal, has, rewrite
from luma_bench.plan.nodes import Aggregate, Files, Filter, Limit, Node, Project, Relation, Sort, Table, Union
from luma_bench.plan.walk import bottom_up, transform
from luma_bench.plan.window import Origin, Window
from luma_bench.types.schema import ROW_ID


def carry_origins(plan: Node) -> Node:
    """`Project(Table, lag(a) OVER (ORDER BY origin))` → the same over `Project(with_rowid(Table), a, _rowid AS _row)`."""
    carrier: _Carrier | None = None

    def change(node: Node) -> Node:
        nonlocal carrier
        wanted = _wanted(node)
        if not wanted:
            return node
        if carrier is None:
            carrier = _Carrier(plan)
        child, names = carrier.exposed(node.children[0], wanted)
        return _read(node, child, names)

    return transform(plan, change)


def _expressions(node: Node) -> list[Expression]:
    match node:
        case Filter():
            return [node.condition]
        case Project():
            return [expression for _, expression in node.columns]
        case Aggregate():
            return [part for _, call in node.measures for part in call.operands]
        case _:
            return []


def _wanted(node: Node) -> frozenset[Origin]:
    """The origins that the node's own expressions read."""
    found: set[Origin] = set()
    for expression in _expressions(node):
        if has(expression, Origin):
            pending: list[Expression] = [expression]
            while pending:
                part = pending.pop()
                if isinstance(part, Origin):
                    found.add(part)
                pending += part.children
    return frozenset(found)


def _read(node: Node, child: Node, names: dict[Origin, str]) -> Node:
    """The node over an input that hands out the origins, with columns in their place."""

    def changed(expression: Expression) -> Expression:
        return rewrite(expression, lambda part: ColumnRef(names[part]) if isinstance(part, Origin) else part)

    match node:
        case Filter():
            kept = Filter(child, changed(node.condition))
            return Project(kept, tuple((name, ColumnRef(name)) for name in node.names))
        case Project():
            return Project(child, tuple((name, changed(expression)) for name, expression in node.columns))
        case Aggregate():
            return Aggregate(
                child, node.keys, tuple((name, call.over(changed)) for name, call in node.measures)
            )
        case _:
            return node


class _Carrier:
    """Inputs that hand out origins, each made once."""

    def __init__(self, plan: Node) -> None:
        self._taken = {name.casefold() for node in bottom_up(plan) for name in node.names}
        self._made: dict[tuple[int, frozenset[Origin]], tuple[Node, dict[Origin, str]]] = {}
        self._kept: list[Node] = []

    def exposed(self, node: Node, wanted: frozenset[Origin]) -> tuple[Node, dict[Origin, str]]:
        """The node with a column for each origin behind its own, and the names of these columns.

        Raises
        ------
        UnsupportedError
            Its rows come from no stored or in-memory rows.
        """
        above: list[Node] = []
        at = node
        while isinstance(at, Filter | Project | Sort | Limit) and (id(at), wanted) not in self._made:
            above.append(at)
            at = at.child
        carried = self._made.get((id(at), wanted))
        if carried is None:
            carried = self._from(at, wanted)
            self._keep(at, wanted, carried)
        below, names = carried
        for step in reversed(above):
            if isinstance(step, Project):
                more = tuple((name, ColumnRef(name)) for name in names.values())
                below = Project(below, (*step.columns, *more))
            else:
                below = step.with_children([below])
            self._keep(step, wanted, (below, names))
        return below, names

    def _keep(self, node: Node, wanted: frozenset[Origin], made: tuple[Node, dict[Origin, str]]) -> None:
        # What hands origins out is met again below the steps above it, and hands out the same ones.
        for known in (node, made[0]):
            self._kept.append(known)  # its id is a key for as long as it lives
            self._made[(id(known), wanted)] = made

    def _from(self, leaf: Node, wanted: frozenset[Origin]) -> tuple[Node, dict[Origin, str]]:
        if isinstance(leaf, Union) and wanted == frozenset((Origin(),)):
            return self._from_parts(leaf)
        if isinstance(leaf, Files) and wanted == frozenset((Origin(),)):
            name = self._fresh()
            own = tuple((item, ColumnRef(item)) for item in leaf.names)
            return Project(leaf, (*own, (name, Window("row_number")))), {Origin(): name}
        if not isinstance(leaf, Table | Relation) or (isinstance(leaf, Table) and not leaf.stored):
            raise UnsupportedError(
                "These rows are in no known order: they come from no stored rows.",
                hint="Sort the frame first: sort_values(…), or give by=….",
            )
        names = {origin: self._fresh() for origin in sorted(wanted, key=lambda origin: origin.column or "")}
        source: Node = leaf
        if leaf.row_id is None and Origin() in wanted and isinstance(leaf, Table):
            source = Table(leaf.name, leaf.snapshot, leaf.arrow, leaf.order, leaf.stored, ROW_ID)
        elif leaf.row_id is None and Origin() in wanted and isinstance(leaf, Relation):
            source = Relation(leaf.data, self._fresh())
        own = tuple((name, ColumnRef(name)) for name in leaf.names)
        row_id = getattr(source, "row_id", None) or ROW_ID
        more = tuple((name, ColumnRef(origin.column or row_id)) for origin, name in names.items())
        return Project(source, (*own, *more)), names

    def _from_parts(self, union: Union) -> tuple[Node, dict[Origin, str]]:
        """Rows of parts: the part first, then the place in it."""
        name = self._fresh()
        parts: list[Node] = []
        number = 0
        for part in union.parts:
            below, names = self.exposed(part, frozenset((Origin(),)))
            place: Expression = ColumnRef(names[Origin()])
            if number:
                place = Call("add", (Literal(number << 64), place))
            number += _leaves(part)
            own = tuple((item, ColumnRef(item)) for item in part.names)
            parts.append(Project(below, (*own, (name, Cast(place, "HUGEINT")))))
        return Union(tuple(parts)), {Origin(): name}

    def _fresh(self) -> str:
        number = 1
        while (name := f"_row{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name


def _leaves(node: Node) -> int:
    """How many parts a part is made of."""
    while isinstance(node, Filter | Project | Sort | Limit):
        node = node.child
    return sum(map(_leaves, node.parts)) if isinstance(node, Union) else 1
