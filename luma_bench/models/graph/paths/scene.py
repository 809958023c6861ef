"""One search as it runs: the pattern, the graph, and what several ways to search it share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from luma_bench.errors import ResourceError, UnsupportedError
from luma_bench.language.graph.pattern import Duplicates
from luma_bench.models.control import Control
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.clock import Clock
from luma_bench.models.graph.paths.found import Wanted
from luma_bench.models.graph.paths.program import Gates, Program, candidates, compiled
from luma_bench.models.graph.topology import Ids, Ints, Topology
from luma_bench.plan.graph.bound import BoundEdge, BoundPath


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a search is about.

    Attributes
    ----------
    sources, targets
        Restrict the path's first and last node further; None for no restriction.
    ranks
        By dense id, its place in the order that breaks ties.
    starts, ends
        The vertices that the path may begin and end at, ascending.
    """

    topology: Topology
    path: BoundPath
    engine: GraphEngine
    control: Control
    sources: Ids | None
    targets: Ids | None
    ranks: Ints
    wanted: Wanted
    duplicates: Duplicates
    starts: Ids = field(init=False)
    ends: Ids = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", candidates(self.topology, self.path.nodes[0], self.sources))
        object.__setattr__(self, "ends", candidates(self.topology, self.path.nodes[-1], self.targets))

    def run(self, carried: frozenset[str], *, turned: bool = False) -> Run:
        """The pattern as a program with its edges and gates, from its first node or, `turned`, from its last."""
        program = compiled(self.path, carried, turned=turned)
        first, last = (self.targets, self.sources) if turned else (self.sources, self.targets)
        arcs = tuple(self.arcs(edge) for edge in program.edges)
        clock = None
        if self.path.times is not None:
            monotone = all(item.forward_in_time for item in arcs)
            clock = Clock(self.path.times, turned, monotone, self.topology.vertex_count, self.control)
        return Run(
            program,
            Gates(self.topology, program.nodes, first, last),
            arcs,
            self.ends if turned else self.starts,
            self.starts if turned else self.ends,
            clock,
        )

    def arcs(self, edge: BoundEdge) -> Arcs:
        """The edges of a pattern edge."""
        return Arcs(self.topology, edge, self.engine)

    @property
    def cheaper_turned(self) -> bool:
        """Whether a search from the end meets fewer vertices first."""
        return len(self.ends) < len(self.starts)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A program, with the gates of its nodes, the edges of its edges, where it starts and ends, and TIME RESPECTING."""

    program: Program
    gates: Gates
    arcs: tuple[Arcs, ...]
    starts: Ids
    ends: Ids
    clock: Clock | None


def refuse_unbounded(path: BoundPath) -> None:
    """Raise for a pattern without an end: an unbounded edge that neither a selector nor a mode bounds."""
    for edge in path.edges:
        if edge.quantifier is not None and edge.quantifier.most is None:
            raise UnsupportedError(
                f"The edge {edge.variable!r} repeats without a bound, and walks may go round for ever.",
                hint="Write a bound ({1,5}), ANY SHORTEST before the path, or TRAIL, ACYCLIC or SIMPLE.",
            )


def refuse_repeated_groups(path: BoundPath) -> None:
    """Raise when a quantified edge's variable stands in two places of a path."""
    names = [edge.variable for edge in path.edges]
    for edge in path.edges:
        if edge.quantifier is not None and names.count(edge.variable) > 1:
            raise UnsupportedError(
                f"The variable {edge.variable!r} of a quantified edge stands in two places of one path.",
                hint="Give each of them a name of its own.",
            )


LARGEST = 2**63 - 1


def countable(total: float, what: str = "The path pattern") -> None:
    """Raise when matches are too many for a 64-bit count."""
    if total >= LARGEST:
        raise ResourceError(
            f"{what} has about {total:.1e} matches, more than a count of 64 bits holds.",
            hint="Bound the repeats further, or ask for ANY SHORTEST paths or DISTINCT ends.",
        )


def everything(topology: Topology) -> Ids:
    """Every dense id."""
    return np.arange(topology.vertex_count, dtype=np.int32)
