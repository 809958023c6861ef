"""A plan for a reader: one line for each step."""

from __future__ import annotations

from luma_bench.plan.graph.atoms import Kind, Way, shown
from luma_bench.plan.graph.steps import (
    AnyStep,
    Check,
    Close,
    Cross,
    Fold,
    Known,
    MatchPlan,
    Search,
    Start,
    Walk,
)


def lines(plan: MatchPlan) -> tuple[str, ...]:
    """Every step in order: what it does, in which direction, the rows expected behind it, and the rule."""
    found: list[str] = []
    for clause in plan.clauses:
        if clause.clause.optional:
            found.append("optional: rows without a match stay, with NULL")
        indent = "  " if clause.clause.optional else ""
        found += [indent + line for step in clause.steps for line in _lines(step)]
    return (*found, *plan.notes)


def _lines(step: AnyStep) -> list[str]:
    rule = f" · rule {step.rule}" if step.rule else ""
    mine = f"{title(step)} · about {count(step.rows)} rows{rule}"
    if isinstance(step, Cross):
        return [mine, *("  " + line for inner in step.steps for line in _lines(inner))]
    return [mine]


def title(step: AnyStep) -> str:
    """What a step does, as the run record calls it."""
    match step:
        case Start():
            return f"start at ({shown(step.node.variable)}) · {count(step.size)} vertices"
        case Check():
            return f"check ({shown(step.node.variable)})"
        case Walk():
            if len(step.ways) > 1:
                return "intersect " + " and ".join(_way(way) for way in step.ways)
            way = next(iter(step.ways))
            verb = "reach" if way.atom.kind is Kind.REACH else "walk"
            return f"{verb} {_way(way)}" + (" · equal rows together" if step.distinct else "")
        case Close():
            return f"close {_way(step.way)}"
        case Known():
            return f"known edge {Way(step.atom)}"
        case Fold():
            return "factor " + ", ".join(_way(way) for way in step.tree.ways)
        case Search():
            return _search(step)
        case Cross():
            return "every pair with"


def _way(way: Way) -> str:
    against = "" if way.forward or way.edge.direction == "-" else " against the edges"
    return f"{way}{against}"


def _search(step: Search) -> str:
    path = step.path
    name = path.variable if path.variable is not None else path.edges[0].variable
    sort = path.mode.value if path.selector is None else f"{path.selector.kind} {path.mode.value}"
    ends = {
        (True, True): "between both ends",
        (True, False): "from its first node",
        (False, True): "from its last node",
        (False, False): "from every node",
    }
    return f"search {shown(name)} {sort} {ends[step.ends]}".replace("  ", " ")


def count(rows: float) -> str:
    """A number of rows for a reader: whole, and short where it is large."""
    return f"{rows:,.0f}" if rows < 1e9 else f"{rows:.1e}"
