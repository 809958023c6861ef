"""CREATE PROPERTY GRAPH: what it takes, what it finds out by itself, and what it refuses with a caret."""

import pytest
from definition_cases import AIR, GRAPH, TABLES, graph, made, refused

import luma_bench as lb
from luma_bench.errors import KadeQLSyntaxError
from luma_bench.types.graph import EdgeEnd, PropertyGraph, VertexTable


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.kadeql(TABLES)
        yield opened


# --- making one ---


def test_a_graph_is_kept_as_it_is_written(bench):
    bench.kadeql(AIR)
    assert graph(bench, "air") == graph(bench) == graph(bench, "AIR") == GRAPH
    assert PropertyGraph.of("air", GRAPH.definition) == GRAPH


def test_names_that_are_left_out(bench):
    found = made(bench, "sales.shops, Airports AS \"Ort\" KEY (CITY) LABEL place LABEL stop, planes DEFAULT LABEL LABEL x")  # fmt: skip
    assert found.vertices == (
        VertexTable("shops", "sales.shops", ("id",), ("shops",)),
        VertexTable("Ort", "airports", ("city",), ("place", "stop")),
        VertexTable("planes", "planes", ("tail", "leg"), ("planes", "x")),
    )
    assert found.edges == ()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", None),
        ("PROPERTIES ALL COLUMNS", None),
        ("PROPERTIES ARE ALL COLUMNS", None),
        ("PROPERTIES ALL COLUMNS LABEL x PROPERTIES (city)", None),
        ("NO PROPERTIES", ()),
        ("PROPERTIES (City)", (("city", "city"),)),
        ("PROPERTIES (lat, city AS \"Name of it\")", (("lat", "lat"), ("Name of it", "city"))),
        ("PROPERTIES ALL COLUMNS EXCEPT (LAT, iata)", (("city", "city"),)),
        ("LABEL a PROPERTIES (lat) LABEL b PROPERTIES (lat, city)", (("lat", "lat"), ("city", "city"))),
        ("LABEL a NO PROPERTIES LABEL b PROPERTIES (lat)", (("lat", "lat"),)),
        (
            "PROPERTIES ALL COLUMNS LABEL b PROPERTIES (lat AS x)",
            (("iata", "iata"), ("city", "city"), ("lat", "lat"), ("x", "lat")),
        ),
    ],
)  # fmt: skip
def test_properties(bench, written, expected):
    assert made(bench, f"airports {written}").vertices[0].properties == expected


def test_clauses_in_any_order_and_other_words(bench):
    bench.kadeql(
        "CREATE PROPERTY GRAPH g NODE TABLES (airports LABEL a KEY (iata),) RELATIONSHIP TABLES ("
        "routes VALID FROM since TO until LABEL r DESTINATION KEY (dst) REFERENCES airports (iata) PROPERTIES (km) "
        "SOURCE KEY (src) REFERENCES airports (iata))"
    )
    edge = graph(bench).edges[0]
    assert (edge.source.columns, edge.destination.columns) == (("src",), ("dst",))
    assert (edge.labels, edge.properties, edge.valid_from) == (("r",), (("km", "km"),), "since")
    assert graph(bench).vertices[0] == VertexTable("airports", "airports", ("iata",), ("a",))


def test_a_table_may_be_vertices_and_edges_and_stand_twice(bench):
    edges = "flown SOURCE KEY (origin) REFERENCES airports DESTINATION KEY (id) REFERENCES f (id)"
    found = made(bench, "airports, flown AS f", edges)
    assert [item.table for item in (*found.vertices, *found.edges)] == ["airports", "flown", "flown"]
    assert found.tables == ("airports", "flown")
    assert found.edges[0].key == ("id",)


def test_a_key_of_several_columns_and_keys_that_are_no_primary_key(bench):
    edges = "flown SOURCE KEY (leg, tail) REFERENCES planes (leg, tail) DESTINATION KEY (origin) REFERENCES airports (city)"  # fmt: skip
    edge = made(bench, "planes, airports", edges).edges[0]
    assert edge.source == EdgeEnd(("leg", "tail"), "planes", ("leg", "tail"))
    assert edge.destination == EdgeEnd(("origin",), "airports", ("city",))


# --- the short form ---


def test_ends_by_foreign_key_and_by_name(bench):
    edge = made(bench, "planes, airports", "flown SOURCE airports DESTINATION planes").edges[0]
    assert edge.source == EdgeEnd(("origin",), "airports", ("iata",))
    assert edge.destination == EdgeEnd(("tail", "leg"), "planes", ("tail", "leg"))


def test_a_foreign_key_that_the_other_end_names_is_not_meant(bench):
    bench.kadeql("CREATE TABLE hops (a VARCHAR REFERENCES airports, b VARCHAR REFERENCES airports)")
    edge = made(bench, "airports", "hops SOURCE KEY (a) REFERENCES airports DESTINATION airports").edges[0]
    assert (edge.source.columns, edge.destination.columns) == (("a",), ("b",))
    place, message, hint = refused(
        bench,
        "CREATE PROPERTY GRAPH h VERTEX TABLES (airports) EDGE TABLES (hops SOURCE airports DESTINATION airports)",
    )
    assert place == "SOURCE airports"
    assert message == "2 foreign keys of table 'hops' refer to 'airports': (a) and (b)."
    assert "SOURCE KEY (a) REFERENCES airports (iata)" in hint


def test_an_edges_own_key_is_no_end_of_it(bench):
    bench.kadeql("CREATE TABLE visits (id BIGINT PRIMARY KEY, who BIGINT)")
    text = "CREATE PROPERTY GRAPH h VERTEX TABLES (sales.shops) EDGE TABLES (visits SOURCE shops DESTINATION KEY (who) REFERENCES shops)"  # fmt: skip
    place, message, hint = refused(bench, text)
    assert place == "SOURCE shops"
    assert (
        message
        == "No foreign key of table 'visits' refers to 'shops', and no other column has its key's name."
    )
    assert "SOURCE KEY (who) REFERENCES shops (id)" in hint


def test_both_ends_are_never_found_to_be_the_same_columns(bench):
    text = (
        "CREATE PROPERTY GRAPH h VERTEX TABLES (planes) EDGE TABLES (flown SOURCE planes DESTINATION planes)"
    )
    place, message, _ = refused(bench, text)
    assert place == "DESTINATION planes"
    assert message == "Source and destination would both be (tail, leg) of table 'flown'."


# --- what is refused, and where the caret stands ---

E = "SOURCE KEY (src) REFERENCES airports DESTINATION KEY (dst) REFERENCES airports"


@pytest.mark.parametrize(
    ("vertices", "edges", "message", "hint"),
    [
        ("«airprots»", "", "There is no table 'airprots'.", "'airports'"),
        ("«far»", "", "'far' is one", "CREATE TABLE t AS FROM far"),
        ("«routes»", "", "Table 'routes' has no primary key", "routes KEY (src)"),
        ("airports KEY («iat»)", "", "There is no column 'iat' in table 'airports'.", "'iata'"),
        ("airports, planes AS «Airports»", "", "The graph has an element 'Airports' already.", "planes AS Airports_2"),
        ("airports PROPERTIES (city, «cty» AS c)", "", "There is no column 'cty'", "'city'"),
        ("airports PROPERTIES (city, lat AS «CITY»)", "", "The property 'CITY' would be column 'city' and column 'lat'.", "lat AS"),
        ("airports PROPERTIES (lat AS «\"@id\"»)", "", "begins with @", "AS lat"),
        ("airports PROPERTIES ALL COLUMNS EXCEPT («x»)", "", "There is no column 'x'", "The columns are"),
        ("airports LABEL x, planes LABEL x «PROPERTIES (seats AS city)»", "", "The property 'city' of label 'x' is VARCHAR in 'airports', and INTEGER in 'planes'.", "PROPERTIES (seats AS city_2)"),
        ("airports", "«rout» SOURCE airports DESTINATION airports", "There is no table 'rout'.", "'routes'"),
        ("airports", "routes SOURCE KEY («s») REFERENCES airports DESTINATION KEY (dst) REFERENCES airports", "There is no column 's' in table 'routes'.", "columns"),
        ("airports", "routes SOURCE KEY (src) REFERENCES «airport» DESTINATION KEY (dst) REFERENCES airports", "'airport' is no vertex table of the graph.", "'airports'"),
        ("airports", "routes SOURCE KEY (src) REFERENCES «planes» DESTINATION KEY (dst) REFERENCES airports", "'planes' is no vertex table of the graph.", "VERTEX TABLES (planes, …)"),
        ("airports", "routes SOURCE KEY (src) REFERENCES airports («code») DESTINATION KEY (dst) REFERENCES airports", "There is no column 'code' in table 'airports'.", "columns"),
        ("airports", "routes SOURCE KEY («src, dst») REFERENCES airports DESTINATION KEY (dst) REFERENCES airports", "SOURCE has 2 columns, and the key of 'airports' has 1 column: (iata).", "REFERENCES airports (iata)"),
        ("airports", "routes «SOURCE KEY (km) REFERENCES airports» DESTINATION KEY (dst) REFERENCES airports", "Column 'km' of table 'routes' is DOUBLE, and column 'iata' of table 'airports', which it refers to, is VARCHAR.", "one type"),
        ("airports", f"routes {E} VALID FROM «since TO km»", "Column 'km' of VALID is DOUBLE, which is no date and no timestamp.", "TIMESTAMP"),
        ("airports", f"routes {E}, routes AS r {E} LABEL routes «PROPERTIES (km AS airline)»", "The property 'airline' of label 'routes' is VARCHAR in 'routes', and DOUBLE in 'r'.", "leave it out"),
        ("airports AS a, airports AS b", "routes SOURCE KEY (src) REFERENCES «airports» DESTINATION KEY (dst) REFERENCES a", "Table 'airports' is 2 vertex tables of the graph: a, b.", "Name the one"),
    ],
)  # fmt: skip
def test_refused_with_a_caret(bench, vertices, edges, message, hint):
    marked = f"CREATE PROPERTY GRAPH g VERTEX TABLES ({vertices})" + (
        f" EDGE TABLES ({edges})" if edges else ""
    )
    wanted = marked[marked.index("«") + 1 : marked.index("»")]
    place, told, advice = refused(bench, marked.replace("«", "").replace("»", ""), lb.errors.KadeQLError)
    assert place == wanted
    assert message in told
    assert hint in advice


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE PROPERTY GRAPH g «(»a INT)", "VERTEX TABLES"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES («)»", "a vertex table"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports «x»)", "a comma or )"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports KEY (iata) «KEY» (city))", "KEY only once"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports «SOURCE» x)", "a vertex table without SOURCE"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports LABEL x LABEL «X»)", "The label 'X' stands twice."),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports PROPERTIES ALL «x»)", "COLUMNS after ALL"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports) EDGE TABLES (routes SOURCE airports«)»", "DESTINATION of the edge table 'routes'"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports) EDGE TABLES (routes SOURCE airports «(»iata) DESTINATION airports)", "SOURCE KEY (column) REFERENCES"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports) EDGE TABLES (routes SOURCE KEY («src) REFERENCES airports (iata, city»))", "SOURCE has 1 column, and refers to 2 columns"),
        ("CREATE PROPERTY GRAPH g VERTEX TABLES (airports) «x»", "EDGE TABLES or the end"),
        ("CREATE OR REPLACE PROPERTY GRAPH «IF NOT EXISTS» g VERTEX TABLES (airports)", "contradict"),
    ],
)  # fmt: skip
def test_syntax_errors_point_at_the_word(bench, text, expected):
    before, _, rest = text.partition("«")
    word, _, after = rest.partition("»")
    plain = before + word + after
    plain += ")" * (plain.count("(") - plain.count(")"))
    with pytest.raises(KadeQLSyntaxError) as caught:
        bench.kadeql(plain)
    assert plain[slice(*caught.value.span)] in (word, "")
    assert caught.value.span[0] == len(before)
    assert expected in caught.value.plain


def test_an_expression_as_a_property_is_refused_with_advice(bench):
    text = "CREATE PROPERTY GRAPH g VERTEX TABLES (airports PROPERTIES (lat * 2 AS x))"
    place, _, hint = refused(bench, text, lb.errors.KadeQLUnsupportedError)
    assert place == "lat *"
    assert "ADD COLUMN" in hint


def test_a_nested_column_is_no_key_and_dates_are_no_timestamps(bench):
    bench.kadeql("CREATE TABLE n (l INTEGER[], d DATE, e DATE, t TIMESTAMP, u UUID, s VARCHAR)")
    text = "CREATE PROPERTY GRAPH g VERTEX TABLES (n KEY (l))"
    place, message, _ = refused(bench, text)
    assert place == "l"
    assert "cannot be the key of vertices 'n'" in message
    text = "CREATE PROPERTY GRAPH g VERTEX TABLES (n KEY (s)) EDGE TABLES (n AS e SOURCE KEY (u) REFERENCES n DESTINATION KEY (s) REFERENCES n)"  # fmt: skip
    assert "is UUID, and column 's' of table 'n', which it refers to, is VARCHAR" in refused(bench, text)[1]
    text = "CREATE PROPERTY GRAPH g VERTEX TABLES (n KEY (s)) EDGE TABLES (n AS e SOURCE KEY (s) REFERENCES n DESTINATION KEY (s) REFERENCES n VALID FROM d TO t)"  # fmt: skip
    assert refused(bench, text)[:2] == ("d TO t", "Column 'd' is DATE and column 't' is TIMESTAMP.")
    found = made(bench, "n KEY (s)", "n AS e SOURCE KEY (s) REFERENCES n DESTINATION KEY (s) REFERENCES n VALID FROM d TO e")  # fmt: skip
    assert found.edges[0].valid_to == "e"
