"""Rule 2: branches that nobody reads are counted by degree or weight (or only tested), not enumerated.

Before: `(a)-[]->(b)-[]->(c)` with nothing read but the number of matches makes every pair of edges. After: a row of `b`
is multiplied by its in-degree and its out-degree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from luma_bench.plan.graph.atoms import Atom, Way
from luma_bench.plan.graph.bound import BoundPath
from luma_bench.plan.graph.steps import Tree


def ways_out(pending: Sequence[Atom], variable: str) -> list[Way]:
    """The atoms at a variable, as ways out of it; a self-loop is none."""
    found: list[Way] = []
    for atom in pending:
        left, right = atom.variables
        if left == right:
            continue
        if left == variable:
            found.append(Way(atom))
        elif right == variable:
            found.append(Way(atom, forward=False))
    return found


def branch(
    way: Way,
    pending: Sequence[Atom],
    searched: Sequence[BoundPath],
    have: Collection[str],
    wanted: Collection[str],
) -> Tree | None:
    """The branch that begins with a way out of a bound variable, where it is a tree that nobody reads; else None."""
    shared = Counter(atom.edge.variable for atom in pending)
    kept = {item.variable for path in searched for item in path.elements} | set(wanted)
    loops = {atom.left.variable for atom in pending if atom.left.variable == atom.right.variable}
    seen: set[str] = set()

    def grown(step: Way) -> Tree | None:
        name, edge = step.target.variable, step.edge.variable
        if name in have or name in seen or name in kept or name in loops:
            return None
        if edge in kept or shared[edge] > 1:
            return None
        seen.add(name)
        branches: list[Tree] = []
        for other in ways_out(pending, name):
            if other.atom is step.atom:
                continue
            grew = grown(other)
            if grew is None:
                return None
            branches.append(grew)
        return Tree(step, tuple(branches))

    return grown(way)
