"""The registry of scalar functions and aggregates that plans know: how each is written and what kind it yields.

Adding an operator is one line here or in the file of its theme, one method in `frame/` and one parametrized test.
`form` is the text with `{0}`, `{1}`, … for the arguments, each put in parentheses where precedence asks for it; `{*}`
is all arguments with commas.
"""

from __future__ import annotations

from luma_bench.plan.functions_aggregate import AGGREGATES, WINDOWS
from luma_bench.plan.functions_nested import NESTED
from luma_bench.plan.functions_sql import SQL
from luma_bench.plan.functions_text import TEXT
from luma_bench.plan.functions_times import TIMES
from luma_bench.plan.functions_windows import WINDOWING
from luma_bench.plan.registry import (
    AND,
    ATOM,
    COMPARISON,
    CONCAT,
    NEGATION,
    NOT,
    NUMBERS,
    OR,
    POSTFIX,
    PRODUCT,
    SUM,
    SUMMED,
    Aggregate,
    Function,
    Kind,
    Yields,
    call,
    compare,
    infix,
    repeating,
)

__all__ = [
    "AGGREGATES",
    "ATOM",
    "COMPARISON",
    "CONCAT",
    "FUNCTIONS",
    "NEGATION",
    "NOT",
    "NUMBERS",
    "OR",
    "SUMMED",
    "WINDOWS",
    "Aggregate",
    "Function",
    "Kind",
    "Yields",
]

# DuckDB's % takes the sign of the dividend; pandas and Python take the divisor's. NULLIF makes x % 0 NULL, not an error.
_OTHER_SIGN = "{0} % nullif({1}, 0) <> 0 AND ({0} % nullif({1}, 0) < 0) <> ({1} < 0)"

# DuckDB refuses the logarithm of what is not positive; NumPy has values for it.
_LOGARITHM = "CASE WHEN {{0}} > 0 THEN {}({{0}}) WHEN {{0}} = 0 THEN '-inf'::DOUBLE WHEN {{0}} < 0 THEN 'nan'::DOUBLE END"

FUNCTIONS: dict[str, Function] = {
    # arithmetic
    "add": infix("+", "difference", SUM),
    "sub": infix("-", "difference", SUM),
    "mul": infix("*", "widest", PRODUCT),
    "div": infix("/", "real", PRODUCT),
    "neg": Function("-{0}", "first", precedence=NEGATION, inside=(POSTFIX,)),
    "pow": call("pow", "real", 2),
    "mod": repeating(
        f"CASE WHEN {_OTHER_SIGN} THEN {{0}} % {{1}} + {{1}} ELSE {{0}} % nullif({{1}}, 0) END", "widest", 2
    ),
    "floordiv_int": repeating(
        f"({{0}} // nullif({{1}}, 0) - CASE WHEN {_OTHER_SIGN} THEN 1 ELSE 0 END)", "int", 2
    ),
    "floordiv_real": repeating(
        "(round(({0} - {0} % nullif({1}, 0)) / {1}) - CASE WHEN " + _OTHER_SIGN + " THEN 1 ELSE 0 END)",
        "real",
        2,
    ),
    "abs": call("abs", "first"),
    "round": call("round_even", "first", 2),
    "floor": call("floor", "first"),
    "ceil": call("ceil", "first"),
    "trunc": call("trunc", "first"),
    "sqrt": repeating("CASE WHEN {0} < 0 THEN 'nan'::DOUBLE ELSE sqrt({0}) END", "real", 1),
    "exp": call("exp", "real"),
    "log": repeating(_LOGARITHM.format("ln"), "real", 1),
    "log2": repeating(_LOGARITHM.format("log2"), "real", 1),
    "log10": repeating(_LOGARITHM.format("log10"), "real", 1),
    "log1p": repeating(
        "CASE WHEN {0} > -1 THEN ln(1 + {0}) WHEN {0} = -1 THEN '-inf'::DOUBLE WHEN {0} < -1 THEN 'nan'::DOUBLE END",
        "real",
        1,
    ),
    "expm1": Function("exp({0}) - 1", "real", precedence=SUM),
    "cbrt": call("cbrt", "real"),
    "sin": call("sin", "real"),
    "cos": call("cos", "real"),
    "tan": call("tan", "real"),
    "asin": call("asin", "real"),
    "acos": call("acos", "real"),
    "atan": call("atan", "real"),
    "sinh": call("sinh", "real"),
    "cosh": call("cosh", "real"),
    "tanh": call("tanh", "real"),
    "degrees": call("degrees", "real"),
    "radians": call("radians", "real"),
    "sign": call("sign", "int"),
    "isfinite": call("isfinite", "bool"),
    "isinf": call("isinf", "bool"),
    "isnan": call("isnan", "bool"),
    "at_least": repeating("CASE WHEN {0} < {1} THEN {1} ELSE {0} END", "widest", 2),
    "at_most": repeating("CASE WHEN {0} > {1} THEN {1} ELSE {0} END", "widest", 2),
    # NaN is above every number in SQL; pandas leaves it as it is.
    "at_most_real": repeating("CASE WHEN {0} > {1} AND NOT isnan({0}) THEN {1} ELSE {0} END", "widest", 2),
    # logic
    "eq": compare("="),
    "ne": compare("<>"),
    "lt": compare("<"),
    "le": compare("<="),
    "gt": compare(">"),
    "ge": compare(">="),
    "and": Function("", "bool", 1, 1 << 30, AND, (AND + 1,), joiner=" AND "),
    "or": Function("", "bool", 1, 1 << 30, OR, (OR + 1,), joiner=" OR "),
    "not": Function("NOT {0}", "bool", precedence=NOT, inside=(POSTFIX,)),
    "coalesce": call("coalesce", "first", 1, 1 << 30),
    "try_real": Function("TRY_CAST({0} AS DOUBLE)", "real"),
    # What the second list has in the place that the value has in the first: a join, whose time does not grow with the lists.
    "lookup": Function(
        '(SELECT "value of pair" FROM (SELECT unnest({1}) AS "key of pair", unnest({2}) AS "value of pair") '
        'WHERE "key of pair" = {0})',
        "other",
        3,
        3,
        inside=(COMPARISON + 1, 0),
    ),
    "least": call("least", "widest", 1, 1 << 30),
    "greatest": call("greatest", "widest", 1, 1 << 30),
    **TEXT,
    **TIMES,
    **NESTED,
    **SQL,
    **WINDOWING,
}
"""Scalar functions by the name that `Call` uses."""
