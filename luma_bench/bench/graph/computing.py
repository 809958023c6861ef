"""Algorithms over a whole graph, asked from Python: each is a table function of KadeQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.bench.graph.rows import GraphRows
from luma_bench.errors import SchemaError
from luma_bench.types.sql_text import quoted, string_literal

if TYPE_CHECKING:
    from luma_bench.bench.result import Result


class AlgorithmCalls(GraphRows):
    """What a graph computes. Each gives a `Result` with the vertex's key as `id`; its `frame()` goes on lazily.

    Weights are properties of the edges by name, never negative. Where there is `directed`, edges are walked along their
    direction, or both ways. `timeout` is in seconds, instead of the setting.
    """

    def degrees(self, *, timeout: float | None = None) -> Result:
        """The number of edges that lead to and from each vertex: `id, in_degree, out_degree`."""
        return self._computed("DEGREES", timeout)

    def bfs(
        self,
        source: object,
        *,
        limit: int | None = None,
        directed: bool = True,
        timeout: float | None = None,
    ) -> Result:
        """How many edges each vertex that one leads to is away from it: `id, depth`.

        Parameters
        ----------
        source
            The key of the vertex, a tuple for one of several columns.
        limit
            Go so many edges at most.
        """
        return self._computed("BFS", timeout, source=source, limit=limit, directed=directed)

    def shortest_paths(
        self,
        source: object,
        *,
        target: object = None,
        weight: str | None = None,
        x: str | None = None,
        y: str | None = None,
        directed: bool = True,
        timeout: float | None = None,
    ) -> Result:
        """How far each vertex that one leads to is, by the sum of weights: `id, distance` (Dijkstra 1959).

        Parameters
        ----------
        source
            The key of the vertex, a tuple for one of several columns.
        target
            The key of another: then the vertices of the path there, with their `step`.
        weight
            A property of the edges; without it they count 1.
        x, y
            With a target, properties of vertices by whose straight lines the search looks ahead (A*: Hart, Nilsson and
            Raphael 1968).
        """
        return self._computed(
            "SHORTEST_PATHS", timeout, source=source, target=target, weight=weight, x=x, y=y, directed=directed
        )  # fmt: skip

    def earliest_arrival(
        self,
        source: object,
        depart: str,
        arrive: str,
        *,
        start: object = None,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Result:
        """When one can be at each vertex at the earliest, over edges that depart and arrive at times: `id, arrival`.

        Parameters
        ----------
        depart, arrive
            Properties of the edges.
        start
            The first departure is then or later.
        strict
            Whether an edge departs after the one before has arrived, and not at the same time.
        """
        return self._computed(
            "EARLIEST_ARRIVAL", timeout, source=source, depart=depart, arrive=arrive, start=start, strict=strict
        )  # fmt: skip

    def pagerank(
        self,
        *,
        damping: float = 0.85,
        weight: str | None = None,
        tolerance: float = 1e-6,
        iterations: int = 100,
        timeout: float | None = None,
    ) -> Result:
        """How often a random walk along the edges comes by each vertex: `id, score`, which sum to 1 (Page and others 1999).

        Parameters
        ----------
        damping
            How likely the walk follows an edge, rather than jump anywhere.
        tolerance, iterations
            It ends when the scores change by less in sum, and after so many rounds at the latest.
        """
        return self._computed(
            "PAGERANK", timeout, damping=damping, weight=weight, tolerance=tolerance, iterations=iterations
        )  # fmt: skip

    def weakly_connected_components(self, *, timeout: float | None = None) -> Result:
        """Which vertices hang together, in whichever direction edges are: `id, component`."""
        return self._computed("WEAKLY_CONNECTED_COMPONENTS", timeout)

    def strongly_connected_components(self, *, timeout: float | None = None) -> Result:
        """Which vertices lead to each other along the edges: `id, component`."""
        return self._computed("STRONGLY_CONNECTED_COMPONENTS", timeout)

    def triangles(self, *, timeout: float | None = None) -> Result:
        """How many triangles each vertex is part of, without direction, parallel edges and self-loops: `id, triangles`."""
        return self._computed("TRIANGLES", timeout)

    def k_core(self, *, timeout: float | None = None) -> Result:
        """The largest k such that each vertex is in the k-core, where everybody has k neighbours: `id, core`."""
        return self._computed("K_CORE", timeout)

    def communities(
        self,
        *,
        weight: str | None = None,
        seed: int = 0,
        resolution: float = 1.0,
        timeout: float | None = None,
    ) -> Result:
        """Groups with more edges inside than chance gives: `id, community`, numbered by falling size (Blondel and others 2008).

        Parameters
        ----------
        resolution
            Above 1 gives smaller communities, below 1 larger ones.
        """
        return self._computed("COMMUNITIES", timeout, weight=weight, seed=seed, resolution=resolution)

    def betweenness(
        self,
        *,
        k: int | None = None,
        seed: int = 0,
        normalized: bool = True,
        weight: str | None = None,
        directed: bool = True,
        timeout: float | None = None,
    ) -> Result:
        """The share of shortest paths that lead over each vertex: `id, score`, scaled as networkx does (Brandes 2001).

        Parameters
        ----------
        k
            Estimate it by the paths from so many vertices, which `seed` draws; exact when it is left out.
        """
        return self._computed(
            "BETWEENNESS", timeout, k=k, seed=seed, normalized=normalized, weight=weight, directed=directed
        )  # fmt: skip

    def _computed(self, name: str, timeout: float | None, **given: object) -> Result:
        said: list[str] = [f"GRAPH {quoted(self.name)}"]
        params: dict[str, object] = {}
        for argument, value in given.items():
            if value is None:
                continue
            if isinstance(value, tuple):
                names = self._key_names(value)
                held = {f"{argument}_{number}": part for number, part in enumerate(value)}
                params |= held
                parts = (f"{string_literal(name)}: ${key}" for name, key in zip(names, held, strict=True))
                said.append(f"{quoted(argument)} => {{{', '.join(parts)}}}")
            elif argument in _COLUMNS and isinstance(value, str):
                said.append(f"{quoted(argument)} => {string_literal(value)}")
            else:
                params[argument] = value
                said.append(f"{quoted(argument)} => ${argument}")
        text = f"SELECT * FROM {name}({', '.join(said)})"
        return self._executor.execute(text, params=params, timeout=timeout)

    def _key_names(self, key: tuple[object, ...]) -> tuple[str, ...]:
        """The columns of a key of several."""
        keys = [item.key for item in self.definition.vertices]
        found = next((names for names in keys if len(names) == len(key)), None)
        if found is None:
            shown = " or ".join(f"({', '.join(names)})" for names in dict.fromkeys(keys))
            raise SchemaError(
                f"{key!r} is no key of the graph {self.name!r}.", hint=f"Vertices are known by {shown}."
            )
        return found


_COLUMNS = frozenset({"weight", "x", "y", "depart", "arrive"})
"""Arguments that name a property, which the text says as it is."""
