"""Numbers for the states of a search, and how often each was met."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from luma_bench.models.graph.paths.levels import Labels
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.topology import Bools, Ints

DENSE = 1 << 25
"""States that have a cell each; where there are more, only those that are met are kept."""


@dataclass(slots=True, eq=False)
class States:
    """Numbers of (origin, position, vertex) and of what a program compares later.

    Attributes
    ----------
    size
        How many origins, positions and vertices there are.
    dense
        How many numbers there can be, where they are few; else 0.
    """

    size: tuple[int, int, int]
    dense: int
    _used: Bools
    _checked: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def of(self, labels: Labels) -> Ints:
        """The state of each label."""
        origins, positions, vertices = self.size
        numbers = (labels.origins * positions + labels.positions) * vertices + labels.vertices
        if not len(labels.checked) or not len(labels):
            return numbers
        # What was bound has as many values as a search meets: each gets a number when it is first met.
        # What nothing is compared with any more tells no states apart.
        checked = np.where(self._used[:, labels.positions], labels.checked, -1)
        different, inverse = np.unique(checked.T, axis=0, return_inverse=True)
        known = self._checked
        codes = np.array([known.setdefault(row.tobytes(), len(known)) for row in different], np.int64)
        return codes[inverse.ravel()] * (origins * positions * vertices) + numbers


def states_of(program: Program, origins: int, vertices: int) -> States:
    """The states of a search from so many starts, before any is met."""
    positions = program.final + 1
    used = np.zeros((len(program.columns), positions), np.bool_)
    if program.checks:
        used = np.array([program.used(position) for position in range(positions)]).T
    cells = origins * positions * vertices
    dense = cells if cells <= DENSE and not program.checks else 0
    return States((origins, positions, vertices), dense, used)


class Tally:
    """How often states were met.

    Parameters
    ----------
    cells
        How many states there can be; 0 keeps only those that are met.
    """

    __slots__ = ("_cells", "_counts", "_states")

    def __init__(self, cells: int) -> None:
        self._cells = np.zeros(cells, np.int32) if cells else None
        self._states = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self._states.nbytes + self._counts.nbytes + (0 if self._cells is None else self._cells.nbytes)

    def of(self, states: Ints) -> Ints:
        """How often each of these was met."""
        if self._cells is not None:
            return self._cells[states].astype(np.int64)
        if not len(self._states):
            return np.zeros(len(states), np.int64)
        places = np.minimum(np.searchsorted(self._states, states), len(self._states) - 1)
        return np.where(self._states[places] == states, self._counts[places], 0)

    def add(self, states: Ints, counts: Ints) -> None:
        """Meet states (ascending, each once) some times more."""
        if self._cells is not None:
            self._cells[states] += counts
            return
        places = np.searchsorted(self._states, states)
        inside = np.minimum(places, max(len(self._states) - 1, 0))
        known = self._states[inside] == states if len(self._states) else np.zeros(len(states), np.bool_)
        self._counts[places[known]] += counts[known]
        self._states = np.insert(self._states, places[~known], states[~known])
        self._counts = np.insert(self._counts, places[~known], counts[~known])
