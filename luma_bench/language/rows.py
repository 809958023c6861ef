"""DELETE, UPDATE and TRUNCATE: read as queries over the table's raw rows that find the rows, and their new values.

`DELETE FROM t USING u WHERE c` becomes `SELECT t._rowid FROM "__luma_rows_t" AS t, u WHERE c`, and
`UPDATE t SET a = x FROM u WHERE c` becomes `SELECT t._rowid, (x) AS … FROM "__luma_rows_t" AS t, u WHERE c`, composed of
the user's own words, so that carets point at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.language.assignments import Assigned, assignments, skip_value
from luma_bench.language.changes import Delete, Truncate, Update, new_value
from luma_bench.language.compose import Composer, excerpt
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.functions import ROW_IDS
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.query import found_query, read_change
from luma_bench.language.refusals import PAST
from luma_bench.language.returning import behind_with, returning, returning_at
from luma_bench.language.row_ids import is_rows_call
from luma_bench.language.scope import Scope
from luma_bench.language.tokens import STRING, Tokens
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import ROW_ID, rows_relation
from luma_bench.types.sql_text import quoted

_DELETE: Final = "Write DELETE FROM t [USING other] [WHERE condition] [RETURNING …]."
_UPDATE: Final = "Write UPDATE t SET column = value, … [FROM other] [WHERE condition] [RETURNING …]."
_CHANGES: Final = frozenset({"DELETE", "UPDATE", "INSERT", "MERGE"})


@dataclass(frozen=True, slots=True)
class Target:
    """The table that a statement changes.

    Attributes
    ----------
    token
        Where its name begins.
    shown
        What the statement calls it, as it is written: the alias, or the table's own name.
    """

    table: str
    span: tuple[int, int]
    token: int
    shown: str

    @property
    def raw(self) -> str:
        """Its raw rows, with their ids, under the name that the statement uses."""
        return f"{quoted(rows_relation(self.table))} AS {self.shown}"


def change_behind_with(tokens: Tokens, first: int, last: int) -> int | None:
    """The verb of a statement that begins with WITH and changes rows; None when it is a query."""
    depth = 0
    for index in range(first, last):
        word = tokens.words[index]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and word in _CHANGES and tokens.words[index - 1] == ")":
            # `SELECT (1) delete` is an alias: only the walk over the clauses knows where the WITH list ends.
            return index if index in Scope(tokens, first, last).bodies else None
    return None


def delete(cursor: Cursor, verb: int, inspector: SqlInspector) -> Delete:
    """DELETE FROM name [[AS] alias] [USING tables] [WHERE condition] [RETURNING list]; the verb is at token `verb`."""
    tokens = cursor.tokens
    cursor.index = verb + 1
    cursor.expect("FROM after DELETE", "FROM", hint=_DELETE)
    target = read_target(cursor)
    refuse_past(cursor)
    using = cursor.index if cursor.word == "USING" else None
    end = returning_at(tokens, cursor.index, cursor.end)
    where = clause_at(tokens, cursor.index, end, "WHERE")
    if using is None and cursor.index not in (where, end):
        raise cursor.expected("USING, WHERE, RETURNING or the end of the statement", _DELETE)
    refuse_row_ids(tokens, cursor.first, cursor.end)
    marks = {end: "WHERE"} if using is None else {end: "WHERE", using: "FROM"}
    draft = read_change(tokens, cursor.first, cursor.end, inspector, verb, target.token, marks)
    composer = _opened(draft, verb, target).own(
        f"SELECT {target.shown}.{ROW_ID} FROM {target.raw}", target.span
    )
    if using is not None:
        composer.own(", ").add(excerpt(draft, using + 1, where))
    if where < end:
        composer.own(" ").add(excerpt(draft, where, end))
    source, start, stop, whole = cursor.placed
    return Delete(
        source=source,
        start=start,
        end=stop,
        whole=whole,
        table=target.table,
        table_span=target.span,
        query=found_query(draft, composer.pieces, composer.params, inspector),
        everything=using is None and where == end,
        returning=returning(draft, end, cursor.end, target.shown, inspector),
    )


def update(cursor: Cursor, verb: int, inspector: SqlInspector) -> Update:
    """UPDATE name [[AS] alias] SET … [FROM tables] [WHERE condition] [RETURNING list]; the verb is at token `verb`."""
    tokens = cursor.tokens
    cursor.index = verb + 1
    target = read_target(cursor)
    refuse_past(cursor)
    cursor.expect("SET after the table's name", "SET", hint=_UPDATE)
    first = cursor.index
    while not cursor.done and skip_value(cursor):
        pass
    source_at = cursor.index if cursor.word == "FROM" else None
    end = returning_at(tokens, cursor.index, cursor.end)
    where = clause_at(tokens, cursor.index, end, "WHERE")
    if source_at is None and cursor.index not in (where, end):
        raise cursor.expected("a comma, FROM, WHERE, RETURNING or the end of the statement", _UPDATE)
    last = cursor.index
    refuse_row_ids(tokens, cursor.first, cursor.end)
    read = assignments(Cursor(tokens, first, last, cursor.end), _UPDATE)
    draft = read_change(tokens, cursor.first, cursor.end, inspector, verb, target.token, {end: "WHERE"})
    composer = _opened(draft, verb, target).own(f"SELECT {target.shown}.{ROW_ID}", target.span)
    add_values(composer, draft, read)
    composer.own(f" FROM {target.raw}", target.span)
    if source_at is not None:
        composer.own(", ").add(excerpt(draft, source_at + 1, where))
    if where < end:
        composer.own(" ").add(excerpt(draft, where, end))
    source, start, stop, whole = cursor.placed
    return Update(
        source=source,
        start=start,
        end=stop,
        whole=whole,
        table=target.table,
        table_span=target.span,
        assignments=tuple(item.assignment for item in read),
        query=found_query(draft, composer.pieces, composer.params, inspector),
        pieces=composer.pieces,
        returning=returning(draft, end, cursor.end, target.shown, inspector),
    )


def truncate(cursor: Cursor) -> Truncate:
    """TRUNCATE [TABLE] name."""
    cursor.index += 1
    cursor.accept("TABLE")
    table, span = cursor.placed_table()
    cursor.finish("the table's name")
    source, start, end, whole = cursor.placed
    return Truncate(source=source, start=start, end=end, whole=whole, table=table, table_span=span)


def read_target(cursor: Cursor) -> Target:
    """The table's name and alias; the cursor goes behind them."""
    tokens = cursor.tokens
    place = cursor.index
    table, span = cursor.placed_table()
    shown = tokens.slice(cursor.index - 1, cursor.index)
    if cursor.accept("AS") or (not cursor.done and _may_be_alias(cursor)):
        cursor.name("an alias")
        shown = tokens.slice(cursor.index - 1, cursor.index)
    return Target(table, span, place, shown)


def add_values(composer: Composer, draft: Draft, read: list[Assigned]) -> None:
    """The new values of assignments, each cast to its column's type and named `new_value(i)`."""
    for index, item in enumerate(read):
        composer.own(", ", item.assignment.value)
        if item.assignment.default:
            composer.own("CAST(", item.assignment.value, index).own("NULL", item.assignment.value)
            composer.own(" AS {})", item.assignment.value, index)
        else:
            composer.value(item.taken(draft), index)
        composer.own(f' AS "{new_value(index)}"', item.assignment.value)


def clause_at(tokens: Tokens, first: int, last: int, word: str) -> int:
    """The first token of a clause, outside of every bracket; `last` when there is none."""
    index = first
    while index < last:
        if tokens.words[index] in ("(", "[", "{"):
            index = tokens.closing(index, last)
        elif tokens.words[index] == word and tokens.words[index - 1] not in ("AS", "."):
            return index
        index += 1
    return last


def refuse_past(cursor: Cursor) -> None:
    """The table that a statement changes is as it is now."""
    if cursor.word == "AT":
        raise PAST.error(cursor.tokens.text, cursor.tokens.span(cursor.index))


def refuse_row_ids(tokens: Tokens, first: int, last: int) -> None:
    """Row ids are the bench's own, but in brackets where `with_rowid` gives them."""
    given: set[int] = set()
    opened: list[int] = []
    for index in range(first, last):
        if tokens.words[index] == "(":
            opened.append(index)
        elif tokens.words[index] == ")" and opened:
            opened.pop()
        elif opened and is_rows_call(tokens, index, last):
            given.update(range(opened[-1], tokens.closing(opened[-1], last)))
    for index in range(first, last):
        if tokens.words[index] != STRING and tokens.names[index].casefold() == ROW_ID and index not in given:
            raise ROW_IDS.error(tokens.text, tokens.span(index))


def _opened(draft: Draft, verb: int, target: Target) -> Composer:
    composer = Composer(target.span)
    taken = behind_with(draft, verb)
    return composer if taken is None else composer.add(taken).own(" ")


def _may_be_alias(cursor: Cursor) -> bool:
    word = cursor.word
    return (
        cursor.tokens.is_name(cursor.index)
        and word not in RESERVED
        and word not in TYPE_FUNCTION
        and word != "SET"
    )
