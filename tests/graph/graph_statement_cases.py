"""A small bench with a graph, and statements asked of it and of its tables: what the tests of graph statements share."""

from __future__ import annotations

from typing import Any

import luma_bench as lb

ROADS = """
CREATE TABLE places (id VARCHAR PRIMARY KEY, size INTEGER, region VARCHAR);
CREATE TABLE roads (src VARCHAR, dst VARCHAR, km DOUBLE, kind VARCHAR);
INSERT INTO places VALUES ('a', 1, 'n'), ('b', 2, 'n'), ('c', 3, 's'), ('d', 4, 's'), ('e', 5, 's');
INSERT INTO roads VALUES ('a', 'b', 1, 'x'), ('b', 'c', 2, 'x'), ('c', 'd', 3, 'y'), ('d', 'a', 4, 'y'),
    ('a', 'c', 9, 'x'), ('b', 'b', 1, 'y'), ('a', 'b', 5, 'y'), ('a', 'nowhere', 1, 'x'), (NULL, 'a', 1, 'x');
CREATE PROPERTY GRAPH g VERTEX TABLES (places KEY (id) LABEL place) EDGE TABLES (
    roads SOURCE KEY (src) REFERENCES places (id) DESTINATION KEY (dst) REFERENCES places (id) LABEL road);
"""
"""Parallel edges, a self-loop, an isolated vertex, an edge that leads nowhere and one with no beginning."""

STEP = "MATCH (x)-[r:road]->(y) RETURN x.id AS s, y.id AS d, r.km AS km"
STEP_SQL = """SELECT r.src AS s, r.dst AS d, r.km AS km FROM roads r
    JOIN places x ON x.id = r.src JOIN places y ON y.id = r.dst"""
TWO = "MATCH (x)-[]->(y)-[]->(z) RETURN x.id AS s, z.id AS d, count(*) AS n"
TWO_SQL = (
    f"""SELECT o.s, t.d, count(*) AS n FROM ({STEP_SQL}) o JOIN ({STEP_SQL}) t ON o.d = t.s GROUP BY ALL"""
)


def filled(bench: lb.Bench) -> lb.Bench:
    bench.kadeql(ROADS)
    return bench


def rows(bench: lb.Bench, text: str, **given: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement as they come."""
    table = bench.kadeql(text, **given).to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def bag(bench: lb.Bench, text: str, **given: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement in an order of their own."""
    return sorted(rows(bench, text, **given), key=repr)


def walks(bench: lb.Bench, **given: Any) -> None:
    """Assert that one step, two steps and the degrees are what plain SQL says of the tables."""
    assert bag(bench, STEP, **given) == bag(bench, STEP_SQL, **given)
    assert bag(bench, TWO, **given) == bag(bench, TWO_SQL, **given)
    degrees = bag(bench, "SELECT id, in_degree, out_degree FROM DEGREES(GRAPH g)", **given)
    assert degrees == bag(
        bench,
        f"""WITH e AS ({STEP_SQL}) SELECT id, (SELECT count(*) FROM e WHERE d = p.id), (SELECT count(*) FROM e WHERE s = p.id)
            FROM places p""",
        **given,
    )
