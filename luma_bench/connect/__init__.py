"""Connectors: protocols that bring data in. They enter through a Bench, as every front end does."""
