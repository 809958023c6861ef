"""Graphs of a bench: definitions in the catalog, patterns bound to a snapshot, and the relations that queries read of them."""
