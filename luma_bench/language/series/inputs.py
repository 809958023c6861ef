"""What constructs about series are made of: the rows that they read, their constants, and the columns that they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.language.compose import Piece, composed, own
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import expected
from luma_bench.language.draft import Draft
from luma_bench.language.keywords import RESERVED
from luma_bench.language.part_queries import PartQueries, Range, Taken
from luma_bench.language.placed import Query
from luma_bench.language.references import qualify
from luma_bench.language.refusals import Refusal
from luma_bench.language.series.pattern import Constant, Input, Name
from luma_bench.language.series.recognise import Item, item_at
from luma_bench.language.series.times import length_text, require_unit
from luma_bench.language.tokens import NUMBER, STRING, Tokens
from luma_bench.types.sql_text import quoted, string_literal

_CIRCLE: Final = Refusal(
    "A window, sample or as-of join",
    "cannot read the recursive query that holds it",
    "Read the rows in a WITH query of their own, without RECURSIVE, and use that one here.",
)
_ROWS: Final = "a table, or a query in brackets"


def input_of(
    draft: Draft,
    first: int,
    last: int,
    where: Sequence[Range] = (),
    *,
    alias: str | None = None,
    kept: bool = False,
    computed: Sequence[tuple[Range, str]] = (),
) -> Input:
    """The rows of what stands at tokens `first` up to, not with, `last` where a table may, with its alias if it has one.

    Parameters
    ----------
    where
        Conditions that the rows must fulfil, all of them.
    alias
        A name for the rows instead of the one that they have.
    kept
        Whether the conditions stay in the text around too, which is judged then.
    computed
        Expressions that become columns behind the others, each with its name.

    Raises
    ------
    KadeQLSyntaxError
        No relation stands there, or something behind it.
    KadeQLUnsupportedError
        It reads the recursive query that it stands in.
    """
    tokens = draft.tokens
    item = item_at(tokens, first, last)
    if item is None or item.last < last:
        raise expected(tokens, first if item is None else item.last, draft.scope.last, _ROWS)
    inside = draft.inside(item.first, last, table=True)
    start, end = tokens.span(item.first, last)
    name = item.name if alias is None else alias
    parts = PartQueries(draft, item.first, _CIRCLE)
    listed: list[Piece | Taken] = [own("SELECT *", (start, start))]
    for part, column in computed:
        listed += (own(", (", (start, start)), _over(draft, part, item), own(f") AS {quoted(column)}", (start, start)))  # fmt: skip
    head, tail = _frame(inside, item, name)
    rows = (Taken(inside, item.first, last), own(tail, (end, end)))
    pieces: list[Piece | Taken] = [*listed, own(f" FROM {head}", (start, start)), *rows]
    # A name alone, or a query that the text around it is judged with.
    plain = bool(item.path) and not computed
    query = parts.made(pieces, (item.first, last), plain=plain)
    read = inside.reads[0].name if item.path and inside.reads else None
    table = None if read is None or inside.islands or parts.gives(read.casefold()) else read
    if not where:
        return Input(query, table, name)
    glue = " WHERE ("
    for part in where:
        place = tokens.span(*part)
        pieces += (own(glue, (place[0], place[0])), _over(draft, part, item), own(")", (place[1], place[1])))  # fmt: skip
        glue = " AND ("
    return Input(query, table, name, parts.made(pieces, where[-1], plain=kept))


def _over(draft: Draft, part: Range, item: Item) -> Taken:
    """An expression over the columns of a relation, which may call them `sales.orders.x`."""
    inside = draft.inside(*part)
    if len(item.path) == 2 and not item.aliased:
        schema, table = map(str.casefold, item.path)
        qualify(inside, schema, table, quoted(item.name))
    return Taken(inside, *part)


def _frame(inside: Draft, item: Item, name: str) -> tuple[str, str]:
    """What stands before and behind a relation, so that it goes by a name."""
    given = f" AS {quoted(name)}"
    if item.aliased:
        return ("", "") if item.name == name else ("(FROM ", f"){given}")
    start = inside.tokens.starts[item.first]
    # What an edit has put in place of a name has that name as its alias already.
    edited = any(edit.start == start for edit in inside.edits)
    if item.bracketed or (item.path and not edited):
        return "", given
    return ("", "") if item.name == name else ("(FROM ", f"){given}")


def constant_of(draft: Draft, first: int, last: int) -> Constant:
    """The constant expression at tokens `first` up to, not with, `last`: an interval, a bare `1h`, a moment, a parameter.

    Raises
    ------
    KadeQLSyntaxError
        It does not parse, or nothing stands there.
    """
    tokens = draft.tokens
    if last <= first:
        raise expected(tokens, first, draft.scope.last, "a value")
    place, text = tokens.span(first, last), tokens.slice(first, last)
    require_unit(tokens, first, last)
    short = length_text(tokens, first, last)
    if short is not None and tokens.words[first] == NUMBER:
        return Constant(text, place, _literal_query(tokens, place, short), short)
    literal = short if short is not None else _literal(tokens, first, last)
    parameter = last - first == 2 and tokens.words[first] == "$"
    parts = PartQueries(draft, first, _CIRCLE)
    query = parts.expression(
        (first, last),
        (parts.before("SELECT (", (first, last)),),
        ") AS value",
        plain=literal is not None or parameter,
    )
    return Constant(text, place, query, literal)


def word_of(draft: Draft, index: int) -> Constant:
    """A name that stands for itself, as a text."""
    tokens = draft.tokens
    place, name = tokens.span(index), tokens.names[index]
    return Constant(name, place, _literal_query(tokens, place, name), name)


def negated(constant: Constant) -> Constant:
    """The constant with the other sign."""
    literal = constant.literal
    if isinstance(literal, str):
        literal = literal[1:] if literal.startswith("-") else f"-{literal}"
    elif literal is not None:
        literal = -literal
    query = constant.query
    if literal is not None and isinstance(literal, str):
        sql, offsets = composed((own(f"SELECT ({string_literal(literal)}) AS value", constant.span),))
    else:
        inner = query.sql.removeprefix("SELECT (").removesuffix(") AS value")
        sql, offsets = composed((own(f"SELECT (-({inner})) AS value", constant.span),))
    changed = Query(
        source=query.source, start=query.start, end=query.end, whole=query.whole, sql=sql, offsets=offsets,
        params=query.params, names=query.names, reads=query.reads, pins=query.pins, volatile=query.volatile,
        sequences=query.sequences, islands=query.islands,
    )  # fmt: skip
    return Constant(f"-({constant.text})", constant.span, changed, literal)


def _literal_query(tokens: Tokens, place: tuple[int, int], value: str) -> Query:
    """`SELECT ('value') AS value` of something that stands for a text."""
    sql, offsets = composed((own(f"SELECT ({string_literal(value)}) AS value", place),))
    start, end = place
    return Query(source=tokens.text[start:end], start=start, end=end, whole=tokens.text, sql=sql, offsets=offsets)  # fmt: skip


def _literal(tokens: Tokens, first: int, last: int) -> str | int | float | None:
    """The value of a plain string or number."""
    words = tokens.words
    negative = words[first] == "-" and last - first == 2
    index = first + negative
    if last - index != 1:
        return None
    raw = tokens.slice(index, last)
    if words[index] == NUMBER:
        try:
            number = int(raw) if raw.isdecimal() else float(raw)
        except ValueError:
            return None
        return -number if negative else number
    return tokens.names[index] if words[index] == STRING and raw[0] == "'" and not negative else None


def column_name(cursor: Cursor, what: str, hint: str | None = None) -> Name:
    """Step over a column, which its table's name may precede, and give it.

    Raises
    ------
    KadeQLSyntaxError
        No column stands there.
    """
    tokens, first = cursor.tokens, cursor.index
    while True:
        if cursor.done or not tokens.is_name(cursor.index) or cursor.word in RESERVED:
            raise cursor.expected(what, hint)
        cursor.index += 1
        if not cursor.accept("."):
            return Name(tokens.names[cursor.index - 1], tokens.span(first, cursor.index))


def column_names(cursor: Cursor, what: str, hint: str | None = None) -> tuple[Name, ...]:
    """Step over columns with commas between them, in brackets or without, as far as they go.

    A comma that no column follows, such as the one before DESCRIPTOR(…), is left.
    """
    tokens = cursor.tokens
    bracketed = cursor.word == "(" and cursor.accept("(")
    found = [column_name(cursor, what, hint)]
    while cursor.word == ",":
        following = cursor.index + 1
        if not bracketed and tokens.follows(following + 1, cursor.end, "("):
            break
        cursor.index += 1
        found.append(column_name(cursor, what, hint))
    if bracketed:
        cursor.expect("a comma or )", ")", hint=hint)
    return tuple(found)
