"""The transactional catalog: what tables, columns and segments there are at each snapshot, in SQL.

`Catalog` is the way in; one commit is one SQL transaction, and readers copy a `ResolvedSnapshot` out.
"""

from luma_bench.storage.catalog.catalog import Catalog
from luma_bench.storage.catalog.change import CommitInfo, Committed, TableChange
from luma_bench.storage.catalog.resolved import ResolvedSnapshot

__all__ = ["Catalog", "CommitInfo", "Committed", "ResolvedSnapshot", "TableChange"]
