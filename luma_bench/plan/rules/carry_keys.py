"""The columns that rows are sorted by stay until the end, though nobody asked for them: a step that is closed forgets its order."""

from __future__ import annotations

from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Filter, Limit, Node, Project, Sort, SortKey
from luma_bench.plan.walk import transform


def carry_keys(plan: Node) -> Node:
    """`Project(Sort(x, id), y)` → `Project(Sort(Project(x, y, id AS _key1), _key1), y)`; also below a limit."""

    def change(node: Node) -> Node:
        carried = _carried(node.child) if isinstance(node, Limit) else None
        return node if carried is None else node.with_children([carried])

    plan = transform(plan, change)
    return _carried(plan) or plan


def _carried(top: Node) -> Node | None:
    """The node with the sort at its top; None when its keys are there anyway, or it has none."""
    path: list[Filter | Project] = []
    node = top
    while isinstance(node, Filter | Project):
        path.append(node)
        node = node.child
    if not isinstance(node, Sort) or _reach(path, node):
        return None
    taken = {name.casefold() for step in (*path, node) for name in step.names}
    fresh = _fresh(taken, len(node.keys))
    at = [key.name for key in node.keys]
    made = node.child
    for step in reversed(path):
        if isinstance(step, Filter):
            made = step.with_children([made])
            continue
        carried = tuple((new, ColumnRef(old)) for new, old in zip(fresh, at, strict=True))
        made, at = Project(made, (*step.columns, *carried)), fresh
    keys = tuple(
        SortKey(name, key.descending, key.nulls_last) for name, key in zip(at, node.keys, strict=True)
    )
    return Project(Sort(made, keys), tuple((name, ColumnRef(name)) for name in top.names))


def _reach(path: list[Filter | Project], sort: Sort) -> bool:
    """Whether every key is a column of the top."""
    names = {key.name for key in sort.keys}
    for step in reversed(path):
        if isinstance(step, Project):
            back = {old: new for new, old in step.passed.items()}
            if not names <= back.keys():
                return False
            names = {back[name] for name in names}
    return True


def _fresh(taken: set[str], count: int) -> list[str]:
    made: list[str] = []
    number = 1
    while len(made) < count:
        name = f"_key{number}"
        number += 1
        if name not in taken:
            made.append(name)
    return made
