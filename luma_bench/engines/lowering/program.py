"""A statement as a relational program: named, bound and optimized, then checked against the types of the text itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.duck_tree import DuckTrees, Tree
from luma_bench.engines.lowering.decode_expressions import Printed
from luma_bench.engines.lowering.decode_relations import RelationDecoder
from luma_bench.engines.lowering.fusion import Fusion
from luma_bench.engines.lowering.pruning import pruned
from luma_bench.engines.lowering.queries import Queries
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.relations import table_names
from luma_bench.engines.lowering.statement import Inline, Named, Source, Statement, Stored
from luma_bench.engines.lowering.templates import Templates
from luma_bench.errors import KadeQLError
from luma_bench.plan.engine import SqlFragment, View
from luma_bench.plan.relational.nodes import Node, Program
from luma_bench.plan.relational.to_duck import program_sql
from luma_bench.types.sql_text import quoted

Describe = Callable[[str, Mapping[str, pa.Schema]], pa.Schema]
"""The schema that a text yields over tables of these schemas (`types.inspector.SqlInspector.describe`)."""

_ZONE = re.compile(r"tz=[^\]]*")
_WITH = re.compile(r"\s*WITH\b", re.IGNORECASE)
_RECURSIVE = re.compile(r"\s*WITH\s+RECURSIVE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tools:
    """What lowering works with: the embedded engine's binder and parser, and DataFusion."""

    describe: Describe
    trees: DuckTrees
    fusion: Fusion


def lowered(
    tools: Tools, fragment: SqlFragment, schemas: Mapping[str, pa.Schema], views: tuple[View, ...]
) -> tuple[Program, bool]:
    """The program of a text over relations of these schemas, and whether it holds at any time.

    Raises
    ------
    NotLowered
        Another engine would not, or might not, give the embedded engine's answer.
    """
    node = tools.trees.statement(fragment.text)
    if node is None:
        raise NotLowered("it is no single SELECT")
    params = {name: _literal(tools, value) for name, value in fragment.params.items()}
    whole = tools.trees.query(_bound(node, params)) if params else fragment.text
    schema = _described(tools, _with_views(whole, views), schemas)
    statement = Statement(tools.trees, Templates(_marker(fragment, views)), params, tools.trees.functions)
    known, often = _known(tools, schemas, views, node)
    queries = Queries(statement, often)
    top = queries.query(node, None, known, top=True)
    printed = Printed(statement.templates, tools.trees.printed)
    printed.prepare()
    inline = _inline(tools, statement, printed)
    root = _decoded(tools, statement, printed, top.sql, inline)
    parts = [(part.name, _decoded(tools, statement, printed, part.sql, inline)) for part in statement.parts]
    root, shared = pruned(root, parts)
    if root.width != len(schema):
        raise NotLowered("the planner gives other columns")
    program = Program(root, schema, shared)
    _require_same(schema, _described(tools, program_sql(program), schemas))
    program = Program(root, _titled(schema, [column.name for column in top.columns]), shared)
    return program, statement.now is None


def _titled(schema: pa.Schema, names: Sequence[str | None]) -> pa.Schema:
    """The schema with a name that comes twice as often as it comes: the binder numbers the later ones, an answer does not."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name is None:
            continue
        if name.casefold() in seen and re.fullmatch(
            rf"{re.escape(name)}_\d+", schema.field(index).name, re.IGNORECASE
        ):
            schema = schema.set(index, schema.field(index).with_name(name))
        seen.add(name.casefold())
    return schema


def _decoded(
    tools: Tools, statement: Statement, printed: Printed, sql: str, inline: Mapping[str, Node]
) -> Node:
    return RelationDecoder(statement, printed, tools.fusion.plan(sql), inline).node()


def _inline(tools: Tools, statement: Statement, printed: Printed) -> dict[str, Node]:
    """The queries that are planned by themselves; each reads only those before it."""
    found: dict[str, Node] = {}
    for name, source in statement.tables.items():
        if isinstance(source, Inline):
            found[name] = _decoded(tools, statement, printed, source.sql, found)
    return found


def _known(
    tools: Tools, schemas: Mapping[str, pa.Schema], views: tuple[View, ...], node: Tree
) -> tuple[dict[str, Source], dict[str, int]]:
    """What names mean, folded, and how often each is read."""
    known: dict[str, Source] = {}
    for name, schema in schemas.items():
        hidden = len(schema) > 0 and schema.field(0).name == "_rowid" and not schema.field(0).nullable
        known[name.casefold()] = Stored(name, tuple(schema.names[1:] if hidden else schema.names))
    often = table_names(node)
    bodies: list[tuple[View, Tree]] = []
    for view in views:
        body = tools.trees.statement(view.sql)
        if body is None:
            raise NotLowered(f"view {view.name} is no single SELECT")
        bodies.append((view, body))
        for name, count in table_names(body).items():
            often[name] = often.get(name, 0) + count
    for view, body in bodies:
        once = often.get(view.name.casefold(), 0) > 1
        known[view.name.casefold()] = Named(view.name, body, view.columns, dict(known), once)
    return known, often


def _literal(tools: Tools, value: object) -> Tree:
    from luma_bench.engines.duck_params import plain_value
    from luma_bench.errors import UnsupportedError
    from luma_bench.plan.literals import constant

    plain = plain_value(value)
    try:
        text = constant(plain)
    except UnsupportedError as error:
        raise NotLowered("a parameter that has no constant") from error
    if isinstance(plain, int) and not isinstance(plain, bool):
        small = -(2**31) <= plain < 2**31
        text = (
            f"CAST({text} AS {'INTEGER' if small else 'BIGINT' if -(2**63) <= plain < 2**63 else 'HUGEINT'})"
        )
    elif isinstance(plain, str):
        text = f"CAST({text} AS VARCHAR)"
    return tools.trees.expression(text)


def _bound(tree: Any, params: Mapping[str, Tree]) -> Any:
    """The tree with literals in the place of parameters."""
    if isinstance(tree, list):
        return [_bound(part, params) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("class") == "PARAMETER":
        found = {key.casefold(): value for key, value in params.items()}.get(tree["identifier"].casefold())
        if found is None:
            raise NotLowered(f"${tree['identifier']} has no value")
        return {**found, "alias": tree["alias"]}
    return {key: _bound(part, params) for key, part in tree.items()}


def _with_views(text: str, views: tuple[View, ...]) -> str:
    """The text with its views as CTEs before it, for its types alone."""
    if not views:
        return text
    if _RECURSIVE.match(text):
        raise NotLowered("a recursive CTE")
    listed = [
        f"{quoted(view.name)}{f' ({", ".join(map(quoted, view.columns))})' if view.columns else ''} AS ({view.sql})"
        for view in views
    ]
    head = f"WITH {', '.join(listed)}"
    own = _WITH.match(text)
    return f"{head}, {text[own.end() :]}" if own else f"{head} {text}"


def _described(tools: Tools, text: str, schemas: Mapping[str, pa.Schema]) -> pa.Schema:
    try:
        return tools.describe(text, schemas)
    except KadeQLError as error:
        raise NotLowered(f"the embedded engine does not bind it: {error.plain.rstrip('.')}") from error


def _require_same(wanted: pa.Schema, given: pa.Schema) -> None:
    for mine, theirs in zip(wanted, given, strict=True):
        same = _ZONE.sub("", str(mine.type)) == _ZONE.sub("", str(theirs.type))
        if not same or (mine.metadata or {}) != (theirs.metadata or {}):
            raise NotLowered(f"column {mine.name} would be {theirs.type} instead of {mine.type}")


def _marker(fragment: SqlFragment, views: tuple[View, ...]) -> str:
    """A beginning of names that no text of the statement holds."""
    texts = [fragment.text, *(view.sql for view in views), *map(str, fragment.params.values())]
    marker = "@"
    while any(f'"{marker}' in text for text in texts):
        marker += "@"
    return marker
