"""Values and protocols that every room may use: schemas, predicates, run records, scan sources.

Nothing here imports another room but `errors`; a heavy library is never imported at module level but pyarrow.
"""
