"""Operators on columns as methods, and NumPy's functions on them: `s.add(1, fill_value=0)`, `numpy.sqrt(s)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from luma_bench.errors import UnsupportedError
from luma_bench.frame.expr import literal
from luma_bench.frame.operators import Operand
from luma_bench.plan.expressions import Call, Case, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant

_OPERATORS = {
    "add": "__add__",
    "subtract": "__sub__",
    "multiply": "__mul__",
    "divide": "__truediv__",
    "true_divide": "__truediv__",
    "floor_divide": "__floordiv__",
    "remainder": "__mod__",
    "power": "__pow__",
    "equal": "__eq__",
    "not_equal": "__ne__",
    "less": "__lt__",
    "less_equal": "__le__",
    "greater": "__gt__",
    "greater_equal": "__ge__",
    "logical_and": "__and__",
    "logical_or": "__or__",
    "bitwise_and": "__and__",
    "bitwise_or": "__or__",
}
_MIRRORED = {
    "__eq__": "__eq__",
    "__ne__": "__ne__",
    "__lt__": "__gt__",
    "__le__": "__ge__",
    "__gt__": "__lt__",
    "__ge__": "__le__",
}
_FUNCTIONS = {
    "absolute": "abs",
    "sqrt": "sqrt",
    "cbrt": "cbrt",
    "exp": "exp",
    "log": "log",
    "log2": "log2",
    "log10": "log10",
    "log1p": "log1p",
    "expm1": "expm1",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "degrees": "degrees",
    "rad2deg": "degrees",
    "radians": "radians",
    "deg2rad": "radians",
    "floor": "floor",
    "ceil": "ceil",
    "trunc": "trunc",
    "sign": "sign",
    "isnan": "isnan",
    "isfinite": "isfinite",
    "isinf": "isinf",
    "logical_not": "not",
    "negative": "neg",
}


def _method(operator: str, sign: str, example: str) -> Callable[..., Any]:
    """A method that does what an operator does, with pandas' `fill_value`."""
    reflected = operator.startswith("__r")

    def method(self: Arithmetic, other: object, fill_value: object = None) -> Any:
        left: Operand = self
        right = other
        if fill_value is not None:
            frame, own, given = self._pair(other)
            value = literal(fill_value)
            if isinstance(other, Operand):
                # Where both are NULL they stay so, as in pandas.
                left = self._new(Call("coalesce", (own, _where_known(given, value))), frame)
                right = self._new(Call("coalesce", (given, _where_known(own, value))), frame)
            else:
                left = self._new(Call("coalesce", (own, value)), frame)
        return getattr(left, operator)(right)

    shown = f"other {sign} series" if reflected else f"series {sign} other"
    method.__doc__ = f"""`{shown}`; with `fill_value` a NULL on one side is that value first.

        Examples
        --------
        >>> {example}
        """
    return method


def _where_known(side: Expression, value: Expression) -> Expression:
    return Case(((IsNull(side, negated=True), value),), Constant(None))


class Arithmetic(Operand):
    """Methods that are operators."""

    __slots__ = ()

    add = _method("__add__", "+", "len(flights.head(2).dep_delay.add(1, fill_value=0).to_list())\n        2")
    sub = _method("__sub__", "-", "len(flights.head(2).dep_delay.sub(1).to_list())\n        2")
    mul = _method("__mul__", "*", "len(flights.head(2).dep_delay.mul(2).to_list())\n        2")
    div = _method("__truediv__", "/", "len(flights.head(2).distance.div(2).to_list())\n        2")
    floordiv = _method("__floordiv__", "//", "len(flights.head(2).distance.floordiv(2).to_list())\n        2")
    mod = _method("__mod__", "%", "len(flights.head(2).distance.mod(2).to_list())\n        2")
    pow = _method("__pow__", "**", "len(flights.head(2).distance.pow(2).to_list())\n        2")
    radd = _method("__radd__", "+", "len(flights.head(2).distance.radd(1).to_list())\n        2")
    rsub = _method("__rsub__", "-", "len(flights.head(2).distance.rsub(1).to_list())\n        2")
    rmul = _method("__rmul__", "*", "len(flights.head(2).distance.rmul(2).to_list())\n        2")
    rdiv = _method("__rtruediv__", "/", "len(flights.head(2).distance.rdiv(2).to_list())\n        2")
    rfloordiv = _method(
        "__rfloordiv__", "//", "len(flights.head(2).distance.rfloordiv(2).to_list())\n        2"
    )
    rmod = _method("__rmod__", "%", "len(flights.head(2).distance.rmod(2).to_list())\n        2")
    rpow = _method("__rpow__", "**", "len(flights.head(2).month.rpow(2).to_list())\n        2")
    eq = _method("__eq__", "==", "flights.month.eq(13).any()\n        False")
    ne = _method("__ne__", "!=", "flights.month.ne(13).all()\n        True")
    lt = _method("__lt__", "<", "flights.month.lt(13).all()\n        True")
    le = _method("__le__", "<=", "flights.month.le(12).all()\n        True")
    gt = _method("__gt__", ">", "flights.month.gt(12).any()\n        False")
    ge = _method("__ge__", ">=", "flights.month.ge(1).all()\n        True")
    subtract = sub
    multiply = mul
    divide = div
    truediv = div
    rtruediv = rdiv

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method != "__call__" or options.get("out") is not None:
            raise UnsupportedError(
                f"numpy.{name}.{method} does not work on a lazy Series.", hint="Use .to_numpy() for an array."
            )
        if any(isinstance(item, np.ndarray) and item.ndim for item in inputs):
            raise UnsupportedError(
                "An array beside a lazy Series has no rows to match.",
                hint="Use a constant, or merge the values in by a key.",
            )
        if name in _OPERATORS and len(inputs) == 2:
            left, right = inputs
            operator = _OPERATORS[name]
            if isinstance(left, Operand):
                return getattr(left, operator)(right)
            return getattr(right, _MIRRORED.get(operator, f"__r{operator[2:]}"))(left)
        if name in ("minimum", "maximum") and len(inputs) == 2:
            return _extreme(name, *inputs)
        if name in _FUNCTIONS and len(inputs) == 1:
            return self._call(_FUNCTIONS[name])
        raise UnsupportedError(
            f"numpy.{name} does not work on a lazy Series.",
            hint=f"Those that do: {', '.join([*_FUNCTIONS, *_OPERATORS])}. Else use .to_numpy().",
        )

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        if func is np.where and len(args) == 3 and isinstance(args[0], Operand):
            condition: Any = args[0]
            left: Any = args[1]
            right: Any = args[2]
            if hasattr(left, "where"):
                return left.where(condition, right)
            if hasattr(right, "mask"):
                return right.mask(condition, left)
            test = condition.expression
            return condition._new(Case(((test, literal(left)),), literal(right)))
        raise UnsupportedError(
            f"numpy.{func.__name__} does not work on a lazy Series.",
            hint="Use the Series' own method, or .to_numpy() for an array.",
        )

    def __xor__(self, other: object) -> Self:
        return self._binary("ne", other)

    def __rxor__(self, other: object) -> Self:
        return self._binary("ne", other)

    def __round__(self, decimals: int = 0) -> Self:
        return self._call("round", decimals)

    def __divmod__(self, other: object) -> tuple[Self, Self]:
        return self // other, self % other


def _extreme(name: str, left: Any, right: Any) -> Any:
    series: Any
    series, other = (left, right) if isinstance(left, Operand) else (right, left)
    return series.clip(upper=other) if name == "minimum" else series.clip(lower=other)
