"""A backend of networkx: `nx.pagerank(G, backend="luma")` runs the graph kernels, with networkx's signatures and results.

networkx finds it by its entry points `networkx.backends` and `networkx.backend_info`. It needs no bench: a graph becomes
arrays, which networkx keeps beside it, so that a second call converts nothing. What a function does not answer is left to
networkx, which says so where `backend="luma"` was asked for by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.connect.networkx_graph import LumaGraph, converted
from luma_bench.connect.networkx_info import get_info
from luma_bench.connect.networkx_offer import OFFERED

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["backend", "get_info"]

_SMALL = 2_000
"""Graphs of fewer nodes and edges are not taken from networkx unasked: the conversion would take longer than it."""
_CLUSTERS = frozenset({"clustering", "average_clustering"})
_SIMPLE = _CLUSTERS | {"transitivity"}
_UNDIRECTED = _SIMPLE | {"core_number", "louvain_communities"}
"""What networkx answers for directed graphs, too, and the kernels do not."""


class Backend:
    """What networkx calls: conversions, what can be run, and the functions themselves by name."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OFFERED:
            raise AttributeError(name)
        found = _function(name)
        setattr(self, name, found)
        return found

    @staticmethod
    def convert_from_nx(
        graph: Any,
        *,
        edge_attrs: Mapping[str, Any] | None = None,
        node_attrs: Mapping[str, Any] | None = None,
        preserve_edge_attrs: bool = False,
        preserve_node_attrs: bool = False,
        preserve_graph_attrs: bool = False,
        name: str | None = None,
        graph_name: str | None = None,
    ) -> LumaGraph:
        """A networkx graph as arrays, with the edge attributes that the function reads."""
        return graph if isinstance(graph, LumaGraph) else converted(graph, edge_attrs)

    @staticmethod
    def convert_to_nx(obj: Any, *, name: str | None = None) -> Any:
        """A converted graph as one of networkx; other results are networkx's already."""
        return obj.to_networkx() if isinstance(obj, LumaGraph) else obj

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether a call is answered, or why it is left to networkx."""
        function = _function(name)
        given = inspect.signature(function).bind(*args, **kwargs)
        given.apply_defaults()
        return _refused(name, given.arguments) or True

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool | str:
        """Whether networkx may hand a call over unasked, by `backend_priority`."""
        graph: nx.Graph[Any] | LumaGraph = args[0] if args else kwargs["G"]
        if isinstance(graph, LumaGraph) or len(graph) + graph.number_of_edges() >= _SMALL:
            return True
        return "the graph is small, and its conversion would take longer than networkx"


backend = Backend()


def _function(name: str) -> Callable[..., Any]:
    from luma_bench.connect import networkx_paths, networkx_ranks, networkx_shape

    for home in (networkx_paths, networkx_ranks, networkx_shape):
        found = getattr(home, name, None)
        if found is not None:
            return found
    raise AttributeError(name)


def _refused(name: str, given: Mapping[str, Any]) -> str:
    """Why arguments are left to networkx; empty when they are not."""
    for argument in ("personalization", "nstart", "dangling", "max_level"):
        if given.get(argument) is not None:
            return f"{argument} is left to networkx"
    if given.get("endpoints"):
        return "endpoints are left to networkx"
    if given.get("weight") is not None and not isinstance(given["weight"], str):
        return "weights that are no attribute's name are left to networkx"
    if given.get("method", "dijkstra") != "dijkstra":
        return f"the method {given['method']!r} is left to networkx"
    if name in _CLUSTERS and given.get("weight") is not None:
        return "weighted triangles are left to networkx"
    if name in _UNDIRECTED and given["G"].is_directed():
        return "directed graphs are left to networkx"
    simple = name in _SIMPLE or (name == "triangles" and given["nodes"] is not None)
    if simple and given["G"].is_multigraph():
        return "multigraphs are left to networkx, which refuses them"
    return ""
