"""Comparing a few plain values with a table's rows without an engine: starting one query costs more than the look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from luma_bench.types.predicate import In
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import SQL_TYPE

_FEW = 16
"""Values that are compared here; from there on an engine's join is worth its start."""
_TEXT = 200
"""Longer texts are not offered to a scan."""
_SQL: Mapping[pa.DataType, str] = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
}
"""Types whose values are equal in SQL where their Python values are."""

type Values = tuple[object, ...]


def few_rows(table: ScanSource, columns: Sequence[str], values: pa.Table) -> Counter[Values] | None:
    """How many rows of a table have each of a few combinations of values in these columns.

    Parameters
    ----------
    values
        The combinations, without NULLs, in columns of the same order as `columns`, whatever their names.

    Returns
    -------
    The combinations that rows have, each with how many have it; None where the values are many, or of a type that
    only an engine compares.
    """
    if not 0 < values.num_rows <= _FEW:
        return None
    lists: list[list[object]] = []
    predicates: list[In] = []
    indexes: list[int] = []
    for name, given in zip(columns, values.columns, strict=True):
        index = table.schema.get_field_index(name)
        field = table.schema.field(index)
        kind = _SQL.get(_plain(field.type))
        if kind is None or SQL_TYPE in (field.metadata or {}) or _SQL.get(_plain(given.type)) != kind:
            return None
        if given.null_count:
            return None
        listed: list[object] = given.to_pylist()
        if any(isinstance(value, str) and len(value) > _TEXT for value in listed):
            return None
        lists.append(listed)
        indexes.append(index)
        predicates.append(In(name, tuple(dict.fromkeys(listed)), kind))
    wanted = set(zip(*lists, strict=True))
    found: Counter[Values] = Counter()
    for batch in table.stream(indexes, predicates, ScanCounters()):
        if batch.num_rows:
            found.update(_counted(batch, wanted))
    return found


def _counted(batch: pa.RecordBatch, wanted: set[Values]) -> Counter[Values]:
    plain = [column.cast(_plain(column.type)) for column in batch.columns]
    names = [str(place) for place in range(len(plain))]
    groups = pa.table(plain, names=names).group_by(names).aggregate([([], "count_all")])
    counts: list[int] = groups.column("count_all").to_pylist()
    keys = zip(*(groups.column(name).to_pylist() for name in names), strict=True)
    return Counter({key: count for key, count in zip(keys, counts, strict=True) if key in wanted})


def _plain(kind: pa.DataType) -> pa.DataType:
    value_type: pa.DataType = kind.value_type if pa.types.is_dictionary(kind) else kind
    return value_type
