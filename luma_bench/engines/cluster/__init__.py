"""Fragments on the workers of a Dask cluster: `ClusterHandle` connects, `DaskEngine` plans and runs on it.

Dask loads with the first statement that runs here, and nowhere else.
"""
