"""Reading MERGE INTO: where its source, its condition and its WHEN clauses stand."""

from __future__ import annotations

from typing import Final, Literal

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.assignments import assignments
from luma_bench.language.changes import Assignment
from luma_bench.language.compose import Composer, Excerpt, excerpt, own
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.merge import Given, Match, Merge, MergeClause
from luma_bench.language.query import found_query, read_change
from luma_bench.language.refusals import Refusal
from luma_bench.language.returning import behind_with, refuse_windows, returning, returning_at
from luma_bench.language.rows import read_target, refuse_past, refuse_row_ids
from luma_bench.language.tokens import STRING, Tokens, listed
from luma_bench.types.inspector import SqlInspector

_MERGE: Final = "Write MERGE INTO t USING source ON condition WHEN MATCHED THEN … WHEN NOT MATCHED THEN …"
_WHEN: Final = "Write WHEN [NOT] MATCHED [BY SOURCE] [AND condition] THEN UPDATE SET …, DELETE, INSERT …, DO NOTHING or ERROR."
_SET: Final = "Write UPDATE SET column = value, …, UPDATE SET * or UPDATE BY NAME."
_INSERT: Final = "Write INSERT (columns) VALUES (…), INSERT * or INSERT BY NAME."
_UNNAMED: Final = "unnamed_subquery"
_RANDOM: Final = frozenset({"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "setseed"})
_CHANCE: Final = Refusal(
    "A function that gives another value at every call",
    "is refused in a condition of MERGE, which is asked more than once for a row",
    "Compute it in the source: USING (SELECT *, random() AS chance FROM s) AS s.",
)
_ITS_OWN_ROW: Final = "UPDATE and DELETE change a row of the table, and behind NOT MATCHED there is none."


def merge(cursor: Cursor, verb: int, inspector: SqlInspector) -> Merge:
    """[WITH …] MERGE INTO name [alias] USING source ON condition|USING (columns) WHEN … [RETURNING list]."""
    tokens = cursor.tokens
    cursor.index = verb + 1
    cursor.expect("INTO after MERGE", "INTO", hint=_MERGE)
    target = read_target(cursor)
    refuse_past(cursor)
    using = cursor.index
    cursor.expect("USING after the table's name", "USING", hint=_MERGE)
    end = returning_at(tokens, cursor.index, cursor.end)
    whens = _whens(tokens, cursor.index, end)
    join = _join_at(tokens, using + 1, whens[0] if whens else end)
    if join is None:
        cursor.index = whens[0] if whens else end
        raise cursor.expected("ON or USING behind the source", _MERGE)
    if not whens:
        cursor.index = end
        raise cursor.expected("WHEN MATCHED or WHEN NOT MATCHED", _WHEN)
    refuse_row_ids(tokens, cursor.first, cursor.end)
    marks = {using: "FROM", end: "WHERE", **dict.fromkeys(whens, "WHERE")}
    draft = read_change(tokens, cursor.first, cursor.end, inspector, verb, target.token, marks)
    _refuse_chance(tokens, join, whens[0])
    ctes = behind_with(draft, verb)
    taken, name = _source(draft, using + 1, join)
    composer = Composer(target.span)
    if ctes is not None:
        composer.add(ctes).own(" ")
    composer.own("SELECT * FROM ", taken.span).add(taken)
    clauses = tuple(_clause(draft, first, last) for first, last in zip(whens, [*whens[1:], end], strict=True))
    source, start, stop, whole = cursor.placed
    return Merge(
        source=source,
        start=start,
        end=stop,
        whole=whole,
        table=target.table,
        table_span=target.span,
        shown=target.shown,
        ctes=ctes,
        rows=taken,
        source_name=name,
        join=excerpt(draft, join, whens[0]),
        clauses=clauses,
        sources=found_query(draft, composer.pieces, composer.params, inspector),
        returning=returning(draft, end, cursor.end, target.shown, inspector),
    )


def _outside(tokens: Tokens, first: int, last: int, *, cases: bool = False) -> list[int]:
    """The tokens outside of brackets, and with `cases` outside of CASE … END too."""
    found: list[int] = []
    depth = inside = 0
    for index in range(first, last):
        word = tokens.words[index]
        depth -= word in (")", "]", "}")
        if depth == 0:
            # Behind a dot or AS any word is a name.
            named = tokens.words[index - 1] in (".", "AS")
            if not inside or not cases:
                found.append(index)
            if not named:
                inside = max(0, inside + (word == "CASE") - (word == "END"))
        depth += word in ("(", "[", "{")
    return found


def _whens(tokens: Tokens, first: int, last: int) -> list[int]:
    return [
        index
        for index in _outside(tokens, first, last, cases=True)
        if tokens.follows(index, last, "WHEN", "MATCHED")
        or tokens.follows(index, last, "WHEN", "NOT", "MATCHED")
    ]


def _join_at(tokens: Tokens, first: int, last: int) -> int | None:
    """The condition of the MERGE: the last ON or USING, as those before it belong to joins of the source."""
    found = [index for index in _outside(tokens, first, last) if tokens.words[index] in ("ON", "USING")]
    return found[-1] if found else None


def _refuse_chance(tokens: Tokens, first: int, last: int) -> None:
    for index in range(first, last - 1):
        if tokens.names[index].casefold() in _RANDOM and tokens.words[index + 1] == "(":
            raise _CHANCE.error(tokens.text, tokens.span(index, tokens.closing(index + 1, last) + 1))


def _source(draft: Draft, first: int, last: int) -> tuple[Excerpt, str]:
    """What stands behind USING, and what the statement calls it; a query without a name gets one."""
    tokens = draft.tokens
    taken = excerpt(draft, first, last)
    outside = _outside(tokens, first, last)
    if any(tokens.words[index] in ("JOIN", ",") for index in outside):
        return taken, ""
    if first + 1 < last and tokens.words[first + 1] == ":":
        return taken, tokens.slice(first, first + 1)
    at, name = first, ""
    if tokens.words[at] == "(":
        inner = at
        while tokens.words[inner] == "(":
            inner += 1
        if not opens_query(tokens, inner, last):
            return taken, ""
        at = tokens.closing(at, last) + 1
    elif tokens.words[at] == STRING:
        at += 1
    else:
        at += 1
        while tokens.follows(at, last, "."):
            at += 2
        name = tokens.slice(at - 1, at)
        if tokens.follows(at, last, "("):
            at = tokens.closing(at, last) + 1
    alias = _alias(tokens, at, last)
    if alias or name:
        return taken, alias or name
    piece = own(f' AS "{_UNNAMED}"', taken.span)
    return Excerpt((*taken.pieces, piece), taken.params, taken.span), f'"{_UNNAMED}"'


def _alias(tokens: Tokens, at: int, last: int) -> str:
    if tokens.follows(at, last, "AT", "("):
        at = tokens.closing(at + 1, last) + 1
    if tokens.follows(at, last, "AS"):
        at += 1
    word = tokens.words[at] if at < last else ""
    named = at < last and tokens.is_name(at) and word not in RESERVED and word not in TYPE_FUNCTION
    return tokens.slice(at, at + 1) if named else ""


def _clause(draft: Draft, first: int, last: int) -> MergeClause:
    tokens = draft.tokens
    cursor = Cursor(tokens, first, last)
    match: Match = "matched"
    cursor.accept("WHEN")
    if cursor.accept("NOT", "MATCHED"):
        match = "target"
        if cursor.accept("BY", "SOURCE"):
            match = "source"
        else:
            cursor.accept("BY", "TARGET")
    else:
        cursor.accept("MATCHED")
    then = next(
        (
            index
            for index in _outside(tokens, cursor.index, last, cases=True)
            if tokens.words[index] == "THEN"
        ),
        last,
    )
    span = tokens.span(first, last)
    condition = None
    if cursor.accept("AND"):
        refuse_windows(draft, cursor.index, then)
        _refuse_chance(tokens, cursor.index, then)
        condition = excerpt(draft, cursor.index, then)
    cursor.index = then
    cursor.expect("THEN", "THEN", hint=_WHEN)
    place = cursor.index
    if cursor.accept("DELETE"):
        _check_row(tokens, match, place)
        return MergeClause(match, "delete", span, condition)
    if cursor.accept("DO", "NOTHING"):
        return MergeClause(match, "nothing", span, condition)
    if cursor.accept("ERROR"):
        message = None if cursor.done else excerpt(draft, cursor.index, last)
        return MergeClause(match, "error", span, condition, message=message)
    if cursor.accept("UPDATE"):
        _check_row(tokens, match, place)
        return _update(draft, cursor, match, span, condition)
    cursor.expect("UPDATE, DELETE, INSERT, DO NOTHING or ERROR after THEN", "INSERT", hint=_WHEN)
    return _insert(draft, cursor, match, span, condition)


def _check_row(tokens: Tokens, match: Match, place: int) -> None:
    if match == "target":
        raise KadeQLSyntaxError(
            _ITS_OWN_ROW,
            text=tokens.text,
            span=tokens.span(place),
            hint="Write INSERT, DO NOTHING or ERROR; or WHEN NOT MATCHED BY SOURCE for rows of the table.",
        )


def _update(
    draft: Draft, cursor: Cursor, match: Match, span: tuple[int, int], condition: Excerpt | None
) -> MergeClause:
    if cursor.accept("SET"):
        if not cursor.accept("*"):
            read = assignments(cursor, _SET)
            given = tuple(Given(item.assignment, item.taken(draft)) for item in read)
            return MergeClause(match, "update", span, condition, given)
        return MergeClause(match, "update", span, condition, every="position")
    return MergeClause(match, "update", span, condition, every=_every(cursor))


def _every(cursor: Cursor) -> Literal["position", "name"]:
    named = cursor.accept("BY", "NAME")
    if not named:
        cursor.accept("BY", "POSITION")
    cursor.accept("*")
    cursor.finish("the clause")
    return "name" if named else "position"


def _insert(
    draft: Draft, cursor: Cursor, match: Match, span: tuple[int, int], condition: Excerpt | None
) -> MergeClause:
    tokens = cursor.tokens
    if cursor.accept("DEFAULT", "VALUES"):
        return MergeClause(match, "insert", span, condition, columns=())
    if cursor.word not in ("(", "VALUES"):
        return MergeClause(match, "insert", span, condition, every=_every(cursor))
    columns: tuple[str, ...] | None = None
    spans: tuple[tuple[int, int], ...] = ()
    if cursor.accept("("):
        close = tokens.closing(cursor.index - 1, cursor.end)
        ranges = listed(tokens, cursor.index, close)
        columns = tuple(tokens.names[first] for first, _ in ranges)
        spans = tuple(tokens.span(first) for first, _ in ranges)
        cursor.index = close + 1
    cursor.expect("VALUES", "VALUES", hint=_INSERT)
    items = listed(tokens, cursor.index + 1, tokens.closing(cursor.index, cursor.end))
    given: list[Given] = []
    for number, (first, last) in enumerate(items):
        refuse_windows(draft, first, last)
        default = last == first + 1 and tokens.words[first] == "DEFAULT"
        name = columns[number] if columns is not None and number < len(columns) else ""
        at = spans[number] if number < len(spans) else tokens.span(first, last)
        assignment = Assignment(name, at, tokens.span(first, last), default)
        given.append(Given(assignment, excerpt(draft, first, last)))
    return MergeClause(match, "insert", span, condition, tuple(given), columns, spans)
