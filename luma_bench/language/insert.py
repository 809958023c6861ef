"""INSERT INTO: the rows of a query, by position, by name or for some of the columns, and what becomes of known keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.assignments import assignments
from luma_bench.language.changes import NEW, NUMBER, OLD, Conflict, Insert
from luma_bench.language.compose import Composer, excerpt
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph.recognise import match_at, opens_query
from luma_bench.language.query import found_query, read_change
from luma_bench.language.refusals import Refusal
from luma_bench.language.returning import behind_with, returning, returning_at
from luma_bench.language.rows import Target, add_values, clause_at, refuse_past
from luma_bench.language.scope import BODY
from luma_bench.language.tokens import Tokens, listed
from luma_bench.types.inspector import SqlInspector

_ROWS: Final = "Write INSERT INTO t [(columns)] [BY NAME] SELECT …, VALUES (…) or DEFAULT VALUES."
_CONFLICT: Final = (
    "Write ON CONFLICT [(key)] DO NOTHING, or DO UPDATE SET column = excluded.column [WHERE condition]."
)
_INDEXED: Final = Refusal(
    "A condition on the key of ON CONFLICT",
    "is refused: no key of a bench is partial",
    "Put it behind DO UPDATE SET … WHERE …, or into the query that gives the rows.",
)
_CONSTRAINED: Final = Refusal(
    "ON CONFLICT ON CONSTRAINT", "is not served", "Name the columns of the key: ON CONFLICT (id) DO …"
)


@dataclass(slots=True)
class _Parts:
    """The tokens at which the parts of an INSERT begin."""

    target: Target
    shorthand: str
    body: int
    conflict: int
    returning: int
    columns: tuple[str, ...] | None = None
    spans: tuple[tuple[int, int], ...] = ()
    by_name: bool = False


def insert(cursor: Cursor, verb: int, inspector: SqlInspector) -> Insert:
    """[WITH …] INSERT [OR REPLACE|IGNORE] INTO name … rows [ON CONFLICT …] [RETURNING …]; the verb is at token `verb`."""
    tokens = cursor.tokens
    parts = _parts(cursor, verb)
    marks = {parts.conflict: "WHERE", parts.returning: "WHERE"}
    match = match_at(tokens, parts.body, parts.conflict)
    if match is not None:
        marks[match] = BODY
    draft = read_change(tokens, cursor.first, cursor.end, inspector, verb, parts.target.token, marks)
    own_defaults = tokens.words[parts.body] == "DEFAULT"
    query, defaulted = None, ()
    if not own_defaults:
        composer, defaulted = _rows(draft, verb, parts.body, parts.conflict)
        query = found_query(draft, composer.pieces, composer.params, inspector)
    source, start, end, whole = cursor.placed
    return Insert(
        source=source,
        start=start,
        end=end,
        whole=whole,
        table=parts.target.table,
        table_span=parts.target.span,
        columns=parts.columns,
        column_spans=parts.spans,
        query=query,
        rows=tokens.span(parts.body, parts.conflict),
        by_name=parts.by_name,
        in_memory=_is_values(tokens, parts.body),
        defaulted=defaulted,
        conflict=_conflict(draft, parts, verb, inspector),
        returning=returning(draft, parts.returning, cursor.end, parts.target.shown, inspector),
    )


def _parts(cursor: Cursor, verb: int) -> _Parts:
    tokens = cursor.tokens
    cursor.index = verb + 1
    shorthand = ""
    if cursor.accept("OR"):
        shorthand = cursor.word
        if not (cursor.accept("REPLACE") or cursor.accept("IGNORE")):
            raise cursor.expected("REPLACE or IGNORE after INSERT OR", _CONFLICT)
    cursor.expect("INTO after INSERT", "INTO", hint=_ROWS)
    place = cursor.index
    table, span = cursor.placed_table()
    shown = tokens.slice(cursor.index - 1, cursor.index)
    if cursor.accept("AS"):
        cursor.name("an alias")
        shown = tokens.slice(cursor.index - 1, cursor.index)
    refuse_past(cursor)
    parts = _Parts(Target(table, span, place, shown), shorthand, 0, 0, 0)
    parts.by_name = cursor.accept("BY", "NAME")
    if not parts.by_name:
        cursor.accept("BY", "POSITION")
    opening = cursor.index
    if cursor.word == "(" and not _is_query(cursor):
        parts.columns, parts.spans = cursor.columns(_ROWS)
    behind = cursor.index
    if cursor.accept("BY", "NAME"):
        parts.by_name = True
    elif behind > opening:
        cursor.accept("BY", "POSITION")
    if parts.by_name and parts.columns is not None:
        raise KadeQLSyntaxError(
            "BY NAME takes the names from the query.",
            text=tokens.text,
            span=tokens.span(opening, behind),
            hint="Leave the columns out, or leave BY NAME out.",
        )
    if not opens_query(tokens, cursor.index, cursor.end) and not tokens.follows(
        cursor.index, cursor.end, "DEFAULT", "VALUES"
    ):
        raise cursor.expected("a query or VALUES", _ROWS)
    parts.body = cursor.index
    parts.returning = returning_at(tokens, cursor.index, cursor.end)
    parts.conflict = _conflict_at(tokens, cursor.index, parts.returning)
    if shorthand and parts.conflict < parts.returning:
        raise KadeQLSyntaxError(
            f"INSERT OR {shorthand} says already what becomes of known keys.",
            text=tokens.text,
            span=tokens.span(parts.conflict, parts.conflict + 2),
            hint=f"Leave OR {shorthand} out, or leave ON CONFLICT out.",
        )
    return parts


def _conflict_at(tokens: Tokens, first: int, last: int) -> int:
    """The token ON of ON CONFLICT; `last` when there is none."""
    index = clause_at(tokens, first, last, "CONFLICT")
    while index < last:
        if (
            tokens.words[index - 1] == "ON"
            and index + 1 < last
            and tokens.words[index + 1] in ("(", "DO", "ON")
        ):
            return index - 1
        index = clause_at(tokens, index + 1, last, "CONFLICT")
    return last


def _is_query(cursor: Cursor) -> bool:
    """Whether the bracket here opens a query and not a list of columns."""
    words, index = cursor.tokens.words, cursor.index
    while index < cursor.end and words[index] == "(":
        index += 1
    return opens_query(cursor.tokens, index, cursor.end)


def _rows(draft: Draft, verb: int, first: int, last: int) -> tuple[Composer, tuple[int, ...]]:
    """The query that gives the rows, and the places where its VALUES hold DEFAULT."""
    tokens = draft.tokens
    composer = Composer(tokens.span(first))
    # `WITH a AS (…) INSERT INTO t WITH b AS (…) …`: each list keeps its place, the second in a bracket.
    taken = behind_with(draft, verb)
    nested = taken is not None and tokens.words[first] == "WITH"
    if taken is not None:
        composer.add(taken).own(" ")
    lists, closing = _values(tokens, first, last)
    held = sorted({place for row in lists for place, at in enumerate(row) if tokens.words[at[0]] == "DEFAULT" and at[1] == at[0] + 1})  # fmt: skip
    if not held:
        composer.own("FROM (" if nested else "").add(excerpt(draft, first, last)).own(")" if nested else "")
        return composer, ()
    at = first
    for row, close in zip(lists, closing, strict=True):
        defaults: set[int] = set()
        for place, (start, stop) in enumerate(row):
            if place in held and tokens.words[start] == "DEFAULT" and stop == start + 1:
                defaults.add(place)
                if start > at:
                    composer.add(excerpt(draft, at, start))
                composer.own(" NULL", tokens.span(start))
                at = stop
        if close > at:
            composer.add(excerpt(draft, at, close))
        composer.own("".join(f", {place in defaults}" for place in held), tokens.span(close))
        at = close
    composer.add(excerpt(draft, at, last))
    return composer, tuple(held)


def _is_values(tokens: Tokens, first: int) -> bool:
    while tokens.words[first] == "(":
        first += 1
    return tokens.words[first] == "VALUES"


def values_items(tokens: Tokens, first: int, last: int) -> list[list[tuple[int, int]]]:
    """The items of every row of a text that is VALUES, by their tokens; none where it begins with something else."""
    return _values(tokens, first, last)[0] if last and _is_values(tokens, first) else []


def _values(tokens: Tokens, first: int, last: int) -> tuple[list[list[tuple[int, int]]], list[int]]:
    """The items of every row of `VALUES (…), (…)` by their tokens, and each row's closing bracket."""
    while first < last and tokens.words[first] == "(" and tokens.closing(first, last) == last - 1:
        first, last = first + 1, last - 1
    lists: list[list[tuple[int, int]]] = []
    closing: list[int] = []
    index = first + 1
    while tokens.words[first] == "VALUES" and index < last and tokens.words[index] == "(":
        close = tokens.closing(index, last)
        lists.append(listed(tokens, index + 1, close))
        closing.append(close)
        index = close + 2 if tokens.follows(close + 1, last, ",") else last
    return lists, closing


def _conflict(draft: Draft, parts: _Parts, verb: int, inspector: SqlInspector) -> Conflict | None:
    tokens = draft.tokens
    if parts.shorthand:
        action = "replace" if parts.shorthand == "REPLACE" else "nothing"
        return Conflict(action, tokens.span(verb + 1, verb + 3))
    if parts.conflict == parts.returning:
        return None
    cursor = Cursor(tokens, parts.conflict, parts.returning)
    cursor.expect("ON CONFLICT", "ON", "CONFLICT")
    if cursor.word == "ON":
        raise _CONSTRAINED.error(tokens.text, tokens.span(cursor.index))
    names: list[str] = []
    spans: list[tuple[int, int]] = []
    if cursor.accept("("):
        for first, last in listed(tokens, cursor.index, tokens.closing(cursor.index - 1, cursor.end)):
            names.append(tokens.names[first])
            spans.append(tokens.span(first, last))
            cursor.index = last
        cursor.expect("a comma or ) after a column's name", ")", hint=_CONFLICT)
    if cursor.word == "WHERE":
        raise _INDEXED.error(tokens.text, tokens.span(cursor.index))
    span = tokens.span(parts.conflict, cursor.index)
    cursor.expect("DO after ON CONFLICT", "DO", hint=_CONFLICT)
    if cursor.accept("NOTHING"):
        return Conflict("nothing", span, tuple(names), tuple(spans))
    cursor.expect("NOTHING or UPDATE SET after DO", "UPDATE", hint=_CONFLICT)
    cursor.expect("SET after UPDATE", "SET", hint=_CONFLICT)
    where = clause_at(tokens, cursor.index, cursor.end, "WHERE")
    read = assignments(Cursor(tokens, cursor.index, where, cursor.end), _CONFLICT)
    target = parts.target
    if target.shown.strip('"').casefold() == "excluded":
        raise KadeQLSyntaxError(
            "The table and the row that was not inserted are both called excluded.",
            text=tokens.text,
            span=target.span,
            hint="Give the table another alias: INSERT INTO t AS old … DO UPDATE SET c = excluded.c.",
        )
    composer = Composer(span)
    if (taken := behind_with(draft, verb)) is not None:
        composer.add(taken).own(" ")
    composer.own(f'SELECT "{NUMBER}"', span)
    add_values(composer, draft, read)
    composer.own(f' FROM "{OLD}" AS {target.shown} POSITIONAL JOIN "{NEW}"', span)
    if where < cursor.end:
        composer.own(" ").add(excerpt(draft, where, cursor.end))
    return Conflict(
        "update",
        span,
        tuple(names),
        tuple(spans),
        tuple(item.assignment for item in read),
        composer.pieces,
        found_query(draft, composer.pieces, composer.params, inspector),
    )
