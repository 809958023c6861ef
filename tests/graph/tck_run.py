"""Running one scenario of openCypher's tests against a bench, and judging what came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tck_cypher import Unmapped
from tck_feature import Scenario, Trip, cell
from tck_translate import Column, translate
from tck_world import World, properties_of, world_of, write

import luma_bench as lb
from luma_bench.errors import LumaError, UnsupportedError

Verdict = Literal["passed", "refused", "skipped", "WRONG"]


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended, and why; `text` is what was asked."""

    feature: str
    scenario: str
    verdict: Verdict
    reason: str = ""
    text: str = ""


@dataclass
class Runner:
    """Runs scenarios on one bench; every graph is written once. `graphs` is the folder of the graphs with names."""

    bench: lb.Bench
    graphs: Path
    _worlds: dict[tuple[str, ...], tuple[World, str]] = field(default_factory=dict)

    def run(self, scenario: Scenario) -> Outcome:
        """The outcome of a scenario."""
        text = ""

        def ended(verdict: Verdict, reason: str = "") -> Outcome:
            return Outcome(scenario.feature, scenario.name, verdict, reason, text)

        try:
            world, name = self._world(scenario)
            translated = translate(scenario.query, world, name)
        except Unmapped as error:
            return ended("skipped", str(error))
        text = translated.text
        try:
            answer = self.bench.kadeql(text).to_arrow().to_pylist()
        except LumaError as error:
            if scenario.error and not isinstance(error, UnsupportedError):
                return ended("passed")
            return ended("refused", str(error).splitlines()[0])
        except Exception as error:
            return ended("WRONG", f"{type(error).__name__}: {error}")
        if scenario.rows is None:
            wanted = scenario.error.removesuffix(".") or "an error"
            return ended("WRONG", f"{wanted}, and there was none")
        got = [_row(list(row.values()), translated.columns, world) for row in answer]
        return self._compared(scenario, got, translated.columns, ended)

    def _compared(
        self, scenario: Scenario, got: list[tuple[Any, ...]], columns: list[Column], ended: Any
    ) -> Outcome:
        assert scenario.rows is not None
        named = {column.name.replace(" ", ""): at for at, column in enumerate(columns)}
        places = [named.get(name.replace(" ", "")) for name in scenario.header]
        if None in places:
            return ended("WRONG", f"columns {list(named)} for {scenario.header}")
        shown = [tuple(row[place] for place in places if place is not None) for row in got]
        wanted = [tuple(map(cell, row)) for row in scenario.rows]
        if scenario.lists_unordered:
            shown, wanted = _loose(shown), _loose(wanted)
        equal = (
            shown == wanted if scenario.ordered else Counter(map(repr, shown)) == Counter(map(repr, wanted))
        )
        return ended("passed") if equal else ended("WRONG", f"{shown[:4]} for {wanted[:4]}")

    def _world(self, scenario: Scenario) -> tuple[World, str]:
        if scenario.strange or scenario.parameters:
            raise Unmapped(scenario.strange or "parameters")
        made = scenario.made
        if scenario.graph not in ("an empty graph", "any graph"):
            name = scenario.graph.removeprefix("the ").removesuffix(" graph")
            path = self.graphs / name / f"{name}.cypher"
            if not path.is_file():
                raise Unmapped(f"{scenario.graph}, which the checkout has not")
            made = (path.read_text("utf-8"), *made)
        key = (*made, *properties_of(scenario.query))
        if key not in self._worlds:
            world = world_of(made)
            name = f"w{len(self._worlds)}"
            write(self.bench, world, name, properties_of(scenario.query))
            self._worlds[key] = world, name
        return self._worlds[key]


def _row(values: list[Any], columns: list[Column], world: World) -> tuple[Any, ...]:
    found: list[Any] = []
    for column in columns:
        own, values = values[: column.width], values[column.width :]
        found.append(_shown(own, column, world))
    return tuple(found)


def _shown(values: list[Any], column: Column, world: World) -> Any:
    value = values[0]
    if value is None:
        return None
    match column.kind:
        case "node":
            return world.node(value)
        case "edge":
            return world.edge(value)
        case "nodes":
            return tuple(map(world.node, value))
        case "edges":
            return tuple(map(world.edge, value))
        case "path":
            along = tuple(
                world.edges[key][1] == node for key, node in zip(values[1], value[:-1], strict=True)
            )
            edges = tuple((world.edge(key), way) for key, way in zip(values[1], along, strict=True))
            return Trip(tuple(map(world.node, value)), edges)  # type: ignore[arg-type]
        case _:
            return tuple(value) if isinstance(value, list) else value


def _loose(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        tuple(tuple(sorted(value, key=repr)) if isinstance(value, tuple) else value for value in row)
        for row in rows
    ]
