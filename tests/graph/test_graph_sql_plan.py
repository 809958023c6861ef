"""The SQL of a pattern against brute force, run by DuckDB over Arrow tables alone: no storage, no language, no kernels."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import brute
import duckdb
import pyarrow as pa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_graphs import Sample, sample
from random_patterns import Asked, asked, expected, literal
from thorough import drawn

from luma_bench.language.graph.pattern import (
    Clause,
    Comparison,
    Condition,
    Direction,
    Duplicates,
    EdgePattern,
    Expression,
    Label,
    Match,
    Mode,
    NodePattern,
    PathPattern,
    Quantifier,
    Selector,
    TimeRespecting,
    Use,
    Value,
)
from luma_bench.language.placed import Query
from luma_bench.language.rewrite import OffsetMap
from luma_bench.plan.graph.to_sql import joins
from luma_bench.plan.graph.to_sql_elements import Answered
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable
from luma_bench.types.schema import rows_relation

_NOWHERE = (0, 0)


def query(sql: str) -> Query:
    return Query(
        source=sql, start=0, end=len(sql), whole=sql, sql=sql, offsets=OffsetMap.verbatim(0, len(sql))
    )


def condition(test: brute.Test) -> Condition:
    op = test.op.upper() if test.op.startswith("is") else f"{test.op} {literal(test.value)}"
    simple = None if test.op.startswith("is") else Comparison(test.property, test.op, test.value, None)
    sql = f'SELECT e._rowid FROM "__luma_rows_@element" AS e WHERE (e.{test.property} {op})'
    return Condition(query(sql), ((test.property, _NOWHERE),), _NOWHERE, simple)


def expression(name: str) -> Expression:
    sql = f'SELECT e._rowid, (e.{name}) AS value FROM "__luma_rows_@element" AS e'
    return Expression(query(sql), ((name, _NOWHERE),), _NOWHERE, name)


def value(item: Any) -> Value | None:
    return None if item is None else Value(query(f"SELECT ({literal(item)}) AS value"), _NOWHERE)


def as_match(question: Asked) -> Match:
    clauses = tuple(
        Clause(
            tuple(_path(path) for path in clause.paths),
            clause.optional,
            value(clause.valid_at),
            None
            if clause.times is None
            else TimeRespecting(
                clause.times.variable,
                expression(clause.times.depart),
                expression(clause.times.arrive),
                clause.times.strict,
                value(clause.times.within),
                value(clause.times.starting),
                _NOWHERE,
            ),
            _NOWHERE,
        )
        for clause in question.clauses
    )
    return Match(
        "@match 0", None, _NOWHERE, clauses, tuple(map(use, question.columns)), (), Duplicates.NEEDED,
        frozenset(), False, _NOWHERE, "",
    )  # fmt: skip


def use(column: str) -> Use:
    variable, _, what = column.partition(".")
    return Use(column, variable, None if not what or what.startswith("@") else what, _NOWHERE)


def _path(path: brute.Path) -> PathPattern:
    selector = None if path.selector is None else Selector(path.selector[0], path.selector[1], _NOWHERE)
    elements = tuple(
        NodePattern(item.variable, _labels(item), tuple(map(condition, item.tests)), _NOWHERE)
        if isinstance(item, brute.Node)
        else EdgePattern(
            item.variable,
            _labels(item),
            Direction(item.direction),
            tuple(map(condition, item.tests)),
            None if item.quantifier is None else Quantifier(*item.quantifier, _NOWHERE),
            None if item.cost is None else expression(item.cost),
            _NOWHERE,
        )
        for item in path.elements
    )
    return PathPattern(path.variable, selector, Mode(path.mode), elements, _NOWHERE)


def _labels(item: brute.Node | brute.Link) -> tuple[Label, ...]:
    return tuple(Label(name, _NOWHERE) for name in item.labels)


def as_graph(graph: brute.Graph) -> PropertyGraph:
    def properties(item: brute.Element) -> tuple[tuple[str, str], ...] | None:
        return None if item.properties is None else tuple(item.properties.items())

    def end(found: tuple[tuple[str, ...], int, tuple[str, ...]]) -> EdgeEnd:
        return EdgeEnd(found[0], graph.vertices[found[1]].name, found[2])

    return PropertyGraph(
        "g",
        tuple(VertexTable(i.name, i.table, i.key, i.labels, properties(i)) for i in graph.vertices),
        tuple(
            EdgeTable(
                i.name, i.table, i.key, i.labels, properties(i),
                source=end(i.source), destination=end(i.destination), valid_from=i.valid[0], valid_to=i.valid[1],
            )
            for i in graph.edges
        ),
    )  # fmt: skip


def run(given: Sample, question: Asked, **options: Any) -> list[tuple[Any, ...]]:
    columns = {name: table.column_names for name, table in given.tables.items()}
    match = as_match(question)
    sql = joins(match, as_graph(given.graph), columns, match.uses, **options)
    assert sql is not None
    with duckdb.connect() as con:
        con.execute("SET threads = 1")
        for name, table in given.tables.items():
            rows = table.add_column(0, "_rowid", pa.array(range(len(table)), pa.int64()))
            con.register(rows_relation(name), rows)
        found = con.execute(f'CREATE TEMP VIEW "@match 0" AS {sql}').execute('FROM "@match 0"').fetchall()
    assert all(row[-1] == 1 for row in found)
    return [row[:-1] for row in found]


def ordered(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=drawn(80), deadline=None, suppress_health_check=list(HealthCheck))
def test_random_patterns_over_random_graphs(seed: int) -> None:
    random = Random(seed)
    given_ = sample(random, small=True)
    question = asked(random, given_.graph)
    question = Asked(question.clauses, question.columns)
    try:
        wanted = expected(brute.Matcher(given_.graph, most=1500), question)
    except OverflowError:
        assume(False)
        return
    assert ordered(run(given_, question)) == ordered(wanted)


def one_path(
    *elements: brute.Node | brute.Link, mode: str = "WALK", columns: tuple[str, ...] = ("a.x",)
) -> Asked:
    return Asked((brute.Clause((brute.Path(elements, None, mode),)),), columns)


def columns_of(given: Sample) -> dict[str, list[str]]:
    return {name: table.column_names for name, table in given.tables.items()}


def test_an_unbounded_walk_and_an_edge_named_twice_are_left_to_other_plans() -> None:
    given_ = sample(Random(1))
    everything = (brute.Node("a"), brute.Link("r", quantifier=(1, None)), brute.Node("b"))
    twice = (brute.Node("a"), brute.Link("r"), brute.Node("b"), brute.Link("r"), brute.Node("c"))
    for question in (one_path(*everything), one_path(*twice)):
        match = as_match(question)
        assert joins(match, as_graph(given_.graph), columns_of(given_), match.uses) is None
    trail = as_match(one_path(*everything, mode="TRAIL"))
    assert joins(trail, as_graph(given_.graph), columns_of(given_), trail.uses) is not None


def test_paths_of_large_graphs_are_not_chosen_by_enumeration() -> None:
    given_ = sample(Random(1))
    path = brute.Path(
        (brute.Node("a"), brute.Link("r", quantifier=(1, None)), brute.Node("b")), "p", "WALK", ("any", 1)
    )
    match = as_match(Asked((brute.Clause((path,)),), ("p.@length",)))
    graph, columns = as_graph(given_.graph), columns_of(given_)
    assert joins(match, graph, columns, match.uses) is not None
    assert joins(match, graph, columns, match.uses, rows=dict.fromkeys(columns, 1_000_000)) is None


def test_an_edge_between_two_tables_is_two_joins_over_its_own_keys() -> None:
    """The commonest pattern reads each table once: no numbers of vertices are made where keys say enough."""
    given_ = next(
        s for s in (sample(Random(n)) for n in range(50)) if len(s.graph.vertices) == len(s.graph.edges) == 1
    )
    match = as_match(one_path(brute.Node("a"), brute.Link("r"), brute.Node("b")))
    sql = joins(match, as_graph(given_.graph), columns_of(given_), match.uses)
    assert sql is not None
    assert sql.count(f'"{rows_relation("g_v0")}"') == 2
    assert sql.count(f'"{rows_relation("g_e0")}"') == 1


def test_what_the_caller_has_answered_stands_as_a_relation() -> None:
    given_ = sample(Random(3))
    question = one_path(brute.Node("a", (), (brute.Test("x", ">=", 2),)), columns=("a.x",))
    match = as_match(question)
    held = Answered(rows=lambda condition, element: f"held {element.name}")
    sql = joins(match, as_graph(given_.graph), columns_of(given_), match.uses, answered=held)
    assert sql is not None
    assert ">= 2" not in sql
    with duckdb.connect() as con:
        for name, table in given_.tables.items():
            con.register(
                rows_relation(name), table.add_column(0, "_rowid", pa.array(range(len(table)), pa.int64()))
            )
        for element in given_.graph.vertices:
            rows = [at for at, row in enumerate(element.rows) if (row["x"] or 0) >= 2]
            con.register(f"held {element.name}", pa.table({"_rowid": pa.array(rows, pa.int64())}))
        found = con.execute(sql).fetchall()
    assert ordered([row[:1] for row in found]) == ordered(expected(brute.Matcher(given_.graph), question))


def test_columns_have_the_types_that_are_asked_for() -> None:
    given_ = sample(Random(5))
    question = Asked(
        (brute.Clause((brute.Path((brute.Node("a"), brute.Link("r"), brute.Node("b")), "p"),)),),
        ("a.x", "p.@length"),
    )
    match = as_match(question)
    types = {"a.x": "DECIMAL(9, 2)", "p.@length": "INTEGER"}
    sql = joins(match, as_graph(given_.graph), columns_of(given_), match.uses, types=types)
    assert sql is not None
    with duckdb.connect() as con:
        for name, table in given_.tables.items():
            con.register(
                rows_relation(name), table.add_column(0, "_rowid", pa.array(range(len(table)), pa.int64()))
            )
        shown = con.execute(f"DESCRIBE {sql}").fetchall()
    assert [(row[0], row[1]) for row in shown] == [
        ("a.x", "DECIMAL(9,2)"),
        ("p.@length", "INTEGER"),
        ("@n", "BIGINT"),
    ]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_equal_walks_may_be_one_where_nobody_counts_them(seed: int) -> None:
    random = Random(seed)
    given_ = sample(random, small=True)
    least = random.randrange(3)
    link = brute.Link(
        "@r", (), random.choice(("->", "<-", "-")), quantifier=(least, least + random.randrange(3))
    )
    question = one_path(brute.Node("a"), link, brute.Node("b"), columns=("a.@id", "b.@id"))
    match = replace(as_match(question), duplicates=Duplicates.IGNORED)
    sql = joins(match, as_graph(given_.graph), columns_of(given_), match.uses)
    assert sql is not None
    assert (" UNION SELECT" in sql) == (link.quantifier[1] > 0)
    with duckdb.connect() as con:
        for name, table in given_.tables.items():
            con.register(
                rows_relation(name), table.add_column(0, "_rowid", pa.array(range(len(table)), pa.int64()))
            )
        found = {((a >> 48, a % 2**48), (b >> 48, b % 2**48)) for a, b, _ in con.execute(sql).fetchall()}
    wanted = {(tuple(a), tuple(b)) for a, b in expected(brute.Matcher(given_.graph), question)}
    assert found == wanted
