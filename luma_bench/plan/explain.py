"""A plan as a tree of text, for people."""

from __future__ import annotations

from luma_bench.plan.expressions import ColumnRef, Expression, rewrite
from luma_bench.plan.literals import identifier
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
    SortKey,
    Table,
    Union,
)
from luma_bench.plan.rules import optimize
from luma_bench.plan.window import Origin
from luma_bench.plan.write_expression import write, write_aggregate, write_conditions
from luma_bench.types.schema import ROW_ID

_WIDEST = 120


def explain(plan: Node) -> str:
    """The plan after the rules, one node a line with its inputs indented below, and the rules that fired."""
    optimized = optimize(plan)
    fired = ", ".join(optimized.fired) or "none"
    return f"{tree(optimized.plan)}\nrules that fired: {fired}"


def tree(plan: Node) -> str:
    """One node a line, inputs indented below what reads them."""
    lines: list[str] = []
    pending: list[tuple[Node, int]] = [(plan, 0)]
    while pending:
        node, depth = pending.pop()
        line = "  " * depth + line_of(node)
        lines.append(line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…")
        pending += [(child, depth + 1) for child in reversed(node.children)]
    return "\n".join(lines)


def line_of(node: Node) -> str:
    """One node without its inputs."""
    match node:
        case Table():
            return f"Table {identifier(node.name)} at snapshot {node.snapshot}"
        case Relation():
            return f"Relation in memory, {node.data.num_rows:,} rows: {_names(node.names)}"
        case Filter():
            return "Filter " + " AND ".join(write_conditions(_readable(node.condition), identifier))
        case Project():
            shown = [(name, write(_readable(expression), identifier)) for name, expression in node.columns]
            return "Project " + ", ".join(
                text if text == identifier(name) else f"{text} AS {identifier(name)}" for name, text in shown
            )
        case Aggregate():
            measures = [
                f"{write_aggregate(call.over(_readable), identifier)} AS {identifier(name)}"
                for name, call in node.measures
            ]
            by = f" by {_names(node.keys)}" if node.keys else ""
            return f"Aggregate {', '.join(measures)}{by}"
        case Join():
            on = ", ".join(f"{identifier(left)} = {identifier(right)}" for left, right in node.on)
            return f"Join {node.how}{f' on {on}' if on else ''}"
        case Sort():
            return "Sort " + _keys(node.keys)
        case Asof():
            by = "".join(f", {identifier(left)} = {identifier(right)}" for left, right in node.by)
            sign = ("<" if node.forward else ">") + ("=" if node.exact else "")
            return f"Asof join on {identifier(node.on[0])} {sign} {identifier(node.on[1])}{by}"
        case Union():
            return f"Union of {len(node.parts)} parts"
        case Explode():
            return f"Explode {_names(node.columns)}"
        case Files():
            more = f" and {len(node.paths) - 1} more" if len(node.paths) > 1 else ""
            return f"Files {node.function} {next(iter(node.paths), '')}{more}"
        case Mapped():
            return f"Mapped by the Python function {node.label}: {_names(node.names)}"
        case Limit():
            return f"Limit {node.count}" + (f" after {node.offset}" if node.offset else "")
        case Distinct():
            return "Distinct" + (f" on {_names(node.on)}, first by {_keys(node.keys)}" if node.on else "")


def _readable(expression: Expression) -> Expression:
    """With the origin of rows by its name, as no step hands it out yet."""
    return rewrite(
        expression,
        lambda part: ColumnRef(part.column or ROW_ID) if isinstance(part, Origin) else part,
    )


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(identifier(name) for name in names)


def _keys(keys: tuple[SortKey, ...]) -> str:
    return ", ".join(
        f"{identifier(key.name)}{' descending' if key.descending else ''}{'' if key.nulls_last else ', nulls first'}"
        for key in keys
    )
