"""What the editing services keep of snapshots: neither ever changes, so that an entry never goes stale."""

from __future__ import annotations

from luma_bench.bench.assist.columns import Col
from luma_bench.bench.assist.facts import CatalogFacts
from luma_bench.bench.cache import PlanCache


class KeptFacts:
    """The catalogs of a store's snapshots, and the columns of its tables. Thread-safe.

    Attributes
    ----------
    catalogs
        By snapshot and by what is hidden from who asks.
    columns
        By the snapshot that defined a table last, and its id.
    """

    def __init__(self) -> None:
        self.catalogs: PlanCache[CatalogFacts] = PlanCache(16)
        self.columns: PlanCache[tuple[Col, ...]] = PlanCache(4_096)
