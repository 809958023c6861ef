"""How other libraries read a frame: Arrow's C interface, the interchange protocol, NumPy's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Interchange:
    """The protocols of a frame; each but `__arrow_c_schema__` runs the query. Narwhals has a plugin: `frame.narwhals`."""

    __slots__ = ()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return cast("DataFrame", self).to_reader().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return cast("DataFrame", self).schema.__arrow_c_schema__()

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return cast("DataFrame", self).to_arrow().__dataframe__(nan_as_null, allow_copy)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        if copy is False:
            raise ValueError("A frame has no array of its own: its rows are copied out of the engine.")
        return np.asarray(cast("DataFrame", self).to_numpy(), dtype=dtype)
