"""What an algorithm over a whole graph takes and gives, said once for all who offer it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError, choices
from luma_bench.models.control import Control
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.topology import Bools, Csr, Ids, Topology

Kind = Literal["int", "float", "bool", "vertex", "edge column", "vertex column", "time"]
"""What a value is: a number or truth; `vertex` a dense id; an `edge column` an array by global slot and a `vertex column` one
by dense id (NumPy or Arrow, NULL as NaN or by a mask); `time` an int64 in the unit of the columns of times."""

_WORDS: Mapping[str, str] = {"int": "a whole number", "float": "a number", "bool": "true or false"}


class Merge(Protocol):
    """Gives the adjacency of the whole graph; see `merged.merged`."""

    def __call__(
        self,
        topology: Topology,
        tables: tuple[int, ...] | None = None,
        *,
        reverse: bool = False,
        undirected: bool = False,
        allowed: Mapping[int, Bools] | None = None,
    ) -> Csr:
        """The live edges of some tables by vertex, with global slots."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of an algorithm.

    Attributes
    ----------
    least, most
        Bounds of a number, both allowed themselves.
    times
        Whether an edge column holds times, as int64 in one unit; other columns hold numbers, as float64.
    """

    name: str
    kind: Kind
    help: str
    default: int | float | bool | None = None
    required: bool = False
    least: float = -math.inf
    most: float = math.inf
    times: bool = False

    def problem(self, value: object) -> str | None:
        """What is wrong with a value that is not a vertex, column or time, as the end of a sentence; None when nothing is."""
        if self.kind not in _WORDS or (value is None and not self.required):
            return None
        truth = isinstance(value, bool | np.bool_)
        kinds = {
            "int": int | np.integer,
            "float": int | float | Decimal | np.integer | np.floating,
            "bool": bool | np.bool_,
        }
        if not isinstance(value, kinds[self.kind]) or truth != (self.kind == "bool"):
            return f"{self.name} is {_WORDS[self.kind]}, not {value!r}"
        number: Any = value
        if not self.least <= number <= self.most:
            return f"{self.name} is {self._range()}, not {value!r}"
        return None

    def _range(self) -> str:
        if math.isinf(self.most):
            return f"{self.least:g} or more"
        return f"from {self.least:g} to {self.most:g}"


class ResultColumn(NamedTuple):
    """A column of a result, beside the vertex.

    Attributes
    ----------
    like
        The argument whose column's type it has; its numbers are in that column's unit.
    needs
        The argument without which it is not there.
    """

    name: str
    type: pa.DataType
    help: str
    like: str | None = None
    needs: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AlgorithmResult:
    """A row for each of some vertices.

    Attributes
    ----------
    vertices
        int32 dense ids, ascending, or in the order that `step` counts; live ones only.
    columns
        By the name of its result column, of the same length.
    """

    vertices: Ids
    columns: dict[str, np.ndarray[Any, Any] | pa.Array]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One run of an algorithm: what it is over, and its arguments with their defaults."""

    name: str
    topology: Topology
    merge: Merge
    engine: GraphEngine
    values: Mapping[str, Any]
    control: Control

    def csr(self, *, reverse: bool = False, undirected: bool = False) -> Csr:
        """All live edges by vertex."""
        return self.merge(self.topology, reverse=reverse, undirected=undirected)

    def along(self) -> Csr:
        """All live edges, at both of their ends where `directed` is given as false."""
        return self.csr(undirected=self.values["directed"] is False)

    def live(self) -> Ids:
        """The dense ids of all live vertices."""
        return self.topology.live_vertices(tuple(range(len(self.topology.vertices))))

    def fits(self, csr: Csr, *, vertex: int = 0, edge: int = 0) -> None:
        """Raise when so many bytes for each vertex and edge are more than the run may take."""
        self.control.fits(csr.vertices * vertex + len(csr.neighbours) * edge, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmSpec:
    """An algorithm.

    Attributes
    ----------
    name
        In upper case, as KadeQL has it.
    arguments
        In the order of its documentation; calls name them.
    results
        The columns that it may give; `columns` says which a call does.
    compute
        Does the work.
    """

    name: str
    help: str
    arguments: tuple[Argument, ...]
    results: tuple[ResultColumn, ...]
    compute: Callable[[Task], AlgorithmResult]

    def argument(self, name: str) -> Argument | None:
        """The argument of this name."""
        return next((item for item in self.arguments if item.name == name), None)

    def columns(self, given: Collection[str]) -> tuple[ResultColumn, ...]:
        """The columns of the result of a call with these arguments."""
        return tuple(item for item in self.results if item.needs is None or item.needs in given)

    def problem(self, values: Mapping[str, object]) -> tuple[str, str, str | None] | None:
        """What is wrong with a call: the argument, a sentence about it, and a hint; None when nothing is."""
        known = [item.name for item in self.arguments]
        for name in values:
            if name not in known:
                sentence = f"{self.name} has no argument {name!r}."
                return (
                    name,
                    sentence,
                    choices(name, known, "arguments") if known else "It takes the graph alone.",
                )
        for item in self.arguments:
            if item.required and values.get(item.name) is None:
                return item.name, f"{self.name} needs the argument {item.name}.", f"{item.name}: {item.help}"
            if (wrong := item.problem(values.get(item.name))) is not None:
                return item.name, f"{self.name}: {wrong}.", f"{item.name}: {item.help}"
        return None

    def run(
        self,
        topology: Topology,
        merge: Merge,
        engine: GraphEngine,
        values: Mapping[str, Any],
        control: Control,
    ) -> AlgorithmResult:
        """Run it.

        Parameters
        ----------
        values
            By the name of the argument; those that are not there, or None, have their defaults.

        Raises
        ------
        UnsupportedError
            An argument is unknown, missing or out of its range, or a row of a column has no usable value.
        ResourceError
            It needs more memory than `control` allows.
        CancelledError
            `control` was stopped.
        """
        wrong = self.problem(values)
        if wrong is not None:
            raise UnsupportedError(wrong[1], hint=wrong[2])
        held = {item.name: item.default for item in self.arguments}
        held |= {name: value for name, value in values.items() if value is not None}
        return self.compute(Task(self.name, topology, merge, engine, held, control))


DIRECTED = Argument(name="directed", kind="bool", default=True, help="false walks each edge both ways (true)")
"""Whether edges are walked in their direction only."""
