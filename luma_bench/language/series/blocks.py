"""The SELECT around a token, as the token ranges of its clauses in the user's own order; FROM may come first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.keywords import split
from luma_bench.language.tokens import Tokens

Range = tuple[int, int]
"""Half-open tokens."""

SETS: Final = frozenset(split("UNION INTERSECT EXCEPT"))
_SECOND: Final = {
    "SELECT": (),
    "FROM": (),
    "WHERE": (),
    "GROUP": ("BY",),
    "HAVING": (),
    "QUALIFY": (),
    "WINDOW": (),
    "ORDER": ("BY",),
    "LIMIT": (),
    "OFFSET": (),
    "FETCH": (),
    "RETURNING": (),
    "USING": ("SAMPLE",),
    "SAMPLE": ("BY",),
    "LATEST": ("ON",),
    "ON": ("CONFLICT",),
}
"""What begins a clause, with the word that has to follow."""
_LABELS: Final = frozenset({"AS", ".", "$"})
_OPENING: Final = frozenset("([{")


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its first word, the token after its leading words, and its end.

    Attributes
    ----------
    word
        The first word, in upper case.
    first, body, last
        The tokens `first` up to `body` are its leading words, `body` up to `last` what they lead.
    """

    word: str
    first: int
    body: int
    last: int


@dataclass(frozen=True, slots=True)
class Block:
    """A SELECT with its clauses in the user's order.

    Attributes
    ----------
    first, last
        Half-open tokens, without a WITH list before it.
    combined
        Whether UNION, INTERSECT or EXCEPT joins it to another one, so that what is behind the last belongs to all of them.
    """

    first: int
    last: int
    clauses: tuple[Clause, ...]
    combined: bool

    def get(self, word: str) -> Clause | None:
        """The first clause that begins with a word."""
        return next((clause for clause in self.clauses if clause.word == word), None)

    @property
    def items(self) -> Range | None:
        """The tokens behind SELECT; None where there is no SELECT."""
        clause = self.get("SELECT")
        return None if clause is None else (clause.body, clause.last)


def block_at(draft: Draft, index: int) -> Block:
    """The innermost SELECT around a token."""
    tokens, scope = draft.tokens, draft.scope
    first = begin_of(draft, index)
    end = _frame_end(tokens, first, scope.last)
    last, clauses = first, list[Clause]()
    combined = first > scope.first and tokens.words[first - 1] in (*SETS, "ALL", "DISTINCT", "NAME")
    for last in _flat(tokens, first, end):
        if _joins(tokens, last, first):
            combined = True
            break
        word = tokens.words[last]
        length = _clause(tokens, last, first, end)
        if not length or (word == "FROM" and any(clause.word == "FROM" for clause in clauses)):
            continue
        clauses.append(Clause(word, last, last + length, end))
    else:
        last = end
    stops = [*(clause.first for clause in clauses[1:]), last][: len(clauses)]
    bounded = tuple(
        Clause(clause.word, clause.first, clause.body, stop)
        for clause, stop in zip(clauses, stops, strict=True)
    )
    return Block(first, last, bounded, combined)


def begin_of(draft: Draft, index: int) -> int:
    """The token at which the innermost SELECT around a token begins: its SELECT, or its FROM where that comes first."""
    tokens, scope = draft.tokens, draft.scope
    place = index
    while True:
        opening = _opening(tokens, place, scope.first)
        begin = _begin(tokens, opening, index, scope.first)
        if begin is not None or opening == scope.first:
            return scope.first if begin is None else begin
        # A bracket of an expression, or around a join.
        place = opening - 1


def _opening(tokens: Tokens, index: int, first: int) -> int:
    """The token behind the bracket that is open at a token, or the first of the query."""
    depth = 0
    for place in range(index - 1, first - 1, -1):
        word = tokens.words[place]
        depth += (word in (")", "]", "}")) - (word in _OPENING)
        if depth < 0:
            return place + 1
    return first


def _begin(tokens: Tokens, opening: int, index: int, first: int) -> int | None:
    """Where the last SELECT begins that stands directly in a bracket up to a token."""
    begin: int | None = None
    for place in _flat(tokens, opening, index + 1):
        word = tokens.words[place]
        if _joins(tokens, place, opening):
            begin = None
        elif (
            begin is None
            and word in ("SELECT", "FROM")
            and _clause(tokens, place, opening, index + 1)
            and (word == "SELECT" or opening == first or _leads(tokens, place, opening))
        ):
            begin = place
    return begin


def _leads(tokens: Tokens, index: int, opening: int) -> bool:
    """Whether the FROM at a token begins a query: in `extract(year FROM ts)` it does not."""
    if index == opening:
        return opening < 2 or tokens.words[opening - 2] != "TRIM"
    return tokens.words[opening] == "WITH" or tokens.words[index - 1] in (*SETS, "ALL", "DISTINCT", "NAME")


def conjuncts(tokens: Tokens, first: int, last: int) -> list[Range]:
    """The parts of a condition that AND joins; the whole where OR joins anything outside of brackets."""
    found: list[Range] = []
    start, between, cases = first, 0, 0
    for place in _flat(tokens, first, last):
        word = tokens.words[place]
        labelled = place > first and tokens.words[place - 1] in _LABELS
        if labelled:
            continue
        if word == "CASE":
            cases += 1
        elif word == "END" and cases:
            cases -= 1
        elif word == "BETWEEN":
            between += 1
        elif word == "AND" and between:
            between -= 1
        elif word == "AND" and not cases:
            found.append((start, place))
            start = place + 1
        elif word == "OR" and not cases:
            return [(first, last)]
    return [*found, (start, last)]


def is_latest(tokens: Tokens, index: int, last: int) -> bool:
    """LATEST ON column PARTITION BY; without PARTITION it is a table's alias before a join condition."""
    if not tokens.follows(index, last, "LATEST", "ON"):
        return False
    place = index + 2
    while place + 1 < last and tokens.is_name(place) and tokens.words[place + 1] == ".":
        place += 2
    return tokens.follows(place + 1, last, "PARTITION", "BY")


def _clause(tokens: Tokens, index: int, first: int, last: int) -> int:
    """How many leading words of a clause stand at a token; 0 for none."""
    words = tokens.words
    second = _SECOND.get(words[index])
    if second is None or not tokens.follows(index + 1, last, *second):
        return 0
    before = words[index - 1] if index > first else ""
    if before in _LABELS:
        return 0
    word = words[index]
    if word == "FROM":
        return 0 if before == "DISTINCT" and words[index - 2] in ("IS", "NOT") else 1
    if word == "LATEST":
        return 2 if is_latest(tokens, index, last) else 0
    if word == "SAMPLE":
        return 0 if before == "USING" else 2
    if (word == "OFFSET" and before == "WITH") or (word == "GROUP" and before == "WITHIN"):
        return 0
    if word == "WINDOW" and tokens.follows(index + 1, last, "JOIN"):
        return 0
    return 1 + len(second)


def _joins(tokens: Tokens, index: int, first: int) -> bool:
    """Whether UNION, INTERSECT or EXCEPT stands at a token; `* EXCEPT (a)` leaves columns out."""
    before = tokens.words[index - 1] if index > first else ""
    return tokens.words[index] in SETS and before not in _LABELS and before != "*"


def _flat(tokens: Tokens, first: int, last: int) -> Iterator[int]:
    """The tokens of a range outside of brackets that open in it; of each bracket the opening one."""
    index = first
    while index < last:
        yield index
        index = tokens.closing(index, last) + 1 if tokens.words[index] in _OPENING else index + 1


def _frame_end(tokens: Tokens, index: int, last: int) -> int:
    depth = 0
    for place in range(index, last):
        word = tokens.words[place]
        depth += (word in _OPENING) - (word in (")", "]", "}"))
        if depth < 0:
            return place
    return last
