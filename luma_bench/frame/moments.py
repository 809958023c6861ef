"""Places on a line of time: moments as whole numbers of a unit, and spans of time in that unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.windows_over import Over, over, stored_type
from luma_bench.frame.zones import zone_of
from luma_bench.plan.expressions import Call, Cast, ColumnRef, Expression
from luma_bench.plan.kinds import kind_of
from luma_bench.plan.nodes import Project
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame


@dataclass(frozen=True, slots=True)
class Moments:
    """A column of dates or times as whole numbers since 1970 (UTC).

    Attributes
    ----------
    place
        The number, in units of which a second has `per_second`: microseconds, or nanoseconds where the column has them.
    zone
        The column's time zone.
    type
        The column's Arrow type.
    """

    place: Expression
    per_second: int
    zone: str | None
    type: pa.DataType

    @property
    def exact(self) -> bool:
        """Whether the units are nanoseconds."""
        return self.per_second == 1_000_000_000

    def units(self, span: Any, what: str) -> int:
        """A span of time in units.

        Raises
        ------
        UnsupportedError
            It is none, or finer than a unit.
        """
        nanoseconds = span_of(span, what)
        step = 1_000_000_000 // self.per_second
        if nanoseconds % step:
            raise UnsupportedError(
                f"{what}={span!r} is finer than the column's microseconds.", hint="Round it to microseconds."
            )
        return nanoseconds // step


def span_of(span: Any, what: str) -> int:
    """A span of time in nanoseconds: a timedelta, or pandas' text for one, such as '7D' or '90min'.

    Raises
    ------
    UnsupportedError
        It is none.
    """
    import pandas as pd

    try:
        if isinstance(span, str):
            offset = pd.tseries.frequencies.to_offset(span)
            span = pd.Timedelta(days=offset.n) if type(offset).__name__ == "Day" else pd.Timedelta(offset)
        made = pd.Timedelta(span)
        return made.as_unit("ns").value
    except (ValueError, TypeError) as error:
        raise UnsupportedError(
            f"{what}={span!r} is no span of time.", hint="Write '7D', '90min' or a datetime.timedelta."
        ) from error


def moments(frame: Frame, value: Expression, name: str, what: str) -> Moments:
    """The moments of an expression over a frame; `name` and `what` are for the message.

    Raises
    ------
    SchemaError
        It holds neither dates nor times.
    """
    kind = kind_of(value, kinds_of(frame.plan))
    type_ = stored_type(frame.plan, value)
    if type_ is None and kind in ("date", "timestamp", "other"):
        type_ = frame.with_plan(Project(frame.plan, ((name, value),))).schema.field(0).type
    if type_ is not None and pa.types.is_date(type_):
        return Moments(Call("epoch_us", (Cast(value, "TIMESTAMP"),)), 1_000_000, None, type_)
    if type_ is None or not pa.types.is_timestamp(type_):
        raise SchemaError(
            f"{what}={name!r} holds {type_ or kind}, and not moments.",
            hint="Name a column of dates or times, or convert this one with astype('timestamp').",
        )
    if type_.unit == "ns" and type_.tz is None:
        return Moments(Call("epoch_ns", (value,)), 1_000_000_000, None, type_)
    # The engine tells the session's zone for what is computed.
    zone = type_.tz and (zone_of(frame.plan, value) or type_.tz)
    return Moments(Call("epoch_us", (value,)), 1_000_000, zone, type_)


def interpolation(
    frame: Frame, method: str, on: str | None, by: str | Sequence[str] | None
) -> tuple[Over, Expression | None]:
    """Where the windows of `interpolate` stand, and the place of each row when it is not its number.

    Raises
    ------
    UnsupportedError
        The method is not known, or the rows are in no known order.
    """
    if method != "linear":
        raise UnsupportedError(
            f"interpolate(method={method!r}) is not known.",
            hint="Lines alone: method='linear', with on='column' for rows that are not evenly apart; ffill() for steps.",
        )
    within = over(frame, by if on is None else on, what="interpolate")
    if on is None:
        return within, None
    column = ColumnRef(on)
    if within.kind(column) in ("int", "real", "decimal"):
        return within, Cast(column, "DOUBLE")
    return within, moments(frame, column, on, "on").place
