"""Compaction: parts of a table written anew as fewer, sorted, smaller segments under the same row ids.

`plan` says which parts, `merge` reads them in order, `run` stores and commits; `background` does it from a thread.
"""

from luma_bench.storage.compact.background import Compactor
from luma_bench.storage.compact.report import CompactReport, TableReport
from luma_bench.storage.compact.work import CompactProgress, compact_store

__all__ = ["CompactProgress", "CompactReport", "Compactor", "TableReport", "compact_store"]
