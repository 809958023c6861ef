"""What the planner knows of a graph's shape: sizes, and degrees by edge table and direction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Degrees:
    """Degrees of one edge table in one direction, over the vertices that have any edge there.

    Attributes
    ----------
    edges
        Live edges.
    vertices
        Vertices with at least one.
    maximum
        The largest degree.
    squares
        The sum of the squares of the degrees.
    histogram
        How many vertices have a degree from `2 ** i` to below `2 ** (i + 1)`.
    """

    edges: int
    vertices: int
    maximum: int
    squares: float
    histogram: tuple[int, ...]

    @property
    def mean(self) -> float:
        """The mean degree of vertices that have edges."""
        return self.edges / self.vertices if self.vertices else 0.0

    @property
    def met(self) -> float:
        """The mean degree of a vertex that was met at the end of an edge: large ones are met more often."""
        return self.squares / self.edges if self.edges else 0.0

    def at_least(self, degree: int) -> int:
        """About how many vertices have this degree or more, by whole powers of two."""
        return sum(self.histogram[max(degree, 1).bit_length() - 1 :])


@dataclass(frozen=True, slots=True)
class EdgeStatistics:
    """One edge table: the places of the vertex tables at its ends, its degrees, and how much of it came after its base."""

    source: int
    destination: int
    out: Degrees
    into: Degrees
    changed: int = 0

    @property
    def edges(self) -> int:
        """Live edges."""
        return self.out.edges


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """A topology in numbers: live vertices by vertex table, and the edge tables."""

    vertices: tuple[int, ...]
    edges: tuple[EdgeStatistics, ...]

    def size(self, tables: tuple[int, ...]) -> int:
        """The live vertices of some vertex tables."""
        return sum(self.vertices[table] for table in set(tables))
