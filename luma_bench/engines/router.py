"""Which engine runs a fragment, why, at what estimated cost, and what was asked for but cannot be had.

docs/design/router.md says how.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.engines.calibrate import Calibration
from luma_bench.engines.gpu.probe import gpu_problem
from luma_bench.errors import EngineError, KadeQLError, UnsupportedError
from luma_bench.plan.engine import Engine, Fallback, Inputs, SqlFragment
from luma_bench.plan.profile import Candidate
from luma_bench.types.record import seconds_text

AUTO = "auto"
WORTH_COMPARING = 0.02
"""Seconds on the embedded engine below which no other scanning engine is asked: none of them starts sooner."""
GAIN = 0.7
"""Another engine is taken for at most this share of the embedded engine's time: estimates err."""
_GPU, _DASK, _POLARS = "gpu", "dask", "polars"
_NAMES = (_POLARS, _DASK, _GPU)
"""The engines that a text may name where an installation lacks them."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    _POLARS: ("polars", "datafusion"),
    _DASK: ("distributed", "datafusion"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that will run a fragment.

    Attributes
    ----------
    estimates
        Seconds by the engines' names, of those that were compared.
    fallbacks
        For each engine that was asked for and not taken why.
    complete
        The engine that runs what the chosen one gives back.
    strict
        Whether that is an error.
    """

    engine: Engine
    reason: str
    estimates: Mapping[str, float] = field(default_factory=dict[str, float])
    fallbacks: tuple[str, ...] = ()
    complete: Engine | None = None
    strict: bool = False

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run the fragment; where the engine gives it back, on the complete engine, which `inputs.report` then says.

        Raises
        ------
        UnsupportedError
            The engine gave it back, and the call was strict.
        LumaError
            Whatever an engine raises.
        """
        try:
            return self.engine.run(fragment, inputs)
        except Fallback as back:
            other = self._instead(back, inputs)
        return other.run(fragment, inputs)

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run the fragment as a stream; it can be given back until its first row.

        Raises like `run`, the reader too; an `EngineError` where the engine gives up behind the first row.
        """
        try:
            stream = self.engine.stream(fragment, inputs)
        except Fallback as back:
            other = self._instead(back, inputs)
            return other.stream(fragment, inputs)
        if self.engine.complete or self.engine.looks_up:
            return stream
        return pa.RecordBatchReader.from_batches(stream.schema, self._resumed(stream, fragment, inputs))

    def explaining(self) -> Engine:
        """The engine that runs EXPLAIN and DESCRIBE of the fragment."""
        return self.engine if self.engine.explains or self.complete is None else self.complete

    def _instead(self, back: Fallback, inputs: Inputs) -> Engine:
        name, other = self.engine.name, self.complete
        if self.strict or other is None or other is self.engine:
            raise UnsupportedError(
                f"engine={name!r} gave this up while it ran: {back.reason}.",
                hint="Leave out strict to have another engine run it again.",
            ) from back
        inputs.report.ran_on = other.name
        inputs.report.reason = f"instead of {name}, which gave it up: {back.reason}"
        inputs.report.fallbacks.append(
            f"{name} gave it up while it ran: {back.reason}; {other.name} ran it again"
        )
        return other

    def _resumed(
        self, stream: pa.RecordBatchReader, fragment: SqlFragment, inputs: Inputs
    ) -> Iterator[pa.RecordBatch]:
        given = 0
        try:
            for batch in stream:
                given += batch.num_rows
                yield batch
            return
        except Fallback as back:
            if given:
                raise EngineError(
                    f"The engine {self.engine.name} gave up after {given:,} rows of a stream: {back.reason}.",
                    hint="What was read of it is right; ask again with engine='duckdb'.",
                ) from back
            other = self._instead(back, inputs)
        again = other.stream(fragment, inputs)
        if not again.schema.equals(stream.schema):
            raise EngineError(
                f"{other.name} gives other columns than {self.engine.name}: {again.schema} instead of {stream.schema}."
            )
        yield from again


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
                if engine.looks_up and engine.automatic and engine.supports(fragment, inputs) is None:
                    return Choice(engine, engine.reason, _estimates((engine,), fragment, inputs))
            return _automatic(fragment, inputs, engines, strict=strict)
        complete = _complete(engines)
        problem = _problem(asked, fragment, inputs, engines)
        if problem is None:
            engine = engines[asked]
            pair = (engine,) if engine.looks_up or engine is complete else (engine, complete)
            estimates = _estimates(pair, fragment, inputs)
            return Choice(engine, "as asked", estimates, complete=complete, strict=strict)
        if strict:
            raise UnsupportedError(
                f"engine={asked!r} cannot run this: {problem}.",
                hint=f"Leave out strict to run it on another engine, or ask for {complete.name!r} or {AUTO!r}.",
            )
        note = f"{asked} was asked for and not used: {problem}; {complete.name} ran it"
        estimates = _estimates((complete,), fragment, inputs)
        return Choice(complete, f"instead of {asked}: {problem}", estimates, (note,), complete)

    def survey(
        self, fragment: SqlFragment, inputs: Inputs, engines: Mapping[str, Engine]
    ) -> tuple[Candidate, ...]:
        """Every engine with what it would take, or why it would not do: for EXPLAIN, at the price of asking them all."""
        found: list[Candidate] = []
        for name, engine in engines.items():
            problem = None if engine.complete else _supported(engine, fragment, inputs)
            if problem is not None:
                found.append(Candidate(name, why_not=problem))
                continue
            estimate = engine.estimate(fragment, inputs)
            asked = "" if engine.automatic else "only when asked for"
            if estimate is None:
                found.append(Candidate(name, why_not=asked))
                continue
            why = "; ".join(part for part in (estimate.why_not, asked) if part)
            found.append(Candidate(name, estimate.seconds, estimate.memory, why, estimate.detail))
        found += [Candidate(name, why_not=absence(name)) for name in _NAMES if name not in engines]
        return tuple(found)


def machine_text(engines: Mapping[str, Engine]) -> str:
    """How fast the machine is that estimates are made for; empty where no engine knows."""
    found = (getattr(engine, "calibration", None) for engine in engines.values())
    return next((item.known.text for item in found if isinstance(item, Calibration)), "")


def absence(name: str) -> str:
    """Why an installation has no engine of this name: `polars`, `dask` or `gpu`."""
    if name == _GPU:
        problem = gpu_problem()
        return f"{f'{problem}, and ' if problem else ''}statements on a GPU are not part of this version"
    for package in _NEEDED[name]:
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed: pip install 'luma-bench[scale]'"
    return "no cluster: open the bench with cluster=…" if name == _DASK else "this bench has no such engine"


def _automatic(
    fragment: SqlFragment, inputs: Inputs, engines: Mapping[str, Engine], *, strict: bool
) -> Choice:
    """The complete engine, unless another one that scans is clearly better by time, or by memory."""
    complete = _complete(engines)
    own = complete.estimate(fragment, inputs)
    if own is None:
        return Choice(complete, complete.reason, complete=complete)
    estimates = {complete.name: own.seconds}
    if own.seconds < WORTH_COMPARING and not own.why_not:
        return Choice(complete, complete.reason, estimates, complete=complete)
    best: tuple[float, Engine] | None = None
    told: list[str] = []
    for engine in engines.values():
        if engine is complete or engine.looks_up or not engine.automatic:
            continue
        estimate = engine.estimate(fragment, inputs)
        if estimate is None:
            continue
        estimates[engine.name] = estimate.seconds
        told.append(f"{engine.name} {estimate.why_not or f'about {seconds_text(estimate.seconds)}'}")
        if estimate.why_not or not (own.why_not or estimate.seconds < GAIN * own.seconds):
            continue
        if best is None or estimate.seconds < best[0]:
            best = (estimate.seconds, engine)
    if best is None:
        compared = f"{complete.reason}: about {seconds_text(own.seconds)}, {', '.join(told)}"
        return Choice(complete, compared if told else complete.reason, estimates, complete=complete)
    seconds, engine = best
    problem = _supported(engine, fragment, inputs)
    if problem is not None:
        return Choice(
            complete, f"{complete.reason}: not {engine.name}, {problem}", estimates, complete=complete
        )
    why = f"{complete.name}: {own.why_not}" if own.why_not else f"{complete.name} {seconds_text(own.seconds)}"
    return Choice(engine, f"about {seconds_text(seconds)}, {why}", estimates, (), complete, strict)


def _complete(engines: Mapping[str, Engine]) -> Engine:
    """The engine that runs every statement; an installation has one."""
    found = next((engine for engine in engines.values() if engine.complete), None)
    if found is None:
        raise EngineError(f"None of the engines here ({', '.join(engines)}) runs every statement.")
    return found


def _estimates(engines: tuple[Engine, ...], fragment: SqlFragment, inputs: Inputs) -> dict[str, float]:
    found = ((engine.name, engine.estimate(fragment, inputs)) for engine in engines)
    return {name: estimate.seconds for name, estimate in found if estimate is not None}


def _problem(asked: str, fragment: SqlFragment, inputs: Inputs, engines: Mapping[str, Engine]) -> str | None:
    """Why the engine asked for cannot run the fragment; None when it can."""
    if asked in engines:
        engine = engines[asked]
        # The complete engine's own error is the best answer.
        return None if engine.complete else _supported(engine, fragment, inputs)
    if asked not in _NAMES:
        known = ", ".join([AUTO, *engines, *(name for name in _NAMES if name not in engines)])
        raise UnsupportedError(f"There is no engine {asked!r}.", hint=f"The engines are: {known}.")
    return absence(asked)


def _supported(engine: Engine, fragment: SqlFragment, inputs: Inputs) -> str | None:
    try:
        return engine.supports(fragment, inputs)
    except KadeQLError as error:
        # The text is wrong: the complete engine says so, and points at the place.
        return error.plain
