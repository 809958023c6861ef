"""An algorithm over a whole graph as the relation that a query reads: its arguments resolved, its result with keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.graph.conditions import Asked, constant
from luma_bench.bench.graph.keys import Elements, Kind
from luma_bench.bench.graph.moments import as_times, moment_like, moments
from luma_bench.bench.graph.scan import Shapes
from luma_bench.bench.island_relation import IslandRelation, batch_of, timed
from luma_bench.errors import KadeQLBindError, KadeQLError, LumaError, UnsupportedError, choices
from luma_bench.language.graph.pattern import Algorithm, Argument
from luma_bench.models.control import Control
from luma_bench.models.graph.algorithms import ALGORITHMS, AlgorithmResult, AlgorithmSpec
from luma_bench.models.graph.topology import Topology
from luma_bench.types.predicate import Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_text import string_literal

if TYPE_CHECKING:
    from luma_bench.models.graph.algorithms.spec import Argument as Known

_BATCH: Final = 131_072
_SAMPLES: Final = ("1", "'A'")


class AlgorithmScan(IslandRelation):
    """The scan source of one algorithm; it runs once, when rows of it are first asked for.

    Raises
    ------
    KadeQLBindError
        An argument is unknown or missing, or names no column.
    """

    def __init__(
        self, island: Algorithm, whole: str, elements: Elements, asked: Asked, shapes: Shapes
    ) -> None:
        self.island = island
        self.elements = elements
        self._whole = whole
        self._asked = asked
        self._shapes = shapes
        self._spec: AlgorithmSpec = ALGORITHMS[island.name]
        self._places = tuple(range(len(elements.graph.vertices)))
        self._given = {item.name for item in island.arguments}
        key = elements.key_field("vertex", self._places)
        self._key = pa.field("id", key.type, True, key.metadata)
        self._types = {
            item.name: item.type if item.like is None else self._column_type(item.like)
            for item in self._spec.columns(self._given)
        }
        schema = pa.schema(
            [
                pa.field(ROW_ID, pa.int64(), False),
                self._key,
                *(pa.field(name, kind) for name, kind in self._types.items()),
            ]
        )
        super().__init__(island.alias, schema, asked.ask.identity)
        self._check_names()
        self._answer: tuple[Topology, AlgorithmResult] | None = None
        self._engine = ""
        self._seconds = 0.0

    def prepare(self) -> None:
        """Nothing: arguments are resolved when it runs."""

    def rows(self) -> int:
        """The vertices of the graph that the identity sees, at most."""
        asked = self._asked
        tables = [item.table for item in self.elements.graph.vertices]
        return sum(asked.columns.source(asked.view, name, asked.ask.identity).rows() for name in tables)

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """The vertices' keys are columns of their tables; the rest is computed."""
        if column.casefold() != "id":
            return None
        tables = self.elements.graph.vertices
        return tuple(dict.fromkeys(f"{item.table}.{name}" for item in tables for name in item.key))

    def lines(self) -> list[str]:
        """Which algorithm, with which arguments."""
        shown = ", ".join(self._whole[slice(*item.span)] for item in self.island.arguments)
        told = f"{self.island.name} over {self.elements.graph.name}{f' ({shown})' if shown else ''}"
        if self._answer is not None:
            told += f" · {len(self._answer[1].vertices):,} rows · {self._seconds * 1e3:.1f} ms"
        return [told]

    def record(self, label: str, engine: str) -> NodeRecord:
        """The algorithm as a node of the run record."""
        return NodeRecord(
            f"graph {self.name}", self._engine or engine, rows=self.streamed, elapsed=self._seconds,
            detail="; ".join(self.lines()),
        )  # fmt: skip

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        control.memory = self._shapes.memory
        return self._made(names, control), False

    def _made(self, names: list[str], control: Control) -> Iterator[pa.RecordBatch]:
        topology, answer = self._run(control)
        schema = pa.schema([self._schema.field(name) for name in names])
        for first in range(0, len(answer.vertices), _BATCH):
            control.check()
            part = slice(first, first + _BATCH)
            ids = answer.vertices[part]
            arrays: list[pa.Array] = []
            for name in names:
                if name == ROW_ID:
                    arrays.append(pa.array(np.arange(first, first + len(ids))))
                elif name == "id":
                    arrays.append(self.elements.key("vertex", self._places, self._key, topology, ids))
                else:
                    arrays.append(self._column(name, answer.columns[name][part]))
            yield batch_of(arrays, schema, len(ids))

    def _run(self, control: Control) -> tuple[Topology, AlgorithmResult]:
        with self._lock:
            if self._answer is None:
                topology, _ = self._shapes.of(self.elements.graph, self._asked)
                engine = self._shapes.engine(topology)
                values = {
                    item.name: self._value(item, self._argument(item), topology)
                    for item in self.island.arguments
                }
                from luma_bench.models.graph.merged import merged

                try:
                    found, self._seconds = timed(
                        lambda: self._spec.run(topology, merged, engine, values, control)
                    )
                except UnsupportedError as error:
                    raise self._placed(error) from error
                self._engine = engine.name
                self._answer = topology, found
            return self._answer

    def _placed(self, error: LumaError) -> KadeQLError:
        """The error of an argument's value, at the argument that it names."""
        named = [item for item in self.island.arguments if f"{item.name} " in error.message]
        span = named[0].span if named else self.island.span
        return KadeQLBindError(error.message, text=self._whole, span=span, hint=error.hint)

    def _check_names(self) -> None:
        known = [item.name for item in self._spec.arguments]
        for item in self.island.arguments:
            if item.name not in known:
                raise KadeQLBindError(
                    f"{self.island.name} has no argument {item.name!r}.",
                    text=self._whole,
                    span=item.span,
                    hint=choices(item.name, known, "arguments") if known else "It takes the graph alone.",
                )
            kind = self._argument(item).kind
            if kind in ("edge column", "vertex column"):
                self._property(item, "edge" if kind == "edge column" else "vertex")
        missing = [item.name for item in self._spec.arguments if item.required]
        for name in missing:
            if name not in self._given:
                raise KadeQLBindError(
                    f"{self.island.name} needs the argument {name}.",
                    text=self._whole,
                    span=self.island.span,
                    hint=f"Write {self.island.name}(GRAPH {self.elements.graph.name}, {name} => …).",
                )

    def _argument(self, item: Argument) -> Known:
        found = self._spec.argument(item.name)
        assert found is not None
        return found

    def _value(self, item: Argument, known: Known, topology: Topology) -> Any:
        """An argument as the algorithm takes it."""
        if known.kind in ("edge column", "vertex column"):
            return (
                self._edges(item, topology, times=known.times)
                if known.kind[0] == "e"
                else self._vertices(item, topology)
            )
        value = constant(item.value, self._asked)
        if not value.is_valid:
            if known.required:
                raise self._no_key(item, f"{item.name} is NULL, which is no key.")
            return None
        if known.kind == "vertex":
            return self._vertex(item, value, topology)
        if known.kind == "time":
            kind = self._column_type("depart")
            return moment_like(
                value, kind, f"{item.name} of {self.island.name}", self._whole, item.value.span
            )
        plain = value.as_py()
        if known.kind == "float" and not isinstance(plain, bool | str):
            return float(plain)
        wrong = known.problem(plain)
        if wrong is not None:
            raise KadeQLBindError(
                f"{self.island.name}: {wrong}.", text=self._whole, span=item.value.span, hint=known.help
            )
        return plain

    def _name(self, item: Argument) -> str:
        """The name of a column: written as a name, or in quotes."""
        text = self._whole[slice(*item.value.span)].strip()
        if text[:1] == "$":
            return str(constant(item.value, self._asked).as_py())
        if text[:1] in "'\"":
            return text[1:-1].replace(text[0] * 2, text[0])
        return text

    def _property(self, item: Argument, kind: Kind) -> pa.Field:
        name = self._name(item)
        places = range(len(self.elements.tables(kind)))
        found = self.elements.property_field(kind, places, name)
        if found is None:
            known = self.elements.properties(kind, places)
            raise KadeQLBindError(
                f"No {kind} table of the graph {self.elements.graph.name!r} has a property {name!r}.",
                text=self._whole,
                span=item.value.span,
                hint=choices(name, known, "properties"),
            )
        return found

    def _column_type(self, argument: str) -> pa.DataType:
        item = next((item for item in self.island.arguments if item.name == argument), None)
        return pa.int64() if item is None else self._property(item, "edge").type

    def _edges(self, item: Argument, topology: Topology, *, times: bool) -> Any:
        """A property of the edges by global slot."""
        made = self._property(item, "edge")
        places = range(len(self.elements.graph.edges))
        ids = np.arange(topology.edge_count)
        values = self.elements.property("edge", places, self._name(item), made, topology, ids)
        if times:
            whole, valid = moments(
                values,
                self._whole,
                item.value.span,
                (
                    f"{self.island.name}: {item.name} names a column of times",
                    "Name a column of dates, timestamps or whole numbers.",
                ),
            )
            return pa.array(whole, mask=None if valid is None else ~valid)
        return self._numbers(values, item)

    def _vertices(self, item: Argument, topology: Topology) -> Any:
        """A property of the vertices by dense id."""
        made = self._property(item, "vertex")
        ids = np.arange(topology.vertex_count, dtype=np.int32)
        values = self.elements.property("vertex", self._places, self._name(item), made, topology, ids)
        return self._numbers(values, item)

    def _numbers(self, values: pa.Array, item: Argument) -> pa.Array:
        kind = values.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise KadeQLBindError(
                f"{self.island.name}: {item.name} names a column of numbers, and {self._name(item)!r} is a {kind}.",
                text=self._whole,
                span=item.value.span,
                hint=self._argument(item).help,
            )
        return pc.cast(values, pa.float64())

    def _vertex(self, item: Argument, value: pa.Scalar, topology: Topology) -> int:
        """The vertex with a key; of several tables the one that has it."""
        found: list[int] = []
        for place, element in enumerate(self.elements.graph.vertices):
            rows = topology.vertices[place]
            ids = np.arange(rows.first, rows.first + rows.count, dtype=np.int32)
            keys = self.elements.key(
                "vertex", (place,), self.elements.key_field("vertex", (place,)), topology, ids
            )
            found += [int(ids[at]) for at in _equal(keys, value, element.key) if not _dead(rows.dead, at)]
        if len(found) == 1:
            return found[0]
        shown = value.as_py()
        if not found:
            raise self._no_key(
                item, f"The graph {self.elements.graph.name!r} has no vertex with the key {shown!r}."
            )
        raise KadeQLBindError(
            f"{len(found)} vertices have the key {shown!r}, in several vertex tables.",
            text=self._whole,
            span=item.value.span,
            hint="Make a property graph with one of the tables, or give them keys that differ.",
        )

    def _no_key(self, item: Argument, told: str) -> KadeQLBindError:
        """The error of a key that no vertex has, with what keys look like."""
        shapes: list[str] = []
        for place, element in enumerate(self.elements.graph.vertices):
            shape = ", ".join(element.key)
            kind = self.elements.key_field("vertex", (place,)).type
            if pa.types.is_struct(kind):
                texts = (pa.types.is_string(field.type) for field in kind.fields)
                pairs = zip(element.key, texts, strict=True)
                parts = (f"{string_literal(name)}: {_SAMPLES[text]}" for name, text in pairs)
                shape = "{" + ", ".join(parts) + "}"
            shapes.append(f"{shape} of {element.table}")
        return KadeQLBindError(
            told,
            text=self._whole,
            span=item.value.span,
            hint=f"{item.name} is the key of a vertex: {' or '.join(dict.fromkeys(shapes))}.",
        )

    def _column(self, name: str, values: Any) -> pa.Array:
        kind = self._types[name]
        if pa.types.is_temporal(kind):
            held = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
            valid = held.is_valid().to_numpy(zero_copy_only=False)
            whole = pc.fill_null(held.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
            return as_times(whole, kind, None if valid.all() else valid)
        held = values if isinstance(values, pa.Array) else pa.array(np.ascontiguousarray(values))
        return held if held.type == kind else pc.cast(held, kind, safe=False)


def _equal(keys: pa.Array, value: pa.Scalar, names: Sequence[str]) -> list[int]:
    """Where the keys equal a value."""
    if pa.types.is_dictionary(keys.type):
        keys = keys.dictionary_decode()
    if pa.types.is_struct(keys.type):
        given = value.as_py()
        if not isinstance(given, dict) or len(given) != len(names):
            return []
        folded = {str(name).casefold(): part for name, part in given.items()}
        masks: list[pa.Array] = []
        for at, name in enumerate(names):
            if name.casefold() not in folded:
                return []
            masks.append(_same(keys.field(at), pa.scalar(folded[name.casefold()])))
        mask = masks[0]
        for other in masks[1:]:
            mask = pc.and_(mask, other)
    else:
        mask = _same(keys, value)
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False)).tolist()


def _same(keys: pa.Array, value: pa.Scalar) -> pa.Array:
    try:
        return pc.equal(keys, value.cast(keys.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        return pa.array(np.zeros(len(keys), np.bool_))


def _dead(dead: Any, at: int) -> bool:
    return dead is not None and bool(dead[at])
