"""LATEST ON: the text that it becomes, and what it says."""

from __future__ import annotations

import pytest

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.series.pattern import Latest


@pytest.mark.parametrize(
    ("text", "sql", "where"),
    [
        ("SELECT * FROM t WHERE x > 3 LATEST ON ts PARTITION BY k ORDER BY 1 LIMIT 3", 'SELECT * FROM {} AS "t" ORDER BY 1 LIMIT 3', 'SELECT * FROM t AS "t" WHERE (x > 3)'),
        ("SELECT w.k, count(*) FROM t AS w LATEST ON w.ts PARTITION BY w.k, j GROUP BY ALL", 'SELECT w.k, count(*) FROM {} AS "w" GROUP BY ALL', None),
        ("FROM t LATEST ON ts PARTITION BY k", 'FROM {} AS "t"', None),
        ("SELECT sales.t.x FROM sales.t LATEST ON ts PARTITION BY k", 'SELECT "t".x FROM {} AS "t"', None),
        ("SELECT * FROM (SELECT * FROM a JOIN b USING (k)) q LATEST ON ts PARTITION BY k", 'SELECT * FROM {} AS "q"', None),
    ],
)  # fmt: skip
def test_latest(one, text, sql, where):
    query = one(text)
    (island,) = query.islands
    assert isinstance(island, Latest)
    assert query.sql.split() == sql.format(f'"{island.alias}"').split()
    assert (island.input.where and island.input.where.sql) == where
    assert island.time.name == "ts"
    assert island.keys[0].name == "k"


@pytest.mark.parametrize(
    ("marked", "hint"),
    [
        ("FROM t «LATEST» ON ts", "LATEST ON ts PARTITION BY key"),
        ("SELECT * FROM t «LATEST» ON a.at WHERE x > 3", "LATEST ON a PARTITION BY key"),
        ("SELECT * FROM t WHERE x > 3 «LATEST» ON at ORDER BY 1", "LATEST ON at PARTITION BY key"),
        ("SELECT * FROM t AS u «LATEST» ON at", "LATEST ON at PARTITION BY key"),
        ("FROM t «LATEST» BY k", "LATEST ON ts PARTITION BY k"),
        ("SELECT * FROM t WHERE x > 3 «latest» BY sym", "LATEST ON ts PARTITION BY sym"),
        ("SELECT * FROM t «LATEST» PARTITION BY sym", "LATEST ON ts PARTITION BY sym"),
        ("SELECT * FROM t «LATEST» ON", "LATEST ON ts PARTITION BY key"),
        ("SELECT * FROM a JOIN b USING (k) «LATEST» ON ts", "LATEST ON ts PARTITION BY key"),
    ],
)
def test_one_that_is_not_complete_says_what_to_write(read, marked, hint):
    start, end = marked.index("«"), marked.index("»") - 1
    with pytest.raises(KadeQLSyntaxError, match="LATEST needs the time") as caught:
        read(marked.replace("«", "").replace("»", ""))
    assert caught.value.span == (start, end)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM a JOIN b latest ON latest.k = a.k",
        "SELECT * FROM a latest JOIN b ON latest.k = b.k",
        "SELECT latest FROM latest JOIN a latest2 ON latest.k = latest2.k",
        "SELECT * FROM t AS latest ORDER BY latest.k",
    ],
)
def test_a_table_called_latest_stays_one(one, text):
    assert (one(text).sql, one(text).islands) == (text, ())


@pytest.mark.parametrize(
    "text", ["SELECT * FROM a JOIN b latest ON", "FROM a AS latest BY k", "FROM latest BY k"]
)
def test_an_error_beside_a_table_called_latest_is_of_something_else(read, text):
    with pytest.raises(KadeQLSyntaxError) as caught:
        read(text)
    assert "LATEST needs" not in str(caught.value)
