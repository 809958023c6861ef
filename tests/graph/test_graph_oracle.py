"""Random patterns through the whole product against brute force: over adjacency, as joins, and in every shape of statement."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracle_cases import names, planned, question, returned, rows, same
from random_graphs import Samples
from random_patterns import Asked, item_text, pattern_text

import luma_bench as lb

_FREE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
_FEW = settings(_FREE, max_examples=20)
places = st.integers(0, 11)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, places)
@_FREE
def test_adjacency_gives_what_brute_force_gives(
    random_bench: lb.Bench, random_samples: Samples, seed: int, place: int
) -> None:
    found = question(Random(seed), random_samples[place])
    assume(found is not None)
    assert found is not None
    with planned(random_bench, "csr"):
        same(rows(random_bench, returned(found[0], random_samples[place])), found[1])


@given(seeds, places)
@_FEW
def test_joins_give_what_brute_force_gives(
    random_bench: lb.Bench, random_samples: Samples, seed: int, place: int
) -> None:
    found = question(Random(seed), random_samples[place])
    assume(found is not None)
    assert found is not None
    with planned(random_bench, "sql"):
        same(rows(random_bench, returned(found[0], random_samples[place])), found[1])


@given(seeds, places)
@_FREE
def test_equal_matches_are_counted_and_left_out_as_the_query_asks(
    random_bench: lb.Bench, random_samples: Samples, seed: int, place: int
) -> None:
    sample = random_samples[place]
    found = question(Random(seed), sample)
    assume(found is not None)
    assert found is not None
    made, wanted = found
    items = [item_text(column) for column in made.columns]
    counted = Counter(map(repr, wanted))
    listed = ", ".join(f"{item} AS c{at}" for at, item in enumerate(items))
    with planned(random_bench, "csr"):
        assert rows(random_bench, returned(made, sample, "count(*) AS n")) == [(len(wanted),)]
        distinct = rows(random_bench, f"{pattern_text(made, on=sample.name)} RETURN DISTINCT {listed}")
        assert Counter(map(repr, distinct)) == Counter(counted.keys())
        grouped = rows(random_bench, returned(made, sample, f"{listed}, count(*) AS n"))
        assert {repr(row[:-1]): row[-1] for row in grouped} == counted
        first = {row[0] is None for row in wanted}
        some = rows(
            random_bench, returned(made, sample, f"count({items[0]}) AS n, count(DISTINCT {items[0]}) AS m")
        )
        assert some[0][0] == sum(row[0] is not None for row in wanted)
        assert some[0][1] == len({repr(row[0]) for row in wanted if row[0] is not None}), first


@given(seeds, places)
@_FEW
def test_a_match_stands_where_a_table_may(
    random_bench: lb.Bench, random_samples: Samples, seed: int, place: int
) -> None:
    sample = random_samples[place]
    found = question(Random(seed), sample)
    assume(found is not None)
    assert found is not None
    made, wanted = found
    text, columns = returned(made, sample), names(made)
    table = sample.graph.vertices[0].table
    many = len(sample.graph.vertices[0].rows)
    same(rows(random_bench, f"SELECT {columns} FROM ({text}) AS m"), wanted)
    same(rows(random_bench, f"WITH m AS ({text}) SELECT {columns} FROM m"), wanted)
    twice = f"SELECT {columns} FROM ({text}) AS m UNION ALL SELECT {columns} FROM ({text}) AS k"
    same(rows(random_bench, twice), wanted + wanted)
    crossed = f"SELECT count(*) FROM ({text}) AS m, {table} AS t"
    assert rows(random_bench, crossed) == [(len(wanted) * many,)]
    exists = f"SELECT count(*) FROM {table} AS t WHERE EXISTS ({text})"
    assert rows(random_bench, exists) == [(many if wanted else 0,)]


@given(seeds, places, st.integers(0, 3))
@_FEW
def test_a_condition_outside_of_a_match_is_one_inside(
    random_bench: lb.Bench, random_samples: Samples, seed: int, place: int, bound: int
) -> None:
    sample = random_samples[place]
    found = question(Random(seed), sample)
    assume(found is not None)
    assert found is not None
    made, wanted = found
    at = next((at for at, name in enumerate(made.columns) if name.endswith(".x")), None)
    assume(at is not None)
    assert at is not None
    plain = [row for row in wanted if isinstance(row[at], int) and row[at] >= bound]
    assume(not any(isinstance(row[at], list) for row in wanted))
    kind = {
        link.variable
        for clause in made.clauses
        for path in clause.paths
        for link in path.links
        if link.quantifier
    }
    assume(made.columns[at].partition(".")[0] not in kind)
    text = returned(made, sample)
    for plan in ("csr", "sql"):
        with planned(random_bench, plan):
            same(rows(random_bench, f"SELECT * FROM ({text}) AS m WHERE c{at} >= {bound}"), plain)
            given_ = rows(
                random_bench, f"SELECT * FROM ({text}) AS m WHERE c{at} >= $least", params={"least": bound}
            )
            same(given_, plain)


@pytest.mark.slow
@given(seeds, places)
@settings(_FREE, max_examples=1_500)
def test_many_more_patterns(random_bench: lb.Bench, random_samples: Samples, seed: int, place: int) -> None:
    found = question(Random(seed), random_samples[place])
    assume(found is not None)
    assert found is not None
    text = returned(found[0], random_samples[place])
    for plan in ("csr", "sql", "auto"):
        with planned(random_bench, plan):
            same(rows(random_bench, text), found[1])


def test_random_questions_are_not_empty_ones(random_samples: Samples) -> None:
    """The questions above say something: about half of them have rows, and every construct comes."""
    seen: Counter[str] = Counter()
    for seed in range(300):
        found = question(Random(seed), random_samples[seed % len(random_samples)])
        if found is None:
            continue
        made, wanted = found
        seen["rows"] += bool(wanted)
        seen["all"] += 1
        for name in _constructs(made):
            seen[name] += 1
    assert seen["rows"] > 0.4 * seen["all"]
    wanted_all: dict[str, Any] = dict.fromkeys(
        (
            "optional",
            "valid",
            "times",
            "several paths",
            "several clauses",
            "any",
            "all",
            "shortest",
            "cheapest",
        )
    )
    assert all(seen[name] >= 5 for name in wanted_all), seen


def _constructs(made: Asked) -> set[str]:
    found = {"several clauses"} if len(made.clauses) > 1 else set[str]()
    for clause in made.clauses:
        found |= {"optional"} if clause.optional else set()
        found |= {"valid"} if clause.valid_at is not None else set()
        found |= {"times"} if clause.times is not None else set()
        found |= {"several paths"} if len(clause.paths) > 1 else set()
        found |= {path.selector[0] for path in clause.paths if path.selector is not None}
    return found
