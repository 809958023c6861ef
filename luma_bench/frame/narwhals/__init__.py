"""The plugin through which narwhals reads frames: `narwhals.from_native(frame)` is a lazy frame over the same plan.

Narwhals finds it by its entry point, and nothing here loads narwhals until narwhals asks. Narwhals' expressions become plan
expressions (`terms`), so that what is written with them is a plan like any other: it has a KadeQL text, goes through the
rules, and runs on the bench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.frame.dataframe import DataFrame

if TYPE_CHECKING:
    from narwhals._utils import Version
    from typing_extensions import TypeIs

    from luma_bench.frame.narwhals.namespace import LumaNamespace

__all__ = ["NATIVE_PACKAGE", "is_native"]

NATIVE_PACKAGE = "luma_bench"
"""The package whose objects this plugin is asked about."""


def __narwhals_namespace__(version: Version) -> LumaNamespace:  # noqa: N807
    """What narwhals dispatches to, for one version of its API."""
    from luma_bench.frame.narwhals.namespace import LumaNamespace

    return LumaNamespace(version=version)


def is_native(native_object: object, /) -> TypeIs[DataFrame]:
    """Whether an object is a frame."""
    return isinstance(native_object, DataFrame)
