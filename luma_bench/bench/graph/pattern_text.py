"""A pattern as a user hands it to a graph, made a whole query about that graph, with the way back to the user's text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError
from luma_bench.language.tokens import Tokens, tokenize
from luma_bench.types.sql_text import quoted

_ENDS: Final = frozenset({"VALID", "WHERE", "TIME", "RETURN", "OPTIONAL", "MATCH", ";"})
"""Words behind the paths of a MATCH."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """A text with insertions: `cuts` are the places in the user's text and what was put there, in order."""

    text: str
    cuts: tuple[tuple[int, str], ...]

    def back(self, span: tuple[int, int]) -> tuple[int, int]:
        """Where offsets of the text stand in the user's; what was inserted is the place that it was put at."""
        start, stop = self._offset(span[0]), self._offset(span[1])
        return start, max(start, stop)

    def _offset(self, place: int) -> int:
        gone = 0
        for at, text in self.cuts:
            begin = at + gone
            if place < begin:
                break
            if place < begin + len(text):
                return at
            gone += len(text)
        return place - gone


def on_graph(pattern: str, graph: str) -> Inserted:
    """The pattern as a query: MATCH in front where it is left out, and ON GRAPH behind the paths of its first MATCH.

    Raises
    ------
    KadeQLSyntaxError
        The text is no pattern.
    """
    tokens = tokenize(pattern)
    cuts: list[tuple[int, str]] = []
    if not len(tokens):
        raise KadeQLSyntaxError("The pattern is empty.", hint="Write MATCH (a)-[e]->(b) RETURN a, b.")
    if tokens.words[0] not in ("MATCH", "OPTIONAL"):
        cuts.append((tokens.starts[0], "MATCH "))
        # Only behind MATCH is `--` an edge; elsewhere it is a comment.
        tokens = _tokens(_inserted(pattern, cuts), pattern)
    first = 2 if tokens.words[0] == "OPTIONAL" else 1
    end = _behind_paths(tokens, first)
    if not tokens.follows(end, len(tokens), "ON", "GRAPH"):
        at = tokens.ends[end - 1] if end else 0
        cuts.append((at - sum(len(text) for _, text in cuts), f" ON GRAPH {quoted(graph)} "))
    return _inserted(pattern, cuts)


def _inserted(pattern: str, cuts: list[tuple[int, str]]) -> Inserted:
    text, done = "", 0
    for at, inserted in cuts:
        text, done = f"{text}{pattern[done:at]}{inserted}", at
    return Inserted(text + pattern[done:], tuple(cuts))


def _tokens(made: Inserted, pattern: str) -> Tokens:
    """The tokens of a text that was made of a pattern; an error points into the pattern."""
    try:
        return tokenize(made.text)
    except KadeQLError as error:
        span = None if error.span is None else made.back(error.span)
        raise error.moved(pattern, span) from error


def _behind_paths(tokens: Tokens, first: int) -> int:
    """The index of the first token behind the paths."""
    index = first
    while index < len(tokens):
        word = tokens.words[index]
        if word in ("(", "[", "{"):
            index = tokens.closing(index, len(tokens)) + 1
            continue
        if word in _ENDS or tokens.follows(index, len(tokens), "ON", "GRAPH"):
            return index
        index += 1
    return index
