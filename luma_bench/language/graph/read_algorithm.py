"""Reading `PAGERANK(GRAPH g, damping => 0.85)`, which stands as a table and becomes one relation."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.functions import VOLATILE_WORDS
from luma_bench.language.graph.naming import keep
from luma_bench.language.graph.pattern import Algorithm, Argument, Value
from luma_bench.language.graph.queries import PatternQueries
from luma_bench.language.keywords import RESERVED, split
from luma_bench.language.references import is_named
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted

ALGORITHMS: Final = frozenset(
    split("""
    PAGERANK BFS SHORTEST_PATHS WEAKLY_CONNECTED_COMPONENTS STRONGLY_CONNECTED_COMPONENTS TRIANGLES COMMUNITIES
    BETWEENNESS DEGREES K_CORE EARLIEST_ARRIVAL
    """)
)
"""The algorithms, in upper case."""
_SHAPE: Final = "Write {}(GRAPH g, name => value, …)."


def read_algorithm(draft: Draft, index: int) -> None:
    """The algorithm at a token; the draft gets its island and edit.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or an argument stands twice.
    """
    tokens, scope = draft.tokens, draft.scope
    shown, shape = tokens.slice(index, index + 1), _SHAPE.format(tokens.words[index])
    close = tokens.closing(index + 1, scope.last)
    cursor = Cursor(tokens, index + 3, close, scope.last)
    graph, span = cursor.placed_table()
    parts = PatternQueries(draft, index)
    arguments: list[Argument] = []
    if not cursor.done and not cursor.accept(","):
        raise cursor.expected("a comma or ) behind the graph", shape)
    for first, last in listed(tokens, cursor.index, close):
        given = Cursor(tokens, first, last, scope.last)
        name = _name(given)
        if not (given.accept("=>") or given.accept(":=")):
            raise given.expected("=> behind the argument's name", shape)
        if given.done:
            raise given.expected(f"a value for {name}", shape)
        if any(known.name == name.casefold() for known in arguments):
            raise KadeQLSyntaxError(
                f"The argument {name} stands twice.",
                text=tokens.text,
                span=tokens.span(first),
                hint="Give each argument once.",
            )
        part = (given.index, last)
        # No column can stand here, so a name alone is that of a column of the graph's: weight => km.
        word = tokens.words[given.index]
        named = last - given.index == 1 and tokens.is_name(given.index)
        alone = named and word not in RESERVED and word not in VOLATILE_WORDS
        value = Value(parts.word(given.index) if alone else parts.constant(part), tokens.span(*part))
        arguments.append(Argument(name.casefold(), value, tokens.span(first, last)))
    place = tokens.span(index, close + 1)
    island = Algorithm(
        alias="",
        name=tokens.words[index],
        graph=graph,
        graph_span=span,
        arguments=tuple(arguments),
        params=frozenset(),
        volatile=False,
        span=place,
        text=tokens.text[slice(*place)],
    )
    island = keep(draft, island, contextual=parts.contextual)
    alias = "" if is_named(draft, index, close + 1) else f" AS {shown}"
    draft.replace(index, close + 1, quoted(island.alias) + alias)
    draft.taken.update(range(index, close + 1))


def _name(given: Cursor) -> str:
    """Step over an argument's name, which may be any word: `limit => 3`."""
    tokens, index = given.tokens, given.index
    if tokens.is_name(index) and (
        tokens.follows(index + 1, given.end, "=>") or tokens.follows(index + 1, given.end, ":=")
    ):
        given.index += 1
        return tokens.names[index]
    return given.name("an argument's name")
