"""Why a text does not become a relational program."""

from __future__ import annotations

from luma_bench.errors import LumaError


class NotLowered(LumaError):
    """A text that other engines than the embedded one do not run.

    Attributes
    ----------
    reason
        Short, in lower case: what a user reads after "dask was asked for and not used: ".
    """

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(f"This cannot run on another engine: {reason}.", hint=hint)
