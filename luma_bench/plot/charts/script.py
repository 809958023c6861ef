"""plotly's own JavaScript, which a page without a network draws figures with."""

from __future__ import annotations

import importlib.resources

from luma_bench.errors import UnsupportedError


def plotly_script() -> bytes:
    """The minified plotly.js of the installed plotly, about 4.5 MB of UTF-8.

    Raises
    ------
    UnsupportedError
        plotly is not installed.
    """
    try:
        package = importlib.resources.files("plotly")
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "The package plotly is not installed.", hint="Install luma-bench[lab]; SVG charts need no plotly."
        ) from error
    return package.joinpath("package_data", "plotly.min.js").read_bytes()
