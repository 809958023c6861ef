"""Statements that make a table, view or sequence again as it is at a snapshot, and the parts that tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from luma_bench.bench.views import StoredView
from luma_bench.language.tokens import tokenize
from luma_bench.plan.literals import constant, identifier, text
from luma_bench.storage.catalog.sequences import sequences
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.constraints import ITSELF, Check, ForeignKey, Unique
from luma_bench.types.schema import CatalogObject, Column, TableSchema, TableSettings
from luma_bench.types.sequence import LARGEST
from luma_bench.types.sequence import Sequence as NumberSequence
from luma_bench.types.sql_types import engine_type


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint of a table, as people read it.

    Attributes
    ----------
    kind
        `PRIMARY KEY`, `UNIQUE`, `CHECK`, `NOT NULL` or `FOREIGN KEY`.
    text
        The constraint in SQL.
    expression
        The condition of a CHECK.
    referenced_table, referenced
        What a FOREIGN KEY points at.
    """

    name: str
    kind: str
    text: str
    columns: tuple[str, ...]
    expression: str | None = None
    referenced_table: str | None = None
    referenced: tuple[str, ...] = ()


def type_name(kind: pa.DataType, sql_type: str | None = None) -> str | None:
    """The SQL type that the engine gives a column of an Arrow type; None where only the engine can tell."""
    simple = engine_type(kind) if sql_type is None else sql_type
    if simple is not None:
        return simple
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = type_name(kind.value_type)
        size = kind.list_size if pa.types.is_fixed_size_list(kind) else ""
        return None if inner is None else f"{inner}[{size}]"
    if pa.types.is_struct(kind):
        fields = [(field.name, type_name(field.type)) for field in kind]
        if any(inner is None for _, inner in fields):
            return None
        return f"STRUCT({', '.join(f'{identifier(name)} {inner}' for name, inner in fields)})"
    if pa.types.is_map(kind):
        key, value = type_name(kind.key_type), type_name(kind.item_type)
        return None if key is None or value is None else f"MAP({key}, {value})"
    if pa.types.is_timestamp(kind) and kind.tz is None and kind.unit == "ns":
        return "TIMESTAMP_NS"
    return None


def sequence_names(snapshot: ResolvedSnapshot) -> dict[str, str]:
    """What stands for a value of each sequence in an expression that is shown, by the sequence's token."""
    return {item.token: f"nextval({text(item.name)})" for item in sequences(snapshot)}


def _spelled(table: TableSchema) -> dict[int, str]:
    """The columns' names as SQL spells them, by id."""
    return {column.id: identifier(column.name) for column in table.columns}


def default_text(column: Column, table: TableSchema, snapshot: ResolvedSnapshot) -> str | None:
    """What a column gets that a write leaves out, as SQL; None for NULL and for a computed column."""
    computed = table.rules.default(column.id)
    if computed is not None:
        return computed.expression.shown(_spelled(table), sequence_names(snapshot))
    return None if column.default is None else constant(column.default)


def generated_text(column: Column, table: TableSchema, snapshot: ResolvedSnapshot) -> str | None:
    """The expression of a generated column; None for another one."""
    item = next((item for item in table.rules.generated if item.column == column.id), None)
    return None if item is None else item.expression.shown(_spelled(table), sequence_names(snapshot))


def rules_of(table: TableSchema, snapshot: ResolvedSnapshot) -> Iterator[Rule]:
    """Every constraint of a table: the primary key, those with names, and NOT NULL of single columns."""
    bare = schema_and_name(table.name, snapshot)[1]
    key = table.settings.primary_key
    if key:
        yield Rule(
            f"{bare}_{'_'.join(key).lower()}_pkey", "PRIMARY KEY", f"PRIMARY KEY ({_listed(key)})", key
        )
    for item in sorted(table.rules.named, key=lambda item: not isinstance(item, Unique)):
        yield _rule(item, table, snapshot)
    for column in table.columns:
        if not column.nullable:
            yield Rule(f"{bare}_{column.name.lower()}_not_null", "NOT NULL", "NOT NULL", (column.name,))


def compact(rule: Rule) -> str:
    """The constraint as DuckDB's relations write it: without the spaces before the columns of a key."""
    shown = rule.text
    if rule.kind in ("PRIMARY KEY", "UNIQUE"):
        return shown.replace(" (", "(", 1)
    listed = f" ({_listed(rule.referenced)})"
    return shown.removesuffix(listed) + listed[1:] if rule.kind == "FOREIGN KEY" else shown


def create_table_text(table: TableSchema, types: Mapping[str, str], snapshot: ResolvedSnapshot) -> str:
    """The statements that make a table again, without its rows.

    Parameters
    ----------
    types
        The SQL type of each column by name.
    """
    entries = [_column_text(column, types[column.name], table, snapshot) for column in table.columns]
    if table.settings.primary_key:
        entries.append(f"PRIMARY KEY ({_listed(table.settings.primary_key)})")
    for item in table.rules.named:
        rule = _rule(item, table, snapshot)
        entries.append(f"CONSTRAINT {identifier(rule.name)} {rule.text}")
    shown = relation_name(table.name, snapshot)
    lines = ",\n".join(f"    {entry}" for entry in entries)
    statements = [f"CREATE TABLE {shown} (\n{lines}\n)"]
    options = _options(table.settings)
    if options:
        statements.append(f"ALTER TABLE {shown} SET ({', '.join(options)})")
    if table.comment is not None:
        statements.append(f"COMMENT ON TABLE {shown} IS {text(table.comment)}")
    statements += [
        f"COMMENT ON COLUMN {shown}.{identifier(column.name)} IS {text(column.comment)}"
        for column in table.columns
        if column.comment is not None
    ]
    return ";\n".join(statements) + ";"


def create_view_text(item: CatalogObject, snapshot: ResolvedSnapshot) -> str:
    """The statements that make a view again."""
    stored, shown = StoredView.of(item), relation_name(item.name, snapshot)
    listed = f" ({_listed(stored.columns)})" if stored.columns else ""
    statements = [f"CREATE VIEW {shown}{listed} AS {stored.sql}"]
    if item.comment is not None:
        statements.append(f"COMMENT ON VIEW {shown} IS {text(item.comment)}")
    statements += [
        f"COMMENT ON COLUMN {shown}.{identifier(name)} IS {text(comment)}"
        for name, comment in stored.comments.items()
    ]
    return ";\n".join(statements) + ";"


def create_sequence_text(sequence: NumberSequence, snapshot: ResolvedSnapshot) -> str:
    """The statement that makes a sequence again, at its start."""
    parts = [f"CREATE SEQUENCE {relation_name(sequence.name, snapshot)} START {sequence.start}"]
    if sequence.increment != 1:
        parts.append(f"INCREMENT BY {sequence.increment}")
    if sequence.smallest != 1:
        parts.append(f"MINVALUE {sequence.smallest}")
    if sequence.largest != LARGEST:
        parts.append(f"MAXVALUE {sequence.largest}")
    return " ".join([*parts, "CYCLE"] if sequence.cycle else parts) + ";"


def schema_and_name(name: str, snapshot: ResolvedSnapshot) -> tuple[str, str]:
    """The schema that a name of the catalog is in, as it was made, and the rest of the name."""
    before, dot, rest = name.partition(".")
    schema = snapshot.object("schema", before) if dot and snapshot.objects else None
    return ("main", name) if schema is None else (schema.name, rest)


def relation_name(name: str, snapshot: ResolvedSnapshot) -> str:
    """A name of the catalog as SQL writes it."""
    schema, rest = schema_and_name(name, snapshot)
    return identifier(rest) if schema == "main" else f"{identifier(schema)}.{identifier(rest)}"


def _column_text(column: Column, kind: str, table: TableSchema, snapshot: ResolvedSnapshot) -> str:
    parts = [identifier(column.name), kind]
    generated = generated_text(column, table, snapshot)
    default = default_text(column, table, snapshot)
    if generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({generated})")
    elif default is not None:
        parts.append(f"DEFAULT {default if _is_one(default) else f'({default})'}")
    if not column.nullable and column.name not in table.settings.primary_key:
        parts.append("NOT NULL")
    return " ".join(parts)


def _is_one(expression: str) -> bool:
    """Whether an expression stands without brackets around it: a constant, a call, or what is in brackets already."""
    tokens = tokenize(expression)
    end = len(tokens)
    opening = 1 if end > 1 and tokens.words[1] == "(" else 0
    return end == 1 or (tokens.words[opening] == "(" and tokens.closing(opening, end) == end - 1)


def _rule(item: Check | Unique | ForeignKey, table: TableSchema, snapshot: ResolvedSnapshot) -> Rule:
    names = table.by_id
    match item:
        case Check():
            shown = item.expression.shown(_spelled(table), sequence_names(snapshot))
            read = tuple(names[number] for number in sorted(item.expression.columns))
            return Rule(item.name, "CHECK", f"CHECK ({shown})", read, shown)
        case Unique():
            columns = tuple(names[number] for number in item.columns)
            return Rule(item.name, "UNIQUE", f"UNIQUE ({_listed(columns)})", columns)
        case ForeignKey():
            other = _referenced(item, table, snapshot)
            columns = tuple(names[number] for number in item.columns)
            targets = tuple(other.by_id[number] for number in item.referenced)
            place = f"{relation_name(other.name, snapshot)} ({_listed(targets)})"
            shown = f"FOREIGN KEY ({_listed(columns)}) REFERENCES {place}"
            return Rule(item.name, "FOREIGN KEY", shown, columns, None, other.name, targets)


def _referenced(item: ForeignKey, table: TableSchema, snapshot: ResolvedSnapshot) -> TableSchema:
    if item.table in (ITSELF, table.id):
        return table
    return next(other for other in snapshot.tables.values() if other.id == item.table)


def _options(settings: TableSettings) -> list[str]:
    found = [
        f"{option} = ({_listed(names)})"
        for option, names in (("sort_by", settings.sort_by), ("series_key", settings.series_key))
        if names
    ]
    if settings.time_column is not None:
        found.append(f"time_column = {identifier(settings.time_column)}")
    if settings.retention is not None:
        kept = settings.retention
        found.append(f"retention = {text(kept.text)} ON {identifier(kept.column)}")
    if settings.codec != "auto":
        found.append(f"codec = {text(settings.codec)}")
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))
