"""The editing services: completion, hover, lint, formatting and what the catalog holds, for notebooks and servers alike.

Plain functions over a text, an offset and a bench, or no bench; safe to call from several threads.
"""

from luma_bench.bench.assist.catalog import catalog_facts, snapshot_facts, table_facts
from luma_bench.bench.assist.complete import complete
from luma_bench.bench.assist.formatted import formatted
from luma_bench.bench.assist.hover import hover
from luma_bench.bench.assist.lint import lint
from luma_bench.bench.assist.values import Completion, Fix, Hover, Item, Problem

__all__ = [
    "Completion",
    "Fix",
    "Hover",
    "Item",
    "Problem",
    "catalog_facts",
    "complete",
    "formatted",
    "hover",
    "lint",
    "snapshot_facts",
    "table_facts",
]
