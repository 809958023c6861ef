"""Rule 7: an index of which more than one part in a hundred came later is built anew before it is walked.

Here it is only said; whoever resolves the topology does it.
"""

from __future__ import annotations

from luma_bench.plan.graph.bound import BoundMatch
from luma_bench.plan.graph.statistics import GraphStatistics

STALE = 0.01
"""The share of later edges from which on walking costs more than a new base."""


def stale(match: BoundMatch, statistics: GraphStatistics) -> tuple[int, ...]:
    """The edge tables of a pattern whose later edges are more than `STALE` of all."""
    tables = {
        table
        for clause in match.clauses
        for path in clause.paths
        for edge in path.edges
        for table in edge.tables
    }
    return tuple(
        table
        for table in sorted(tables)
        if statistics.edges[table].changed > STALE * max(statistics.edges[table].edges, 1)
    )
