"""What graphs are imported from, brought into columns: node and edge attributes of networkx, edge lists, GraphML."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from luma_bench.bench.graph.exchange import networkx_module
from luma_bench.errors import CatalogError, SchemaError

if TYPE_CHECKING:
    import networkx as nx

_BLANKS = (".txt", ".edges", ".edgelist", ".el", ".ncol", ".net")
"""Files of columns parted by blanks, without a header, as collections of graphs hand them out."""
_EDGE_COLUMNS = ("source", "destination", "weight")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Nodes as key columns.

    Attributes
    ----------
    parts
        How many columns a node takes: one, or as many as its tuples have values.
    held
        The nodes themselves.
    """

    parts: int
    held: dict[str, pa.Array]

    def of(self, nodes: Iterable[Any], names: Sequence[str]) -> dict[str, pa.Array]:
        """Other nodes of the same graph, under other names, in the same types."""
        types = [array.type for array in self.held.values()]
        if self.parts == 1:
            return {names[0]: pa.array(list(nodes), types[0])}
        columns = list(zip(*nodes, strict=True)) or [()] * self.parts
        return {
            name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)
        }

    @staticmethod
    def joined(keys: Mapping[str, pa.Array], held: Sequence[Mapping[Any, Any]], what: str) -> pa.Table:
        """Key columns and attributes as one table; an attribute that some lack is NULL there.

        Raises
        ------
        SchemaError
            An attribute has a name that is no text or that a key has, or values of types without a common one.
        """
        names: dict[str, None] = {}
        for item in held:
            for name in item:
                if not isinstance(name, str):
                    raise SchemaError(
                        f"The {what} have an attribute named {name!r}, and a column's name is a text.",
                        hint="Rename it before the import.",
                    )
                names[name] = None
        folded = {name.casefold(): name for name in keys}
        for name in names:
            if name.casefold() in folded:
                raise SchemaError(
                    f"The {what} have an attribute {name!r}, which is the name of a key column, too.",
                    hint=f"Give the key column another name: {folded[name.casefold()]}='…'.",
                )
        columns = {
            name: typed([item.get(name) for item in held], f"attribute {name!r} of the {what}")
            for name in names
        }
        return pa.table({**keys, **columns})


def node_columns(nodes: Sequence[Any], name: str, what: str = "nodes") -> Columns:
    """The key columns of nodes: one for plain values, `name_1, name_2, …` for tuples.

    Raises
    ------
    SchemaError
        The nodes are of several types, or of one that is no key.
    """
    lengths = {len(node) if isinstance(node, tuple) else 0 for node in nodes} or {-1}
    if lengths == {-1}:
        return Columns(1, {name: pa.array([], pa.string() if what == "nodes" else pa.int64())})
    length = lengths.pop()
    if lengths or (isinstance(nodes[0], tuple) and not length):
        raise _mixed(what, "some are tuples, and others are not, or of another length")
    if not length:
        return Columns(1, {name: _key(nodes, what)})
    columns = zip(*nodes, strict=True)
    return Columns(
        length, {f"{name}_{number}": _key(column, what) for number, column in enumerate(columns, 1)}
    )


def _key(values: Sequence[Any], what: str) -> pa.Array:
    kinds = {type(value).__name__ for value in values}
    if any(value is None for value in values):
        raise _mixed(what, "one of them is None")
    if "bool" in kinds and len(kinds) > 1:
        raise _mixed(what, f"they are of the types {', '.join(sorted(kinds))}")
    try:
        made = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise _mixed(what, f"they are of the types {', '.join(sorted(kinds))}") from error
    if pa.types.is_nested(made.type):
        raise _mixed(what, f"they are of the type {made.type}")
    return made


def _mixed(what: str, why: str) -> SchemaError:
    hint = "Make them texts: networkx.relabel_nodes(graph, str)." if what == "nodes" else None
    return SchemaError(f"The {what} make no key column: {why}.", hint=hint)


def typed(values: Sequence[Any], what: str) -> pa.Array:
    """Values as an Arrow array; whole numbers among floats become floats, and a column of None alone is text.

    Raises
    ------
    SchemaError
        There is no type for all of them.
    """
    try:
        made = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        kinds = {type(value) for value in values if value is not None}
        if kinds <= {int, float}:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        shown = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise SchemaError(
            f"The {what} has values of the types {shown}, which have no column type in common.",
            hint="Convert it before the import, or leave it out.",
        ) from error
    return made.cast(pa.string()) if pa.types.is_null(made.type) else made


class EdgeData(NamedTuple):
    """What `Bench.write` takes for edges."""

    data: Any
    options: Any


def edge_data(data: Any, options: Any) -> EdgeData:
    """Edges in a form that the bench writes: a file of columns parted by blanks is read here, all else as it is.

    Raises
    ------
    CatalogError
        There is no such file.
    SchemaError
        A line of it has another number of columns than the first.
    """
    if not isinstance(data, str | os.PathLike):
        return EdgeData(data, options)
    path = Path(data)
    inner = path.with_suffix("") if path.suffix in (".gz", ".bz2", ".zst") else path
    if options is not None or inner.suffix.lower() not in _BLANKS:
        return EdgeData(data, options)
    return EdgeData(_blank_parted(path), None)


def _blank_parted(path: Path) -> pa.Table:
    """`1 2 0.5` a line; lines that begin with `#` or `%` are comments."""
    import pandas as pd

    if not path.exists():
        raise CatalogError(f"There is no file {str(path)!r}.", hint="Give the path of an edge list.")
    comment, wide = _first_line(path)
    if not wide:
        return pa.table({name: pa.array([], pa.string()) for name in _EDGE_COLUMNS[:2]})
    names = [*_EDGE_COLUMNS[:wide], *(f"column_{number}" for number in range(4, wide + 1))]
    try:
        with pa.input_stream(str(path)) as stream:
            rows: pd.DataFrame = pd.read_csv(
                stream, sep=r"\s+", header=None, comment=comment, names=names, index_col=False, dtype_backend="pyarrow"
            )  # fmt: skip
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SchemaError(f"{str(path)!r} is no edge list: {error}") from error
    return pa.Table.from_pandas(rows, preserve_index=False)


def _first_line(path: Path) -> tuple[str, int]:
    """The character that comments begin with, and how many columns the first line that is none has."""
    comment = "#"
    with pa.input_stream(str(path)) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8", errors="replace"):
            text = line.strip()
            if text[:1] in ("#", "%"):
                comment = text[0]
            elif text:
                return comment, len(text.split())
    return comment, 0


def graphml(path: str | os.PathLike[str], node_type: type) -> nx.Graph[Any]:
    """The graph of a GraphML file.

    Raises
    ------
    CatalogError
        There is no such file.
    SchemaError
        It is no GraphML, or declares entities, which nobody needs and which can make a small file endless.
    """
    nx = networkx_module()
    file = Path(path)
    if not file.exists():
        raise CatalogError(f"There is no file {str(path)!r}.", hint="Give the path of a GraphML file.")
    text = file.read_bytes()
    if text[:2] == b"\x1f\x8b":
        text = gzip.decompress(text)
    _check_xml(text, str(path))
    try:
        return nx.read_graphml(io.BytesIO(text), node_type=node_type)
    except (nx.NetworkXError, KeyError, ValueError) as error:
        raise SchemaError(f"{str(path)!r} is no GraphML that can be read: {error}") from error


def _check_xml(text: bytes, path: str) -> None:
    """Refuse entity declarations before any parser expands them, and what is no XML."""
    from xml.parsers import expat

    def declared(name: str, *_: object) -> None:
        raise SchemaError(
            f"{path!r} declares the XML entity {name!r}, and files with entities are not read.",
            hint="Write the graph again without a document type.",
        )

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise SchemaError(f"{path!r} is no XML: {error}") from error
