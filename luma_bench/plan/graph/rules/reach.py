"""Rule 5: repeats of an edge of which only distinct ends are asked are a search by levels, not an enumeration of walks.

Before: `(a)-[]->{1,4}(b)` with DISTINCT makes every walk of up to four edges. After: each vertex is reached once.
"""

from __future__ import annotations

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.plan.graph.atoms import Kind


def kind_of(duplicates: Duplicates) -> Kind:
    """What a quantified walk is asked for whose edges nobody reads."""
    return Kind.REACH if duplicates is Duplicates.IGNORED else Kind.WALKS
