"""Graph queries as the formatter reads them: which of their words are keywords, and where their symbols stand together."""

from __future__ import annotations

from typing import Final

from luma_bench.language.graph.read_algorithm import ALGORITHMS
from luma_bench.language.graph.recognise import is_match_query, match_at
from luma_bench.language.keywords import split
from luma_bench.language.tokens import NUMBER, Tokens

_PATH: Final = frozenset(split("SHORTEST CHEAPEST WALK TRAIL ACYCLIC SIMPLE"))
_PAIRS: Final = {"VALID": "AT", "TIME": "RESPECTING", "STARTING": "AT", "OPTIONAL": "MATCH"}
_SECOND: Final = {("GRAPH", "ON"), ("AT", "VALID"), ("RESPECTING", "TIME"), ("AT", "STARTING")}
_BEHIND_TIMES: Final = frozenset(split("STRICT WITHIN"))
_BEFORE_NAME: Final = frozenset({"(", ",", ".", "AS", "REFERENCES", "LABEL"})
_SYMBOLS: Final = frozenset("-<>+*?~")


class MatchWords:
    """Follows the graph queries of a text, and says which of their words are keywords."""

    __slots__ = ("_open", "_returned", "_tokens")

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        # The depths of brackets at which patterns stand, and those at which RETURN was read.
        self._open: list[int] = []
        self._returned: list[int] = []

    def close(self, depth: int) -> None:
        """The brackets around are `depth` now."""
        self._open = [known for known in self._open if known <= depth]
        self._returned = [known for known in self._returned if known <= depth]

    def keyword(self, index: int, opened: list[int]) -> bool | None:
        """Whether a word is a keyword of a graph query; None where it belongs to something else."""
        tokens, depth = self._tokens, len(opened)
        word, last = tokens.words[index], len(tokens)
        before = tokens.words[index - 1] if index else ""
        behind = tokens.words[index + 1] if index + 1 < last else ""
        if word in ("MATCH", "OPTIONAL") and before != "AS":
            return self._match(index, opened)
        if word == "GRAPH_TABLE" and behind == "(":
            return "MATCH" in tokens.words[index + 2 : index + 7] or None
        if word == "GRAPH" and before == "(" and tokens.words[index - 2] in ALGORITHMS and behind != ",":
            return True
        if word == "SKIP" and depth in self._returned:
            return behind in (NUMBER, "$", "(")
        if not self._open:
            return None
        if depth == self._open[-1]:
            if word == "COLUMNS" and behind == "(":
                return opened[-1] > 0 and tokens.words[opened[-1] - 1] == "GRAPH_TABLE" if opened else None
            if word == "RETURN" and before != "AS":
                self._returned.append(self._open.pop())
                return True
            if word in _PATH:
                return behind in ("(", NUMBER) or behind in _PATH
            if (word, before) in _SECOND:
                return True
            if word in _PAIRS:
                return behind == _PAIRS[word]
            return True if word in _BEHIND_TIMES and behind != "." else None
        if depth == self._open[-1] + 1 and word in ("COST", "IS"):
            if word == "IS":
                return True if before in ("(", "[") else None
            return tokens.words[opened[-1]] == "[" and behind not in (":", "]", ".", "WHERE", "IS")
        return None

    def _match(self, index: int, opened: list[int]) -> bool | None:
        tokens, depth = self._tokens, len(opened)
        table = bool(opened) and tokens.words[opened[-1] - 1] == "GRAPH_TABLE" and opened[-1] > 0
        if match_at(tokens, index, len(tokens)) is None:
            return None
        if not (is_match_query(tokens, index, len(tokens)) or table):
            return None
        if tokens.words[index] == "MATCH" and self._open[-1:] != [depth]:
            self._open.append(depth)
            self._returned = [known for known in self._returned if known != depth]
        return True


def defines_graph(tokens: Tokens, first: int) -> bool:
    """Whether the statement that begins at a token is CREATE [OR REPLACE] PROPERTY GRAPH."""
    last = len(tokens)
    return tokens.follows(first, last, "CREATE", "PROPERTY", "GRAPH") or tokens.follows(
        first, last, "CREATE", "OR", "REPLACE", "PROPERTY", "GRAPH"
    )


def definition_keyword(word: str, before: str, behind: str, named: bool) -> bool | None:
    """Whether a word of CREATE PROPERTY GRAPH is a keyword; `named`: a name stands behind it."""
    if before in _BEFORE_NAME:
        return None
    match word:
        case "KEY":
            return True if behind == "(" else None
        case "SOURCE" | "DESTINATION" | "LABEL":
            return True if named or behind == "KEY" else None
        case "PROPERTIES":
            return True if behind in ("(", "ALL") or before == "NO" else None
        case "NO":
            return True if behind == "PROPERTIES" else None
        case "COLUMNS":
            return True if before == "ALL" else None
        case "VALID":
            return True if behind == "FROM" else None
        case "NODE" | "RELATIONSHIP" | "VERTEX" | "EDGE":
            return True if behind == "TABLES" else None
        case "TABLES":
            return True if before in ("NODE", "RELATIONSHIP", "VERTEX", "EDGE") else None
        case _:
            return None


class Pattern:
    """Follows the patterns of a text from one token to the next, and says whether a space stands between the two."""

    __slots__ = ("_depth", "_quantifier", "_says", "_tokens")

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        # The depth of brackets at which the pattern stands; whether an expression of an element has begun.
        self._depth = -1
        self._says = False
        self._quantifier = False

    def enter(self, index: int, keyword: bool, depth: int) -> None:
        """Token `index` stands inside `depth` brackets, its own closing one not counted."""
        word = self._tokens.words[index]
        if word == "MATCH" and keyword:
            self._depth, self._says, self._quantifier = depth, False, False
        elif self._depth < 0:
            return
        elif depth < self._depth or word == ";" or (depth == self._depth and word in _PATH_ENDS and keyword):
            self._depth = -1
        elif depth == self._depth:
            self._says = False
            self._quantifier = word == "{"
        elif depth == self._depth + 1 and (word == "{" or (keyword and word in ("WHERE", "COST"))):
            self._says = True

    def parted(self, index: int, depth: int, *, adjacent: bool) -> bool | None:
        """Whether a space stands before token `index`; None where the rules of expressions hold."""
        if self._depth < 0:
            return None
        words = self._tokens.words
        first, second = words[index - 1], words[index]
        if self._quantifier and depth > self._depth:
            return None if {first, second}.isdisjoint("{,}") else False
        if depth > self._depth and self._says and second != "{":
            return None
        if _is_symbol(first) and _is_symbol(second):
            return not adjacent
        if depth > self._depth:
            return self._in_element(first, second)
        if second == "MATCH":
            return None
        if first == "MATCH" or second == ",":
            return second != ","
        if first[0] in _SYMBOLS or second[0] in _SYMBOLS:
            return False
        return None if "=" in (first, second) or first in (",", ")") else not (second == "{" or first == "}")

    def _in_element(self, first: str, second: str) -> bool | None:
        """Between tokens of an element's bracket, before its condition."""
        if first in ("(", "[") or second in (")", "]"):
            return False
        return not ({first, second} & {":", "|"})


def _is_symbol(word: str) -> bool:
    """Whether a token is a sign that may be one with the next: no name, constant, bracket or comma."""
    return not (word[0].isalnum() or word[0] in "_'\"`$()[]{},;" or not word[0].isascii())


_PATH_ENDS: Final = frozenset(split("WHERE COLUMNS RETURN ON VALID TIME"))
