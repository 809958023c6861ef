"""A graph pattern as one query of SQL: the same relation that its scan source gives, from joins over the stored tables.

It is what runs where nothing bounds a pattern and every row of it is wanted, or where adjacency does not fit in memory,
and what every other plan is checked against. A variable is a relation, an edge a join of two, repeats a recursive query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from luma_bench.language.graph.pattern import WEIGHT, Match, Mode, Use
from luma_bench.plan.graph.to_sql_clauses import ClauseQuery
from luma_bench.plan.graph.to_sql_elements import Answered, Output, Sources
from luma_bench.plan.graph.to_sql_parts import Parts
from luma_bench.types.graph import PropertyGraph
from luma_bench.types.sql_text import quoted

_SEARCHED: Final = 50_000
"""The edges up to which paths are chosen by enumerating them."""


def joins(
    match: Match,
    graph: PropertyGraph,
    columns: Mapping[str, Sequence[str]],
    used: Sequence[Use],
    *,
    types: Mapping[str, str] | None = None,
    answered: Answered | None = None,
    rows: Mapping[str, int] | None = None,
) -> str | None:
    """The SQL of a pattern's relation; None where joins cannot give it.

    Parameters
    ----------
    columns
        The columns of each stored table of the graph.
    used
        The columns wanted, each under its name; `WEIGHT`, which is 1, comes behind them.
    types
        The SQL types that columns are cast to.
    answered
        What stands for conditions and values that cannot be asked in place, as those with parameters.
    rows
        The rows of stored tables: of a large graph no path is chosen by enumeration.

    Notes
    -----
    Reads the relations `types.schema.rows_relation(table)`, and whatever conditions read.
    """
    if not _possible(match, graph, rows or {}):
        return None
    parts = Parts(match, Sources(graph, columns, answered or Answered()), types or {})
    names = _wanted(match, used, parts)
    shown: list[list[str]] = []
    given: set[str] = set()
    for place, clause in enumerate(match.clauses):
        shown.append(ClauseQuery(parts, clause, place, given).add())
    where: dict[str, str] = {}
    for place, found in enumerate(shown):
        for name in found:
            where.setdefault(name, f"c{place}.{quoted(name)}")
    values: list[str] = []
    for name in names:
        kind = parts.types.get(name)
        values.append(f"{where[name]}{'' if kind is None else f'::{kind}'} AS {quoted(name)}")
    values.append(f"1::BIGINT AS {quoted(WEIGHT)}")
    held = ", ".join(f"{quoted(name)} AS ({sql})" for name, sql in parts.held.items())
    return f"WITH {held} SELECT {', '.join(values)} FROM {_joined(match, shown)}"


def _possible(match: Match, graph: PropertyGraph, rows: Mapping[str, int]) -> bool:
    for clause in match.clauses:
        for path in clause.paths:
            names = [edge.variable for edge in path.edges]
            if len(set(names)) < len(names):
                return False
            for edge in path.edges:
                bound = edge.quantifier is None or edge.quantifier.most is not None
                if not bound and path.selector is None and path.mode is Mode.WALK:
                    return False
            if path.selector is not None and sum(rows.get(item.table, 0) for item in graph.edges) > _SEARCHED:
                return False
    return True


def _wanted(match: Match, used: Sequence[Use], parts: Parts) -> list[str]:
    """Note what is read of each variable, and which variables several paths share; the columns in order."""
    paths = {path.variable for clause in match.clauses for path in clause.paths} - {None}
    names: dict[str, str] = {}
    for use in used:
        if use.column == WEIGHT or use.column.casefold() in names:
            continue
        names[use.column.casefold()] = use.column
        what = "" if use.property is not None else use.column[len(use.variable) + 1 :]
        if use.variable in paths:
            parts.of_paths.setdefault(use.variable, {})[what.removeprefix("@")] = use.column
            continue
        parts.named.add(use.variable)
        if what != "@id":
            kind = "property" if use.property is not None else "label" if what == "@label" else "key"
            output = Output(use.column, kind, use.property or "")
            parts.outputs.setdefault(use.variable, []).append(output)
    seen: set[str] = set()
    for clause in match.clauses:
        for path in clause.paths:
            here = {item.variable for item in path.elements}
            parts.named |= here & seen
            seen |= here
    return list(names.values())


def _joined(match: Match, shown: Sequence[Sequence[str]]) -> str:
    """The clauses one after the other; variables that two of them have are the same elements."""
    first = '(SELECT 1 AS one) AS one LEFT JOIN "@c 0" AS c0 ON TRUE'
    relation = first if match.clauses[0].optional else '"@c 0" AS c0'
    for place, clause in enumerate(match.clauses[1:], 1):
        equal: list[str] = []
        for name in shown[place]:
            before = [f"c{i}" for i in range(place) if name in shown[i]]
            if name.endswith(".@id") and before:
                equal.append(f"{before[0]}.{quoted(name)} = c{place}.{quoted(name)}")
        kind = "LEFT JOIN" if clause.optional else "JOIN"
        relation += f' {kind} "@c {place}" AS c{place} ON {" AND ".join(equal) or "TRUE"}'
    return relation
