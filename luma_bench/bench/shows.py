"""SHOW and DESCRIBE answered from the catalog: what a bench holds at the snapshot that is read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.catalog_text import create_view_text, rules_of, schema_and_name
from luma_bench.bench.graph.definitions import graph_item, graph_of
from luma_bench.bench.graph.shown import create_graph_text, element_rows, graph_rows
from luma_bench.bench.namespaces import MAIN
from luma_bench.bench.policing import policy_rows
from luma_bench.bench.result import Result
from luma_bench.bench.runner import Runner
from luma_bench.bench.show_columns import shown_columns
from luma_bench.bench.views import StoredView
from luma_bench.errors import CatalogError, KadeQLBindError, LumaError
from luma_bench.language import Describe, Show
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import GRAPH
from luma_bench.types.record import RunRecord
from luma_bench.types.schema import CatalogObject, TableSchema
from luma_bench.types.sequence import Sequence

Rows = list[dict[str, Any]]


class Shows:
    """Answers SHOW over the store of one runner."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._information = runner.binder.information

    def show(self, statement: Show, ask: Ask) -> Result:
        """The answer to a SHOW.

        Raises
        ------
        KadeQLBindError
            The table, view, schema or graph that it names is not there.
        """
        started = time.perf_counter()
        pinned = self._runner.resolve(ask)
        schema = shown_columns(statement.what)
        rows = _FORMS[statement.what](self, statement, pinned, ask)
        table = pa.Table.from_pylist(rows, schema)
        if statement.like is not None:
            named = "name" if "name" in schema.names else schema.names[0]
            keep = _pattern(statement)
            table = table.filter(
                pa.array([keep(name) for name in table.column(named).to_pylist()], pa.bool_())
            )
        reason = "the catalog knows what it holds"
        elapsed = time.perf_counter() - started
        record = RunRecord("catalog", reason, pinned.id, elapsed, rows_out=table.num_rows)
        return Result(table, record, statement.source)

    def describe(self, statement: Describe, ask: Ask) -> Result:
        """The engine's DESCRIBE; of a table or view with what only the catalog knows: NOT NULL, keys, defaults, comments."""
        result = self._runner.run(statement.query, ask)
        if not isinstance(statement.target, str):
            return result
        pinned = self._runner.resolve(ask)
        name = statement.target
        if statement.pins:
            pinned = self._runner.binder.pinned_at(statement.pins[0], statement.query, ask.params)
        elif name.casefold() in {known.casefold() for known in ask.tables}:
            return result
        schema, item = pinned.named(name), pinned.object("view", name)
        table = result.to_arrow()
        if schema is not None:
            shown = self._information.table_columns(schema, pinned, ask.identity)
            keys = [_key(schema, column.name) for column in shown]
        elif item is not None:
            shown = self._information.view_columns(item, pinned, ask.identity)
            keys = [None] * len(shown)
        else:
            return result
        known = {
            "null": ["YES" if column.nullable else "NO" for column in shown],
            "key": keys,
            "default": [column.generated or column.default for column in shown],
            "extra": [column.comment for column in shown],
        }
        for heading, values in known.items():
            index = table.schema.get_field_index(heading)
            table = table.set_column(index, heading, pa.array(values, pa.string()))
        return Result(table, result.run, statement.source)

    # --- the forms ---

    def _tables(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        wanted = self._schema(statement, pinned)
        rows: Rows = [
            {
                "name": table.name,
                "rows": self._runner.binder.access.rows(pinned, table.name, ask.identity),
                "columns": len(table.columns),
                "primary_key": ", ".join(table.settings.primary_key) or None,
                "comment": table.comment,
                "kind": "table",
            }
            for table in pinned.tables.values()
        ]
        rows += [
            {
                "name": item.name,
                "comment": item.comment,
                "kind": "view",
                "columns": self._width(item, pinned, ask),
            }
            for item in pinned.objects_of("view")
        ]
        kept = [row for row in rows if wanted in (None, schema_and_name(row["name"], pinned)[0])]
        return sorted(kept, key=lambda row: row["name"])

    def _all_tables(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        rows: Rows = []
        for row in self._tables(statement, pinned, ask):
            schema, name = schema_and_name(row["name"], pinned)
            columns = self._columns_of(row["name"], pinned, ask)
            rows.append(
                {
                    "database": "bench",
                    "schema": schema,
                    "name": name,
                    "column_names": [column["column_name"] for column in columns],
                    "column_types": [column["column_type"] for column in columns],
                    "temporary": False,
                }
            )
        return rows

    def _views(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        wanted = self._schema(statement, pinned)
        return [
            {
                "name": item.name,
                "columns": self._width(item, pinned, ask),
                "sql": StoredView.of(item).sql,
                "comment": item.comment,
            }
            for item in pinned.objects_of("view")
            if wanted in (None, schema_and_name(item.name, pinned)[0])
        ]

    def _schemas(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        names = [
            *(table.name for table in pinned.tables.values()),
            *(i.name for i in pinned.objects_of("view")),
        ]
        inside = [schema_and_name(name, pinned)[0] for name in names]
        items: list[tuple[str, str | None]] = [(MAIN, None)]
        items += [(item.name, item.comment) for item in pinned.objects_of("schema")]
        return [{"name": name, "tables": inside.count(name), "comment": comment} for name, comment in items]

    def _sequences(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        wanted = self._schema(statement, pinned)
        rows: Rows = []
        for item in pinned.objects_of("sequence"):
            if wanted in (None, schema_and_name(item.name, pinned)[0]):
                found = Sequence.of(item.name, item.definition)
                rows.append(
                    {
                        "name": item.name,
                        "start": found.start,
                        "increment": found.increment,
                        "minimum": found.smallest,
                        "maximum": found.largest,
                        "cycle": found.cycle,
                        "comment": item.comment,
                    }
                )
        return rows

    def _snapshots(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        return [
            {
                "snapshot": found.id,
                "time": found.time,
                "operation": found.operation,
                "author": found.author,
                "message": found.message,
                "tags": list(found.tags),
                "tables": list(found.tables),
            }
            for found in self._runner.store.snapshots()
            if found.id <= pinned.id
        ]

    def _tags(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        return sorted(
            (
                {"name": tag, "snapshot": found.id, "time": found.time}
                for found in self._runner.store.snapshots()
                for tag in found.tags
                if found.id <= pinned.id
            ),
            key=lambda row: str(row["name"]),
        )

    def _columns(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        self._known(statement, pinned)
        return self._columns_of(statement.of or "", pinned, ask)

    def _constraints(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        tables = sorted(pinned.tables.values(), key=lambda table: table.name)
        if statement.of is not None:
            found = self._known(statement, pinned)
            tables = [found] if isinstance(found, TableSchema) else []
        return [
            {"table": table.name, "name": rule.name, "type": rule.kind, "constraint": rule.text, "columns": list(rule.columns)}
            for table in tables
            for rule in rules_of(table, pinned)
        ]  # fmt: skip

    def _graphs(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        wanted = self._schema(statement, pinned)
        items = pinned.objects_of(GRAPH)
        return graph_rows(pinned, [i for i in items if wanted in (None, schema_and_name(i.name, pinned)[0])])

    def _graph(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        return element_rows(graph_of(pinned, statement.of, statement.whole, statement.of_span), pinned)

    def _create_graph(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        item = graph_item(pinned, statement.of, statement.whole, statement.of_span)
        return [{"name": item.name, "sql": create_graph_text(item, pinned)}]

    def _create(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        found = self._known(statement, pinned)
        if isinstance(found, TableSchema):
            text = self._information.create_text(found, pinned, ask.identity)
        else:
            text = create_view_text(found, pinned)
        return [{"name": found.name, "sql": text}]

    def _functions(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        query = self._runner.binder.views.query(_FUNCTIONS)
        return self._runner.run(query, Ask(view=pinned, identity=ask.identity)).to_arrow().to_pylist()

    def _policies(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        return policy_rows(self._runner.binder.access.book, pinned, ask.identity)

    def _settings(self, statement: Show, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        settings = self._runner.store.settings
        return [
            {
                "name": item.name,
                "value": _shown(getattr(settings, item.name)),
                "default": _shown(item.default),
            }
            for item in sorted(fields(settings), key=lambda item: item.name)
            if not item.name.startswith("_")
        ]

    # --- what they are made of ---

    def _columns_of(self, name: str, pinned: ResolvedSnapshot, ask: Ask) -> Rows:
        schema, item = pinned.named(name), pinned.object("view", name)
        if schema is not None:
            columns = self._information.table_columns(schema, pinned, ask.identity)
        elif item is not None:
            columns = self._information.view_columns(item, pinned, ask.identity)
        else:
            return []
        return [
            {
                "column_name": column.name,
                "column_type": column.type,
                "null": "YES" if column.nullable else "NO",
                "key": None if schema is None else _key(schema, column.name),
                "default": column.generated or column.default,
                "extra": column.comment,
            }
            for column in columns
        ]

    def _width(self, item: CatalogObject, pinned: ResolvedSnapshot, ask: Ask) -> int | None:
        """How many columns a view has; None where it reads what is gone."""
        try:
            return len(self._information.view_columns(item, pinned, ask.identity))
        except LumaError:
            return None

    def _schema(self, statement: Show, pinned: ResolvedSnapshot) -> str | None:
        """The schema that is named, as it was made."""
        if statement.of is None or statement.of.casefold() == MAIN:
            return None if statement.of is None else MAIN
        item = pinned.object("schema", statement.of)
        if item is None:
            known = [MAIN, *(item.name for item in pinned.objects_of("schema"))]
            raise _absent(statement, CatalogError.unknown_object("schema", statement.of, known))
        return item.name

    def _known(self, statement: Show, pinned: ResolvedSnapshot) -> TableSchema | CatalogObject:
        """The table or view that is named."""
        name = statement.of or ""
        found = pinned.named(name) or pinned.object("view", name)
        if found is None:
            known = [item.name for item in (*pinned.tables.values(), *pinned.objects_of("view"))]
            raise _absent(statement, CatalogError.unknown_table(name, known))
        other = "table" if isinstance(found, TableSchema) else "view"
        if statement.what.startswith("create ") and statement.what != f"create {other}":
            raise _absent(
                statement, CatalogError(f"{found.name!r} is a {other}.", hint=f"Write SHOW CREATE {other.upper()} {name}.")
            )  # fmt: skip
        return found


def _absent(statement: Show, error: CatalogError) -> KadeQLBindError:
    return KadeQLBindError(error.message, text=statement.whole, span=statement.of_span, hint=error.hint)


def _key(table: TableSchema, column: str) -> str | None:
    """What DuckDB's DESCRIBE says of a column's keys; and of other columns whether it is the time, or names the series."""
    if column in table.settings.primary_key:
        return "PRI"
    number = table.column(column).id
    if any(item.columns == (number,) for item in table.rules.unique):
        return "UNI"
    return (
        "TIME"
        if column == table.settings.time_column
        else "SERIES"
        if column in table.settings.series_key
        else None
    )


def _shown(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _pattern(statement: Show) -> Callable[[str], bool]:
    """LIKE: `%` is any text, `_` any character, as SQL has it."""
    parts = {"%": ".*", "_": "."}
    text = "".join(parts.get(letter, re.escape(letter)) for letter in statement.like or "")
    compiled = re.compile(text, re.DOTALL | (re.IGNORECASE if statement.any_case else 0))
    return lambda name: (compiled.fullmatch(name) is not None) is not statement.negated


_FUNCTIONS: Final = StoredView(
    "SELECT DISTINCT function_name AS name, function_type AS type, array_to_string(parameters, ', ') AS parameters, "
    "return_type AS returns, description FROM duckdb_functions() "
    "WHERE regexp_full_match(function_name, '[a-z]\\w*') ORDER BY ALL"
)


_Form = Callable[[Shows, Show, ResolvedSnapshot, Ask], Rows]
# The methods are this module's own: the forms stand behind the class that answers them.
_FORMS: Final[Mapping[str, _Form]] = {
    "tables": Shows._tables,
    "all tables": Shows._all_tables,
    "views": Shows._views,
    "schemas": Shows._schemas,
    "sequences": Shows._sequences,
    "snapshots": Shows._snapshots,
    "tags": Shows._tags,
    "columns": Shows._columns,
    "constraints": Shows._constraints,
    "create table": Shows._create,
    "create view": Shows._create,
    "create property graph": Shows._create_graph,
    "property graphs": Shows._graphs,
    "property graph": Shows._graph,
    "functions": Shows._functions,
    "policies": Shows._policies,
    "settings": Shows._settings,
}
