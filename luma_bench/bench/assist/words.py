"""What the words of KadeQL mean: a line of grammar, a sentence and an example each, for hover texts and completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from luma_bench.language.keywords import split


@dataclass(frozen=True, slots=True)
class Word:
    """A construct by its first word: its `grammar`, its `meaning`, an `example` that parses, and the page that tells more."""

    grammar: str
    meaning: str
    example: str = ""


_WORDS: Final = {
    "SELECT": Word("SELECT [DISTINCT [ON (…)]] expression [AS name], … [FROM …]", "Answers with rows.", "SELECT origin, count(*) AS n FROM flights GROUP BY ALL"),
    "FROM": Word("FROM table | view | file | function | (query), … [join …]", "What a query reads. A query may begin with it: FROM t is SELECT * FROM t.", "FROM flights SELECT dest, count(*) GROUP BY dest"),
    "WHERE": Word("WHERE condition", "Keeps the rows for which the condition is true; NULL is not true.", "SELECT * FROM flights WHERE dep_delay > 60"),
    "GROUP BY": Word("GROUP BY expression, … | ALL", "One row for each group; ALL groups by every item that is no aggregate.", "SELECT origin, avg(dep_delay) FROM flights GROUP BY ALL"),
    "HAVING": Word("HAVING condition", "Keeps groups for which the condition is true.", "SELECT dest, count(*) AS n FROM flights GROUP BY dest HAVING n > 100"),
    "QUALIFY": Word("QUALIFY condition", "Keeps rows by window functions.", "SELECT * FROM flights QUALIFY row_number() OVER (PARTITION BY origin ORDER BY dep_delay DESC) = 1"),
    "WINDOW": Word("WINDOW name AS (PARTITION BY … ORDER BY …)  |  FROM t WINDOW JOIN q ON t.k = q.k RANGE BETWEEN length PRECEDING AND length FOLLOWING", "Names a window for OVER. WINDOW JOIN gives each row the rows of another table in a range of time around it.", "SELECT sum(distance) OVER w FROM flights WINDOW w AS (PARTITION BY carrier ORDER BY sched)"),
    "ORDER BY": Word("ORDER BY expression [ASC | DESC] [NULLS FIRST | LAST], … | ALL", "Sorts; NULLs come last unless told otherwise.", "SELECT * FROM flights ORDER BY dep_delay DESC"),
    "LIMIT": Word("LIMIT n [OFFSET m]", "The first n rows, behind m that are left out.", "SELECT * FROM flights ORDER BY sched LIMIT 10"),
    "WITH": Word("WITH [RECURSIVE] name [(columns)] AS [NOT MATERIALIZED] (query), … query", "Names queries that the query behind them reads.", "WITH busy AS (SELECT dest, count(*) AS n FROM flights GROUP BY dest) SELECT * FROM busy WHERE n > 100"),
    "JOIN": Word("[LEFT | RIGHT | FULL | SEMI | ANTI | CROSS | ASOF] JOIN table ON condition | USING (columns)", "Pairs rows of two tables.", "SELECT * FROM flights JOIN airlines USING (carrier)"),
    "UNION": Word("query UNION [ALL] [BY NAME] query", "The rows of both queries; without ALL each once.", "SELECT origin FROM flights UNION SELECT dest FROM flights"),
    "OVER": Word("function(…) OVER ([PARTITION BY …] [ORDER BY …] [ROWS | RANGE BETWEEN … AND …])", "A window function: it looks at rows around each row.", "SELECT lag(dep_delay) OVER (PARTITION BY tailnum ORDER BY sched) FROM flights"),
    "FILTER": Word("aggregate(…) FILTER (WHERE condition)", "Only these rows count for the aggregate.", "SELECT count(*) FILTER (WHERE dep_delay > 60) FROM flights"),
    "CASE": Word("CASE WHEN condition THEN value … [ELSE value] END", "The value behind the first condition that is true; NULL without ELSE.", "SELECT CASE WHEN dep_delay > 60 THEN 'late' ELSE 'fine' END FROM flights"),
    "CAST": Word("CAST(value AS type)  |  value::type", "Another type; what does not convert is an error, with TRY_CAST it is NULL.", "SELECT CAST(dep_delay AS DOUBLE) FROM flights"),
    "TRY_CAST": Word("TRY_CAST(value AS type)", "Another type; NULL where a value does not convert.", "SELECT TRY_CAST('x' AS INTEGER)"),
    "BETWEEN": Word("value BETWEEN low AND high", "low <= value AND value <= high.", "SELECT * FROM flights WHERE distance BETWEEN 100 AND 200"),
    "COALESCE": Word("COALESCE(value, …)", "The first value that is not NULL.", "SELECT coalesce(dep_delay, 0) FROM flights"),
    "EXTRACT": Word("EXTRACT(part FROM time)", "A part of a date or time: year, month, day, hour, dow, epoch, ….", "SELECT extract(hour FROM sched) FROM flights"),
    "EXISTS": Word("EXISTS (query)", "Whether the query gives a row.", "SELECT * FROM airlines a WHERE EXISTS (FROM flights f WHERE f.carrier = a.carrier)"),
    "LATERAL": Word("FROM t, LATERAL (query)", "A subquery that may name columns of the tables before it.", "SELECT * FROM airlines a, LATERAL (SELECT count(*) AS n FROM flights f WHERE f.carrier = a.carrier)"),
    "PIVOT": Word("PIVOT table ON columns [IN (values)] USING aggregate, … [GROUP BY columns]", "Turns values into columns.", "PIVOT flights ON carrier USING count(*) GROUP BY origin"),
    "UNPIVOT": Word("UNPIVOT table ON columns INTO NAME name VALUE value", "Turns columns into rows.", "UNPIVOT flights ON dep_delay, arr_delay INTO NAME kind VALUE minutes"),
    "EXCLUDE": Word("SELECT * EXCLUDE (column, …)", "Every column but these.", "SELECT * EXCLUDE (tailnum) FROM flights"),
    "VALUES": Word("VALUES (value, …), …", "Rows that are written out.", "VALUES (1, 'a'), (2, 'b')"),
    "INTERVAL": Word("INTERVAL '1' HOUR  |  INTERVAL 1 HOUR  |  '1h' where a length is expected", "A length of time.", "SELECT sched + INTERVAL '1' DAY FROM flights"),
    "AT": Word("table AT (VERSION => n | TAG => 'name' | TIMESTAMP => '…')", "A stored table as it was at another snapshot.", "SELECT count(*) FROM flights AT (VERSION => 3)"),
    # --- time series ---
    "TUMBLE": Word("TUMBLE(TABLE t [PARTITION BY k], DESCRIPTOR(time), size [, OFFSET => length] [, ZONE => 'zone'])", "The rows with the window that each is in, one window after the other: window_start, window_end and window_time are three columns more.", "SELECT window_start, avg(temp) FROM TUMBLE(TABLE weather, DESCRIPTOR(time_hour), INTERVAL '6' HOUR) GROUP BY ALL"),
    "HOP": Word("HOP(TABLE t [PARTITION BY k], DESCRIPTOR(time), slide, size [, OFFSET => length] [, ZONE => 'zone'])", "Sliding windows: every slide begins one, so that a row is in several.", "SELECT window_start, avg(temp) FROM HOP(TABLE weather, DESCRIPTOR(time_hour), INTERVAL '1' HOUR, INTERVAL '1' DAY) GROUP BY ALL"),
    "CUMULATE": Word("CUMULATE(TABLE t [PARTITION BY k], DESCRIPTOR(time), step, size [, …])", "Windows that grow by a step up to a size, then begin anew.", "SELECT window_end, count(*) FROM CUMULATE(TABLE flights, DESCRIPTOR(sched), INTERVAL '6' HOUR, INTERVAL '1' DAY) GROUP BY ALL"),
    "SESSION": Word("SESSION(TABLE t [PARTITION BY k], DESCRIPTOR(time), gap)", "Rows of a series belong together while no gap between them is longer than the given one.", "SELECT tailnum, window_start, count(*) FROM SESSION(TABLE flights PARTITION BY tailnum, DESCRIPTOR(dep), INTERVAL '4' HOUR) GROUP BY ALL"),
    "DESCRIPTOR": Word("DESCRIPTOR(column)", "Names the column of times of a window or series function.", "SELECT * FROM TUMBLE(TABLE weather, DESCRIPTOR(time_hour), '1h')"),
    "SAMPLE BY": Word("SAMPLE BY length [FROM start TO end] [FILL(NULL | PREV | LINEAR | NONE | value)] [ALIGN TO …] [ZONE 'zone']", "Groups by buckets of time, and fills those that no row falls into.", "SELECT time_hour, origin, avg(temp) FROM weather SAMPLE BY '1h' FILL(LINEAR)"),
    "FILL": Word("FILL(NULL | PREV [IGNORE NULLS] | LINEAR | NONE | value, … per column)", "What buckets of SAMPLE BY have that no row falls into.", "SELECT time_hour, avg(temp) FROM weather SAMPLE BY '1h' FILL(PREV)"),
    "LATEST ON": Word("LATEST ON time PARTITION BY key, …", "The newest row of each series.", "SELECT * FROM weather LATEST ON time_hour PARTITION BY origin"),
    "ASOF": Word("ASOF [LEFT] JOIN table ON … AND left.time >= right.time [TOLERANCE length] [DIRECTION BACKWARD | FORWARD | NEAREST]", "Pairs each row with the one of the other table that is nearest in time, at or before it unless DIRECTION says otherwise.", "SELECT * FROM flights f ASOF JOIN weather w ON f.origin = w.origin AND f.sched >= w.time_hour"),
    "TOLERANCE": Word("ASOF JOIN … ON … TOLERANCE length", "How far apart in time the rows of an ASOF JOIN may be.", "SELECT * FROM flights f ASOF JOIN weather w ON f.origin = w.origin AND f.sched >= w.time_hour TOLERANCE INTERVAL '2' HOUR"),
    "DIRECTION": Word("ASOF JOIN … ON … DIRECTION BACKWARD | FORWARD | NEAREST", "Where an ASOF JOIN looks: back in time, ahead, or both ways.", "SELECT * FROM flights f ASOF JOIN weather w ON f.origin = w.origin AND f.sched >= w.time_hour DIRECTION NEAREST"),
    "GAPFILL": Word("gapfill(length, time [, start, finish]) as an item, with locf(…) and interpolate(…)", "Buckets of time, those that no row falls into too; time_bucket_gapfill is the same.", "SELECT gapfill('1h', time_hour) AS hour, locf(avg(temp)) AS temp FROM weather GROUP BY ALL"),
    # --- graphs ---
    "MATCH": Word("[OPTIONAL] MATCH path, … [ON GRAPH g] [VALID AT moment] [WHERE condition] [TIME RESPECTING (departs, arrives)] RETURN item, …", "Finds paths in a property graph; it is a query, and stands in brackets as a table.", "MATCH (a:airports WHERE a.iata = 'JFK')-[:route]->{1,2}(b) RETURN DISTINCT b.iata"),
    "RETURN": Word("MATCH … RETURN [DISTINCT] expression [AS name], … | *", "What a pattern's matches give.", "MATCH (a:airports)-[r:route]->(b) RETURN a.iata, b.iata"),
    "GRAPH_TABLE": Word("GRAPH_TABLE (graph MATCH path, … [WHERE condition] COLUMNS (expression [AS name], …))", "The matches of a pattern as a table.", "SELECT * FROM GRAPH_TABLE (air MATCH (a:airports)-[r:route]->(b) COLUMNS (a.iata, b.iata AS dest))"),
    "SHORTEST": Word("[p =] ANY SHORTEST | ALL SHORTEST | SHORTEST k  before a path with + or *", "The paths of fewest edges between two vertices.", "MATCH p = ANY SHORTEST (a {iata: 'BTV'})-[:route]->+(b {iata: 'GUM'}) RETURN path_length(p), nodes(p)"),
    "CHEAPEST": Word("[p =] ANY CHEAPEST  before a path whose edges have a COST", "The path of least cost between two vertices.", "MATCH p = ANY CHEAPEST (a {iata: 'BTV'})-[r:route COST r.km]->+(b {iata: 'GUM'}) RETURN path_cost(p)"),
    "TRAIL": Word("WALK | TRAIL | ACYCLIC | SIMPLE  before a path", "What a path may repeat: WALK anything, TRAIL no edge, ACYCLIC no vertex, SIMPLE no vertex but the first as the last.", "MATCH p = TRAIL (a {iata: 'BTV'})-[:route]->{1,3}(b) RETURN b.iata"),
    "COST": Word("-[r:label COST expression]->", "What an edge adds to the cost of a path.", "MATCH p = ANY CHEAPEST (a {iata: 'BTV'})-[r:route COST r.km]->+(b {iata: 'GUM'}) RETURN path_cost(p)"),
    "RESPECTING": Word("TIME RESPECTING (departs, arrives) [STRICT] [WITHIN length] [STARTING AT moment]", "Each edge departs when the one before it has arrived.", "MATCH (a:airports)-[f:trips]->{1,3}(b) ON GRAPH trips WHERE a.iata = 'EWR' TIME RESPECTING (f.dep, f.arr) RETURN b.iata"),
    "PATH_LENGTH": Word("path_length(p)", "How many edges a path has.", "MATCH p = ANY SHORTEST (a {iata: 'BTV'})-[:route]->+(b {iata: 'GUM'}) RETURN path_length(p)"),
    "PATH_COST": Word("path_cost(p)", "The cost of a path: the sum of its edges' COST.", ""),
    "NODES": Word("nodes(p)", "The keys of the vertices of a path, as a list.", ""),
    "EDGES": Word("edges(p)", "The keys of the edges of a path, as a list.", ""),
    "PATH_DEPARTURE": Word("path_departure(p)", "When a path that respects time departs.", ""),
    "PATH_ARRIVAL": Word("path_arrival(p)", "When a path that respects time arrives.", ""),
    "WITH_ROWID": Word("with_rowid(table)", "The rows of a stored table with their stable ids, _rowid, as the first column.", "SELECT * FROM with_rowid(flights) LIMIT 3"),
}  # fmt: skip

WORDS: Final[Mapping[str, Word]] = MappingProxyType(_WORDS)
"""By the words that begin a construct, in upper case."""

PATH_FUNCTIONS: Final = split("PATH_LENGTH NODES EDGES PATH_COST PATH_DEPARTURE PATH_ARRIVAL")
"""What may be asked of a path's variable."""

TABLE_CONSTRUCTS: Final = split("TUMBLE HOP CUMULATE SESSION GRAPH_TABLE WITH_ROWID")
"""What stands where a table may, besides the algorithms and the series functions."""

FIRST: Final = split("""
    SELECT FROM WITH MATCH VALUES PIVOT UNPIVOT DESCRIBE SUMMARIZE SHOW EXPLAIN INSERT UPDATE DELETE MERGE CREATE ALTER DROP
    TRUNCATE COPY COMMENT TAG BEGIN COMMIT ROLLBACK PREPARE EXECUTE DEALLOCATE OPTIONAL TABLE
""")
"""What a statement begins with, the usual ones first."""

_JOINS: Final = split("JOIN LEFT RIGHT FULL INNER CROSS ASOF SEMI ANTI NATURAL POSITIONAL")
_TAILS: Final = split("ORDER LIMIT OFFSET UNION INTERSECT EXCEPT")

FOLLOWERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "SELECT": (*split("FROM AS OVER FILTER WHERE GROUP"), *_TAILS),
        "RETURN": ("AS", *_TAILS, "SKIP"),
        "MATCH": split("RETURN WHERE ON VALID TIME COLUMNS"),
        "FROM": (*split("WHERE"), *_JOINS, *split("GROUP SAMPLE LATEST AS AT SELECT ON USING TABLESAMPLE WINDOW QUALIFY HAVING"), *_TAILS),
        "JOIN": (*split("ON USING AS AT"), *_JOINS, *split("WHERE GROUP"), *_TAILS),
        "ON": (*split("AND OR TOLERANCE DIRECTION WHERE"), *_JOINS, *split("GROUP RANGE"), *_TAILS),
        "USING": (*split("WHERE"), *_JOINS, *split("GROUP WHEN ON"), *_TAILS),
        "WHERE": (*split("AND OR GROUP SAMPLE LATEST QUALIFY RETURN"), *_TAILS, *split("COLUMNS RETURNING WINDOW")),
        "GROUP": (*split("HAVING QUALIFY WINDOW"), *_TAILS),
        "HAVING": (*split("AND OR QUALIFY"), *_TAILS),
        "QUALIFY": (*split("AND OR"), *_TAILS),
        "ORDER": split("ASC DESC NULLS LIMIT OFFSET UNION"),
        "LIMIT": split("OFFSET PERCENT"),
        "SAMPLE": (*split("FILL FROM TO ALIGN ZONE"), *_TAILS),
        "FILL": (*split("ALIGN ZONE"), *_TAILS),
        "LATEST": (*split("PARTITION WHERE"), *_TAILS),
        "SET": split("WHERE FROM RETURNING"),
        "INTO": split("VALUES SELECT BY DEFAULT FROM WITH USING"),
        "UPDATE": split("SET"),
        "VALUES": split("ON RETURNING"),
        "WHEN": split("THEN AND MATCHED NOT"),
    }
)  # fmt: skip
"""What may follow a complete operand or relation, by the clause that it stands in; the likely ones first."""

AFTER_VALUE: Final = split("AND OR IN IS LIKE ILIKE BETWEEN NOT AS ASC DESC THEN ELSE END COLLATE")
"""What may follow a value in any expression."""

IN_VALUE: Final = split("""
    DISTINCT CASE NOT NULL TRUE FALSE EXISTS CAST TRY_CAST INTERVAL DATE TIMESTAMP COALESCE EXTRACT ALL ANY SELECT
""")
"""What may begin a value."""

PAIRS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "GROUP": ("BY",),
        "ORDER": ("BY",),
        "PARTITION": ("BY",),
        "SAMPLE": ("BY",),
        "LATEST": ("ON",),
        "NULLS": split("FIRST LAST"),
        "LEFT": split("JOIN OUTER SEMI ANTI"),
        "RIGHT": split("JOIN OUTER"),
        "FULL": split("JOIN OUTER"),
        "OUTER": ("JOIN",),
        "INNER": ("JOIN",),
        "CROSS": ("JOIN",),
        "SEMI": ("JOIN",),
        "ANTI": ("JOIN",),
        "NATURAL": split("JOIN LEFT RIGHT FULL"),
        "POSITIONAL": ("JOIN",),
        "ASOF": split("JOIN LEFT"),
        "IS": split("NULL NOT DISTINCT TRUE FALSE"),
        "TIME": ("RESPECTING",),
        "VALID": ("AT", "FROM"),
        "DIRECTION": split("BACKWARD FORWARD NEAREST"),
        "ALIGN": ("TO",),
        "INSERT": split("INTO OR"),
        "DELETE": ("FROM",),
        "MERGE": ("INTO",),
        "CREATE": split("TABLE VIEW OR PROPERTY SCHEMA SEQUENCE ROW MASKING RECURSIVE"),
        "REPLACE": split("TABLE VIEW PROPERTY SEQUENCE INTO"),
        "PROPERTY": split("GRAPH GRAPHS"),
        "DROP": split("TABLE VIEW PROPERTY SCHEMA SEQUENCE ROW MASKING COLUMN CONSTRAINT"),
        "ALTER": split("TABLE VIEW COLUMN"),
        "COMMENT": ("ON",),
        "TAG": ("SNAPSHOT",),
        "EXPLAIN": split("ANALYZE SELECT FROM WITH MATCH UPDATE DELETE INSERT MERGE"),
        "ANALYZE": split("SELECT FROM WITH MATCH UPDATE DELETE INSERT MERGE"),
        "OPTIONAL": ("MATCH",),
        "UNION": split("ALL BY SELECT"),
        "INTERSECT": split("ALL SELECT"),
        "EXCEPT": split("ALL SELECT"),
        "ANY": split("SHORTEST CHEAPEST"),
        "SHORTEST": (),
        "MATCHED": split("THEN AND BY"),
        "CONFLICT": split("DO"),
        "DO": split("NOTHING UPDATE"),
        "SHOW": split("TABLES VIEWS SCHEMAS SNAPSHOTS TAGS GRAPHS SEQUENCES POLICIES COLUMNS CONSTRAINTS FUNCTIONS SETTINGS CREATE ALL PROPERTY"),
    }
)  # fmt: skip
"""What alone may stand behind a word."""
