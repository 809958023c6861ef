"""Schemas, and comments on what holds no rows: CREATE and DROP SCHEMA, COMMENT ON VIEW, SCHEMA, SEQUENCE and PROPERTY GRAPH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.changes import RenameTable
from luma_bench.language.cursor import Cursor
from luma_bench.language.functions import SCHEMAS
from luma_bench.language.placed import Kind, Placed
from luma_bench.language.refusals import SCHEMA_REPLACED
from luma_bench.language.tokens import STRING, tokenize
from luma_bench.types.graph import GRAPH

_CREATE: Final = "Write CREATE SCHEMA [IF NOT EXISTS] name."
_DROP: Final = "Write DROP SCHEMA [IF EXISTS] name [CASCADE]."
_COMMENT: Final = "Write COMMENT ON TABLE t IS 'text', COMMENT ON COLUMN t.c IS 'text', or … IS NULL."
OBJECTS: Final = frozenset({"VIEW", "SCHEMA", "SEQUENCE", "PROPERTY"})
"""Words after COMMENT ON that name, or begin to name, a kind of object of the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSchema(Placed):
    """CREATE SCHEMA."""

    kind: ClassVar[Kind] = Kind.CREATE_SCHEMA
    name: str
    name_span: tuple[int, int]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSchema(Placed):
    """DROP SCHEMA; with `cascade` everything in it goes too."""

    kind: ClassVar[Kind] = Kind.DROP_SCHEMA
    name: str
    name_span: tuple[int, int]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOnObject(Placed):
    """COMMENT ON VIEW, SCHEMA, SEQUENCE or PROPERTY GRAPH; `of` is the object's kind, `comment` None to take it away."""

    kind: ClassVar[Kind] = Kind.COMMENT_ON
    of: str
    name: str
    name_span: tuple[int, int]
    comment: str | None


def create_schema(cursor: Cursor, *, or_replace: bool) -> CreateSchema:
    """CREATE SCHEMA [IF NOT EXISTS] name; the cursor stands behind SCHEMA."""
    tokens = cursor.tokens
    if or_replace:
        raise SCHEMA_REPLACED.error(tokens.text, tokens.span(cursor.first, cursor.index))
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name, span = _schema(cursor)
    if "." in name:
        raise KadeQLUnsupportedError(
            "A schema's name with a dot in it is not served.",
            text=tokens.text,
            span=span,
            hint="Schemas stand beside each other, and a dot stands behind one: choose a name without it.",
        )
    if not cursor.done:
        raise cursor.expected("the end of the statement after the schema's name", _CREATE)
    source, start, end, whole = cursor.placed
    return CreateSchema(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        name_span=span,
        if_not_exists=if_not_exists,
    )


def drop_schema(cursor: Cursor) -> DropSchema:
    """DROP SCHEMA [IF EXISTS] name [CASCADE | RESTRICT]; the cursor stands behind SCHEMA."""
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = _schema(cursor)
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    if not cursor.done:
        raise cursor.expected("CASCADE, RESTRICT or the end of the statement", _DROP)
    source, start, end, whole = cursor.placed
    return DropSchema(
        source=source, start=start, end=end, whole=whole, name=name, name_span=span, if_exists=if_exists, cascade=cascade
    )  # fmt: skip


def comment_on_object(cursor: Cursor) -> CommentOnObject:
    """COMMENT ON VIEW, SCHEMA, SEQUENCE or PROPERTY GRAPH name IS 'text' or NULL; the cursor stands behind ON."""
    tokens = cursor.tokens
    of = cursor.word.casefold()
    cursor.index += 1
    if of == "property":
        cursor.expect("GRAPH after PROPERTY", "GRAPH", hint=_COMMENT)
        of = GRAPH
    place = cursor.index
    name = cursor.name("a schema's name") if of == "schema" else cursor.table()
    span = tokens.span(place, cursor.index)
    cursor.expect("IS", "IS", hint=_COMMENT)
    comment = None if cursor.word == "NULL" else cursor.value
    if cursor.word not in (STRING, "NULL"):
        raise cursor.expected("the comment in single quotes, or NULL", _COMMENT)
    cursor.index += 1
    cursor.finish("the comment")
    source, start, end, whole = cursor.placed
    return CommentOnObject(
        source=source, start=start, end=end, whole=whole, of=of, name=name, name_span=span, comment=comment
    )


def schema_alone(cursor: Cursor) -> str:
    """A schema's name, with the dot behind it that `in_schema` reads; the cursor stands at it."""
    return f"{_schema(cursor)[0]}."


def in_schema(table: str, action: RenameTable, *, dotted: bool) -> RenameTable:
    """A table's new name in full: a name alone stays in the table's schema, a schema alone takes the table.

    `dotted` says whether the table was written with a schema: a dot between quotes is part of a name.
    """
    schema, _, name = table.partition(".") if dotted else ("", "", table)
    to, _, own = action.to.rpartition(".")
    if not own:
        return RenameTable(name if to.casefold() == "main" else f"{to}.{name}")
    return action if to or not schema else RenameTable(f"{schema}.{own}")


def schema_written(source: str) -> tuple[str, tuple[int, int]] | None:
    """The schema that a CREATE or ALTER statement puts a name into, and its place in the statement; None for main.

    A name with a dot between quotes, `"a.b"`, is in no schema.
    """
    tokens = tokenize(source)
    for index in range(1, len(tokens) - 2):
        named = tokens.is_name(index) and tokens.words[index - 1] in _BEFORE_NAME
        if not named or tokens.words[index] in _BEFORE_NAME:
            continue
        if tokens.words[index] == "IF" and tokens.words[index + 1] in ("NOT", "EXISTS"):
            continue
        if tokens.words[index + 1] != "." or tokens.names[index].casefold() == "main":
            return None
        return tokens.names[index], tokens.span(index)
    return None


_BEFORE_NAME: Final = frozenset({"TABLE", "VIEW", "SEQUENCE", "GRAPH", "EXISTS"})


def _schema(cursor: Cursor) -> tuple[str, tuple[int, int]]:
    tokens, place = cursor.tokens, cursor.index
    name = cursor.name("a schema's name")
    if cursor.word == ".":
        raise KadeQLUnsupportedError(
            "A schema is in no other schema or database.",
            text=tokens.text,
            span=tokens.span(place, cursor.index + 1),
            hint="Write its own name alone.",
        )
    if name.casefold() in SCHEMAS or name.casefold().startswith("__luma"):
        raise KadeQLUnsupportedError(
            f"The schema {name} is the engine's own.",
            text=tokens.text,
            span=tokens.span(place),
            hint="Choose another name.",
        )
    return name, tokens.span(place)
