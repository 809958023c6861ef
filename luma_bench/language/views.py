"""Views: CREATE, ALTER and DROP VIEW, and a view's query read again from what the catalog keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from luma_bench.errors import KadeQLError
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import relocate
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.placed import Kind, Placed, Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import NOT_SERVED, VIEW_OPTIONS, Refusal
from luma_bench.language.rewrite import Edit, OffsetMap, rewritten
from luma_bench.language.sequences import SEQUENCE_FUNCTIONS
from luma_bench.language.tokens import tokenize
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import rows_relation
from luma_bench.types.sql_text import quoted

_CREATE: Final = "Write CREATE [OR REPLACE] VIEW v [(columns)] AS SELECT …"
_ALTER: Final = "Write ALTER VIEW [IF EXISTS] v RENAME TO w."
PARAMETER: Final = Refusal(
    "A parameter in a view",
    "is refused: a view is the same for whoever reads it",
    "Write the value into the view, or keep the parameter in the query that reads it: FROM v WHERE x > $x.",
)
NUMBERED: Final = Refusal(
    "A value of a sequence in a view",
    "is refused: whoever reads a view changes nothing",
    "Take the value in the statement that needs it: SELECT nextval('s'), * FROM v.",
)
SEVERAL: Final = Refusal(
    "Dropping several views in one statement",
    NOT_SERVED,
    "Write a statement for each: DROP VIEW a; DROP VIEW b",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateView(Placed):
    """CREATE VIEW.

    Attributes
    ----------
    columns
        The names that the view gives the first of the query's columns.
    query
        What it reads, in the statement's text.
    body
        What the catalog keeps: the query as the user wrote it, of a recursive view inside of WITH RECURSIVE.
    """

    kind: ClassVar[Kind] = Kind.CREATE_VIEW
    name: str
    name_span: tuple[int, int]
    columns: tuple[str, ...]
    query: Query = field(repr=False)
    body: str
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropView(Placed):
    """DROP VIEW."""

    kind: ClassVar[Kind] = Kind.DROP_VIEW
    name: str
    name_span: tuple[int, int]
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterView(Placed):
    """ALTER VIEW v RENAME TO w; a name without a schema stays in the view's."""

    kind: ClassVar[Kind] = Kind.ALTER_VIEW
    name: str
    name_span: tuple[int, int]
    to: str
    if_exists: bool = False


def create_view(
    cursor: Cursor, inspector: SqlInspector, *, or_replace: bool, recursive: bool = False
) -> CreateView:
    """CREATE [OR REPLACE] [RECURSIVE] VIEW [IF NOT EXISTS] name [(columns)] AS query; the cursor stands behind VIEW."""
    tokens = cursor.tokens
    if_not_exists = cursor.if_not_exists(or_replace=or_replace)
    name, span = cursor.placed_table()
    columns = cursor.columns(_CREATE)[0] if cursor.word == "(" else ()
    if recursive and not columns:
        raise cursor.expected("the columns of the recursive view in brackets", _CREATE)
    if tokens.follows(cursor.index, cursor.end, "WITH", "("):
        close = tokens.closing(cursor.index + 1, cursor.end)
        raise VIEW_OPTIONS.error(tokens.text, tokens.span(cursor.index, close + 1))
    cursor.expect("AS and a query", "AS", hint=_CREATE)
    if not opens_query(tokens, cursor.index, cursor.end):
        raise cursor.expected("a query after AS", _CREATE)
    query = read_query(tokens, cursor.index, cursor.end, inspector)
    _refuse_parameters(cursor)
    source, start, end, whole = cursor.placed
    # DuckDB's grammar has rules of its own for what a view may hold; pins are none of its words.
    written, offsets = rewritten(whole, start, end, query.edits)
    try:
        inspector.classify(written)
    except KadeQLError as error:
        shown = relocate(error, offsets, whole)
        raise (shown if shown.span is not None else shown.moved(whole, (query.start, query.end))) from error
    body = query.source
    if recursive:
        own = quoted(name.rpartition(".")[2])
        listed, columns = ", ".join(map(quoted, columns)), ()
        body = f"WITH RECURSIVE {own} ({listed}) AS ({body}\n) FROM {own}"
    return CreateView(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        name_span=span,
        columns=columns,
        query=query,
        body=body,
        if_not_exists=if_not_exists,
        or_replace=or_replace,
    )


def alter_view(cursor: Cursor) -> AlterView:
    """ALTER VIEW [IF EXISTS] name RENAME TO name; the cursor stands behind VIEW."""
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = cursor.placed_table()
    cursor.expect("RENAME TO and the new name", "RENAME", "TO", hint=_ALTER)
    to = cursor.table()
    cursor.finish("the new name")
    source, start, end, whole = cursor.placed
    return AlterView(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        name_span=span,
        to=to,
        if_exists=if_exists,
    )


def drop_view(cursor: Cursor) -> DropView:
    """DROP VIEW [IF EXISTS] name [CASCADE | RESTRICT]; the cursor stands behind VIEW."""
    tokens = cursor.tokens
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = cursor.placed_table()
    if cursor.word == ",":
        raise SEVERAL.error(tokens.text, tokens.span(cursor.index))
    # What reads the view stays, and says so when it is used; the two words ask for the same.
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    cursor.finish("the view's name")
    source, start, end, whole = cursor.placed
    return DropView(
        source=source, start=start, end=end, whole=whole, name=name, name_span=span, if_exists=if_exists
    )


def stored_query(body: str, inspector: SqlInspector) -> Query:
    """The query of a stored view; its offsets are those of `body`.

    Raises
    ------
    KadeQLError
        This version does not take what an earlier one stored.
    """
    tokens = tokenize(body)
    return read_query(tokens, 0, len(tokens), inspector)


def renamed(
    query: Query, names: Iterable[tuple[int, str]], islands: Mapping[str, str] | None = None
) -> tuple[str, OffsetMap]:
    """The query's SQL with some of the relations that it reads under other names, and the map back to its text.

    Parameters
    ----------
    names
        Places in `query.reads`, each with the name of the relation that is read instead.
    islands
        Aliases of `query.islands`, each with the one that takes its place.
    """
    edits = {(edit.start, edit.end): edit for edit in query.edits}
    for place, edit in edits.items():
        for alias, other in (islands or {}).items():
            if quoted(alias) in edit.replacement:
                text = edit.replacement.replace(quoted(alias), quoted(other))
                edits[place] = Edit(edit.start, edit.end, text)
    for index, name in names:
        read = query.reads[index]
        relation = rows_relation(name) if read.rows else name
        edits[read.span] = Edit(*read.span, quoted(relation) + read.alias)
    return rewritten(query.whole, query.start, query.end, edits.values())


def _refuse_parameters(cursor: Cursor) -> None:
    tokens = cursor.tokens
    for index in range(cursor.index, cursor.end):
        if tokens.words[index] == "$":
            raise PARAMETER.error(tokens.text, tokens.span(index, min(index + 2, cursor.end)))
        if tokens.names[index].casefold() in SEQUENCE_FUNCTIONS and tokens.follows(
            index + 1, cursor.end, "("
        ):
            raise NUMBERED.error(tokens.text, tokens.span(index))
