"""The planner's rules, each with a pattern before and its plan after, and the statistics that they go by."""

from __future__ import annotations

import numpy as np
import pytest
from graph_arrays import Edges, topology

from luma_bench.language.graph.pattern import Direction, Duplicates, Mode, Quantifier, Selector
from luma_bench.models.graph.statistics import statistics
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath, Times
from luma_bench.plan.graph.planner import plan
from luma_bench.plan.graph.steps import Close, Cross, Fold, Known, Search, Start, Walk

SPAN = (0, 0)


@pytest.fixture(scope="module")
def stats():
    """10,000 vertices and 50,000 random edges; a second table with one hub."""
    rng = np.random.default_rng(3)
    plain = Edges(0, 0, rng.integers(0, 10_000, 50_000), rng.integers(0, 10_000, 50_000))
    hub = Edges(0, 1, np.zeros(900, np.int64), np.arange(900))
    return statistics(topology([10_000, 1000], [plain, hub]))


def node(name, allowed=None, tables=(0,)):
    return BoundNode(name, tables, None if allowed is None else np.arange(allowed, dtype=np.int32))


def edge(name, direction="->", tables=(0,), **more):
    return BoundEdge(name, tables, Direction(direction), **more)


def path(*elements, variable=None, selector=None, mode=Mode.WALK, times=None):
    return BoundPath(variable, selector, mode, elements, times)


def match(*paths, needed=(), duplicates=Duplicates.COUNTED):
    return BoundMatch((BoundClause(paths),), frozenset(needed), duplicates)


def steps(planned):
    return [step for clause in planned.clauses for step in clause.steps]


def test_statistics_count_degrees_by_powers_of_two(stats) -> None:
    hub = stats.edges[1]
    assert stats.vertices == (10_000, 1000)
    assert (hub.source, hub.destination, hub.edges) == (0, 1, 900)
    assert (hub.out.vertices, hub.out.maximum, hub.out.mean, hub.out.met) == (1, 900, 900.0, 900.0)
    assert hub.out.histogram == (*[0] * 9, 1)
    assert (hub.into.vertices, hub.into.maximum, hub.into.histogram) == (900, 1, (900,))
    assert hub.out.at_least(512) == 1
    assert hub.into.at_least(2) == 0


def test_statistics_of_later_and_dead_edges() -> None:
    topo = topology([4], [Edges(0, 0, [0, 0, 1, 2], [1, 2, 2, 3], dead=[1], later=1)])
    found = statistics(topo).edges[0]
    assert (found.edges, found.changed) == (3, 2)
    assert statistics(topo) is statistics(topo)


def test_rule_1_starts_at_the_selective_end_and_walks_against_the_edges(stats) -> None:
    pattern = path(node("a"), edge("r"), node("b"), edge("s"), node("c", 1))
    planned = plan(match(pattern, needed={"a", "b", "c"}), stats)
    assert planned.lines()[0] == "start at (c) · 1 vertices · about 1 rows · rule 1 selective start"
    assert planned.lines()[1].startswith("walk (c)<-[s]-(b) against the edges · about ")
    assert planned.lines()[2].startswith("walk (b)<-[r]-(a) against the edges · about ")
    assert planned.rows == pytest.approx(25, rel=0.5)


def test_rule_1_goes_by_the_shortest_list_when_both_ends_are_bound(stats) -> None:
    pattern = path(node("a", 50), edge("r"), node("b"), edge("s", tables=(1,)), node("c", 1, tables=(1,)))
    assert isinstance(steps(plan(match(pattern, needed={"b"}), stats))[0], Start)
    assert "start at (c)" in plan(match(pattern, needed={"b"}), stats).lines()[0]


def test_rule_2_counts_two_hops_by_degrees(stats) -> None:
    pattern = path(node("a"), edge("@1"), node("b"), edge("@2"), node("c"))
    planned = plan(match(pattern), stats)
    assert [type(step) for step in steps(planned)] == [Start, Fold, Fold]
    assert "start at (b)" in planned.lines()[0]
    assert all("rule 2 factorise" in line for line in planned.lines()[1:])


def test_rule_2_leaves_what_is_read(stats) -> None:
    pattern = path(node("a"), edge("@1"), node("b"), edge("s"), node("c"))
    planned = plan(match(pattern, needed={"a", "s"}), stats)
    assert sum(isinstance(step, Walk) for step in steps(planned)) == 2
    assert not any(isinstance(step, Fold) for step in steps(planned))


def test_rule_2_folds_a_tree_of_any_shape(stats) -> None:
    first = path(node("a"), edge("@1"), node("b"), edge("@2"), node("c", 5000))
    second = path(node("b"), edge("@3", "<-"), node("d"), edge("@4", "-"), node("e"))
    planned = plan(match(first, second, needed={"a"}), stats)
    fold = steps(planned)[-1]
    assert isinstance(fold, Fold)
    assert len(fold.tree.ways) == 4


def test_rule_3_leaves_unbound_joins_of_all_rows_to_sql(stats) -> None:
    pattern = path(*(item for at in range(4) for item in (node(f"n{at}"), edge(f"e{at}"))), node("z"))
    names = {"n0", "n1", "n2", "n3", "z"}
    planned = plan(match(pattern, needed=names, duplicates=Duplicates.NEEDED), stats)
    assert planned.sql
    assert planned.lines()[-1].startswith("rule 3 joins in SQL: no side is bound and about ")
    assert not plan(match(pattern, needed=names), stats).sql
    bound = path(node("n0", 1), *pattern.elements[1:])
    assert not plan(match(bound, needed=names, duplicates=Duplicates.NEEDED), stats).sql


def test_rule_4_closes_cycles_by_intersection(stats) -> None:
    pattern = path(node("a"), edge("@1"), node("b"), edge("@2"), node("c"), edge("@3"), node("a"))
    planned = plan(match(pattern), stats)
    assert [type(step) for step in steps(planned)] == [Start, Walk, Walk]
    assert planned.lines()[-1].startswith("intersect (")
    assert planned.lines()[-1].endswith("rule 4 intersection")


def test_rule_4_looks_a_self_loop_up(stats) -> None:
    planned = plan(match(path(node("a"), edge("@1"), node("a")), needed={"a"}), stats)
    assert [type(step) for step in steps(planned)] == [Start, Close]


def test_rule_5_reaches_instead_of_walking(stats) -> None:
    far = edge("@1", quantifier=Quantifier(1, 4, SPAN))
    pattern = path(node("a", 1), far, node("b"))
    ignored = plan(match(pattern, needed={"b"}, duplicates=Duplicates.IGNORED), stats)
    assert ignored.lines()[1].startswith("reach (a)-[]->{1,4}(b) · ")
    assert ignored.lines()[1].endswith("rule 5 reachability")
    assert plan(match(pattern, needed={"b"}), stats).lines()[1].startswith("walk (a)-[]->{1,4}(b)")


def test_rule_6_says_that_times_are_held_while_searching(stats) -> None:
    far = edge("f", quantifier=Quantifier(1, 3, SPAN))
    pattern = path(node("a", 1), far, node("b"), variable="p", times=Times(strict=False))
    planned = plan(match(pattern, needed={"p"}), stats)
    assert planned.lines()[1].startswith("search p WALK from its first node · about ")
    assert planned.lines()[1].endswith("rule 6 time in the search")


def test_rule_7_says_that_an_index_is_stale() -> None:
    topo = topology([4], [Edges(0, 0, [0, 0, 1, 2], [1, 2, 2, 3], later=1)])
    planned = plan(match(path(node("a"), edge("r"), node("b")), needed={"r"}), statistics(topo))
    assert planned.lines()[-1] == (
        "rule 7 compact first: more than 1 % of the edges of table 0 came after its index was built"
    )


def test_a_searched_path_is_searched_from_what_is_bound(stats) -> None:
    shortest = path(
        node("b"),
        edge("f", quantifier=Quantifier(1, None, SPAN)),
        node("c"),
        variable="p",
        selector=Selector("any", 1, SPAN),
    )
    planned = plan(match(path(node("a", 1), edge("r"), node("b")), shortest, needed={"p"}), stats)
    last = steps(planned)[-1]
    assert isinstance(last, Search)
    assert (last.ends, last.joined) == ((True, False), {"b"})


def test_an_edge_in_two_places_is_known_in_the_second(stats) -> None:
    planned = plan(
        match(
            path(node("a", 1), edge("r"), node("b")), path(node("c"), edge("r", "-"), node("d")), needed={"d"}
        ),
        stats,
    )
    assert isinstance(steps(planned)[-1], Known)


def test_parts_that_share_nothing_are_paired(stats) -> None:
    planned = plan(
        match(path(node("a", 10)), path(node("b", 5), edge("@1"), node("c")), needed={"a", "c"}), stats
    )
    assert any(isinstance(step, Cross) for step in steps(planned))
    assert any(line.startswith("  ") for line in planned.lines())


def test_optional_clauses_say_so(stats) -> None:
    first = BoundClause((path(node("a", 1)),))
    second = BoundClause((path(node("a"), edge("r"), node("b")),), optional=True)
    planned = plan(BoundMatch((first, second), frozenset({"a", "b"}), Duplicates.NEEDED), stats)
    assert planned.lines()[1] == "optional: rows without a match stay, with NULL"
    assert planned.clauses[1].binds == {"r", "b"}
