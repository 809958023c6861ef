"""A statement as the formatter sees it: nested brackets, and the clauses, elements and terms of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from luma_bench.language.format_pieces import Piece
from luma_bench.language.keywords import QUERY_STARTS, split

JOINS: Final = frozenset(split("NATURAL ASOF POSITIONAL CROSS INNER LEFT RIGHT FULL OUTER SEMI ANTI JOIN"))
_QUERY_CLAUSES: Final = frozenset(
    split(
        "WITH SELECT FROM WHERE HAVING QUALIFY WINDOW LIMIT OFFSET SKIP UNION INTERSECT EXCEPT VALUES RETURNING MATCH RETURN"
    )
)
_PAIRED: Final = {
    ("GROUP", "BY"),
    ("ORDER", "BY"),
    ("SAMPLE", "BY"),
    ("LATEST", "ON"),
    ("USING", "SAMPLE"),
    ("OPTIONAL", "MATCH"),
    ("ON", "GRAPH"),
    ("VALID", "AT"),
    ("TIME", "RESPECTING"),
}
_BY_VERB: Final = {
    "UPDATE": frozenset(split("WITH UPDATE SET FROM WHERE RETURNING")),
    "DELETE": frozenset(split("WITH DELETE USING WHERE RETURNING")),
    "MERGE": frozenset(split("WITH MERGE USING ON WHEN RETURNING")),
    "PIVOT": _QUERY_CLAUSES | {"PIVOT", "ON", "USING"},
    "UNPIVOT": _QUERY_CLAUSES | {"UNPIVOT", "ON", "INTO"},
    "MATCH": _QUERY_CLAUSES | {"COLUMNS"},
    "GRAPH": frozenset(split("VERTEX NODE EDGE RELATIONSHIP")),
    "OVER": frozenset(split("ROWS RANGE GROUPS")),
}
# Words of clauses that begin none behind these: IS DISTINCT FROM, DELETE FROM, * EXCEPT (…).
_INSIDE: Final = {
    ("FROM", "DISTINCT"),
    ("FROM", "DELETE"),
    ("EXCEPT", "*"),
    ("FROM", "INTO"),
    ("MATCH", "OPTIONAL"),
}
_VERBS: Final = frozenset(split("SELECT FROM VALUES TABLE INSERT UPDATE DELETE MERGE PIVOT UNPIVOT MATCH"))


@dataclass(frozen=True, slots=True)
class Group:
    """What stands between a bracket and its closing one, or between CASE and END."""

    opening: Piece
    body: tuple[Item, ...]
    closing: Piece

    @property
    def is_case(self) -> bool:
        """Whether it is CASE … END."""
        return self.opening.word == "CASE"


Item = Piece | Group
"""A token, or a bracket with all that it holds."""


def nested(pieces: Sequence[Piece]) -> tuple[Item, ...]:
    """The pieces of a statement with brackets, and CASE with its END, as groups; an END without CASE is a piece."""
    stack: list[tuple[Piece | None, list[Item]]] = [(None, [])]
    for piece in pieces:
        if piece.word in ("(", "[", "{") or (piece.word == "CASE" and piece.keyword):
            stack.append((piece, []))
        elif piece.word in (")", "]", "}"):
            while stack[-1][0] is not None and stack[-1][0].word == "CASE":
                _dissolve(stack)
            opening, body = stack.pop()
            assert opening is not None
            stack[-1][1].append(Group(opening, tuple(body), piece))
        elif (
            piece.word == "END" and piece.keyword and stack[-1][0] is not None and stack[-1][0].word == "CASE"
        ):
            opening, body = stack.pop()
            assert opening is not None
            stack[-1][1].append(Group(opening, tuple(body), piece))
        else:
            stack[-1][1].append(piece)
    while len(stack) > 1:
        _dissolve(stack)
    return tuple(stack[0][1])


def _dissolve(stack: list[tuple[Piece | None, list[Item]]]) -> None:
    opening, body = stack.pop()
    assert opening is not None
    stack[-1][1].extend((opening, *body))


def first_piece(item: Item) -> Piece:
    """The piece that an item begins with."""
    return item.opening if isinstance(item, Group) else item


def flat(items: Sequence[Item]) -> str | None:
    """The items on one line, without the comments around them; None when a comment or a string forces a line break."""
    parts: list[str] = []
    pieces = list(pieces_in(items))
    for place, piece in enumerate(pieces):
        if place:
            if piece.new_line:
                return None
            for comment in piece.before:
                if comment.own_line or comment.ends_line:
                    return None
                parts.append(f" {comment.text}")
            if piece.space:
                parts.append(" ")
        parts.append(piece.text)
        if place < len(pieces) - 1:
            for comment in piece.after:
                if comment.ends_line:
                    return None
                parts.append(f" {comment.text}")
    return "".join(parts)


def pieces_in(items: Sequence[Item]) -> list[Piece]:
    """Every token of the items, brackets with theirs."""
    found: list[Piece] = []
    for item in items:
        if isinstance(item, Group):
            found.append(item.opening)
            found += pieces_in(item.body)
            found.append(item.closing)
        else:
            found.append(item)
    return found


def is_comma(item: Item) -> bool:
    """Whether the item is a comma."""
    return isinstance(item, Piece) and item.word == ","


def has_commas(items: Sequence[Item]) -> bool:
    """Whether a comma stands outside of brackets."""
    return any(is_comma(item) for item in items)


def elements(items: Sequence[Item]) -> list[list[Item]]:
    """The items in parts that end with their commas."""
    parts: list[list[Item]] = [[]]
    for item in items:
        parts[-1].append(item)
        if is_comma(item):
            parts.append([])
    return [part for part in parts if part]


def terms(items: Sequence[Item]) -> list[list[Item]]:
    """The items in parts that begin with AND or OR; the AND of a BETWEEN is inside of its part."""
    parts: list[list[Item]] = [[]]
    ranges = 0
    for place, item in enumerate(items):
        word = item.word if isinstance(item, Piece) and item.keyword else ""
        if word == "OR" and _word(items, place + 1) == "REPLACE":
            word = ""
        ranges += word == "BETWEEN"
        if word == "AND" and ranges:
            ranges -= 1
        elif word in ("AND", "OR") and parts[-1]:
            parts.append([])
        parts[-1].append(item)
    return parts


def conditions(items: Sequence[Item]) -> bool:
    """Whether AND or OR stands outside of brackets."""
    return len(terms(items)) > 1


def _verb(items: Sequence[Item]) -> str:
    """The word that says what a sequence of items is: a query, a change of rows, a window, or nothing with clauses."""
    words = [item.word for item in items if isinstance(item, Piece) and item.keyword]
    if not words:
        return ""
    if words[0] in ("PARTITION", "ORDER") and first_piece(items[0]).word in ("PARTITION", "ORDER"):
        return "OVER"
    if "GRAPH" in words and words[0] == "CREATE":
        return "GRAPH"
    if "MATCH" in words and words[0] not in ("SELECT", "FROM"):
        return "MATCH"
    leads = first_piece(items[0]).keyword and (
        words[0] in QUERY_STARTS or words[0] not in ("NOT", "CASE", "EXISTS")
    )
    return next((word for word in words if word in _VERBS), "") if leads else ""


def clauses(items: Sequence[Item]) -> list[list[Item]]:
    """The items in parts that begin with the words of a clause; one part where there are no clauses."""
    verb = _verb(items)
    if not verb:
        return [list(items)]
    starts = _BY_VERB.get(verb, _QUERY_CLAUSES)
    parts: list[list[Item]] = [[]]
    for place, item in enumerate(items):
        if parts[-1] and _starts_clause(items, place, starts, verb):
            parts.append([])
        parts[-1].append(item)
    return parts


def _starts_clause(items: Sequence[Item], place: int, starts: frozenset[str], verb: str) -> bool:
    item = items[place]
    if not isinstance(item, Piece) or not item.keyword:
        return False
    word, before, after = item.word, _word(items, place - 1), _word(items, place + 1)
    if (word, after) in _PAIRED:
        return verb not in ("UPDATE", "DELETE") or word != "USING"
    if verb == "OVER":
        return word in starts or word in ("PARTITION", "ORDER")
    if verb == "INSERT" and word == "ON":
        return after == "CONFLICT"
    if word in JOINS or (word, after) == ("WINDOW", "JOIN"):
        return before not in JOINS and (word, before) != ("JOIN", "WINDOW")
    if word == "FROM" and _sampled(items, place):
        return False
    if word not in starts or (word, before) in _INSIDE:
        return False
    return word != "WITH" or after not in ("ORDINALITY", "TIES", "TIME")


def _sampled(items: Sequence[Item], place: int) -> bool:
    """Whether a FROM is that of SAMPLE BY 1h FROM … TO …, which stands behind the query's own."""
    for item in reversed(items[:place]):
        if isinstance(item, Piece) and item.keyword:
            if item.word == "SAMPLE":
                return True
            if item.word in ("SELECT", "UNION", "INTERSECT", "EXCEPT"):
                return False
    return False


def _word(items: Sequence[Item], place: int) -> str:
    if not 0 <= place < len(items):
        return ""
    return first_piece(items[place]).word


def clause_head(items: Sequence[Item]) -> int:
    """How many items are the words of a clause, before its list or condition; 0 when it begins with none."""
    words = [item.word if isinstance(item, Piece) and item.keyword else "" for item in items[:8]]
    first = words[0] if words else ""
    if words[:2] in (["RETURN", "DISTINCT"], ["OPTIONAL", "MATCH"]):
        return 2
    if first in JOINS or words[:2] == ["WINDOW", "JOIN"]:
        return next((at for at, word in enumerate(words) if word not in JOINS | {"WINDOW"}), len(words))
    if first == "SELECT":
        count = 1
        if words[1:2] in (["DISTINCT"], ["ALL"]):
            count = 2
            if words[2:3] == ["ON"]:
                count = 4
        return count
    if words[:2] in (
        ["GROUP", "BY"],
        ["ORDER", "BY"],
        ["PARTITION", "BY"],
        ["SAMPLE", "BY"],
        ["LATEST", "ON"],
        ["WITH", "RECURSIVE"],
    ):
        return 2
    if first in (
        "WITH",
        "FROM",
        "WHERE",
        "HAVING",
        "QUALIFY",
        "WINDOW",
        "VALUES",
        "SET",
        "RETURNING",
        "USING",
        "ON",
        "RETURN",
        "MATCH",
    ):
        return 1
    return 0
