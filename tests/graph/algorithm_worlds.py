"""Random graphs as tables and as networkx has them, for tests of algorithms by both engines."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pyarrow as pa
from graph_arrays import Edges, topology
from hypothesis import strategies as st

from luma_bench.models.control import Control
from luma_bench.models.graph.algorithms import ALGORITHMS
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.merged import merged
from luma_bench.models.graph.topology import Topology


class World:
    """A topology of two vertex and two edge tables, and the same live graph in networkx, with a weight by slot."""

    def __init__(self, sizes, tables, dead_vertices, weights):
        self.topology: Topology = topology(sizes, tables, dead_vertices)
        self.weights = np.array(weights, np.float64)
        self.graph = nx.MultiDiGraph()
        self.graph.add_nodes_from(
            self.topology.live_vertices(tuple(range(len(self.topology.vertices)))).tolist()
        )
        for rows in self.topology.edges:
            for slot in range(rows.count):
                if rows.out.dead is None or not rows.out.dead[slot]:
                    ends = int(rows.source[slot]), int(rows.destination[slot])
                    self.graph.add_edge(*ends, weight=float(self.weights[rows.first + slot]))

    def run(self, engine: GraphEngine, name: str, control: Control | None = None, **values):
        result = ALGORITHMS[name].run(self.topology, merged, engine, values, control or Control())
        assert result.vertices.dtype == np.int32
        columns = {item: np.asarray(pa.array(value)).tolist() for item, value in result.columns.items()}
        given = {key for key, value in values.items() if value is not None}
        assert list(columns) == [item.name for item in ALGORITHMS[name].columns(given)]
        assert all(len(value) == len(result.vertices) for value in columns.values())
        for item in ALGORITHMS[name].columns(given):
            assert pa.array(result.columns[item.name]).type == item.type
        return result.vertices.tolist(), columns

    def by_vertex(self, engine: GraphEngine, name: str, **values) -> dict:
        vertices, columns = self.run(engine, name, **values)
        (column,) = columns.values()
        return dict(zip(vertices, column, strict=True))

    def seen(self, directed: bool) -> nx.MultiGraph:
        if directed:
            return self.graph
        graph = nx.MultiGraph()
        graph.add_nodes_from(self.graph)
        graph.add_edges_from((a, b, data) for a, b, data in self.graph.edges(data=True))
        return graph

    def simple(self) -> nx.Graph:
        graph = nx.Graph(self.graph)
        graph.remove_edges_from(nx.selfloop_edges(graph))
        return graph


@st.composite
def worlds(draw: st.DrawFn, weights=(0.0, 1.0, 2.0, 2.5)) -> World:
    sizes = [draw(st.integers(1, 6)), draw(st.integers(0, 5))]
    tables, count = [], 0
    for _ in range(2):
        ends = [draw(st.integers(0, 1)) if sizes[1] else 0 for _ in range(2)]
        pairs = draw(st.lists(st.tuples(*(st.integers(0, sizes[end] - 1) for end in ends)), max_size=14))
        later = draw(st.integers(0, min(3, len(pairs))))
        dead = draw(st.lists(st.integers(0, len(pairs) - 1), max_size=3)) if pairs else []
        tables.append(Edges(*ends, [a for a, _ in pairs], [b for _, b in pairs], dead, later))
        count += len(pairs)
    gone = [
        draw(st.lists(st.integers(0, size - 1), max_size=min(2, size - 1))) if size > 1 else []
        for size in sizes
    ]
    values = draw(st.lists(st.sampled_from(weights), min_size=count, max_size=count))
    return World(sizes, tables, gone, values)


def source_of(world: World, data: st.DataObject) -> int:
    return data.draw(st.sampled_from(sorted(world.graph)))
