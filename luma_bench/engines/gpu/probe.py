"""Whether this machine has a GPU that Python can use; RAPIDS' packages import without one, so imports tell nothing."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

_PACKAGE = "cupy"


def gpu_problem() -> str | None:
    """What is missing before a GPU can be used: the package, the driver or the device; None where one is ready."""
    if importlib.util.find_spec(_PACKAGE) is None:
        return f"the package {_PACKAGE} is not installed"
    try:
        cupy: Any = importlib.import_module(_PACKAGE)
        ready = bool(cupy.cuda.is_available())
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return f"{_PACKAGE} does not load: {' '.join(str(error).split()) or type(error).__name__}"
    return None if ready else f"{_PACKAGE} is installed and finds no CUDA device"
