"""Narwhals' expressions on text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from narwhals._sql.expr_str import SQLExprStringNamespace

from luma_bench.frame.narwhals.terms import Term, constant, scalar

if TYPE_CHECKING:
    from luma_bench.frame.narwhals.expr import LumaExpr


class LumaExprStringNamespace(SQLExprStringNamespace["LumaExpr"]):
    """What narwhals' own of SQL leaves out."""

    def strip_chars_start(self, characters: str) -> LumaExpr:
        """Without some characters at the start."""
        return self.compliant._with_elementwise(lambda expr: scalar("ltrim", expr, constant(characters)))

    def strip_chars_end(self, characters: str) -> LumaExpr:
        """Without some characters at the end."""
        return self.compliant._with_elementwise(lambda expr: scalar("rtrim", expr, constant(characters)))

    def replace(self, value: LumaExpr, pattern: str, *, literal: bool, n: int) -> LumaExpr:
        """With the first match replaced.

        Raises
        ------
        NotImplementedError
            More than the first.
        """
        if n != 1:
            raise NotImplementedError("Frames of Luma Bench replace the first match (n=1) or all of them.")
        known = constant(re.escape(pattern) if literal else pattern)

        def func(expr: Term, value: Term) -> Term:
            # A backslash in a plain replacement would name a group.
            plain = scalar("replace", value, constant("\\"), constant("\\\\")) if literal else value
            return scalar("regexp_replace", expr, known, plain)

        return self.compliant._with_elementwise(func, expression_args={"value": value})

    def to_datetime(self, format: str | None) -> LumaExpr:  # noqa: A002
        """As a timestamp, by a format.

        Raises
        ------
        NotImplementedError
            Without a format: which one it is shows only in the values.
        """
        if format is None:
            raise NotImplementedError(
                "Cannot infer format with frames of Luma Bench, please specify `format` explicitly."
            )
        return self.compliant._with_elementwise(lambda expr: scalar("sql.strptime", expr, constant(format)))

    def to_date(self, format: str | None) -> LumaExpr:  # noqa: A002
        """As a date, in the ISO form or by a format."""
        made = self.compliant if format is None else self.to_datetime(format)
        return made._with_elementwise(lambda expr: expr.cast("DATE"))

    def to_time(self, format: str | None) -> LumaExpr:  # noqa: A002
        """As a time of day, in the ISO form or by a format."""
        made = self.compliant if format is None else self.to_datetime(format)
        return made._with_elementwise(lambda expr: expr.cast("TIME"))

    def to_titlecase(self) -> LumaExpr:
        """With every word's first letter in upper case."""
        return self.compliant._with_elementwise(lambda expr: scalar("sql.title", expr))
