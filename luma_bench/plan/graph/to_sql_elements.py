"""Nodes and edges of a pattern as relations of SQL: rows of the stored tables, with their conditions and what is read of them.

A vertex is told from others by its table's place and its row id in one number, an edge likewise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from luma_bench.language.graph.pattern import ELEMENT, Condition, Expression, Value
from luma_bench.types.graph import EdgeEnd, EdgeTable, ElementTable, PropertyGraph
from luma_bench.types.schema import ROW_ID, rows_relation
from luma_bench.types.sql_text import quoted, string_literal

_ROWS: Final = quoted(rows_relation(ELEMENT))
_CONDITION: Final = re.compile(
    rf"SELECT (\S+)\._rowid FROM {re.escape(_ROWS)} AS \1 WHERE (\(.*\))", re.DOTALL
)
_EXPRESSION: Final = re.compile(
    rf"SELECT (\S+)\._rowid, (\(.*\)) AS value FROM {re.escape(_ROWS)} AS \1", re.DOTALL
)
_PLACE: Final = 48
"""The bits of an element's number that hold its row id."""
_RANK: Final = 40


def _nowhere(_thing: object, _element: ElementTable) -> str | None:
    return None


def _unknown(_value: Value) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Answered:
    """What the caller has answered already, as nothing of a view may hold a parameter.

    Attributes
    ----------
    rows
        The relation with the `_rowid`s that fulfil a condition, for an element's table; None to ask in place.
    values
        The relation with `_rowid` and `value` of an expression; None to ask in place.
    constant
        A value of the pattern as SQL; None to ask in place.
    """

    rows: Callable[[Condition, ElementTable], str | None] = _nowhere
    values: Callable[[Expression, ElementTable], str | None] = _nowhere
    constant: Callable[[Value], str | None] = _unknown


class Output(NamedTuple):
    """A column that is read of an element: its name in the match's relation, and what it is."""

    name: str
    kind: str
    """`key`, `label` or `property`."""
    property: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """The tables of a graph, and how their rows are named.

    Attributes
    ----------
    columns
        The columns of each stored table, in order.
    """

    graph: PropertyGraph
    columns: Mapping[str, Sequence[str]]
    answered: Answered = field(default_factory=Answered)

    def constant(self, value: Value) -> str:
        """A value of the pattern as an expression."""
        return self.answered.constant(value) or f"({value.query.sql})"

    def element(
        self,
        element: ElementTable,
        outputs: Iterable[Output],
        raw: Iterable[str],
        conditions: Iterable[Condition] = (),
        expressions: Mapping[str, Expression] | None = None,
        alike: Sequence[ElementTable] = (),
    ) -> str:
        """Rows of an element's table: `_rowid`, `@c <column>` of each raw column, outputs, and expressions by their names.

        A property that the table has not is NULL, in the type that the first of the tables `alike` has it.
        """
        conditions, expressions = tuple(conditions), expressions or {}
        wanted = [item for item in outputs if item.kind == "property"]
        read = [name for item in conditions for name, _ in item.properties]
        read += [name for item in expressions.values() for name, _ in item.properties]
        read += [item.property for item in wanted]
        properties = {name.casefold(): name for name in read}
        given = [f"{self._property(element, name, alike)} AS {quoted(name)}" for name in properties.values()]
        stored = f"FROM {quoted(rows_relation(element.table))}"
        alone = f"SELECT {', '.join([ROW_ID, *given])} {stored}"
        held = [f"{quoted(name)} AS {column(name)}" for name in dict.fromkeys(raw)]
        sql = f"SELECT {', '.join([ROW_ID, *given, *held])} {stored}"
        for condition in conditions:
            sql = self._fulfilled(sql, alone, condition, element)
        for name, expression in expressions.items():
            sql = self._valued(sql, alone, name, expression, element)
        kept = [ROW_ID, *(column(name) for name in dict.fromkeys(raw)), *map(quoted, expressions)]
        kept += [
            f"{quoted(properties[item.property.casefold()])} AS {quoted(item.name)}"
            if item.kind == "property"
            else f"{self._named(element, item)} AS {quoted(item.name)}"
            for item in outputs
        ]
        return f"SELECT {', '.join(kept)} FROM ({sql}) AS row"

    def vertices(self, place: int) -> str:
        """Every vertex of a table: `@id`, `@key`, `@rank` and `@c <column>` of each column that edges refer to."""
        table = self.graph.vertices[place]
        raw = list(dict.fromkeys((*table.key, *self._referred(table.name))))
        keys = ", ".join(map(column, table.key))
        return (
            f'SELECT {number(place)} AS "@id", {key(table)} AS "@key", {", ".join(map(column, raw))},'
            f' row_number() OVER (ORDER BY {keys}) + {place << _RANK} AS "@rank"'
            f" FROM ({self.element(table, (), raw)}) AS row"
        )

    def _referred(self, name: str) -> list[str]:
        ends = [end for table in self.graph.edges for end in (table.source, table.destination)]
        return [each for end in ends if end.vertex.casefold() == name.casefold() for each in end.keys]

    def _property(self, element: ElementTable, name: str, alike: Sequence[ElementTable]) -> str:
        own = self._column(element, name)
        if own is not None:
            return quoted(own)
        for other in alike:
            theirs = self._column(other, name)
            if theirs is not None:
                return f"(SELECT {quoted(theirs)} FROM {quoted(rows_relation(other.table))} LIMIT 0)"
        return "NULL"

    def _column(self, element: ElementTable, name: str) -> str | None:
        folded = name.casefold()
        found = element.columns(self.columns[element.table])
        return next((held for each, held in found.items() if each.casefold() == folded), None)

    def _named(self, element: ElementTable, item: Output) -> str:
        return key(element) if item.kind == "key" else string_literal(element.labels[0])

    def _fulfilled(self, sql: str, alone: str, condition: Condition, element: ElementTable) -> str:
        held = self.answered.rows(condition, element)
        if held is not None:
            return f"SELECT * FROM ({sql}) AS row WHERE {ROW_ID} IN (SELECT {ROW_ID} FROM {quoted(held)})"
        plain = _CONDITION.fullmatch(condition.query.sql)
        if plain is not None:
            return f"SELECT * FROM ({sql}) AS {plain[1]} WHERE {plain[2]}"
        asked = condition.query.sql.replace(_ROWS, f"({alone})")
        return f"SELECT * FROM ({sql}) AS row WHERE {ROW_ID} IN ({asked})"

    def _valued(self, sql: str, alone: str, name: str, expression: Expression, element: ElementTable) -> str:
        held = self.answered.values(expression, element)
        plain = _EXPRESSION.fullmatch(expression.query.sql)
        if held is None and plain is not None:
            return f"SELECT *, {plain[2]} AS {quoted(name)} FROM ({sql}) AS {plain[1]}"
        asked = quoted(held) if held is not None else f"({expression.query.sql.replace(_ROWS, f'({alone})')})"
        return (
            f"SELECT row.*, answer.value AS {quoted(name)} FROM ({sql}) AS row"
            f" JOIN {asked} AS answer ON answer.{ROW_ID} = row.{ROW_ID}"
        )


class Option(NamedTuple):
    """A way an edge pattern can hold: an edge table, walked with its direction or against it, between two vertex tables."""

    table: int
    forward: bool
    left: int
    right: int


def ends(edge: EdgeTable, forward: bool) -> tuple[EdgeEnd, EdgeEnd]:
    """The ends of an edge as it is walked."""
    return (edge.source, edge.destination) if forward else (edge.destination, edge.source)


def column(name: str) -> str:
    """What a raw column of a table is called in an element's relation."""
    return quoted(f"@c {name}")


def number(place: int) -> str:
    """What tells an element from all others, of a row of the table at a place."""
    return f"{ROW_ID} + {place << _PLACE}" if place else ROW_ID


def key(element: ElementTable) -> str:
    """The key of an element's row: a value, or a struct of several; the row id of an edge without a key."""
    if len(element.key) == 1:
        return column(element.key[0])
    if not element.key:
        return ROW_ID
    return "{" + ", ".join(f"{string_literal(name)}: {column(name)}" for name in element.key) + "}"


def during(table: EdgeTable, moment: str) -> list[str]:
    """The conditions of VALID AT for the rows of an edge table, over its raw columns."""
    if table.valid_from is None and table.valid_to is None:
        return []
    found = [f"{moment} IS NOT NULL"]
    if table.valid_from is not None:
        found.append(f"({column(table.valid_from)} IS NULL OR {column(table.valid_from)} <= {moment})")
    if table.valid_to is not None:
        found.append(f"({column(table.valid_to)} IS NULL OR {moment} < {column(table.valid_to)})")
    return found
