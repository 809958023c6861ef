"""SET: `column = value`, and `(a, b) = (x, y)`, of UPDATE, of ON CONFLICT and of MERGE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.changes import Assignment
from luma_bench.language.compose import Excerpt, excerpt, own
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.refusals import SET_QUALIFIED
from luma_bench.language.returning import refuse_windows
from luma_bench.language.tokens import Tokens, listed

_BEHIND_LIST: Final = frozenset({"FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "LIMIT", "ORDER", "GROUP"})
_LIST: Final = "Give a value for each column: SET (a, b) = (x, y), or (SELECT x, y FROM …)."


@dataclass(frozen=True, slots=True)
class Assigned:
    """An assignment with the tokens of its value; `part` of `parts` when a subquery gives several columns."""

    assignment: Assignment
    first: int
    last: int
    part: int = 0
    parts: int = 1

    def taken(self, draft: Draft) -> Excerpt:
        """The value as an expression of its own."""
        refuse_windows(draft, self.first, self.last)
        taken = excerpt(draft, self.first, self.last)
        if self.parts == 1:
            return taken
        # A UNION has as many columns as each of its queries, so that too many in the subquery are an error.
        names = ", ".join(f'"__luma_{number}"' for number in range(self.parts))
        nulls = ", ".join(["NULL"] * self.parts)
        head = f'(SELECT "__luma_{self.part}" FROM (SELECT {nulls} WHERE false UNION ALL '
        before, after = own(head, taken.span), own(f') AS "__luma_parts"({names}))', taken.span)
        return Excerpt((before, *taken.pieces, after), taken.params, taken.span)


def assignments(cursor: Cursor, hint: str) -> list[Assigned]:
    """Every assignment between the cursor and its end.

    Raises
    ------
    KadeQLSyntaxError
        A column is set twice, or has no value.
    KadeQLUnsupportedError
        A qualified name or a field is set.
    """
    found: list[Assigned] = []
    while True:
        found += _list(cursor, hint) if cursor.word == "(" else [_single(cursor, hint)]
        # A comma may stand behind the last one too.
        if not cursor.accept(",") or cursor.done:
            break
    if not cursor.done:
        raise cursor.expected("a comma or the end of the list", hint)
    _check_once(cursor.tokens, found)
    return found


def skip_value(cursor: Cursor) -> bool:
    """Step over a token of SET outside of brackets, or a bracket with all in it; False where another clause begins."""
    word = cursor.word
    if word in ("WHERE", "RETURNING"):
        return False
    # `IS DISTINCT FROM` is an operator; any other FROM outside brackets begins the clause.
    if word == "FROM" and cursor.tokens.words[cursor.index - 1] != "DISTINCT":
        return False
    _step(cursor)
    return True


def _single(cursor: Cursor, hint: str) -> Assigned:
    column, span = _column(cursor, "=", hint)
    first, last = _value(cursor, column, hint)
    return _assigned(cursor.tokens, column, span, first, last)


def _list(cursor: Cursor, hint: str) -> list[Assigned]:
    """`(a, b) = value`: the items of a row, a column each of a subquery, or one value for all, as DuckDB has it."""
    tokens = cursor.tokens
    opening = cursor.index
    cursor.index += 1
    columns = [_column(cursor, ",", hint)]
    while cursor.accept(","):
        columns.append(_column(cursor, ",", hint))
    cursor.expect("a comma or ) after a column's name", ")", hint=_LIST)
    names = tokens.slice(opening, cursor.index)
    cursor.expect("= after the columns", "=", hint=_LIST)
    first, last = _value(cursor, names, _LIST)
    count = len(columns)
    row = first + 1 if tokens.words[first] == "ROW" and tokens.follows(first + 1, last, "(") else first
    if tokens.words[row] != "(" or tokens.closing(row, last) != last - 1:
        return [_assigned(tokens, *column, first, last) for column in columns]
    if row == first and opens_query(tokens, row + 1, last):
        if count == 1:
            return [_assigned(tokens, *columns[0], first, last)]
        span = tokens.span(first, last)
        given = _selected(tokens, row + 1, last - 1)
        if given not in (None, count):
            raise _count_error(tokens, count, given, span)
        return [
            Assigned(Assignment(*column, span), first, last, part, count)
            for part, column in enumerate(columns)
        ]
    items = listed(tokens, row + 1, last - 1)
    if row == first and len(items) == 1:
        return [_assigned(tokens, *column, first, last) for column in columns]
    if len(items) != count:
        raise _count_error(tokens, count, len(items), tokens.span(first, last))
    return [_assigned(tokens, *column, *item) for column, item in zip(columns, items, strict=True)]


def _selected(tokens: Tokens, first: int, last: int) -> int | None:
    """How many columns a query selects; None where the text alone does not say it."""
    if tokens.words[first] != "SELECT":
        return None
    end = first + 1
    while end < last and tokens.words[end] not in _BEHIND_LIST:
        end = tokens.closing(end, last) + 1 if tokens.words[end] in ("(", "[", "{") else end + 1
    items = listed(tokens, first + 1, end)
    words = {word for start, stop in items for word in tokens.words[start:stop]}
    return None if words & {"*", "COLUMNS", "UNNEST"} else len(items)


def _count_error(
    tokens: Tokens, columns: int, values: int | None, span: tuple[int, int]
) -> KadeQLSyntaxError:
    return KadeQLSyntaxError(
        f"{columns} columns are set to {values} values.", text=tokens.text, span=span, hint=_LIST
    )


def _assigned(tokens: Tokens, column: str, span: tuple[int, int], first: int, last: int) -> Assigned:
    default = last == first + 1 and tokens.words[first] == "DEFAULT"
    return Assigned(Assignment(column, span, tokens.span(first, last), default), first, last)


def _column(cursor: Cursor, behind: str, hint: str) -> tuple[str, tuple[int, int]]:
    tokens, place = cursor.tokens, cursor.index
    column = cursor.name("a column's name")
    if cursor.word in (".", "["):
        raise SET_QUALIFIED.error(tokens.text, tokens.span(place, cursor.index + 1))
    if behind == "=":
        cursor.expect("= after the column's name", "=", hint=hint)
    return column, tokens.span(place)


def _value(cursor: Cursor, name: str, hint: str) -> tuple[int, int]:
    first = cursor.index
    while not cursor.done and cursor.word != ",":
        _step(cursor)
    if cursor.index == first:
        raise cursor.expected(f"a value for the column {name}", hint)
    return first, cursor.index


def _step(cursor: Cursor) -> None:
    if cursor.word in ("(", "[", "{"):
        cursor.index = cursor.tokens.closing(cursor.index, cursor.end)
    cursor.index += 1


def _check_once(tokens: Tokens, found: list[Assigned]) -> None:
    seen: set[str] = set()
    for item in found:
        name = item.assignment.column
        if name.casefold() in seen:
            raise KadeQLSyntaxError(
                f"The column {name!r} is set twice.",
                text=tokens.text,
                span=item.assignment.span,
                hint="Set each column once.",
            )
        seen.add(name.casefold())
