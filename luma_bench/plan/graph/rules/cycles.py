"""Rule 4: an edge that closes a cycle is looked up between its two ends, not enumerated.

Before: `(a)-[]->(b)-[]->(c)-[]->(a)` walks from `b` to every `c` and then from every `c` on. After: `c` is bound by the
intersection of the neighbours of `b` and of `a`, from the shorter list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from luma_bench.plan.graph.atoms import Atom, Kind, Way


def meeting(pending: Sequence[Atom], have: Collection[str], variable: str) -> list[Way]:
    """The ways from bound variables that all end in an unbound one; of a quantified atom only one, and then alone."""
    ways: list[Way] = []
    for atom in pending:
        left, right = atom.variables
        if right == variable and left in have:
            ways.append(Way(atom))
        elif left == variable and right in have:
            ways.append(Way(atom, forward=False))
    # One edge variable in two places is bound once, and looked at again when it is known.
    single = {way.edge.variable: way for way in reversed(ways) if way.atom.kind is Kind.EDGE}
    return [way for way in ways if single.get(way.edge.variable) is way] or ways[:1]
