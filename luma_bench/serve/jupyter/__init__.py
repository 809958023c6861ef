"""The Jupyter server's part: lint, format, hover, completion, and the catalogs of benches for JupyterLab's panels.

It opens benches itself, read-only, so it answers while a kernel is busy; tornado and jupyter_server are imported here only.
"""

from __future__ import annotations

from typing import Any

from luma_bench import __version__
from luma_bench.serve.jupyter.extension import LumaBenchExtension

__all__ = ["LumaBenchExtension", "__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:  # pyright: ignore[reportUnusedFunction]
    """What the Jupyter server asks of a package that its settings enable."""
    return [{"module": __name__, "app": LumaBenchExtension}]
