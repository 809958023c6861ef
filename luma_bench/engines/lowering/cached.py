"""Programs by text, parameters and schemas, so that a text that comes again is not planned again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.duck_tree import DuckTrees
from luma_bench.engines.lowering.fusion import Fusion
from luma_bench.engines.lowering.program import Describe, Tools, lowered
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.plan.engine import Inputs, SqlFragment, View
from luma_bench.plan.relational.nodes import Program
from luma_bench.types.schema import ROWS_PREFIX

_ENTRIES = 256
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class _Entry:
    schemas: Mapping[str, pa.Schema]
    views: tuple[View, ...]
    answer: Program | NotLowered


class Lowering:
    """Lowers texts, and keeps what became of them. Thread-safe.

    Parameters
    ----------
    describe
        The embedded engine's binder (`SqlInspector.describe`).
    trees
        DuckDB's parser; one of its own by default.
    """

    def __init__(self, describe: Describe, trees: DuckTrees | None = None) -> None:
        self._tools = Tools(describe, trees or DuckTrees(), Fusion())
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def program(self, fragment: SqlFragment, inputs: Inputs) -> Program:
        """The relational program of a fragment over its inputs.

        Raises
        ------
        NotLowered
            Another engine would not, or might not, give the embedded engine's answer.
        """
        if inputs.files is not None:
            raise NotLowered("it reads files")
        if inputs.sequences:
            raise NotLowered("it takes values of a sequence")
        if len(fragment.text) > _LONGEST:
            raise NotLowered("its text is very long")
        if ROWS_PREFIX in fragment.text:
            raise NotLowered("it reads row ids")
        schemas = relation_schemas(inputs)
        key = (fragment.text, repr(sorted(fragment.params.items())))
        with self._lock:
            found = self._entries.get(key)
            if found is not None and found.views == inputs.views and _same(found.schemas, schemas):
                self._entries.move_to_end(key)
                answer = found.answer
                if isinstance(answer, NotLowered):
                    raise NotLowered(answer.reason, hint=answer.hint)
                return answer
        lasts = True
        answer: Program | NotLowered
        try:
            answer, lasts = lowered(self._tools, fragment, schemas, inputs.views)
        except NotLowered as refused:
            answer = refused
        if lasts:
            with self._lock:
                self._entries[key] = _Entry(schemas, inputs.views, answer)
                while len(self._entries) > _ENTRIES:
                    self._entries.popitem(last=False)
        if isinstance(answer, NotLowered):
            raise answer
        return answer

    def close(self) -> None:
        """Forget the texts and release the parser."""
        with self._lock:
            self._entries.clear()
        self._tools.trees.close()


def lower(fragment: SqlFragment, inputs: Inputs, describe: Describe) -> Program:
    """The relational program of one fragment; `Lowering` keeps what it makes.

    Raises
    ------
    NotLowered
        Another engine would not, or might not, give the embedded engine's answer.
    """
    lowering = Lowering(describe)
    try:
        return lowering.program(fragment, inputs)
    finally:
        lowering.close()


def relation_schemas(inputs: Inputs) -> dict[str, pa.Schema]:
    """The Arrow schemas of everything that a fragment may read, by name; a relation hides a source of its name."""
    hidden = {name.casefold() for name in inputs.relations}
    schemas = {
        name: source.schema for name, source in inputs.sources.items() if name.casefold() not in hidden
    }
    for name, relation in inputs.relations.items():
        schemas[name] = _schema(relation)
    return schemas


def _schema(relation: Any) -> pa.Schema:
    schema = getattr(relation, "schema", None)
    if isinstance(schema, pa.Schema):
        return schema
    return pa.RecordBatchReader.from_stream(relation).schema


def _same(one: Mapping[str, pa.Schema], other: Mapping[str, pa.Schema]) -> bool:
    return one.keys() == other.keys() and all(
        schema is other[name] or schema.equals(other[name], check_metadata=True)
        for name, schema in one.items()
    )
