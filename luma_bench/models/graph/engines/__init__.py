"""Engines of graph kernels: `numpy_*` run everywhere, `numba_*` are compiled where numba is installed, `choose` picks one.

Both give the same answers; each has one module for a family of kernels, and one that joins them to a `GraphEngine`.
"""
