"""What CREATE PROPERTY GRAPH says, resolved at a snapshot: every name that it gives or leaves out, with carets under what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from luma_bench.bench.ask import Ask
from luma_bench.bench.catalog_text import relation_name, schema_and_name
from luma_bench.bench.graph.ends import Inferred
from luma_bench.bench.row_changes import target
from luma_bench.errors import KadeQLBindError, KadeQLUnsupportedError, choices
from luma_bench.language import CreateGraph
from luma_bench.language.graph.definitions import ElementDef, EndDef, Named, PropertiesDef, Span, counted
from luma_bench.plan.dml import named_column
from luma_bench.storage.graph_rules import Flaw, flaws
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable
from luma_bench.types.schema import TableSchema

_RESERVED: Final = "@"
"""What begins the names that patterns have of their own, beside properties."""


class Definition:
    """One CREATE PROPERTY GRAPH over the tables of a snapshot."""

    def __init__(self, statement: CreateGraph, view: ResolvedSnapshot, ask: Ask) -> None:
        self._statement = statement
        self._view = view
        self._ask = ask
        self._whole = statement.whole
        given = (*statement.vertices, *statement.edges)
        self._tables = {item.span: self._stored(item, edge=item in statement.edges) for item in given}

    def graph(self) -> PropertyGraph:
        """The graph, of which everything fits its tables.

        Raises
        ------
        KadeQLBindError, KadeQLUnsupportedError
            Something does not; the caret is under it.
        """
        names = self._names()
        vertices = tuple(self._vertex(item, names[item.span]) for item in self._statement.vertices)
        edges = tuple(self._edge(item, names[item.span], vertices) for item in self._statement.edges)
        made = PropertyGraph(self._statement.name, vertices, edges)
        for flaw in flaws(made, {table.name: table for table in self._tables.values()}):
            raise self._error(f"{flaw.problem[0].upper()}{flaw.problem[1:]}.", self._place(flaw), flaw.hint)
        return made

    # --- elements ---

    def _stored(self, item: ElementDef, *, edge: bool) -> TableSchema:
        name, span = item.table
        if (view := self._view.object("view", name)) is not None:
            kind = "edge" if edge else "vertex"
            raise KadeQLUnsupportedError(
                f"A view as {'an' if edge else 'a'} {kind} table is not served, and {view.name!r} is one.",
                text=self._whole,
                span=span,
                hint=f"Name a table that it reads, or keep its rows: CREATE TABLE t AS FROM {relation_name(view.name, self._view)}.",
            )
        return target(self._view, name, span, self._whole, self._ask)

    def _names(self) -> dict[Span, str]:
        """What each element is called in the graph: its alias, or its table's name without the schema."""
        found: dict[Span, str] = {}
        seen: set[str] = set()
        for item in (*self._statement.vertices, *self._statement.edges):
            table = self._tables[item.span]
            name = schema_and_name(table.name, self._view)[1] if item.alias is None else item.alias.name
            if name.casefold() in seen:
                raise self._error(
                    f"The graph has an element {name!r} already.",
                    (item.alias or item.table).span,
                    f"A table may stand in a graph several times, each under a name of its own: {relation_name(table.name, self._view)} AS {name}_2.",
                )
            seen.add(name.casefold())
            found[item.span] = name
        return found

    def _vertex(self, item: ElementDef, name: str) -> VertexTable:
        table = self._tables[item.span]
        key = self._columns(table, item.key) or table.settings.primary_key
        if not key:
            shown = relation_name(table.name, self._view)
            raise self._error(
                f"Table {table.name!r} has no primary key, and no KEY says what tells its vertices apart.",
                item.table.span,
                f"Name the columns: {shown} KEY ({table.names[0]}); or give the table a key: ALTER TABLE {shown} ADD PRIMARY KEY ({table.names[0]}).",
            )
        return VertexTable(name, table.name, key, self._labels(item, name), self._properties(item, table))

    def _edge(self, item: ElementDef, name: str, vertices: Sequence[VertexTable]) -> EdgeTable:
        table = self._tables[item.span]
        key = self._columns(table, item.key) or table.settings.primary_key
        assert item.source is not None
        assert item.destination is not None
        ends = (item.source, item.destination)
        to = [vertices[self._vertex_of(end, vertices)] for end in ends]
        given = [self._given(end, table, vertex) for end, vertex in zip(ends, to, strict=True)]
        inferred = Inferred(table, key, self._view, self._whole)
        source, destination = inferred.complete(ends, to, given)
        valid: tuple[str | None, str | None] = (None, None)
        if item.valid is not None:
            since, until = self._columns(table, item.valid)
            valid = (since, until)
        return EdgeTable(
            name, table.name, key, self._labels(item, name), self._properties(item, table), source, destination, *valid
        )  # fmt: skip

    def _vertex_of(self, end: EndDef, vertices: Sequence[VertexTable]) -> int:
        """The place of the vertex table that an end names: by its name in the graph, else as the table that it is."""
        folded = end.vertex.name.casefold()
        known = [item.name.casefold() for item in vertices]
        if folded in known:
            return known.index(folded)
        over = [place for place, item in enumerate(vertices) if item.table.casefold() == folded]
        if len(over) == 1:
            return over[0]
        names = [item.name for item in vertices]
        if over:
            shown = ", ".join(vertices[place].name for place in over)
            message = f"Table {end.vertex.name!r} is {len(over)} vertex tables of the graph: {shown}."
            raise self._error(message, end.vertex.span, "Name the one that is meant.")
        message = f"{end.vertex.name!r} is no vertex table of the graph."
        if self._view.named(end.vertex.name) is not None:
            hint = f"Put it into VERTEX TABLES ({end.vertex.name}, …). {choices(end.vertex.name, names, 'vertex tables')}"
        else:
            hint = choices(end.vertex.name, names, "vertex tables")
        raise self._error(message, end.vertex.span, hint)

    def _given(self, end: EndDef, table: TableSchema, vertex: VertexTable) -> EdgeEnd | None:
        """The end where its columns are written; None where they are to be found."""
        columns = self._columns(table, end.columns)
        if not columns:
            return None
        keys = vertex.key
        if end.keys:
            parent = next(item for item in self._tables.values() if item.name == vertex.table)
            keys = self._columns(parent, end.keys)
        if len(keys) != len(columns):
            raise self._error(
                f"{end.end} has {counted(columns)}, and the key of {vertex.name!r} has {counted(keys)}: ({', '.join(keys)}).",
                (end.columns[0].span[0], end.columns[-1].span[1]),
                f"Name a column for each, in the same order: {end.end} KEY (…) REFERENCES {vertex.name} ({', '.join(keys)}).",
            )
        return EdgeEnd(columns, vertex.name, keys)

    # --- what elements say ---

    def _labels(self, item: ElementDef, name: str) -> tuple[str, ...]:
        labels = [name if label is None else label.name for label in item.labels] or [name]
        return tuple({label.casefold(): label for label in labels}.values())

    def _properties(self, item: ElementDef, table: TableSchema) -> tuple[tuple[str, str], ...] | None:
        """What all PROPERTIES clauses say together; None for every column that the table has and will have."""
        if not item.properties or any(
            clause.all_columns and not clause.excepted for clause in item.properties
        ):
            plain = all(
                column.name == name.name for clause in item.properties for column, name in clause.listed
            )
            if plain:
                for clause in item.properties:
                    self._columns(table, [column for column, _ in clause.listed])
                return None
        found: dict[str, tuple[str, str]] = {}
        for clause in item.properties:
            for name, column, span in self._clause(clause, table):
                if name.startswith(_RESERVED):
                    hint = (
                        f'Give it another name: PROPERTIES ("{column}" AS {column.strip(_RESERVED) or "p"}).'
                    )
                    message = f"The property name {name!r} begins with {_RESERVED}, which patterns keep for themselves."
                    raise self._error(message, span, hint)
                known = found.setdefault(name.casefold(), (name, column))
                if known[1] != column:
                    raise self._error(
                        f"The property {name!r} would be column {known[1]!r} and column {column!r}.",
                        span,
                        f"Give one of them another name: PROPERTIES ({column} AS …).",
                    )
        return tuple(found.values())

    def _clause(self, clause: PropertiesDef, table: TableSchema) -> Iterable[tuple[str, str, Span]]:
        if clause.all_columns:
            out = self._columns(table, clause.excepted)
            yield from ((name, name, clause.span) for name in table.names if name not in out)
        for column, name in clause.listed:
            (found,) = self._columns(table, [column])
            # A column under its own name is spelt as the table spells it.
            yield found if name is column else name.name, found, name.span

    def _columns(self, table: TableSchema, names: Iterable[Named]) -> tuple[str, ...]:
        return tuple(named_column(table, name, span, self._whole).name for name, span in names)

    # --- errors ---

    def _place(self, flaw: Flaw) -> Span:
        items = self._statement.edges if flaw.edge else self._statement.vertices
        item = items[flaw.place]
        match flaw.part:
            case "key" if item.key:
                return item.key[0].span[0], item.key[-1].span[1]
            case "source" if item.source is not None:
                return item.source.span
            case "destination" if item.destination is not None:
                return item.destination.span
            case "valid" if item.valid is not None:
                return item.valid[0].span[0], item.valid[1].span[1]
            case "properties" if item.properties:
                return item.properties[0].span
            case _:
                return item.table.span

    def _error(self, message: str, span: Span, hint: str) -> KadeQLBindError:
        return KadeQLBindError(message, text=self._whole, span=span, hint=hint)
