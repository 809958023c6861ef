"""Tables change below a property graph: what it needs stays, new names are followed, and two writers conflict."""

import threading

import pytest
from definition_cases import AIR, GRAPH, TABLES, graph, made, refused, rows, view_of

import luma_bench as lb
from luma_bench.errors import ConflictError, KadeQLConstraintError
from luma_bench.types.graph import EdgeEnd, VertexTable


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.kadeql(TABLES)
        yield opened


# --- tables change below a graph ---


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("DROP TABLE routes", "DROP TABLE routes", "Table 'routes' cannot be dropped: the property graph 'air' is made of it."),
        ("ALTER TABLE routes DROP COLUMN km", "km", "there is no column 'km' in table 'routes'"),
        ("ALTER TABLE routes DROP COLUMN dst", "dst", "there is no column 'dst' in table 'routes'"),
        ("ALTER TABLE routes DROP COLUMN until", "until", "there is no column 'until' in table 'routes'"),
        ("CREATE OR REPLACE TABLE routes AS SELECT 1 AS km", "routes", "there is no column 'src' in table 'routes'"),
        ("CREATE OR REPLACE TABLE airports AS SELECT 1 AS iata", "airports", "column 'src' of table 'routes' is VARCHAR, and column 'iata' of table 'airports', which it refers to, is INTEGER"),
    ],
)  # fmt: skip
def test_what_a_graph_needs_stays(bench, text, place, message):
    bench.kadeql("DROP TABLE flown")
    bench.kadeql(AIR)
    found, told, hint = refused(bench, text, KadeQLConstraintError)
    assert found == place
    assert message in told
    assert "DROP PROPERTY GRAPH air" in hint
    bench.kadeql("DROP PROPERTY GRAPH air")
    bench.kadeql(text)


def test_what_a_graph_does_not_need_may_go(bench):
    bench.kadeql(AIR)
    bench.kadeql("ALTER TABLE airports DROP COLUMN city; ALTER TABLE airports ADD COLUMN zone INTEGER")
    bench.kadeql("CREATE OR REPLACE TABLE routes AS SELECT *, 1 AS more FROM routes")
    assert graph(bench) == GRAPH
    (told, _) = rows(bench, "DESCRIBE GRAPH air")
    assert told["properties"] == ["iata", "lat", "zone"]


def test_new_names_are_carried_into_the_definition(bench):
    bench.kadeql(AIR)
    bench.kadeql("CREATE PROPERTY GRAPH other VERTEX TABLES (planes)")
    before = view_of(bench)
    for text in (
        "ALTER TABLE airports RENAME COLUMN iata TO code", "ALTER TABLE routes RENAME COLUMN src TO origin",
        "ALTER TABLE routes RENAME COLUMN airline TO company", "ALTER TABLE routes RENAME COLUMN until TO upto",
        "ALTER TABLE airports RENAME TO places", "ALTER TABLE routes SET SCHEMA sales",
    ):  # fmt: skip
        bench.kadeql(text)
    found = graph(bench, "air")
    assert found.vertices == (VertexTable("airports", "places", ("code",), ("airports",)),)
    edge = found.edges[0]
    assert (edge.name, edge.table, edge.labels) == ("routes", "sales.routes", ("route",))
    assert edge.source == EdgeEnd(("origin",), "airports", ("code",))
    assert edge.destination == EdgeEnd(("dst",), "airports", ("code",))
    assert edge.properties == (("km", "km"), ("carrier", "company"))
    assert (edge.valid_from, edge.valid_to) == ("since", "upto")
    assert graph(bench, "other", before.id) == graph(bench, "other")
    assert graph(bench, "air", before.id) == GRAPH
    assert view_of(bench).object("property graph", "air").id == before.object("property graph", "air").id


def test_columns_that_change_names_with_each_other(bench):
    bench.kadeql(AIR)
    with bench.transaction() as tx:
        for one, other in (("src", "x"), ("dst", "src"), ("x", "dst")):
            tx.kadeql(f"ALTER TABLE routes RENAME COLUMN {one} TO {other}")
    edge = graph(bench).edges[0]
    assert (edge.source.columns, edge.destination.columns) == (("dst",), ("src",))


def test_a_column_may_not_give_a_shared_label_two_types(bench):
    bench.kadeql("CREATE PROPERTY GRAPH g VERTEX TABLES (airports LABEL x, planes LABEL x)")
    text = "ALTER TABLE planes ADD COLUMN lat INTEGER"
    place, message, _ = refused(bench, text, KadeQLConstraintError)
    assert place.startswith("lat")
    assert "the property 'lat' of label 'x' is DOUBLE in 'airports', and INTEGER in 'planes'" in message
    bench.kadeql("ALTER TABLE planes ADD COLUMN lat DOUBLE")


def test_a_key_may_widen(bench):
    bench.kadeql("CREATE TABLE v (id INTEGER); CREATE TABLE e (a INTEGER, b INTEGER)")
    made(bench, "v KEY (id)", "e SOURCE KEY (a) REFERENCES v DESTINATION KEY (b) REFERENCES v")
    bench.kadeql("ALTER TABLE e ALTER COLUMN a SET DATA TYPE BIGINT")
    assert graph(bench, "g").edges[0].source.columns == ("a",)


def test_conflicts_between_graphs_and_their_tables(bench):
    with lb.open(bench.path) as other:
        with bench.transaction() as tx:
            tx.kadeql(AIR)
            other.kadeql("ALTER TABLE routes DROP COLUMN km")
            with pytest.raises(ConflictError, match="Property graph 'air' was changed"):
                tx.commit()
        other.kadeql("ALTER TABLE routes ADD COLUMN km DOUBLE")
        with bench.transaction() as tx:
            tx.kadeql("DROP TABLE routes")
            other.kadeql(AIR)
            with pytest.raises(ConflictError, match="create property graph"):
                tx.commit()
        with bench.transaction() as tx:
            tx.kadeql("INSERT INTO routes (src, dst) VALUES ('a', 'b')")
            other.kadeql("CREATE OR REPLACE PROPERTY GRAPH air VERTEX TABLES (airports)")
        with bench.transaction() as tx:
            tx.kadeql("DROP PROPERTY GRAPH air")
            other.kadeql("COMMENT ON PROPERTY GRAPH air IS 'x'")
            with pytest.raises(ConflictError, match="Property graph 'air' was changed"):
                tx.commit()
    assert bench.check().ok


def test_a_graph_is_made_while_others_change_its_table(bench):
    """A statement of its own is tried anew when its tables changed below it: in the end each graph fits."""
    with lb.open(bench.path) as other:

        def rename():
            for turn in range(15):
                other.kadeql(f"ALTER TABLE routes ADD COLUMN c{turn} INTEGER")

        thread = threading.Thread(target=rename)
        thread.start()
        for _ in range(15):
            bench.kadeql(AIR.replace("CREATE", "CREATE OR REPLACE", 1))
        thread.join(60)
    assert graph(bench) == GRAPH
    assert bench.check().ok
