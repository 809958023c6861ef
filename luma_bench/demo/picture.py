"""The picture of the story: how long one flight in five waits, hour by hour, for the seven largest airlines."""

from __future__ import annotations

from typing import Any

from luma_bench.plot import Chart, chart

QUERY = """\
WITH largest AS (SELECT carrier FROM flights GROUP BY carrier ORDER BY count(*) DESC LIMIT 7)
SELECT f.hour, a.name AS airline, quantile_cont(f.dep_delay, 0.8) AS minutes
FROM flights f JOIN airlines a USING (carrier)
WHERE carrier IN (FROM largest) AND f.hour BETWEEN 6 AND 21
GROUP BY ALL
HAVING count(f.dep_delay) >= 100
ORDER BY airline, f.hour"""
"""KadeQL over the tour's tables: `hour` due to leave, `airline`, and the delay in `minutes` that one in five exceeds."""

TITLE = "Leave early: the delay that one flight in five exceeds, by hour of departure"


def draw(rows: Any) -> Chart:
    """The chart of the rows that `QUERY` gives."""
    return chart(rows, x="hour", y="minutes", color="airline", kind="line", title=TITLE)
