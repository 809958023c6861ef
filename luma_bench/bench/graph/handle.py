"""`bench.graph("air")`: a property graph at a snapshot, as Python sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from luma_bench.bench.graph.calls import PathCalls
from luma_bench.bench.graph.computing import AlgorithmCalls
from luma_bench.bench.graph.extract import properties_of
from luma_bench.bench.graph.part import Subgraph
from luma_bench.types.graph import ElementTable

if TYPE_CHECKING:
    import networkx as nx

    from luma_bench.bench.bench import Bench

_SHOWN = 8
"""Properties that are named when a graph is shown."""


class Graph(PathCalls, AlgorithmCalls):
    """A property graph, pinned at the snapshot that it was asked for at.

    Everything it answers is asked in KadeQL, so policies hold. Keys of several columns are tuples in Python.

    Attributes
    ----------
    definition
        Its tables, keys, labels and properties, as the catalog keeps them.
    """

    @property
    def vertex_tables(self) -> tuple[str, ...]:
        """The names of its vertex tables in the graph."""
        return tuple(item.name for item in self.definition.vertices)

    @property
    def edge_tables(self) -> tuple[str, ...]:
        """The names of its edge tables in the graph."""
        return tuple(item.name for item in self.definition.edges)

    @property
    def vertices(self) -> int:
        """How many vertices there are."""
        return self._count("MATCH (v)")

    @property
    def edges(self) -> int:
        """How many edges there are: rows without two ends, NULL or of a key that no vertex has, are none."""
        return self._count("MATCH ()-[e]->()") if self.definition.edges else 0

    @property
    def schema(self) -> dict[str, pa.Schema]:
        """The properties of each vertex and edge table, by its name in the graph."""
        found: dict[str, pa.Schema] = {}
        for table in (*self.definition.vertices, *self.definition.edges):
            columns = self._executor.schema(table.table)
            found[table.name] = pa.schema(
                [
                    columns.field(column).with_name(name)
                    for name, column in properties_of(self._executor, table).items()
                ]
            )
        return found

    def subgraph(self, vertices: Any, *, table: str | None = None) -> Subgraph:
        """The part among some vertices: for networkx, GraphML and drawings.

        Parameters
        ----------
        vertices
            Keys, tuples of several columns; a result whose first columns are the key, or whose first is `nodes(p)` of
            paths; or, in a graph of several vertex tables, such for each of them by its name there.
        table
            The vertex table that the keys are of, in a graph of several.

        Raises
        ------
        CatalogError
            A key is no vertex's.

        Examples
        --------
        >>> near = bench.graph("air").neighbors("JFK")
        >>> bench.graph("air").subgraph(["JFK", *near.to_pandas().id]).plot()
        """
        return Subgraph.of(self._executor, self.definition, vertices, table)

    @classmethod
    def from_networkx(
        cls,
        bench: Bench,
        name: str,
        graph: nx.Graph[Any],
        *,
        vertices: str | None = None,
        edges: str | None = None,
        id: str = "id",  # noqa: A002 (the column's name)
        source: str = "source",
        destination: str = "destination",
        key: str = "key",
        vertex_label: str | None = "vertex",
        edge_label: str | None = "edge",
        mode: Literal["create", "replace"] = "create",
        message: str = "",
    ) -> Graph:
        """Two tables and a property graph over them, out of a networkx graph, in one snapshot.

        Attributes become columns, of types that hold all of their values, NULL where they are missing. Nodes that are tuples
        become a key of several columns, `id_1, id_2, …`. An undirected graph has its edges in one direction each; patterns
        such as `(a)-[]-(b)` and `to_networkx(directed=False)` read them without.

        Parameters
        ----------
        vertices, edges
            Names of the tables; the graph's with `_vertices` and `_edges` when they are left out.
        id, source, destination, key
            Names of the columns of nodes, of the ends of edges, and of the keys of a multigraph.
        vertex_label, edge_label
            What patterns call them; None for the tables' names.
        mode
            `create`, or `replace` graph and tables.
        message
            What the snapshot says.

        Raises
        ------
        SchemaError
            Nodes or an attribute are of types without a common one, or an attribute has the name of a key column.
        CatalogError
            There is such a graph or table.

        Examples
        --------
        >>> import networkx as nx
        >>> lb.Graph.from_networkx(bench, "club", nx.karate_club_graph())
        """
        from luma_bench.bench.graph.importing import from_networkx

        return from_networkx(
            bench, name, graph, vertices=vertices, edges=edges, id=id, source=source, destination=destination,
            key=key, vertex_label=vertex_label, edge_label=edge_label, mode=mode, message=message,
        )  # fmt: skip

    @classmethod
    def from_edges(
        cls,
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
        mode: Literal["create", "replace"] = "create",
        options: Mapping[str, Any] | None = None,
        message: str = "",
    ) -> Graph:
        """A property graph over a list of edges, in one snapshot.

        Parameters
        ----------
        data
            The edges: a path to CSV, TSV, Parquet, JSON or Arrow files; to a text of columns parted by blanks (`.txt`,
            `.edges`, `.edgelist`, `.el`, `.ncol`, also compressed), whose columns become source, destination, weight; the
            name of a stored table, which stays as it is; or anything that `bench.write` takes.
        source, destination
            The columns of the ends; the first two when they are left out.
        vertices
            The vertices: a stored table's name, or anything that `bench.write` takes. Without it they are what the ends of
            edges say, in a table of its own with the column `id`.
        vertex_key
            The columns of the vertices' key; of a stored table its primary key when it is left out, else the first.
        edges
            The name of the table of edges; the graph's with `_edges` when it is left out.
        vertex_label, edge_label
            What patterns call them; None for the tables' names.
        mode
            `create`, or `replace` the graph and the tables that it makes.
        options
            How CSV is read, as `bench.write` takes them: `{"delim": ";", "header": False}`.

        Raises
        ------
        SchemaError
            There are no such columns.
        CatalogError
            There is no such file or table, or there is such a graph.

        Examples
        --------
        >>> lb.Graph.from_edges(bench, "web", {"from": [1, 1, 2], "to": [2, 3, 3]})
        """
        from luma_bench.bench.graph.importing import from_edges

        return from_edges(
            bench, name, data, source=source, destination=destination, vertices=vertices, vertex_key=vertex_key,
            edges=edges, vertex_label=vertex_label, edge_label=edge_label, mode=mode, options=options, message=message,
        )  # fmt: skip

    @classmethod
    def from_graphml(
        cls,
        bench: Bench,
        name: str,
        path: str | os.PathLike[str],
        *,
        node_type: type = str,
        mode: Literal["create", "replace"] = "create",
        message: str = "",
        **names: Any,
    ) -> Graph:
        """Two tables and a property graph over them, out of a GraphML file, in one snapshot.

        Parameters
        ----------
        node_type
            What the nodes' ids are turned into: `str`, or `int`.
        names
            As for `from_networkx`.

        Raises
        ------
        SchemaError
            It is no GraphML, or declares XML entities.
        CatalogError
            There is no such file, or there is such a graph.
        """
        from luma_bench.bench.graph.importing import from_graphml

        return from_graphml(bench, name, path, node_type=node_type, mode=mode, message=message, **names)

    def __repr__(self) -> str:
        lines = self._lines()
        wide = max(len(lead) for lead, _ in lines)
        return "\n".join([self._title, *(f"  {lead:<{wide}}  {said}" for lead, said in lines)])

    def _repr_html_(self) -> str:
        from luma_bench.bench.display import escaped, wrapped

        facts = "".join(
            f"<div>{escaped(lead)}</div><div>{escaped(said)}</div>" for lead, said in self._lines()
        )
        head = f'<div class="luma-heading">{escaped(self._title)}</div>'
        return wrapped(f'{head}<div class="luma-facts">{facts}</div>')

    @property
    def _title(self) -> str:
        return f"Graph({self.name!r}, snapshot {self.snapshot})"

    def _lines(self) -> list[tuple[str, str]]:
        """Each table as a pattern that reads it, and what it holds."""
        lines = [(f"(:{'|'.join(vertex.labels)})", self._held(vertex)) for vertex in self.definition.vertices]
        for edge in self.definition.edges:
            ends = [
                self.definition.vertices[self.definition.vertex(end.vertex)]
                for end in (edge.source, edge.destination)
            ]
            start, stop = (f"(:{end.labels[0] if end.labels else ''})" for end in ends)
            lines.append((f"{start}-[:{'|'.join(edge.labels)}]->{stop}", self._held(edge)))
        return lines

    def _held(self, table: ElementTable) -> str:
        names = list(properties_of(self._executor, table))
        shown = ", ".join(names[:_SHOWN]) + (f", … ({len(names)} in all)" if len(names) > _SHOWN else "")
        key = f" by {', '.join(table.key)}" if table.key else ""
        rows = self._executor.rows(table.table)
        said = f"{rows:,} row{'' if rows == 1 else 's'} of {table.table}{key}"
        return f"{said}: {shown}" if shown else said

    def _count(self, pattern: str) -> int:
        result = self.match(f"{pattern} RETURN count(*) AS n")
        return int(result.to_arrow().column("n")[0].as_py())
