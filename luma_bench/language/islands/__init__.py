"""Islands: KadeQL's own constructs inside a query, recognised in the token stream by small registered objects.

`registry.ISLANDS` lists them all; those of search and what a query may not hold are refused with what to write instead.
"""

from luma_bench.language.islands.registry import BY_TRIGGER, EARLY, ISLANDS, Island

__all__ = ["BY_TRIGGER", "EARLY", "ISLANDS", "Island"]
