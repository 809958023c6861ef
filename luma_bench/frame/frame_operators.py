"""Operators on whole frames, in every column, and the methods that are operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from luma_bench.errors import SchemaError
from luma_bench.frame.base import Frame
from luma_bench.frame.cleaning import Cleaning
from luma_bench.frame.series import Series


def _method(operator: str, sign: str) -> Callable[..., Any]:
    reflected = operator.startswith("__r")

    def method(self: Operated, other: object, fill_value: object = None) -> Any:
        return self._operated(operator, other, fill_value)

    shown = f"other {sign} frame" if reflected else f"frame {sign} other"
    method.__doc__ = f"""`{shown}` in every column: a constant, a dict or frame of columns, or a Series of this frame.

        Examples
        --------
        >>> pair = flights[["month", "day"]]
        >>> pair.{operator.strip("_").replace("truediv", "div")}(2).columns
        ['month', 'day']
        """
    return method


class Operated(Cleaning):
    """Operators over all columns."""

    __slots__ = ()
    __hash__ = None  # pyright: ignore[reportAssignmentType]  # == builds a frame

    def _operated(self, operator: str, other: object, fill_value: object = None) -> Self:
        """Every column under an operator."""
        made: dict[str, Series] = {}
        for name in self._plan.names:
            column: Series = self[name]
            given = other
            if isinstance(other, Frame | Mapping):
                if name not in other:
                    raise SchemaError(
                        f"The other side has no column {name!r}.", hint="Give both sides the same columns."
                    )
                given = cast("Any", other)[name]
            if fill_value is None:
                made[name] = getattr(column, operator)(given)
            else:
                made[name] = getattr(column, operator.strip("_"))(given, fill_value=fill_value)
        return self._each(made)

    add = _method("__add__", "+")
    sub = _method("__sub__", "-")
    mul = _method("__mul__", "*")
    div = _method("__truediv__", "/")
    floordiv = _method("__floordiv__", "//")
    mod = _method("__mod__", "%")
    pow = _method("__pow__", "**")
    radd = _method("__radd__", "+")
    rsub = _method("__rsub__", "-")
    rmul = _method("__rmul__", "*")
    rdiv = _method("__rtruediv__", "/")
    rfloordiv = _method("__rfloordiv__", "//")
    rmod = _method("__rmod__", "%")
    rpow = _method("__rpow__", "**")
    eq = _method("__eq__", "==")
    ne = _method("__ne__", "!=")
    lt = _method("__lt__", "<")
    le = _method("__le__", "<=")
    gt = _method("__gt__", ">")
    ge = _method("__ge__", ">=")
    truediv = div
    rtruediv = rdiv
    subtract = sub
    multiply = mul
    divide = div

    def __add__(self, other: object) -> Self:
        return self._operated("__add__", other)

    def __radd__(self, other: object) -> Self:
        return self._operated("__radd__", other)

    def __sub__(self, other: object) -> Self:
        return self._operated("__sub__", other)

    def __rsub__(self, other: object) -> Self:
        return self._operated("__rsub__", other)

    def __mul__(self, other: object) -> Self:
        return self._operated("__mul__", other)

    def __rmul__(self, other: object) -> Self:
        return self._operated("__rmul__", other)

    def __truediv__(self, other: object) -> Self:
        return self._operated("__truediv__", other)

    def __rtruediv__(self, other: object) -> Self:
        return self._operated("__rtruediv__", other)

    def __floordiv__(self, other: object) -> Self:
        return self._operated("__floordiv__", other)

    def __mod__(self, other: object) -> Self:
        return self._operated("__mod__", other)

    def __pow__(self, other: object) -> Self:
        return self._operated("__pow__", other)

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return self._operated("__eq__", other)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return self._operated("__ne__", other)

    def __lt__(self, other: object) -> Self:
        return self._operated("__lt__", other)

    def __le__(self, other: object) -> Self:
        return self._operated("__le__", other)

    def __gt__(self, other: object) -> Self:
        return self._operated("__gt__", other)

    def __ge__(self, other: object) -> Self:
        return self._operated("__ge__", other)

    def __and__(self, other: object) -> Self:
        return self._operated("__and__", other)

    def __or__(self, other: object) -> Self:
        return self._operated("__or__", other)
