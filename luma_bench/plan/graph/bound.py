"""A pattern over one graph at one snapshot: labels resolved to tables, conditions to sets of rows.

Nothing here knows a name of SQL: vertices are dense ids, edges slots in the space of all edges (see `models.graph.topology`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from luma_bench.language.graph.pattern import Direction, Duplicates, Mode, Quantifier, Selector


@dataclass(frozen=True, slots=True, eq=False)
class BoundNode:
    """A node of a pattern.

    Attributes
    ----------
    tables
        The vertex tables that its labels allow, by their places in the graph.
    allowed
        Sorted dense ids (int32) of its tables that fulfil its conditions, all live; None for every live vertex of `tables`.
    """

    variable: str
    tables: tuple[int, ...]
    allowed: np.ndarray[Any, np.dtype[np.int32]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BoundEdge:
    """An edge of a pattern, or of each repeat of a quantified one.

    Attributes
    ----------
    tables
        The edge tables that its labels allow.
    direction
        Seen from the node on its left.
    allowed
        By edge table of `tables`: bool by slot inside the table, of edges that fulfil the conditions; a table that is not
        in it has no condition. Dead slots may be True: whoever expands leaves them out.
    cost
        By edge table: float64 by slot, never negative, NaN or NULL (checked where it is bound); None without COST.
    depart, arrive
        By edge table: int64 by slot, of TIME RESPECTING; edges with a NULL in one are not allowed. None without.
    """

    variable: str
    tables: tuple[int, ...]
    direction: Direction
    allowed: dict[int, np.ndarray[Any, np.dtype[np.bool_]]] = field(default_factory=dict)
    quantifier: Quantifier | None = None
    cost: dict[int, np.ndarray[Any, np.dtype[np.float64]]] | None = None
    depart: dict[int, np.ndarray[Any, np.dtype[np.int64]]] | None = None
    arrive: dict[int, np.ndarray[Any, np.dtype[np.int64]]] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """TIME RESPECTING: in the unit of the edges' `depart` and `arrive`; None for no bound."""

    strict: bool
    within: int | None = None
    starting_at: int | None = None


@dataclass(frozen=True, slots=True)
class BoundPath:
    """A path of a pattern: nodes and edges in turn.

    Attributes
    ----------
    variable
        The path variable; None without one.
    """

    variable: str | None
    selector: Selector | None
    mode: Mode
    elements: tuple[BoundNode | BoundEdge, ...]
    times: Times | None = None

    @property
    def nodes(self) -> tuple[BoundNode, ...]:
        """Its nodes, in order."""
        return tuple(item for item in self.elements if isinstance(item, BoundNode))

    @property
    def edges(self) -> tuple[BoundEdge, ...]:
        """Its edges, in order."""
        return tuple(item for item in self.elements if isinstance(item, BoundEdge))

    @property
    def searched(self) -> bool:
        """Whether it needs a search: a quantifier, a selector, a mode other than WALK, or times."""
        return (
            self.selector is not None
            or self.mode is not Mode.WALK
            or self.times is not None
            or any(edge.quantifier is not None for edge in self.edges)
        )


@dataclass(frozen=True, slots=True)
class BoundClause:
    """One MATCH: nodes of one variable in several places are already made equal (their tables and ids intersected)."""

    paths: tuple[BoundPath, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class BoundMatch:
    """A whole pattern, and what is read of it.

    Attributes
    ----------
    needed
        Variables (of nodes, edges and paths) whose values the reader wants; others only have to exist.
    duplicates
        What the reader does with equal rows of `needed`.
    ranks
        By dense id, the rank of its key among all vertices (int64), by which ties among equal paths are broken; given where
        a path has a selector, else None.
    """

    clauses: tuple[BoundClause, ...]
    needed: frozenset[str]
    duplicates: Duplicates
    ranks: np.ndarray[Any, np.dtype[np.int64]] | None = None
