"""Graphs over tables: adjacency by row, matching of patterns, searches for paths, and algorithms."""
