"""Time series in a query: SAMPLE BY, LATEST ON, gapfill, joins by time, window functions and series functions."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.islands.graph import table_call
from luma_bench.language.islands.island import Island
from luma_bench.language.series.applied import SERIES_FUNCTIONS, read_applied, series_function
from luma_bench.language.series.asof import asof, read_asof
from luma_bench.language.series.blocks import is_latest
from luma_bench.language.series.gapfill import TRIGGERS as GAPFILL_WORDS
from luma_bench.language.series.gapfill import find_gapfill, parse_gapfill
from luma_bench.language.series.join_options import SHAPE
from luma_bench.language.series.latest import parse_latest
from luma_bench.language.series.sample_by import parse_sample_by
from luma_bench.language.series.window_join import read_window_join, window_join
from luma_bench.language.series.windows import WINDOW_FUNCTIONS, read_windows
from luma_bench.language.tokens import NUMBER, STRING

_DIRECTIONS: Final = frozenset({"BACKWARD", "FORWARD", "NEAREST"})
_LENGTHS: Final = frozenset({"INTERVAL", STRING, NUMBER, "$"})


def sample_by(draft: Draft, index: int) -> int | None:
    """SAMPLE BY; DuckDB's own sampling is USING SAMPLE or TABLESAMPLE."""
    own = draft.tokens.words[max(index - 1, 0)] == "USING"
    return index + 2 if draft.tokens.follows(index + 1, draft.scope.last, "BY") and not own else None


def latest_on(draft: Draft, index: int) -> int | None:
    """LATEST ON column PARTITION BY; without PARTITION it is a table's alias before a join condition."""
    return index + 2 if is_latest(draft.tokens, index, draft.scope.last) else None


def option(draft: Draft, index: int) -> int | None:
    """TOLERANCE or DIRECTION, with what follows them, behind the condition of an ASOF JOIN that did not take them."""
    values = _LENGTHS if draft.tokens.words[index] == "TOLERANCE" else _DIRECTIONS
    following = index + 1 < draft.scope.last and draft.tokens.words[index + 1] in values
    return index + 1 if following and index in draft.scope.conditions else None


def refuse_option(draft: Draft, index: int, end: int) -> None:
    """Say of what joins these are."""
    raise draft.wrong(f"{draft.tokens.words[index]} cannot stand here.", index, SHAPE)


SERIES_ISLANDS: Final[tuple[Island, ...]] = (
    Island("SAMPLE BY", frozenset({"SAMPLE"}), sample_by, parse_sample_by, early=True),
    Island("LATEST ON", frozenset({"LATEST"}), latest_on, parse_latest, early=True),
    Island("gapfill", GAPFILL_WORDS, find_gapfill, parse_gapfill, early=True),
    Island("WINDOW JOIN", frozenset({"WINDOW"}), window_join, read_window_join, early=True),
    Island("ASOF JOIN", frozenset({"ASOF"}), asof, read_asof, early=True),
    Island(
        "A window function",
        WINDOW_FUNCTIONS,
        table_call,
        lambda draft, index, _: read_windows(draft, index),
        early=True,
    ),
    Island(
        "A series function",
        SERIES_FUNCTIONS,
        series_function,
        lambda draft, index, _: read_applied(draft, index),
    ),
    Island("TOLERANCE", frozenset({"TOLERANCE"}), option, refuse_option),
    Island("DIRECTION", frozenset({"DIRECTION"}), option, refuse_option),
)
"""The time-series constructs."""
