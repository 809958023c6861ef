"""Lengths of time as they are written: `INTERVAL '1' HOUR`, `INTERVAL 1 HOUR`, `'1h'` and the bare `1h`."""

from __future__ import annotations

import re
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.keywords import split
from luma_bench.language.tokens import NUMBER, STRING, Tokens

_WORDS: Final = {
    **dict.fromkeys(split("microsecond microseconds usec usecs us"), "us"),
    **dict.fromkeys(split("millisecond milliseconds msec msecs ms"), "ms"),
    **dict.fromkeys(split("second seconds sec secs s"), "s"),
    **dict.fromkeys(split("minute minutes min mins m"), "m"),
    **dict.fromkeys(split("hour hours hr hrs h"), "h"),
    **dict.fromkeys(split("day days d"), "d"),
    **dict.fromkeys(split("week weeks w"), "w"),
    **dict.fromkeys(split("month months mon mons"), "mo"),
    **dict.fromkeys(split("year years yr yrs y"), "y"),
}
"""Units of an SQL interval, casefolded."""
_BARE: Final = {**_WORDS, **dict.fromkeys(split("nanosecond nanoseconds ns"), "ns"), "mo": "mo"}
"""Units behind a bare number."""
_LETTERS: Final = {"M": "mo", "T": "ms", "U": "us"}
"""Units behind a bare number whose case matters: `m` is a minute."""
_NAMED: Final = split("SECOND MINUTE HOUR DAY WEEK MONTH YEAR SECONDS MINUTES HOURS DAYS WEEKS MONTHS YEARS")
_SQL_UNITS: Final = frozenset(_WORDS) | frozenset(
    split("quarter quarters decade decades century centuries millennium millennia")
)
_TEXT: Final = re.compile(r"\s*(-?\d{1,9})\s*([a-zA-Z]+)\s*")
_WHOLE: Final = re.compile(r"\s*(-?\d{1,9})\s*")
SHAPES: Final = "INTERVAL '1' HOUR, INTERVAL 1 HOUR, '1h' or 1h"
"""How a length may be written."""


def bare_length(tokens: Tokens, index: int, last: int) -> int:
    """How many tokens a length without quotes takes at a token, such as `1h`; 0 when none stands there."""
    if index + 1 >= last or tokens.words[index] != NUMBER:
        return 0
    raw = tokens.slice(index, index + 1)
    return 2 if raw.isdecimal() and _unit(tokens.names[index + 1]) else 0


def length_text(tokens: Tokens, first: int, last: int) -> str | None:
    """A length as a short text, `6h` or `3mo`, where it is written out; None for any other expression."""
    words, count = tokens.words, last - first
    if count == 2 and bare_length(tokens, first, last) == 2:
        return f"{int(tokens.slice(first, first + 1))}{_unit(tokens.names[first + 1])}"
    if words[first] != "INTERVAL":
        return None
    place = first + 1
    if place >= last:
        return None
    raw = tokens.names[place] if words[place] == STRING else tokens.slice(place, place + 1)
    if words[place] not in (STRING, NUMBER):
        return None
    if place + 2 == last and (whole := _WHOLE.fullmatch(raw)):
        number, unit = int(whole[1]), _WORDS.get(tokens.names[place + 1].casefold())
    elif place + 1 == last and words[place] == STRING and (written := _TEXT.fullmatch(raw)):
        number, unit = int(written[1]), _WORDS.get(written[2].casefold())
    else:
        return None
    return None if unit is None else f"{number}{unit}"


def require_unit(tokens: Tokens, first: int, last: int) -> None:
    """Refuse a length with a word that is no unit.

    Raises
    ------
    KadeQLSyntaxError
        It points at the word.
    """
    leads = tokens.words[first] == "INTERVAL"
    place = first + 1 + leads
    if place + 1 != last or not tokens.names[place] or tokens.words[place] == STRING:
        return
    if tokens.words[place - 1] not in ((STRING, NUMBER) if leads else (NUMBER,)):
        return
    name = tokens.names[place]
    known = name.casefold() in _SQL_UNITS if leads else _unit(name) is not None
    if known:
        return
    near = nearest(name.upper(), _NAMED, 1) if len(name) > 1 else []
    raise KadeQLSyntaxError(
        f"{name} is no unit of time.",
        text=tokens.text,
        span=tokens.span(place),
        hint=f"Did you mean {near[0]}?" if near else f"Write a length as {SHAPES}.",
    )


def _unit(name: str) -> str | None:
    return _LETTERS.get(name) or _BARE.get(name.casefold())
