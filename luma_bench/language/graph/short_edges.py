"""`-->`, `<--` and `--` between nodes: SQL reads a comment there, so they are masked before a text is split into tokens."""

from __future__ import annotations

import re
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.lexical import regions

_NODE: Final = re.compile(r"<?-->?\s*(?:(?:\{[\d\s,]*\}|[+*?])\s*)?\(")
"""A short edge, its quantifier, and the node behind it, on lines of their own or not."""
_BESIDE: Final = re.compile(r"<?-->?[({+*?]")
_ARROW: Final = re.compile(r"(?:-->|<-->?)[ \t]*[({+*?]")
_BRACKETED: Final = re.compile(r"--[ \t]*\[")
_RETURNED: Final = re.compile(r"\b(?:RETURN|COLUMNS)\b", re.IGNORECASE)
_BRACKETS: Final = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_ENDS: Final = frozenset({"WHERE", "RETURN", "COLUMNS", "ON", "VALID", "TIME"})
_BEFORE_NAMES: Final = frozenset({"FROM", "INTO", "JOIN", "SELECT", "TABLE", "UPDATE", "VIEW", ".", ","})
"""What stands before a table or function of that name, and never before the MATCH of a pattern."""


def masked_edges(text: str) -> str:
    """The text at equal length, with every short edge of a pattern as an operator that SQL reads as one token.

    One stands behind MATCH, outside of brackets, behind a node: `(a)-->(b)`. A node, with blanks before it or not, tells an
    edge from a comment: `(a) -- (b)` is two nodes, `(a) -- the start` is one.

    Raises
    ------
    KadeQLSyntaxError
        Behind a node stands what could be either.
    """
    if "--" not in text or "match" not in text.casefold():
        return text
    chars = list(text)
    position = depth = 0
    returned = max((found.start() for found in _RETURNED.finditer(text)), default=0)
    patterns: list[int] = []
    # The last sign that is neither blank nor comment, or the last word.
    before = ""
    found = True
    while found:
        found = False
        for region in regions(text, position):
            gap = text[position : region.start]
            depth = _depth(gap, depth, patterns)
            position = region.end
            left = region.kind == "line" and gap[-1:] == "<"
            before = (gap[:-1] if left else gap).rstrip()[-1:] or before
            if region.kind == "word":
                word = text[region.start : region.end].upper()
                _word(word, before, depth, patterns)
                before = word
            elif region.kind == "line" and patterns[-1:] == [depth] and before == ")":
                operator = _edge(text, region.start - left, loose=region.start < returned)
                if operator is not None:
                    start = region.start - left
                    position = start + len(operator)
                    chars[start:position] = operator
                    before = operator
                    found = True
                    break
                before = "<" if left else before
            elif region.kind not in ("line", "block"):
                before = region.kind
    return "".join(chars)


def _depth(gap: str, depth: int, patterns: list[int]) -> int:
    for char in gap:
        depth += _BRACKETS.get(char, 0)
        if char == ";":
            patterns.clear()
        while patterns and patterns[-1] > depth:
            patterns.pop()
    return depth


def _word(word: str, before: str, depth: int, patterns: list[int]) -> None:
    if word == "MATCH" and patterns[-1:] != [depth] and before not in _BEFORE_NAMES:
        patterns.append(depth)
    elif word in _ENDS and patterns[-1:] == [depth]:
        patterns.pop()


def _edge(text: str, start: int, *, loose: bool) -> str | None:
    """What takes the place of the short edge that begins at `start`; None for a comment.

    `loose` is whether blanks may stand before `--`: where RETURN follows, so that this is a pattern indeed.
    """
    beside = text[start - 1] == ")"
    left = text[start] == "<"
    behind = (
        _NODE.match(text, start)
        or _ARROW.match(text, start)
        or (_BESIDE.match(text, start) if beside else None)
    )
    if behind is None:
        if left or not loose:
            return None
        if text[start : start + 3] == "-->":
            return "->>"
        bracketed = _BRACKETED.match(text, start)
        if bracketed is None:
            return None
        raise KadeQLSyntaxError(
            "`--` begins a comment here, so the pattern would end before it.",
            text=text,
            span=(start, start + 2),
            hint="Write -[e:label]- for an edge of either direction, or (a)--(b).",
        )
    if left:
        return "<->"
    if text[start + 2 : start + 3] == ">":
        return "->>"
    return "->" if loose or beside else None
