"""Time series in a query: windows, SAMPLE BY, LATEST ON and ASOF's options, recognised and refused."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.islands.graph import table_call
from luma_bench.language.islands.island import Island, refused
from luma_bench.language.refusals import NOT_YET, Refusal
from luma_bench.language.tokens import NUMBER, STRING

_BUCKET: Final = (
    "Group by the bucket: SELECT time_bucket(INTERVAL '1 hour', ts) AS window_start, … FROM t GROUP BY ALL"
)
_DIRECTIONS: Final = frozenset({"BACKWARD", "FORWARD", "NEAREST"})
_LENGTHS: Final = frozenset({"INTERVAL", STRING, NUMBER, "$"})


def sample_by(draft: Draft, index: int) -> int | None:
    """SAMPLE BY; DuckDB's own sampling is USING SAMPLE or TABLESAMPLE."""
    return index + 2 if draft.tokens.follows(index + 1, draft.scope.last, "BY") else None


def latest_on(draft: Draft, index: int) -> int | None:
    """LATEST ON column PARTITION BY; without PARTITION it is a table's alias before a join condition."""
    tokens, last = draft.tokens, draft.scope.last
    if not tokens.follows(index + 1, last, "ON"):
        return None
    place = index + 2
    while place + 1 < last and tokens.is_name(place) and tokens.words[place + 1] == ".":
        place += 2
    return index + 2 if tokens.follows(place + 1, last, "PARTITION", "BY") else None


def tolerance(draft: Draft, index: int) -> int | None:
    """TOLERANCE interval behind the condition of an ASOF JOIN."""
    following = index + 1 < draft.scope.last and draft.tokens.words[index + 1] in _LENGTHS
    return index + 1 if following and index in draft.scope.conditions else None


def direction(draft: Draft, index: int) -> int | None:
    """DIRECTION BACKWARD|FORWARD|NEAREST behind the condition of an ASOF JOIN."""
    following = index + 1 < draft.scope.last and draft.tokens.words[index + 1] in _DIRECTIONS
    return index + 2 if following and index in draft.scope.conditions else None


SERIES_ISLANDS: Final[tuple[Island, ...]] = (
    refused("TUMBLE", table_call, Refusal("TUMBLE(…)", NOT_YET, _BUCKET)),
    refused(
        "HOP",
        table_call,
        Refusal(
            "HOP(…)",
            NOT_YET,
            "Give each row its windows: FROM t, generate_series(time_bucket(slide, ts - size + slide),"
            " time_bucket(slide, ts), slide) w(window_start) GROUP BY window_start",
        ),
    ),
    refused(
        "CUMULATE",
        table_call,
        Refusal(
            "CUMULATE(…)",
            NOT_YET,
            "Sum over buckets: sum(x) OVER (PARTITION BY day ORDER BY time_bucket(INTERVAL '1 hour', ts))",
        ),
    ),
    refused(
        "SESSION",
        table_call,
        Refusal(
            "SESSION(…)",
            NOT_YET,
            "Number the sessions: sum(CASE WHEN ts - prev <= gap THEN 0 ELSE 1 END) OVER (PARTITION BY k ORDER BY ts),"
            " with prev = lag(ts) OVER (PARTITION BY k ORDER BY ts) in a WITH query.",
        ),
    ),
    refused("SAMPLE", sample_by, Refusal("SAMPLE BY", NOT_YET, _BUCKET)),
    refused(
        "LATEST",
        latest_on,
        Refusal(
            "LATEST ON",
            NOT_YET,
            "Keep the newest row of each key: QUALIFY row_number() OVER (PARTITION BY k ORDER BY ts DESC) = 1; or arg_max(x, ts) … GROUP BY k",
        ),
    ),
    refused(
        "TOLERANCE",
        tolerance,
        Refusal(
            "ASOF JOIN … TOLERANCE",
            NOT_YET,
            "Filter the matches: FROM a ASOF JOIN b ON a.ts >= b.ts WHERE a.ts - b.ts <= INTERVAL '1 hour'",
        ),
    ),
    refused(
        "DIRECTION",
        direction,
        Refusal(
            "ASOF JOIN … DIRECTION",
            NOT_YET,
            "The comparison says it: ON a.ts >= b.ts looks back, ON a.ts <= b.ts looks forward.",
        ),
    ),
)
"""The time-series constructs."""
