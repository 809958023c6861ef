"""Matches as columns of numbers: what a graph operator gives, before anybody reads a property."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from luma_bench.models.graph.topology import Floats, Ids, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Lists of numbers: those of row `i` are `values[offsets[i]:offsets[i + 1]]`; `valid` is False for NULL, None for all valid."""

    offsets: Ints
    values: Ints | Ids
    valid: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, rows: Ints) -> Lists:
        """The lists of these rows."""
        starts, lengths = self.offsets[rows], np.diff(self.offsets)[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Lists(offsets, self.values[places], None if self.valid is None else self.valid[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PathBindings:
    """A path variable: the dense ids of its vertices and the global slots of its edges, in the path's order.

    `cost` is the sum of COST; `departure` and `arrival` are of its first and last edge, under TIME RESPECTING.
    """

    nodes: Lists
    edges: Lists
    cost: Floats | None = None
    departure: Ints | None = None
    arrival: Ints | None = None

    def take(self, rows: Ints) -> PathBindings:
        """The paths of these rows."""
        return PathBindings(
            self.nodes.take(rows),
            self.edges.take(rows),
            None if self.cost is None else self.cost[rows],
            None if self.departure is None else self.departure[rows],
            None if self.arrival is None else self.arrival[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bindings:
    """A batch of matches: one row for each, or for `weights` equal ones.

    Attributes
    ----------
    nodes
        By variable, int32 dense ids; -1 is NULL.
    edges
        By variable, int64 global slots; -1 is NULL.
    groups
        By variable of a quantified edge, its edges' global slots.
    paths
        By path variable.
    weights
        int64; None where each row is one match.
    """

    rows: int
    nodes: dict[str, Ids] = field(default_factory=dict)
    edges: dict[str, Ints] = field(default_factory=dict)
    groups: dict[str, Lists] = field(default_factory=dict)
    paths: dict[str, PathBindings] = field(default_factory=dict)
    weights: Ints | None = None

    def take(self, rows: Ints) -> Bindings:
        """These rows, in this order."""
        return Bindings(
            len(rows),
            {name: values[rows] for name, values in self.nodes.items()},
            {name: values[rows] for name, values in self.edges.items()},
            {name: lists.take(rows) for name, lists in self.groups.items()},
            {name: path.take(rows) for name, path in self.paths.items()},
            None if self.weights is None else self.weights[rows],
        )

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        lists = [part for path in self.paths.values() for part in (path.nodes, path.edges)]
        lists += self.groups.values()
        flat = [*self.nodes.values(), *self.edges.values()]
        return sum(item.nbytes for item in flat) + sum(
            part.offsets.nbytes + part.values.nbytes for part in lists
        )
