"""A graph to networkx and to GraphML files."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.graph.extract import EdgePart, Extract, keys_of
from luma_bench.errors import SchemaError, UnsupportedError

if TYPE_CHECKING:
    import networkx as nx


def networkx_module() -> Any:
    """The module networkx.

    Raises
    ------
    UnsupportedError
        It is not installed.
    """
    try:
        import networkx
    except ImportError as error:
        raise UnsupportedError(
            "This needs the library networkx, which is not installed.",
            hint="Install the extra 'graph': pip install 'luma-bench[graph]'.",
        ) from error
    return networkx


def as_networkx(
    extract: Extract, *, directed: bool = True, multigraph: bool = True, edge_label: str = "label"
) -> nx.Graph[Any]:
    """An extract as a networkx graph; see `Graph.to_networkx`."""
    nx = networkx_module()
    kinds = {
        (True, True): nx.MultiDiGraph,
        (True, False): nx.DiGraph,
        (False, True): nx.MultiGraph,
        (False, False): nx.Graph,
    }
    made: Any = kinds[directed, multigraph]()
    names = extract.names()
    for part in extract.vertices:
        mine = names[part.first : part.first + len(part.row_ids)]
        held = zip(mine, attributes(part.properties), strict=True)
        made.add_nodes_from(item for item in held if item[0] is not None)
    labelled = len(extract.edges) > 1
    for part in extract.edges:
        held = attributes(part.properties)
        if labelled:
            _label(part, held, edge_label)
        ends = (
            [names[place] for place in part.source.tolist()],
            [names[place] for place in part.destination.tolist()],
        )
        keys = _edge_keys(part) if multigraph else None
        if keys is None:
            made.add_edges_from(zip(*ends, held, strict=True))
        else:
            made.add_edges_from(zip(*ends, keys, held, strict=True))
    return made


def attributes(rows: pa.Table) -> list[dict[str, Any]]:
    """The properties of each row as a dict; NULL is left out."""
    columns = [column.to_pylist() for column in rows.columns]
    names = rows.column_names
    if not columns:
        return [{} for _ in range(rows.num_rows)]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]


def _label(part: EdgePart, held: Sequence[dict[str, Any]], name: str) -> None:
    if name in part.properties.column_names:
        raise SchemaError(
            f"The edges {part.table.name!r} have a property {name!r}, which is where their label would go.",
            hint="Name another attribute for it: edge_label='kind'.",
        )
    text = part.table.labels[0] if part.table.labels else part.table.name
    for item in held:
        item[name] = text


def _edge_keys(part: EdgePart) -> list[Any] | None:
    """What tells parallel edges apart: the edge's key without its ends; None where it has none."""
    ends = {*part.table.source.columns, *part.table.destination.columns}
    own = [name for name in part.keys.column_names if name not in ends]
    return keys_of(part.keys.select(own)) if own else None


def write_graphml(graph: Any, path: str | os.PathLike[str]) -> None:
    """A networkx graph as a GraphML file, which appears whole or not at all; see `Graph.to_graphml`."""
    nx = networkx_module()
    keys = [key for _, _, key in graph.edges(keys=True)] if graph.is_multigraph() else []
    # Numbers that networkx gave by itself begin anew at each pair, and an edge's id is there once. Where they say nothing,
    # because no two edges are parallel, no ids are written.
    own = any(not isinstance(key, int) for key in keys) or len(set(keys)) == len(keys) > 1
    keyed = own or any(keys)
    plain: Any = graph.__class__() if keyed else (nx.DiGraph() if graph.is_directed() else nx.Graph())
    plain.add_nodes_from((_text(node), _plain(held)) for node, held in graph.nodes(data=True))
    if keyed:
        plain.add_edges_from(
            (_text(one), _text(other), _text(key) if own else number, _plain(held))
            for number, (one, other, key, held) in enumerate(graph.edges(keys=True, data=True))
        )
    else:
        plain.add_edges_from(
            (_text(one), _text(other), _plain(held)) for one, other, held in graph.edges(data=True)
        )
    target = Path(path)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            nx.write_graphml_xml(plain, file)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _text(node: object) -> object:
    """A node as GraphML names it: a tuple as JSON, which tells `("1",)` from `(1,)`."""
    return json.dumps(node, default=str, ensure_ascii=False) if isinstance(node, tuple) else node


def _plain(held: dict[str, Any]) -> dict[str, Any]:
    """Attributes as the four kinds that GraphML knows: text, whole numbers, floats and truth."""
    return {name: _scalar(value) for name, value in held.items()}


def _scalar(value: object) -> object:
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, dict | list | tuple):
        return _printable(json.dumps(value, default=str, ensure_ascii=False))
    return str(value)


def _printable(text: str) -> str:
    """A text that XML can hold.

    Raises
    ------
    SchemaError
        It holds a control character.
    """
    if any(char < " " and char not in "\t\n\r" for char in text):
        raise SchemaError(
            f"GraphML cannot hold the control characters of the text {text[:40]!r}.",
            hint="Leave the property out: to_graphml(path, properties=[…]).",
        )
    return text
