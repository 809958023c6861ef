"""Reading a path: `p = ANY SHORTEST TRAIL (a)-[e]->(b)…`."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.graph.cypher import SEARCHES
from luma_bench.language.graph.pattern import Mode, Selector
from luma_bench.language.graph.raw import RawElement, RawPath
from luma_bench.language.graph.read_element import NODE, at_edge, read_edge, read_node
from luma_bench.language.graph.recognise import MODES, SELECTORS
from luma_bench.language.graph.variables import Variables
from luma_bench.language.tokens import NUMBER

_SELECTOR: Final = "A path may begin with ANY, ANY SHORTEST, ALL SHORTEST, SHORTEST 3 or ANY CHEAPEST."
_WORDS: Final = (*sorted(SELECTORS), "CHEAPEST", *sorted(MODES))


def read_path(cursor: Cursor, variables: Variables, clause: int, *, optional: bool) -> RawPath:
    """The path at the cursor, which goes behind it.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or repeats an edge without bound and without saying which paths count.
    """
    tokens, first = cursor.tokens, cursor.index
    variable = None
    if not cursor.done and tokens.is_name(cursor.index) and tokens.follows(cursor.index + 1, cursor.end, "="):
        cursor.name("a variable for the path")
        variable = variables.declare(first, "path", clause, optional=optional)
        cursor.index += 1
    selector = _selector(cursor)
    mode = Mode(cursor.word) if cursor.word in MODES else Mode.WALK
    if cursor.word in MODES:
        cursor.index += 1
    if cursor.word != "(":
        raise _no_node(cursor)
    elements = [read_node(cursor, variables, clause, optional=optional)]
    while at_edge(cursor):
        elements.append(read_edge(cursor, variables, clause, optional=optional))
        if cursor.word != "(":
            raise cursor.expected("a node behind the edge", NODE)
        elements.append(read_node(cursor, variables, clause, optional=optional))
    _check(cursor, elements, selector, mode)
    if variable is not None:
        variables.by_name[variable].cheapest = selector is not None and selector.kind == "cheapest"
    return RawPath(variable, selector, mode, elements, (first, cursor.index))


def _selector(cursor: Cursor) -> Selector | None:
    tokens, first = cursor.tokens, cursor.index
    if cursor.accept("ANY"):
        cheapest = cursor.accept("CHEAPEST")
        if not cheapest and not cursor.accept("SHORTEST"):
            _refuse_misspelt(cursor)
        span = tokens.span(first, cursor.index)
        return Selector("cheapest", 1, span) if cheapest else Selector("any", 1, span)
    if cursor.accept("ALL"):
        cursor.expect("SHORTEST after ALL", "SHORTEST", hint=_SELECTOR)
        return Selector("all", 1, tokens.span(first, cursor.index))
    if not cursor.accept("SHORTEST"):
        return None
    written = tokens.slice(cursor.index, cursor.index + 1) if cursor.word == NUMBER else ""
    if not written.isdecimal() or int(written) < 1:
        raise cursor.expected("how many paths between each two ends", "Write SHORTEST 3, or ANY SHORTEST for one of them.")  # fmt: skip
    cursor.index += 1
    return Selector("shortest", int(written), tokens.span(first, cursor.index))


def _refuse_misspelt(cursor: Cursor) -> None:
    if cursor.word != "(" and cursor.word not in MODES:
        raise _no_node(cursor)


def _no_node(cursor: Cursor) -> KadeQLSyntaxError:
    search = SEARCHES.get(cursor.word)
    if search is not None:
        return cursor.expected("a node in round brackets", search)
    near = nearest(cursor.word, _WORDS, 1) if cursor.value else []
    return cursor.expected("a node in round brackets", f"Did you mean {near[0]}?" if near else NODE)


def _check(cursor: Cursor, elements: list[RawElement], selector: Selector | None, mode: Mode) -> None:
    """Paths without bound end by their selector or mode, and costs are for the cheapest path."""
    tokens = cursor.tokens
    edges = [element.edge for element in elements if element.edge is not None]
    for edge in edges:
        if edge.quantifier is not None and edge.quantifier.most is None and selector is None and mode is Mode.WALK:  # fmt: skip
            raise KadeQLSyntaxError(
                "An unbounded quantifier needs ANY SHORTEST or another selector, or TRAIL, ACYCLIC or SIMPLE: "
                "there may be endlessly many walks.",
                text=tokens.text,
                span=edge.quantifier.span,
                hint="Write MATCH p = ANY SHORTEST (a)-[e]->+(b), MATCH TRAIL (a)-[e]->+(b), or a bound: {1,5}.",
            )
        if edge.cost is not None and (selector is None or selector.kind != "cheapest"):
            raise KadeQLSyntaxError(
                "COST is for ANY CHEAPEST.",
                text=tokens.text,
                span=tokens.span(edge.cost_at, edge.cost[1]),
                hint="Write MATCH p = ANY CHEAPEST (a)-[r COST r.km]->+(b), or leave COST out.",
            )
    if selector is not None and selector.kind == "cheapest" and all(edge.cost is None for edge in edges):
        raise KadeQLSyntaxError(
            "ANY CHEAPEST needs the cost of an edge.",
            text=tokens.text,
            span=selector.span,
            hint="Say what an edge costs: -[r COST r.km]->; of equal edges, ANY SHORTEST counts them.",
        )
