"""The lineage of a text's one statement, over the tables and views at the snapshot it would run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from luma_bench.bench.ask import Ask
from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.views import STORED
from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language import Merge, Query
from luma_bench.language.placed import Kind
from luma_bench.plan.engine import View
from luma_bench.plan.lineage import ColumnLineage, Lineage, change_lineage, query_lineage
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import ROWS_PREFIX, rows_relation

if TYPE_CHECKING:
    from luma_bench.bench.statements import Statements

_WRITING = frozenset(
    {
        Kind.INSERT,
        Kind.UPDATE,
        Kind.DELETE,
        Kind.MERGE,
        Kind.CREATE_TABLE,
        Kind.CREATE_TABLE_AS,
        Kind.CREATE_VIEW,
    }
)


def lineage_of(statements: Statements, text: str, ask: Ask) -> Lineage:
    """The lineage of a query or of a statement that writes rows; nothing runs.

    Raises
    ------
    KadeQLError
        The text is wrong, or holds more than one statement.
    """
    found = statements.parse(text)
    if len(found) != 1:
        second = found[1] if len(found) > 1 else None
        raise KadeQLUnsupportedError(
            "Lineage is of one statement.",
            text=text,
            span=None if second is None else (second.start, second.end),
            hint="Ask for one statement after the other.",
        )
    statement = found[0]
    runner = statements.runner
    snapshot = runner.resolve(ask)
    if not isinstance(statement, Query):
        tables: dict[str, Sequence[str]] = {table.name: table.names for table in snapshot.tables.values()}
        if statement.kind not in _WRITING:
            return Lineage(statement.source, (), unknown=f"{statement.kind.value} writes no columns")
        reads = statement.sources if isinstance(statement, Merge) else getattr(statement, "query", None)
        views = runner.bind(reads, ask, snapshot).inputs.views if isinstance(reads, Query) else ()
        return change_lineage(statement.source, tables, _views(views))
    bound = runner.bind(statement, ask, snapshot)
    if bound.inputs.files is not None:
        return Lineage(statement.source, (), unknown="it reads files, whose columns no snapshot holds")
    tables = {name: list(source.schema.names)[1:] for name, source in bound.inputs.sources.items()}
    tables |= {name: list(table.schema.names) for name, table in bound.inputs.relations.items()}
    try:
        names = statements.schema(text, ask).names
    except KadeQLUnsupportedError as error:
        return Lineage(statement.source, (), unknown=error.message)
    tables |= {rows_relation(name): source.schema.names for name, source in bound.inputs.sources.items()}
    told = query_lineage(bound.fragment.text, tables, _views(bound.inputs.views), names)
    columns = tuple(_stored(column, bound.inputs.sources) for column in told.columns)
    return replace(told, text=statement.source, columns=columns)


def _stored(column: ColumnLineage, sources: Mapping[str, ScanSource]) -> ColumnLineage:
    """A column with its sources as the catalog names them: what a graph answers comes from the tables of the graph."""
    found: dict[str, None] = {}
    graphs = {name: source for name, source in sources.items() if isinstance(source, IslandRelation)}
    for name in column.sources:
        relation = next((item for item in graphs if name.startswith(f"{item}.")), None)
        if relation is None:
            found[_stored_column(name)] = None
            continue
        told = graphs[relation].stored_columns(name[len(relation) + 1 :])
        if told is None:
            whole = "an algorithm computes it from the whole graph"
            series = "a construct about series computes it from many rows"
            return replace(column, sources=(), unknown=whole if graphs[relation].model == "graph" else series)
        found.update(dict.fromkeys(told))
    return replace(column, sources=tuple(found))


def _stored_column(source: str) -> str:
    """A source as the catalog names it: not as its raw rows, nor as what a relation of the call hides."""
    table, point, column = source.removeprefix(ROWS_PREFIX).partition(f"{STORED}.")
    return f"{table}.{column}" if point else table


def _views(views: Sequence[View]) -> Mapping[str, tuple[str, Sequence[str]]]:
    return {view.name: (view.sql, view.columns) for view in views}
