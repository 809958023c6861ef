"""Schema changes that rewrite nothing: each action makes a table's next schema, and older rows are read through it.

A column keeps its id for ever; names, types, defaults and comments are what a snapshot says they are. A column that was
dropped and added again is another column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from luma_bench.errors import CatalogError, SchemaError
from luma_bench.storage.catalog.schema import check_series, checked_settings
from luma_bench.storage.evolve_rules import check_unused, check_word_free, keyed, ruled, without_default
from luma_bench.storage.evolve_types import choices_for, widens
from luma_bench.storage.evolve_values import scalar_of, widened
from luma_bench.storage.fit import check_schema, check_table_name, nested_problem
from luma_bench.types.constraints import TableRules
from luma_bench.types.retention import Retention
from luma_bench.types.schema import Column, TableSchema, TableSettings


class _Keep:
    """What `SetSettings` has for a setting that stays as it is."""

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = _Keep()


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A new last column. Older rows have `default` in it (NULL without one), and so do later writes that leave it out."""

    name: str
    type: pa.DataType
    nullable: bool = True
    default: Any = None
    comment: str | None = None
    metadata: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class DropColumn:
    """The column is gone from this snapshot on."""

    name: str


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """The column gets another name; keys and settings that name it follow."""

    name: str
    to: str


@dataclass(frozen=True, slots=True)
class WidenColumn:
    """The column gets a type that holds every value of its present one: see `evolve_types.widens`."""

    name: str
    type: pa.DataType


@dataclass(frozen=True, slots=True)
class SetDefault:
    """What later writes get that leave the column out; None for NULL. Rows that are there do not change."""

    name: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class SetNullable:
    """Whether the column may hold NULL. To forbid it, no row may hold one now: `evolve_check.check_evolved`."""

    name: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class CommentColumn:
    """The column's comment; None takes it away."""

    name: str
    text: str | None


@dataclass(frozen=True, slots=True)
class CommentTable:
    """The table's comment; None takes it away."""

    text: str | None


@dataclass(frozen=True, slots=True)
class RenameTable:
    """The table gets another name, under its id."""

    to: str


@dataclass(frozen=True, slots=True)
class SetSettings:
    """How later writes and compactions lay the table out; a setting that is not given stays."""

    sort_by: str | Sequence[str] | _Keep = KEEP
    time_column: str | _Keep | None = KEEP
    series_key: str | Sequence[str] | _Keep = KEEP
    codec: str | _Keep = KEEP
    retention: Retention | _Keep | None = KEEP


@dataclass(frozen=True, slots=True)
class SetRules:
    """The table's constraints, generated columns and default expressions, all of them, over its present columns' ids.

    What is new among them must hold for the rows that are there: the transaction checks that.
    """

    rules: TableRules


@dataclass(frozen=True, slots=True)
class SetPrimaryKey:
    """A primary key for a table that has none; no row may hold a NULL in it or the key of another."""

    columns: tuple[str, ...]


Action = (
    AddColumn
    | DropColumn
    | RenameColumn
    | WidenColumn
    | SetDefault
    | SetNullable
    | CommentColumn
    | CommentTable
    | RenameTable
    | SetSettings
    | SetRules
    | SetPrimaryKey
)


def evolved_all(schema: TableSchema, actions: Sequence[Action], next_column_id: int) -> TableSchema:
    """The schema after all actions, in order; each `AddColumn` takes an id, from `next_column_id` on.

    Raises
    ------
    SchemaError, CatalogError
        An action is refused.
    """
    for action in actions:
        schema = evolved(schema, action, next_column_id)
        next_column_id += isinstance(action, AddColumn)
    return schema


def evolved(schema: TableSchema, action: Action, next_column_id: int) -> TableSchema:
    """The schema after one action.

    What the rows say is not looked at: `evolve_check.check_evolved` does that. Whether another table has the name that a
    `RenameTable` asks for is the caller's to see.

    Raises
    ------
    SchemaError
        There is no such column, or it cannot be changed so; the hint says what can be done.
    CatalogError
        A table name that no table may have.
    """
    match action:
        case AddColumn():
            changed = _added(schema, action, next_column_id)
        case DropColumn(name):
            changed = _dropped(schema, schema.column(name))
        case RenameColumn(name, to):
            changed = _renamed(schema, schema.column(name), to)
        case WidenColumn(name, kind):
            changed = _widened(schema, schema.column(name), kind)
        case SetDefault(name, value):
            column = schema.column(name)
            changed = _with(schema, replace(column, default=_value(schema, column, value)))
            changed = replace(changed, rules=without_default(schema, column))
        case SetNullable(name, nullable):
            changed = _with(schema, _nullable(schema, schema.column(name), nullable))
        case CommentColumn(name, text):
            changed = _with(schema, replace(schema.column(name), comment=_comment(text)))
        case CommentTable(text):
            changed = replace(schema, comment=_comment(text))
        case RenameTable(to):
            check_table_name(to)
            changed = replace(schema, name=to)
        case SetSettings():
            changed = replace(schema, settings=_settings(schema, action))
        case SetRules(rules):
            changed = ruled(schema, rules)
        case SetPrimaryKey(columns):
            changed = keyed(schema, columns)
    check_schema(changed.name, changed.arrow)
    settings = checked_settings(changed.name, changed.arrow, changed.settings)
    if isinstance(action, SetSettings | WidenColumn):
        check_series(changed.name, changed.arrow, settings)
    return replace(changed, settings=settings)


def needs_null_check(action: Action) -> bool:
    """Whether the action holds only when no row has a NULL in its column."""
    return isinstance(action, SetNullable) and not action.nullable


def _with(schema: TableSchema, changed: Column) -> TableSchema:
    columns = tuple(changed if column.id == changed.id else column for column in schema.columns)
    return replace(schema, columns=columns)


def _free(schema: TableSchema, name: str, own: Column | None = None) -> None:
    """Refuse a name that another column has, in any case."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] (callers need not be typed)
        raise SchemaError(f"A column's name is text, not {name!r}.", hint="Give a name such as 'price'.")
    for column in schema.columns:
        if column is not own and column.name.casefold() == name.casefold():
            same = (
                "is there already" if column.name == name else f"differs from {column.name!r} in case alone"
            )
            hint = "Choose another name, or drop or rename that column first."
            raise SchemaError.column(schema.name, name, f"the name {same}.", hint)


def _added(schema: TableSchema, action: AddColumn, column_id: int) -> TableSchema:
    _free(schema, action.name)
    column = Column(
        column_id, action.name, action.type, action.nullable, _comment(action.comment), tuple(action.metadata)
    )
    check_schema(schema.name, pa.schema([column.field]))
    value = _value(schema, column, action.default)
    if value is None and not action.nullable:
        problem = "it must not be NULL, but older rows would be."
        hint = "Give it a default; or add it nullable, fill it, and forbid NULL then."
        raise SchemaError.column(schema.name, action.name, problem, hint)
    return replace(schema, columns=(*schema.columns, replace(column, initial=value, default=value)))


def _dropped(schema: TableSchema, column: Column) -> TableSchema:
    if len(schema.columns) == 1:
        problem = "it is the table's last column."
        raise SchemaError.column(schema.name, column.name, problem, "Drop the table, or add a column first.")
    role = _role(schema.settings, column.name)
    if role == "primary key":
        hint = "Write the table anew with mode='replace' and another primary key."
        raise SchemaError.column(schema.name, column.name, "it belongs to the primary key.", hint)
    if role is not None:
        problem = f"it belongs to the table's {role}."
        hint = f"First ALTER TABLE t RESET ({role}), or SET ({role} = …) to another column."
        raise SchemaError.column(schema.name, column.name, problem, hint)
    check_unused(schema, column, "dropped")
    left = tuple(other for other in schema.columns if other.id != column.id)
    return replace(schema, columns=left, rules=schema.rules.without(column.id))


def _role(settings: TableSettings, name: str) -> str | None:
    """What a table's settings use a column for."""
    roles = {
        "primary key": settings.primary_key,
        "sort_by": settings.sort_by,
        "time_column": (settings.time_column,),
        "series_key": settings.series_key,
        "retention": () if settings.retention is None else (settings.retention.column,),
    }
    return next((role for role, names in roles.items() if name in names), None)


def _renamed(schema: TableSchema, column: Column, to: str) -> TableSchema:
    _free(schema, to, column)
    check_word_free(schema, column, to)

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(to if name == column.name else name for name in names)

    old = schema.settings
    time = to if old.time_column == column.name else old.time_column
    kept = old.retention
    if kept is not None and kept.column == column.name:
        kept = replace(kept, column=to)
    settings = replace(
        old,
        primary_key=named(old.primary_key),
        sort_by=named(old.sort_by),
        time_column=time,
        series_key=named(old.series_key),
        retention=kept,
    )
    return replace(_with(schema, replace(column, name=to)), settings=settings)


def _widened(schema: TableSchema, column: Column, kind: pa.DataType) -> TableSchema:
    if column.type == kind:
        return schema
    if not widens(column.type, kind):
        problem = f"{column.type} does not widen to {kind}: some values would be lost or changed."
        raise SchemaError.column(schema.name, column.name, problem, choices_for(column.type))
    check_unused(schema, column, "given another type")
    if column.name in schema.settings.primary_key:
        hint = "Write the table anew with mode='replace' to give its key another type."
        raise SchemaError.column(schema.name, column.name, "it belongs to the primary key.", hint)
    initial, default = (_cast(schema, column, value, kind) for value in (column.initial, column.default))
    return _with(schema, replace(column, type=kind, initial=initial, default=default))


def _cast(
    schema: TableSchema, column: Column, value: pa.Scalar | None, kind: pa.DataType
) -> pa.Scalar | None:
    if value is None:
        return None
    try:
        return widened(pa.repeat(value, 1), kind)[0]
    except pa.ArrowInvalid as error:
        problem = f"its default does not fit {kind}: {error}"
        raise SchemaError.column(schema.name, column.name, problem, "Set another default first.") from error


def _nullable(schema: TableSchema, column: Column, nullable: bool) -> Column:
    if nullable and column.name in schema.settings.primary_key:
        problem = "it belongs to the primary key, which is never NULL."
        raise SchemaError.column(
            schema.name, column.name, problem, "Leave it so, or write the table anew with mode='replace'."
        )
    return replace(column, nullable=nullable)


def _value(schema: TableSchema, column: Column, value: Any) -> pa.Scalar | None:
    """A default as a value of the column's type."""
    try:
        found = scalar_of(value, column.type)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
        ValueError,
    ) as error:
        problem = f"the default {value!r} is no {column.type}: {error}"
        raise SchemaError.column(
            schema.name, column.name, problem, f"Give a value of {column.type}."
        ) from error
    if found is not None and (wrong := nested_problem(pa.repeat(found, 1))) is not None:
        raise SchemaError.column(
            schema.name, column.name, f"the default {value!r}: {wrong[1]}", f"Give a value of {column.type}."
        )
    return found


def _comment(text: str | None) -> str | None:
    if text is not None and not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CatalogError(f"A comment is text, not {text!r}.", hint="Give text, or None to take it away.")
    return text or None


def _settings(schema: TableSchema, action: SetSettings) -> TableSettings:
    def names(given: Any, present: tuple[str, ...]) -> tuple[str, ...]:
        if given is KEEP:
            return present
        return (given,) if isinstance(given, str) else tuple(given)

    old = schema.settings
    time: Any = old.time_column if action.time_column is KEEP else action.time_column
    codec: Any = old.codec if action.codec is KEEP else action.codec or "auto"
    return TableSettings(
        old.primary_key,
        names(action.sort_by, old.sort_by),
        time,
        names(action.series_key, old.series_key),
        codec,
        old.retention if isinstance(action.retention, _Keep) else action.retention,
    )
