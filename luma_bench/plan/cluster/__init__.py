"""How a relational plan runs on many workers: stages of equal, pure fragments, cut by a planner that sees actual sizes."""
