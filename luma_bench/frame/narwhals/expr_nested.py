"""Narwhals' expressions on lists and structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from narwhals._compliant import LazyExprNamespace
from narwhals._compliant.any_namespace import ListNamespace, StructNamespace

from luma_bench.frame.narwhals.terms import NULL, Term, constant, scalar, when

if TYPE_CHECKING:
    from luma_bench.frame.narwhals.expr import LumaExpr


class LumaExprListNamespace(LazyExprNamespace["LumaExpr"], ListNamespace["LumaExpr"]):
    """Lists."""

    def _each(self, function: str, *args: object) -> LumaExpr:
        return self.compliant._with_elementwise(lambda expr: scalar(function, expr, *map(constant, args)))

    def len(self) -> LumaExpr:
        """The number of elements."""
        return self._each("list_length")

    def unique(self, *, maintain_order: bool) -> LumaExpr:
        """Each element once, NULL too.

        Raises
        ------
        NotImplementedError
            In their order.
        """
        if maintain_order:
            raise NotImplementedError("`maintain_order=True` is not supported for frames of Luma Bench.")

        def func(expr: Term) -> Term:
            made = scalar("sql.list_distinct", expr)
            return when(_has_null(expr), scalar("sql.list_append", made, NULL), made)

        return self.compliant._with_elementwise(func)

    def contains(self, item: Any) -> LumaExpr:
        """Whether it has an element."""
        if item is None:
            return self.compliant._with_elementwise(_has_null)
        return self._each("sql.list_contains", item)

    def get(self, index: int) -> LumaExpr:
        """The element at a place from 0; NULL beyond the end."""
        return self._each("sql.list_extract", index + 1)

    def min(self) -> LumaExpr:
        """The least element."""
        return self._each("sql.list_min")

    def max(self) -> LumaExpr:
        """The greatest element."""
        return self._each("sql.list_max")

    def mean(self) -> LumaExpr:
        """The mean of the elements."""
        return self._each("sql.list_avg")

    def median(self) -> LumaExpr:
        """The middle element."""
        return self._each("sql.list_median")

    def sum(self) -> LumaExpr:
        """The sum of the elements; 0 of none."""
        return self._each("sql.list_sum")

    def sort(self, *, descending: bool, nulls_last: bool) -> LumaExpr:
        """The elements in order."""
        nulls = f"NULLS {'LAST' if nulls_last else 'FIRST'}"
        return self._each("sql.list_sort", "DESC" if descending else "ASC", nulls)


class LumaExprStructNamespace(LazyExprNamespace["LumaExpr"], StructNamespace["LumaExpr"]):
    """Structs."""

    def field(self, name: str) -> LumaExpr:
        """One field."""
        return self.compliant._with_elementwise(
            lambda expr: scalar("sql.struct_extract", expr, constant(name))
        ).alias(name)


def _has_null(expr: Term) -> Term:
    return scalar("list_length", expr) > scalar("sql.list_count", expr)
