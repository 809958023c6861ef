"""Expressions that a table keeps: of checks, generated columns and defaults, with the places where names stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.functions import PER_ROW
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.placed import Query, SequenceUse
from luma_bench.language.query import read_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import Edit
from luma_bench.language.sequences import SEQUENCE_FUNCTIONS, called
from luma_bench.language.tokens import STRING
from luma_bench.types.inspector import SqlInspector

_SUBQUERY: Final = Refusal(
    "A subquery",
    "is refused in {what}: it looks at one row",
    "Write an expression over the columns of the row.",
)
_PARAMETER: Final = "A parameter in {what} is refused: it holds for every statement. Write the value itself."
_SEQUENCE: Final = (
    "A sequence in {what} is refused. Only a DEFAULT takes values of one: DEFAULT nextval('s')."
)
_VOLATILE: Final = "{what} must give the same for the same row. Leave out now(), random() and the like."


@dataclass(frozen=True, slots=True)
class NamePlace:
    """A word that may be the name of a column: its span in the whole text, with a table's name before it if one stands there."""

    name: str
    span: tuple[int, int]
    table: str | None = None


@dataclass(frozen=True, slots=True)
class ExpressionDef:
    """An expression as it is written.

    Attributes
    ----------
    span
        Its place in the whole text.
    names
        Where names stand that may be columns.
    sequences
        The values of sequences that it takes.
    per_row
        Whether each row gets a value of its own, even without a column in it.
    volatile
        Whether it may give another value at another time.
    """

    whole: str = field(repr=False)
    span: tuple[int, int]
    names: tuple[NamePlace, ...] = ()
    sequences: tuple[SequenceUse, ...] = ()
    per_row: bool = False
    volatile: bool = False

    @property
    def text(self) -> str:
        """The expression as it stands."""
        return self.whole[slice(*self.span)]


def in_brackets(
    cursor: Cursor, inspector: SqlInspector, what: str, hint: str, *, steady: bool
) -> ExpressionDef:
    """`( expression )`; the cursor goes behind it.

    Parameters
    ----------
    what
        What it belongs to, for messages: `a CHECK`.
    steady
        Whether it must give the same for the same row.

    Raises
    ------
    KadeQLSyntaxError, KadeQLUnsupportedError
        It does not parse, or holds a subquery, a parameter, a sequence or something volatile that may not stand here.
    """
    tokens = cursor.tokens
    if cursor.word != "(":
        raise cursor.expected(f"( and the expression of {what}", hint)
    close = tokens.closing(cursor.index, cursor.end)
    first = cursor.index + 1
    if first == close:
        cursor.index = first
        raise cursor.expected(f"the expression of {what}", hint)
    found, query = read_expression(cursor, first, close, inspector, what)
    if found.sequences:
        raise _refused(found, _SEQUENCE, what, found.sequences[0].span)
    if steady and query.volatile:
        raise _refused(found, _VOLATILE, what, found.span)
    cursor.index = close + 1
    return found


def read_expression(
    cursor: Cursor, first: int, last: int, inspector: SqlInspector, what: str
) -> tuple[ExpressionDef, Query]:
    """The expression at tokens `first` up to `last`, and the query of its one value."""
    tokens = cursor.tokens
    start, end = tokens.span(first, last)
    for index in range(first, last - 1):
        if tokens.words[index] == "(" and opens_query(tokens, index + 1, last):
            refusal = Refusal(_SUBQUERY.what, _SUBQUERY.why.format(what=what), _SUBQUERY.instead)
            raise refusal.error(tokens.text, tokens.span(index + 1))
    edits = (Edit(start, start, "SELECT ("), Edit(end, end, ") AS value"))
    query = read_query(tokens, first, last, inspector, edits)
    names: list[NamePlace] = []
    sequences: list[SequenceUse] = []
    per_row = False
    index = first
    while index < last:
        word = tokens.words[index]
        if word == STRING or not tokens.is_name(index) or (index > first and tokens.words[index - 1] == "."):
            index += 1
            continue
        name = tokens.names[index]
        if tokens.follows(index + 1, last, "("):
            per_row = per_row or name.casefold() in PER_ROW
            if name.casefold() in SEQUENCE_FUNCTIONS:
                sequences.append(called(tokens, index, last))
                index += 4
                continue
        else:
            dotted = tokens.follows(index + 1, last, ".") and index + 2 < last and tokens.is_name(index + 2)
            names.append(NamePlace(name, tokens.span(index)))
            if dotted:
                names.append(NamePlace(tokens.names[index + 2], tokens.span(index, index + 3), name))
        index += 1
    found = ExpressionDef(tokens.text, (start, end), tuple(names), tuple(sequences), per_row, query.volatile)
    if query.params:
        raise _refused(found, _PARAMETER, what, (start, end))
    return found, query


def _refused(found: ExpressionDef, told: str, what: str, span: tuple[int, int]) -> KadeQLUnsupportedError:
    message, _, hint = told.format(what=what).partition(". ")
    return KadeQLUnsupportedError(
        f"{message[:1].upper()}{message[1:]}.", text=found.whole, span=span, hint=hint
    )
