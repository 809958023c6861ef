"""Aggregates over matches: what they make of equal ones, and how they are computed from how often each match stands for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.language.functions import PER_ROW
from luma_bench.language.graph.pattern import Duplicates
from luma_bench.language.graph.recognise import is_match_query
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.keywords import split
from luma_bench.language.tokens import Tokens, listed

AGGREGATES: Final = frozenset(
    split("""
    any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last
    arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bitstring_agg bool_and
    bool_or combine_aggr corr count count_if count_star countif covar_pop covar_samp decimal_average entropy favg first
    fsum geomean geometric_mean group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop last list listagg lttb mad
    max max_by mean median min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile sem skewness stddev stddev_pop
    stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance variant_group_object wavg weighted_avg
    """)
)
"""DuckDB's aggregate functions, casefolded."""
_UNCOUNTED: Final = frozenset({"min", "max", "bool_and", "bool_or"})
"""Aggregates of one value that equal values do not change."""
_ARITHMETIC: Final = frozenset("+-*/()")


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate in a list of results.

    Attributes
    ----------
    name
        Casefolded.
    first, opening, closing
        The tokens of its name and its brackets.
    filter_end
        The closing bracket of its FILTER, if it has one.
    window
        Whether OVER follows: it is a window function then.
    """

    name: str
    first: int
    opening: int
    closing: int
    filter_end: int | None
    window: bool
    distinct: bool
    arguments: int


def calls(tokens: Tokens, first: int, last: int) -> list[Call]:
    """The aggregates between two tokens, outside of subqueries."""
    found: list[Call] = []
    index = first
    while index < last:
        word = tokens.words[index]
        if word == "(" and (is_subquery(tokens, index, last) or is_match_query(tokens, index + 1, last)):
            index = tokens.closing(index, last) + 1
            continue
        named = tokens.is_name(index) and tokens.follows(index + 1, last, "(")
        over = named and _is_window(tokens, index, last)
        if (
            named
            and (over or tokens.names[index].casefold() in AGGREGATES)
            and tokens.words[index - 1] != "."
        ):
            found.append(_call(tokens, index, last))
        index += 1
    return found


def duplicates(tokens: Tokens, found: list[Call], part: tuple[int, int], *, distinct: bool) -> Duplicates:
    """What a list of results with these aggregates makes of equal matches."""
    for index in range(*part):
        if tokens.words[index] in ("OVER", "QUALIFY", "SAMPLE") or tokens.names[index].casefold() in PER_ROW:
            return Duplicates.NEEDED
    if not found:
        return Duplicates.IGNORED if distinct else Duplicates.NEEDED
    if all(_ignores(call) for call in found):
        return Duplicates.IGNORED
    if all(_ignores(call) or counted(tokens, call) for call in found):
        return Duplicates.COUNTED
    return Duplicates.NEEDED


def counted(tokens: Tokens, call: Call) -> bool:
    """Whether an aggregate can be computed from values and how often each stands."""
    if call.distinct or call.window or _sorted(tokens, call):
        return False
    if call.name == "count":
        return call.arguments <= 1
    if call.name == "sum":
        return call.arguments == 1
    return call.name == "avg" and call.arguments == 1 and _is_arithmetic(tokens, call)


def _ignores(call: Call) -> bool:
    if call.window:
        return False
    return call.distinct or (call.name in _UNCOUNTED and call.arguments == 1)


def _sorted(tokens: Tokens, call: Call) -> bool:
    index = call.opening + 1
    while index < call.closing:
        if tokens.words[index] in ("ORDER", "ALL"):
            return True
        opens = tokens.words[index] in ("(", "[", "{")
        index = tokens.closing(index, call.closing) + 1 if opens else index + 1
    return tokens.words[call.closing + 1 : call.closing + 2] == ["WITHIN"]


def _is_arithmetic(tokens: Tokens, call: Call) -> bool:
    """Whether the argument is made of properties and numbers alone, and the filter holds no query: both are written twice."""
    place = call.opening + 1
    while place < call.closing:
        word = tokens.words[place]
        if (
            tokens.is_name(place)
            and tokens.follows(place + 1, call.closing, ".")
            and place + 2 < call.closing
        ):
            place += 3
        elif word == "0" or word in _ARITHMETIC:
            place += 1
        else:
            return False
    if call.filter_end is None:
        return True
    inside = range(call.closing + 1, call.filter_end)
    return not any(
        tokens.words[index] == "("
        and (
            is_subquery(tokens, index, call.filter_end) or is_match_query(tokens, index + 1, call.filter_end)
        )
        for index in inside
    )


def _is_window(tokens: Tokens, index: int, last: int) -> bool:
    """Whether the function called at a token is a window function: OVER stands behind its brackets."""
    return _behind(tokens, tokens.closing(index + 1, last), last)[1]


def _behind(tokens: Tokens, closing: int, last: int) -> tuple[int | None, bool]:
    """The end of the FILTER behind a call's bracket, and whether OVER follows."""
    place, filter_end = closing + 1, None
    if tokens.follows(place, last, "WITHIN", "GROUP", "("):
        place = tokens.closing(place + 2, last) + 1
    if tokens.follows(place, last, "FILTER", "("):
        filter_end = tokens.closing(place + 1, last)
        place = filter_end + 1
    return filter_end, tokens.follows(place, last, "OVER")


def _call(tokens: Tokens, index: int, last: int) -> Call:
    closing = tokens.closing(index + 1, last)
    filter_end, window = _behind(tokens, closing, last)
    distinct = tokens.follows(index + 2, closing, "DISTINCT")
    given = listed(tokens, index + 2, closing)
    star = len(given) == 1 and tokens.slice(*given[0]) == "*"
    return Call(
        tokens.names[index].casefold(),
        index,
        index + 1,
        closing,
        filter_end,
        window,
        distinct,
        0 if star else len(given),
    )
