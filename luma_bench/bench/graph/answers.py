"""The columns of a match's relation: which there are, and their values for a batch of bindings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from luma_bench.bench.graph.conditions import unknown_property
from luma_bench.bench.graph.keys import Elements, Kind, plain
from luma_bench.bench.graph.matching import labelled
from luma_bench.bench.graph.moments import as_times
from luma_bench.bench.graph.narrowed import narrowed
from luma_bench.language.graph.pattern import WEIGHT, EdgePattern, Match, Use
from luma_bench.models.graph.bindings import Bindings, Lists
from luma_bench.models.graph.topology import Ids, Ints, Topology
from luma_bench.types.arrays import integers
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_types import engine_type

_PATH: Mapping[str, str] = {
    "@nodes": "nodes", "@edges": "edges", "@length": "length", "@cost": "cost",
    "@departure": "departure", "@arrival": "arrival",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable of a pattern is: `group` for an edge inside a quantifier; `places` its tables."""

    name: str
    kind: Kind
    places: tuple[int, ...]
    group: bool = False


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column of the relation: of `variable` its property, or `part`: key, id, label, or a part of a path."""

    field: pa.Field
    variable: str
    part: str
    property: str | None = None


@dataclass(slots=True)
class Answers:
    """Makes the columns that a query reads of a match.

    Parameters
    ----------
    whole
        The user's whole text, for errors.
    times
        The type of departures and arrivals.

    Attributes
    ----------
    possible
        The places of the tables that elements of matches are of, by variable: columns have the types that these have.
    """

    match: Match
    whole: str
    elements: Elements
    times: pa.DataType = field(default_factory=pa.int64)
    variables: dict[str, Variable] = field(default_factory=dict[str, Variable])
    columns: dict[str, AnswerColumn] = field(default_factory=dict[str, AnswerColumn])
    possible: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def __post_init__(self) -> None:
        graph = self.elements.graph
        for clause in self.match.clauses:
            # What an optional clause says of an earlier variable holds for the clause alone.
            before = set(self.variables) if clause.optional else set[str]()
            for path in clause.paths:
                for item in path.elements:
                    if item.variable in before:
                        continue
                    if isinstance(item, EdgePattern):
                        places = labelled(graph.edges_labelled, item, graph.edge_labels, self.whole, "edge")
                        made = Variable(item.variable, "edge", places, item.quantifier is not None)
                    else:
                        places = labelled(
                            graph.vertices_labelled, item, graph.vertex_labels, self.whole, "vertex"
                        )
                        known = self.variables.get(item.variable)
                        if known is not None:
                            places = tuple(place for place in known.places if place in places)
                        made = Variable(item.variable, "vertex", places)
                    self.variables[item.variable] = made
        known = {name: variable.places for name, variable in self.variables.items()}
        self.possible = narrowed(self.match, graph, known)
        self._check_conditions()
        # The columns of v.* come first: a star lists them in the order of the relation, which is to be the table's.
        for name in self.match.star:
            variable = self.variables[name]
            for item in self.elements.properties(variable.kind, variable.places):
                use = Use(f"{name}.{item}", name, item, self.match.span)
                self.columns.setdefault(use.column.casefold(), self._column(use))
        for use in self.match.uses:
            if use.column.casefold() not in self.columns:
                self.columns[use.column.casefold()] = self._column(use)

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, the columns, and how many matches a row stands for."""
        fields = [pa.field(ROW_ID, pa.int64(), False), *(item.field for item in self.columns.values())]
        return pa.schema([*fields, pa.field(WEIGHT, pa.int64(), False)])

    def stored_columns(self, name: str) -> tuple[str, ...]:
        """The columns of tables, as `table.column`, that a column's values are of."""
        column = self.columns.get(name.casefold())
        if column is None or column.part not in ("property", "key", "nodes", "edges"):
            return ()
        variable = self.variables.get(column.variable)
        kind: Kind = "edge" if column.part == "edges" else "vertex" if variable is None else variable.kind
        tables = self.elements.tables(kind)
        found: list[str] = []
        for place in range(len(tables)) if variable is None else self.possible[column.variable]:
            if column.property is None:
                own = [*tables[place].key]
            else:
                stored = self.elements.column(kind, place, column.property)
                own = [] if stored is None else [stored]
            found += [f"{tables[place].table}.{item}" for item in own]
        return tuple(dict.fromkeys(found))

    def promoted(self) -> dict[str, str] | None:
        """The SQL types of the columns that tables have in types of their own; None where only text holds them all."""
        found: dict[str, str] = {}
        for column in self.columns.values():
            fields = self._stored_fields(column)
            if len({plain(item.type) for item in fields}) < 2:
                continue
            whole = column.field.type
            inner = whole.value_type if pa.types.is_list(whole) else whole
            name = None if pa.types.is_string(inner) else engine_type(inner)
            if name is None:
                return None
            found[column.field.name] = f"{name}[]" if inner is not whole else name
        return found

    def _stored_fields(self, column: AnswerColumn) -> list[pa.Field]:
        """The fields of a property or key in each of the tables that its values are of."""
        if column.part not in ("property", "key", "nodes", "edges"):
            return []
        variable = self.variables.get(column.variable)
        kind: Kind = "edge" if column.part == "edges" else "vertex" if variable is None else variable.kind
        count = len(self.elements.tables(kind))
        places = range(count) if variable is None else self.possible[column.variable]
        if column.property is None:
            return [self.elements.key_field(kind, (place,)) for place in places]
        made = [self.elements.property_field(kind, (place,), column.property) for place in places]
        return [item for item in made if item is not None]

    def _check_conditions(self) -> None:
        for clause in self.match.clauses:
            said = [(item.variable, item.conditions) for path in clause.paths for item in path.elements]
            for variable, conditions in said:
                for condition in conditions:
                    for name, span in condition.properties:
                        self._property(self.variables[variable], name, span)
            for path in clause.paths:
                for edge in path.edges:
                    for name, span in () if edge.cost is None else edge.cost.properties:
                        self._property(self.variables[edge.variable], name, span)
            if clause.time is not None:
                for expression in (clause.time.depart, clause.time.arrive):
                    for name, span in expression.properties:
                        self._property(self.variables[clause.time.variable], name, span)

    def _property(self, variable: Variable, name: str, span: tuple[int, int]) -> pa.Field:
        # Labels that exclude each other leave no table, and match nothing; its properties are looked up in all of them.
        places = variable.places or tuple(range(len(self.elements.tables(variable.kind))))
        found = self.elements.property_field(variable.kind, places, name)
        if found is None:
            tables = [self.elements.tables(variable.kind)[place] for place in places]
            known = self.elements.properties(variable.kind, places)
            raise unknown_property(self.whole, span, variable.name, name, tables, known)
        return found

    def _column(self, use: Use) -> AnswerColumn:
        part = use.column.rpartition(".")[2]
        variable = self.variables.get(use.variable)
        if variable is None:
            return AnswerColumn(self._path_field(use, part), use.variable, _PATH[part])
        if use.property is not None:
            possible = self.possible[use.variable]
            made = self._property(variable, use.property, use.span)
            made = self.elements.property_field(variable.kind, possible, use.property) or made
            made = made.with_name(use.column)
            column = AnswerColumn(made, use.variable, "property", use.property)
        elif part == "@id":
            column = AnswerColumn(pa.field(use.column, pa.int64()), use.variable, "id")
        elif part == "@label":
            column = AnswerColumn(pa.field(use.column, pa.string()), use.variable, "label")
        else:
            made = self.elements.key_field(variable.kind, self.possible[use.variable]).with_name(use.column)
            column = AnswerColumn(pa.field(made.name, made.type, True, made.metadata), use.variable, "key")
        if not variable.group:
            return column
        return AnswerColumn(listed(column.field), column.variable, column.part, column.property)

    def _path_field(self, use: Use, part: str) -> pa.Field:
        if part in ("@nodes", "@edges"):
            kind: Kind = "vertex" if part == "@nodes" else "edge"
            made = self.elements.key_field(kind, range(len(self.elements.tables(kind))))
            return listed(made.with_name(use.column))
        kinds = {"@length": pa.int64(), "@cost": pa.float64()}
        return pa.field(use.column, kinds.get(part, self.times))

    def arrays(self, names: list[str], bindings: Bindings, topology: Topology, first: int) -> list[pa.Array]:
        """The values of columns for a batch, whose first row has the number `first`."""
        made: list[pa.Array] = []
        for name in names:
            if name == ROW_ID:
                made.append(integers(np.arange(first, first + bindings.rows)))
            elif name == WEIGHT:
                ones = np.ones(bindings.rows, np.int64) if bindings.weights is None else bindings.weights
                made.append(integers(ones))
            else:
                made.append(self._array(self.columns[name.casefold()], bindings, topology))
        return made

    def _array(self, column: AnswerColumn, bindings: Bindings, topology: Topology) -> pa.Array:
        variable = self.variables.get(column.variable)
        if variable is None:
            return self._path(column, bindings, topology)
        if variable.group:
            lists = bindings.groups[column.variable]
            return as_lists(lists, self._values(column, variable, topology, lists.values), column.field.type)
        if variable.kind == "vertex":
            return self._values(column, variable, topology, bindings.nodes[column.variable])
        return self._values(column, variable, topology, bindings.edges[column.variable])

    def _values(
        self, column: AnswerColumn, variable: Variable, topology: Topology, ids: Ints | Ids
    ) -> pa.Array:
        made = column.field
        if variable.group:
            made = made.type.value_field
        match column.part:
            case "id":
                return pa.array(ids.astype(np.int64, copy=False), mask=ids < 0)
            case "label":
                return self.elements.label(variable.kind, topology, ids)
            case "key":
                return self.elements.key(variable.kind, variable.places, made, topology, ids)
            case _:
                assert column.property is not None
                return self.elements.property(
                    variable.kind, variable.places, column.property, made, topology, ids
                )

    def _path(self, column: AnswerColumn, bindings: Bindings, topology: Topology) -> pa.Array:
        path = bindings.paths[column.variable]
        valid = path.nodes.valid
        match column.part:
            case "length":
                return pa.array(np.diff(path.edges.offsets), mask=None if valid is None else ~valid)
            case "cost":
                assert path.cost is not None
                return pa.array(path.cost, mask=None if valid is None else ~valid)
            case "departure" | "arrival":
                values = path.departure if column.part == "departure" else path.arrival
                assert values is not None
                # A path may have edges, and none of those that times are about.
                known = values != np.iinfo(np.int64).min
                known = known if valid is None else valid & known
                return as_times(values, self.times, known if not known.all() else None)
            case _:
                kind: Kind = "vertex" if column.part == "nodes" else "edge"
                lists = path.nodes if kind == "vertex" else path.edges
                places = range(len(self.elements.tables(kind)))
                inner = column.field.type.value_field
                values = self.elements.key(kind, places, inner, topology, lists.values)
                return as_lists(lists, values, column.field.type)


def listed(item: pa.Field) -> pa.Field:
    """The field of lists of a field's values."""
    return pa.field(item.name, pa.list_(pa.field("item", plain(item.type), True, item.metadata)))


def as_lists(lists: Lists, values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Lists of values as an Arrow array."""
    offsets = pa.array(lists.offsets.astype(np.int32))
    mask = None if lists.valid is None else pa.array(~lists.valid)
    return pa.ListArray.from_arrays(offsets, values, type=kind, mask=mask)
