"""Property graphs in the catalog: under snapshots and schemas, beside tables and views, and as they are shown."""

import pytest
from definition_cases import AIR, GRAPH, TABLES, graph, refused, rows, view_of

import luma_bench as lb
from luma_bench.bench.graph.definitions import graph_of
from luma_bench.errors import CatalogError, ConflictError, ConstraintError, KadeQLBindError, ReadOnlyError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.kadeql(TABLES)
        yield opened


# --- finding one ---


def test_which_graph_is_meant(bench):
    with pytest.raises(CatalogError, match="There is no property graph to match in") as caught:
        graph(bench)
    assert "CREATE PROPERTY GRAPH" in caught.value.hint
    bench.kadeql(AIR)
    bench.kadeql("CREATE PROPERTY GRAPH sales.ways VERTEX TABLES (sales.shops)")
    assert graph(bench, "sales.WAYS").name == "sales.ways"
    with pytest.raises(CatalogError, match="2 property graphs, and it is not said which") as caught:
        graph(bench)
    assert "ON GRAPH air" in caught.value.hint
    with pytest.raises(KadeQLBindError, match="no property graph 'aer'") as bound:
        graph_of(view_of(bench), "aer", "MATCH aer", (6, 9))
    assert bound.value.span == (6, 9)
    assert "'air'" in bound.value.hint
    with pytest.raises(CatalogError, match="'routes' is a table and no property graph"):
        graph(bench, "routes")


# --- the catalog ---


def test_graphs_are_under_snapshots(bench):
    before = view_of(bench).id
    bench.kadeql(AIR)
    there = view_of(bench).id
    bench.kadeql("CREATE OR REPLACE PROPERTY GRAPH air VERTEX TABLES (airports)")
    bench.kadeql("DROP PROPERTY GRAPH air")
    with pytest.raises(CatalogError):
        graph(bench, "air")
    assert graph(bench, "air", there) == GRAPH
    assert graph(bench, "air", there + 1).edges == ()
    assert rows(bench.at(before), "SHOW GRAPHS") == []
    assert [row["name"] for row in rows(bench.at(there), "SHOW PROPERTY GRAPHS")] == ["air"]
    done = [item.operation for item in bench.snapshots() if item.id >= there]
    assert done == ["create property graph", "alter property graph", "drop property graph"]


def test_rollback_undoes_and_a_transaction_sees_its_own(bench):
    bench.kadeql("BEGIN")
    bench.kadeql("CREATE TABLE v (id INTEGER PRIMARY KEY); CREATE TABLE e (a INTEGER, b INTEGER)")
    bench.kadeql("CREATE PROPERTY GRAPH g VERTEX TABLES (v) EDGE TABLES (e SOURCE KEY (a) REFERENCES v DESTINATION KEY (b) REFERENCES v)")  # fmt: skip
    bench.kadeql("ALTER TABLE v RENAME TO w; ALTER TABLE e RENAME COLUMN a TO c")
    (told,) = [row for row in rows(bench, "DESCRIBE GRAPH g") if row["kind"] == "edge"]
    assert told["source"] == "(c) REFERENCES v (id)"
    bench.kadeql("ROLLBACK")
    assert rows(bench, "SHOW GRAPHS") == []
    with bench.transaction() as tx:
        tx.kadeql(AIR)
        assert [row["name"] for row in tx.kadeql("SHOW GRAPHS").to_arrow().to_pylist()] == ["air"]
        assert rows(bench.at(tx.snapshot), "SHOW GRAPHS") == []
    assert graph(bench) == GRAPH


def test_if_exists_and_if_not_exists(bench):
    before = view_of(bench).id
    bench.kadeql("DROP PROPERTY GRAPH IF EXISTS air")
    assert view_of(bench).id == before
    bench.kadeql(AIR)
    bench.kadeql("CREATE PROPERTY GRAPH IF NOT EXISTS air VERTEX TABLES (planes)")
    assert graph(bench) == GRAPH
    place, message, hint = refused(bench, AIR)
    assert (place, message) == ("air", "There is a property graph 'air' already.")
    assert "CREATE OR REPLACE PROPERTY GRAPH" in hint
    assert refused(bench, "DROP PROPERTY GRAPH arr")[2] == "Did you mean 'air'?"
    bench.kadeql("DROP PROPERTY GRAPH air CASCADE")


def test_replacing_keeps_id_and_comment(bench):
    bench.kadeql(AIR)
    bench.kadeql("COMMENT ON PROPERTY GRAPH air IS 'who flies where'")
    first = view_of(bench).object("property graph", "air")
    bench.kadeql("CREATE OR REPLACE PROPERTY GRAPH AIR VERTEX TABLES (airports)")
    second = view_of(bench).object("property graph", "air")
    assert (second.id, second.name, second.comment) == (first.id, "air", "who flies where")
    bench.kadeql("COMMENT ON PROPERTY GRAPH air IS NULL")
    assert rows(bench, "SHOW GRAPHS")[0]["comment"] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CREATE TABLE «air» (a INTEGER)", "There is a property graph 'air' already."),
        ("CREATE TABLE «AIR» AS SELECT 1 AS a", "There is a property graph 'air' already."),
        ("CREATE VIEW «air» AS SELECT 1 AS a", "There is a property graph 'air' already."),
        ("ALTER TABLE «routes» RENAME TO air", "There is a property graph 'air' already."),
        ("CREATE PROPERTY GRAPH «routes» VERTEX TABLES (airports)", "There is a table 'routes' already."),
        ("CREATE OR REPLACE PROPERTY GRAPH «far» VERTEX TABLES (airports)", "There is a view 'far' already."),
        ("«DROP TABLE air»", "'air' is a property graph."),
        ("DROP PROPERTY GRAPH IF EXISTS «routes»", "'routes' is a table and no property graph."),
        ("SELECT * FROM «air»", "'air' is a property graph, and holds no rows of its own."),
        ("INSERT INTO «air» VALUES (1)", "'air' is a property graph, and holds no rows of its own."),
        ("ALTER TABLE «air» ADD COLUMN x INTEGER", "'air' is a property graph, and holds no rows of its own."),
    ],
)  # fmt: skip
def test_graphs_share_their_names_with_tables_and_views(bench, text, message):
    bench.kadeql(AIR)
    wanted = text[text.index("«") + 1 : text.index("»")]
    place, told, _ = refused(bench, text.replace("«", "").replace("»", ""), lb.errors.KadeQLError)
    assert (place, told) == (wanted, message)


def test_names_are_shared_at_the_commit_too(bench):
    with lb.open(bench.path) as other, bench.transaction() as tx:
        tx.kadeql(AIR)
        other.kadeql("CREATE VIEW air AS SELECT 1 AS a")
        with pytest.raises(ConflictError, match="it got this name"):
            tx.commit()
    with lb.open(bench.path) as other, bench.transaction() as tx:
        tx.kadeql("CREATE TABLE net (a INTEGER)")
        other.kadeql("CREATE PROPERTY GRAPH net VERTEX TABLES (airports)")
        with pytest.raises(ConflictError, match="Property graph 'net' was changed"):
            tx.commit()


def test_python_and_read_only_handles(bench):
    bench.kadeql(AIR)
    with pytest.raises(CatalogError, match="There is a property graph 'air' already"):
        bench.write("air", {"a": [1]})
    with pytest.raises(CatalogError, match="is a property graph, and holds no rows"):
        bench.table("air")
    with lb.open(bench.path, mode="r") as reader, pytest.raises(ReadOnlyError):
        reader.kadeql("DROP PROPERTY GRAPH air")
    assert bench.check().ok


def test_schemas_hold_graphs(bench):
    bench.kadeql("CREATE PROPERTY GRAPH sales.ways VERTEX TABLES (sales.shops KEY (id) LABEL shop)")
    assert refused(bench, "CREATE PROPERTY GRAPH «no».g VERTEX TABLES (airports)".replace("«", "").replace("»", ""))[0] == "no"  # fmt: skip
    assert rows(bench, "SHOW GRAPHS FROM main") == []
    assert [row["name"] for row in rows(bench, "SHOW GRAPHS FROM sales")] == ["sales.ways"]
    message = refused(bench, "DROP SCHEMA sales")[1]
    assert "property graph 'sales.ways'" in message
    bench.kadeql("DROP SCHEMA sales CASCADE")
    assert rows(bench, "SHOW GRAPHS") == []


def test_a_graph_of_another_schema_keeps_its_tables_from_going(bench):
    bench.kadeql("CREATE PROPERTY GRAPH ways VERTEX TABLES (sales.shops)")
    with pytest.raises(ConstraintError, match="the property graph 'ways' is made of it"):
        bench.kadeql("DROP SCHEMA sales CASCADE")
    assert "sales.shops" in bench.tables()


def test_a_publication_has_its_graphs(bench, tmp_path):
    bench.kadeql(AIR)
    bench.publish(tmp_path / "out")
    with lb.open(tmp_path / "out", mode="r") as reader:
        assert graph(reader) == GRAPH


# --- showing ---


def test_show_and_describe(bench):
    bench.kadeql(AIR)
    bench.kadeql("COMMENT ON PROPERTY GRAPH air IS 'it''s there'")
    assert rows(bench, "SHOW PROPERTY GRAPHS LIKE 'a%'") == [
        {"name": "air", "vertex_tables": ["airports"], "edge_tables": ["routes"], "comment": "it's there"}
    ]
    assert rows(bench, "SHOW GRAPHS LIKE 'b%'") == []
    told = rows(bench, "DESCRIBE PROPERTY GRAPH Air")
    assert told == rows(bench, "DESCRIBE GRAPH air")
    assert told == [
        {
            "kind": "vertex", "name": "airports", "table": "airports", "key": ["iata"], "labels": ["airports"],
            "source": None, "destination": None, "properties": ["iata", "city", "lat"], "valid": None,
        },
        {
            "kind": "edge", "name": "routes", "table": "routes", "key": [], "labels": ["route"],
            "source": "(src) REFERENCES airports (iata)", "destination": "(dst) REFERENCES airports (iata)",
            "properties": ["km", "airline AS carrier"], "valid": "FROM since TO until",
        },
    ]  # fmt: skip
    assert refused(bench, "DESCRIBE PROPERTY GRAPH aer")[0] == "aer"
    assert refused(bench, "SHOW CREATE PROPERTY GRAPH aer")[0] == "aer"


def test_a_table_called_graph_is_still_described(bench):
    bench.kadeql("CREATE TABLE graph (a INTEGER); CREATE TABLE property (b INTEGER)")
    assert [row["column_name"] for row in rows(bench, "DESCRIBE graph")] == ["a"]
    assert [row["column_name"] for row in rows(bench, "DESCRIBE property")] == ["b"]
    at = view_of(bench).id
    assert [row["column_name"] for row in rows(bench, f"DESCRIBE graph AT (VERSION => {at})")] == ["a"]


def test_the_text_that_makes_it_again(bench):
    bench.kadeql(AIR)
    bench.kadeql("COMMENT ON PROPERTY GRAPH air IS 'x;''y'")
    (told,) = rows(bench, "SHOW CREATE PROPERTY GRAPH air")
    bench.kadeql("DROP PROPERTY GRAPH air")
    bench.kadeql(told["sql"])
    assert graph(bench) == GRAPH
    assert rows(bench, "SHOW CREATE PROPERTY GRAPH air") == [told]


def test_the_standards_relations(bench):
    bench.kadeql(AIR)
    bench.kadeql("COMMENT ON PROPERTY GRAPH air IS 'there'")
    bench.kadeql("CREATE PROPERTY GRAPH sales.ways VERTEX TABLES (sales.shops)")
    found = rows(bench, "FROM information_schema.property_graphs ORDER BY ALL")
    assert [tuple(row.values()) for row in found] == [("bench", "main", "air", "there"), ("bench", "sales", "ways", None)]  # fmt: skip
    found = rows(bench, "FROM information_schema.pg_element_tables WHERE property_graph_name = 'air' ORDER BY element_table_kind")  # fmt: skip
    edge, vertex = found
    assert (vertex["element_table_alias"], vertex["key_columns"]) == ("airports", ["iata"])
    assert (edge["source_columns"], edge["source_element"], edge["source_keys"]) == (["src"], "airports", ["iata"])  # fmt: skip
    assert (edge["properties"], edge["valid_to"], edge["table_name"]) == (
        ["km", "carrier"],
        "until",
        "routes",
    )
    assert edge["element_table_definition"].startswith("routes SOURCE KEY (src) REFERENCES airports (iata)")
