"""What a commit takes for granted of objects: that the schema, the sequences and the policies are still as they were seen."""

from __future__ import annotations

from collections.abc import Iterable

from luma_bench.storage.catalog.change import ANY_TABLE, ObjectChange, Reliance
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.draft import TableDraft

_IN_SCHEMAS = frozenset({"view", "sequence"})
_MAKES = frozenset({"create", "alter", "replace"})
_PLACES = _MAKES | {f"{done} {kind}" for done in ("create", "alter") for kind in _IN_SCHEMAS}


def relied_on(
    view: ResolvedSnapshot, base: int, drafts: Iterable[TableDraft], objects: Iterable[ObjectChange]
) -> list[Reliance]:
    """The reliances of a commit: each is of a schema that something is made in, or of what would be left behind.

    Parameters
    ----------
    view
        The transaction's view.
    base
        The snapshot that it began on.
    """
    found: dict[Reliance, None] = {}

    def inside(name: str) -> None:
        before, dot, _ = name.partition(".")
        schema = view.object("schema", before) if dot else None
        if schema is not None and schema.id > 0:
            found[Reliance(schema.id, schema.name, base, frozenset({"drop schema"}), "schema")] = None

    def nowhere(name: str, operations: frozenset[str], kind: str) -> None:
        found[Reliance(ANY_TABLE, name, base, operations, kind)] = None

    for draft in drafts:
        if draft.dropped or not draft.redefined:
            continue
        if draft.base is None or draft.base.name != draft.schema.name:
            inside(draft.schema.name)
        if any(item.expression.sequences for item in draft.schema.rules.defaults):
            nowhere(draft.schema.name, frozenset({"drop sequence", "alter sequence"}), "table")
    for change in objects:
        kind, name = change.object.kind, change.object.name
        if change.operation != "drop":
            if kind in _IN_SCHEMAS:
                inside(name)
        elif kind == "schema":
            nowhere(name, _PLACES, kind)
        elif kind == "sequence":
            nowhere(name, _MAKES, kind)
    return list(found)
