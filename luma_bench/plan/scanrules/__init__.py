"""Rules over the scans of a query, read off its text: each proves that some chunks cannot matter, or reads none at all.

A rule is a pure function of a parsed text and the tables' schemas; `bench/reducing.py` and `engines/statistics.py` use them.
"""
