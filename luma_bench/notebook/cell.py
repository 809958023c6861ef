"""What stands after `%%kadeql` or `%kadeql`; the editing services read it too, so it is read in their room."""

from __future__ import annotations

from luma_bench.bench.assist.options import OPTIONS, CellOptions, parse_options

__all__ = ["OPTIONS", "CellOptions", "parse_options"]
