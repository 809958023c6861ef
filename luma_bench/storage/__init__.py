"""Zarr segments under a transactional catalog: what is written once, pinned at a snapshot, and read by chunk.

`segment` writes and reads files, `scan` is how engines read a table, `pool` is the hot tier, `store` and `catalog` keep
what belongs to which snapshot.
"""
