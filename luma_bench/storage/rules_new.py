"""What a table's rows must fulfil before it gets another key or another rule."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.storage.keys import KeySet
from luma_bench.storage.ruled import rules_of
from luma_bench.storage.rules_between import Between, parent_of
from luma_bench.storage.staging import Staging
from luma_bench.types.constraints import ITSELF
from luma_bench.types.schema import TableSchema


def check_key(staging: Staging, before: TableSchema, after: TableSchema) -> None:
    """Refuse a new primary key that two rows have.

    Raises
    ------
    ConstraintError
        Naming one such key.
    """
    key = after.settings.primary_key
    if not key or before.settings.primary_key or not staging.view().rows(before.name):
        return
    rows = staging.scan(before).read([before.column(name).name for name in key])
    KeySet(after, [rows.cast(pa.schema([after.column(name).field for name in key]))]).check_distinct()


def check_rules(staging: Staging, before: TableSchema, after: TableSchema) -> None:
    """Check the rows that are there against what is new among the rules, which the view has already.

    Raises
    ------
    ConstraintError
        A row breaks one.
    SchemaError
        A column becomes a generated one, and there are rows.
    """
    if after.rules == before.rules:
        return
    held = staging.view().rows(after.name)
    added = [item for item in after.rules.generated if item not in before.rules.generated]
    if added and held:
        raise SchemaError.column(
            after.name,
            after.by_id[added[0].column],
            "it cannot become a generated column: rows that are there would have to be computed.",
            "Define it in CREATE TABLE, and copy the rows: INSERT INTO … SELECT ….",
        )
    for key in after.rules.foreign:
        if key not in before.rules.foreign and key.table not in (ITSELF, after.id):
            # Who takes rows out of that table meanwhile does not know of this key: the two must conflict.
            parent = parent_of(staging.view(), after, key)
            staging.redefine(parent, parent)
    if held:
        rules = rules_of(after, staging.rules)
        Between(rules, staging.view(), staging.scan, staging.rely).check_new(before, after)
