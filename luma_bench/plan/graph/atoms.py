"""A clause as atoms: edges between two node variables, and the paths that have to be searched whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from luma_bench.language.graph.pattern import Direction, Mode
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundNode, BoundPath


class Kind(StrEnum):
    """What an atom asks for: one EDGE; every WALK of a quantifier's lengths; or only that one REACHes the other."""

    EDGE = "edge"
    WALKS = "walks"
    REACH = "reach"


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """An edge of a pattern with the nodes at its two sides, as the pattern has them."""

    edge: BoundEdge
    left: BoundNode
    right: BoundNode
    kind: Kind = Kind.EDGE

    @property
    def variables(self) -> tuple[str, str]:
        """The variables of its nodes."""
        return self.left.variable, self.right.variable


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """An atom, walked from its left node (`forward`) or from its right one."""

    atom: Atom
    forward: bool = True

    @property
    def origin(self) -> BoundNode:
        """Where the walk begins."""
        return self.atom.left if self.forward else self.atom.right

    @property
    def target(self) -> BoundNode:
        """Where it ends."""
        return self.atom.right if self.forward else self.atom.left

    @property
    def edge(self) -> BoundEdge:
        """The edge that is walked."""
        return self.atom.edge

    @property
    def direction(self) -> Direction:
        """The edge's direction, seen from the origin."""
        return self.edge.direction if self.forward else self.edge.direction.reversed

    @property
    def turned(self) -> Way:
        """The same atom from the other end."""
        return Way(self.atom, not self.forward)

    def __str__(self) -> str:
        """As the pattern is written, from the origin: `(a)-[e]->(b)`."""
        left, right = {"->": ("-", "->"), "<-": ("<-", "-"), "-": ("-", "-")}[self.direction.value]
        bounds = self.edge.quantifier
        repeats = "" if bounds is None else f"{{{bounds.least},{'' if bounds.most is None else bounds.most}}}"
        return f"({shown(self.origin.variable)}){left}[{shown(self.edge.variable)}]{right}{repeats}({shown(self.target.variable)})"


def shown(variable: str) -> str:
    """A variable for a reader: nothing for one that the user did not write."""
    return "" if variable.startswith("@") else variable


def fixed(path: BoundPath) -> bool:
    """Whether a path has one length and nothing to search: one without edges has neither repeats nor alternatives."""
    return not path.searched or not path.edges


def decomposed(path: BoundPath, needed: frozenset[str]) -> bool:
    """Whether a path is the join of its edges: fixed ones, and quantified walks when nobody asks for the path itself."""
    if fixed(path):
        return True
    walk = path.selector is None and path.mode is Mode.WALK and path.times is None
    return walk and (path.variable is None or path.variable not in needed)


def atoms_of(
    clause: BoundClause, needed: frozenset[str], repeated: Kind
) -> tuple[list[Atom], list[BoundPath]]:
    """The atoms of a clause and its paths that are searched whole.

    A quantified walk whose edges nobody reads is an atom of the kind `repeated`; one whose edges are read is a searched
    path of its own.
    """
    atoms: list[Atom] = []
    searched: list[BoundPath] = []
    for path in clause.paths:
        if not decomposed(path, needed):
            searched.append(path)
            continue
        nodes = path.nodes
        for place, edge in enumerate(path.edges):
            left, right = nodes[place], nodes[place + 1]
            if edge.quantifier is None:
                atoms.append(Atom(edge, left, right))
            elif edge.variable in needed or edge.quantifier.most is None:
                searched.append(BoundPath(None, None, Mode.WALK, (left, edge, right)))
            else:
                atoms.append(Atom(edge, left, right, repeated))
    return atoms, searched


def wanted_of(clause: BoundClause, needed: frozenset[str]) -> frozenset[str]:
    """The variables of nodes and edges that the values in `needed` are made of: of a fixed path variable all its elements."""
    found = set(needed)
    for path in clause.paths:
        if path.variable is not None and path.variable in needed and fixed(path):
            found.update(item.variable for item in path.elements)
    return frozenset(found)


def variables_of(clause: BoundClause) -> frozenset[str]:
    """Every variable that a clause binds or reads."""
    names = {item.variable for path in clause.paths for item in path.elements}
    return frozenset(names | {path.variable for path in clause.paths if path.variable is not None})


def nodes_of(clause: BoundClause) -> dict[str, BoundNode]:
    """The nodes of a clause by variable; several places of one say the same."""
    return {node.variable: node for path in clause.paths for node in path.nodes}
