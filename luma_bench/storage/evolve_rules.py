"""What a schema change may do to columns that rules use, and what it makes of the rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from luma_bench.errors import SchemaError
from luma_bench.types.constraints import TableRules
from luma_bench.types.schema import Column, TableSchema

_WORD: Final = re.compile(r"\w+")


def ruled(schema: TableSchema, rules: TableRules) -> TableSchema:
    """The schema with other rules.

    Raises
    ------
    SchemaError
        One names a column that is not there, or two constraints have one name.
    """
    known = {column.id for column in schema.columns}
    if not rules.reads <= known:
        raise SchemaError(f"A rule of table {schema.name!r} names a column that is not there.")
    names: set[str] = set()
    for rule in rules.named:
        if rule.name.casefold() in names:
            hint = "Give it another name: CONSTRAINT name CHECK (…)."
            raise SchemaError(f"Table {schema.name!r} has a constraint {rule.name!r} already.", hint=hint)
        names.add(rule.name.casefold())
    return replace(schema, rules=rules)


def keyed(schema: TableSchema, names: Sequence[str]) -> TableSchema:
    """The schema with a primary key, whose columns are NOT NULL.

    Raises
    ------
    SchemaError
        It has one already.
    """
    if schema.settings.primary_key:
        shown = ", ".join(schema.settings.primary_key)
        hint = "Write the table anew with mode='replace' to give it another one."
        raise SchemaError(f"Table {schema.name!r} has the primary key ({shown}) already.", hint=hint)
    key = tuple(schema.column(name).name for name in names)
    columns = tuple(
        replace(column, nullable=False) if column.name in key else column for column in schema.columns
    )
    return replace(schema, columns=columns, settings=replace(schema.settings, primary_key=key))


def check_unused(schema: TableSchema, column: Column, doing: str) -> None:
    """Refuse to take away or retype a column that constraints or generated columns read.

    Raises
    ------
    SchemaError
        Naming one of them.
    """
    users = schema.rules.users_of(column.id, alone=doing != "dropped")
    if users:
        hint = f"Drop what uses it first: ALTER TABLE {schema.name} DROP CONSTRAINT …, or DROP COLUMN …."
        problem = f"it cannot be {doing}: {users[0]} uses it."
        raise SchemaError.column(schema.name, column.name, problem, hint)
    if doing != "dropped" and column.id in schema.rules.computed:
        hint = "Drop the column and define the table anew."
        raise SchemaError.column(schema.name, column.name, "a generated column keeps its type.", hint)


def check_word_free(schema: TableSchema, column: Column, name: str) -> None:
    """Refuse a new name that an expression over the column uses for something else, such as a lambda's parameter.

    Raises
    ------
    SchemaError
        One does.
    """
    for item in (*schema.rules.checks, *schema.rules.generated):
        if column.id not in item.expression.columns:
            continue
        texts = [part for part in item.expression.parts if isinstance(part, str)]
        if any(word.casefold() == name.casefold() for text in texts for word in _WORD.findall(text)):
            problem = f"an expression over it uses the word {name!r} already."
            raise SchemaError.column(schema.name, column.name, problem, "Choose another name.")


def without_default(schema: TableSchema, column: Column) -> TableRules:
    """The rules when a column gets a constant default, or none.

    Raises
    ------
    SchemaError
        It is generated.
    """
    if column.id in schema.rules.computed:
        hint = "Its values are computed from the other columns."
        raise SchemaError.column(schema.name, column.name, "a generated column has no default.", hint)
    kept = tuple(item for item in schema.rules.defaults if item.column != column.id)
    return replace(schema.rules, defaults=kept)
