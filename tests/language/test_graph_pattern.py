"""Graph queries as values: elements, quantifiers, conditions, times and arguments, with their places."""

from __future__ import annotations

import decimal

import pytest

from luma_bench.language.graph.pattern import (
    Algorithm,
    Comparison,
    Direction,
    EdgePattern,
    Match,
    Mode,
    NodePattern,
)

ROWS = '"__luma_rows_@element"'


def match_of(statement: object) -> Match:
    (island,) = statement.islands
    assert isinstance(island, Match)
    return island


def test_elements(one):
    text = "MATCH p = (a:airport|port {iata: 'JFK'})<-[r IS route]-{1,3}(), (:x)-[]->(a) RETURN a.x"
    match = match_of(one(text))
    first, second = match.clauses[0].paths
    assert (first.variable, second.variable) == ("p", None)
    node, edge, other = first.elements
    assert isinstance(node, NodePattern)
    assert isinstance(edge, EdgePattern)
    assert [label.name for label in node.labels] == ["airport", "port"]
    assert [text[slice(*label.span)] for label in node.labels] == ["airport", "port"]
    assert (edge.variable, edge.labels[0].name, edge.direction) == ("r", "route", Direction.LEFT)
    assert edge.quantifier[:2] == (1, 3)
    assert text[slice(*edge.quantifier.span)] == "{1,3}"
    assert text[slice(*edge.span)] == "<-[r IS route]-{1,3}"
    assert text[slice(*node.span)] == "(a:airport|port {iata: 'JFK'})"
    assert [item.variable for item in second.elements] == ["@2", "@3", "a"]
    assert other.variable == "@1"
    assert text[slice(*first.span)].startswith("p = (a")
    assert text[slice(*match.span)] == text == match.text


@pytest.mark.parametrize(
    ("written", "bounds"),
    [("{2}", (2, 2)), ("{1,3}", (1, 3)), ("{1,}", (1, None)), ("{,3}", (0, 3)), ("{0,0}", (0, 0)), ("+", (1, None)), ("*", (0, None)), ("?", (0, 1)), ("{1_0}", (10, 10))],
)  # fmt: skip
@pytest.mark.parametrize("edge", ["-[e]->", "<-[e]-", "-[e]-", "->", "-", "<-", "-->", "--", "<--"])
def test_quantifiers(one, edge, written, bounds):
    match = match_of(one(f"MATCH TRAIL (a){edge}{written}(b) RETURN a.x"))
    (path,) = match.clauses[0].paths
    assert path.edges[0].quantifier[:2] == bounds
    assert path.mode is Mode.TRAIL


@pytest.mark.parametrize(
    ("written", "kind", "count"),
    [("ANY", "any", 1), ("ANY SHORTEST", "any", 1), ("ALL SHORTEST", "all", 1), ("SHORTEST 3", "shortest", 3), ("ANY CHEAPEST", "cheapest", 1)],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["", "WALK", "TRAIL", "ACYCLIC", "SIMPLE"])
def test_selectors_and_modes(one, written, kind, count, mode):
    text = f"MATCH p = {written} {mode} (a)-[e COST 1]->+(b) RETURN nodes(p)"
    if kind != "cheapest":
        text = text.replace(" COST 1", "")
    (path,) = match_of(one(text)).clauses[0].paths
    assert (path.selector.kind, path.selector.count) == (kind, count)
    assert text[slice(*path.selector.span)] == written
    assert path.mode == (mode or "WALK")


CONDITIONS = [
    ("a.x = 1", Comparison("x", "=", 1, None)),
    ("a.x == -1", Comparison("x", "=", -1, None)),
    ("1.5 < a.x", Comparison("x", ">", decimal.Decimal("1.5"), None)),
    ("'it''s' >= a.\"b c\"", Comparison("b c", "<=", "it's", None)),
    ("a.x != $p", Comparison("x", "<>", None, "p")),
    ("a.x = TRUE", Comparison("x", "=", True, None)),
    ("a.x IS NULL", None),
    ("a.x = NULL", None),
    ("a.x = 1e3", None),
    ("a.x = 12345678901234567890", None),
    ("a.x.y = 1", None),
    ("a.x IN (SELECT k FROM t WHERE k > 3)", None),
]


@pytest.mark.parametrize(("condition", "simple"), CONDITIONS)
@pytest.mark.parametrize("place", ["MATCH (a WHERE {})-[r]->(b) RETURN 1", "MATCH (a)-[r]->(b) WHERE {} RETURN 1", "OPTIONAL MATCH (a) WHERE b.z AND {}, 1"])  # fmt: skip
def test_conditions_about_one_element(one, condition, simple, place):
    text = place.format(condition)
    if "OPTIONAL" in text:
        text = f"MATCH (b) OPTIONAL MATCH (a)-[]->(b) WHERE {condition} AND b.z RETURN 1"
    match = match_of(one(text))
    (found,) = [
        one
        for clause in match.clauses
        for path in clause.paths
        for node in path.nodes
        if node.variable == "a"
        for one in node.conditions
    ]
    assert found.simple == simple
    assert found.query.sql == f'SELECT "a"._rowid FROM {ROWS} AS "a" WHERE ({condition})'
    assert text[slice(*found.span)] == condition
    for name, span in found.properties:
        assert text[slice(*span)] in (f"a.{name}", f'a."{name}"')
    at = found.query.sql.index("a.", 40)
    assert found.query.offsets.to_source(found.query.sql.index(condition)) == text.index(condition), at
    assert [read.name for read in found.query.reads] == (["t"] if "FROM t" in condition else [])


def test_property_maps(one):
    text = 'MATCH (a {x: 1, "y z": upper($p)})-[r {k: [1, 2], "m": r.n}]->{2}(b) RETURN 1'
    match = match_of(one(text))
    node, edge, _ = match.clauses[0].paths[0].elements
    assert [condition.simple for condition in node.conditions] == [Comparison("x", "=", 1, None), None]
    assert [condition.query.sql for condition in node.conditions] == [
        f'SELECT "a"._rowid FROM {ROWS} AS "a" WHERE ("a".x = (1))',
        f'SELECT "a"._rowid FROM {ROWS} AS "a" WHERE ("a"."y z" = (upper($p)))',
    ]
    assert [text[slice(*condition.span)] for condition in node.conditions] == ["x: 1", '"y z": upper($p)']
    assert edge.conditions[1].query.sql == f'SELECT "r"._rowid FROM {ROWS} AS "r" WHERE ("r"."m" = (r.n))'
    assert [name for name, _ in edge.conditions[1].properties] == ["m", "n"]
    assert match.params == {"p"}


def test_costs_and_times(one):
    text = (
        "MATCH p = ANY CHEAPEST (a)-[r COST r.km * 2]->+(b) ON GRAPH air VALID AT $now WHERE a.x = 1"
        " TIME RESPECTING (r.dep, r.dep + r.len) STRICT WITHIN INTERVAL '12' HOUR STARTING AT now()"
        " RETURN path_cost(p), path_departure(p), path_arrival(p)"
    )
    match = match_of(one(text))
    (clause,) = match.clauses
    edge = clause.paths[0].edges[0]
    assert edge.cost.query.sql == f'SELECT "r"._rowid, (r.km * 2) AS value FROM {ROWS} AS "r"'
    assert edge.cost.simple is None
    assert (match.graph, text[slice(*match.graph_span)]) == ("air", "air")
    assert clause.valid_at.query.sql == "SELECT ($now) AS value"
    time = clause.time
    assert (time.variable, time.strict, time.depart.simple, time.arrive.simple) == ("r", True, "dep", None)
    assert time.within.query.sql == "SELECT (INTERVAL '12' HOUR) AS value"
    assert time.starting_at.query.volatile
    assert match.volatile
    assert text[slice(*time.span)].startswith("TIME RESPECTING (r.dep")
    assert text[slice(*time.span)].endswith("now()")
    assert [use.column for use in match.uses] == ["p.@cost", "p.@departure", "p.@arrival"]
    assert [text[slice(*use.span)] for use in match.uses] == ["path_cost(p)", "path_departure(p)", "path_arrival(p)"]  # fmt: skip


def test_uses_are_columns_once(one):
    text = 'MATCH (A)-[r]->(b) WHERE a.X > b.y RETURN A.x, a."y z", b, label(a), a.*, a = b'
    match = match_of(one(text))
    assert [(use.column, use.variable, use.property) for use in match.uses] == [
        ("a.X", "a", "X"),
        ("b.y", "b", "y"),
        ("a.y z", "a", "y z"),
        ("b", "b", None),
        ("a.@label", "a", None),
        ("a.@id", "a", None),
        ("b.@id", "b", None),
    ]
    assert text[slice(*match.uses[0].span)] == "a.X"
    assert match.star == ("a",)


def test_clauses(one):
    text = "MATCH (a) WHERE a.x = 1 OPTIONAL MATCH (a {k: 2})-[r]->(b) WHERE b.y = 3 AND a.z MATCH (b)-[]->(c) WHERE b.q = 4 RETURN c.x"  # fmt: skip
    match = match_of(one(text))
    assert [clause.optional for clause in match.clauses] == [False, True, False]
    conditions = [
        [(node.variable, [text[slice(*one.span)] for one in node.conditions]) for node in path.nodes]
        for clause in match.clauses
        for path in clause.paths
    ]
    assert conditions == [
        [("a", ["a.x = 1"])],
        [("a", ["k: 2", "a.z"]), ("b", ["b.y = 3"])],
        [("b", ["b.q = 4"]), ("c", [])],
    ]
    assert text[slice(*match.clauses[1].span)].startswith("OPTIONAL MATCH (a {k")


def test_with_lists_around_a_pattern(one):
    inner = "MATCH (a WHERE a.k IN (FROM y))-[]->(b {z: (SELECT max(k) FROM x)}) RETURN a.k"
    text = f"WITH x AS (SELECT 1 AS k), w AS (FROM x, t) SELECT (SELECT count(*) FROM (WITH y AS (FROM w) {inner}))"
    match = match_of(one(text))
    (path,) = match.clauses[0].paths
    start, _, end = path.elements
    outer = "WITH x AS (SELECT 1 AS k), w AS (FROM x, t)"
    assert start.conditions[0].query.sql == (
        f'{outer} SELECT * FROM (WITH y AS (FROM w) SELECT "a"._rowid FROM {ROWS} AS "a" WHERE (a.k IN (FROM y)))'
    )
    assert end.conditions[0].query.sql == (
        f'{outer} SELECT "b"._rowid FROM {ROWS} AS "b" WHERE ("b".z = ((SELECT max(k) FROM x)))'
    )
    assert [read.name for read in start.conditions[0].query.reads] == ["t"]
    query = start.conditions[0].query
    assert query.offsets.to_source(query.sql.index("FROM x, t")) == text.index("FROM x, t")
    assert query.offsets.to_source(query.sql.index("a.k IN")) == text.index("a.k IN")


def test_islands_inside_of_conditions(one):
    text = "WITH g AS (MATCH (z) RETURN z.k) MATCH (a WHERE a.k IN (FROM g) AND a.j IN (MATCH (b {q: $q}) RETURN b.j)) RETURN a.k"  # fmt: skip
    query = one(text)
    assert len(query.islands) == 2
    match = next(island for island in query.islands if "a.j" in island.text)
    first, second = match.clauses[0].paths[0].nodes[0].conditions
    assert [island.alias for island in first.query.islands] == [query.islands[0].alias]
    (nested,) = second.query.islands
    assert nested.params == {"q"}
    assert match.params == {"q"}
    assert query.params == frozenset()


def test_pins_and_tables_of_conditions_are_their_own(one):
    query = one("MATCH (a WHERE a.k IN (SELECT k FROM t AT (VERSION => $v)))-[r]->(b) WHERE r.j IN (FROM s.u) RETURN a.k, (SELECT max(k) FROM w)")  # fmt: skip
    match = match_of(query)
    assert [read.name for read in query.reads] == ["w"]
    assert query.pins == ()
    assert query.pin_params == frozenset()
    node, edge, _ = match.clauses[0].paths[0].elements
    assert [pin.table for pin in node.conditions[0].query.pins] == ["t"]
    assert [read.name for read in edge.conditions[0].query.reads] == ["s.u"]
    assert match.params == {"v"}


def test_algorithms(one):
    text = (
        "SELECT * FROM bfs(GRAPH main.air, source => (SELECT min(k) FROM t), \"Max\" := $n, weight => 'km')"
    )
    (island,) = one(text).islands
    assert isinstance(island, Algorithm)
    assert (island.name, island.graph, text[slice(*island.graph_span)]) == ("BFS", "air", "main.air")
    assert [argument.name for argument in island.arguments] == ["source", "max", "weight"]
    assert [argument.value.query.sql for argument in island.arguments] == [
        "SELECT ((SELECT min(k) FROM t)) AS value",
        "SELECT ($n) AS value",
        "SELECT ('km') AS value",
    ]
    assert text[slice(*island.arguments[1].span)] == '"Max" := $n'
    assert island.params == {"n"}
    (other,) = one('FROM bfs(GRAPH g, weight => km, "by" => "it\'s", k => NULL)').islands
    assert [argument.value.query.sql for argument in other.arguments] == [
        "SELECT ('km') AS value",
        "SELECT ('it''s') AS value",
        "SELECT (NULL) AS value",
    ]
    assert text[slice(*island.span)] == text.removeprefix("SELECT * FROM ")


@pytest.mark.parametrize("name", ["PAGERANK", "BFS", "SHORTEST_PATHS", "WEAKLY_CONNECTED_COMPONENTS", "STRONGLY_CONNECTED_COMPONENTS", "TRIANGLES", "COMMUNITIES", "BETWEENNESS", "DEGREES", "K_CORE", "EARLIEST_ARRIVAL"])  # fmt: skip
def test_every_algorithm_stands_as_a_table(one, name):
    query = one(f"SELECT {name}.id FROM t JOIN {name.lower()} (GRAPH g) USING (id), {name} u")
    (island,) = query.islands
    assert island.name == name
    assert (
        query.sql == f'SELECT {name}.id FROM t JOIN "{island.alias}" AS {name.lower()} USING (id), {name} u'
    )


def test_parameters_of_patterns_are_not_the_engines(one):
    query = one("MATCH (a {k: $k})-[r]->(b) VALID AT $t WHERE a.x > b.x + $o RETURN a.x LIMIT $n")
    assert query.params == {"o", "n"}
    assert query.island_params == {"k", "t"}
