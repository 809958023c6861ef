"""Which engine runs a fragment, why, at what estimated cost, and what was asked for but cannot be had."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.plan.engine import Engine, Inputs, SqlFragment

AUTO = "auto"
START_SECONDS = 0.001
"""Parsing, binding and starting a small query on the embedded engine."""
BYTES_PER_SECOND = 1.5e9
"""Decoded column bytes that the embedded engine reads, filters and aggregates in a second on two cores."""
LOOKUP_SECONDS = 0.0001
"""Finding one row by its key where the keys are in memory."""
_VARIABLE_WIDTH = 24
"""Bytes that a value of a string, binary or nested column is taken to have."""

# The engines a text may name, with the package each of them would run on.
_OTHERS: Mapping[str, tuple[str, str]] = {
    "polars": ("polars", "the lowering of SQL to Polars is not part of this version"),
    "dask": ("distributed", "running on a Dask cluster is not part of this version"),
    "gpu": ("cupy", "running on a GPU is not part of this version"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that will run a fragment.

    `estimates` maps engine names to seconds; `fallbacks` says for each engine that was asked for and not taken why.
    """

    engine: Engine
    reason: str
    estimates: Mapping[str, float] = field(default_factory=dict[str, float])
    fallbacks: tuple[str, ...] = ()


class Router:
    """Chooses among the engines of an installation."""

    def choose(
        self,
        asked: str,
        fragment: SqlFragment,
        inputs: Inputs,
        engines: Mapping[str, Engine],
        *,
        strict: bool = False,
    ) -> Choice:
        """The engine for one fragment.

        Parameters
        ----------
        asked
            `"auto"` or an engine's name.
        strict
            Whether anything but the engine asked for is an error.

        Raises
        ------
        UnsupportedError
            The name is no engine's; or, with `strict`, the engine asked for cannot run the fragment.
        """
        if asked == AUTO:
            for engine in engines.values():
                if engine.looks_up and engine.supports(fragment, inputs) is None:
                    return Choice(engine, engine.reason, {engine.name: LOOKUP_SECONDS})
        scanning = {name: engine for name, engine in engines.items() if not engine.looks_up}
        estimates = {name: estimated_seconds(inputs) for name in scanning}
        if asked == AUTO:
            engine, reason = _automatic(fragment, inputs, scanning)
            return Choice(engine, reason, estimates)
        problem = _problem(asked, fragment, inputs, engines)
        if problem is None:
            engine = engines[asked]
            return Choice(engine, "as asked", {asked: LOOKUP_SECONDS} if engine.looks_up else estimates)
        if strict:
            raise UnsupportedError(
                f"engine={asked!r} cannot run this: {problem}.",
                hint=f"Leave out strict to run it on another engine, or ask for {' or '.join(map(repr, engines))}.",
            )
        engine, _ = _automatic(fragment, inputs, scanning)
        note = f"{asked} was asked for and not used: {problem}; {engine.name} ran it"
        return Choice(engine, f"instead of {asked}: {problem}", estimates, (note,))


def estimated_seconds(inputs: Inputs) -> float:
    """Seconds the embedded engine takes for a plain scan of every input: start cost and decoded bytes at full speed.

    Pruning makes a query faster than this, joins and sorts slower. It ranks, and the record shows it beside the truth.
    """
    nbytes = sum(source.rows() * row_bytes(source.schema) for source in inputs.sources.values())
    nbytes += sum(int(getattr(relation, "nbytes", 0)) for relation in inputs.relations.values())
    return START_SECONDS + nbytes / BYTES_PER_SECOND


def row_bytes(schema: pa.Schema) -> float:
    """Decoded bytes of a row: the width of each fixed column, and a typical one for the others."""
    total = 0.0
    for kind in schema.types:
        try:
            total += kind.bit_width / 8
        except ValueError:
            total += _VARIABLE_WIDTH
    return total


def _automatic(fragment: SqlFragment, inputs: Inputs, engines: Mapping[str, Engine]) -> tuple[Engine, str]:
    """The first engine that supports the fragment; where one alone is installed, its own error is the best answer."""
    if len(engines) == 1:
        (engine,) = engines.values()
        return engine, "embedded: the one SQL engine here"
    reasons: list[str] = []
    for engine in engines.values():
        problem = engine.supports(fragment, inputs)
        if problem is None:
            return engine, "embedded: the first engine that can run it"
        reasons.append(f"{engine.name}: {problem}")
    raise UnsupportedError(f"No engine can run this: {'; '.join(reasons)}.")


def _problem(asked: str, fragment: SqlFragment, inputs: Inputs, engines: Mapping[str, Engine]) -> str | None:
    """Why the engine asked for cannot run the fragment; None when it can."""
    if asked in engines:
        engine = engines[asked]
        # Where it is the only one that scans, its own error is the best answer.
        others = sum(not other.looks_up for other in engines.values()) - (not engine.looks_up)
        return engine.supports(fragment, inputs) if engine.looks_up or others else None
    if asked not in _OTHERS:
        known = ", ".join([AUTO, *engines, *(name for name in _OTHERS if name not in engines)])
        raise UnsupportedError(f"There is no engine {asked!r}.", hint=f"The engines are: {known}.")
    package, problem = _OTHERS[asked]
    if importlib.util.find_spec(package) is None:
        return f"{problem}, and {package} is not installed"
    return problem
