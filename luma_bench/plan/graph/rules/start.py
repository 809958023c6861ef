"""Rule 1: the walk begins at the end that admits the fewest vertices, as far as the whole walk is cheaper for it.

Before: `(a)-[]->(b)-[]->(c WHERE id = 7)` from `a`. After: from `c`, against the edges.
"""

from __future__ import annotations

from luma_bench.plan.graph.bound import BoundNode
from luma_bench.plan.graph.order import Arrangement, Part, arranged


def started(part: Part) -> Arrangement:
    """The cheapest arrangement of a part that nothing of is bound: each node is tried as the start, small ones first."""
    nodes: list[BoundNode] = sorted(part.nodes.values(), key=part.estimator.size)
    best: Arrangement | None = None
    for node in nodes:
        # A start that has more vertices than another walk looks at edges in all cannot be cheaper.
        if best is not None and part.estimator.size(node) >= best.cost:
            break
        tried = arranged(part, node)
        if best is None or tried.cost < best.cost:
            best = tried
    assert best is not None, "a part has a node"
    return best
