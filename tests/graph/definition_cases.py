"""What the tests of CREATE PROPERTY GRAPH share: tables, a graph over them, and how it is looked at."""

import pytest

from luma_bench.bench.graph.definitions import graph_of
from luma_bench.errors import KadeQLBindError
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable

TABLES = """
CREATE TABLE airports (iata VARCHAR PRIMARY KEY, city VARCHAR, lat DOUBLE);
CREATE TABLE planes (tail INTEGER, leg INTEGER, seats INTEGER, PRIMARY KEY (tail, leg));
CREATE TABLE routes (src VARCHAR, dst VARCHAR, km DOUBLE, airline VARCHAR, since TIMESTAMP, until TIMESTAMP);
CREATE TABLE flown (id INTEGER PRIMARY KEY, origin VARCHAR REFERENCES airports (iata), tail INTEGER, leg INTEGER);
CREATE VIEW far AS FROM routes WHERE km > 1000;
CREATE SCHEMA sales; CREATE TABLE sales.shops (id BIGINT PRIMARY KEY, airport VARCHAR);
"""
AIR = """CREATE PROPERTY GRAPH air VERTEX TABLES (airports) EDGE TABLES (
    routes SOURCE KEY (src) REFERENCES airports (iata) DESTINATION KEY (dst) REFERENCES airports
    LABEL route PROPERTIES (km, airline AS carrier) VALID FROM since TO until)"""
GRAPH = PropertyGraph(
    "air",
    (VertexTable("airports", "airports", ("iata",), ("airports",)),),
    (
        EdgeTable(
            "routes", "routes", (), ("route",), (("km", "km"), ("carrier", "airline")),
            EdgeEnd(("src",), "airports", ("iata",)), EdgeEnd(("dst",), "airports", ("iata",)), "since", "until",
        ),
    ),
)  # fmt: skip


def view_of(bench, at=None):
    return bench._machinery.statements.runner.store.resolve(at)


def graph(bench, name=None, at=None):
    return graph_of(view_of(bench, at), name)


def rows(bench, text):
    return bench.kadeql(text).to_arrow().to_pylist()


def made(bench, vertices, edges=""):
    """The graph of what stands in the brackets."""
    behind = f" EDGE TABLES ({edges})" if edges else ""
    bench.kadeql(f"CREATE OR REPLACE PROPERTY GRAPH g VERTEX TABLES ({vertices}){behind}")
    return graph(bench, "g")


def refused(bench, text, error=KadeQLBindError):
    """What an error points at, its sentence and its hint; nothing was changed."""
    before = view_of(bench).id
    with pytest.raises(error) as caught:
        bench.kadeql(text)
    assert view_of(bench).id == before
    start, end = caught.value.span
    return text[start:end], caught.value.plain, caught.value.hint
