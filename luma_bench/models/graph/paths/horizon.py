"""Between one start and one end: what is left to go from each state, so that a search forward follows nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from luma_bench.models.graph.paths.enumerate import FAR, Remaining
from luma_bench.models.graph.paths.levels import Labels
from luma_bench.models.graph.paths.remaining import remaining
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.topology import Bools


@dataclass(slots=True, eq=False)
class Horizon:
    """Lets labels go on only to matches of at most `longest` edges.

    Attributes
    ----------
    left
        By position and vertex, the fewest edges to a match.
    beyond
        The length of the shortest match that something was left out for; `FAR` where nothing was.
    """

    left: Remaining
    longest: int
    beyond: int = FAR

    def near(self, labels: Labels, depth: int) -> Bools:
        """Which labels, `depth` edges long, may become such a match."""
        whole = self.left[labels.positions, labels.vertices] + np.int32(depth)
        near = whole <= self.longest
        self.beyond = min(self.beyond, int(whole[~near].min(initial=FAR)))
        return near


def horizon(scene: Scene, run: Run, *, whole: bool) -> Horizon | None:
    """The horizon of the shortest matches of a run with one start and one end; None where there is no match at all.

    Parameters
    ----------
    whole
        Look farther back than the start, for matches that are longer than the shortest.
    """
    back = scene.run(frozenset(), turned=not run.program.turned).arcs[::-1]
    start = int(run.starts[0])
    left = remaining(
        run.program, run.gates, back, run.ends, scene.topology.vertex_count, scene.control,
        until=None if whole else start,
    )  # fmt: skip
    length = int(left[0][start])
    return None if length >= FAR else Horizon(left, length)
