"""Statements that make and drop tables: CREATE TABLE, CREATE TABLE AS, DROP TABLE."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.changes import ColumnDef, CreateTable, CreateTableAs, DropTable, SetOptions
from luma_bench.language.columns import check_grammar, read_column, type_probe
from luma_bench.language.constraints import TABLE_LEVEL, ConstraintDef, KeyDef, table_constraint
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import expected
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import WITH_DATA
from luma_bench.language.table_options import set_options
from luma_bench.types.inspector import SqlInspector

_COLUMNS: Final = (
    "Write CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL) or CREATE TABLE t AS SELECT …"
)


def create_table(cursor: Cursor, inspector: SqlInspector, *, or_replace: bool) -> CreateTable | CreateTableAs:
    """CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (columns) [WITH (options)], or name [WITH (options)] AS query.

    The cursor stands behind TABLE.
    """
    tokens = cursor.tokens
    if_not_exists = cursor.if_not_exists(or_replace=or_replace)
    name = cursor.table()
    source, start, end, whole = cursor.placed
    names = _names(cursor)
    options = _options(cursor)
    if names or options or cursor.word == "AS":
        cursor.expect("AS and a query", "AS", hint=_COLUMNS)
        if not opens_query(tokens, cursor.index, cursor.end):
            raise cursor.expected("a query after AS", _COLUMNS)
        for words in (("WITH", "DATA"), ("WITH", "NO", "DATA")):
            if tokens.follows(cursor.end - len(words), cursor.end, *words):
                raise WITH_DATA.error(tokens.text, tokens.span(cursor.end - len(words), cursor.end))
        query = read_query(tokens, cursor.index, cursor.end, inspector)
        return CreateTableAs(
            source=source,
            start=start,
            end=end,
            whole=whole,
            name=name,
            query=query,
            columns=names,
            if_not_exists=if_not_exists,
            or_replace=or_replace,
            options=options,
        )
    if cursor.word != "(":
        raise cursor.expected("( or AS after the table's name", _COLUMNS)
    columns, key, constraints = _definitions(cursor, inspector)
    behind = cursor.index
    options = _options(cursor)
    if not cursor.done:
        raise cursor.expected("the end of the statement after the columns", _COLUMNS)
    if options is not None:
        # Its options are the bench's own, so DuckDB sees the columns alone.
        first, last = tokens.span(behind, cursor.end)
        parsable = _parsable(cursor, source, start)[: first - start] + " " * (last - first)
    else:
        parsable = _parsable(cursor, source, start)
    check_grammar(parsable, start, whole, inspector)
    return CreateTable(
        source=source,
        start=start,
        end=end,
        whole=whole,
        name=name,
        columns=columns,
        primary_key=key,
        constraints=constraints,
        probe=type_probe(columns, whole, start, end),
        if_not_exists=if_not_exists,
        or_replace=or_replace,
        options=options,
    )


def _options(cursor: Cursor) -> SetOptions | None:
    """WITH (option = value, …); nothing is read where something else stands."""
    if not cursor.tokens.follows(cursor.index, cursor.end, "WITH", "("):
        return None
    cursor.index += 1
    return set_options(cursor, "WITH")


def _names(cursor: Cursor) -> tuple[str, ...]:
    """`(a, b)` before AS; nothing is read where something else stands."""
    tokens = cursor.tokens
    if cursor.word != "(" or not tokens.follows(
        tokens.closing(cursor.index, cursor.end) + 1, cursor.end, "AS"
    ):
        return ()
    return cursor.columns("Name the columns alone, CREATE TABLE t (a, b) AS …: the query says the types.")[0]


def _parsable(cursor: Cursor, source: str, start: int) -> str:
    """The statement without the word STORED, which DuckDB's grammar refuses behind a generated column's expression."""
    tokens = cursor.tokens
    for index in range(cursor.first + 1, cursor.end):
        if tokens.words[index] == "STORED" and tokens.words[index - 1] == ")":
            first, last = (place - start for place in tokens.span(index))
            source = f"{source[:first]}{' ' * (last - first)}{source[last:]}"
    return source


def _definitions(
    cursor: Cursor, inspector: SqlInspector
) -> tuple[tuple[ColumnDef, ...], tuple[str, ...], tuple[ConstraintDef, ...]]:
    """The columns, the primary key and the constraints inside the brackets."""
    tokens = cursor.tokens
    close = tokens.closing(cursor.index, cursor.end)
    cursor.index += 1
    after = close + 1
    inner = Cursor(tokens, cursor.index, close, cursor.end)
    columns: list[ColumnDef] = []
    constraints: list[ConstraintDef] = []
    key: tuple[str, ...] | None = None
    key_spans: list[tuple[int, int]] = []
    while True:
        begin = inner.index
        if inner.word in TABLE_LEVEL and not (
            inner.word == "PRIMARY" and not tokens.follows(begin, close, "PRIMARY", "KEY")
        ):
            constraint = table_constraint(inner, inspector)
            found, span = (constraint.columns if isinstance(constraint, KeyDef) else None), constraint.span
            if not isinstance(constraint, KeyDef):
                constraints.append(constraint)
        else:
            column, own = read_column(inner, inspector, _COLUMNS)
            columns.append(column)
            constraints += own
            found, span = ((column.name,) if column.primary_key else None), column.span
        if found is not None:
            key_spans.append(span)
            key = found
        # A comma may stand behind the last one too.
        if not inner.accept(",") or (inner.done and columns):
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
    return *_keyed(cursor, tuple(columns), key or (), key_spans), tuple(constraints)


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
        replace(column, nullable=False, primary_key=True) if column.name.casefold() in folded_key else column
        for column in columns
    )
    return marked, tuple(by_fold[name.casefold()].name for name in key)


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
