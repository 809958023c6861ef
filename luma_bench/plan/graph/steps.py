"""A plan's steps: what is done with the rows of variables so far, in order."""

from __future__ import annotations

from dataclasses import dataclass, field

from luma_bench.plan.graph.atoms import Atom, Way
from luma_bench.plan.graph.bound import BoundClause, BoundNode, BoundPath


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PlanStep:
    """What all steps have.

    Attributes
    ----------
    rows
        How many rows are expected behind it.
    live
        The variables that anybody asks for behind it; others are dropped.
    rule
        The rule that chose it, for EXPLAIN.
    """

    rows: float = 0.0
    live: frozenset[str] = field(default_factory=frozenset[str])
    rule: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Start(PlanStep):
    """Every vertex that a node admits."""

    node: BoundNode
    size: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Check(PlanStep):
    """Rows whose variable, bound before, is one that the node admits."""

    node: BoundNode


@dataclass(frozen=True, slots=True, eq=False)
class Walk(PlanStep):
    """Binds the target of one way, or of several that all end in it: then by intersection.

    Attributes
    ----------
    distinct
        Whether equal rows are put together behind it: others walk on from there.
    most
        The largest degree on the first way, by which is known how much a row can become.
    """

    ways: tuple[Way, ...]
    distinct: bool = False
    most: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Close(PlanStep):
    """Edges between two variables that are bound already."""

    way: Way


@dataclass(frozen=True, slots=True, eq=False)
class Known(PlanStep):
    """An edge that is bound already, in a second place: its ends must be there too, and are bound by it."""

    atom: Atom


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A branch of a pattern that nobody reads: a way out of a bound variable, and the branches at its target."""

    way: Way
    branches: tuple[Tree, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """Its ways, from the root on."""
        return (self.way, *(way for branch in self.branches for way in branch.ways))


@dataclass(frozen=True, slots=True, eq=False)
class Fold(PlanStep):
    """Multiplies rows by how many matches a branch has (or keeps those that have one), without making them."""

    tree: Tree


@dataclass(frozen=True, slots=True, eq=False)
class Search(PlanStep):
    """Joins the rows of a searched path."""

    path: BoundPath
    ends: tuple[bool, bool] = (False, False)
    joined: frozenset[str] = field(default_factory=frozenset[str])


@dataclass(frozen=True, slots=True, eq=False)
class Cross(PlanStep):
    """Every pair with the rows of a part of the pattern that shares no variable."""

    steps: tuple[AnyStep, ...] = ()


AnyStep = Start | Check | Walk | Close | Known | Fold | Search | Cross


@dataclass(frozen=True, slots=True, eq=False)
class ClausePlan:
    """The steps of one clause, and what is asked for behind it.

    Attributes
    ----------
    binds
        Variables that it adds; of an optional clause without a match they are NULL.
    """

    clause: BoundClause
    steps: tuple[AnyStep, ...]
    binds: frozenset[str]
    live: frozenset[str]
    rows: float


@dataclass(frozen=True, slots=True, eq=False)
class MatchPlan:
    """How a pattern is matched.

    Attributes
    ----------
    rows
        The matches expected.
    sql
        Whether joins in SQL would serve better: no side is bound and every row is asked for.
    notes
        What else there is to say, for EXPLAIN.
    """

    clauses: tuple[ClausePlan, ...]
    rows: float
    sql: bool = False
    notes: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The plan for a reader: rule, direction, order and the frontier expected of each step."""
        from luma_bench.plan.graph.describe import lines

        return lines(self)
