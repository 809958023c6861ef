"""Narwhals' selectors of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narwhals._compliant import CompliantSelector, LazySelectorNamespace

from luma_bench.frame.narwhals.expr import LumaExpr
from luma_bench.frame.narwhals.terms import Term

if TYPE_CHECKING:
    from luma_bench.frame.narwhals.expr import LumaWindow
    from luma_bench.frame.narwhals.lazyframe import LumaLazyFrame  # noqa: F401


class LumaSelectorNamespace(LazySelectorNamespace["LumaLazyFrame", Term]):
    """Makes selectors."""

    @property
    def _selector(self) -> type[LumaSelector]:
        return LumaSelector


class LumaSelector(CompliantSelector["LumaLazyFrame", Term], LumaExpr):
    """Columns by what they are."""

    _window_function: LumaWindow | None = None

    def _to_expr(self) -> LumaExpr:
        return LumaExpr(
            self._call,
            self._window_function,
            evaluate_output_names=self._evaluate_output_names,
            alias_output_names=self._alias_output_names,
            version=self._version,
        )
