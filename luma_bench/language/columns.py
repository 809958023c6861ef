"""A column's definition, in CREATE TABLE and in ADD COLUMN: name, type, default or expression, and constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.changes import ColumnDef
from luma_bench.language.constraints import COLUMN_LEVEL, ConstraintDef, KeyDef, column_constraint
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import relocate, sharpened
from luma_bench.language.expressions import ExpressionDef, in_brackets, read_expression
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.placed import Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import NOT_SERVED, Refusal
from luma_bench.language.rewrite import Edit, OffsetMap, Segment
from luma_bench.language.tokens import Tokens
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.sql_text import quoted

REFUSED: Final = {
    "COLLATE": Refusal(
        "COLLATE on a column", NOT_SERVED, "Write it in the query: ORDER BY name COLLATE nocase."
    ),
    "USING": Refusal(
        "USING COMPRESSION", NOT_SERVED, "Leave it out: every column gets the codec that fits it."
    ),
}
"""Words behind a column's type that are refused."""
_DEFAULT: Final = (
    "Write DEFAULT 0, DEFAULT now(), DEFAULT nextval('s') or another expression without columns."
)
_GENERATED: Final = (
    "Write GENERATED ALWAYS AS (expression) or AS (expression), over other columns of the table."
)
_COMPUTED: Final = Refusal(
    "DEFAULT of a generated column", "is refused: it takes no values", "Leave DEFAULT or the expression out."
)
_ENDS_TYPE: Final = frozenset({",", "NOT", "NULL", "DEFAULT", "GENERATED", "AS", *COLUMN_LEVEL, *REFUSED})


def read_column(
    inner: Cursor, inspector: SqlInspector, hint: str
) -> tuple[ColumnDef, tuple[ConstraintDef, ...]]:
    """One column and its constraints, up to a comma or the end.

    It is a name, a type (which a generated column may leave out), and NOT NULL, NULL, DEFAULT value, GENERATED ALWAYS AS
    (expression) [STORED | VIRTUAL], PRIMARY KEY, UNIQUE, CHECK or REFERENCES in any order.
    """
    tokens = inner.tokens
    begin = inner.index
    name = inner.name("a column's name")
    type_sql = None if _generates(inner) else read_type(inner, name, hint)
    nullable, key = True, False
    default: Query | ExpressionDef | None = None
    generated: ExpressionDef | None = None
    constraints: list[ConstraintDef] = []
    while not inner.done and inner.word != ",":
        place = inner.index
        if inner.accept("NOT", "NULL"):
            nullable = False
        elif inner.accept("DEFAULT"):
            default = read_default(inner, inspector)
        elif _generates(inner) and generated is None:
            generated = _expression(inner, inspector)
        elif inner.word in REFUSED:
            raise REFUSED[inner.word].error(tokens.text, tokens.span(inner.index))
        elif inner.word in COLUMN_LEVEL:
            found = column_constraint(inner, inspector, name)
            if isinstance(found, KeyDef):
                nullable, key = False, True
            else:
                constraints.append(found)
        elif not inner.accept("NULL"):
            raise inner.expected(
                "NOT NULL, DEFAULT, PRIMARY KEY, UNIQUE, CHECK, REFERENCES, a comma or )", hint
            )
        if default is not None and generated is not None:
            raise _COMPUTED.error(tokens.text, tokens.span(place, inner.index))
    span = tokens.span(begin, inner.index)
    constant = default if isinstance(default, Query) else None
    computed = default if isinstance(default, ExpressionDef) else None
    return ColumnDef(name, type_sql or "", nullable, key, span, constant, computed, generated), tuple(
        constraints
    )


def _generates(inner: Cursor) -> bool:
    """Whether the expression of a generated column follows."""
    return inner.word == "GENERATED" or (
        inner.word == "AS" and inner.tokens.follows(inner.index + 1, inner.end, "(")
    )


def _expression(inner: Cursor, inspector: SqlInspector) -> ExpressionDef:
    """GENERATED ALWAYS AS (expression), or AS (expression); STORED and VIRTUAL say nothing that could be seen."""
    if inner.accept("GENERATED"):
        inner.expect("ALWAYS after GENERATED", "ALWAYS", hint=_GENERATED)
    inner.expect("AS and the expression", "AS", hint=_GENERATED)
    found = in_brackets(inner, inspector, "a generated column", _GENERATED, steady=True)
    if not inner.accept("STORED"):
        inner.accept("VIRTUAL")
    return found


def read_type(inner: Cursor, name: str, hint: str) -> str:
    """A type as written: everything up to a constraint, a comma or the end."""
    tokens, first = inner.tokens, inner.index
    while not inner.done and inner.word not in _ENDS_TYPE:
        inner.index = (
            tokens.closing(inner.index, inner.end) + 1 if inner.word in ("(", "[") else inner.index + 1
        )
    if inner.index == first:
        if inner.word in REFUSED:
            raise REFUSED[inner.word].error(tokens.text, tokens.span(inner.index))
        raise inner.expected(f"a type for the column {name}", hint)
    return tokens.slice(first, inner.index)


def read_default(inner: Cursor, inspector: SqlInspector) -> Query | ExpressionDef:
    """The value behind DEFAULT; the cursor goes behind it.

    Returns
    -------
    Query
        A query of one row and column: the value is the same for ever.
    ExpressionDef
        It is computed when rows are written: `now()`, `nextval('s')`.
    """
    tokens, first = inner.tokens, inner.index
    if inner.done or inner.word == ",":
        raise inner.expected("a value after DEFAULT", _DEFAULT)
    # The first word belongs to the value whatever it is: DEFAULT NULL, DEFAULT NOT true.
    while not inner.done and (inner.index == first or inner.word not in _ENDS_TYPE):
        opens = inner.word in ("(", "[", "{")
        inner.index = tokens.closing(inner.index, inner.end) + 1 if opens else inner.index + 1
    if _subquery(tokens, first, inner.index):
        start, end = tokens.span(first, inner.index)
        edits = (Edit(start, start, "SELECT ("), Edit(end, end, ") AS value"))
        query = read_query(tokens, first, inner.index, inspector, edits)
        if query.volatile or query.params:
            raise KadeQLUnsupportedError(
                "A default with a subquery must be constant.",
                text=tokens.text,
                span=(start, end),
                hint=_DEFAULT,
            )
        return query
    found, query = read_expression(inner, first, inner.index, inspector, "a default")
    for use in found.sequences:
        if use.function != "nextval":
            raise KadeQLUnsupportedError(
                "A default takes new values of a sequence alone.",
                text=tokens.text,
                span=use.span,
                hint=_DEFAULT,
            )
    return found if found.volatile else query


def _subquery(tokens: Tokens, first: int, last: int) -> bool:
    return any(
        tokens.words[index] == "(" and opens_query(tokens, index + 1, last)
        for index in range(first, last - 1)
    )


def check_grammar(source: str, start: int, whole: str, inspector: SqlInspector) -> None:
    """Let DuckDB's grammar read the statement: it knows what a type may look like."""
    try:
        inspector.classify(source)
    except KadeQLError as error:
        offsets = OffsetMap.verbatim(start, start + len(source))
        shown = sharpened(error, source, inspector) if isinstance(error, KadeQLSyntaxError) else error
        raise relocate(shown, offsets, whole) from error


def type_probe(columns: Sequence[ColumnDef], whole: str, start: int, end: int) -> Query:
    """A query of one typed NULL per column, whose errors point at the columns."""
    pieces: list[str] = []
    segments: list[Segment] = []
    position = 0
    for column in columns:
        # What a generated column without a type is, its expression says: see `bench.definitions`.
        value = f"CAST(NULL AS {column.type_sql})" if column.type_sql else "NULL"
        piece = f"{', ' if pieces else 'SELECT '}{value} AS {quoted(column.name)}"
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
