"""Ours on an engine that is named: strict, so that a fallback is an error and no figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows
from benchmarks.harness import DisagreementError


@dataclass(frozen=True, slots=True)
class Able:
    """Which queries an engine answers, and what it says of the others.

    `refused` names each query that is left out, with its reason; a wrong answer is no refusal but an error of its own.
    """

    names: tuple[str, ...]
    refused: tuple[str, ...]
    wrong: tuple[str, ...]

    def note(self, engine: str) -> str:
        """A sentence for the table."""
        said = f"{engine}: {len(self.names)} right"
        if self.wrong:
            said += f", wrong: {'; '.join(self.wrong)}"
        if self.refused:
            said += f", refused: {'; '.join(self.refused)}"
        return said + "."


def ask(bench: lb.Bench, name: str, engine: str) -> pa.Table:
    """The answer of one TPC-H query on exactly this engine, not from the cache."""
    result = bench.kadeql(tpch_data.text(name), engine=engine, strict=True, cache=False)
    if result.run.engine != engine:
        raise DisagreementError(f"{name}: {engine} was asked for and {result.run.engine} answered")
    return result.to_arrow()


def able(bench: lb.Bench, engine: str, expected: dict[str, pa.Table], names: Sequence[str]) -> Able:
    """Ask each query once and compare its answer."""
    right: list[str] = []
    refused: list[str] = []
    wrong: list[str] = []
    for name in names:
        try:
            found = ask(bench, name, engine)
        except (lb.errors.UnsupportedError, lb.errors.EngineError) as error:
            refused.append(f"{name} ({str(error).splitlines()[0]})")
            continue
        try:
            same_rows(expected[name], found, ordered=name in tpch_data.TOTALLY_ORDERED)
        except DisagreementError as error:
            wrong.append(f"{name} ({error})")
        else:
            right.append(name)
    return Able(tuple(right), tuple(refused), tuple(wrong))
