"""Narwhals' names of SQL functions as functions of plans."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from luma_bench.frame.narwhals.terms import Term, constant, measure, scalar

_OPERATORS: Mapping[str, Callable[[Term, Term], Term]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floordiv": operator.floordiv,
    "and": operator.and_,
    "or": operator.or_,
}

_SAME = (
    "abs", "floor", "ceil", "sqrt", "exp", "log", "sin", "cos", "isnan", "isfinite", "year", "month", "day", "hour",
    "minute", "second", "dayofyear", "contains", "starts_with", "ends_with", "length", "replace", "lower", "upper",
    "concat",
)  # fmt: skip

_SCALARS: Mapping[str, str] = {
    **{name: name for name in _SAME},
    **{name: f"sql.{name}" for name in ("greatest", "least", "substr", "lpad", "rpad", "str_split")},
    "regexp_matches": "matches",
}

_MEASURES: Mapping[str, str] = {
    **{
        name: name
        for name in ("min", "max", "median", "count", "mode", "lag", "row_number", "rank", "dense_rank")
    },
    "count_distinct": "nunique",
    "bool_and": "all",
    "bool_or": "any",
}

_NUMERIC: Mapping[str, str] = {
    "mean": "mean",
    "stddev_samp": "std",
    "stddev_pop": "std_pop",
    "var_samp": "var",
    "var_pop": "var_pop",
    "product": "prod",
}


def function(name: str, *args: Any) -> Term:
    """The function that narwhals calls `name`, over terms (or Python values, which become constants).

    Raises
    ------
    NotImplementedError
        Plans have none of this name; narwhals' own error for what a backend does not do.
    """
    terms = [arg if isinstance(arg, Term) else constant(arg) for arg in args]
    if name in _OPERATORS:
        return _OPERATORS[name](*terms)
    if name in _SCALARS:
        return scalar(_SCALARS[name], *terms)
    if name in _MEASURES:
        return measure(_MEASURES[name], *terms)
    if name in _NUMERIC:
        return measure(_NUMERIC[name], numeric(terms[0]))
    special = _SPECIAL.get(name)
    if special is None:
        raise NotImplementedError(f"Frames of Luma Bench have no function {name!r}.")
    return special(*terms)


def numeric(term: Term) -> Term:
    """Truth as 0 and 1."""
    return term.cast("INTEGER") if term.kind == "bool" else term


def _sum(term: Term) -> Term:
    # The engine adds whole numbers up in 128 bits; whoever takes them wants the 64 that they had.
    total = measure("sum", numeric(term))
    return total.cast("BIGINT") if total.kind == "int" else total


def _round(term: Term, decimals: Term) -> Term:
    return term if term.kind in ("int", "bool") else scalar("round", term, decimals)


_SPECIAL: Mapping[str, Callable[..., Term]] = {
    "isnull": lambda term: term.is_null(),
    "isnotnull": lambda term: term.is_null(negated=True),
    "sum": _sum,
    "round": _round,
    "trim": lambda term, blanks: scalar("trim", term, blanks),
    "regexp_replace": lambda *terms: scalar("regexp_replace", *terms[:3], constant("g")),
    "to_date": lambda term: term.cast("DATE"),
}
