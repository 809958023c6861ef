"""`lb.to_datetime`, `lb.to_numeric` and `lb.to_timedelta`: text and numbers as times, numbers and intervals."""

from __future__ import annotations

from typing import Any, Literal, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.expr import literal
from luma_bench.frame.operators import Operand
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import Call, Cast, Expression
from luma_bench.plan.expressions import Literal as Constant

_UNITS = {
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
Errors = Literal["raise", "coerce"]


def _checked(errors: str) -> bool:
    if errors not in ("raise", "coerce"):
        raise UnsupportedError(f"errors={errors!r} is not known.", hint="It is 'raise' or 'coerce'.")
    return errors == "coerce"


def _microseconds(value: Expression, unit: str) -> Expression:
    if unit == "ns":
        return Call("floordiv_int", (value, Constant(1_000)))
    if unit not in _UNITS:
        raise UnsupportedError(
            f"unit={unit!r} is not known.", hint=f"It is one of {', '.join((*_UNITS, 'ns'))}."
        )
    return Cast(Call("round", (Call("mul", (value, Constant(_UNITS[unit]))), Constant(0))), "BIGINT")


@checking_keywords
def to_datetime(
    arg: Any,
    errors: Errors = "raise",
    *,
    format: str | None = None,  # noqa: A002
    unit: str | None = None,
    utc: bool = False,
) -> Any:
    """Text (ISO 8601, or by a `format` of strftime's codes) or numbers since 1970 in a `unit`, as times.

    Parameters
    ----------
    arg
        A Series; anything else goes to `pandas.to_datetime`.
    errors
        What happens to what is no time: 'raise' when it runs, or 'coerce' it to NULL.
    utc
        Give moments, read as UTC.

    Examples
    --------
    >>> lb.to_datetime(lb.DataFrame({"d": ["2024-02-03"]}).d).dt.month.to_list()
    [2]
    """
    if not isinstance(arg, Operand):
        import pandas as pd

        return pd.to_datetime(arg, errors=errors, format=format, unit=unit, utc=utc)
    coerce = _checked(errors)
    series: Any = arg
    own = arg.expression
    if arg.kind in ("int", "real", "decimal"):
        if unit is None:
            raise UnsupportedError(
                f"{arg.name!r} holds numbers of an unknown unit.",
                hint="Give unit='s', 'ms', 'us', 'ns' or 'D'.",
            )
        made: Expression = Call("from_epoch_us", (_microseconds(own, unit),))
    elif arg.kind == "text" and format is not None:
        made = Call("try_strptime" if coerce else "strptime", (own, literal(format)))
    elif arg.kind == "text" and coerce:
        made = Call("try_timestamp", (own,))
    elif arg.kind in ("text", "date", "timestamp", "other"):
        made = own if arg.kind == "timestamp" else Cast(own, "TIMESTAMP")
    else:
        raise SchemaError(
            f"{arg.name!r} holds {arg.kind}, and to_datetime() takes text, numbers and dates.",
            hint="Convert it.",
        )
    return series._new(Call("at_zone", (made, Constant("UTC"))) if utc else made)


@checking_keywords
def to_numeric(arg: Any, errors: Errors = "raise") -> Any:
    """Text as numbers (DOUBLE); numbers stay as they are.

    Examples
    --------
    >>> lb.to_numeric(lb.DataFrame({"n": ["1", "x"]}).n, errors="coerce").to_list()
    [1.0, None]
    """
    if not isinstance(arg, Operand):
        import pandas as pd

        return pd.to_numeric(arg, errors=errors)
    coerce = _checked(errors)
    series: Any = arg
    if arg.kind in ("int", "real", "decimal"):
        return series
    if arg.kind not in ("text", "bool", "other"):
        raise SchemaError(
            f"{arg.name!r} holds {arg.kind}, and to_numeric() takes text.", hint="Use astype(…)."
        )
    return series._new(Call("try_real", (arg.expression,)) if coerce else Cast(arg.expression, "DOUBLE"))


@checking_keywords
def to_timedelta(arg: Any, unit: str | None = None) -> Any:
    """Numbers of a unit as intervals; anything but a Series goes to `pandas.to_timedelta`.

    Examples
    --------
    >>> lb.to_timedelta(lb.DataFrame({"n": [90]}).n, unit="s").dt.total_seconds().to_list()
    [90.0]
    """
    if not isinstance(arg, Operand):
        import pandas as pd

        return cast("Any", pd).to_timedelta(arg, unit=unit)
    if arg.kind not in ("int", "real", "decimal"):
        raise SchemaError(
            f"{arg.name!r} holds {arg.kind}, and to_timedelta() takes numbers.",
            hint="Give a Series of numbers and unit=.",
        )
    series: Any = arg
    return series._new(Call("to_microseconds", (_microseconds(arg.expression, unit or "ns"),)))
