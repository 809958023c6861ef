"""Where an expression may name columns: words that no grammar claims, with the names of tables before them."""

from __future__ import annotations

from typing import Final, NamedTuple

from luma_bench.language.functions import VOLATILE_WORDS
from luma_bench.language.keywords import ORDINARY, RESERVED, TYPE_FUNCTION, split
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

UNITS: Final = frozenset(
    split("""
    YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND
    MILLISECONDS MICROSECOND MICROSECONDS DECADE DECADES CENTURY CENTURIES MILLENNIUM MILLENNIA
    """)
)
"""Words behind the number of an INTERVAL."""
_NEVER: Final = RESERVED | TYPE_FUNCTION | VOLATILE_WORDS
_FRAMES: Final = frozenset(split("ROWS RANGE GROUPS"))
_BEHIND: Final = {
    "NULLS": ("FIRST", "LAST"),
    "UNBOUNDED": ("PRECEDING", "FOLLOWING"),
    "PARTITION": ("BY",),
    "CURRENT": ("ROW",),
    "WITHIN": ("GROUP",),
    "TIME": ("ZONE",),
    "NO": ("OTHERS",),
    **dict.fromkeys(_FRAMES, ("BETWEEN", "UNBOUNDED", "CURRENT", NUMBER, "INTERVAL")),
}
"""Words of the grammar by the words that then follow."""
_BEFORE: Final = {
    "FIRST": ("NULLS",),
    "LAST": ("NULLS",),
    "NULLS": ("IGNORE", "RESPECT"),
    "PRECEDING": ("UNBOUNDED", NUMBER, ")", *UNITS),
    "FOLLOWING": ("UNBOUNDED", NUMBER, ")", *UNITS),
    "ROW": ("CURRENT",),
    "ZONE": ("TIME",),
    "OTHERS": ("NO",),
    "TIES": ("EXCLUDE",),
    "EXCLUDE": ("ROW", "PRECEDING", "FOLLOWING"),
    "OVER": (")",),
    "FILTER": (")",),
}
"""The same by the words that then stand before."""
_LITERALS: Final = frozenset(split("INTERVAL DATE TIME TIMESTAMP TIMESTAMPTZ"))
_TYPE_ENDS: Final = frozenset(split("PRECISION VARYING"))


class Mention(NamedTuple):
    """What may be a column: its tokens, half-open, and the names between the dots."""

    first: int
    last: int
    path: tuple[str, ...]


def mentions(tokens: Tokens, first: int, last: int) -> list[Mention]:
    """Everything between two tokens that may be a column, in order; what subqueries hold is among it."""
    found: list[Mention] = []
    words, index = tokens.words, first
    while index < last:
        word = words[index]
        if word in ("CAST", "TRY_CAST") and tokens.follows(index + 1, last, "("):
            close = tokens.closing(index + 1, last)
            place = _cast_type(tokens, index + 2, close)
            found += mentions(tokens, index + 2, place)
            index = close + 1
        elif word == "::":
            index = type_end(tokens, index + 1, last)
        elif word == "$":
            index += 2
        elif word == "EXTRACT" and tokens.follows(index + 1, last, "(") and tokens.follows(index + 3, last, "FROM"):  # fmt: skip
            index += 4
        elif not tokens.is_name(index) or _claimed(tokens, index, first, last):
            index += 1
        else:
            end = index + 1
            while tokens.follows(end, last, ".") and end + 1 < last and tokens.names[end + 1] and words[end + 1] != STRING:  # fmt: skip
                end += 2
            path = tuple(tokens.names[index:end:2])
            if tokens.follows(end, last, "(") and len(path) > 1:
                # `x.upper()` is a call on what stands before the dot.
                path, called = path[:-1], end
                found.append(Mention(index, called - 2, path))
                index = called
                continue
            found.append(Mention(index, end, path))
            index = end
    return found


def _claimed(tokens: Tokens, index: int, first: int, last: int) -> bool:
    """Whether a name is none of a column: a word of the grammar, a function, a label, a unit or a type before a literal."""
    words = tokens.words
    word = words[index]
    before = words[index - 1] if index > first else ""
    behind = words[index + 1] if index + 1 < last else ""
    if before in ("AS", ".", "COLLATE", "OVER") or behind in ("(", ":=", "=>"):
        return True
    if word == QUOTED:
        return False
    if word in _NEVER or (behind == ":" and before in ("{", ",")):
        return True
    if word not in ORDINARY:
        return word in _LITERALS and behind == STRING
    if word in UNITS and (before in (NUMBER, STRING) or (before == ")" and "INTERVAL" in words[first:index])):
        return True
    if word in UNITS and index - 2 >= first and words[index - 2] == "$":
        return True
    return (
        word in ("BETWEEN", "ESCAPE")
        or (word in _LITERALS and behind in (STRING, NUMBER, "$", "-", "WITH", "ZONE"))
        or behind in _BEHIND.get(word, ())
        or before in _BEFORE.get(word, ())
        or (word == "WITHOUT" and behind == "TIME")
        or (word in ("IGNORE", "RESPECT") and behind == "NULLS")
    )


def _cast_type(tokens: Tokens, first: int, close: int) -> int:
    """Where the AS of a cast stands."""
    index = first
    while index < close:
        if tokens.words[index] == "AS":
            return index
        opens = tokens.words[index] in ("(", "[", "{")
        index = tokens.closing(index, close) + 1 if opens else index + 1
    return close


def type_end(tokens: Tokens, index: int, last: int) -> int:
    """The token behind the type that begins at a token."""
    words = tokens.words
    index += 1
    while index < last:
        if words[index] == "." and index + 1 < last and tokens.is_name(index + 1):
            index += 2
        elif words[index] in ("(", "["):
            index = tokens.closing(index, last) + 1
        elif words[index] in _TYPE_ENDS:
            index += 1
        elif tokens.follows(index, last, "WITH", "TIME", "ZONE") or tokens.follows(
            index, last, "WITHOUT", "TIME", "ZONE"
        ):
            index += 3
        else:
            break
    return index


def is_column(tokens: Tokens, first: int, last: int) -> Mention | None:
    """The column that a whole expression names; None where it is anything else."""
    found = mentions(tokens, first, last)
    return found[0] if len(found) == 1 and (found[0].first, found[0].last) == (first, last) else None


def said(tokens: Tokens, index: int) -> str:
    """What a token says, to be compared with another one: names casefolded, numbers and strings as they stand."""
    if tokens.words[index] == STRING:
        return f"'{tokens.names[index]}"
    return tokens.names[index].casefold() or tokens.slice(index, index + 1)
