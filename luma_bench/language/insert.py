"""INSERT INTO: the rows of a query, by position, by name or for some of the columns."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.changes import Insert
from luma_bench.language.cursor import Cursor
from luma_bench.language.keywords import QUERY_STARTS
from luma_bench.language.query import read_query
from luma_bench.language.refusals import NOT_SERVED, RETURNING, UPSERT, Refusal
from luma_bench.types.inspector import SqlInspector

ON_CONFLICT: Final = Refusal("ON CONFLICT", NOT_SERVED, UPSERT)
DEFAULT_VALUE: Final = Refusal(
    "DEFAULT among the rows", NOT_SERVED, "Write the value, or leave the column out: INSERT INTO t (…)."
)
_ROWS: Final = "Write INSERT INTO t [(columns)] [BY NAME] SELECT … or VALUES (…)."


def insert(cursor: Cursor, inspector: SqlInspector) -> Insert:
    """INSERT INTO name [(columns)] [BY NAME | BY POSITION] query; the cursor stands behind INSERT."""
    tokens = cursor.tokens
    cursor.expect("INTO after INSERT", "INTO", hint=_ROWS)
    table = cursor.table()
    columns: tuple[str, ...] | None = None
    opening = cursor.index
    if cursor.word == "(" and not _is_query(cursor):
        columns = _column_list(cursor)
    by_name = cursor.accept("BY", "NAME")
    if by_name and columns is not None:
        raise KadeQLSyntaxError(
            "BY NAME takes the names from the query.",
            text=tokens.text,
            span=tokens.span(opening, cursor.index - 2),
            hint="Leave the columns out, or leave BY NAME out.",
        )
    if not by_name:
        cursor.accept("BY", "POSITION")
    if cursor.word == "DEFAULT":
        raise DEFAULT_VALUE.error(tokens.text, tokens.span(cursor.index))
    if cursor.word not in QUERY_STARTS:
        raise cursor.expected("a query or VALUES", _ROWS)
    _refuse_tail(cursor)
    source, start, end, whole = cursor.placed
    query = read_query(tokens, cursor.index, cursor.end, inspector)
    return Insert(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=table,
        columns=columns,
        query=query,
        by_name=by_name,
    )


def _is_query(cursor: Cursor) -> bool:
    """Whether the bracket here opens a query and not a list of columns."""
    words, index = cursor.tokens.words, cursor.index
    while index < cursor.end and words[index] == "(":
        index += 1
    return index < cursor.end and words[index] in QUERY_STARTS


def _column_list(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect("(", "(")
    names: list[str] = []
    while True:
        place = cursor.index
        name = cursor.name("a column's name")
        if name.casefold() in {known.casefold() for known in names}:
            raise KadeQLSyntaxError(
                f"The column {name!r} stands twice.",
                text=cursor.tokens.text,
                span=cursor.tokens.span(place),
                hint="Name each column once.",
            )
        names.append(name)
        if not cursor.accept(","):
            break
    cursor.expect("a comma or ) after a column's name", ")", hint=_ROWS)
    return tuple(names)


def _refuse_tail(cursor: Cursor) -> None:
    """ON CONFLICT and RETURNING behind the rows, DEFAULT among them."""
    tokens = cursor.tokens
    index = cursor.index
    values = cursor.word == "VALUES"
    depth = 0
    for place in range(index, cursor.end):
        word = tokens.words[place]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and tokens.follows(place, cursor.end, "ON", "CONFLICT"):
            raise ON_CONFLICT.error(tokens.text, tokens.span(place, place + 2))
        if depth == 0 and word == "RETURNING" and tokens.words[place - 1] not in ("AS", "."):
            raise RETURNING.error(tokens.text, tokens.span(place))
        if values and depth == 1 and word == "DEFAULT":
            raise DEFAULT_VALUE.error(tokens.text, tokens.span(place))
