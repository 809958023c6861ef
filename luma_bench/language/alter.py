"""ALTER TABLE, with one change a statement, and COMMENT ON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from luma_bench.language.changes import (
    AddColumn,
    AddConstraint,
    Alteration,
    AlterTable,
    ColumnDef,
    CommentOn,
    DropColumn,
    DropConstraint,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNullable,
    SetOptions,
    SetType,
)
from luma_bench.language.columns import check_grammar, read_column, read_default, read_type, type_probe
from luma_bench.language.constraints import TABLE_LEVEL, table_constraint
from luma_bench.language.cursor import Cursor
from luma_bench.language.placed import Query
from luma_bench.language.refusals import (
    COMMENTED,
    CONSTRAINT_CHANGES,
    NESTED_COLUMN,
    SEVERAL,
    TABLE_CHANGES,
    USING,
)
from luma_bench.language.schemas import OBJECTS, CommentOnObject, comment_on_object, in_schema, schema_alone
from luma_bench.language.table_options import reset_options, set_options
from luma_bench.language.tokens import STRING
from luma_bench.types.inspector import SqlInspector

_SHAPE: Final = (
    "Write ALTER TABLE t ADD COLUMN c TYPE, DROP COLUMN c, RENAME COLUMN a TO b, RENAME TO u, ALTER COLUMN c "
    "SET DATA TYPE t, SET DEFAULT v, DROP DEFAULT, SET NOT NULL or DROP NOT NULL, SET (sort_by = (a, b)), or RESET (sort_by)."
)
_COMMENT: Final = "Write COMMENT ON TABLE t IS 'text', COMMENT ON COLUMN t.c IS 'text', or IS NULL."


def alter_table(cursor: Cursor, inspector: SqlInspector) -> AlterTable:
    """ALTER TABLE [IF EXISTS] name change; the cursor stands behind ALTER."""
    tokens = cursor.tokens
    cursor.expect("TABLE after ALTER", "TABLE", hint=_SHAPE)
    if_exists = cursor.accept("IF", "EXISTS")
    place = cursor.index
    table = cursor.table()
    span = tokens.span(place, cursor.index)
    if cursor.done:
        raise cursor.expected("what to change", _SHAPE)
    read = _READERS.get(cursor.word)
    if read is None:
        raise cursor.expected("ADD, DROP, RENAME, ALTER, SET or RESET", _SHAPE)
    word = cursor.word
    cursor.index += 1
    action = read(cursor, inspector)
    if cursor.word == ",":
        raise SEVERAL.error(tokens.text, tokens.span(cursor.index))
    cursor.finish("the change")
    source, start, end, whole = cursor.placed
    if isinstance(action, RenameTable):
        action = in_schema(table, action, dotted=tokens.words[place + 1] == ".")
    if word not in ("SET", "RESET") and not _is_ours(action):
        # DuckDB has no options of its own to compare with, and adds no constraints; all else it can parse.
        check_grammar(source, start, whole, inspector)
    return AlterTable(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=table,
        table_span=span,
        action=action,
        if_exists=if_exists,
    )


def _is_ours(action: Alteration) -> bool:
    """Whether DuckDB's grammar has no such change."""
    if isinstance(action, AddColumn):
        return bool(action.constraints) or action.column.generated is not None
    return isinstance(action, AddConstraint | DropConstraint)


def comment_on(cursor: Cursor, inspector: SqlInspector) -> CommentOn | CommentOnObject:
    """COMMENT ON TABLE name, COLUMN name.column, or a view, schema or sequence, IS 'text' or NULL."""
    tokens = cursor.tokens
    cursor.index += 1
    cursor.expect("ON after COMMENT", "ON", hint=_COMMENT)
    if cursor.word in OBJECTS:
        return comment_on_object(cursor)
    of_column = cursor.word == "COLUMN"
    if not of_column and cursor.word != "TABLE":
        if cursor.done or not tokens.is_name(cursor.index):
            raise cursor.expected("TABLE or COLUMN", _COMMENT)
        raise COMMENTED.error(tokens.text, tokens.span(cursor.index))
    cursor.index += 1
    place = cursor.index
    column: str | None = None
    column_span: tuple[int, int] | None = None
    if of_column:
        if tokens.follows(place + 1, cursor.end, ".") and tokens.follows(place + 3, cursor.end, "."):
            table = cursor.table()
        else:
            table = cursor.name("a table's name")
        span = tokens.span(place, cursor.index)
        cursor.expect(". and a column's name", ".", hint=_COMMENT)
        column_span = tokens.span(cursor.index) if not cursor.done else None
        column = cursor.name("a column's name")
    else:
        table = cursor.table()
        span = tokens.span(place, cursor.index)
    cursor.expect("IS", "IS", hint=_COMMENT)
    comment: str | None = None
    if cursor.word == STRING:
        comment = cursor.value
    elif cursor.word != "NULL":
        raise cursor.expected("the comment in single quotes, or NULL", _COMMENT)
    cursor.index += 1
    cursor.finish("the comment")
    source, start, end, whole = cursor.placed
    check_grammar(source, start, whole, inspector)
    return CommentOn(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=table,
        table_span=span,
        column=column,
        column_span=column_span,
        comment=comment,
    )


def _add(cursor: Cursor, inspector: SqlInspector) -> AddColumn | AddConstraint:
    tokens = cursor.tokens
    if cursor.word in TABLE_LEVEL and not (
        cursor.word == "PRIMARY" and not tokens.follows(cursor.index, cursor.end, "PRIMARY", "KEY")
    ):
        return AddConstraint(table_constraint(cursor, inspector))
    cursor.accept("COLUMN")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    if tokens.follows(cursor.index + 1, cursor.end, "."):
        raise NESTED_COLUMN.error(tokens.text, tokens.span(cursor.index, cursor.index + 2))
    begin = cursor.index
    column, constraints = read_column(cursor, inspector, _SHAPE)
    if column.primary_key:
        raise CONSTRAINT_CHANGES["PRIMARY"].error(tokens.text, tokens.span(begin, cursor.index))
    return AddColumn(column, _probe(cursor, column), constraints, if_not_exists)


def _drop(cursor: Cursor, inspector: SqlInspector) -> DropColumn | DropConstraint:
    tokens = cursor.tokens
    constraint = cursor.accept("CONSTRAINT")
    if not constraint:
        if cursor.word in CONSTRAINT_CHANGES:
            raise CONSTRAINT_CHANGES[cursor.word].error(tokens.text, tokens.span(cursor.index))
        cursor.accept("COLUMN")
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = _column(cursor)
    # What hangs on it is never taken along: then either word is refused, and else both ask for the same.
    cascade = cursor.accept("CASCADE")
    if not cascade:
        cursor.accept("RESTRICT")
    if constraint:
        return DropConstraint(name, span, if_exists)
    return DropColumn(name, span, if_exists, cascade)


def _rename(cursor: Cursor, inspector: SqlInspector) -> RenameColumn | RenameTable:
    if cursor.accept("TO"):
        return RenameTable(cursor.table())
    cursor.accept("COLUMN")
    name, span = _column(cursor)
    cursor.expect("TO and the new name", "TO", hint=_SHAPE)
    return RenameColumn(name, span, cursor.name("the column's new name"))


def _alter(cursor: Cursor, inspector: SqlInspector) -> Alteration:
    tokens = cursor.tokens
    cursor.accept("COLUMN")
    name, span = _column(cursor)
    if cursor.accept("SET", "NOT", "NULL"):
        return SetNullable(name, span, False)
    if cursor.accept("DROP", "NOT", "NULL"):
        return SetNullable(name, span, True)
    if cursor.accept("SET", "DEFAULT"):
        value = read_default(cursor, inspector)
        if isinstance(value, Query):
            return SetDefault(name, span, value)
        return SetDefault(name, span, computed=value)
    if cursor.accept("DROP", "DEFAULT"):
        return SetDefault(name, span)
    begin = cursor.index
    if not (cursor.accept("SET", "DATA", "TYPE") or cursor.accept("TYPE") or cursor.accept("SET", "TYPE")):
        raise cursor.expected("SET DATA TYPE, SET or DROP DEFAULT, or SET or DROP NOT NULL", _SHAPE)
    type_sql = read_type(cursor, name, _SHAPE)
    if cursor.word == "USING":
        raise USING.error(tokens.text, tokens.span(cursor.index))
    column = ColumnDef(name, type_sql, True, False, tokens.span(begin, cursor.index))
    return SetType(name, span, _probe(cursor, column))


def _set(cursor: Cursor, inspector: SqlInspector) -> SetOptions | RenameTable:
    tokens = cursor.tokens
    if cursor.accept("SCHEMA"):
        return RenameTable(schema_alone(cursor))
    if cursor.word in TABLE_CHANGES:
        raise TABLE_CHANGES[cursor.word].error(tokens.text, tokens.span(cursor.index))
    return set_options(cursor, "SET")


def _reset(cursor: Cursor, inspector: SqlInspector) -> SetOptions:
    return reset_options(cursor)


def _column(cursor: Cursor) -> tuple[str, tuple[int, int]]:
    place = cursor.index
    name = cursor.name("a column's name")
    if cursor.word == ".":
        raise NESTED_COLUMN.error(cursor.tokens.text, cursor.tokens.span(place, cursor.index + 1))
    return name, cursor.tokens.span(place)


def _probe(cursor: Cursor, column: ColumnDef) -> Query:
    _, start, end, whole = cursor.placed
    return type_probe((column,), whole, start, end)


_READERS: Final[dict[str, Callable[[Cursor, SqlInspector], Alteration]]] = {
    "ADD": _add,
    "DROP": _drop,
    "RENAME": _rename,
    "ALTER": _alter,
    "SET": _set,
    "RESET": _reset,
}
