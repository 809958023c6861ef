"""The functions of networkx that the backend answers, each with what it leaves to networkx."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WEIGHT = (
    "Weights are numbers of at least 0 under an attribute's name; functions as weights are left to networkx."
)

OFFERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pagerank": "Without `personalization`, `nstart` and `dangling`.",
        "single_source_shortest_path_length": "",
        "single_target_shortest_path_length": "",
        "all_pairs_shortest_path_length": "",
        "single_source_dijkstra_path_length": _WEIGHT,
        "all_pairs_dijkstra_path_length": _WEIGHT,
        "dijkstra_path_length": _WEIGHT,
        "shortest_path_length": f"With the method 'dijkstra'. {_WEIGHT}",
        "has_path": "",
        "descendants": "",
        "ancestors": "",
        "connected_components": "",
        "number_connected_components": "",
        "is_connected": "",
        "node_connected_component": "",
        "weakly_connected_components": "",
        "number_weakly_connected_components": "",
        "is_weakly_connected": "",
        "strongly_connected_components": "",
        "number_strongly_connected_components": "",
        "is_strongly_connected": "",
        "triangles": "",
        "clustering": "Undirected and unweighted.",
        "average_clustering": "Undirected and unweighted.",
        "transitivity": "Undirected.",
        "core_number": "Undirected.",
        "betweenness_centrality": f"Without `endpoints`. {_WEIGHT} Of weight 0 none.",
        "degree_centrality": "",
        "in_degree_centrality": "",
        "out_degree_centrality": "",
        "louvain_communities": f"Undirected, without `max_level`; draws other random numbers than networkx. {_WEIGHT}",
    }
)
