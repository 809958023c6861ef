"""Graphs from elsewhere: networkx, edge lists and GraphML become tables and a property graph over them, in one snapshot."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luma_bench.bench.graph.sources import Columns, edge_data, graphml, node_columns
from luma_bench.bench.writing import names_of
from luma_bench.errors import CatalogError, SchemaError
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench, WriteMode
    from luma_bench.bench.graph.handle import Graph


@dataclass(frozen=True, slots=True)
class Made:
    """The property graph that an import makes: one vertex table and one edge table.

    Attributes
    ----------
    key
        The vertex table's key.
    source, destination
        Columns of the edge table.
    edge_key
        What tells edges apart; empty for nothing.
    """

    name: str
    vertices: str
    key: tuple[str, ...]
    edges: str
    source: tuple[str, ...]
    destination: tuple[str, ...]
    edge_key: tuple[str, ...] = ()
    vertex_label: str | None = None
    edge_label: str | None = None

    @property
    def text(self) -> str:
        """The statement that makes it."""
        key, source, destination = (_listed(names) for names in (self.key, self.source, self.destination))
        edge_key = f" KEY {_listed(self.edge_key)}" if self.edge_key else ""
        to = f"REFERENCES {quoted(self.vertices)} {key}"
        return (
            f"CREATE PROPERTY GRAPH {quoted(self.name)} "
            f"VERTEX TABLES ({quoted(self.vertices)} KEY {key}{_label(self.vertex_label)}) "
            f"EDGE TABLES ({quoted(self.edges)}{edge_key} SOURCE KEY {source} {to} "
            f"DESTINATION KEY {destination} {to}{_label(self.edge_label)})"
        )


def from_networkx(
    bench: Bench,
    name: str,
    graph: Any,
    *,
    vertices: str | None = None,
    edges: str | None = None,
    id: str = "id",  # noqa: A002 (the column's name)
    source: str = "source",
    destination: str = "destination",
    key: str = "key",
    vertex_label: str | None = "vertex",
    edge_label: str | None = "edge",
    mode: WriteMode = "create",
    message: str = "",
) -> Graph:
    """See `Graph.from_networkx`."""
    tables = (vertices or f"{name}_vertices", edges or f"{name}_edges")
    columns = node_columns(list(graph.nodes), id)
    if columns.parts == 1:
        ends = ((source,), (destination,))
    else:
        ends = tuple(
            tuple(f"{part}_{number}" for number in range(1, columns.parts + 1))
            for part in (source, destination)
        )
    multi = graph.is_multigraph()
    listed = list(graph.edges(keys=True, data=True)) if multi else list(graph.edges(data=True))
    arrays = {
        **columns.of((edge[0] for edge in listed), ends[0]),
        **columns.of((edge[1] for edge in listed), ends[1]),
    }
    if multi:
        arrays |= node_columns([edge[2] for edge in listed], key, what="edge keys").held
    edge_rows = Columns.joined(arrays, [edge[-1] for edge in listed], "edges")
    vertex_rows = Columns.joined(columns.held, [held for _, held in graph.nodes(data=True)], "nodes")
    keys = [*ends[0], *ends[1], *(item for item in arrays if multi and item not in {*ends[0], *ends[1]})]
    made = Made(
        name, tables[0], tuple(columns.held), tables[1], ends[0], ends[1], tuple(keys), vertex_label, edge_label
    )  # fmt: skip
    with _changes(bench, name, mode, message or f"graph {name} from networkx"):
        bench.write(tables[0], vertex_rows, mode=mode, primary_key=tuple(columns.held))
        bench.write(tables[1], edge_rows, mode=mode)
        bench.kadeql(made.text)
    return bench.graph(name)


def from_graphml(
    bench: Bench,
    name: str,
    path: str | os.PathLike[str],
    *,
    node_type: type = str,
    mode: WriteMode = "create",
    message: str = "",
    **names: Any,
) -> Graph:
    """See `Graph.from_graphml`."""
    read = graphml(path, node_type)
    return from_networkx(
        bench, name, read, mode=mode, message=message or f"graph {name} from GraphML", **names
    )


def from_edges(
    bench: Bench,
    name: str,
    data: Any,
    *,
    source: str | Sequence[str] | None = None,
    destination: str | Sequence[str] | None = None,
    vertices: Any = None,
    vertex_key: str | Sequence[str] | None = None,
    edges: str | None = None,
    vertex_label: str | None = None,
    edge_label: str | None = None,
    mode: WriteMode = "create",
    options: Any = None,
    message: str = "",
) -> Graph:
    """See `Graph.from_edges`."""
    known = {table.casefold(): table for table in bench.tables()}
    stored = _stored(data, known)
    table = stored or edges or f"{name}_edges"
    read = None if stored is not None else edge_data(data, options)
    with _changes(bench, name, mode, message or f"graph {name} from edges"):
        if read is not None:
            bench.write(table, read.data, mode=mode, options=read.options)
        ends = _ends(bench, table, source, destination)
        made, key = _vertex_table(bench, name, table, ends, vertices, vertex_key, known, mode)
        whole = Made(
            name, made, key, table, *ends, vertex_label=vertex_label, edge_label=edge_label
        )  # fmt: skip
        bench.kadeql(whole.text)
    return bench.graph(name)


def _stored(data: Any, known: dict[str, str]) -> str | None:
    """The stored table that data names, unless there is a file of that name."""
    if not isinstance(data, str) or os.path.exists(data):  # noqa: PTH110 (a text may be no path at all)
        return None
    return known.get(data.casefold())


def _ends(
    bench: Bench, table: str, source: str | Sequence[str] | None, destination: str | Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of both ends; of a table without further word its first two."""
    columns: list[str] = bench.executor().schema(table).names
    if (source is None) != (destination is None):
        raise SchemaError(
            "An edge has two ends, and one of them is named.", hint="Give both: source=…, destination=…."
        )
    if source is None or destination is None:
        if len(columns) < 2:
            raise SchemaError(
                f"The edges have one column, {columns[0]!r}, and need two: where they begin and where they end.",
                hint="Is the file's delimiter another one? Say options={'delim': …}.",
            )
        return (columns[0],), (columns[1],)
    found = tuple(_known(names_of(item), columns, "the edges") for item in (source, destination))
    if len(found[0]) != len(found[1]):
        raise SchemaError(
            f"The ends have {len(found[0])} and {len(found[1])} columns.",
            hint="Both refer to the same key: name as many columns for each.",
        )
    return found[0], found[1]


def _vertex_table(
    bench: Bench,
    name: str,
    edges: str,
    ends: tuple[tuple[str, ...], tuple[str, ...]],
    vertices: Any,
    vertex_key: str | Sequence[str] | None,
    known: dict[str, str],
    mode: WriteMode,
) -> tuple[str, tuple[str, ...]]:
    """The vertex table and its key: a stored one, given rows, or the ends of the edges."""
    table = f"{name}_vertices"
    if vertices is None:
        key = names_of(vertex_key or ()) or _numbered("id", len(ends[0]))
        if len(key) != len(ends[0]):
            raise SchemaError(f"The key {', '.join(key)} has another length than the ends of edges.")
        parts = [
            f"SELECT {', '.join(f'{quoted(column)} AS {quoted(own)}' for column, own in zip(end, key, strict=True))} "
            f"FROM {quoted(edges)} WHERE {' AND '.join(f'{quoted(column)} IS NOT NULL' for column in end)}"
            for end in ends
        ]
        found = bench.kadeql(f"{' UNION '.join(parts)} ORDER BY ALL", max_rows=0, max_bytes=0)
        bench.write(table, found.to_reader(), mode=mode, primary_key=key)
        return table, key
    stored = _stored(vertices, known)
    if stored is None:
        if isinstance(vertices, str) and not os.path.exists(vertices):  # noqa: PTH110
            raise CatalogError.unknown_table(vertices, list(known.values()))
        asked = names_of(vertex_key or ())
        bench.write(table, vertices, mode=mode, primary_key=asked)
        stored, columns = table, bench.executor().schema(table).names
        return stored, asked or tuple(columns[: len(ends[0])])
    executor = bench.executor()
    columns = executor.schema(stored).names
    if vertex_key is not None:
        return stored, _known(names_of(vertex_key), columns, f"table {stored!r}")
    key = executor._pinned.find(stored).settings.primary_key
    return stored, tuple(key) or tuple(columns[: len(ends[0])])


def _known(names: Sequence[str], columns: Sequence[str], where: str) -> tuple[str, ...]:
    by_fold = {column.casefold(): column for column in columns}
    for name in names:
        if name.casefold() not in by_fold:
            raise SchemaError.unknown_column(name, columns, where)
    return tuple(by_fold[name.casefold()] for name in names)


@contextlib.contextmanager
def _changes(bench: Bench, name: str, mode: str, message: str) -> Generator[None]:
    """One snapshot for everything; as a part of the thread's open transaction where there is one."""
    if mode not in ("create", "replace"):
        raise SchemaError(
            f"mode={mode!r} makes no graph.",
            hint="Use mode='create' or mode='replace'; append to its tables with bench.write.",
        )
    with contextlib.nullcontext() if bench.in_transaction else bench.transaction(message):
        if mode == "replace":
            bench.kadeql(f"DROP PROPERTY GRAPH IF EXISTS {quoted(name)}")
        yield


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}_{number}" for number in range(1, count + 1))


def _listed(names: Sequence[str]) -> str:
    return f"({', '.join(map(quoted, names))})"


def _label(label: str | None) -> str:
    return "" if label is None else f" LABEL {quoted(label)}"
