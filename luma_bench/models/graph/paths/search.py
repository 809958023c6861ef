"""Path search: which way to search a path pattern, and its bindings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Duplicates, Mode
from luma_bench.models.control import Control
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.paths.cheapest import cheapest
from luma_bench.models.graph.paths.chunk import Keep
from luma_bench.models.graph.paths.counting import counted, repeated
from luma_bench.models.graph.paths.ends import by_ends
from luma_bench.models.graph.paths.enumerate import Enumeration
from luma_bench.models.graph.paths.exists import pairs
from luma_bench.models.graph.paths.found import Assembly, Found, Wanted
from luma_bench.models.graph.paths.lengthwise import tied_journeys
from luma_bench.models.graph.paths.program import compiled
from luma_bench.models.graph.paths.ranked import ranked
from luma_bench.models.graph.paths.remaining import remaining
from luma_bench.models.graph.paths.restricted import Allowed, others
from luma_bench.models.graph.paths.scene import Run, Scene, refuse_repeated_groups, refuse_unbounded
from luma_bench.models.graph.paths.simple import any_shortest, is_simple
from luma_bench.models.graph.paths.tied import tied
from luma_bench.models.graph.topology import Ids, Ints, Topology
from luma_bench.plan.graph.bound import BoundPath


def search(
    topology: Topology,
    path: BoundPath,
    engine: GraphEngine,
    control: Control,
    sources: Ids | None,
    targets: Ids | None,
    ranks: Ints | None,
    needed: frozenset[str],
    duplicates: Duplicates,
) -> Iterator[Bindings]:
    """The matches of a path pattern with quantifiers, a selector, a mode or times, in batches.

    Parameters
    ----------
    sources, targets
        Dense ids that the first and the last node are restricted to, beyond their own conditions; None for no more.
    ranks
        int64 by dense id: the order that decides between equal paths; dense ids themselves for None.
    needed
        Variables to bind; those that are not this path's are ignored.
    duplicates
        Of the rows of `needed`. Where they are counted and nothing of the way is needed, rows come with weights;
        where they are ignored, rows may still repeat between batches.

    Raises
    ------
    UnsupportedError
        An unbounded edge that neither selector nor mode bounds, or a quantified edge's variable in two places.
    CancelledError, ResourceError
        By `control`.
    """
    refuse_repeated_groups(path)
    if path.selector is None and path.mode is Mode.WALK:
        refuse_unbounded(path)
    scene = Scene(
        topology,
        path,
        engine,
        control,
        sources,
        targets,
        np.arange(topology.vertex_count) if ranks is None else ranks,
        Wanted.of(path, needed),
        duplicates,
    )
    if not len(scene.starts) or not len(scene.ends):
        return iter(())
    return _searched(scene)


def _searched(scene: Scene) -> Iterator[Bindings]:
    path = scene.path
    known = pairs(scene) if path.selector is not None or path.mode is not Mode.WALK else None
    if known is not None:
        return known
    if path.selector is not None:
        return _selected(scene)
    if path.mode is Mode.WALK and path.times is None and not scene.wanted.ways:
        exist = scene.duplicates is Duplicates.IGNORED
        found = by_ends(scene, exist=exist) or counted(scene, exist=exist)
        needed = scene.duplicates is Duplicates.NEEDED
        return repeated(found, scene.control) if needed else found
    return _enumerated(scene)


def _selected(scene: Scene) -> Iterator[Bindings]:
    """What the path's selector keeps of the matches of each pair of ends."""
    path, selector = scene.path, scene.path.selector
    assert selector is not None
    quota = {"all": None, "shortest": selector.count}.get(selector.kind, 1)
    run, found = walks(scene, selector.kind, quota)
    turned = run.program.turned
    allowed = None
    if path.mode is not Mode.WALK:
        allowed = Allowed(scene)
        found = allowed.of(found, turned=turned)
    output = compiled(path, scene.wanted.carried, turned=turned)
    yield from Assembly(path, output, scene.wanted, run.arcs, scene.control).batches(found)
    if allowed is not None:
        run = scene.run(scene.wanted.carried)
        assembly = Assembly(path, run.program, scene.wanted, run.arcs, scene.control)
        yield from assembly.batches(others(scene, allowed.pairs, quota))


def walks(scene: Scene, kind: str, quota: int | None) -> tuple[Run, Iterator[Found]]:
    """The best walks of each pair of ends, whatever the path's mode, and the run that found them."""
    run = scene.run(frozenset())
    if kind == "cheapest":
        return run, cheapest(scene, run)
    if quota == 1 and is_simple(scene, run.program):
        return run, any_shortest(scene, run)
    if quota is None and scene.path.times is not None:
        run = scene.run(scene.wanted.carried)
        return run, tied_journeys(scene, run)
    run = scene.run(frozenset(), turned=scene.cheaper_turned)
    return run, tied(scene, run) if quota is None else ranked(scene, run, quota)


def _enumerated(scene: Scene) -> Iterator[Bindings]:
    """Every match, one after the other."""
    run = scene.run(scene.wanted.carried, turned=scene.cheaper_turned)
    ways = scene.wanted.ways
    enumeration = Enumeration(
        run.program,
        run.gates,
        run.arcs,
        scene.control,
        scene.path.mode,
        run.clock,
        Keep(ways, ways, ways),
        pruning(scene, run),
    )
    assembly = Assembly(scene.path, run.program, scene.wanted, run.arcs, scene.control)
    found = (Found.of(chunk) for chunk in enumeration.run(run.starts))
    return assembly.batches(found)


PRUNED = 1 << 26
"""Cells of the table that prunes a search: beyond them it goes without."""


def pruning(scene: Scene, run: Run) -> np.ndarray | None:
    """What is left to go from each vertex and position, where that may save more than it costs; else None."""
    program = run.program
    vertices = scene.topology.vertex_count
    if (
        all(run.gates.open(node) for node in range(1, len(program.nodes)))
        or vertices * (program.final + 1) > PRUNED
    ):
        return None
    if program.longest is not None and 16 * len(run.ends) > vertices:
        return None
    back = scene.run(frozenset(), turned=not program.turned).arcs[::-1]
    return remaining(program, run.gates, back, run.ends, vertices, scene.control, most=program.longest)
