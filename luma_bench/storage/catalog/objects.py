"""Objects in the catalog: reading those of a snapshot, and writing what a commit makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import bindparam, select, update

from luma_bench.errors import CatalogError, ConflictError
from luma_bench.storage.catalog.change import ObjectChange, TableChange
from luma_bench.storage.catalog.tables import OBJECT, TABLE, live
from luma_bench.types.graph import GRAPH
from luma_bench.types.schema import CatalogObject

Objects = Mapping[tuple[str, str], CatalogObject]
"""Objects by kind and casefolded name."""

RELATIONS = frozenset({"view", GRAPH})
"""The kinds whose names stand where a table's may stand."""

_AT = bindparam("at", type_=sa.BigInteger)
_OBJECTS = select(
    OBJECT.c.object_id, OBJECT.c.kind, OBJECT.c.name, OBJECT.c.definition, OBJECT.c.comment
).where(live(OBJECT, _AT))
_LIVE = select(OBJECT.c.object_id, OBJECT.c.kind, OBJECT.c.name, OBJECT.c.begin_snapshot).where(
    OBJECT.c.end_snapshot.is_(None)
)
_LIVE_TABLES = select(TABLE.c.table_id, TABLE.c.name, TABLE.c.begin_snapshot).where(
    TABLE.c.end_snapshot.is_(None)
)
_END = (
    update(OBJECT)
    .where((OBJECT.c.object_id == bindparam("o")) & OBJECT.c.end_snapshot.is_(None))
    .values(end_snapshot=bindparam("s"))
)
_INSERT = sa.insert(OBJECT)


def read_objects(connection: sa.Connection, snapshot: int) -> Objects:
    """The objects that live at a snapshot."""
    found = [
        CatalogObject(*row)
        for row in connection.execute(_OBJECTS.order_by(OBJECT.c.object_id), {"at": snapshot})
    ]
    return MappingProxyType({item.key: item for item in found})


def check_object(
    connection: sa.Connection,
    change: ObjectChange,
    tables: Sequence[TableChange],
    together: Sequence[ObjectChange],
) -> None:
    """Refuse a change of an object that does not fit on what was committed after its base.

    Parameters
    ----------
    tables, together
        Every change of the commit: names that one of them gives up are free for the others.

    Raises
    ------
    ConflictError
        The object was changed meanwhile, or another took its name.
    CatalogError
        The name belongs to another object or table.
    """
    item = change.object
    living = {row.object_id: row for row in connection.execute(_LIVE)}
    present = living.get(item.id)
    if change.operation != "create" and (present is None or present.begin_snapshot > change.base):
        winner = change.base if present is None else present.begin_snapshot
        raise ConflictError.lost(item.name, winner, f"the {item.kind} was changed or dropped", kind=item.kind)
    if change.operation == "drop":
        return
    left = {other.object.id for other in together}
    folded = item.name.casefold()
    named = [
        (row.name, row.begin_snapshot, row.kind)
        for row in living.values()
        if row.object_id not in left and _share_names(row.kind, item.kind)
    ]
    if item.kind in RELATIONS:
        given_up = {other.schema.id for other in tables if other.drops or other.redefined}
        named += [
            (name, begin, "table")
            for number, name, begin in connection.execute(_LIVE_TABLES)
            if number not in given_up
        ]
        named += [(other.schema.name, 0, "table") for other in tables if not other.drops]
    for name, begin, kind in named:
        if name.casefold() == folded:
            if begin > change.base:
                raise ConflictError.lost(name, begin, "it got this name", kind=kind)
            raise CatalogError.object_exists(kind, name)


def _share_names(one: str, other: str) -> bool:
    return one == other or (one in RELATIONS and other in RELATIONS)


def check_table_name(
    connection: sa.Connection, change: TableChange, together: Sequence[ObjectChange]
) -> None:
    """Refuse a table's new name that a view has.

    Raises
    ------
    ConflictError
        The view came after the change's base.
    CatalogError
        It was there before.
    """
    if not change.redefined or change.drops:
        return
    left = {other.object.id for other in together}
    folded = change.schema.name.casefold()
    for row in connection.execute(_LIVE):
        if row.kind in RELATIONS and row.object_id not in left and row.name.casefold() == folded:
            if row.begin_snapshot > change.base:
                raise ConflictError.lost(row.name, row.begin_snapshot, "it got this name", kind=row.kind)
            raise CatalogError.object_exists(row.kind, row.name)


def write_object(
    connection: sa.Connection, change: ObjectChange, snapshot: int, reserve: Callable[[sa.Connection], int]
) -> ObjectChange:
    """Write what a commit makes of an object; the change again, with the id that it was given."""
    item = change.object
    if change.operation == "create":
        if item.id <= 0:
            item = replace(item, id=reserve(connection))
    else:
        connection.execute(_END, {"o": item.id, "s": snapshot})
    if change.operation != "drop":
        row = {
            "object_id": item.id,
            "kind": item.kind,
            "name": item.name,
            "definition": item.definition,
            "comment": item.comment,
            "begin_snapshot": snapshot,
        }
        connection.execute(_INSERT, row)
    return replace(change, object=item)
