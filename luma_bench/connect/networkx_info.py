"""What networkx is told about the backend when it is imported: light, because networkx calls it every time."""

from __future__ import annotations

from typing import Any


def get_info() -> dict[str, Any]:
    """The backend's name, home and functions, as networkx's `networkx.backend_info` entry points say them."""
    from luma_bench.connect.networkx_offer import OFFERED

    return {
        "backend_name": "luma",
        "project": "luma-bench",
        "package": "luma_bench",
        "short_summary": "Graph kernels of Luma Bench, compiled where numba is there.",
        "functions": {name: {"additional_docs": said} for name, said in OFFERED.items()},
    }
