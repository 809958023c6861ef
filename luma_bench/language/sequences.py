"""Sequences: CREATE and DROP SEQUENCE, and where a text takes values of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.placed import Kind, Placed, SequenceUse
from luma_bench.language.refusals import NOT_SERVED, Refusal
from luma_bench.language.tokens import NUMBER, STRING, Tokens
from luma_bench.types.sql_text import string_literal

SEQUENCE_FUNCTIONS: Final = frozenset({"nextval", "currval"})
"""Functions of a sequence, named by a string."""
_SHAPE: Final = "Write CREATE SEQUENCE s [START 1] [INCREMENT BY 1] [MINVALUE n | NO MINVALUE] [MAXVALUE n | NO MAXVALUE] [CYCLE]."
_NAMED: Final = "Write the sequence's name as a constant: nextval('s')."
_OWNED: Final = Refusal("OWNED BY", NOT_SERVED, "Drop the sequence by itself: DROP SEQUENCE s.")
_CACHE: Final = Refusal(
    "CACHE of a sequence",
    "is not needed: values are taken in blocks where a statement needs many",
    "Leave it out.",
)
_CASCADE: Final = Refusal(
    "DROP SEQUENCE … CASCADE",
    NOT_SERVED,
    "Take the sequence out of the defaults first: ALTER TABLE t ALTER COLUMN c DROP DEFAULT.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSequence(Placed):
    """CREATE SEQUENCE; what is None has the default that follows from the others."""

    kind: ClassVar[Kind] = Kind.CREATE_SEQUENCE
    name: str
    name_span: tuple[int, int]
    start_with: int | None = None
    increment: int = 1
    smallest: int | None = None
    largest: int | None = None
    cycle: bool = False
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSequence(Placed):
    """DROP SEQUENCE."""

    kind: ClassVar[Kind] = Kind.DROP_SEQUENCE
    name: str
    name_span: tuple[int, int]
    if_exists: bool = False


def create_sequence(cursor: Cursor, *, or_replace: bool) -> CreateSequence:
    """CREATE [OR REPLACE] SEQUENCE [IF NOT EXISTS] name options; the cursor stands behind SEQUENCE."""
    if_not_exists = cursor.if_not_exists(or_replace=or_replace)
    name, span = cursor.placed_table()
    given: dict[str, Any] = {}
    while not cursor.done:
        place = cursor.index
        key, value = _option(cursor)
        if key in given:
            cursor.index = place
            raise cursor.expected("each option of the sequence once", _SHAPE)
        given[key] = value
    source, start, end, whole = cursor.placed
    made = CreateSequence(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        name_span=span,
        **given,
        if_not_exists=if_not_exists,
        or_replace=or_replace,
    )
    if not made.increment:
        raise KadeQLSyntaxError(
            "The increment of a sequence must not be zero.", text=whole, span=(start, end), hint=_SHAPE
        )
    return made


def drop_sequence(cursor: Cursor) -> DropSequence:
    """DROP SEQUENCE [IF EXISTS] name [RESTRICT]; the cursor stands behind SEQUENCE."""
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = cursor.placed_table()
    if cursor.word == "CASCADE":
        raise _CASCADE.error(cursor.tokens.text, cursor.tokens.span(cursor.index))
    cursor.accept("RESTRICT")
    cursor.finish("the sequence's name")
    source, start, end, whole = cursor.placed
    return DropSequence(
        source=source, start=start, end=end, whole=whole, name=name, name_span=span, if_exists=if_exists
    )


def sequence_call(draft: Draft, index: int) -> None:
    """Note `nextval('s')` or `currval('s')`; the engine gets the sequence under its whole name, as one word."""
    tokens = draft.tokens
    use = called(tokens, index, draft.scope.last)
    alias = next(
        (known.alias for known in draft.sequences if known.name.casefold() == use.name.casefold()), use.name
    )
    draft.sequences.append(SequenceUse(use.function, use.name, use.span, alias))
    if tokens.names[index + 2] != alias or not alias.isidentifier():
        draft.replace(index + 2, index + 3, string_literal(f'"{alias}"'))
    draft.volatile = True


def called(tokens: Tokens, index: int, end: int) -> SequenceUse:
    """The call of a sequence's function at a token.

    Raises
    ------
    KadeQLUnsupportedError
        Its argument is no constant.
    KadeQLSyntaxError
        The name in it is misspelt.
    """
    if not (tokens.follows(index + 1, end, "(", STRING, ")") and tokens.names[index + 2].strip()):
        raise KadeQLUnsupportedError(
            "A sequence that is not named by a constant is not served.",
            text=tokens.text,
            span=tokens.span(index),
            hint=_NAMED,
        )
    name = tokens.names[index + 2].strip()
    if name.count('"') % 2:
        raise KadeQLSyntaxError(
            "The sequence's name opens a quote and does not close it.",
            text=tokens.text,
            span=tokens.span(index + 2),
            hint=_NAMED,
        )
    name = name.replace('"', "")
    name = name[5:] if name.casefold().startswith("main.") else name
    return SequenceUse(tokens.names[index].casefold(), name, tokens.span(index, index + 4), "")


def _option(cursor: Cursor) -> tuple[str, object]:
    tokens = cursor.tokens
    if cursor.accept("START"):
        cursor.accept("WITH")
        return "start_with", _number(cursor)
    if cursor.accept("INCREMENT"):
        cursor.accept("BY")
        return "increment", _number(cursor)
    for word, key in (("MINVALUE", "smallest"), ("MAXVALUE", "largest")):
        if cursor.accept("NO", word):
            return key, None
        if cursor.accept(word):
            return key, _number(cursor)
    if cursor.accept("NO", "CYCLE"):
        return "cycle", False
    if cursor.accept("CYCLE"):
        return "cycle", True
    if cursor.word == "OWNED":
        raise _OWNED.error(tokens.text, tokens.span(cursor.index))
    if cursor.word == "CACHE":
        raise _CACHE.error(tokens.text, tokens.span(cursor.index))
    raise cursor.expected("START, INCREMENT, MINVALUE, MAXVALUE or CYCLE", _SHAPE)


def _number(cursor: Cursor) -> int:
    sign = -1 if cursor.accept("-") else 1
    if cursor.word != NUMBER:
        raise cursor.expected("a whole number", _SHAPE)
    text = cursor.tokens.slice(cursor.index, cursor.index + 1).replace("_", "")
    if not text.isdecimal() or not -(2**63) <= sign * int(text) < 2**63:
        raise cursor.expected("a whole number of 64 bits", _SHAPE)
    cursor.index += 1
    return sign * int(text)
