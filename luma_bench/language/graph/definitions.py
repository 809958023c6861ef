"""CREATE and DROP PROPERTY GRAPH: which tables hold the vertices and edges of a graph, as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, NamedTuple

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.cursor import Cursor
from luma_bench.language.placed import Kind, Placed
from luma_bench.language.refusals import NOT_SERVED, Refusal

GRAPH_SHAPE: Final = (
    "Write CREATE PROPERTY GRAPH g VERTEX TABLES (airports KEY (iata)) EDGE TABLES (routes SOURCE KEY (src) "
    "REFERENCES airports (iata) DESTINATION KEY (dst) REFERENCES airports (iata))."
)
_ELEMENT: Final = "Write table [AS name] [KEY (columns)] [LABEL l] [PROPERTIES (a, b AS c)]."
_END: Final = "Write SOURCE KEY (column) REFERENCES vertex (column), then DESTINATION the same way."
_PROPERTIES: Final = "Write PROPERTIES (a, b AS c), PROPERTIES ALL COLUMNS, PROPERTIES ALL COLUMNS EXCEPT (a) or NO PROPERTIES."
_VALID: Final = (
    "Write VALID FROM column TO column behind an edge table: the half-open time in which a row is an edge."
)
_COMPUTED: Final = Refusal(
    "An expression as a property",
    NOT_SERVED,
    "Keep it as a column of the table: ALTER TABLE t ADD COLUMN p AS (a + b); then write PROPERTIES (p).",
)
_VERTICES: Final = ("VERTEX", "NODE")
_EDGES: Final = ("EDGE", "RELATIONSHIP")

Span = tuple[int, int]
"""Half-open offsets in the user's whole text."""


class Named(NamedTuple):
    """A name and its place in the whole text."""

    name: str
    span: Span


class PropertyDef(NamedTuple):
    """A property: `column AS name`, or a column under its own name."""

    column: Named
    name: Named


@dataclass(frozen=True, slots=True)
class PropertiesDef:
    """One PROPERTIES clause.

    Attributes
    ----------
    all_columns
        Whether it says ALL COLUMNS; `excepted` are those that EXCEPT takes out.
    listed
        What it lists; nothing for NO PROPERTIES.
    """

    span: Span
    all_columns: bool = False
    excepted: tuple[Named, ...] = ()
    listed: tuple[PropertyDef, ...] = ()


@dataclass(frozen=True, slots=True)
class EndDef:
    """SOURCE or DESTINATION; `columns` and `keys` are empty where only the vertex table is named, `keys` where it gives none."""

    end: Literal["SOURCE", "DESTINATION"]
    columns: tuple[Named, ...]
    vertex: Named
    keys: tuple[Named, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ElementDef:
    """One vertex or edge table as it is written.

    Attributes
    ----------
    table
        The catalog's name, `sales.orders` in a schema.
    alias
        Its name in the graph, where AS gives one.
    key
        The columns of KEY; empty without it.
    labels
        Those of LABEL; empty without it. DEFAULT LABEL is a None among them: the element's own name.
    properties
        Every PROPERTIES clause, those behind labels too: they are the table's together.
    source, destination
        The ends of an edge table.
    valid
        The columns of VALID FROM … TO ….
    """

    span: Span
    table: Named
    alias: Named | None = None
    key: tuple[Named, ...] = ()
    labels: tuple[Named | None, ...] = ()
    properties: tuple[PropertiesDef, ...] = ()
    source: EndDef | None = None
    destination: EndDef | None = None
    valid: tuple[Named, Named] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGraph(Placed):
    """CREATE PROPERTY GRAPH."""

    kind: ClassVar[Kind] = Kind.CREATE_GRAPH
    name: str
    name_span: Span
    vertices: tuple[ElementDef, ...]
    edges: tuple[ElementDef, ...]
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropGraph(Placed):
    """DROP PROPERTY GRAPH."""

    kind: ClassVar[Kind] = Kind.DROP_GRAPH
    name: str
    name_span: Span
    if_exists: bool = False


def create_graph(cursor: Cursor, *, or_replace: bool) -> CreateGraph:
    """CREATE [OR REPLACE] PROPERTY GRAPH [IF NOT EXISTS] name and its tables; the cursor stands behind GRAPH.

    Raises
    ------
    KadeQLSyntaxError, KadeQLUnsupportedError
        Something else stands there; the caret is under it.
    """
    if_not_exists = cursor.if_not_exists(or_replace=or_replace)
    name, span = cursor.placed_table()
    if not any(cursor.accept(word, "TABLES") for word in _VERTICES):
        raise cursor.expected("VERTEX TABLES and the vertex tables in brackets", GRAPH_SHAPE)
    vertices = _elements(cursor, edges=False)
    edges: tuple[ElementDef, ...] = ()
    if any(cursor.accept(word, "TABLES") for word in _EDGES):
        edges = _elements(cursor, edges=True)
    if not cursor.done:
        what = "the end of the statement after the edge tables"
        raise cursor.expected(what if edges else "EDGE TABLES or the end of the statement", GRAPH_SHAPE)
    source, start, end, whole = cursor.placed
    return CreateGraph(
        source=source, start=start, end=end, whole=whole, name=name, name_span=span, vertices=vertices, edges=edges,
        if_not_exists=if_not_exists, or_replace=or_replace,
    )  # fmt: skip


def drop_graph(cursor: Cursor) -> DropGraph:
    """DROP PROPERTY GRAPH [IF EXISTS] name [CASCADE | RESTRICT]; the cursor stands behind GRAPH."""
    if_exists = cursor.accept("IF", "EXISTS")
    name, span = cursor.placed_table()
    # Nothing hangs on a graph: the two words ask for the same.
    if not cursor.accept("CASCADE"):
        cursor.accept("RESTRICT")
    cursor.finish("the graph's name")
    source, start, end, whole = cursor.placed
    return DropGraph(
        source=source, start=start, end=end, whole=whole, name=name, name_span=span, if_exists=if_exists
    )


def _elements(cursor: Cursor, *, edges: bool) -> tuple[ElementDef, ...]:
    """The tables in brackets; an edge list may be empty."""
    tokens = cursor.tokens
    what = "edge" if edges else "vertex"
    if cursor.word != "(":
        raise cursor.expected(f"( and the {what} tables", GRAPH_SHAPE)
    close = tokens.closing(cursor.index, cursor.end)
    inner = Cursor(tokens, cursor.index + 1, close, cursor.end)
    found: list[ElementDef] = []
    while not (edges and inner.done and not found):
        found.append(_element(inner, edges=edges))
        # A comma may stand behind the last one too, as in CREATE TABLE.
        if not inner.accept(",") or inner.done:
            break
    if not inner.done:
        ends = (
            "SOURCE, DESTINATION, KEY, LABEL, PROPERTIES, VALID FROM" if edges else "KEY, LABEL, PROPERTIES"
        )
        raise inner.expected(f"{ends}, a comma or ) after the {what} table", _END if edges else _ELEMENT)
    cursor.index = close + 1
    return tuple(found)


def _element(cursor: Cursor, *, edges: bool) -> ElementDef:
    """One table with its clauses, which may stand in any order."""
    tokens, begin = cursor.tokens, cursor.index
    if cursor.done:
        raise cursor.expected(f"{'an edge' if edges else 'a vertex'} table", _ELEMENT)
    name, span = cursor.placed_table()
    found = ElementDef(span, Named(name, span))
    if cursor.accept("AS"):
        found = replace(found, alias=_named(cursor, "the table's name in the graph"))
    while not cursor.done and cursor.word != ",":
        changed = _clause(cursor, found, edges=edges)
        if changed is None:
            break
        found = changed
    if edges:
        for end, given in (("SOURCE", found.source), ("DESTINATION", found.destination)):
            if given is None:
                raise cursor.expected(f"{end} of the edge table {name!r}", _END)
    return replace(found, span=tokens.span(begin, cursor.index))


def _clause(cursor: Cursor, found: ElementDef, *, edges: bool) -> ElementDef | None:
    """The element with one more clause; None where none stands."""
    tokens, place = cursor.tokens, cursor.index
    if tokens.follows(place, cursor.end, "KEY", "("):
        _once(cursor, bool(found.key), "KEY")
        cursor.index += 1
        return replace(found, key=_columns(cursor, "Write KEY (column, …)."))
    if cursor.accept("LABEL"):
        label = _named(cursor, "the label")
        if label.name.casefold() in {known.name.casefold() for known in found.labels if known is not None}:
            raise KadeQLSyntaxError(
                f"The label {label.name!r} stands twice.",
                text=tokens.text, span=label.span, hint="Give each label of a table once.",
            )  # fmt: skip
        return replace(found, labels=(*found.labels, label))
    if cursor.accept("DEFAULT", "LABEL"):
        return replace(found, labels=(*found.labels, None))
    properties = _properties(cursor)
    if properties is not None:
        return replace(found, properties=(*found.properties, properties))
    if cursor.word in ("SOURCE", "DESTINATION"):
        if not edges:
            raise cursor.expected(
                "a vertex table without SOURCE and DESTINATION", "Edges stand in EDGE TABLES (…)."
            )
        given = found.source if cursor.word == "SOURCE" else found.destination
        _once(cursor, given is not None, cursor.word)
        end = _end(cursor)
        return replace(found, source=end) if end.end == "SOURCE" else replace(found, destination=end)
    if cursor.word == "VALID":
        if not edges:
            raise cursor.expected("a vertex table without VALID", _VALID)
        _once(cursor, found.valid is not None, "VALID")
        cursor.index += 1
        cursor.expect("FROM after VALID", "FROM", hint=_VALID)
        since = _named(cursor, "the column that an edge is valid from")
        cursor.expect("TO and a column", "TO", hint=_VALID)
        return replace(found, valid=(since, _named(cursor, "the column that an edge is valid to")))
    return None


def _end(cursor: Cursor) -> EndDef:
    """SOURCE or DESTINATION [KEY (columns) REFERENCES] vertex [(columns)]."""
    tokens, begin = cursor.tokens, cursor.index
    end: Literal["SOURCE", "DESTINATION"] = "SOURCE" if cursor.word == "SOURCE" else "DESTINATION"
    cursor.index += 1
    columns: tuple[Named, ...] = ()
    if tokens.follows(cursor.index, cursor.end, "KEY", "("):
        cursor.index += 1
        columns = _columns(cursor, _END)
        cursor.expect(f"REFERENCES and a vertex table after the columns of {end}", "REFERENCES", hint=_END)
    vertex = Named(*cursor.placed_table())
    keys: tuple[Named, ...] = ()
    if cursor.word == "(":
        if not columns:
            raise cursor.expected(f"{end} KEY (column) REFERENCES before the vertex table's columns", _END)
        keys = _columns(cursor, _END)
        if len(keys) != len(columns):
            span = (columns[0].span[0], keys[-1].span[1])
            raise KadeQLSyntaxError(
                f"{end} has {counted(columns)}, and refers to {counted(keys)} of {vertex.name!r}.",
                text=tokens.text, span=span, hint="Name as many columns of the vertex table, in the same order.",
            )  # fmt: skip
    return EndDef(end, columns, vertex, keys, tokens.span(begin, cursor.index))


def _properties(cursor: Cursor) -> PropertiesDef | None:
    """A PROPERTIES clause; None where none stands."""
    tokens, begin = cursor.tokens, cursor.index
    if cursor.accept("NO", "PROPERTIES"):
        return PropertiesDef(tokens.span(begin, cursor.index))
    if not cursor.accept("PROPERTIES"):
        return None
    cursor.accept("ARE")
    if cursor.accept("ALL"):
        cursor.expect("COLUMNS after ALL", "COLUMNS", hint=_PROPERTIES)
        excepted: tuple[Named, ...] = ()
        if cursor.accept("EXCEPT"):
            excepted = _columns(cursor, _PROPERTIES)
        return PropertiesDef(tokens.span(begin, cursor.index), True, excepted)
    cursor.expect("( and the properties", "(", hint=_PROPERTIES)
    listed: list[PropertyDef] = []
    while True:
        place = cursor.index
        column = _named(cursor, "a column")
        name = _named(cursor, "the property's name") if cursor.accept("AS") else column
        if cursor.word not in (",", ")"):
            raise _COMPUTED.error(tokens.text, tokens.span(place, cursor.index + 1))
        listed.append(PropertyDef(column, name))
        if not cursor.accept(","):
            break
    cursor.expect("a comma or ) after a property", ")", hint=_PROPERTIES)
    return PropertiesDef(tokens.span(begin, cursor.index), listed=tuple(listed))


def counted(columns: Sequence[object]) -> str:
    """How many columns these are, for messages."""
    return "1 column" if len(columns) == 1 else f"{len(columns)} columns"


def _columns(cursor: Cursor, hint: str) -> tuple[Named, ...]:
    names, spans = cursor.columns(hint)
    return tuple(map(Named, names, spans))


def _named(cursor: Cursor, what: str) -> Named:
    place = cursor.index
    name = cursor.name(what)
    return Named(name, cursor.tokens.span(place))


def _once(cursor: Cursor, given: bool, what: str) -> None:
    if given:
        raise cursor.expected(f"{what} only once", "Give each clause of a table once.")
