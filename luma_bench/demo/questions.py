"""Ten questions of rising difficulty about flights out of New York, each with the trap it shows.

Every text is a SELECT that runs verbatim and does not depend on the session's time zone; every answer is a sentence
computed from the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.demo import answers


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its KadeQL text, its parameters, the trap in it, and how to say the answer.

    Attributes
    ----------
    trap
        Markdown, two or three sentences.
    answer
        Takes the result as an Arrow table and gives one or two sentences.
    """

    number: int
    title: str
    trap: str
    text: str
    answer: Callable[[pa.Table], str]
    params: Mapping[str, object] = field(default_factory=dict[str, object])


_CARRIERS = """\
SELECT a.name, f.carrier, count(*) AS flights,
       round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM flights f JOIN airlines a USING (carrier)
GROUP BY ALL
ORDER BY flights DESC"""

_LATE = """\
SELECT count(*)                                      AS flights,
       count(*) FILTER (WHERE dep_delay > $late)     AS late,
       count(*) FILTER (WHERE NOT dep_delay > $late) AS on_time,
       count(*) FILTER (WHERE dep_delay IS NULL)     AS cancelled,
       round(100 * late / count(dep_delay), 1)       AS percent_of_departed
FROM flights"""

_HOURS = """\
SELECT extract(hour FROM sched AT TIME ZONE 'America/New_York') AS hour,
       count(dep_delay)                                        AS departed,
       median(dep_delay)                                       AS median_delay,
       round(quantile_cont(dep_delay, 0.9), 1)                 AS one_in_ten_over,
       round(100 * avg((dep_delay > $late)::INTEGER), 1)       AS percent_late
FROM flights
GROUP BY 1
HAVING departed > 0
ORDER BY 1"""

_PLANES = """\
SELECT CASE WHEN p.tailnum IS NULL     THEN 'not in the register'
            WHEN p.year IS NULL        THEN 'year unknown'
            WHEN f.year - p.year < 5   THEN 'under 5 years'
            WHEN f.year - p.year < 15  THEN '5 to 14 years'
            WHEN f.year - p.year < 25  THEN '15 to 24 years'
            ELSE                            '25 years and more' END AS plane,
       count(*)                                                AS flights,
       count(*) - count(f.dep_delay)                           AS cancelled,
       round(100 * avg((f.dep_delay > $late)::INTEGER), 1)     AS percent_late
FROM flights f LEFT JOIN planes p USING (tailnum)
GROUP BY 1
ORDER BY min(f.year - p.year) NULLS LAST, plane"""

_MONTHS = """\
SELECT month, round(EWR, 1) AS EWR, round(JFK, 1) AS JFK, round(LGA, 1) AS LGA
FROM (SELECT month, origin, dep_delay FROM flights)
     PIVOT (avg(dep_delay) FOR origin IN ('EWR', 'JFK', 'LGA') GROUP BY month)
ORDER BY month"""

_BANDS = """\
WITH banded AS (
  SELECT carrier, dep_delay,
         CASE WHEN distance < 500  THEN 'under 500 miles'
              WHEN distance < 1500 THEN '500 to 1,499'
              ELSE                      '1,500 and more' END AS band
  FROM flights
)
SELECT a.name, band, count(dep_delay) AS departed,
       median(dep_delay)                       AS median,
       round(avg(dep_delay), 1)                AS mean,
       round(quantile_cont(dep_delay, 0.9), 1) AS one_in_ten_over
FROM banded JOIN airlines a USING (carrier)
GROUP BY ALL
HAVING departed >= $least
ORDER BY one_in_ten_over DESC, a.name, band
LIMIT 12"""

_WORST = """\
SELECT f.origin, f.dest, p.name, p.city, count(f.arr_delay) AS landed,
       round(avg(f.arr_delay), 1) AS mean_arrival_delay
FROM flights f JOIN airports p ON p.iata = f.dest
GROUP BY f.origin, f.dest, p.name, p.city
HAVING landed >= $least
QUALIFY row_number() OVER (PARTITION BY f.origin ORDER BY avg(f.arr_delay) DESC, f.dest) <= 3
ORDER BY f.origin, mean_arrival_delay DESC"""

_DAYS = """\
SELECT (f.sched AT TIME ZONE 'America/New_York')::DATE AS day,
       count(*)                                       AS flights,
       count(*) - count(f.dep_delay)                  AS cancelled,
       round(100 * cancelled / flights, 1)            AS percent,
       median(f.dep_delay)                            AS median_delay,
       min(w.visib)                                   AS visibility,
       round(max(w.wind_gust), 1)                     AS gust,
       count(*) - count(w.origin)                     AS without_weather
FROM flights f LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
GROUP BY 1
ORDER BY cancelled DESC, day
LIMIT 10"""

_GAPS = """\
WITH span AS (
  SELECT origin, min(time_hour) AS first, max(time_hour) AS last FROM weather GROUP BY origin
), expected AS (
  SELECT s.origin, h.hour
  FROM span s, LATERAL (SELECT unnest(generate_series(s.first, s.last, INTERVAL 1 HOUR)) AS hour) h
)
SELECT (e.hour AT TIME ZONE 'America/New_York')::DATE AS day,
       count(DISTINCT e.hour)                         AS hours_in_day,
       count(*)                                       AS expected,
       count(w.time_hour)                             AS readings,
       count(*) - count(w.time_hour)                  AS missing
FROM expected e LEFT JOIN weather w ON w.origin = e.origin AND w.time_hour = e.hour
GROUP BY 1
HAVING missing > 0 OR hours_in_day <> 24
ORDER BY 1"""

_PLANE_BEFORE = """\
WITH legs AS (
  SELECT sched, dep_delay,
         lag(sched)     OVER plane AS sched_before,
         lag(dep_delay) OVER plane AS delay_before
  FROM flights
  WHERE dep IS NOT NULL AND tailnum IS NOT NULL
  WINDOW plane AS (PARTITION BY tailnum ORDER BY dep, flight_id)
)
SELECT CASE WHEN delay_before <= $late THEN 'on time'
            WHEN delay_before <= 60    THEN 'up to an hour late'
            WHEN delay_before <= 120   THEN 'up to two hours late'
            ELSE                            'later than that' END AS plane_before,
       count(*)                                                  AS legs,
       median(dep_delay)                                         AS median_delay,
       round(100 * avg((dep_delay > $late)::INTEGER), 1)         AS percent_late
FROM legs
WHERE sched - sched_before <= INTERVAL 12 HOUR
GROUP BY 1
ORDER BY min(delay_before)"""

QUESTIONS: tuple[Question, ...] = (
    Question(
        1,
        "Who flies from New York?",
        "A carrier is a code; `airlines` has the name. The join is an inner one, so it must be checked that no code "
        "lacks a name: the sum over all carriers is the number of flights.",
        _CARRIERS,
        answers.carriers,
    ),
    Question(
        2,
        "How many flights are late?",
        "A cancelled flight has no delay: `dep_delay` is NULL. It is neither `> 15` nor `NOT > 15`, so late and on "
        "time do not add up to all, and `avg(dep_delay)` says nothing about it.",
        _LATE,
        answers.late,
        {"late": 15},
    ),
    Question(
        3,
        "At which hour should I leave?",
        "`sched` is an instant. Its hour depends on the clock one reads it on: without `AT TIME ZONE`, a session in "
        "another zone gives other hours. The median hides the evening's trouble; the worst tenth shows it.",
        _HOURS,
        answers.hours,
        {"late": 15},
    ),
    Question(
        4,
        "Is it the age of the plane?",
        "Many tail numbers are not in `planes`. An inner join would drop their flights without a word; the left join "
        "keeps them as a group of their own. `year` is a column of both tables, and means two things.",
        _PLANES,
        answers.planes,
        {"late": 15},
    ),
    Question(
        5,
        "Which month, and from which airport?",
        "A pivot turns rows into columns, so the columns must be known before it runs: they are named after `IN`. "
        "The mean is over departed flights only.",
        _MONTHS,
        answers.months,
    ),
    Question(
        6,
        "Which carrier has the long tail?",
        "Mean and median tell different stories: half of a carrier's flights may leave early while one in ten waits "
        "an hour. Small groups have wild quantiles, so `HAVING` asks for a least number.",
        _BANDS,
        answers.bands,
        {"least": 1000},
    ),
    Question(
        7,
        "Which three destinations are worst, from each airport?",
        "The airport list that comes with the flights lacks four destinations (BQN, PSE, SJU, STT), and an inner join "
        "would lose their 7,602 flights. This one has all 105. `QUALIFY` filters after the window, "
        "as `HAVING` does after the groups.",
        _WORST,
        answers.worst,
        {"least": 1000},
    ),
    Question(
        8,
        "Was it the weather? The ten worst days",
        "Weather joins on airport and hour, and both hours are instants: equal means the same moment. Joined on "
        "`month, day, hour` instead, a reading would count twice on the night the clocks go back. The left "
        "join keeps flights without a reading.",
        _DAYS,
        answers.days,
    ),
    Question(
        9,
        "Which hours of weather are missing?",
        "A day does not have 24 hours: 10 March had 23 and 3 November 25. Hours expected are counted on instants "
        "(`LATERAL` makes each airport's own series), then shown on New York's calendar.",
        _GAPS,
        answers.gaps,
    ),
    Question(
        10,
        "Was the plane late before?",
        "A window over each tail number looks back at the plane's departure before. Cancelled flights have no "
        "departure and must not stand between; a plane that rested overnight starts afresh.",
        _PLANE_BEFORE,
        answers.plane_before,
        {"late": 15},
    ),
)
