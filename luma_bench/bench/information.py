"""The catalog as relations: the standard's information_schema and DuckDB's `duckdb_…()`, at the snapshot that a query reads.

They have DuckDB's columns, in its order. Only what a query names is built, and of columns the types of views are the
one thing that an engine is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.cache import PlanCache
from luma_bench.bench.catalog_text import (
    compact,
    create_sequence_text,
    create_table_text,
    create_view_text,
    default_text,
    generated_text,
    rules_of,
    schema_and_name,
    type_name,
)
from luma_bench.bench.graph.shown import element_columns
from luma_bench.bench.information_columns import columns_of
from luma_bench.bench.views import StoredView
from luma_bench.errors import LumaError
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import GRAPH, PropertyGraph
from luma_bench.types.identity import Identity
from luma_bench.types.schema import CatalogObject, TableSchema
from luma_bench.types.sequence import Sequence
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder

CATALOG: Final = "bench"
"""What stands where a relation names a database."""

Row = dict[str, Any]
_PRECISION: Final[Mapping[str, tuple[int, int, int]]] = {
    **dict.fromkeys(("TINYINT", "UTINYINT"), (8, 2, 0)),
    **dict.fromkeys(("SMALLINT", "USMALLINT"), (16, 2, 0)),
    **dict.fromkeys(("INTEGER", "UINTEGER"), (32, 2, 0)),
    **dict.fromkeys(("BIGINT", "UBIGINT"), (64, 2, 0)),
    **dict.fromkeys(("HUGEINT", "UHUGEINT"), (128, 2, 0)),
    "FLOAT": (24, 2, 0),
    "DOUBLE": (53, 2, 0),
}


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One column of a table or view as the catalog shows it."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    comment: str | None = None


class Information:
    """Builds the relations that tell of a bench's catalog."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._told: PlanCache[list[tuple[str, str]]] = PlanCache(1024)

    def relation(
        self, name: str, snapshot: ResolvedSnapshot, identity: Identity, *, types_only: bool = False
    ) -> pa.Table:
        """The relation of a name that `language.references.is_information` knows, at a snapshot; empty for its types alone."""
        rows, schema = _RELATIONS[name], columns_of(name)
        if types_only:
            # A view that reads this relation is described for it: that must not lead here again.
            return schema.empty_table()
        blank: Row = dict.fromkeys(schema.names)
        return pa.Table.from_pylist([blank | row for row in rows(self, snapshot, identity)], schema)

    def table_columns(
        self, table: TableSchema, snapshot: ResolvedSnapshot, identity: Identity
    ) -> list[ShownColumn]:
        """The columns of a stored table."""
        types = [type_name(column.type, column.sql_type) for column in table.columns]
        if None in types:
            types = [kind for _, kind in self._described(table.name, snapshot, identity)]
        return [
            ShownColumn(
                column.name,
                kind or "",
                column.nullable,
                default_text(column, table, snapshot),
                generated_text(column, table, snapshot),
                column.comment,
            )
            for column, kind in zip(table.columns, types, strict=True)
        ]

    def view_columns(
        self, item: CatalogObject, snapshot: ResolvedSnapshot, identity: Identity
    ) -> list[ShownColumn]:
        """The columns of a view; it does not bind when it reads what is gone.

        Raises
        ------
        LumaError
            The view does not bind.
        """
        comments = {name.casefold(): text for name, text in StoredView.of(item).comments.items()}
        return [
            ShownColumn(name, kind, comment=comments.get(name.casefold()))
            for name, kind in self._described(item.name, snapshot, identity)
        ]

    def create_text(self, table: TableSchema, snapshot: ResolvedSnapshot, identity: Identity) -> str:
        """The statements that make a table again."""
        types = {column.name: column.type for column in self.table_columns(table, snapshot, identity)}
        return create_table_text(table, types, snapshot)

    def _described(self, name: str, snapshot: ResolvedSnapshot, identity: Identity) -> list[tuple[str, str]]:
        """Names and types as the engine tells them."""
        query = self._binder.views.query(StoredView(f"DESCRIBE {quoted(name)}"))
        ask = Ask(view=snapshot, identity=identity)

        def tell(_: str) -> list[tuple[str, str]]:
            bound = self._binder.bind(query, ask, snapshot, types_only=True)
            told = bound.run()
            names, types = told.column("column_name").to_pylist(), told.column("column_type").to_pylist()
            return list(zip(names, types, strict=True))

        if snapshot.draft or self._binder.below(query, ask, snapshot) is None:
            return tell("")  # what is not committed yet, or reads files, may be of other types the next time
        return self._told.get(f"{snapshot.schema_snapshot} {name}", tell)

    # --- rows of the relations ---

    def _schemas(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for name, item in _schemas(snapshot):
            yield {
                "catalog_name": CATALOG, "schema_name": name, "schema_owner": "bench", "database_name": CATALOG,
                "oid": 0 if item is None else item.id, "comment": None if item is None else item.comment,
                "tags": {}, "internal": False, "sql": None if item is None else f'CREATE SCHEMA "{name}";',
            }  # fmt: skip

    def _tables(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for table in _sorted(snapshot):
            rules = list(rules_of(table, snapshot))
            yield {
                **_place(table.name, snapshot, table.id), "table_type": "BASE TABLE", "is_insertable_into": "YES",
                "is_typed": "NO", "TABLE_COMMENT": table.comment, "comment": table.comment, "tags": {},
                "internal": False, "temporary": False, "has_primary_key": bool(table.settings.primary_key),
                "estimated_size": self._binder.access.rows(snapshot, table.name, identity), "column_count": len(table.columns),
                "index_count": sum(rule.kind in ("PRIMARY KEY", "UNIQUE") for rule in rules),
                "check_constraint_count": sum(rule.kind == "CHECK" for rule in rules),
                "sql": self.create_text(table, snapshot, identity),
            }  # fmt: skip

    def _views(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for item in snapshot.objects_of("view"):
            columns = self._columns_if_bound(item, snapshot, identity)
            place = _place(item.name, snapshot, item.id)
            sql = create_view_text(item, snapshot)
            yield {
                **place, "view_name": place["table_name"], "view_oid": item.id, "table_type": "VIEW",
                "is_insertable_into": "NO", "is_typed": "NO", "TABLE_COMMENT": item.comment,
                "view_definition": sql, "check_option": "NONE", "is_updatable": "NO", "is_trigger_updatable": "NO",
                "is_trigger_deletable": "NO", "is_trigger_insertable_into": "NO", "comment": item.comment, "tags": {},
                "internal": False, "temporary": False, "column_count": len(columns), "sql": sql,
                "is_bound": bool(columns),
            }  # fmt: skip

    def _relations(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        yield from self._tables(snapshot, identity)
        yield from self._views(snapshot, identity)

    def _columns(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        shown = [
            (item.name, item.id, self.table_columns(item, snapshot, identity)) for item in _sorted(snapshot)
        ]
        shown += [
            (item.name, item.id, self._columns_if_bound(item, snapshot, identity))
            for item in snapshot.objects_of("view")
        ]
        for name, number, columns in shown:
            place = _place(name, snapshot, number)
            for position, column in enumerate(columns, 1):
                precision, radix, scale = _precision(column.type)
                yield {
                    **place, "column_name": column.name, "ordinal_position": position, "column_index": position,
                    "column_default": column.default or column.generated, "data_type": column.type,
                    "numeric_precision": precision, "numeric_precision_radix": radix, "numeric_scale": scale,
                    "generation_expression": column.generated, "COLUMN_COMMENT": column.comment,
                    "comment": column.comment, "internal": False, "tags": {}, "nullable": column.nullable,
                    "generated": column.generated is not None,
                }  # fmt: skip

    def _standard_columns(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for row in self._columns(snapshot, identity):
            nullable, generated = row.pop("nullable"), row.pop("generated")
            yield row | {
                "is_nullable": "YES" if nullable else "NO", "is_generated": "ALWAYS" if generated else "NEVER"
            }  # fmt: skip

    def _own_columns(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for row in self._columns(snapshot, identity):
            yield row | {"is_nullable": row.pop("nullable"), "is_generated": row.pop("generated")}

    def _rules(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        number = 0
        for table in _sorted(snapshot):
            place = _place(table.name, snapshot, table.id)
            for rule in rules_of(table, snapshot):
                yield {
                    **place, "constraint_catalog": CATALOG, "constraint_schema": place["table_schema"],
                    "constraint_name": rule.name, "constraint_index": number, "constraint_type": rule.kind,
                    "constraint_text": compact(rule), "expression": rule.expression, "is_deferrable": "NO",
                    "initially_deferred": "NO", "enforced": "YES", "nulls_distinct": "YES",
                    "constraint_column_indexes": [table.names.index(name) for name in rule.columns],
                    "constraint_column_names": list(rule.columns), "referenced_table": rule.referenced_table,
                    "referenced_column_names": list(rule.referenced), "match_option": "NONE",
                    "update_rule": "NO ACTION", "delete_rule": "NO ACTION",
                }  # fmt: skip
                number += 1

    def _standard_rules(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for row in self._rules(snapshot, identity):
            # To the standard NOT NULL is a check.
            yield row | ({"constraint_type": "CHECK"} if row["constraint_type"] == "NOT NULL" else {})

    def _key_columns(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for row in self._rules(snapshot, identity):
            if row["constraint_type"] in ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY"):
                foreign = row["constraint_type"] == "FOREIGN KEY"
                for position, column in enumerate(row["constraint_column_names"], 1):
                    yield row | {
                        "column_name": column, "ordinal_position": position,
                        "position_in_unique_constraint": position if foreign else None,
                    }  # fmt: skip

    def _references(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        rows = list(self._rules(snapshot, identity))
        for row in rows:
            if row["constraint_type"] != "FOREIGN KEY":
                continue
            schema, table = schema_and_name(row["referenced_table"], snapshot)
            unique = next(
                (
                    other["constraint_name"]
                    for other in rows
                    if other["constraint_type"] in ("PRIMARY KEY", "UNIQUE")
                    and (other["table_schema"], other["table_name"]) == (schema, table)
                    and set(other["constraint_column_names"]) == set(row["referenced_column_names"])
                ),
                None,
            )
            yield row | {
                "unique_constraint_catalog": CATALOG, "unique_constraint_schema": schema, "unique_constraint_name": unique
            }  # fmt: skip

    def _sequences(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for item in snapshot.objects_of("sequence"):
            schema, name = schema_and_name(item.name, snapshot)
            found = Sequence.of(item.name, item.definition)
            yield {
                "database_name": CATALOG, "sequence_catalog": CATALOG, "schema_name": schema, "schema_oid": _oid(schema, snapshot),
                "sequence_schema": schema, "sequence_name": name, "sequence_oid": item.id, "comment": item.comment,
                "tags": {}, "temporary": False, "start_value": found.start, "min_value": found.smallest,
                "minimum_value": found.smallest, "max_value": found.largest, "maximum_value": found.largest,
                "increment_by": found.increment, "increment": found.increment, "cycle": found.cycle,
                "cycle_option": "YES" if found.cycle else "NO", "data_type": "BIGINT", "numeric_precision": 64,
                "numeric_precision_radix": 2, "numeric_scale": 0, "sql": create_sequence_text(found, snapshot),
                "last_value": self._binder.store.last_value(found),
            }  # fmt: skip

    def _graphs(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for item in snapshot.objects_of(GRAPH):
            yield _graph_place(item, snapshot) | {"PROPERTY_GRAPH_COMMENT": item.comment}

    def _elements(self, snapshot: ResolvedSnapshot, identity: Identity) -> Iterator[Row]:
        for item in snapshot.objects_of(GRAPH):
            graph = PropertyGraph.of(item.name, item.definition)
            for row in element_columns(graph, snapshot):
                table = snapshot.named(row.pop("table"))
                place = {} if table is None else _place(table.name, snapshot, table.id)
                yield {**place, **_graph_place(item, snapshot), **row}

    def _columns_if_bound(
        self, item: CatalogObject, snapshot: ResolvedSnapshot, identity: Identity
    ) -> list[ShownColumn]:
        """A view's columns; none where it reads what is gone, which it says itself when it is used."""
        try:
            return self.view_columns(item, snapshot, identity)
        except LumaError:
            return []


def _sorted(snapshot: ResolvedSnapshot) -> list[TableSchema]:
    return sorted(snapshot.tables.values(), key=lambda table: table.name)


def _schemas(snapshot: ResolvedSnapshot) -> list[tuple[str, CatalogObject | None]]:
    return [("main", None), *((item.name, item) for item in snapshot.objects_of("schema"))]


def _oid(schema: str, snapshot: ResolvedSnapshot) -> int:
    item = snapshot.object("schema", schema)
    return 0 if item is None else item.id


def _place(name: str, snapshot: ResolvedSnapshot, number: int) -> Row:
    schema, rest = schema_and_name(name, snapshot)
    return {
        "table_catalog": CATALOG, "table_schema": schema, "table_name": rest, "database_name": CATALOG,
        "database_oid": 0, "schema_name": schema, "schema_oid": _oid(schema, snapshot), "table_oid": number,
    }  # fmt: skip


def _graph_place(item: CatalogObject, snapshot: ResolvedSnapshot) -> Row:
    schema, name = schema_and_name(item.name, snapshot)
    return {
        "property_graph_catalog": CATALOG, "property_graph_schema": schema, "property_graph_name": name
    }  # fmt: skip


def _precision(kind: str) -> tuple[int | None, int | None, int | None]:
    if kind in _PRECISION:
        return _PRECISION[kind]
    if kind.startswith("DECIMAL(") and kind.endswith(")"):
        width, scale = kind[8:-1].split(",")
        return int(width), 10, int(scale)
    return None, None, None


_Rows = Callable[[Information, ResolvedSnapshot, Identity], Iterator[Row]]
# The methods are this module's own: the table of relations stands behind the class that it is about.
_RELATIONS: Final[Mapping[str, _Rows]] = {
    "information_schema.schemata": Information._schemas,
    "information_schema.tables": Information._relations,
    "information_schema.columns": Information._standard_columns,
    "information_schema.views": Information._views,
    "information_schema.table_constraints": Information._standard_rules,
    "information_schema.key_column_usage": Information._key_columns,
    "information_schema.referential_constraints": Information._references,
    "information_schema.sequences": Information._sequences,
    "information_schema.property_graphs": Information._graphs,
    "information_schema.pg_element_tables": Information._elements,
    "duckdb_schemas()": Information._schemas,
    "duckdb_tables()": Information._tables,
    "duckdb_views()": Information._views,
    "duckdb_columns()": Information._own_columns,
    "duckdb_constraints()": Information._rules,
    "duckdb_sequences()": Information._sequences,
}
