"""How long one statement may run and how much its result may hold."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Protocol

from luma_bench.errors import ResourceError


class LimitSettings(Protocol):
    """The settings that limits come from."""

    @property
    def timeout(self) -> float:
        """Seconds; 0 for no limit."""
        ...

    @property
    def max_result_rows(self) -> int:
        """Rows of one result; 0 for no limit."""
        ...

    @property
    def max_result_bytes(self) -> int:
        """Bytes of one result; 0 for no limit."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one statement; 0 means none.

    Attributes
    ----------
    timeout
        Seconds that it may run, of all its steps together.
    rows, nbytes
        What its result may hold in memory.
    begun
        When its first step began, by `time.perf_counter`; None before.
    """

    timeout: float = 0.0
    rows: int = 0
    nbytes: int = 0
    begun: float | None = None

    @classmethod
    def of(
        cls,
        settings: LimitSettings,
        timeout: float | None = None,
        rows: int | None = None,
        nbytes: int | None = None,
    ) -> Limits:
        """The limits of the settings, where a call does not name its own."""
        return cls(
            settings.timeout if timeout is None else timeout,
            settings.max_result_rows if rows is None else rows,
            settings.max_result_bytes if nbytes is None else nbytes,
        )

    @property
    def caps(self) -> bool:
        """Whether the result is limited."""
        return bool(self.rows or self.nbytes)

    @property
    def seconds_left(self) -> float:
        """Seconds until the timeout, at least a thousandth; 0 for no limit."""
        if not self.timeout or self.begun is None:
            return self.timeout
        return max(0.001, self.timeout - (time.perf_counter() - self.begun))

    def started(self) -> Limits:
        """The same for a statement whose first step begins now."""
        return replace(self, begun=time.perf_counter()) if self.timeout and self.begun is None else self

    def uncapped(self) -> Limits:
        """The same for a step whose rows are not the result."""
        return replace(self, rows=0, nbytes=0) if self.caps else self

    def check(self, rows: int, nbytes: int) -> None:
        """Refuse a result of this size.

        Raises
        ------
        ResourceError
            It holds more than it may.
        """
        if self.rows and rows > self.rows:
            raise ResourceError.result("rows", self.rows, "max_rows", "max_result_rows")
        if self.nbytes and nbytes > self.nbytes:
            raise ResourceError.result("bytes", self.nbytes, "max_bytes", "max_result_bytes")

    def check_returned(self, rows: int, nbytes: int) -> None:
        """Refuse rows of RETURNING of this size, before what they tell of is done.

        Raises
        ------
        ResourceError
            They are more than a result may hold.
        """
        for unit, found, most, argument in (
            ("rows", rows, self.rows, "max_rows"),
            ("bytes", nbytes, self.nbytes, "max_bytes"),
        ):
            if most and found > most:
                raise ResourceError(
                    f"RETURNING gives more than {most:,} {unit}, the most that a result may hold; nothing was changed.",
                    hint=f"Leave RETURNING out, change fewer rows at once, or allow more ({argument}=… of the call, or the "
                    f"setting {argument.replace('max_', 'max_result_')}).",
                )
