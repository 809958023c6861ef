"""Reading Gherkin as openCypher's compatibility tests write it: scenarios, outlines with examples, and result tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Cell = Any
"""A value of a result: None, a bool, number or text, a tuple for a list, or `Node`, `Edge`, `Trip`."""


@dataclass(frozen=True)
class Node:
    labels: frozenset[str]
    properties: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Edge:
    type: str
    properties: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Trip:
    """A path: nodes and, for each edge, whether it is walked along its direction."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[Edge, bool], ...]


@dataclass(frozen=True)
class Scenario:
    """One scenario, with the steps of the feature's background before its own.

    `made` are the texts that make the graph, `query` what is asked. `rows` is None where `error` is expected.
    """

    feature: str
    name: str
    graph: str = "an empty graph"
    made: tuple[str, ...] = ()
    query: str = ""
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] | None = None
    ordered: bool = False
    lists_unordered: bool = False
    error: str = ""
    parameters: bool = False
    strange: str = ""
    """A step that this reader does not know."""


@dataclass
class _Step:
    text: str
    document: str = ""
    table: list[list[str]] = field(default_factory=list)


@dataclass
class _Block:
    name: str
    outline: bool
    steps: list[_Step] = field(default_factory=list)
    examples: list[list[str]] = field(default_factory=list)


def scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a feature file; every example of an outline is one."""
    return list(_scenarios(path.read_text("utf-8"), path.stem))


def _scenarios(text: str, feature: str) -> Iterator[Scenario]:
    background: list[_Step] = []
    for block in _blocks(text):
        if block.name == "Background":
            background = block.steps
            continue
        made = _scenario(feature, block.name, [*background, *block.steps])
        if not block.outline:
            yield made
            continue
        names, *examples = block.examples
        for number, example in enumerate(examples, 1):
            yield _filled(made, dict(zip(names, example, strict=True)), number)


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    document: list[str] | None = None
    in_examples = False
    for line in text.splitlines():
        stripped = line.strip()
        if stripped == '"""':
            if document is None:
                document = []
            else:
                blocks[-1].steps[-1].document = "\n".join(document)
                document = None
        elif document is not None:
            document.append(stripped)
        elif not stripped or stripped.startswith(("#", "@", "Feature:")):
            continue
        elif stripped.startswith("Background:"):
            blocks.append(_Block("Background", False))
            in_examples = False
        elif stripped.startswith(("Scenario:", "Scenario Outline:")):
            head, _, name = stripped.partition(":")
            blocks.append(_Block(name.strip(), head.endswith("Outline")))
            in_examples = False
        elif stripped.startswith("Examples:"):
            in_examples = True
        elif stripped.startswith("|"):
            into = blocks[-1].examples if in_examples else blocks[-1].steps[-1].table
            into.append(_row(stripped))
        elif blocks:
            blocks[-1].steps.append(_Step(re.sub(r"^(Given|And|When|Then|But)\s+", "", stripped)))
    return blocks


def _row(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _scenario(feature: str, name: str, steps: list[_Step]) -> Scenario:
    made = Scenario(feature, name)
    for step in steps:
        text = step.text
        if text in ("an empty graph", "any graph") or text.startswith("the "):
            if text.startswith("the result should be"):
                header, *rows = step.table or [[]]
                made = replace(
                    made,
                    header=tuple(header),
                    rows=tuple(tuple(row) for row in rows),
                    ordered="in order" in text,
                    lists_unordered="ignoring element order" in text,
                )
            elif not text.startswith("the side effects"):
                made = replace(made, graph=text)
        elif text == "having executed:":
            made = replace(made, made=(*made.made, step.document))
        elif text == "executing query:":
            made = replace(made, query=step.document)
        elif text == "parameters are:":
            made = replace(made, parameters=True)
        elif " should be raised at " in text:
            made = replace(made, error=text)
        elif text != "no side effects":
            made = replace(made, strange=text)
    return made


def _filled(scenario: Scenario, example: dict[str, str], number: int) -> Scenario:
    def fill(text: str) -> str:
        for name, value in example.items():
            text = text.replace(f"<{name}>", value)
        return text

    rows = None if scenario.rows is None else tuple(tuple(map(fill, row)) for row in scenario.rows)
    return replace(
        scenario,
        name=f"{scenario.name} ({number})",
        made=tuple(map(fill, scenario.made)),
        query=fill(scenario.query),
        header=tuple(map(fill, scenario.header)),
        rows=rows,
        error=fill(scenario.error),
    )


# -- values of result tables

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<word>[A-Za-z_]\w*)|(?P<sign><-|->|[-:{}()\[\],<>]))"
)


def cell(text: str) -> Cell:
    """The value that a cell of a result table means.

    Raises
    ------
    ValueError
        It is none that this reader knows.
    """
    tokens = list(_TOKEN.finditer(text))
    if "".join(m.group(0) for m in tokens).strip() != text.strip():
        raise ValueError(text)
    reader = _Values([m.group(0).strip() for m in tokens])
    value = reader.value()
    if reader.left:
        raise ValueError(text)
    return value


class _Values:
    def __init__(self, tokens: list[str]) -> None:
        self.left = tokens

    def take(self, wanted: str | None = None) -> str:
        if not self.left or (wanted is not None and self.left[0] != wanted):
            raise ValueError(f"{wanted} before {self.left[:3]}")
        return self.left.pop(0)

    def value(self) -> Cell:
        first = self.left[0]
        if first == "(":
            return self.node()
        if first == "<":
            return self.path()
        if first == "[" and self.left[1:2] == [":"]:
            return self.edge()
        if first == "[":
            return self.list()
        if first == "{":
            return self.properties()
        self.take()
        words = {"null": None, "true": True, "false": False}
        if first in words:
            return words[first]
        if first.startswith("'"):
            return re.sub(r"\\(.)", r"\1", first[1:-1])
        return float(first) if re.search(r"[.eE]", first) else int(first)

    def node(self) -> Node:
        self.take("(")
        labels: list[str] = []
        while self.left[0] == ":":
            self.take()
            labels.append(self.take())
        properties = self.properties() if self.left[0] == "{" else ()
        self.take(")")
        return Node(frozenset(labels), properties)

    def edge(self) -> Edge:
        self.take("[")
        self.take(":")
        name = self.take()
        properties = self.properties() if self.left[0] == "{" else ()
        self.take("]")
        return Edge(name, properties)

    def list(self) -> tuple[Cell, ...]:
        self.take("[")
        found: list[Cell] = []
        while self.left[0] != "]":
            found.append(self.value())
            if self.left[0] == ",":
                self.take()
        self.take("]")
        return tuple(found)

    def properties(self) -> tuple[tuple[str, Any], ...]:
        self.take("{")
        found: list[tuple[str, Any]] = []
        while self.left[0] != "}":
            name = self.take()
            self.take(":")
            found.append((name, self.value()))
            if self.left[0] == ",":
                self.take()
        self.take("}")
        return tuple(sorted(found))

    def path(self) -> Trip:
        self.take("<")
        nodes, edges = [self.node()], []
        while self.left[0] != ">":
            back = self.take() == "<-"
            edge = self.edge()
            self.take("-" if back else "->")
            edges.append((edge, not back))
            nodes.append(self.node())
        self.take(">")
        return Trip(tuple(nodes), tuple(edges))
