"""The registry of scalar functions and aggregates that plans know: how each is written and what kind it yields.

Adding an operator is one line here, one method in `frame/` and one parametrized test. `form` is the text with `{0}`,
`{1}`, … for the arguments, each put in parentheses where precedence asks for it; `{*}` is all arguments with commas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

Kind = OneOf[
    "bool", "int", "real", "decimal", "text", "bytes", "date", "timestamp", "time", "interval", "other"
]
"""What an operator needs to know of a type."""

Yields = Kind | OneOf["first", "widest", "difference"]
"""A fixed kind; or that of the first argument, of the widest number, or of an addition or subtraction."""

ATOM, POSTFIX, NEGATION, PRODUCT, SUM, CONCAT, COMPARISON, NOT, AND, OR = range(10, 0, -1)
"""Precedence, tightest first."""


@dataclass(frozen=True, slots=True)
class Function:
    """One scalar function.

    Attributes
    ----------
    form
        The text, with places for the arguments.
    yields
        The kind of the result.
    least, most
        How many arguments it takes.
    precedence
        Of the whole text.
    inside
        The least precedence of each argument that needs no parentheses; the last one holds for the rest. Zero in a
        function call's parentheses.
    repeats
        The form writes an argument more than once, so arguments have to be columns or constants when it is written.
    joiner
        For operators of any number of arguments, what stands between them.
    """

    form: str
    yields: Yields
    least: int = 1
    most: int = 1
    precedence: int = ATOM
    inside: tuple[int, ...] = (0,)
    repeats: bool = False
    joiner: str = ""


def _infix(symbol: str, yields: Yields, precedence: int, *, left: int | None = None) -> Function:
    return Function(
        f"{{0}} {symbol} {{1}}",
        yields,
        2,
        2,
        precedence,
        (precedence if left is None else left, precedence + 1),
    )


def _compare(symbol: str) -> Function:
    return _infix(symbol, "bool", COMPARISON, left=COMPARISON + 1)


def _call(name: str, yields: Yields, least: int = 1, most: int | None = None) -> Function:
    return Function(f"{name}({{*}})", yields, least, least if most is None else most)


def _repeating(form: str, yields: Yields, count: int) -> Function:
    return Function(form, yields, count, count, ATOM, (ATOM,), repeats=True)


# DuckDB's % takes the sign of the dividend; pandas and Python take the divisor's. NULLIF makes x % 0 NULL, not an error.
_OTHER_SIGN = "{0} % nullif({1}, 0) <> 0 AND ({0} % nullif({1}, 0) < 0) <> ({1} < 0)"

FUNCTIONS: dict[str, Function] = {
    # arithmetic
    "add": _infix("+", "difference", SUM),
    "sub": _infix("-", "difference", SUM),
    "mul": _infix("*", "widest", PRODUCT),
    "div": _infix("/", "real", PRODUCT),
    "neg": Function("-{0}", "first", precedence=NEGATION, inside=(POSTFIX,)),
    "pow": _call("pow", "real", 2),
    "mod": _repeating(
        f"CASE WHEN {_OTHER_SIGN} THEN {{0}} % {{1}} + {{1}} ELSE {{0}} % nullif({{1}}, 0) END", "widest", 2
    ),
    "floordiv_int": _repeating(
        f"({{0}} // nullif({{1}}, 0) - CASE WHEN {_OTHER_SIGN} THEN 1 ELSE 0 END)", "int", 2
    ),
    "floordiv_real": _repeating(
        "(round(({0} - {0} % nullif({1}, 0)) / {1}) - CASE WHEN " + _OTHER_SIGN + " THEN 1 ELSE 0 END)",
        "real",
        2,
    ),
    "abs": _call("abs", "first"),
    "round": _call("round_even", "first", 2),
    "floor": _call("floor", "first"),
    "ceil": _call("ceil", "first"),
    "trunc": _call("trunc", "first"),
    "sqrt": _call("sqrt", "real"),
    "exp": _call("exp", "real"),
    "log": _call("ln", "real"),
    "isnan": _call("isnan", "bool"),
    "at_least": _repeating("CASE WHEN {0} < {1} THEN {1} ELSE {0} END", "widest", 2),
    "at_most": _repeating("CASE WHEN {0} > {1} THEN {1} ELSE {0} END", "widest", 2),
    # NaN is above every number in SQL; pandas leaves it as it is.
    "at_most_real": _repeating("CASE WHEN {0} > {1} AND NOT isnan({0}) THEN {1} ELSE {0} END", "widest", 2),
    # logic
    "eq": _compare("="),
    "ne": _compare("<>"),
    "lt": _compare("<"),
    "le": _compare("<="),
    "gt": _compare(">"),
    "ge": _compare(">="),
    "and": Function("", "bool", 1, 1 << 30, AND, (AND + 1,), joiner=" AND "),
    "or": Function("", "bool", 1, 1 << 30, OR, (OR + 1,), joiner=" OR "),
    "not": Function("NOT {0}", "bool", precedence=NOT, inside=(POSTFIX,)),
    "coalesce": _call("coalesce", "first", 1, 1 << 30),
    # text
    "concat": Function("", "text", 2, 1 << 30, CONCAT, (CONCAT + 1,), joiner=" || "),
    "lower": _call("lower", "text"),
    "upper": _call("upper", "text"),
    "length": _call("length", "int"),
    "contains": _call("contains", "bool", 2),
    "starts_with": _call("starts_with", "bool", 2),
    "ends_with": _call("suffix", "bool", 2),
    "matches": _call("regexp_matches", "bool", 2, 3),
    "full_match": _call("regexp_full_match", "bool", 2, 3),
    "replace": _call("replace", "text", 3),
    "regexp_replace": _call("regexp_replace", "text", 3, 4),
    "trim": _call("trim", "text", 2),
    "ltrim": _call("ltrim", "text", 2),
    "rtrim": _call("rtrim", "text", 2),
    # dates and times
    "year": _call("year", "int"),
    "month": _call("month", "int"),
    "day": _call("day", "int"),
    "hour": _call("hour", "int"),
    "minute": _call("minute", "int"),
    "second": _call("second", "int"),
    # DuckDB counts the seconds in; pandas does not.
    "microsecond": Function("microsecond({0}) % 1000000", "int", precedence=PRODUCT),
    "quarter": _call("quarter", "int"),
    "dayofyear": _call("dayofyear", "int"),
    "isodow": _call("isodow", "int"),
    "dayname": _call("dayname", "text"),
    "monthname": _call("monthname", "text"),
    "date_trunc": _call("date_trunc", "other", 2),
    "strftime": _call("strftime", "text", 2),
    "total_seconds": _call("epoch", "real"),
}
"""Scalar functions by the name that `Call` uses."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate: its text with `{0}` for the operand (and `{1}` for the parameter) and the kind it yields."""

    form: str
    yields: Yields
    operand: bool = True


AGGREGATES: dict[str, Aggregate] = {
    "size": Aggregate("count(*)", "int", operand=False),
    "count": Aggregate("count({0})", "int"),
    "nunique": Aggregate("count(DISTINCT {0})", "int"),
    "sum": Aggregate("sum({0})", "first"),
    "mean": Aggregate("avg({0})", "real"),
    "min": Aggregate("min({0})", "first"),
    "max": Aggregate("max({0})", "first"),
    "median": Aggregate("median({0})", "real"),
    "quantile": Aggregate("quantile_cont({0}, {1})", "real"),
    "std": Aggregate("stddev_samp({0})", "real"),
    "var": Aggregate("var_samp({0})", "real"),
    "prod": Aggregate("product({0})", "real"),
    "any": Aggregate("bool_or({0})", "bool"),
    "all": Aggregate("bool_and({0})", "bool"),
}
"""Aggregates by their pandas name. `first` and `last` are missing on purpose: a group has no order."""
