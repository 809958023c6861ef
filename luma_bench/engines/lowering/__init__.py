"""A text as a relational program for other engines: DuckDB parses it and names its values, DataFusion moves its relations.

Whatever might give another answer than the embedded engine's is refused with its reason (`NotLowered`).
"""

from luma_bench.engines.lowering.cached import Lowering, lower
from luma_bench.engines.lowering.refused import NotLowered

__all__ = ["Lowering", "NotLowered", "lower"]
