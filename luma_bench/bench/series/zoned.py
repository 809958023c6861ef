"""The zones of a query's times: those of the columns that they come from, where the engine knows the session's alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.types.schema import rows_relation

if TYPE_CHECKING:
    from luma_bench.bench.binding import Bound

_BYTES = 1_000
Mixed = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Zoned:
    """The columns of a query, each time in the zone of what it comes from.

    Attributes
    ----------
    mixed
        The zones of each column that comes from times of several: it keeps the session's.
    """

    schema: pa.Schema
    mixed: Mixed = field(default_factory=dict[str, tuple[str, ...]])


def zoned(bound: Bound, given: pa.Schema, asked: Asked) -> Zoned:
    """The columns of a query with the zones of the stored columns, or of the caller's, that its times come from.

    A time that comes from none (`now()`, a file's) keeps the session's zone.

    Parameters
    ----------
    given
        The columns as the engine says them.
    """
    times = [one.name for one in given if _zone(one.type)]
    schemas = dict(_schemas(bound)) if times else {}
    kinds = [(name, tuple((one.name, _zone(one.type)) for one in schema)) for name, schema in schemas.items()]
    known = {zone for _, columns in kinds for _, zone in columns if zone}
    if not known or known == {_zone(given.field(name).type) for name in times}:
        return Zoned(given)

    def found() -> dict[str, tuple[str, ...]]:
        return _traced(bound, kinds, given, times)

    views = tuple((view.name, view.sql, tuple(view.columns)) for view in bound.inputs.views)
    key = ("zones", bound.fragment.text, views, tuple(kinds), tuple(given.names))
    zones = asked.kept.answers.get(key, found, lambda _: _BYTES + len(bound.fragment.text))
    schema = given
    for name in times:
        if len(zones[name]) == 1:
            place = schema.names.index(name)
            one = schema.field(place)
            schema = schema.set(place, one.with_type(pa.timestamp(one.type.unit, zones[name][0])))
    return Zoned(schema, {name: zones[name] for name in times if len(zones[name]) > 1})


def _traced(
    bound: Bound,
    kinds: Sequence[tuple[str, Sequence[tuple[str, str | None]]]],
    given: pa.Schema,
    times: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """The zones that each time comes from; where the text does not show it, those of everything that is read."""
    from luma_bench.plan.lineage import query_lineage

    zones = {f"{name}.{column}": zone for name, columns in kinds for column, zone in columns if zone}
    views = {view.name: (view.sql, view.columns) for view in bound.inputs.views}
    tables = {name: [column for column, _ in columns] for name, columns in kinds}
    told = query_lineage(bound.fragment.text, tables, views, given.names)
    columns = dict(zip(given.names, told.columns, strict=False))
    every = tuple(sorted(set(zones.values())))
    found: dict[str, tuple[str, ...]] = {}
    for name in times:
        column = columns.get(name)
        if column is not None and not column.unknown:
            found[name] = tuple(sorted({zones[source] for source in column.sources if source in zones}))
        else:  # one that is passed on has its zone already; one of a file has none
            settled = bound.inputs.files is not None or _zone(given.field(name).type) in every
            found[name] = () if settled else every
    return found


def _schemas(bound: Bound) -> Iterator[tuple[str, pa.Schema]]:
    """What the query reads, by the names in its text."""
    for name, source in bound.inputs.sources.items():
        yield name, source.schema.remove(0)
        yield rows_relation(name), source.schema
    for name, table in bound.inputs.relations.items():
        yield name, table.schema


def _zone(kind: pa.DataType) -> str | None:
    return kind.tz if pa.types.is_timestamp(kind) else None


def mixture(name: str, zones: Sequence[str], session: str | None) -> str:
    """The warning that windows follow the session's clock, because a time comes from several zones."""
    return (
        f"{name} comes from times of the zones {', '.join(zones)}: its windows follow the session's, {session}. "
        "Say ZONE to have those of one."
    )
