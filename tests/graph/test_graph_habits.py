"""What users of SQL and of other graph languages write first: read as it is meant, or refused where it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLError

SETUP = """
CREATE TABLE stops (name VARCHAR PRIMARY KEY, age INTEGER);
INSERT INTO stops VALUES ('a', 1), ('b', 2), ('c', 3);
CREATE TABLE trips (s VARCHAR, d VARCHAR, t0 TIMESTAMP, t1 TIMESTAMP, z0 TIMESTAMPTZ, z1 TIMESTAMPTZ, d0 DATE, d1 DATE, n0 INTEGER, n1 INTEGER);
INSERT INTO trips VALUES
  ('a', 'b', '2013-07-04 10:00', '2013-07-04 11:00', '2013-07-04 10:00+00', '2013-07-04 11:00+00', '2013-07-04', '2013-07-04', 10, 11),
  ('b', 'c', '2013-07-05 12:00', '2013-07-05 13:00', '2013-07-05 12:00+00', '2013-07-05 13:00+00', '2013-07-05', '2013-07-05', 36, 37);
CREATE PROPERTY GRAPH hs VERTEX TABLES (stops)
  EDGE TABLES (trips SOURCE KEY (s) REFERENCES stops (name) DESTINATION KEY (d) REFERENCES stops (name));
CREATE TABLE rooms (building VARCHAR, no INTEGER, PRIMARY KEY (building, no));
INSERT INTO rooms VALUES ('A', 1), ('A', 2);
CREATE TABLE doors (b1 VARCHAR, n1 INTEGER, b2 VARCHAR, n2 INTEGER);
INSERT INTO doors VALUES ('A', 1, 'A', 2);
CREATE PROPERTY GRAPH house VERTEX TABLES (rooms)
  EDGE TABLES (doors SOURCE KEY (b1, n1) REFERENCES rooms (building, no) DESTINATION KEY (b2, n2) REFERENCES rooms (building, no));
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("habits") / "b.luma") as opened:
        opened.kadeql(SETUP)
        yield opened


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("(a)--(b)\nRETURN count(*)", 4),
        ("(a)--(b) RETURN count(*)", 4),
        ("(a)-->(b) RETURN count(*)", 2),
        ("(a)<--(b)\n RETURN count(*)", 2),
        ("p = ANY SHORTEST (a)-->+(b) RETURN count(*)", 3),
        ("p = ANY SHORTEST (a)\n-->+(b)\nRETURN count(*)", 3),
        ("-- all (of them)\n(a)\n --(b) -- (x) ends\nRETURN count(*)", None),
        ("-- all (of them)\n(a)\n --(b) -- neighbours (x)\nRETURN count(*)", 4),
        ("MATCH (a) -- (b)\nON GRAPH hs RETURN count(*)", 4),
        ("MATCH (a)\n  --(b)\nON GRAPH hs RETURN count(*)", 4),
        ("OPTIONAL MATCH (a) -- (b) RETURN count(*)", 4),
    ],
)
def test_a_short_edge_counts_without_match(bench: lb.Bench, pattern: str, count: int | None) -> None:
    graph = bench.graph("hs")
    if count is None:
        with pytest.raises(KadeQLError):
            graph.match(pattern)
        return
    assert graph.match(pattern).to_arrow().column(0).to_pylist() == [count]


def test_an_error_behind_a_missing_match_points_into_the_pattern(bench: lb.Bench) -> None:
    text = "(a)--[r]-(b)\nRETURN count(*)"
    with pytest.raises(KadeQLError, match="begins a comment") as caught:
        bench.graph("hs").match(text)
    assert caught.value.text == text
    assert caught.value.span == (3, 5)


def test_a_name_without_as(bench: lb.Bench) -> None:
    found = bench.kadeql("MATCH (x) ON GRAPH hs RETURN x.name name, x.age n ORDER BY n DESC LIMIT 1")
    assert found.to_arrow().to_pylist() == [{"name": "c", "n": 3}]


START = "FROM EARLIEST_ARRIVAL(GRAPH hs, source => 'a', depart => {0}0, arrive => {0}1, start => {1})"
REFUSED = [
    ("MATCH (x) ON GRAPH hs RETURN x.age + count(*) AS z", "", "beside the aggregate"),
    ("FROM PAGERANK(hs)", "", "PAGERANK(GRAPH g)"),
    ("FROM BFS(GRAPH hs, source => «NULL»)", "NULL, which is no key", "name of stops"),
    ("FROM BFS(GRAPH hs, source => «'zz'»)", "no vertex with the key 'zz'", "name of stops"),
    ("FROM BFS(GRAPH house, source => «'A'»)", "no vertex", "{'building': 'A', 'no': 1} of rooms"),
    (START.format("t", "«5»"), "start of EARLIEST_ARRIVAL is 5", "'2013-07-04 12:30:00'"),
    (START.format("t", "«'noon'»"), "holds times", "TIMESTAMP"),
    (START.format("d", "«5»"), "holds times", "TIMESTAMP"),
    (START.format("z", "«'2013-07-04'»"), "times of a zone", "+00:00"),
    (START.format("n", "«'2013-07-04'»"), "holds whole numbers", "a whole number"),
    (START.format("n", "«DATE '2013-07-04'»"), "holds whole numbers", "a whole number"),
    (
        "FROM EARLIEST_ARRIVAL(GRAPH hs, source => 'a', depart => «s», arrive => t1)",
        "depart names a column of times",
        "Name a column",
    ),
    (
        "MATCH p = (a)-[r]->{1,2}(b) ON GRAPH hs TIME RESPECTING (r.t0, r.t1) STARTING AT «'2013-07-04'» RETURN 1",
        "STARTING AT takes a time",
        "STARTING AT TIMESTAMP",
    ),
]


@pytest.mark.parametrize(("marked", "told", "hint"), REFUSED)
def test_a_refusal_says_what_to_write(bench: lb.Bench, marked: str, told: str, hint: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLError) as caught:
        bench.kadeql(text).to_arrow()
    error = caught.value
    assert told in error.plain
    assert hint in (error.hint or "")
    if "«" in marked:
        assert error.span == (marked.index("«"), marked.index("»") - 1)


@pytest.mark.parametrize(
    "start", ["'2013-07-04 10:00'", "TIMESTAMP '2013-07-04 10:00'", "DATE '2013-07-04'", "'2013-07-04'"]
)
def test_an_arrival_starts_at_text_or_a_time(bench: lb.Bench, start: str) -> None:
    found = bench.kadeql(START.format("t", start)).to_arrow().to_pylist()
    assert [row["arrival"] for row in found if row["id"] == "c"] == [dt.datetime(2013, 7, 5, 13)]


@pytest.mark.parametrize(
    ("columns", "start", "reached"),
    [
        ("d", "'2013-07-04'", 3),
        ("d", "'2013-07-05'", 1),
        ("z", "'2013-07-04 12:00+02:00'", 3),
        ("z", "TIMESTAMPTZ '2013-07-04 10:30+00'", 1),
        ("n", "10", 3),
        ("n", "11", 1),
        ("t", "'2013-07-04 10:30'", 1),
        ("t", "NULL", 3),
    ],
)
def test_a_start_is_read_like_the_departures(bench: lb.Bench, columns: str, start: str, reached: int) -> None:
    assert len(bench.kadeql(START.format(columns, start)).to_arrow()) == reached
