"""Polars behind the relational plan: whatever it is proven to compute as DuckDB does; everything else it refuses."""
