"""Constructs about series set out by the formatter: their words are keywords there, and names elsewhere."""

from __future__ import annotations

import pytest

from luma_bench.language.format import format_text

SET_OUT = [
    ("select * from t asof join q on t.k = q.k and t.ts >= q.ts tolerance interval '1' hour direction nearest where x",
     "SELECT *\nFROM t\nASOF JOIN q ON t.k = q.k AND t.ts >= q.ts TOLERANCE INTERVAL '1' HOUR DIRECTION NEAREST\nWHERE x"),
    ("select a from t asof join q using (k, ts) direction forward tolerance 1h",
     "SELECT a\nFROM t\nASOF JOIN q USING (k, ts) DIRECTION FORWARD TOLERANCE 1h"),
    ("select max(q.x) from t left window join q on t.k = q.k range between 1h preceding and current row where t.y",
     "SELECT max(q.x)\nFROM t\nLEFT WINDOW JOIN q ON t.k = q.k RANGE BETWEEN 1h PRECEDING AND CURRENT ROW\nWHERE t.y"),
    ("select max(x) from t sample by 1h from '2026-01-01' to $x fill(prev ignore nulls) align to first observation",
     "SELECT max(x)\nFROM t\nSAMPLE BY 1h FROM '2026-01-01' TO $x FILL (PREV IGNORE NULLS) ALIGN TO FIRST OBSERVATION"),
    ("select max(x) from t sample by 1d fill(null, linear, 3, none) align to calendar zone 'UTC'",
     "SELECT max(x)\nFROM t\nSAMPLE BY 1d FILL (NULL, LINEAR, 3, NONE) ALIGN TO CALENDAR ZONE 'UTC'"),
    ("select * from t latest on ts partition by k", "SELECT * FROM t LATEST ON ts PARTITION BY k"),
    ("select tolerance, direction, fill, zone, prev from t join u latest on latest.k = t.k",
     "SELECT tolerance, direction, fill, zone, prev\nFROM t\nJOIN u latest ON latest.k = t.k"),
    ("select sum(x) over w from t window w as (order by ts range between 1 preceding and current row)",
     "SELECT sum(x) OVER w\nFROM t\nWINDOW w AS (ORDER BY ts RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SET_OUT)
def test_a_text_is_set_out(text, expected):
    assert format_text(text) == expected
    assert format_text(expected) == expected
