"""Graphs in KadeQL: GRAPH_TABLE, MATCH … RETURN, the algorithms, and the statements about property graphs."""
