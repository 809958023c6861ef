"""SHOW: what a bench holds. Each form is read here and answered from the catalog, never by an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from luma_bench.language.cursor import Cursor
from luma_bench.language.placed import Kind, Placed
from luma_bench.language.tokens import STRING

SHOW_SHAPE: Final = (
    "Write SHOW TABLES [FROM schema] [LIKE 'pattern'], SHOW ALL TABLES, VIEWS, SCHEMAS, SEQUENCES, SNAPSHOTS, TAGS, "
    "POLICIES, FUNCTIONS, SETTINGS, COLUMNS FROM t, CONSTRAINTS [FROM t], PROPERTY GRAPHS, CREATE TABLE t, CREATE VIEW v or "
    "CREATE PROPERTY GRAPH g."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(Placed):
    """SHOW of something.

    Attributes
    ----------
    what
        `tables`, `all tables`, `views`, `schemas`, `sequences`, `snapshots`, `tags`, `columns`, `constraints`,
        `policies`, `functions`, `settings`, `property graphs`, `create table`, `create view`, `create property graph`; or
        `property graph`, which DESCRIBE asks for.
    of
        The table, view or graph that is looked into, or the schema, where one is named; `of_span` is its place.
    like
        The pattern that names must have; `any_case` of ILIKE, `negated` of NOT LIKE.
    """

    kind: ClassVar[Kind] = Kind.SHOW
    what: str
    of: str | None = None
    of_span: tuple[int, int] | None = None
    like: str | None = None
    any_case: bool = False
    negated: bool = False


def show(cursor: Cursor) -> Show | None:
    """SHOW something; the cursor stands behind SHOW. None, and the cursor where it was, when no such form begins here."""
    begin = cursor.index
    what = next((known for words, known in _FORMS.items() if cursor.accept(*words.split())), None)
    if what is None:
        return None
    # A table may be called like that: SHOW tags. What follows decides.
    if cursor.word == ".":
        cursor.index = begin
        return None
    of: str | None = None
    span: tuple[int, int] | None = None
    read = _NAMED.get(what)
    if read is not None and (what.startswith("create") or cursor.accept("FROM") or cursor.accept("IN")):
        place = cursor.index
        of = read(cursor)
        span = cursor.tokens.span(place, cursor.index)
    elif what == "columns":
        raise cursor.expected("FROM and a table", SHOW_SHAPE)
    negated = cursor.accept("NOT")
    like: str | None = None
    any_case = cursor.word == "ILIKE"
    if negated or cursor.word in ("LIKE", "ILIKE"):
        if not (cursor.accept("LIKE") or cursor.accept("ILIKE")) or what.startswith("create"):
            raise cursor.expected("LIKE and a pattern", SHOW_SHAPE)
        if cursor.word != STRING:
            raise cursor.expected("a pattern in single quotes", SHOW_SHAPE)
        like = cursor.value
        cursor.index += 1
    cursor.finish(f"SHOW {what.upper()}")
    source, start, end, whole = cursor.placed
    return Show(
        source=source, start=start, end=end, whole=whole, what=what, of=of, of_span=span, like=like,
        any_case=any_case, negated=negated,
    )  # fmt: skip


def graph_shown(cursor: Cursor) -> Show | None:
    """DESCRIBE [PROPERTY] GRAPH name; None, and the cursor where it was, when a table called graph is described."""
    tokens, begin = cursor.tokens, cursor.index
    named = begin + 1 < cursor.end and tokens.is_name(begin + 1)
    pinned = tokens.follows(begin + 1, cursor.end, "AT", "(")
    if not cursor.accept("PROPERTY", "GRAPH") and not (named and not pinned and cursor.accept("GRAPH")):
        return None
    name, span = cursor.placed_table()
    cursor.finish("the graph's name")
    source, start, end, whole = cursor.placed
    return Show(
        source=source, start=start, end=end, whole=whole, what="property graph", of=name, of_span=span
    )


_FORMS: Final[Mapping[str, str]] = {
    "ALL TABLES": "all tables",
    "TABLES": "tables",
    "VIEWS": "views",
    "SCHEMAS": "schemas",
    "SEQUENCES": "sequences",
    "SNAPSHOTS": "snapshots",
    "TAGS": "tags",
    "COLUMNS": "columns",
    "CONSTRAINTS": "constraints",
    "POLICIES": "policies",
    "FUNCTIONS": "functions",
    "SETTINGS": "settings",
    "CREATE TABLE": "create table",
    "CREATE VIEW": "create view",
    "CREATE PROPERTY GRAPH": "create property graph",
    "PROPERTY GRAPHS": "property graphs",
    "GRAPHS": "property graphs",
}
_NAMED: Final[Mapping[str, Callable[[Cursor], str]]] = {
    **dict.fromkeys(
        ("tables", "views", "sequences", "property graphs"), lambda cursor: cursor.name("a schema's name")
    ),
    **dict.fromkeys(
        ("columns", "constraints", "create table", "create view", "create property graph"), Cursor.table
    ),
}
