"""A column's definition, in CREATE TABLE and in ADD COLUMN: name, type, NOT NULL, DEFAULT and PRIMARY KEY."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.changes import ColumnDef
from luma_bench.language.cursor import Cursor
from luma_bench.language.diagnostics import relocate, sharpened
from luma_bench.language.placed import Query
from luma_bench.language.query import read_query
from luma_bench.language.refusals import NOT_SERVED, Refusal
from luma_bench.language.rewrite import Edit, OffsetMap, Segment
from luma_bench.types.inspector import SqlInspector

_CHECKED: Final = (
    "Check it in a query: SELECT … FROM t WHERE NOT (…). What is kept is NOT NULL and PRIMARY KEY."
)
CONSTRAINTS: Final = {
    "UNIQUE": Refusal(
        "UNIQUE",
        NOT_SERVED,
        "Name the columns as PRIMARY KEY, or check with GROUP BY … HAVING count(*) > 1.",
    ),
    "CHECK": Refusal("CHECK", NOT_SERVED, _CHECKED),
    "REFERENCES": Refusal(
        "A foreign key", NOT_SERVED, "Check it in a query: FROM t ANTI JOIN other USING (id)."
    ),
    "FOREIGN": Refusal(
        "A foreign key", NOT_SERVED, "Check it in a query: FROM t ANTI JOIN other USING (id)."
    ),
    "GENERATED": Refusal(
        "A generated column", NOT_SERVED, "Compute it when reading: SELECT *, a + b AS c FROM t."
    ),
    "AS": Refusal("A generated column", NOT_SERVED, "Compute it when reading: SELECT *, a + b AS c FROM t."),
    "COLLATE": Refusal(
        "COLLATE on a column", NOT_SERVED, "Write it in the query: ORDER BY name COLLATE nocase."
    ),
    "CONSTRAINT": Refusal(
        "A constraint's name", NOT_SERVED, "Write the constraint alone: PRIMARY KEY (a, b)."
    ),
    "USING": Refusal(
        "USING COMPRESSION", NOT_SERVED, "Leave it out: every column gets the codec that fits it."
    ),
}
_CONSTANT: Final = "A default is one constant value, the same for every row: DEFAULT 0, DEFAULT 'new', DEFAULT DATE '2026-01-31'."
_ENDS_TYPE: Final = frozenset({",", "NOT", "NULL", "PRIMARY", "DEFAULT", *CONSTRAINTS})


def read_column(inner: Cursor, inspector: SqlInspector, hint: str) -> ColumnDef:
    """One column: name, type, and NOT NULL, NULL, DEFAULT value or PRIMARY KEY; up to a comma or the end."""
    tokens = inner.tokens
    begin = inner.index
    name = inner.name("a column's name")
    type_sql = read_type(inner, name, hint)
    nullable, key = True, False
    default: Query | None = None
    while not inner.done and inner.word != ",":
        if inner.accept("NOT", "NULL"):
            nullable = False
        elif inner.accept("PRIMARY", "KEY"):
            nullable, key = False, True
        elif inner.word == "DEFAULT":
            inner.index += 1
            default = read_default(inner, inspector)
        elif inner.word in CONSTRAINTS:
            raise CONSTRAINTS[inner.word].error(tokens.text, tokens.span(inner.index))
        elif not inner.accept("NULL"):
            raise inner.expected("NOT NULL, DEFAULT, PRIMARY KEY, a comma or )", hint)
    return ColumnDef(name, type_sql, nullable, key, tokens.span(begin, inner.index), default)


def read_type(inner: Cursor, name: str, hint: str) -> str:
    """A type as written: everything up to a constraint, a comma or the end."""
    tokens, first = inner.tokens, inner.index
    while not inner.done and inner.word not in _ENDS_TYPE:
        inner.index = (
            tokens.closing(inner.index, inner.end) + 1 if inner.word in ("(", "[") else inner.index + 1
        )
    if inner.index == first:
        if inner.word in CONSTRAINTS:
            raise CONSTRAINTS[inner.word].error(tokens.text, tokens.span(inner.index))
        raise inner.expected(f"a type for the column {name}", hint)
    return tokens.slice(first, inner.index)


def read_default(inner: Cursor, inspector: SqlInspector) -> Query:
    """The value behind DEFAULT, as a query of one row and column; the cursor goes behind it.

    Raises
    ------
    KadeQLUnsupportedError
        It is no constant: two rows would get different values.
    """
    tokens, first = inner.tokens, inner.index
    if inner.done or inner.word == ",":
        raise inner.expected("a value after DEFAULT", _CONSTANT)
    # The first word belongs to the value whatever it is: DEFAULT NULL, DEFAULT NOT true.
    while not inner.done and (inner.index == first or inner.word not in _ENDS_TYPE):
        opens = inner.word in ("(", "[", "{")
        inner.index = tokens.closing(inner.index, inner.end) + 1 if opens else inner.index + 1
    start, end = tokens.span(first, inner.index)
    edits = (Edit(start, start, "SELECT ("), Edit(end, end, ") AS value"))
    query = read_query(tokens, first, inner.index, inspector, edits)
    if query.volatile or query.params:
        raise KadeQLUnsupportedError(
            "This default is not a constant.", text=tokens.text, span=(start, end), hint=_CONSTANT
        )
    return query


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
        name = column.name.replace('"', '""')
        piece = f'{", " if pieces else "SELECT "}CAST(NULL AS {column.type_sql}) AS "{name}"'
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
