"""The options of a table: what SET (…), RESET (…) and the WITH (…) of CREATE TABLE hold."""

from __future__ import annotations

from typing import Final

from luma_bench.language.changes import SetOptions
from luma_bench.language.cursor import Cursor
from luma_bench.language.tokens import NUMBER, STRING

OPTIONS: Final = ("sort_by", "time_column", "series_key", "codec", "retention")
"""What a table may be told of its layout."""
RETENTION: Final = "retention"
_HINT: Final = (
    "Write {word} (sort_by = (a, b), retention = '30 days' ON ts); the options are: "
    + ", ".join(OPTIONS)
    + "."
)
_RESET: Final = f"Write RESET (sort_by, codec); the options are: {', '.join(OPTIONS)}."
_LENGTH: Final = "Write retention = '30 days' ON ts, or retention = INTERVAL '30 days' ON ts."


def set_options(cursor: Cursor, word: str) -> SetOptions:
    """`(option = value, …)`; the cursor stands at the bracket, behind `word`."""
    hint = _HINT.format(word=word)
    cursor.expect(f"( after {word}", "(", hint=hint)
    found: list[tuple[str, tuple[str, ...], tuple[int, int]]] = []
    while True:
        place = cursor.index
        name = _option(cursor, {item[0] for item in found}, hint)
        cursor.expect("= after the option", "=", hint=hint)
        values = _retention(cursor) if name == RETENTION else _values(cursor, hint)
        found.append((name, values, cursor.tokens.span(place, cursor.index)))
        if not cursor.accept(","):
            break
    cursor.expect("a comma or ) after an option", ")", hint=hint)
    return SetOptions(tuple(found))


def reset_options(cursor: Cursor) -> SetOptions:
    """`(option, …)` behind RESET: each option gets back what a table has that was told nothing."""
    cursor.expect("( after RESET", "(", hint=_RESET)
    found: list[tuple[str, tuple[str, ...], tuple[int, int]]] = []
    while True:
        place = cursor.index
        name = _option(cursor, {item[0] for item in found}, _RESET)
        found.append((name, (), cursor.tokens.span(place, cursor.index)))
        if not cursor.accept(","):
            break
    cursor.expect("a comma or ) after an option", ")", hint=_RESET)
    return SetOptions(tuple(found))


def _option(cursor: Cursor, known: set[str], hint: str) -> str:
    place = cursor.index
    name = cursor.name("an option").casefold()
    if name not in OPTIONS or name in known:
        cursor.index = place
        raise cursor.expected("an option of the table, each once", hint)
    return name


def _retention(cursor: Cursor) -> tuple[str, ...]:
    """The length, and the column behind ON; NULL keeps all rows."""
    if cursor.accept("NULL"):
        return ()
    quoted = cursor.accept("INTERVAL")
    if cursor.word == STRING:
        length = cursor.value
        cursor.index += 1
        if quoted and length.strip().isdigit():
            length = f"{length} {cursor.name('a unit such as DAYS')}"
    elif quoted and cursor.word == NUMBER:
        length = cursor.tokens.text[slice(*cursor.tokens.span(cursor.index))]
        cursor.index += 1
        length = f"{length} {cursor.name('a unit such as DAYS')}"
    else:
        raise cursor.expected("a length of time", _LENGTH)
    if cursor.accept("ON"):
        return length, cursor.name("the column of times")
    return (length,)


def _values(cursor: Cursor, hint: str) -> tuple[str, ...]:
    """One name or string, or several between brackets; NULL and () are none."""
    if cursor.accept("NULL"):
        return ()
    if not cursor.accept("("):
        return (_value(cursor),)
    values: list[str] = []
    while cursor.word != ")":
        values.append(_value(cursor))
        if not cursor.accept(","):
            break
    cursor.expect("a comma or ) after a name", ")", hint=hint)
    return tuple(values)


def _value(cursor: Cursor) -> str:
    if cursor.word == STRING:
        value = cursor.value
        cursor.index += 1
        return value
    return cursor.name("a name")
