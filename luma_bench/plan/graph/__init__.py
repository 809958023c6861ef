"""Planning graph patterns: what a match needs of a graph, in which order it is walked, and what that is expected to cost."""
