"""What a graph and a part of it have in common: they become networkx graphs, GraphML files and drawings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.graph.exchange import as_networkx, write_graphml
from luma_bench.bench.graph.extract import Extract, Kept, extracted, keys_of, properties_of
from luma_bench.models.graph.topology import Bools
from luma_bench.types.graph import EdgeTable, ElementTable, PropertyGraph

if TYPE_CHECKING:
    import networkx as nx

    from luma_bench.bench.executor import PinnedExecutor
    from luma_bench.plot.graph import GraphChart

Properties = bool | Sequence[str]


class GraphRows:
    """The vertices and edges of a graph at a snapshot, all of them or those among some vertices."""

    def __init__(self, executor: PinnedExecutor, definition: PropertyGraph, kept: Kept | None = None) -> None:
        self._executor = executor
        self._kept = kept
        self.definition = definition

    @property
    def name(self) -> str:
        """The graph's name."""
        return self.definition.name

    @property
    def snapshot(self) -> int:
        """The snapshot that it is read at."""
        return self._executor.snapshot

    def to_networkx(
        self,
        *,
        directed: bool = True,
        multigraph: bool = True,
        properties: Properties = True,
        edge_properties: Properties | None = None,
        edge_label: str = "label",
    ) -> nx.Graph[Any]:
        """The graph as one of networkx, with properties as attributes; what is NULL is no attribute.

        A node is the vertex's key, a tuple for one of several columns; in a graph of several vertex tables the pair of the
        table's name there and the key. Rows whose ends no vertex has are no edges; with VALID FROM and TO, those of all times
        are. Vertices whose key is NULL are left out: networkx has no such node.

        Parameters
        ----------
        directed
            Whether edges have a direction: `MultiDiGraph`, else `MultiGraph`.
        multigraph
            Whether parallel edges stay apart, by what their key has besides the ends; else `DiGraph` or `Graph`, where one
            edge stands for all of them, with the attributes of the last.
        properties
            Which properties vertices carry along: all but the key's, none, or those of these names.
        edge_properties
            The same of edges; None for as it is with vertices, where that is all or none, else all.
        edge_label
            In a graph of several edge tables, the attribute that says which one an edge is of.

        Raises
        ------
        UnsupportedError
            networkx is not installed.
        SchemaError
            There is no such property.

        Examples
        --------
        >>> air = bench.graph("air").to_networkx(properties=["city"])
        >>> air.nodes["JFK"]
        {'city': 'New York'}
        """
        asked = properties if isinstance(properties, bool) else True
        edge_asked = asked if edge_properties is None else edge_properties
        read = extracted(
            self._executor, self.definition, kept=self._kept,
            vertices=self._besides_keys(self.definition.vertices) if properties is True else properties,
            edges=self._besides_keys(self.definition.edges) if edge_asked is True else edge_asked,
        )  # fmt: skip
        return as_networkx(read, directed=directed, multigraph=multigraph, edge_label=edge_label)

    def to_graphml(
        self,
        path: str | os.PathLike[str],
        *,
        directed: bool = True,
        properties: Properties = True,
        edge_properties: Properties | None = None,
    ) -> None:
        """Write the graph as GraphML, which Gephi, yEd, igraph and networkx read; the file appears whole or not at all.

        Times become ISO text, decimals floats, lists and structs JSON; a key of several columns is JSON, too.

        Raises
        ------
        UnsupportedError
            networkx is not installed.
        SchemaError
            A text holds a control character, which XML cannot.
        """
        write_graphml(
            self.to_networkx(directed=directed, properties=properties, edge_properties=edge_properties), path
        )

    def plot(
        self,
        layout: str = "auto",
        *,
        label: str | None = None,
        color: str | None = None,
        size: str | None = None,
        limit: int = 2_000,
        directed: bool = True,
        title: str = "",
        width: int = 880,
        height: int = 620,
    ) -> GraphChart:
        """A drawing: interactive where plotly is, else SVG; `.figure` is plotly's, `.svg` the text.

        Parameters
        ----------
        layout
            `spring` (forces), `geo` (by the properties longitude and latitude), `circle` or `tree`; `auto` chooses.
        label
            The property that stands beside vertices; their key when it is left out.
        color
            A property: text of at most 8 values, or a number as a shade. In a graph of several vertex tables `label`, which
            is what is taken when it is left out.
        size
            A number among the properties; `degree`, the number of edges, when it is left out.
        limit
            A larger graph is drawn in part: its most connected vertices, by the cores that they are in, and the edges among
            them, and the drawing says so.
        directed
            Whether lines have arrowheads, in drawings of up to 1,500.

        Raises
        ------
        PlotError
            There is no such layout, too many colours, or a property is no number.
        SchemaError
            There is no such property.

        Examples
        --------
        >>> bench.graph("air").plot(color="continent", limit=200)
        """
        from luma_bench.plot.graph import Drawn, graph_chart

        kept, notes = self._most_connected(limit)
        read = extracted(self._executor, self.definition, edges=False, kept=kept)
        source, destination = read.ends()
        several = len(self.definition.vertices) > 1
        rows = _vertex_rows(read, several)
        kinds = [kind for part in read.edges for kind in [_label(part.table)] * len(part.source)]
        names = [_name(key) for part in read.vertices for key in keys_of(part.keys)]
        drawn = Drawn(rows, names, source, destination, kinds if len(read.edges) > 1 else (), directed)
        if color is None and several and "label" in rows.column_names:
            color = "label"
        return graph_chart(
            drawn, layout=layout, label=label, color=color, size=size, title=title, notes=notes,
            width=width, height=height,
        )  # fmt: skip

    def _besides_keys(self, tables: Sequence[ElementTable]) -> list[str]:
        """The properties that say more than keys and ends do."""
        found: dict[str, None] = {}
        for table in tables:
            said = {*table.key}
            if isinstance(table, EdgeTable):
                said |= {*table.source.columns, *table.destination.columns}
            held = properties_of(self._executor, table)
            found |= {name: None for name, column in held.items() if column not in said}
        return list(found)

    def _shape(self) -> Extract:
        """The vertices and edges without what they hold."""
        return extracted(self._executor, self.definition, vertices=False, edges=False, kept=self._kept)

    def _most_connected(self, limit: int) -> tuple[Kept | None, list[str]]:
        """The vertices to draw, and what is to be said when they are not all."""
        from luma_bench.plot.graph_part import connected_part

        read = self._shape()
        chosen = connected_part(read.count, *read.ends(), limit)
        if chosen.all():
            return self._kept, []
        said = (
            f"the {int(chosen.sum()):,} most connected of {read.count:,} vertices; "
            "limit=… draws more, subgraph(…) another part"
        )
        return _kept(read, chosen), [said]


def _kept(read: Extract, chosen: Bools) -> Kept:
    return {
        place: pa.array(part.row_ids[chosen[part.first : part.first + len(part.row_ids)]])
        for place, part in enumerate(read.vertices)
    }


def _vertex_rows(read: Extract, several: bool) -> pa.Table:
    """The properties of all vertices; in a graph of several tables their label, too."""
    parts: list[pa.Table] = []
    for part in read.vertices:
        rows = part.properties
        if several and "label" not in rows.column_names:
            rows = rows.append_column(
                "label", pa.array([_label(part.table)] * len(part.row_ids), pa.string())
            )
        parts.append(rows)
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts, promote_options="permissive")


def _label(table: ElementTable) -> str:
    return table.labels[0] if table.labels else table.name


def _name(key: object) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
