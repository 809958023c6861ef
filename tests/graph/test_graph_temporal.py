"""TIME RESPECTING against trying everything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from path_checks import check
from path_worlds import worlds

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine
from luma_bench.models.graph.paths import clock

CASES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
RESTRICTED = (Mode.TRAIL, Mode.ACYCLIC, Mode.SIMPLE)
SHORTEST = [("any", 1), ("all", 1), ("shortest", 1), ("shortest", 2), ("shortest", 3)]
COSTS = (0, 0, 0, 1, 2)
KINDS = {
    "journeys": ({"edges": 5}, 11),
    "shortest": ({"selectors": SHORTEST, "modes": (Mode.WALK,), "edges": 4, "vertices": 4}, 7),
    "shortest, modes": ({"selectors": SHORTEST, "modes": RESTRICTED, "edges": 4, "vertices": 4}, 8),
    "cheapest": ({"selectors": [("cheapest", 1)], "edges": 4, "vertices": 4, "costs": COSTS}, 7),
}


@pytest.mark.parametrize("timetable", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_keeps_to_the_times(kind, timetable, monkeypatch):
    options, longest = KINDS[kind]
    if timetable:
        monkeypatch.setattr(clock, "PAYS", 0)

    @CASES
    @given(worlds(timed=True, **options))
    def agrees(world):
        assert check(world, NumpyEngine(), longest) >= 0

    agrees()
