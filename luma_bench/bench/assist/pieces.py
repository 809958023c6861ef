"""Small parts of a statement that is being typed: names with points, aliases, the items of a SELECT, elements of patterns."""

from __future__ import annotations

from typing import Final

from luma_bench.bench.assist.outline import Output, Variable
from luma_bench.bench.assist.scan import Scanned
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION, split
from luma_bench.language.tokens import NUMBER, QUOTED, STRING

NO_ALIAS: Final = RESERVED | TYPE_FUNCTION
"""What behind a table is never its alias."""
_BY: Final = frozenset(split("ON BY PARTITION"))
_BEGINS: Final[dict[str, frozenset[str]]] = {
    "SAMPLE": frozenset({"BY"}),
    "LATEST": _BY,
    "TOLERANCE": frozenset({STRING, "INTERVAL", "$"}),
    "DIRECTION": frozenset(split("BACKWARD FORWARD NEAREST")),
    "RETURN": frozenset(),
    "SET": frozenset(),
    "VALUES": frozenset({"("}),
    "FILL": frozenset({"("}),
}
"""Ordinary words that go on with a clause where one of these stands behind them; any word for the empty set."""
_VALUE_WORDS: Final = frozenset(split("NULL TRUE FALSE END CURRENT_DATE CURRENT_TIMESTAMP"))
CLOSING: Final = frozenset({")", "]", "}"})
OPENING: Final = frozenset({"(", "[", "{"})


def goes_on(scanned: Scanned, index: int, last: int) -> bool:
    """Whether the word at a token goes on with a clause, so that it is no alias."""
    behind = _BEGINS.get(scanned.tokens.words[index])
    if behind is None:
        return False
    return not behind or (index + 1 < last and scanned.tokens.words[index + 1] in behind)


def is_plain_name(scanned: Scanned, index: int) -> bool:
    """Whether a token names something: a quoted name, or a bare word that is not reserved."""
    tokens = scanned.tokens
    return tokens.is_name(index) and tokens.words[index] not in RESERVED


def is_operand(scanned: Scanned, index: int, first: int = 0) -> bool:
    """Whether an expression or a relation ends with a token, so that a keyword or operator follows."""
    if index < first:
        return False
    tokens = scanned.tokens
    word = tokens.words[index]
    if word in (STRING, NUMBER, QUOTED) or word in CLOSING or word in _VALUE_WORDS:
        return True
    if word == "*":
        return index == first or tokens.words[index - 1] in ("SELECT", ",", ".", "(", "DISTINCT", "ALL")
    if not tokens.names[index]:
        return False
    before = tokens.words[index - 1] if index > first else ""
    labelled = before in (".", "$") or (before == "AS" and word not in RESERVED)
    return labelled or word not in _OPERATORS


_OPERATORS: Final = (
    RESERVED | TYPE_FUNCTION | frozenset(split("BETWEEN ESCAPE RETURN SET ROW MATCH VALUES SAMPLE LATEST"))
) - _VALUE_WORDS


def path_at(scanned: Scanned, index: int, last: int) -> tuple[tuple[str, ...], int]:
    """The parts of the name with points at a token, and where it ends; no parts where none stands."""
    tokens = scanned.tokens
    if index >= last or not tokens.is_name(index):
        return (), index
    parts = [tokens.names[index]]
    index += 1
    while index < last and tokens.words[index] == ".":
        apart = index + 1 < last and tokens.ends[index] < tokens.starts[index + 1]
        if (
            index + 1 >= last
            or not tokens.is_name(index + 1)
            or (apart and tokens.words[index + 1] in RESERVED)
        ):
            return tuple(parts), index + 1
        parts.append(tokens.names[index + 1])
        index += 2
    return tuple(parts), index


def alias_at(scanned: Scanned, index: int, last: int) -> tuple[str, int]:
    """The alias at a token and where it ends; empty where none stands."""
    tokens = scanned.tokens
    if index < last and tokens.words[index] == "AS":
        if index + 1 < last and tokens.is_name(index + 1):
            return tokens.names[index + 1], index + 2
        return "", index + 1
    if index >= last or not tokens.is_name(index) or tokens.words[index] in NO_ALIAS:
        return "", index
    return ("", index) if goes_on(scanned, index, last) else (tokens.names[index], index + 1)


def names_in(scanned: Scanned, opening: int) -> tuple[str, ...]:
    """The plain names in a pair of brackets."""
    tokens, close = scanned.tokens, scanned.match[opening]
    return tuple(tokens.names[at] for at in range(opening + 1, close) if tokens.is_name(at))


def output_of(scanned: Scanned, first: int, last: int) -> Output:
    """One item of SELECT, RETURN or COLUMNS."""
    tokens = scanned.tokens
    words, names = tokens.words, tokens.names
    if last > first + 1 and words[first + 1] == ":" and tokens.is_name(first):
        return Output(names[first], (), None, frozenset(), first, last)
    path, end = path_at(scanned, first, last)
    if first < last and words[first] == "*":
        return Output("", (), "", _excluded(scanned, first + 1, last), first, last)
    if path and end < last and words[end] == "*" and words[end - 1] == ".":
        return Output("", (), path[-1], _excluded(scanned, end + 1, last), first, last)
    if path and end == last:
        return Output(path[-1], path, None, frozenset(), first, last)
    if last - first >= 2 and words[last - 2] == "AS" and tokens.is_name(last - 1):
        plain = path if end == last - 2 else ()
        return Output(names[last - 1], plain, None, frozenset(), first, last)
    aliased = last - first >= 2 and tokens.is_name(last - 1) and words[last - 1] not in NO_ALIAS
    if aliased and words[last - 1] not in _VALUE_WORDS and is_operand(scanned, last - 2, first):
        plain = path if end == last - 1 else ()
        return Output(names[last - 1], plain, None, frozenset(), first, last)
    return Output("", (), None, frozenset(), first, last)


def _excluded(scanned: Scanned, index: int, last: int) -> frozenset[str]:
    """What EXCLUDE behind a star leaves out."""
    tokens = scanned.tokens
    if index >= last or tokens.words[index] != "EXCLUDE" or index + 1 >= last:
        return frozenset()
    if tokens.words[index + 1] == "(":
        return frozenset(name.casefold() for name in names_in(scanned, index + 1))
    return frozenset({tokens.names[index + 1].casefold()})


def element_of(scanned: Scanned, opening: int) -> Variable:
    """A vertex `(a:label|label …)` or an edge `[r:label …]` of a pattern; its name may be empty."""
    tokens, close = scanned.tokens, scanned.match[opening]
    index = opening + 1
    part = "edge" if tokens.words[opening] == "[" else "vertex"
    name, first = "", index
    if index < close and tokens.is_name(index) and tokens.words[index] not in ("IS", "WHERE"):
        name = tokens.names[index]
        index += 1
    labels: list[str] = []
    if index < close and tokens.words[index] in (":", "IS"):
        index += 1
        while index < close and tokens.is_name(index):
            labels.append(tokens.names[index])
            index += 1
            if index < close and tokens.words[index] in ("|", ":"):
                index += 1
            else:
                break
    return Variable(name, part, tuple(labels), first)
