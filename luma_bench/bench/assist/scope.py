"""Which columns and variables may be named at a place of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from luma_bench.bench.assist.columns import Col, fields_of
from luma_bench.bench.assist.known import Known
from luma_bench.bench.assist.outline import Cte, Member, Output, Pattern, Query, Source, Variable
from luma_bench.language.graph.read_algorithm import ALGORITHMS
from luma_bench.language.row_ids import ROWS_FUNCTION
from luma_bench.language.series.windows import WINDOW_FUNCTIONS
from luma_bench.language.syntax_hints import TABLE_FUNCTIONS
from luma_bench.types.graph import PropertyGraph
from luma_bench.types.schema import ROW_ID

_DEEPEST: Final = 16
_WINDOW: Final = ("window_start", "window_end", "window_time")
_OWN_NAMED: Final = frozenset({"RANGE", "GENERATE_SERIES", "UNNEST", "REPEAT", "GENERATE_SUBSCRIPTS"})


@dataclass(frozen=True, slots=True)
class Visible:
    """A relation whose columns may be named: what its columns are called by, where it comes from, and the columns."""

    alias: str
    source: Source
    columns: tuple[Col, ...]


class Scope:
    """What the names of one statement mean.

    Parameters
    ----------
    root
        The statement's outline.
    known
        What stands behind it.
    """

    def __init__(self, root: Query, known: Known) -> None:
        self.root = root
        self.known = known

    # --- relations ---

    def ctes(self, query: Query, index: int) -> list[Cte]:
        """The entries of WITH lists that a query may read at a token, nearest first."""
        found: list[Cte] = []
        at: Query | None = query
        while at is not None:
            inside = next((entry for entry in at.ctes if _holds(entry.query, index)), None)
            reach = at.ctes if inside is None else at.ctes[: at.ctes.index(inside) + 1]
            found += reversed(reach)
            at = at.parent
        return found

    def cte(self, query: Query, index: int, name: str) -> Cte | None:
        """The entry of a name that a query may read at a token, ignoring case."""
        folded = name.casefold()
        return next((entry for entry in self.ctes(query, index) if entry.name.casefold() == folded), None)

    def visible(self, query: Query, index: int) -> Iterator[Visible]:
        """The relations whose columns may be named at a token: the query's own, then those around it."""
        at: Query | None = query
        inner: Query | None = None
        place = index
        while at is not None:
            member = at.member_at(place)
            for source in member.sources if member is not None else ():
                if source.query is None or source.query is not inner:  # a query does not see its own columns
                    yield Visible(source.alias, source, self.columns(source, at))
            inner, place, at = at, at.first, at.parent

    def columns(self, source: Source, query: Query, depth: int = 0) -> tuple[Col, ...]:
        """The columns that a relation gives."""
        if depth > _DEEPEST:
            return ()
        found = self._columns(source, query, depth)
        if source.columns:
            renamed = tuple(column.named(name) for column, name in zip(found, source.columns, strict=False))
            extra = tuple(Col(name) for name in source.columns[len(found) :])
            found = (*renamed, *extra, *found[len(source.columns) :])
        return found

    def _columns(self, source: Source, query: Query, depth: int) -> tuple[Col, ...]:
        match source.kind:
            case "table":
                entry = self.cte(query, source.first, source.name) if "." not in source.name else None
                if entry is not None:
                    return self.entry(entry, depth + 1)
                return self.known.columns(source.name) or ()
            case "query":
                return () if source.query is None else self.outputs(source.query, depth + 1)
            case "call":
                return self._call(source, query, depth)
            case _:
                return ()

    def entry(self, entry: Cte, depth: int = 0) -> tuple[Col, ...]:
        """The columns of an entry of a WITH list."""
        found = () if entry.query is None else self.outputs(entry.query, depth)
        if not entry.columns:
            return found
        named = [column.named(name) for column, name in zip(found, entry.columns, strict=False)]
        return (*named, *(Col(name) for name in entry.columns[len(found) :]))

    def _call(self, source: Source, query: Query, depth: int) -> tuple[Col, ...]:
        inner = () if source.inner is None else self.columns(source.inner, query, depth + 1)
        if source.name.casefold() == ROWS_FUNCTION:
            return (Col(ROW_ID, "BIGINT", table=source.inner.name if source.inner else ""), *inner)
        if source.name in WINDOW_FUNCTIONS:
            return (*inner, *(Col(name, "TIMESTAMP") for name in _WINDOW))
        if source.name in TABLE_FUNCTIONS:
            from luma_bench.models.series.functions import FUNCTIONS

            return (
                *inner,
                *(Col(item.name, str(item.type or "")) for item in FUNCTIONS[source.name].columns),
            )
        if source.name == "GRAPH_TABLE":
            pattern = next((item for item in query.patterns if source.first <= item.first), None)
            return self._named(source.outputs, query, pattern, depth)
        if source.name in ALGORITHMS:
            from luma_bench.models.graph.algorithms import ALGORITHMS as SPECS

            return (Col("id"), *(Col(item.name, str(item.type)) for item in SPECS[source.name].results))
        return (Col(source.name.casefold()),) if source.name in _OWN_NAMED else ()

    # --- what queries give ---

    def outputs(self, query: Query, depth: int = 0) -> tuple[Col, ...]:
        """The columns that a query gives, as far as its text says their names."""
        if depth > _DEEPEST or not query.members:
            return ()
        member = query.members[0]
        if not member.outputs and member.kind == "select":
            # FROM t alone gives every column.
            return tuple(
                column for source in member.sources for column in self.columns(source, query, depth + 1)
            )
        return self._named(member.outputs, query, member.pattern, depth, member)

    def _named(
        self,
        outputs: list[Output],
        query: Query,
        pattern: Pattern | None,
        depth: int,
        member: Member | None = None,
    ) -> tuple[Col, ...]:
        sources = [] if member is None else member.sources
        found: list[Col] = []
        for output in outputs:
            if output.star is not None:
                for source in sources:
                    if not output.star or source.alias.casefold() == output.star.casefold():
                        found += [
                            column
                            for column in self.columns(source, query, depth + 1)
                            if column.name.casefold() not in output.excluded
                        ]
            elif output.name:
                origin = self._origin(output, query, sources, pattern, depth)
                found.append(Col(output.name) if origin is None else origin.named(output.name))
        return tuple(found)

    def _origin(
        self, output: Output, query: Query, sources: list[Source], pattern: Pattern | None, depth: int
    ) -> Col | None:
        """The column that a plain name stands for; None for another expression."""
        if not output.path or depth > _DEEPEST:
            return None
        *owner, name = output.path
        if pattern is not None and len(owner) == 1:
            variable = variable_of(pattern, owner[0])
            return None if variable is None else _found(self.properties(variable, pattern), name)
        for source in sources:
            if not owner or source.alias.casefold() == owner[-1].casefold():
                column = _found(self.columns(source, query, depth + 1), name)
                if column is not None:
                    return column
        return None

    # --- members ---

    def members(self, query: Query, index: int, path: tuple[str, ...]) -> tuple[Col, ...] | None:
        """What may stand behind `path.`: columns of a relation, fields of a struct, properties; None where nothing is known."""
        pattern = self.pattern(query, index)
        if pattern is not None:
            variable = variable_of(pattern, path[0])
            if variable is not None:
                found = self.properties(variable, pattern)
                return _deeper(found, path[1:])
        relations = list(self.visible(query, index))
        for relation in relations:
            if relation.alias.casefold() == path[0].casefold():
                return _deeper(relation.columns, path[1:])
        for relation in relations:
            # `sales.orders.id`, or the name of a table that has an alias, which only completion takes.
            if (
                relation.source.kind == "table"
                and relation.source.name.casefold() == ".".join(path).casefold()
            ):
                return relation.columns
        for relation in relations:
            if _found(relation.columns, path[0]) is not None:
                return _deeper(relation.columns, path)
        return self.known.columns(".".join(path))

    def pattern(self, query: Query, index: int) -> Pattern | None:
        """The graph pattern whose variables may be named at a token."""
        at: Query | None = query
        while at is not None:
            for pattern in at.patterns:
                if pattern.first < index <= pattern.last:
                    return pattern
            member = at.member_at(index)
            if member is not None and member.pattern is not None:
                return member.pattern
            at = at.parent
        return None

    def graphs(self, pattern: Pattern) -> list[PropertyGraph]:
        """The graph that a pattern is matched in; all there are where it names none and there are several."""
        named = [pattern.graph] if pattern.graph else self.known.graphs()
        found = (self.known.graph(name) for name in named)
        return [graph for graph in found if graph is not None]

    def properties(self, variable: Variable, pattern: Pattern) -> tuple[Col, ...]:
        """The properties of what a variable may be."""
        if variable.part == "path":
            return ()
        wanted = {label.casefold() for label in variable.labels}
        found: dict[str, Col] = {}
        for graph in self.graphs(pattern):
            for item in graph.vertices if variable.part == "vertex" else graph.edges:
                if not wanted or any(label.casefold() in wanted for label in item.labels):
                    for column in self.known.properties(item):
                        found.setdefault(column.name.casefold(), column)
        return tuple(found.values())


def variable_of(pattern: Pattern, name: str) -> Variable | None:
    """The variable of a name, with all labels that its mentions give; ignoring case."""
    named = [item for item in pattern.variables if item.name and item.name.casefold() == name.casefold()]
    if not named:
        return None
    labels = next((item.labels for item in named if item.labels), ())
    return Variable(named[0].name, named[0].part, labels, named[0].first)


def _holds(query: Query | None, index: int) -> bool:
    return query is not None and query.first <= index <= query.last


def _found(columns: tuple[Col, ...], name: str) -> Col | None:
    folded = name.casefold()
    return next((column for column in columns if column.name.casefold() == folded), None)


def _deeper(columns: tuple[Col, ...], path: tuple[str, ...]) -> tuple[Col, ...]:
    """The fields of the struct that a path of names leads to; the columns themselves for no path."""
    for name in path:
        column = _found(columns, name)
        if column is None:
            return ()
        columns = fields_of(column)
    return columns
