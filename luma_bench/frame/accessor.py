"""What `series.str`, `series.dt`, `series.list` and `series.struct` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.errors import SchemaError
from luma_bench.frame.expr import literal
from luma_bench.frame.missing import missing
from luma_bench.frame.unchanging import Named
from luma_bench.frame.windows_over import is_null
from luma_bench.plan.expressions import Call, Expression
from luma_bench.plan.functions import Kind

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


class Accessor(Named):
    """Methods of one kind of values, on a Series of them."""

    __slots__ = ("_series",)
    _word = ""
    _kinds: frozenset[Kind] = frozenset()
    _holds = ""
    _as: str | None = None
    """The SQL type that a column without any value is taken for."""

    def __init__(self, series: Series) -> None:
        if series.kind not in self._kinds and series.kind != "other":
            raise SchemaError(
                f".{self._word} is for {self._holds}, and {series.name!r} holds {series.kind}.",
                hint=f"Convert it first: astype(…).{self._word}.",
            )
        untyped = self._as is not None and is_null(series.frame.plan, series.expression)
        self._series = series.astype(self._as) if untyped else series

    @property
    def _own(self) -> Expression:
        return self._series.expression

    def _new(self, expression: Expression) -> Series:
        return type(self._series)(self._series.frame, expression, self._series.name)

    def _call(self, function: str, *args: object) -> Series:
        return self._new(Call(function, (self._own, *(literal(arg) for arg in args))))

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise missing(self, name, what=f"A Series' .{self._word} has no", kind=f"Series.{self._word}")
