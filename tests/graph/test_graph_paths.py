"""Path search against trying everything: random multigraphs, patterns, modes, selectors and costs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from path_checks import check
from path_worlds import worlds

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine

CASES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RESTRICTED = (Mode.TRAIL, Mode.ACYCLIC, Mode.SIMPLE)
SHORTEST = [("any", 1), ("all", 1), ("shortest", 1), ("shortest", 2), ("shortest", 3)]
CHEAPEST = [("cheapest", 1)]
KINDS = {
    "walks": ({"modes": (Mode.WALK,)}, 9),
    "modes": ({"modes": RESTRICTED, "edges": 5}, 11),
    "one edge, modes": ({"modes": RESTRICTED, "edges": 4, "length": 1, "quantified": 1, "least": 1}, 9),
    "any shortest": ({"selectors": SHORTEST[:1], "modes": (Mode.WALK,), "edges": 4, "vertices": 4}, 7),
    "one edge, any shortest": (
        {
            "selectors": SHORTEST[:1], "modes": (Mode.WALK,), "edges": 5, "vertices": 6, "length": 1, "quantified": 1, "least": 1
        },
        7,
    ),
    "all shortest": ({"selectors": SHORTEST[1:2], "modes": (Mode.WALK,), "edges": 4, "vertices": 4}, 7),
    "k shortest": ({"selectors": SHORTEST[2:], "modes": (Mode.WALK,), "edges": 4, "vertices": 4}, 7),
    "shortest, modes": ({"selectors": SHORTEST, "modes": RESTRICTED, "edges": 4, "vertices": 4}, 8),
    "one edge, shortest, modes": (
        {"selectors": SHORTEST, "modes": RESTRICTED, "edges": 4, "vertices": 5, "length": 1, "quantified": 1, "least": 1},
        8,
    ),
    "cheapest": ({"selectors": CHEAPEST, "modes": (Mode.WALK,), "edges": 4, "vertices": 4, "costs": (0.5, 1, 2)}, 7),
    "cheapest, costs of zero": (
        {"selectors": CHEAPEST, "modes": (Mode.WALK,), "edges": 4, "vertices": 4, "costs": (0, 0, 0, 1, 2)},
        7,
    ),
    "one edge, cheapest": (
        {
            "selectors": CHEAPEST, "modes": (Mode.WALK,), "edges": 5, "vertices": 5, "costs": (1, 2, 3),
            "length": 1, "quantified": 1, "least": 1,
        },
        7,
    ),
    "one edge, cheapest, costs of zero": (
        {
            "selectors": CHEAPEST, "modes": (Mode.WALK,), "edges": 5, "vertices": 4, "costs": (0, 0, 0, 1, 2),
            "length": 1, "quantified": 1,
        },
        7,
    ),
    "cheapest, modes": (
        {"selectors": CHEAPEST, "modes": RESTRICTED, "edges": 4, "vertices": 4, "costs": (0, 0, 0, 1, 2)},
        8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_finds_what_trying_everything_finds(kind):
    options, longest = KINDS[kind]

    @CASES
    @given(worlds(**options))
    def agrees(world):
        assert check(world, NumpyEngine(), longest) >= 0

    agrees()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_searches_find_what_trying_everything_finds(kind):
    options, longest = KINDS[kind]

    @MANY
    @given(worlds(**options))
    def agrees(world):
        assert check(world, NumpyEngine(), longest) >= 0

    agrees()
