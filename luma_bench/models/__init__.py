"""Models: graph, series, vector, text and document islands, each running its own operators over pinned segments."""
