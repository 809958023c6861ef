"""A series met with another one by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from luma_bench.bench.series.handle_rows import SeriesRows
from luma_bench.bench.series.handle_text import Length, length_text, names_of
from luma_bench.errors import UnsupportedError, choices
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

_DIRECTIONS = ("backward", "forward", "nearest")


class SeriesJoins(SeriesRows):
    """Joins of two series."""

    def asof(
        self,
        other: SeriesRows | str,
        *,
        on: str | tuple[str, str] | None = None,
        by: str | Sequence[str] | Mapping[str, str] | None = None,
        tolerance: Length | None = None,
        direction: str = "backward",
        exact: bool = True,
        how: str = "left",
        columns: Sequence[str] | None = None,
        suffix: str = "_right",
    ) -> Result:
        """Each row with the row of another series that is nearest in time: `ASOF JOIN`, as pandas' `merge_asof`.

        Parameters
        ----------
        other
            Another handle, or a table's name.
        on
            The times, when not the handles' own: one name, or this one's and the other's.
        by
            What has to be equal: names, or this one's names and the other's. By default the keys that both have.
        tolerance
            How far away a match may be, itself included.
        direction
            `backward`, `forward` or `nearest`.
        exact
            Whether equal times match.
        how
            `left` keeps rows without a match, `inner` does not.
        columns
            The other's columns to take; by default all but what is equal.
        suffix
            What names get that both have.
        """
        right = self._handle(other)
        times = (on, on) if isinstance(on, str) else on or (self.time, right.time)
        pairs = self._equal(right, by)
        if direction not in _DIRECTIONS:
            raise UnsupportedError(
                f"{direction!r} is no direction.", hint=choices(direction, _DIRECTIONS, "directions")
            )
        if how not in ("left", "inner"):
            raise UnsupportedError(f"how={how!r} is no way to join.", hint="It is 'left' or 'inner'.")
        equal = {name for _, name in pairs}
        taken = [name for name in right.schema.names if name not in equal]
        if columns is not None:
            taken = [right._known(name) for name in columns]
        own = {name.casefold() for name in self.schema.names}
        shown = [
            f"r.{quoted(name)} AS {quoted(name + suffix if name.casefold() in own else name)}"
            for name in taken
        ]
        conditions = [f"l.{quoted(here)} = r.{quoted(there)}" for here, there in pairs]
        sign = ">=" if exact else ">"
        conditions.append(f"l.{quoted(self._known(times[0]))} {sign} r.{quoted(right._known(times[1]))}")
        limit = "" if tolerance is None else f" TOLERANCE {length_text(tolerance)}"
        outer = "LEFT " if how == "left" else ""
        listing = ", ".join(["l.*", *shown])
        return self._run(
            f"SELECT {listing} FROM {self._relation('l')} ASOF {outer}JOIN {right._relation('r')} "
            f"ON {' AND '.join(conditions)}{limit} DIRECTION {direction.upper()}"
        )

    def _handle(self, other: SeriesRows | str) -> SeriesRows:
        if isinstance(other, SeriesRows):
            if other._executor != self._executor:
                raise UnsupportedError(
                    "The two series are read at different snapshots.",
                    hint="Take both from one bench at one snapshot.",
                )
            return other
        from luma_bench.bench.series.handle import series_of

        return series_of(self._executor, other)

    def _equal(
        self, right: SeriesRows, by: str | Sequence[str] | Mapping[str, str] | None
    ) -> list[tuple[str, str]]:
        """The columns that have to be equal, this one's and the other's."""
        if isinstance(by, Mapping):
            return [(self._known(here), right._known(there)) for here, there in by.items()]
        if by is not None:
            return [(self._known(name), right._known(name)) for name in names_of(by)]
        folded = {name.casefold(): name for name in self.schema.names}
        return [(folded[name.casefold()], name) for name in right.by if name.casefold() in folded]
