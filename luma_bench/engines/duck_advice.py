"""What DuckDB's messages mean and what to do about them: one entry a family, which the documentation lists too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from luma_bench.engines.duck_meant import COMMON, meant
from luma_bench.errors import nearest

Kind = Literal["bind", "value", "syntax", ""]


@dataclass(frozen=True, slots=True)
class Advice:
    """A family of messages.

    Attributes
    ----------
    title
        What is wrong, as a heading.
    pattern
        Finds the family's messages.
    fix
        What to do; `{name}` is a group of the pattern.
    example
        A text that raises it, over the table `t (id INTEGER, name VARCHAR, n BIGINT, day DATE, tags VARCHAR[])`.
    message
        Said instead of DuckDB's own message; empty for that.
    kind
        Which error it is where DuckDB's own class says too little.
    """

    title: str
    pattern: re.Pattern[str]
    fix: str
    example: str
    message: str = ""
    kind: Kind = ""


def _family(title: str, pattern: str, fix: str, example: str, message: str = "", kind: Kind = "") -> Advice:
    return Advice(title, re.compile(pattern, re.IGNORECASE | re.DOTALL), fix, example, message, kind)


FAMILIES: Final = (
    # --- names ---
    _family("A column without a table", r'"(?P<name>[^"]+)" was not found because the FROM clause is missing', "Add FROM and the table. A text stands in single quotes: 'abc'.", "SELECT id", "There is no column '{name}': the query reads no table."),
    _family("An ambiguous column", r'^Ambiguous reference to column name "?(?P<name>.+?)"? \(use: (?P<use>.*)\)', "Say whose it is: {use}.", "SELECT id FROM t JOIN (SELECT 1 AS id) u ON true", "The column '{name}' stands in several tables."),
    _family("Two relations of one name", r'^Ambiguous reference to table "(?P<name>[^"]+)"', "Give each an alias of its own: FROM {name} AS a JOIN {name} AS b ON …", "SELECT t.id FROM t, t", "Two relations are called '{name}' here."),
    _family("A column that its table has not", r'^(?:Values list|Table) "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"', "DESCRIBE {table} shows the columns of a table.", "SELECT t.nome FROM t", "There is no column '{name}' in {table}.", "bind"),
    _family("USING of a column that a side has not", r'^Column "(?P<name>[^"]+)" does not exist on (?P<side>left|right) side of join', "USING names columns that both sides have; else write ON a.x = b.y.", "SELECT * FROM t JOIN (SELECT 1 AS k) u USING (k)", "The {side} side of the join has no column '{name}'."),
    _family("EXCLUDE or REPLACE of no column", r'^Column "(?P<name>[^"]+)" in (?P<list>EXCLUDE|REPLACE|RENAME) list not found', "Name a column of the table: DESCRIBE t shows them.", "SELECT * EXCLUDE (nope) FROM t", "There is no column '{name}' for {list}."),
    _family("A table that the query does not read", r'^Referenced table "(?P<name>[^"]+)" not found', "Name a table or alias of FROM; one with an alias is known by its alias alone.", "SELECT x.id FROM t", "FROM names no '{name}'."),
    _family("A function that is no table function", r'^Table Function with name "?(?P<name>\w+)"? is not in the catalog', "Call it on the columns of a table: SELECT {name}(x) FROM t.", "SELECT * FROM sum(1)", "{name} gives no table.", "bind"),
    _family("A field that is not there", r'^Could not find key "(?P<name>[^"]+)" in struct.*?Candidate Entries: (?P<known>.*)', "Its fields are: {known}.", "SELECT {'a': 1}.b", "There is no field '{name}' in this struct."),
    _family("A field of what has none", r"^Cannot extract field '(?P<name>[^']+)' from expression \"?(?P<of>.+?)\"? because", "A field belongs to a STRUCT, MAP, UNION or JSON value: cast first, as in {of}::JSON.", "SELECT n.x FROM t", "{of} has no fields, so none called '{name}'."),
    _family("COLUMNS that match nothing", r'^No matching columns found that match regex "(?P<name>.*)"', "DESCRIBE t shows the columns of a table.", "SELECT COLUMNS('zz') FROM t"),
    _family("UNPIVOT of no column", r'^Column "+(?P<name>[^"]+)"+ referenced in UNPIVOT', "DESCRIBE t shows the columns of a table.", "UNPIVOT t ON nope", "There is no column '{name}' to unpivot."),
    # --- grouping and windows ---
    _family("An aggregate in SET", r'^column "(?:_rowid|__luma_n|__luma_one)" must appear in the GROUP BY clause', "Take it from a subquery: SET n = (SELECT sum(n) FROM t).", "UPDATE t SET n = sum(n)", "SET cannot contain aggregates"),
    _family("A column outside of GROUP BY", r'^column "?(?P<name>[^"]+)"? must appear in the GROUP BY clause', "Add it to GROUP BY, write GROUP BY ALL, or take one value of each group: any_value({name}).", "SELECT name, sum(n) FROM t GROUP BY id"),
    _family("An aggregate in WHERE", r"^WHERE clause cannot contain aggregates", "Filter groups with HAVING: GROUP BY … HAVING sum(x) > 1; compare with a total in a subquery.", "SELECT id FROM t WHERE sum(n) > 1"),
    _family("A window function in WHERE", r"^(?:WHERE|HAVING) clause cannot contain window functions", "Filter by a window with QUALIFY: QUALIFY row_number() OVER (…) = 1.", "SELECT id FROM t WHERE row_number() OVER () = 1"),
    _family("An aggregate in GROUP BY", r"^GROUP BY clause cannot contain aggregates", "Aggregate in a subquery first, then group by its column.", "SELECT 1 FROM t GROUP BY sum(n)"),
    _family("An aggregate inside an aggregate", r"^aggregate function calls cannot be nested", "Aggregate in a subquery first: SELECT sum(s) FROM (SELECT sum(x) AS s FROM t GROUP BY k).", "SELECT sum(sum(n)) FROM t"),
    _family("A window function inside an aggregate", r"^aggregate function calls cannot contain window function calls", "Compute the window in a subquery first.", "SELECT sum(row_number() OVER ()) FROM t"),
    _family("An aggregate in FILTER", r"^aggregate functions are not allowed in FILTER", "FILTER takes a condition on rows; filter groups with HAVING.", "SELECT max(n) FILTER (WHERE sum(n) > 1) FROM t"),
    _family("QUALIFY without a window", r"^at least one window function must appear", "QUALIFY filters by a window function; filter rows with WHERE.", "SELECT id FROM t QUALIFY id > 1"),
    _family("GROUP BY or ORDER BY a number that is no column", r"^(?:GROUP BY|ORDER) term out of range - should be between (?P<low>\d+) and (?P<high>\d+)", "A number names a column of the SELECT list, from {low} to {high}.", "SELECT id FROM t ORDER BY 9"),
    _family("FILTER, DISTINCT or ORDER BY in a plain function", r'^Function "(?P<name>\w+)" is a Scalar Function', "Only aggregates and window functions take DISTINCT, FILTER and ORDER BY: leave them out of {name}.", "SELECT upper(DISTINCT name) FROM t", "{name} is no aggregate.", "bind"),
    _family("An aggregate of series with other arguments", r"^Macro (?P<name>\w+)\(\) does not support the supplied arguments.*?Candidate macros:\s*(?P<first>[^\n]*)", "It takes {first}, or times of another type; cast what is a text: x::DOUBLE, x::TIMESTAMP.", "SELECT rate(n) FROM t", "{name} does not take these arguments.", "bind"),
    _family("FILTER, DISTINCT or ORDER BY in an aggregate of series", r'^Function "(?P<name>\w+)" is a Macro Function', "Leave rows out with WHERE, or give NULL for them: {name}(CASE WHEN … THEN x END, …).", "SELECT delta(DISTINCT n, day) FROM t", "{name} takes no DISTINCT, FILTER or ORDER BY.", "bind"),
    _family("An aggregate of series with OVER", r"^Window function macro bodies must contain exactly one aggregate", "Group by windows of time instead: FROM HOP(TABLE t, DESCRIPTOR(time), INTERVAL 1 HOUR, INTERVAL 1 DAY) … GROUP BY window_start.", "SELECT rate(n, day) OVER () FROM t", "OVER takes DuckDB's own aggregates alone.", "bind"),
    _family("A quantile of a sketch out of range", r"^dd_quantile: (?P<name>q|error) is (?P<range>from 0 to 1|above 0 and below 1)", "Write dd_quantile(x, 0.99) or, with the error that it may have, dd_quantile(x, 0.99, 0.01).", "SELECT dd_quantile(n, 2) FROM t", "dd_quantile: {name} is {range}", "bind"),
    # --- numbers of rows and columns ---
    _family("A negative LIMIT", r"^LIMIT/OFFSET cannot be negative", "LIMIT and OFFSET take whole numbers from 0 on; leave LIMIT out for all rows.", "SELECT id FROM t LIMIT -1"),
    _family("A subquery of several columns", r"^Subquery returns (?P<n>\d+) columns - expected (?P<m>\d+)", "Select as many columns as are compared; for several write (a, b) IN (SELECT a, b …).", "SELECT id FROM t WHERE id IN (SELECT id, n FROM t)"),
    _family("A subquery of several rows", r"^More than one row returned by a subquery", "Make it one row: LIMIT 1, max(x), or any_value(x); to compare with all write IN or = ANY.", "SELECT (SELECT id FROM t)", kind="value"),
    _family("UNION of different numbers of columns", r"^Set operations can only apply to expressions with the same number", "Select as many columns on both sides, or match them by name: UNION ALL BY NAME.", "SELECT 1 UNION SELECT 1, 2"),
    _family("Rows of different lengths", r"^VALUES lists must all be the same length", "Give each row as many values; NULL where there is none.", "VALUES (1, 2), (3)"),
    _family("A step of zero", r"^interval cannot be 0", "Give a step that is not 0.", "SELECT * FROM range(1, 10, 0)"),
    # --- joins ---
    _family("ASOF JOIN without a comparison", r"^Missing ASOF JOIN inequality", "Compare the times with >=, >, <= or <: ON a.k = b.k AND a.ts >= b.ts.", "SELECT * FROM t a ASOF JOIN t b ON a.id = b.id"),
    _family("ASOF JOIN with several comparisons", r"^Multiple ASOF JOIN inequalities", "Leave one comparison, and filter by the others in WHERE.", "SELECT * FROM t a ASOF JOIN t b ON a.id >= b.id AND a.n >= b.n"),
    _family("NATURAL JOIN without a common column", r"^No columns found to join on in NATURAL JOIN", "Name the columns: JOIN u ON t.a = u.b.", "SELECT * FROM t NATURAL JOIN (SELECT 1 AS z)"),
    # --- types ---
    _family("A text that is no number or truth value", r"^(?:Failed to cast value: )?Could not convert string", "Compare values of one kind; where a cast may fail, TRY_CAST(x AS type) gives NULL.", "SELECT 'abc'::INTEGER"),
    _family("A text that is no date or time", r"^(?:invalid )?(?:date|time|timestamp)\w* field (?:format|value)|^invalid (?:date|time|timestamp)", "Write 2026-01-31, 12:30:00 or 2026-01-31 12:30:00; read other forms with strptime(x, '%d.%m.%Y'). TRY_CAST(x AS DATE) gives NULL where it fails.", "SELECT '2026-13-01'::DATE"),
    _family("A value too large for its type", r"can't be cast because the value is out of range|^Casting value .* failed: value is out of range", "Take a larger type (BIGINT, DOUBLE, DECIMAL(18, 2)); TRY_CAST(x AS type) gives NULL where it does not fit.", "SELECT 300::TINYINT"),
    _family("No cast between two types", r"^Unimplemented type for cast \((?P<of>.*) -> (?P<to>.*?)\)", "Compare and combine values of one kind; go by way of a text or a field where that is meant: x::VARCHAR.", "SELECT [1]::INTEGER", "There is no cast from {of} to {to}."),
    _family("A value beside an aggregate", r"^Cannot mix aggregates with non-aggregated columns", "Give the value as a result beside the aggregate: x, count(*); or make an aggregate of it: max(x) + count(*).", "SELECT id + count(*) FROM t GROUP BY ALL", "A value of each row and an aggregate stand in one expression.", "bind"),
    _family("Values of different types", r"^Cannot (?:mix|combine|compare|unpivot)", "Cast one side: x::VARCHAR, x::DOUBLE.", "SELECT coalesce(1, name) FROM t", kind="bind"),
    _family("A DECIMAL that is too wide", r"^DECIMAL type width must be between", "Write DECIMAL(38, 10) at most, or DOUBLE.", "SELECT 1::DECIMAL(50, 2)"),
    _family("An array of another length", r"^Cannot cast array of size", "Give as many values as the array type holds, or use a list: INTEGER[].", "SELECT array_value(1)::INTEGER[2]"),
    _family("Malformed JSON", r"^Malformed JSON", "Correct the text; TRY_CAST(x AS JSON) gives NULL, json_valid(x) tells.", "SELECT '{'::JSON"),
    # --- values at run time ---
    _family("Division by zero", r"^Division by zero in expression (?P<of>.*?)\. Use", "Write a // nullif(b, 0) or TRY(a // b): both give NULL.", "SELECT id // 0 FROM t", "Division by zero in {of}."),
    _family("A result that its type cannot hold", r"^Overflow in (?P<how>\w+)", "Cast a side to a larger type first: x::BIGINT, x::HUGEINT or x::DOUBLE.", "SELECT 2147483647::INTEGER + 1::INTEGER"),
    _family("A sample of more than all", r"^Sample sample_size .* out of range", "Give 0 to 100 percent: USING SAMPLE 10%.", "SELECT * FROM t USING SAMPLE 200%"),
    _family("A value out of range", r"^Value out of range|out of range", "Compute with DOUBLE or HUGEINT, or TRY(expression), which gives NULL.", "SELECT factorial(50)"),
    _family("An unknown part of a date", r'^extract specifier "(?P<name>.*?)" not recognized', "The parts are: year, quarter, month, week, day, dayofweek, dayofyear, hour, minute, second, millisecond, microsecond, epoch.", "SELECT date_part('yeer', day) FROM t", "'{name}' is no part of a date or time."),
    _family("A text of another format", r"^Could not parse string \"(?P<text>.*)\" according to format specifier \"(?P<format>.*?)\"", "Give the format that the text has; try_strptime(x, format) gives NULL where it fails.", "SELECT strptime('x', '%Y')", "'{text}' is not of the format '{format}'."),
    _family("A wrong regular expression", r"^(?:missing|invalid|unexpected|no argument for|bad) ?.*?:|^Failed to compile regex", "Close every bracket, and escape one that is meant: '\\('.", "SELECT regexp_matches('a', '(')", kind="value"),
    _family("UNNEST of no list", r"^UNNEST\(\) can only be applied", "UNNEST takes a list or a struct: unnest([1, 2]).", "SELECT unnest(1)"),
    _family("UNNEST where none may stand", r"^UNNEST not supported here", "Put it into FROM: FROM t, unnest(t.tags) AS u(tag) WHERE u.tag = …", "SELECT id FROM t WHERE unnest(tags) = 'x'"),
    _family("A MAP of unequal lists", r"^The map key list does not align", "Give as many keys as values: MAP {'a': 1}.", "SELECT map([1], [1, 2])"),
    _family("Nothing to select", r"^SELECT clause without selection list", "Name what to select: SELECT *; or leave SELECT out: FROM t.", "SELECT FROM t"),
    _family("A window without a definition", r'^window "(?P<name>\w+)" does not exist', "Define it behind FROM and WHERE: WINDOW {name} AS (PARTITION BY a ORDER BY b).", "SELECT sum(n) OVER w FROM t", "There is no window '{name}'."),
    _family("A window inside a window", r"^window functions are not allowed in window definitions", "Compute the inner one in a subquery first.", "SELECT sum(n) OVER (ORDER BY row_number() OVER ()) FROM t"),
    _family("A frame that ends before it begins", r"^Frame (?:starting|ending|start|end)", "Write the earlier bound first: ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING.", "SELECT sum(n) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM t"),
    _family("Two queries of one name in WITH", r'^Duplicate CTE name "(?P<name>.+)"', "Give each query of the WITH list a name of its own.", "WITH a AS (SELECT 1), a AS (SELECT 2) FROM a", "Two queries of the WITH list are called '{name}'."),
    _family("Nothing to read with *", r"^\* expression without FROM clause", "Add FROM and the table.", "SELECT *"),
    _family("An aggregate or window where none may stand", r"^(?P<what>aggregates?|window functions?)(?: functions)?(?: are| is) not (?:supported|allowed)", "Compute it in a subquery or in the SELECT list; a window function needs OVER (…) behind it.", "SELECT row_number() FROM t"),
    _family("Chained comparisons", r"^Chained comparisons are not supported", "Join two comparisons: a < b AND b < c; a BETWEEN low AND high.", "SELECT 1 < 2 < 3"),
)  # fmt: skip
"""The families, the first match counts."""

RUN_TIME_FIX: Final = "TRY(expression) gives NULL where an expression fails."
BIND_FIX: Final = "Check the names and types: DESCRIBE t shows a table's columns."
_PHYSICAL: Final = {
    "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT", "INT128": "HUGEINT", "BOOL": "BOOLEAN",
    "UINT8": "UTINYINT", "UINT16": "USMALLINT", "UINT32": "UINTEGER", "UINT64": "UBIGINT", "UINT128": "UHUGEINT",
    "INTEGER_LITERAL": "INTEGER", "STRING_LITERAL": "VARCHAR",
}  # fmt: skip
_TYPE_WORD: Final = re.compile(rf"\b(?:{'|'.join(_PHYSICAL)})\b")
_SETTING: Final = re.compile(
    r"(?<=[.!?)]) [^.]*\b(?:SET|PRAGMA|INSTALL|LOAD)\b .*|,? or SET \w+.*", re.DOTALL
)

# Functions of other systems, with what says the same here.
ELSEWHERE: Final = {
    "isnull": "coalesce(x, 0), or x IS NULL", "nvl": "coalesce(x, 0)", "nvl2": "if(x IS NOT NULL, a, b)", "getdate": "now()", "sysdate": "now()",
    "convert": "CAST(x AS INTEGER)", "to_char": "strftime(ts, '%Y-%m-%d')", "to_date": "strptime(x, '%Y-%m-%d')::DATE", "to_number": "CAST(x AS DOUBLE)",
    "dateadd": "day + INTERVAL 1 DAY", "date_format": "strftime(ts, '%Y')", "charindex": "strpos(text, part)", "locate": "strpos(text, part)",
    "decode": "CASE x WHEN a THEN b ELSE c END", "rownum": "row_number() OVER ()", "newid": "uuid()", "str_to_date": "strptime(x, '%Y-%m-%d')",
    "curdate": "current_date", "space": "repeat(' ', 3)", "replicate": "repeat(x, 3)", "len_b": "strlen(x)", "stuff": "overlay or concat",
    "iif": "if(condition, a, b)", "unix_timestamp": "epoch(ts)", "from_unixtime": "to_timestamp(x)", "countif": "count(*) FILTER (WHERE condition)",
    "safe_cast": "TRY_CAST(x AS INTEGER)", "collect_list": "list(x)", "array_size": "len(x)", "!": "NOT x", "&&": "a AND b",
    **{name: f"{name.upper()}(GRAPH g), with the name of a property graph" for name in (
        "pagerank", "bfs", "shortest_paths", "weakly_connected_components", "strongly_connected_components", "triangles",
        "communities", "betweenness", "degrees", "k_core", "earliest_arrival",
    )},
    **{name: f"{name.upper()}(TABLE t, DESCRIPTOR(ts), …) behind FROM, where a table stands" for name in (
        "tumble", "hop", "cumulate", "session", "ewma", "downsample", "differences", "autocorrelation", "seasonal_residuals",
        "robust_zscore", "change_points", "matrix_profile", "forecast",
    )},
}  # fmt: skip


def advice(message: str) -> tuple[Advice, str, str] | None:
    """The family of a message, with what to say and what to do; None for a message of no family."""
    for family in FAMILIES:
        found = family.pattern.search(message)
        if found is None:
            continue
        groups = {name: (value or "").strip().replace("'", "") for name, value in found.groupdict().items()}
        said = family.message.format(**groups) if family.message else message
        # A fix may show braces of SQL's own.
        fix = family.fix.format(**groups) if groups else family.fix
        return family, said, fix
    return None


def plain_types(message: str) -> str:
    """A message with SQL's names of types instead of the engine's."""
    return _TYPE_WORD.sub(lambda match: _PHYSICAL[match[0]], message)


def without_settings(message: str) -> str:
    """A message without the sentences that advise a setting, which is locked here."""
    return _SETTING.sub("", message)


def other_function(name: str, candidates: list[str], *, table: bool = False) -> str:
    """What to write instead of a function that is not there; `table`: one that stands in FROM."""
    known = ELSEWHERE.get(name.casefold())
    if known is not None:
        return f"Write {known}."
    near = meant(name, candidates, () if table else COMMON)
    if near:
        return f"Did you mean {' or '.join(repr(one) for one in near)}?"
    series = nearest(name, [one for one, known in ELSEWHERE.items() if "TABLE t, " in known], 1)
    if series:
        return f"Did you mean {ELSEWHERE[series[0]].partition(' behind')[0]}?"
    return "SELECT function_name FROM duckdb_functions() lists the functions."
