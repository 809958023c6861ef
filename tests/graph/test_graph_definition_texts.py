"""Random definitions: text → catalog → JSON → text again, clashes of properties, and names that change below a graph."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.bench.graph.definitions import graph_of
from luma_bench.errors import KadeQLBindError
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable

COLUMNS = {
    "people": {"id": "INTEGER", "Na me": "VARCHAR", 'x"y': "BIGINT", "born": "DATE"},
    "sale s.city": {"code": "VARCHAR", "n": "SMALLINT", "id": "BIGINT"},
    "Key": {"from": "DATE", "to": "DATE", "source": "INTEGER", "LABEL": "INTEGER", "s": "VARCHAR", "t": "VARCHAR", "id": "INTEGER"},
    "label": {"a": "BIGINT", "b": "INTEGER", "c": "VARCHAR", "n": "VARCHAR"},
}  # fmt: skip
KEYS = {"people": ("id",), "sale s.city": (), "Key": (), "label": ("b", "a")}
NUMBERS = ("INTEGER", "BIGINT", "SMALLINT")
NAME = st.one_of(
    st.sampled_from(["key", "Source", "label", "AS", "properties", "select", "a.b", "x y", 'q"q', "é", "GRAPH", "no"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\0"), min_size=1, max_size=6),
).filter(lambda name: name.strip() and not name.startswith(("@", "__luma")))  # fmt: skip


def quoted(name):
    return ".".join('"' + part.replace('"', '""') + '"' for part in [name])


def table_text(name):
    schema, dot, rest = name.partition(".")
    return f"{quoted(schema)}.{quoted(rest)}" if dot and name in COLUMNS else quoted(name)


def listed(names):
    return "(" + ", ".join(map(quoted, names)) + ")"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with lb.open(tmp_path_factory.mktemp("graphs") / "b.luma") as opened:
        opened.kadeql('CREATE SCHEMA "sale s"')
        for name, columns in COLUMNS.items():
            parts = [f"{quoted(column)} {kind}" for column, kind in columns.items()]
            parts += [f"PRIMARY KEY {listed(KEYS[name])}"] if KEYS[name] else []
            opened.kadeql(f"CREATE TABLE {table_text(name)} ({', '.join(parts)})")
        yield opened


@st.composite
def properties(draw, table):
    """Properties as the catalog keeps them."""
    kind = draw(st.sampled_from(["all", "none", "listed", "listed"]))
    if kind == "all":
        return None
    if kind == "none":
        return ()
    columns = draw(st.lists(st.sampled_from(list(COLUMNS[table])), min_size=1, max_size=4))
    found = {}
    for column in columns:
        name = draw(st.one_of(st.just(column), NAME))
        found.setdefault(name.casefold(), (name, column))
    return tuple(found.values())


@st.composite
def graphs(draw):
    """A graph over the tables above; whether its properties clash is not looked at."""
    taken = set()

    def name_of(table):
        name = table.rpartition(".")[2] if draw(st.booleans()) else draw(NAME)
        assume(name.casefold() not in taken)
        taken.add(name.casefold())
        return name

    def labels(name):
        given = draw(
            st.lists(st.one_of(NAME, st.sampled_from(["one", "two"])), max_size=2, unique_by=str.casefold)
        )
        return tuple(given) or (name,)

    vertices = []
    for table in draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=3)):
        name = name_of(table)
        key = KEYS[table] if KEYS[table] and draw(st.booleans()) else None
        if key is None:
            size = draw(st.integers(1, 2))
            key = tuple(draw(st.lists(st.sampled_from(list(COLUMNS[table])), min_size=size, max_size=size, unique=True)))  # fmt: skip
        vertices.append(VertexTable(name, table, key, labels(name), draw(properties(table))))

    def end(table):
        vertex = draw(st.sampled_from(vertices))
        own = COLUMNS[table]
        keys = vertex.key
        if draw(st.booleans()):
            keys = tuple(draw(st.lists(st.sampled_from(list(COLUMNS[vertex.table])), min_size=1, max_size=2, unique=True)))  # fmt: skip
        columns = []
        for key in keys:
            kind = COLUMNS[vertex.table][key]
            fits = [
                n for n, k in own.items() if n not in columns and (k == kind or {k, kind} <= set(NUMBERS))
            ]
            assume(fits)
            columns.append(draw(st.sampled_from(fits)))
        return EdgeEnd(tuple(columns), vertex.name, keys)

    edges = []
    for table in draw(st.lists(st.sampled_from(["Key", "label"]), max_size=2)):
        name = name_of(table)
        key = KEYS[table] or (("s", "t") if table == "Key" and draw(st.booleans()) else ())
        valid = ("from", "to") if table == "Key" and draw(st.booleans()) else (None, None)
        edges.append(
            EdgeTable(name, table, key, labels(name), draw(properties(table)), end(table), end(table), *valid)
        )
    return PropertyGraph("g", tuple(vertices), tuple(edges))


def properties_text(draw, item):
    """One way to write the properties: several clauses where there are several labels."""
    given = item.properties
    if given is None:
        return draw(st.sampled_from([[], [], ["PROPERTIES ALL COLUMNS"], ["properties are all columns"]]))
    if not given:
        return ["NO PROPERTIES"]
    shown = [quoted(c) if n == c else f"{quoted(c)} AS {quoted(n)}" for n, c in given]
    order = [column for column in COLUMNS[item.table] if (column, column) in given]
    if (
        [(c, c) for c in order] == list(given)
        and len(order) < len(COLUMNS[item.table])
        and draw(st.booleans())
    ):
        out = [column.swapcase() for column in COLUMNS[item.table] if column not in order]
        return [f"PROPERTIES ALL COLUMNS EXCEPT {listed(out)}"]
    cut = draw(st.integers(0, len(shown)))
    return [f"PROPERTIES ({', '.join(part)})" for part in (shown[:cut], shown[cut:]) if part]


def element_text(draw, item, vertices):
    clauses = []
    if item.key and (item.key != KEYS[item.table] or draw(st.booleans())):
        clauses.append([f"KEY {listed(item.key)}"])
    if isinstance(item, EdgeTable):
        for word, end in (("SOURCE", item.source), ("DESTINATION", item.destination)):
            vertex = next(known for known in vertices if known.name == end.vertex)
            keys = "" if end.keys == vertex.key and draw(st.booleans()) else listed(end.keys)
            clauses.append([f"{word} KEY {listed(end.columns)} REFERENCES {quoted(end.vertex.swapcase() if end.vertex.swapcase().casefold() == end.vertex.casefold() else end.vertex)} {keys}"])  # fmt: skip
        if item.valid_from is not None:
            clauses.append([f"VALID FROM {quoted(item.valid_from)} TO {quoted(item.valid_to)}"])
    if item.labels != (item.name,) or draw(st.booleans()):
        clauses.append([f"LABEL {quoted(label)}" for label in item.labels])
    clauses.append(properties_text(draw, item))
    clauses = draw(st.permutations(clauses))
    alias = "" if item.name == item.table.rpartition(".")[2] else f" AS {quoted(item.name)}"
    return f"{table_text(item.table)}{alias} {' '.join(part for clause in clauses for part in clause)}"


def graph_text(draw, graph):
    vertices = ", ".join(element_text(draw, item, graph.vertices) for item in graph.vertices)
    text = f"CREATE PROPERTY GRAPH g {draw(st.sampled_from(['VERTEX', 'Node']))} TABLES ({vertices})"
    if graph.edges or draw(st.booleans()):
        edges = ", ".join(element_text(draw, item, graph.vertices) for item in graph.edges)
        text += f" {draw(st.sampled_from(['EDGE', 'relationship']))} TABLES ({edges})"
    return text


def clashes(graph):
    """Whether a property of one label has two types, found without the code that refuses it."""
    for items in (graph.vertices, graph.edges):
        seen = {}
        for item in items:
            columns = COLUMNS[item.table]
            given = [(name, name) for name in columns] if item.properties is None else item.properties
            for label in item.labels:
                for name, column in given:
                    key = label.casefold(), name.casefold()
                    if seen.setdefault(key, columns[column]) != columns[column]:
                        return True
    return False


SETTINGS = {
    "deadline": None,
    "suppress_health_check": [
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
    ],
}


@given(st.data())
@settings(max_examples=60, **SETTINGS)
def test_a_definition_goes_round(bench, data):
    wanted = data.draw(graphs())
    text = graph_text(data.draw, wanted)
    with bench.transaction() as tx:
        if clashes(wanted):
            with pytest.raises(KadeQLBindError, match="of label"):
                tx.kadeql(text)
        else:
            tx.kadeql(text)
            found = graph_of(tx.view, None)
            assert found == wanted
            assert PropertyGraph.of("g", found.definition) == wanted
            (told,) = tx.kadeql("SHOW CREATE PROPERTY GRAPH g").to_arrow().to_pylist()
            tx.kadeql("DROP PROPERTY GRAPH g")
            tx.kadeql(told["sql"])
            assert graph_of(tx.view, "G") == wanted
            described = tx.kadeql("DESCRIBE GRAPH g").to_arrow()
            assert described["name"].to_pylist() == [e.name for e in (*wanted.vertices, *wanted.edges)]
        tx.rollback()


@given(st.data())
@settings(max_examples=40, **SETTINGS)
def test_names_change_below_a_definition(bench, data):
    graph = data.draw(graphs())
    assume(not clashes(graph))
    names = {table: table for table in COLUMNS}
    columns = {table: {column: column for column in held} for table, held in COLUMNS.items()}
    with bench.transaction() as tx:
        tx.kadeql(graph_text(data.draw, graph))
        for turn in range(data.draw(st.integers(1, 5))):
            table = data.draw(st.sampled_from(list(COLUMNS)))
            now = names[table]
            where = table_text(now) if now == table else quoted(now)
            if data.draw(st.booleans()):
                names[table] = f"new {turn}"
                # A table's own name stays in its schema; SET SCHEMA main takes it out first.
                if now == "sale s.city":
                    tx.kadeql(f"ALTER TABLE {where} SET SCHEMA main")
                    where = quoted("city")
                tx.kadeql(f"ALTER TABLE {where} RENAME TO {quoted(names[table])}")
                continue
            column = data.draw(st.sampled_from(list(COLUMNS[table])))
            tx.kadeql(
                f"ALTER TABLE {where} RENAME COLUMN {quoted(columns[table][column])} TO {quoted(f'c {turn}')}"
            )
            columns[table][column] = f"c {turn}"
        assert graph_of(tx.view, "g") == renamed(graph, names, columns)
        tx.rollback()


def renamed(graph, names, columns):
    of = {item.name: item.table for item in graph.vertices}

    def element(item):
        own = columns[item.table]
        properties = None if item.properties is None else tuple((n, own[c]) for n, c in item.properties)
        made = replace(
            item, table=names[item.table], key=tuple(own[c] for c in item.key), properties=properties
        )
        if not isinstance(item, EdgeTable):
            return made
        ends = [
            EdgeEnd(
                tuple(own[c] for c in end.columns),
                end.vertex,
                tuple(columns[of[end.vertex]][k] for k in end.keys),
            )
            for end in (item.source, item.destination)
        ]
        bounds = [None if c is None else own[c] for c in (item.valid_from, item.valid_to)]
        return replace(made, source=ends[0], destination=ends[1], valid_from=bounds[0], valid_to=bounds[1])

    return PropertyGraph(graph.name, tuple(map(element, graph.vertices)), tuple(map(element, graph.edges)))
