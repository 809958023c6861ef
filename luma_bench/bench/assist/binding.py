"""Binding a statement without running it: what DuckDB's binder, and the readers of islands, say of its names and types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from luma_bench.bench.allowed import FileRefused
from luma_bench.bench.ask import Ask
from luma_bench.bench.describing import described
from luma_bench.bench.locating import located
from luma_bench.bench.row_changes import target
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError, SchemaError
from luma_bench.language import (
    AlterTable,
    AlterView,
    CommentOn,
    DropTable,
    DropView,
    Execute,
    Explain,
    Insert,
    Parameter,
    Prepare,
    Query,
    Statement,
    Truncate,
)
from luma_bench.language.files import file_calls
from luma_bench.language.merge import RowStatement, finding
from luma_bench.language.placed import Kind, queries_of

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.bench.statements import Statements
    from luma_bench.storage.store import ResolvedSnapshot

_UNTOLD: Final = ("hangs on the value of a parameter", "are known only when it has run")
"""What the binder cannot tell before the statement runs: no problem of the text."""
_CHANGES: Final = frozenset({Kind.UPDATE, Kind.DELETE, Kind.INSERT, Kind.MERGE})
_BODIES: Final = frozenset(
    {Kind.CREATE_TABLE_AS, Kind.CREATE_VIEW, Kind.COPY_TO, Kind.SUMMARIZE, Kind.DESCRIBE}
)


def bind(
    bench: Bench, pinned: ResolvedSnapshot, statement: Statement, tables: Mapping[str, pa.Schema]
) -> None:
    """Bind every query of a statement at a snapshot; nothing runs, and no row is read.

    Parameters
    ----------
    tables
        The notebook's tables by name.

    Raises
    ------
    LumaError
        A name or type does not resolve; a `KadeQLError` points into the statement's whole text.
    """
    statements = bench._machinery.statements
    given: dict[str, Any] = {name: schema.empty_table() for name, schema in tables.items()}
    for query, names in _bound(statements, statement, bench, pinned, given):
        params = dict.fromkeys(names)
        ask = Ask(params, "duckdb", view=pinned, tables=given, cache=False, identity=bench.identity)
        if any(isinstance(pin.value, Parameter) for pin in query.pins):
            continue  # which snapshot it reads is known when it runs
        _describe(statements, query, ask, pinned)


def check_names(bench: Bench, pinned: ResolvedSnapshot, statement: Statement) -> None:
    """Check the tables, views and columns that a definition or an INSERT names, which no query of it reads.

    Raises
    ------
    KadeQLBindError
        There is none of a name; it points into the statement's whole text.
    """
    ask = Ask(identity=bench.identity)
    match statement:
        case Insert():
            table = target(pinned, statement.table, statement.table_span, statement.whole, ask)
            for name, span in zip(statement.columns or (), statement.column_spans, strict=False):
                try:
                    table.column(name)
                except SchemaError as error:
                    raise KadeQLBindError(
                        error.message, text=statement.whole, span=span, hint=error.hint
                    ) from error
        case Truncate() | CommentOn():
            target(pinned, statement.table, statement.table_span, statement.whole, ask)
        case AlterTable() if not statement.if_exists:
            target(pinned, statement.table, statement.table_span, statement.whole, ask)
        case DropTable() if not statement.if_exists:
            at = statement.whole.casefold().rfind(statement.name.casefold(), statement.start, statement.end)
            span = (at, at + len(statement.name)) if at >= 0 else (statement.start, statement.end)
            target(pinned, statement.name, span, statement.whole, ask)
        case DropView() | AlterView() if not statement.if_exists:
            if pinned.object("view", statement.name) is None:
                known = [item.name for item in pinned.objects_of("view")]
                absent = CatalogError.unknown_object("view", statement.name, known)
                raise KadeQLBindError(
                    absent.message, text=statement.whole, span=statement.name_span, hint=absent.hint
                )
        case _:
            return


def _describe(statements: Statements, query: Query, ask: Ask, pinned: ResolvedSnapshot) -> None:
    if file_calls(query.sql):
        return  # what files hold is known to who opens them, and typing opens none
    try:
        bound = statements.runner.binder.bind(query, ask, pinned, types_only=True)
        if bound.inputs.files is not None:
            return  # a view reads them
        try:
            described(statements.runner.binder.inspector, bound)
        except KadeQLError as error:
            raise located(error, bound.query) from error
    except FileRefused:
        return  # a view reads files that this process may not open, which the one that runs it may
    except KadeQLError as error:
        refused = isinstance(error.__cause__, FileRefused)
        if not refused and not any(text in error.plain for text in _UNTOLD):
            raise


def _bound(
    statements: Statements,
    statement: Statement,
    bench: Bench,
    pinned: ResolvedSnapshot,
    tables: Mapping[str, Any],
) -> Iterator[tuple[Query, frozenset[str]]]:
    """The queries that a statement would run, each with its parameters."""
    match statement:
        case Query():
            yield statement, _params(statement)
        case Explain():
            if statement.changed is None:
                yield statement.query, _params(statement.query)
            else:
                yield from _change(statements, statement.changed, bench, pinned, tables)
        case Prepare():
            yield from _bound(statements, statement.statement, bench, pinned, tables)
        case Execute():
            return
        case _:
            if statement.kind in _CHANGES:
                yield from _change(statements, cast("RowStatement", statement), bench, pinned, tables)
            elif statement.kind in _BODIES:
                for query in queries_of(statement):
                    yield query, _params(query)


def _change(
    statements: Statements,
    statement: RowStatement,
    bench: Bench,
    pinned: ResolvedSnapshot,
    tables: Mapping[str, Any],
) -> Iterator[tuple[Query, frozenset[str]]]:
    """The query that finds the rows of a change, as it would run."""
    names = frozenset(name for query in queries_of(statement) for name in _params(query))
    ask = Ask(
        dict.fromkeys(names), "duckdb", view=pinned, tables=tables, cache=False, identity=bench.identity
    )
    found = statements.writer.rows.finding(statement, ask, pinned) or finding(statement)
    yield found, names | _params(found)


def _params(query: Query) -> frozenset[str]:
    return query.params | query.island_params | query.pin_params
