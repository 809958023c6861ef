"""DELETE, UPDATE and TRUNCATE: read as queries over the table's raw rows that find the rows, and their new values.

`DELETE FROM t WHERE c` becomes `SELECT _rowid FROM "__luma_rows_t" AS "t" WHERE c`, and `UPDATE t SET a = x WHERE c`
becomes `FROM "__luma_rows_t" AS "t" SELECT _rowid, (x) AS … WHERE c`: every word of the user's stays in its place, so
that carets do too.
"""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.changes import Assignment, Delete, Truncate, Update, new_value
from luma_bench.language.cursor import Cursor
from luma_bench.language.functions import ROW_IDS
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.query import read_query
from luma_bench.language.refusals import (
    DELETE_USING,
    PAST,
    RETURNING,
    SET_LIST,
    SET_QUALIFIED,
    UPDATE_FROM,
    Refusal,
)
from luma_bench.language.rewrite import Edit
from luma_bench.language.scope import Scope
from luma_bench.language.tokens import STRING, Tokens
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import ROW_ID, rows_relation

_DELETE: Final = "Write DELETE FROM t [WHERE condition]."
_UPDATE: Final = "Write UPDATE t SET column = value, … [WHERE condition]."
_CHANGES: Final = frozenset({"DELETE", "UPDATE"})


def change_behind_with(tokens: Tokens, first: int, last: int) -> int | None:
    """The DELETE or UPDATE of a statement that begins with WITH; None when it is a query."""
    depth = 0
    for index in range(first, last):
        word = tokens.words[index]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and word in _CHANGES and tokens.words[index - 1] == ")":
            # `SELECT (1) delete` is an alias: only the walk over the clauses knows where the WITH list ends.
            return index if index in Scope(tokens, first, last).bodies else None
    return None


def delete(cursor: Cursor, verb: int, inspector: SqlInspector) -> Delete:
    """DELETE FROM name [[AS] alias] [WHERE condition]; the verb is at token `verb`, a WITH list may precede it."""
    tokens = cursor.tokens
    cursor.index = verb + 1
    cursor.expect("FROM after DELETE", "FROM", hint=_DELETE)
    head = Edit(*tokens.span(verb, cursor.index), f"SELECT {ROW_ID} FROM")
    table, span, named = _target(cursor)
    _refuse(cursor, {"USING": DELETE_USING, "RETURNING": RETURNING, "AT": PAST})
    if not cursor.done and cursor.word != "WHERE":
        raise cursor.expected("WHERE or the end of the statement", _DELETE)
    everything = cursor.done
    _check_rest(cursor)
    query = read_query(tokens, cursor.first, cursor.end, inspector, (head, named), verb)
    source, start, end, whole = cursor.placed
    return Delete(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=table,
        table_span=span,
        query=query,
        everything=everything,
    )


def update(cursor: Cursor, verb: int, inspector: SqlInspector) -> Update:
    """UPDATE name [[AS] alias] SET column = value, … [WHERE condition]; the verb is at token `verb`."""
    tokens = cursor.tokens
    cursor.index = verb + 1
    table, span, named = _target(cursor)
    _refuse(cursor, {"AT": PAST})
    place = cursor.index
    cursor.expect("SET after the table's name", "SET", hint=_UPDATE)
    edits = [
        Edit(*tokens.span(verb), "FROM"),
        named,
        Edit(*tokens.span(place), f"SELECT {ROW_ID},"),
    ]
    assignments: list[Assignment] = []
    while True:
        assignments.append(_assignment(cursor, assignments, edits))
        if not cursor.accept(","):
            break
    _refuse(cursor, {"FROM": UPDATE_FROM, "RETURNING": RETURNING})
    if not cursor.done and cursor.word != "WHERE":
        raise cursor.expected("a comma, WHERE or the end of the statement", _UPDATE)
    _check_rest(cursor)
    query = read_query(tokens, cursor.first, cursor.end, inspector, edits, verb)
    source, start, end, whole = cursor.placed
    return Update(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=table,
        table_span=span,
        assignments=tuple(assignments),
        query=query,
    )


def truncate(cursor: Cursor) -> Truncate:
    """TRUNCATE [TABLE] name."""
    cursor.index += 1
    cursor.accept("TABLE")
    place = cursor.index
    table = cursor.table()
    span = cursor.tokens.span(place, cursor.index)
    cursor.finish("the table's name")
    source, start, end, whole = cursor.placed
    return Truncate(source=source, start=start, end=end, whole=whole, table=table, table_span=span)


def _target(cursor: Cursor) -> tuple[str, tuple[int, int], Edit]:
    """The table's name, its place, and the edit that makes it the table's raw rows under the same name."""
    tokens = cursor.tokens
    place = cursor.index
    table = cursor.table()
    span = tokens.span(place, cursor.index)
    shown = tokens.slice(cursor.index - 1, cursor.index)
    raw = rows_relation(table).replace('"', '""')
    aliased = cursor.accept("AS")
    if aliased or (not cursor.done and _may_be_alias(cursor)):
        cursor.name("an alias")
        return table, span, Edit(*span, f'"{raw}"')
    return table, span, Edit(*span, f'"{raw}" AS {shown}')


def _may_be_alias(cursor: Cursor) -> bool:
    word = cursor.word
    return (
        cursor.tokens.is_name(cursor.index)
        and word not in RESERVED
        and word not in TYPE_FUNCTION
        and word != "SET"
    )


def _assignment(cursor: Cursor, before: list[Assignment], edits: list[Edit]) -> Assignment:
    """One `column = value`: its edits turn it into `(value) AS name`."""
    tokens = cursor.tokens
    place = cursor.index
    if cursor.word == "(":
        raise SET_LIST.error(tokens.text, tokens.span(place))
    column = cursor.name("a column's name")
    if cursor.word in (".", "["):
        raise SET_QUALIFIED.error(tokens.text, tokens.span(place, cursor.index + 1))
    if any(known.column.casefold() == column.casefold() for known in before):
        raise KadeQLSyntaxError(
            f"The column {column!r} is set twice.",
            text=tokens.text,
            span=tokens.span(place),
            hint="Set each column once.",
        )
    cursor.expect("= after the column's name", "=", hint=_UPDATE)
    edits.append(Edit(*tokens.span(place, cursor.index), "("))
    first = cursor.index
    _skip_value(cursor)
    if cursor.index == first:
        raise cursor.expected(f"a value for the column {column}", _UPDATE)
    value = tokens.span(first, cursor.index)
    default = cursor.index == first + 1 and tokens.words[first] == "DEFAULT"
    if default:
        edits.append(Edit(*value, "NULL"))
    edits.append(Edit(value[1], value[1], f') AS "{new_value(len(before))}"'))
    return Assignment(column, tokens.span(place), value, default)


def _skip_value(cursor: Cursor) -> None:
    """Step over an expression: up to a comma or a clause outside of its brackets."""
    while not cursor.done and cursor.word not in (",", "WHERE", "RETURNING"):
        # `IS DISTINCT FROM` is an operator; any other FROM outside brackets begins the clause.
        if cursor.word == "FROM" and cursor.tokens.words[cursor.index - 1] != "DISTINCT":
            return
        if cursor.word in ("(", "[", "{"):
            cursor.index = cursor.tokens.closing(cursor.index, cursor.end)
        cursor.index += 1


def _refuse(cursor: Cursor, refusals: dict[str, Refusal]) -> None:
    if cursor.word in refusals:
        raise refusals[cursor.word].error(cursor.tokens.text, cursor.tokens.span(cursor.index))


def _check_rest(cursor: Cursor) -> None:
    """RETURNING behind the condition, and row ids anywhere, are refused."""
    tokens = cursor.tokens
    depth = 0
    for index in range(cursor.first, cursor.end):
        word = tokens.words[index]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if word == "RETURNING" and depth == 0 and index >= cursor.index and tokens.words[index - 1] != ".":
            raise RETURNING.error(tokens.text, tokens.span(index))
        if word != STRING and tokens.names[index].casefold() == ROW_ID:
            raise ROW_IDS.error(tokens.text, tokens.span(index))
