"""A networkx graph as arrays, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.engines.choose import engine
from luma_bench.models.graph.topology import Csr, Floats, Ids, Ints

if TYPE_CHECKING:
    import networkx as nx

_MOST = 2**31 - 2


class LumaGraph:
    """A graph whose nodes have dense numbers, with one arc for each edge and direction; what kernels read is made once.

    Attributes
    ----------
    nodes
        The nodes in networkx's order; a node's place is its number.
    number
        The number of each node.
    source, target
        int32 ends of arcs, by source; an undirected edge is two arcs, a self-loop one.
    weights
        float64 of arcs by attribute, with whether all of them were whole numbers.
    """

    __networkx_backend__ = "luma"

    def __init__(
        self,
        nodes: list[Any],
        source: Ids,
        target: Ids,
        weights: dict[str, tuple[Floats, bool]],
        *,
        directed: bool,
        multigraph: bool,
    ) -> None:
        self.nodes = nodes
        self.number = {node: place for place, node in enumerate(nodes)}
        self.source = source
        self.target = target
        self.weights = weights
        self.graph: dict[str, Any] = {}
        self._directed = directed
        self._multigraph = multigraph
        self._made: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.nodes)

    def __contains__(self, node: object) -> bool:
        try:
            return node in self.number
        except TypeError:
            return False

    def is_directed(self) -> bool:
        """Whether arcs go one way."""
        return self._directed

    def is_multigraph(self) -> bool:
        """Whether edges may be parallel."""
        return self._multigraph

    def number_of_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.nodes)

    def number_of_edges(self) -> int:
        """How many edges there are; an undirected one counts once."""
        if self._directed:
            return len(self.source)
        return (len(self.source) + int((self.source == self.target).sum())) // 2

    @property
    def kernels(self) -> GraphEngine:
        """What runs on it: compiled kernels once they are ready, which large graphs begin to compile."""
        return engine("auto", edges=len(self.source))

    @property
    def out(self) -> tuple[Csr, Ints]:
        """Arcs by source, and the arc at each of its positions."""
        return self._rows("out", self.source, self.target)

    @property
    def into(self) -> tuple[Csr, Ints]:
        """Arcs by target, and the arc at each of its positions; those by source where there is no direction."""
        return self._rows("into", self.target, self.source) if self._directed else self.out

    @property
    def once(self) -> tuple[Csr, Ints]:
        """Each undirected edge as one arc, and that arc at each position."""
        arcs = np.flatnonzero(self.source <= self.target)
        csr, order = self._rows("once", self.source[arcs], self.target[arcs])
        return csr, arcs[order]

    def weighted(self, weight: str | None, order: Ints) -> tuple[Floats, bool]:
        """Weights by position, and whether they are whole numbers; 1 without an attribute.

        Raises
        ------
        NotImplementedError
            One of them is below zero or no number, which is left to networkx.
        """
        if weight is None:
            return np.ones(len(order)), True
        values, whole = self.weights[weight]
        if len(values) and not float(values.min()) >= 0:
            raise NotImplementedError(f"weights below zero or NaN under {weight!r} are left to networkx")
        return values[order], whole

    def simple(self, weight: Floats | None = None) -> tuple[Csr, Floats | None]:
        """Arcs by source with parallel ones as one, of the smallest weight (by arc)."""
        csr, order = self.out
        key = self.source[order].astype(np.int64) * len(self.nodes) + csr.neighbours
        if weight is None:
            first = np.flatnonzero(np.diff(key, prepend=-1))
            return _csr(len(self.nodes), self.source[order][first], csr.neighbours[first]), None
        by = np.lexsort((weight[order], key))
        first = by[np.flatnonzero(np.diff(key[by], prepend=-1))]
        return _csr(len(self.nodes), self.source[order][first], csr.neighbours[first]), weight[order][first]

    def _rows(self, name: str, source: Ids, target: Ids) -> tuple[Csr, Ints]:
        if name not in self._made:
            order = np.lexsort((target, source))
            self._made[name] = (_csr(len(self.nodes), source[order], target[order]), order)
        return self._made[name]

    def to_networkx(self) -> nx.Graph[Any]:
        """A graph of networkx with the same nodes and edges, and the attributes that were converted."""
        import networkx as nx

        kinds = {
            (True, True): nx.MultiDiGraph,
            (True, False): nx.DiGraph,
            (False, True): nx.MultiGraph,
            (False, False): nx.Graph,
        }
        made: Any = kinds[self._directed, self._multigraph]()
        made.add_nodes_from(self.nodes)
        arcs = np.arange(len(self.source)) if self._directed else np.flatnonzero(self.source <= self.target)
        held: dict[str, list[Any]] = {
            name: (values[arcs].astype(np.int64) if whole else values[arcs]).tolist()
            for name, (values, whole) in self.weights.items()
        }
        rows = ({name: values[place] for name, values in held.items()} for place in range(len(arcs)))
        ends = zip(self.source[arcs].tolist(), self.target[arcs].tolist(), rows, strict=True)
        made.add_edges_from((self.nodes[one], self.nodes[other], row) for one, other, row in ends)
        made.graph.update(self.graph)
        return made


def converted(graph: nx.Graph[Any], edge_attrs: Mapping[str, Any] | None = None) -> LumaGraph:
    """A networkx graph as arrays.

    Parameters
    ----------
    edge_attrs
        Attributes to keep as weights, each with what counts where an edge lacks it.

    Raises
    ------
    NotImplementedError
        An attribute is no number, or there are too many nodes or edges.
    """
    adjacency: Any = graph._adj  # pyright: ignore[reportAttributeAccessIssue]
    nodes = list(adjacency)
    number = {node: place for place, node in enumerate(nodes)}
    multi = graph.is_multigraph()
    if multi:
        counts = [sum(map(len, row.values())) for row in adjacency.values()]
        targets = [number[node] for row in adjacency.values() for node, keys in row.items() for _ in keys]
    else:
        counts = [len(row) for row in adjacency.values()]
        targets = [number[node] for row in adjacency.values() for node in row]
    if len(nodes) > _MOST or len(targets) > _MOST:
        raise NotImplementedError(f"graphs of more than {_MOST:,} nodes or arcs are left to networkx")
    source = np.repeat(np.arange(len(nodes), dtype=np.int32), np.array(counts, np.int64))
    weights = {
        name: _weights(adjacency, name, default, multi=multi) for name, default in (edge_attrs or {}).items()
    }
    made = LumaGraph(
        nodes, source, np.array(targets, np.int32), weights, directed=graph.is_directed(), multigraph=multi
    )
    made.graph = dict(graph.graph)
    return made


def _weights(adjacency: Any, name: str, default: Any, *, multi: bool) -> tuple[Floats, bool]:
    fallback = 1 if default is None else default
    rows = (row for inner in adjacency.values() for row in inner.values())
    if multi:
        values = [held.get(name, fallback) for keys in rows for held in keys.values()]
    else:
        values = [held.get(name, fallback) for held in rows]
    # Exact kinds alone: what a Decimal, a Fraction or an object that adds up means is networkx's to say.
    kinds = {type(value) for value in values}
    if not kinds <= {int, float, bool} and not all(issubclass(kind, np.number) for kind in kinds):
        raise NotImplementedError(f"the attribute {name!r} has values that are no numbers")
    try:
        made = np.array(values, np.float64)
    except OverflowError as error:
        raise NotImplementedError(f"the attribute {name!r} has numbers beyond floats") from error
    whole = float not in kinds and all(not issubclass(kind, np.floating) for kind in kinds)
    if whole and len(made) and float(np.abs(made).sum()) >= 2**53:
        raise NotImplementedError(f"sums of {name!r} are beyond what floats hold exactly")
    return made, whole


def _csr(count: int, source: Ids, target: Ids) -> Csr:
    indptr = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=count), out=indptr[1:])
    return Csr(indptr, target.astype(np.int32), np.arange(len(target), dtype=np.int32))
