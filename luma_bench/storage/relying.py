"""What a commit takes for granted of objects: that schemas, sequences, policies and graphs are still as they were seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from luma_bench.storage.catalog.change import ANY_TABLE, ObjectChange, Reliance
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.draft import TableDraft
from luma_bench.types.graph import GRAPH, PropertyGraph

_IN_SCHEMAS = frozenset({"view", "sequence", GRAPH})
_MAKES = frozenset({"create", "alter", "replace"})
_DEFINES = frozenset({"alter", "replace", "drop"})
_MAKES_GRAPH = frozenset({f"create {GRAPH}", f"alter {GRAPH}"})
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
        if draft.base is not None and (draft.dropped or draft.redefined):
            nowhere(draft.base.name, _MAKES_GRAPH, "table")
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
            if kind == GRAPH:
                found |= dict.fromkeys(_read_by(change, view, base))
        elif kind == "schema":
            nowhere(name, _PLACES, kind)
        elif kind == "sequence":
            nowhere(name, _MAKES, kind)
    return list(found)


def _read_by(change: ObjectChange, view: ResolvedSnapshot, base: int) -> Iterator[Reliance]:
    """The tables of a property graph must be as they were when it was checked against them."""
    name = change.object.name
    for read in PropertyGraph.of(name, change.object.definition).tables:
        table = view.named(read)
        if table is not None and table.id > 0:
            yield Reliance(table.id, name, base, _DEFINES, GRAPH)
