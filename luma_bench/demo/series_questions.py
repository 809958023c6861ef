"""Nine questions about weather, delays and planes as they go on in time: the tour's series, in KadeQL."""

from __future__ import annotations

from luma_bench.demo.tour_question import TourQuestion

_WINDOWS = """\
SELECT window_start, window_end, origin, count(*) AS readings, round(avg(temp), 1) AS temp
FROM TUMBLE(TABLE weather, DESCRIPTOR(time_hour), INTERVAL '6' HOUR)
WHERE origin = $origin AND time_hour >= TIMESTAMPTZ '2013-11-02 00:00-04' AND time_hour < TIMESTAMPTZ '2013-11-05 00:00-05'
GROUP BY ALL
ORDER BY window_start"""

_SLIDING = """\
SELECT window_start, window_end, origin, round(avg(temp), 1) AS temp, max(wind_speed) AS wind
FROM HOP(TABLE weather, DESCRIPTOR(time_hour), INTERVAL '1' HOUR, INTERVAL '1' DAY)
WHERE origin = $origin
GROUP BY ALL
ORDER BY temp, window_start
LIMIT 5"""

_SESSIONS = """\
SELECT tailnum, window_start AS first_departure, max(dep) AT TIME ZONE 'America/New_York' AS last_departure, count(*) AS flights,
       count(DISTINCT origin) AS airports, max(dep_delay) AS worst_delay
FROM SESSION(TABLE flights PARTITION BY tailnum, DESCRIPTOR(dep), INTERVAL '4' HOUR)
WHERE tailnum IS NOT NULL
GROUP BY ALL
ORDER BY flights DESC, tailnum, first_departure
LIMIT 10"""

_GAPS = """\
SELECT time_hour, origin, avg(temp) AS temp, count(*) AS readings
FROM weather
WHERE time_hour >= TIMESTAMPTZ '2013-10-25 18:00-04' AND time_hour < TIMESTAMPTZ '2013-10-26 03:00-04'
SAMPLE BY '1h' FILL(LINEAR, 0)
ORDER BY origin, time_hour"""

_WEATHER = """\
SELECT CASE WHEN w.visib < 1 THEN 'under 1 mile' WHEN w.visib < 5 THEN '1 to 5 miles' ELSE '5 miles and more' END AS visibility,
       count(*) AS flights, round(avg(f.dep_delay), 1) AS mean_delay, round(100 * avg((f.dep_delay > 15)::INTEGER), 1) AS percent_late
FROM flights f ASOF JOIN weather w ON f.origin = w.origin AND f.dep >= w.time_hour TOLERANCE INTERVAL '2' HOUR
GROUP BY ALL
ORDER BY mean_delay DESC"""

_NEWEST = """\
SELECT origin, time_hour, temp, wind_speed, visib
FROM weather LATEST ON time_hour PARTITION BY origin
ORDER BY origin"""

_AROUND = """\
SELECT f.carrier, f.flight, f.origin, f.dep, min(w.visib) AS visibility, max(w.wind_gust) AS gust, sum(w.precip) AS rain
FROM flights f WINDOW JOIN weather w ON f.origin = w.origin
     RANGE BETWEEN INTERVAL '3' HOUR PRECEDING AND INTERVAL '0' HOUR FOLLOWING USING TIME (f.dep, w.time_hour)
WHERE f.dep_delay > 600
ORDER BY f.dep"""

_UNUSUAL = """\
SELECT origin, time_hour, temp, round(zscore, 1) AS zscore
FROM ROBUST_ZSCORE(TABLE weather PARTITION BY origin, DESCRIPTOR(time_hour), temp, "window" => '14d')
WHERE abs(zscore) > 4.5
ORDER BY abs(zscore) DESC
LIMIT 10"""

_AVERAGES = """\
SELECT time_hour, origin, time_weight(temp, time_hour) AS weighted, avg(temp) AS plain, ohlc(pressure, time_hour) AS pressure
FROM weather
WHERE origin = $origin AND pressure IS NOT NULL
SAMPLE BY '1mo'
ORDER BY time_hour"""

SERIES_QUESTIONS: tuple[TourQuestion, ...] = (
    TourQuestion(
        1,
        "How warm was it, six hours at a time?",
        "On 3 November 2013 New York's clocks went back at two. Windows of 2 to 12 hours follow the clock on the wall, so the "
        "first one of that day has seven hours, and none of the others moves.",
        _WINDOWS,
        {"origin": "JFK"},
    ),
    TourQuestion(
        2,
        "Which 24 hours were the coldest?",
        "Every hour begins a window of a day, so each reading counts in 24 of them. The plan adds hourly panes up instead of "
        "copying rows.",
        _SLIDING,
        {"origin": "JFK"},
    ),
    TourQuestion(
        3,
        "Which planes had the longest days?",
        "A session ends when a plane has not left New York for more than four hours; its end is the last departure plus the gap. "
        "Flights without a departure belong to no session: the run record counts them.",
        _SESSIONS,
    ),
    TourQuestion(
        4,
        "What was the temperature while nobody looked?",
        "`FILL` gives every series every bucket, and never crosses from one series to another. Each column says for itself: here the "
        "temperature is a line between its neighbours, and the number of readings is 0.",
        _GAPS,
    ),
    TourQuestion(
        5,
        "Are flights late in fog?",
        "Each departure meets the newest reading of its airport that is not after it. `TOLERANCE` leaves out what is older than two "
        "hours. Of equal times the last stored row wins, so the answer is the same on every run.",
        _WEATHER,
    ),
    TourQuestion(
        6,
        "What is the newest reading of each airport?",
        "`LATEST ON` reads the end of each series only; the run record says how few rows that were.",
        _NEWEST,
    ),
    TourQuestion(
        7,
        "What was the weather before the longest delays?",
        "A window join gives each flight the readings of the three hours before it, as aggregates. A flight without a reading stays, "
        "with NULL.",
        _AROUND,
    ),
    TourQuestion(
        8,
        "When was it unusually warm?",
        "A plain z-score moves with the very values it looks for. The robust one measures against the median of the two weeks around, "
        "in units of the median deviation.",
        _UNUSUAL,
    ),
    TourQuestion(
        9,
        "What is a month's average?",
        "Readings that are missing do not weigh: `time_weight` lets each value count until the next one. `ohlc` gives the first, "
        "highest, lowest and last value at once.",
        _AVERAGES,
        {"origin": "LGA"},
    ),
)
