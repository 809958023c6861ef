"""Which pairs of ends have a match at all: all that is asked of ANY paths, or of DISTINCT ends, when no path is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Duplicates, Mode
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.paths.closed import shortest_round
from luma_bench.models.graph.paths.ends import joined_pairs, reached
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.topology import Ids


def pairs(scene: Scene) -> Iterator[Bindings] | None:
    """A row for each pair of ends that has a match; None where a search of vertices does not tell.

    Where equal rows are ignored and one end is not wanted, a row for each value of the other.
    """
    path, wanted = scene.path, scene.wanted
    nodes = path.nodes
    first, last = nodes[0].variable, nodes[-1].variable
    one = path.selector is not None and path.selector.kind in ("any", "cheapest")
    if not (one or scene.duplicates is Duplicates.IGNORED) or path.times is not None or wanted.ways:
        return None
    if wanted.edges or wanted.nodes - {first, last} or scene.run(frozenset()).program.checks:
        return None
    least = 1 if path.edges[0].quantifier is None else path.edges[0].quantifier.least
    if path.mode is not Mode.WALK and (len(path.edges) > 1 or least > 1):
        return None
    apart = scene.duplicates is not Duplicates.IGNORED or len(wanted.nodes) == 2 or closing(scene)
    # Of the ends of which only one is wanted, the search goes to that one.
    turned = scene.cheaper_turned
    if not apart and wanted.nodes:
        turned = last not in wanted.nodes
    run = scene.run(frozenset(), turned=turned)
    return _apart(scene, run) if apart else _together(scene, run)


def closing(scene: Scene) -> bool:
    """Whether the mode refuses walks from a vertex to itself that are not refused between others."""
    path = scene.path
    least = 1 if path.edges[0].quantifier is None else path.edges[0].quantifier.least
    undirected = scene.arcs(path.edges[0]).undirected
    return least > 0 and (path.mode is Mode.ACYCLIC or (path.mode is Mode.TRAIL and undirected))


def _together(scene: Scene, run: Run) -> Iterator[Bindings]:
    ends = reached(scene, run, run.starts)
    if not len(ends):
        return
    if not scene.wanted.nodes:
        yield Bindings(1)
        return
    name = run.program.nodes[-1].variable
    for start in range(0, len(ends), scene.control.batch):
        held = ends[start : start + scene.control.batch]
        yield Bindings(len(held), {name: held})


def _apart(scene: Scene, run: Run) -> Iterator[Bindings]:
    first, last = run.program.nodes[0].variable, run.program.nodes[-1].variable
    refused = closing(scene)

    def found() -> Iterator[tuple[int, Ids, None]]:
        for start in run.starts.tolist():
            scene.control.check()
            ends = reached(scene, run, np.array([start], np.int32))
            if refused and not _comes_back(scene, run, start):
                ends = ends[ends != start]
            yield start, ends, None

    for batch in joined_pairs(found(), first, last, scene.control.batch):
        kept = {name: ids for name, ids in batch.nodes.items() if name in scene.wanted.nodes}
        yield Bindings(batch.rows, kept)


def _comes_back(scene: Scene, run: Run, start: int) -> bool:
    if scene.path.mode is Mode.ACYCLIC:
        return False
    most = run.program.most[0]
    return shortest_round(run.arcs[0], start, most, scene.ranks, scene.control) is not None
