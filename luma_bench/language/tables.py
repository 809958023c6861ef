"""Statements that make, fill and drop tables: CREATE TABLE, INSERT INTO, DROP TABLE."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import expected, relocate, sharpened
from luma_bench.language.keywords import QUERY_STARTS
from luma_bench.language.query import read_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import OffsetMap, Segment
from luma_bench.language.statement import (
    ColumnDef,
    CreateTable,
    CreateTableAs,
    DropTable,
    Insert,
    Query,
    Statement,
)
from luma_bench.types.inspector import SqlInspector

_NOT_STORED: Final = "is not in this version"
_CHECKED: Final = (
    "Check it in a query: SELECT … FROM t WHERE NOT (…). What is kept is NOT NULL and PRIMARY KEY."
)
CONSTRAINTS: Final = {
    "UNIQUE": Refusal(
        "UNIQUE",
        _NOT_STORED,
        "Name the columns as PRIMARY KEY, or check with GROUP BY … HAVING count(*) > 1.",
    ),
    "CHECK": Refusal("CHECK", _NOT_STORED, _CHECKED),
    "REFERENCES": Refusal(
        "A foreign key", _NOT_STORED, "Check it in a query: FROM t ANTI JOIN other USING (id)."
    ),
    "FOREIGN": Refusal(
        "A foreign key", _NOT_STORED, "Check it in a query: FROM t ANTI JOIN other USING (id)."
    ),
    "DEFAULT": Refusal(
        "DEFAULT", _NOT_STORED, "Write the value in the INSERT: INSERT INTO t SELECT a, 0 AS b …"
    ),
    "GENERATED": Refusal(
        "A generated column", _NOT_STORED, "Compute it when reading: SELECT *, a + b AS c FROM t."
    ),
    "AS": Refusal("A generated column", _NOT_STORED, "Compute it when reading: SELECT *, a + b AS c FROM t."),
    "COLLATE": Refusal(
        "COLLATE on a column", _NOT_STORED, "Write it in the query: ORDER BY name COLLATE nocase."
    ),
    "CONSTRAINT": Refusal(
        "A constraint's name", _NOT_STORED, "Write the constraint alone: PRIMARY KEY (a, b)."
    ),
    "USING": Refusal(
        "USING COMPRESSION", _NOT_STORED, "Leave it out: every column gets the codec that fits it."
    ),
}
_TABLE_LEVEL: Final = frozenset({"PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT"})
_UPSERT: Final = "Write the rows by their primary key: bench.write(name, data, mode='upsert')."
ON_CONFLICT: Final = Refusal("ON CONFLICT", _NOT_STORED, _UPSERT)
RETURNING: Final = Refusal(
    "RETURNING", _NOT_STORED, "Read the rows in the next statement: INSERT INTO t …; SELECT … FROM t"
)
DEFAULT_VALUE: Final = Refusal(
    "DEFAULT in VALUES", _NOT_STORED, "Write the value, or leave the column out of INSERT INTO t (…)."
)
_COLUMNS: Final = (
    "Write CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL) or CREATE TABLE t AS SELECT …"
)
_ROWS: Final = "Write INSERT INTO t [(columns)] [BY NAME] SELECT … or VALUES (…)."


def create_table(cursor: Cursor, inspector: SqlInspector) -> Statement:
    """CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (columns) or AS query; the cursor stands behind TABLE."""
    tokens = cursor.tokens
    or_replace = "REPLACE" in tokens.words[cursor.first : cursor.index]
    place = cursor.index
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if or_replace and if_not_exists:
        raise KadeQLSyntaxError(
            "OR REPLACE and IF NOT EXISTS contradict each other.",
            text=tokens.text,
            span=tokens.span(place, cursor.index),
            hint="Write one of them.",
        )
    name = cursor.table()
    source, start, end, whole = cursor.placed
    if cursor.accept("AS"):
        if cursor.word not in QUERY_STARTS:
            raise cursor.expected("a query after AS", _COLUMNS)
        query = read_query(tokens, cursor.index, cursor.end, inspector)
        return CreateTableAs(
            source=source,
            start=start,
            end=end,
            whole=whole,
            name=name,
            query=query,
            if_not_exists=if_not_exists,
            or_replace=or_replace,
        )
    if cursor.word != "(":
        raise cursor.expected("( or AS after the table's name", _COLUMNS)
    columns, key = _definitions(cursor)
    _parses(source, start, whole, inspector)
    return CreateTable(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        columns=columns,
        primary_key=key,
        probe=_probe(columns, whole, start, end),
        if_not_exists=if_not_exists,
        or_replace=or_replace,
    )


def _definitions(cursor: Cursor) -> tuple[tuple[ColumnDef, ...], tuple[str, ...]]:
    """The columns and the primary key inside the brackets."""
    tokens = cursor.tokens
    close = tokens.closing(cursor.index, cursor.end)
    cursor.index += 1
    after = close + 1
    if after < cursor.end:
        if tokens.words[after] == "AS":
            raise KadeQLUnsupportedError(
                "Column names before AS are not in this version.",
                text=tokens.text,
                span=tokens.span(cursor.index - 1, after),
                hint="Name the columns in the query: CREATE TABLE t AS SELECT x AS a, y AS b …",
            )
        raise expected(tokens, after, cursor.end, "the end of the statement after the columns", _COLUMNS)
    inner = Cursor(tokens, cursor.index, close, cursor.end)
    columns: list[ColumnDef] = []
    key: tuple[str, ...] | None = None
    key_spans: list[tuple[int, int]] = []
    while True:
        begin = inner.index
        if inner.word in _TABLE_LEVEL and not (
            inner.word == "PRIMARY" and not tokens.follows(begin, close, "PRIMARY", "KEY")
        ):
            found = _table_key(inner)
            span = tokens.span(begin, inner.index)
        else:
            column = _column(inner)
            columns.append(column)
            found, span = ((column.name,) if column.primary_key else None), column.span
        if found is not None:
            key_spans.append(span)
            key = found
        if not inner.accept(","):
            break
    if not inner.done:
        raise inner.expected("a comma or ) after a column", _COLUMNS)
    if len(key_spans) > 1:
        raise KadeQLSyntaxError(
            "A table has one primary key.",
            text=tokens.text,
            span=key_spans[1],
            hint="Write PRIMARY KEY (a, b) once, after the columns.",
        )
    if not columns:
        raise expected(tokens, close, cursor.end, "a column", _COLUMNS)
    cursor.index = after
    return _keyed(cursor, tuple(columns), key or (), key_spans)


def _keyed(
    cursor: Cursor, columns: tuple[ColumnDef, ...], key: tuple[str, ...], spans: list[tuple[int, int]]
) -> tuple[tuple[ColumnDef, ...], tuple[str, ...]]:
    """The columns with the key's columns NOT NULL, and the key in the columns' own spelling."""
    text = cursor.tokens.text
    by_fold = {column.name.casefold(): column for column in columns}
    if len(by_fold) < len(columns):
        folded = [column.name.casefold() for column in columns]
        twice = next(
            column for index, column in enumerate(columns) if column.name.casefold() in folded[:index]
        )
        raise KadeQLSyntaxError(
            f"The column {twice.name!r} stands twice.",
            text=text,
            span=twice.span,
            hint="Names that differ only in case are one name.",
        )
    unknown = [name for name in key if name.casefold() not in by_fold]
    if unknown:
        known = ", ".join(column.name for column in columns)
        raise KadeQLSyntaxError(
            f"The primary key names no column {unknown[0]!r}.",
            text=text,
            span=spans[0],
            hint=f"The columns are: {known}.",
        )
    folded_key = {name.casefold() for name in key}
    if len(folded_key) < len(key):
        raise KadeQLSyntaxError(
            "The primary key names a column twice.", text=text, span=spans[0], hint="Name each column once."
        )
    marked = tuple(
        ColumnDef(column.name, column.type_sql, False, True, column.span)
        if column.name.casefold() in folded_key
        else column
        for column in columns
    )
    return marked, tuple(by_fold[name.casefold()].name for name in key)


def _table_key(inner: Cursor) -> tuple[str, ...]:
    """PRIMARY KEY (a, b) as an entry of its own."""
    if inner.word != "PRIMARY":
        raise CONSTRAINTS[inner.word].error(inner.tokens.text, inner.tokens.span(inner.index))
    inner.index += 2
    inner.expect("( after PRIMARY KEY", "(", hint=_COLUMNS)
    names = [inner.name("a column of the primary key")]
    while inner.accept(","):
        names.append(inner.name("a column of the primary key"))
    inner.expect(") after the primary key", ")", hint=_COLUMNS)
    return tuple(names)


def _column(inner: Cursor) -> ColumnDef:
    """One column: name, type, and NOT NULL, NULL or PRIMARY KEY."""
    tokens = inner.tokens
    begin = inner.index
    name = inner.name("a column's name")
    first = inner.index
    while not inner.done and inner.word not in _ENDS_TYPE:
        inner.index = (
            tokens.closing(inner.index, inner.end) + 1 if inner.word in ("(", "[") else inner.index + 1
        )
    if inner.index == first:
        if inner.word in CONSTRAINTS:
            raise CONSTRAINTS[inner.word].error(tokens.text, tokens.span(inner.index))
        raise inner.expected(f"a type for the column {name}", _COLUMNS)
    type_sql = tokens.slice(first, inner.index)
    nullable, key = True, False
    while not inner.done and inner.word != ",":
        if inner.accept("NOT", "NULL"):
            nullable = False
        elif inner.accept("PRIMARY", "KEY"):
            nullable, key = False, True
        elif inner.word in CONSTRAINTS:
            raise CONSTRAINTS[inner.word].error(tokens.text, tokens.span(inner.index))
        elif not inner.accept("NULL"):
            raise inner.expected("NOT NULL, PRIMARY KEY, a comma or )", _COLUMNS)
    return ColumnDef(name, type_sql, nullable, key, tokens.span(begin, inner.index))


_ENDS_TYPE: Final = frozenset({",", "NOT", "NULL", "PRIMARY", *CONSTRAINTS})


def _parses(source: str, start: int, whole: str, inspector: SqlInspector) -> None:
    """Let DuckDB's grammar read the statement: it knows what a type may look like."""
    try:
        inspector.classify(source)
    except KadeQLError as error:
        offsets = OffsetMap.verbatim(start, start + len(source))
        shown = sharpened(error, source, inspector) if isinstance(error, KadeQLSyntaxError) else error
        raise relocate(shown, offsets, whole) from error


def _probe(columns: tuple[ColumnDef, ...], whole: str, start: int, end: int) -> Query:
    """A query of one typed NULL per column, whose errors point at the columns."""
    pieces: list[str] = []
    segments: list[Segment] = []
    position = 0
    for column in columns:
        name = column.name.replace('"', '""')
        piece = f'{", " if pieces else "SELECT "}CAST(NULL AS {column.type_sql}) AS "{name}"'
        pieces.append(piece)
        segments.append(Segment(position, position + len(piece), *column.span, False))
        position += len(piece)
    return Query(
        source=whole[start:end],
        start=start,
        end=end,
        whole=whole,
        sql="".join(pieces),
        offsets=OffsetMap(tuple(segments)),
    )


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
        raise CONSTRAINTS["DEFAULT"].error(tokens.text, tokens.span(cursor.index))
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


def drop_table(cursor: Cursor) -> DropTable:
    """DROP TABLE [IF EXISTS] name; the cursor stands behind TABLE."""
    if_exists = cursor.accept("IF", "EXISTS")
    name = cursor.table()
    if cursor.word == ",":
        raise KadeQLUnsupportedError(
            "Dropping several tables in one statement is not in this version.",
            text=cursor.tokens.text,
            span=cursor.tokens.span(cursor.index),
            hint="Write a statement for each: DROP TABLE a; DROP TABLE b",
        )
    # Nothing depends on a table, so the two words ask for the same.
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    cursor.finish("the table's name")
    source, start, end, whole = cursor.placed
    return DropTable(source=source, start=start, end=end, whole=whole, name=name, if_exists=if_exists)
