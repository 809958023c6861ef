"""Parameter values as DuckDB binds them: NumPy, Arrow and pandas values become the plain Python values they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa


def bound_values(params: Mapping[str, object]) -> dict[str, object] | None:
    """The values of `$name` parameters in DuckDB's own terms; None when there are none."""
    return {name: plain_value(value) for name, value in params.items()} or None


def plain_value(value: Any) -> object:
    """A value DuckDB binds.

    A NumPy scalar or an Arrow scalar becomes its Python value, `numpy.datetime64` stays (DuckDB reads its unit), an
    array, a series or a set becomes a list, and tuples, lists and dicts are converted inside.
    """
    match value:
        case None | bool() | int() | float() | str() | bytes() | np.datetime64() | np.timedelta64():
            # A numpy.float64 is a float and a numpy.str_ a str already.
            return value
        case np.generic():
            return value.item()
        case pa.Scalar():
            return plain_value(value.as_py())
        case pa.Array() | pa.ChunkedArray():
            return [plain_value(item) for item in value.to_pylist()]
        case np.ndarray():
            return [plain_value(item) for item in value] if value.dtype.kind in "mMO" else value.tolist()
        case list() | tuple() | set() | frozenset():
            return [plain_value(item) for item in value]
        case Mapping():
            return {name: plain_value(item) for name, item in value.items()}
        case _:
            to_list = getattr(value, "to_list", None)
            if not callable(to_list):
                return value
            items: Any = to_list()
            return [plain_value(item) for item in items]
