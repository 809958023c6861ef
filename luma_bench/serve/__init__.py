"""Servers: the wire protocols that a bench answers. They enter through a Bench with an identity."""
