"""Nine questions about routes, connections and delays that travel with a plane: the tour's graphs, in KadeQL."""

from __future__ import annotations

from luma_bench.demo.tour_question import TourQuestion

_ONE = """\
SELECT b AS airport, count(*) AS airlines, round(min(km)) AS km
FROM GRAPH_TABLE (air MATCH (a:airports)-[r:route]->(b) WHERE a.iata = $from COLUMNS (b.iata AS b, r.airline, r.km))
GROUP BY b
ORDER BY airlines DESC, airport
LIMIT 10"""

_TWO = """\
MATCH (a:airports WHERE a.iata = $from)-[:route]->{1,2}(b) ON GRAPH air
RETURN DISTINCT b.iata, b.city, b.country
ORDER BY b.iata"""

_FEWEST = """\
MATCH p = ANY SHORTEST (a {iata: $from})-[:route]->+(b {iata: $to}) ON GRAPH air
RETURN path_length(p) AS flights, nodes(p) AS airports"""

_NEAREST = """\
MATCH p = ANY CHEAPEST (a {iata: $from})-[r:route COST r.km]->+(b {iata: $to}) ON GRAPH air
RETURN round(path_cost(p)) AS km, path_length(p) AS flights, nodes(p) AS airports"""

_WAYS = """\
MATCH (a {iata: $from})-[:route]->(b)-[:route]->(c) ON GRAPH air
WHERE c <> a
RETURN c.iata AS airport, count(*) AS ways, count(DISTINCT b) AS changes
ORDER BY ways DESC, airport
LIMIT 10"""

_HUBS = """\
SELECT a.iata, a.city, round(100 * h.score, 2) AS percent, d.in_degree + d.out_degree AS routes
FROM PAGERANK(GRAPH air, damping => 0.85) h
JOIN DEGREES(GRAPH air) d USING (id)
JOIN airports a ON a.iata = h.id
ORDER BY h.score DESC
LIMIT 10"""

_ALONE = """\
SELECT size, count(*) AS components, sum(size)::BIGINT AS airports
FROM (SELECT component, count(*) AS size FROM WEAKLY_CONNECTED_COMPONENTS(GRAPH air) GROUP BY component)
GROUP BY size
ORDER BY size DESC"""

_JOURNEY = """\
MATCH p = (a:airports)-[f:flight WHERE f.month = 7 AND f.day = 4]->{1,4}(b) ON GRAPH trips
WHERE a.iata = $from
TIME RESPECTING (f.dep, f.arr) WITHIN INTERVAL '12' HOUR
RETURN b.iata AS airport, min(path_arrival(p)) AT TIME ZONE 'America/New_York' AS earliest, count(*) AS journeys
ORDER BY earliest, airport
LIMIT 10"""

_TRAVELS = """\
MATCH p = (a:flights)-[:next]->{1,4}(b:flights) ON GRAPH trips
WHERE a.dep_delay > $late AND a.month = 7
RETURN path_length(p) AS flights_later, count(*) AS pairs, median(b.dep_delay) AS median_delay,
       round(100 * avg((b.dep_delay > 15)::INTEGER), 1) AS percent_late
ORDER BY flights_later"""

GRAPH_QUESTIONS: tuple[TourQuestion, ...] = (
    TourQuestion(
        1,
        "Where does one flight take me?",
        "An edge is a row of `routes`: an airport that three airlines serve comes three times, so airports are counted after "
        "grouping. `GRAPH_TABLE` is SQL's own spelling; it stands wherever a table does.",
        _ONE,
        {"from": "JFK"},
    ),
    TourQuestion(
        2,
        "And with one change?",
        "`{1,2}` is one or two routes. Paths are many, airports few: `DISTINCT` says that only the ends count, and the plan "
        "visits each airport once instead of walking every path.",
        _TWO,
        {"from": "JFK"},
    ),
    TourQuestion(
        3,
        "How few flights is it from Burlington to Guam?",
        "`+` has no upper bound, so a selector must say which paths are meant; without one the text is refused. Among equal paths "
        "the smallest airport codes win, so the answer is the same on every machine.",
        _FEWEST,
        {"from": "BTV", "to": "GUM"},
    ),
    TourQuestion(
        4,
        "And how few kilometres?",
        "The fewest flights are not the shortest way. `COST` says what a route costs; it may be any expression of the route that is "
        "never negative.",
        _NEAREST,
        {"from": "BTV", "to": "GUM"},
    ),
    TourQuestion(
        5,
        "How many ways are there with exactly one change?",
        "Every pair of routes is a way: two airlines on one leg make two. `count(*)` counts them without listing them; "
        "`c <> a` compares airports, not codes.",
        _WAYS,
        {"from": "BTV"},
    ),
    TourQuestion(
        6,
        "Which airports are hubs?",
        "An algorithm is a table too: it joins with the airports' names and with another algorithm. Ranks sum to 1 over all "
        "7,884 airports, of which most have no route in this sample.",
        _HUBS,
    ),
    TourQuestion(
        7,
        "Which airports can be reached at all?",
        "An airport without a route is a component of its own. Weak components ignore the direction of routes.",
        _ALONE,
    ),
    TourQuestion(
        8,
        "When could I be there?",
        "A connection must leave after the flight before has landed. `TIME RESPECTING` cuts the walk where time runs out, instead of "
        "listing journeys and throwing them away. The table has flights out of New York only, so journeys of two legs are rare.",
        _JOURNEY,
        {"from": "EWR"},
    ),
    TourQuestion(
        9,
        "Does a delay travel with the plane?",
        "Here a vertex is a flight, and an edge leads to the next one of the same plane within twelve hours. "
        "The same table is vertices in one place and edges in another: a graph is a way to read tables, not a copy of them.",
        _TRAVELS,
        {"late": 60},
    ),
)
