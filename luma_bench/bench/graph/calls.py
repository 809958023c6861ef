"""Patterns and paths asked from Python: `match`, `neighbors`, `shortest_path`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.bench.graph.extract import properties_of
from luma_bench.bench.graph.part import no_vertex, the_table
from luma_bench.bench.graph.pattern_text import on_graph
from luma_bench.bench.graph.rows import GraphRows
from luma_bench.errors import KadeQLError, SchemaError, UnsupportedError
from luma_bench.types.graph import VertexTable
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

Direction = Literal["out", "in", "both"]
_ARROWS = {"out": ("-", "->"), "in": ("<-", "-"), "both": ("-", "-")}


@dataclass(frozen=True, slots=True)
class ShortestPath:
    """A shortest or cheapest path.

    Attributes
    ----------
    nodes
        The keys of its vertices in order, tuples for keys of several columns.
    edges
        The keys of its edges in order; row ids where the edge table has no key.
    length
        How many edges it has.
    cost
        The sum of the weights; the number of edges without one.
    """

    nodes: tuple[Any, ...]
    edges: tuple[Any, ...]
    length: int
    cost: float


class PathCalls(GraphRows):
    """What a graph answers in patterns."""

    def match(
        self,
        pattern: str,
        params: Mapping[str, object] | None = None,
        *,
        engine: str = "auto",
        strict: bool = False,
        timeout: float | None = None,
    ) -> Result:
        """Ask for a pattern in this graph.

        Parameters
        ----------
        pattern
            `MATCH (a)-[r]->(b) WHERE … RETURN …`; MATCH may be left out, and ON GRAPH is added.
        params
            Values for `$name` parameters.
        engine, strict, timeout
            As for `bench.kadeql`.

        Raises
        ------
        KadeQLError
            The text is wrong; the caret points into it.

        Examples
        --------
        >>> bench.graph("air").match("(a:airports)-[r]->(b) WHERE a.iata = $home RETURN b.city", {"home": "JFK"})
        """
        made = on_graph(pattern, self.name)
        try:
            return self._executor.execute(
                made.text, params=params, engine=engine, strict=strict, timeout=timeout
            )
        except KadeQLError as error:
            if error.span is None or error.text != made.text:
                raise
            raise error.moved(pattern, made.back(error.span)) from error

    def neighbors(
        self,
        key: object,
        *,
        direction: Direction = "out",
        label: str | Sequence[str] | None = None,
        k: int = 1,
        table: str | None = None,
    ) -> Result:
        """The vertices within `k` edges of one, nearest first, without itself.

        Parameters
        ----------
        key
            The vertex's key, a tuple for one of several columns.
        direction
            Along the edges, against them, or both ways.
        label
            Only over edges of these labels.
        k
            At most so many edges.
        table
            The vertex table that the key is of, in a graph of several.

        Returns
        -------
        Result
            `id`, the key of each vertex, and `depth`, how many edges it is away; in a graph of several vertex tables also
            `label`. `frame()` of it goes on lazily.

        Raises
        ------
        CatalogError
            There is no such vertex.
        """
        if k < 1:
            raise SchemaError(f"k={k} is no number of edges.", hint="Give 1 or more.")
        vertex = self.definition.vertices[the_table(self.definition, table)]
        start, params = self._vertex("a", vertex, key)
        edge = self._edge("", direction, label)
        labelled = ", label(b) AS label" if len(self.definition.vertices) > 1 else ""
        text = (
            f"MATCH p = ANY SHORTEST {start}{edge}{{1,{k}}}(b) ON GRAPH {quoted(self.name)} WHERE a <> b "
            f"RETURN b AS id{labelled}, path_length(p) AS depth ORDER BY depth, id"
        )
        found = self._executor.execute(text, params=params)
        if not len(found):
            self._check_vertex(vertex, key)
        return found

    def shortest_path(
        self,
        source: object,
        target: object,
        *,
        weight: str | None = None,
        label: str | Sequence[str] | None = None,
        direction: Direction = "out",
        table: str | None = None,
    ) -> ShortestPath | None:
        """The path of the fewest edges between two vertices, or the cheapest; None where there is none.

        Among equal ones that of the lexicographically smallest keys is taken.

        Parameters
        ----------
        source, target
            Keys, tuples for those of several columns.
        weight
            A property of the edges, never negative: the path with the smallest sum of it. Without it edges are counted.
        label
            Only over edges of these labels.
        direction
            Along the edges, against them, or both ways.
        table
            The vertex table that both keys are of, in a graph of several.

        Raises
        ------
        CatalogError
            There is no such vertex.
        """
        vertex = self.definition.vertices[the_table(self.definition, table)]
        start, params = self._vertex("a", vertex, source)
        stop, more = self._vertex("b", vertex, target)
        cost = "" if weight is None else f" COST e.{quoted(weight)}"
        edge = self._edge(cost, direction, label)
        selector, costed = (
            ("ANY SHORTEST", "") if weight is None else ("ANY CHEAPEST", ", path_cost(p) AS cost")
        )
        text = (
            f"MATCH p = {selector} {start}{edge}*{stop} ON GRAPH {quoted(self.name)} "
            f"RETURN nodes(p) AS nodes, edges(p) AS edges, path_length(p) AS length{costed}"
        )
        found = self._executor.execute(text, params={**params, **more}).to_arrow()
        if not found.num_rows:
            self._check_vertex(vertex, source)
            self._check_vertex(vertex, target)
            return None
        row = found.slice(0, 1).to_pylist()[0]
        nodes, edges = _keys(row["nodes"]), _keys(row["edges"])
        return ShortestPath(nodes, edges, row["length"], float(row.get("cost", row["length"])))

    def _vertex(self, variable: str, table: VertexTable, key: object) -> tuple[str, dict[str, object]]:
        """The pattern of the one vertex with a key, and its parameters."""
        values: tuple[object, ...] = key if isinstance(key, tuple) else (key,)
        if len(values) != len(table.key):
            raise SchemaError(
                f"{key!r} is no key of {table.name!r}.",
                hint=f"It has the columns {', '.join(table.key)}: one value for each, in a tuple where there are several.",
            )
        names = {column: name for name, column in properties_of(self._executor, table).items()}
        hidden = [column for column in table.key if column not in names]
        if hidden:
            raise UnsupportedError(
                f"The vertices {table.name!r} do not show their key column {hidden[0]!r} as a property.",
                hint="Name it in the PROPERTIES of the graph, or ask with match(…).",
            )
        params = {f"{variable}_{number}": value for number, value in enumerate(values)}
        equal = " AND ".join(
            f"{variable}.{quoted(names[column])} = ${name}"
            for column, name in zip(table.key, params, strict=True)
        )
        label = quoted(table.labels[0]) if table.labels else quoted(table.name)
        return f"({variable}:{label} WHERE {equal})", params

    def _edge(self, cost: str, direction: Direction, label: str | Sequence[str] | None) -> str:
        if direction not in _ARROWS:
            raise SchemaError(f"direction={direction!r} is no direction.", hint="Give 'out', 'in' or 'both'.")
        names = [label] if isinstance(label, str) else list(label or ())
        labels = f":{'|'.join(map(quoted, names))}" if names else ""
        before, after = _ARROWS[direction]
        return f"{before}[e{labels}{cost}]{after}"

    def _check_vertex(self, table: VertexTable, key: object) -> None:
        pattern, params = self._vertex("a", table, key)
        text = f"MATCH {pattern} ON GRAPH {quoted(self.name)} RETURN count(*) AS n"
        if not self._executor.execute(text, params=params).to_arrow().column("n")[0].as_py():
            raise no_vertex(self.definition, table, [key])


def _keys(values: list[Any]) -> tuple[Any, ...]:
    """Keys as Python knows them: structs as tuples."""
    return tuple([_tupled(value) for value in values])


def _tupled(value: Any) -> Any:
    return tuple(value.values()) if isinstance(value, dict) else value
