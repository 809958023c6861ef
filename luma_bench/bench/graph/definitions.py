"""Property graphs in the catalog: CREATE and DROP, and finding the one that a statement means."""

from __future__ import annotations

from typing import Final

from luma_bench.bench.ask import Ask
from luma_bench.bench.graph.elements import Definition
from luma_bench.bench.namespaces import check_schema
from luma_bench.errors import CatalogError, KadeQLBindError, choices
from luma_bench.language import CreateGraph, DropGraph
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.graph import GRAPH, PropertyGraph
from luma_bench.types.schema import CatalogObject

_MAKE: Final = "CREATE PROPERTY GRAPH g VERTEX TABLES (…) EDGE TABLES (…) makes one over tables."


def graph_of(
    snapshot: ResolvedSnapshot,
    name: str | None,
    text: str | None = None,
    span: tuple[int, int] | None = None,
) -> PropertyGraph:
    """The property graph of a name at a snapshot, ignoring case.

    Parameters
    ----------
    name
        `sales.g` in a schema; None for the bench's only graph.
    text, span
        The user's whole text and the place in it that an error points at, where a text asks.

    Raises
    ------
    KadeQLBindError, CatalogError
        There is no such graph (the hint lists the nearest), none at all, or several where one must be named; a
        KadeQLBindError where a text is given.
    """
    item = graph_item(snapshot, name, text, span)
    return PropertyGraph.of(item.name, item.definition)


def graph_item(
    snapshot: ResolvedSnapshot,
    name: str | None,
    text: str | None = None,
    span: tuple[int, int] | None = None,
) -> CatalogObject:
    """The catalog's object of a property graph; see `graph_of`."""
    held = snapshot.objects_of(GRAPH)
    found = snapshot.object(GRAPH, name) if name is not None else held[0] if len(held) == 1 else None
    if found is not None:
        return found
    message, hint = _absent(snapshot, name, [item.name for item in held])
    if text is None:
        raise CatalogError(message, hint=hint)
    raise KadeQLBindError(message, text=text, span=span, hint=hint)


def change_graph(statement: CreateGraph | DropGraph, ask: Ask, inside: StoreTransaction) -> str:
    """Stage what the statement does; what happened, in a word.

    Raises
    ------
    KadeQLBindError, KadeQLUnsupportedError
        The graph does not fit its tables, its name is another's, or there is none to drop.
    """
    if isinstance(statement, CreateGraph):
        return _create(statement, ask, inside)
    view = inside.view()
    present = view.object(GRAPH, statement.name)
    if present is None:
        if statement.if_exists and not _is_other(view, statement.name):
            return "unchanged"
        present = graph_item(view, statement.name, statement.whole, statement.name_span)
    inside.drop_object(GRAPH, present.name)
    return "drop"


def _create(statement: CreateGraph, ask: Ask, inside: StoreTransaction) -> str:
    view = inside.view()
    check_schema(statement, view)
    present = view.object(GRAPH, statement.name)
    other = _is_other(view, statement.name)
    if (present is not None or other) and statement.if_not_exists:
        return "unchanged"
    if other or (present is not None and not statement.or_replace):
        kind = other or GRAPH
        instead = "choose another name" if other else "write CREATE OR REPLACE PROPERTY GRAPH"
        raise KadeQLBindError(
            f"There is a {kind} {statement.name!r} already.",
            text=statement.whole,
            span=statement.name_span,
            hint=f"Drop it first, or {instead}.",
        )
    made = Definition(statement, view, ask).graph()
    inside.create_object(
        GRAPH,
        statement.name if present is None else present.name,
        made.definition,
        comment=None if present is None else present.comment,
        replace=present is not None,
    )
    return "create" if present is None else "replace"


def _is_other(view: ResolvedSnapshot, name: str) -> str:
    """What else has the name, where a graph's would stand; empty for nothing."""
    if view.named(name) is not None:
        return "table"
    return "view" if view.object("view", name) is not None else ""


def _absent(snapshot: ResolvedSnapshot, name: str | None, known: list[str]) -> tuple[str, str]:
    if name is None:
        if not known:
            return "There is no property graph to match in.", _MAKE
        shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
        return (
            f"There are {len(known)} property graphs, and it is not said which one is meant.",
            f"Say ON GRAPH {known[0]} behind the patterns, or GRAPH_TABLE ({known[0]} MATCH …). The graphs are: {shown}.",
        )
    other = _is_other(snapshot, name)
    if other:
        return f"{name!r} is a {other} and no property graph.", choices(name, known, "property graphs")
    message = f"There is no property graph {name!r}."
    return message, choices(name, known, "property graphs") if known else f"There is none yet. {_MAKE}"
