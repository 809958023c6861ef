"""A match as joins over the stored tables: the same relation as a view, where its plan says that joins are better.

What the pattern says of single elements is asked first, as for every plan, and stands beside the view as relations of row
ids: so a view holds no parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from luma_bench.bench.graph.conditions import Asked, Conditions, constant
from luma_bench.bench.graph.scan import MatchScan
from luma_bench.language.graph.pattern import Condition, Expression, Use, Value
from luma_bench.plan.engine import Inputs, View
from luma_bench.plan.graph.to_sql import joins
from luma_bench.plan.graph.to_sql_elements import Answered
from luma_bench.types.graph import ElementTable
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_text import quoted


@dataclass(slots=True)
class Joined:
    """Makes the view of one match; `relations` are what it reads beside the tables."""

    scan: MatchScan
    asked: Asked
    conditions: Conditions
    relations: dict[str, Any] = field(default_factory=dict[str, Any])

    def view(self) -> View | None:
        """The view; None where joins cannot give the relation."""
        match, elements = self.scan.match, self.scan.answers.elements
        graph, view = elements.graph, self.asked.view
        sources = {
            name: self.asked.columns.source(view, name, self.asked.ask.identity) for name in graph.tables
        }
        used: list[Use] = []
        for name in match.star:
            variable = self.scan.answers.variables[name]
            names = elements.properties(variable.kind, variable.places)
            used += [Use(f"{name}.{item}", name, item, match.span) for item in names]
        used += match.uses
        types = self.scan.answers.promoted()
        if types is None:
            return None
        sql = joins(
            match,
            graph,
            {name: source.schema.names[1:] for name, source in sources.items()},
            used,
            types=types,
            answered=Answered(self._rows, self._values, self._constant),
            rows={name: source.rows() for name, source in sources.items()},
        )
        return None if sql is None else View(match.alias, sql)

    def _rows(self, condition: Condition, element: ElementTable) -> str:
        rows = self.conditions.rows(
            condition, element, self.asked, self._lacking(element, condition.properties)
        )
        return self._held(pa.table({ROW_ID: pa.array(rows)}))

    def _values(self, expression: Expression, element: ElementTable) -> str:
        rows, values = self.conditions.values(
            expression, element, self.asked, self._lacking(element, expression.properties)
        )
        return self._held(pa.table({ROW_ID: pa.array(rows), "value": values}))

    def _lacking(
        self, element: ElementTable, properties: Sequence[tuple[str, tuple[int, int]]]
    ) -> list[pa.Field]:
        return self.scan.answers.elements.lacking(element, properties)

    def _constant(self, value: Value) -> str:
        found = constant(value, self.asked)
        name = self._held(pa.table({"value": pa.array([found.as_py()], found.type)}))
        return f"(SELECT value FROM {quoted(name)})"

    def _held(self, table: pa.Table) -> str:
        name = f"{self.scan.match.alias} {len(self.relations)}"
        self.relations[name] = table
        return name


def as_joins(
    scan: MatchScan,
    inputs: Inputs,
    asked: Asked,
    conditions: Conditions,
    source: Callable[[str], ScanSource],
) -> Inputs | None:
    """The inputs of a statement with a match as a view; None where it cannot be one.

    Parameters
    ----------
    source
        Gives the rows of a table of the graph.
    """
    tables = scan.answers.elements.graph.tables
    taken = {name.casefold() for name in (*inputs.relations, *(view.name for view in inputs.views))}
    if any(name.casefold() in taken for name in tables):
        return None
    made = Joined(scan, asked, conditions)
    view = made.view()
    if view is None:
        return None
    sources = {name: item for name, item in inputs.sources.items() if name != scan.match.alias}
    for name in tables:
        if name not in sources:
            sources[name] = source(name)
    relations = {**inputs.relations, **made.relations}
    return replace(inputs, sources=sources, relations=relations, views=(view, *inputs.views))
