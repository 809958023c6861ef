"""Libraries that some functions need, loaded when one runs."""

from __future__ import annotations

import importlib
from typing import Any

from luma_bench.errors import UnsupportedError


def extra(module: str, function: str) -> Any:
    """A module of a library that is not always installed.

    Parameters
    ----------
    function
        Who needs it, for the message.

    Raises
    ------
    UnsupportedError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise UnsupportedError(
            f"{function} needs {package}, which is not installed.",
            hint="Install the extra 'series': pip install \"luma-bench[series]\".",
        ) from error
