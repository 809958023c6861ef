"""The search through rows: a text is found in a value as the grid shows it, and in all of its digits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from luma_bench.notebook.grid.columns import FIXED_ZONE, GridColumn
from luma_bench.notebook.grid.rows import name_of, text_of
from luma_bench.types.sql_text import quoted

DECIMALS = 6
"""Decimals of floating-point numbers where a front end has not said how many it shows."""
_UNSEARCHED = frozenset({"binary", "vector"})
"""Kinds that nobody searches by a text."""
_WRITTEN_WITH = {"int": "-0123456789", "float": "+-.0123456789aefinty", "decimal": "-.0123456789"}
"""All characters of the numbers of a kind: a text with others is in none of them, and nobody need write them all."""
_NUMBER = re.compile(r"[-+.\de]+", re.ASCII | re.IGNORECASE)


def searched(columns: Sequence[GridColumn], sought: str) -> list[GridColumn]:
    """The columns in which a text can stand."""
    letters = set(sought.lower())
    return [
        column
        for column in columns
        if column.kind not in _UNSEARCHED and letters <= set(_WRITTEN_WITH.get(column.kind, letters))
    ]


def found_in(
    column: GridColumn,
    sought: str,
    param: str,
    params: dict[str, object],
    decimals: Mapping[str, int] | None = None,
) -> list[str]:
    """Conditions in SQL, one of which holds where a column's value has a text.

    Parameters
    ----------
    sought, param
        The text, and the name of its parameter.
    params
        Takes further parameters.
    decimals
        How many the front end shows of floating-point columns, by position.
    """
    tests = [f"contains(lower({text_of(column)}), lower(${param}))"]
    if column.kind == "float" and _NUMBER.fullmatch(sought):
        shown = _rounded(column, (decimals or {}).get(str(column.index), DECIMALS))
        tests.append(f"contains({shown}, lower(${param}))")
    elif column.zone is not None:
        # The engine would write it in the session's zone, where nobody sees it.
        tests = [f"contains({_zoned(column, column.zone, params)}, lower(${param}))"]
    elif column.kind in ("list", "struct", "map"):
        # Around texts inside of values the grid puts quotation marks, and the engine around names.
        text = f"replace(lower({text_of(column)}), '''', '')"
        text = f"replace({text}, '=', ': ')" if column.kind == "map" else text
        tests.append(f"contains({text}, replace(lower(${param}), '''', ''))")
    return tests


def _rounded(column: GridColumn, decimals: int) -> str:
    """A floating-point number as a cell has it: few decimals, of very small and large ones six digits and a power of ten."""
    number = quoted(name_of(column))
    if column.bits != 64:
        # Its own shortest decimal is what is rounded: 0.1 of 32 bits is 0.10000000149 of 64.
        number = f"CAST(CAST({number} AS VARCHAR) AS DOUBLE)"
    return (
        f"CASE WHEN {number} <> 0 AND (abs({number}) < 1e-4 OR abs({number}) >= 1e16) "
        rf"THEN regexp_replace(format('{{:.5e}}', {number}), '\.?0+e', 'e') "
        f"WHEN {number} <> 0 AND abs({number}) < {0.5 * 10.0**-decimals!r} THEN format('{{:.6g}}', {number}) "
        f"ELSE format('{{:.{decimals}f}}', {number}) END"
    )


def _zoned(column: GridColumn, zone: str, params: dict[str, object]) -> str:
    """A moment as a cell has it: the local time of the column's zone, and how far that is from UTC."""
    name = quoted(name_of(column))
    utc = f"timezone('UTC', {name})"
    fixed = FIXED_ZONE.fullmatch(zone)
    if fixed is not None:
        seconds = (int(fixed[2]) * 3600 + int(fixed[3]) * 60) * (-1 if fixed[1] == "-" else 1)
        local, offset = f"{utc} + to_seconds({seconds})", f"'{fixed[1]}{fixed[2]}:{fixed[3]}'"
    else:
        param = f"z{len(params)}"
        params[param] = zone
        local = f"timezone(${param}, {name})"
        shift = f"CAST(epoch({local}) - epoch({utc}) AS BIGINT)"
        offset = (
            f"CASE WHEN {shift} < 0 THEN '-' ELSE '+' END || "
            f"format('{{:02d}}:{{:02d}}', abs({shift}) // 3600, abs({shift}) % 3600 // 60)"
        )
    # Infinity is in no zone, and nanoseconds are not asked for it.
    return (
        f"CASE WHEN isfinite(CAST({name} AS TIMESTAMPTZ)) THEN CAST({local} AS VARCHAR) || {offset} "
        f"ELSE CAST({name} AS VARCHAR) END"
    )
