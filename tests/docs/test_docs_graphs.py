"""The pages about graphs show every method and every algorithm, in examples that `test_docs.py` runs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from doc_blocks import Block, blocks_of

import luma_bench as lb
from luma_bench.models.graph.algorithms import ALGORITHMS
from scripts import docs_graphs


@pytest.fixture(scope="module")
def blocks(repository: Path) -> list[Block]:
    """Everything that runs on these pages."""
    docs = repository / "docs"
    pages = (docs / "graphs.md", *sorted((docs / "graphs").glob("*.md")))
    return [block for page in pages for block in blocks_of(page.read_text("utf-8")) if not block.flag]


def test_every_method_is_in_an_example(blocks: list[Block]) -> None:
    shown = {
        name for block in blocks if block.language == "python" for name in re.findall(r"\.(\w+)", block.text)
    }
    public = {
        name
        for name in dir(lb.Graph)
        if not name.startswith("_") and callable(inspect.getattr_static(lb.Graph, name))
    }
    assert len(public) > 15
    assert sorted(public - shown) == []


def test_every_algorithm_is_asked_for_in_kadeql(blocks: list[Block]) -> None:
    asked = {
        name
        for block in blocks
        if block.language == "kadeql"
        for name in re.findall(r"\b([A-Z_]+)\(GRAPH", block.text)
    }
    assert sorted(asked) == sorted(ALGORITHMS)


@pytest.mark.parametrize(
    "words",
    [
        "CREATE PROPERTY GRAPH", "CREATE OR REPLACE PROPERTY GRAPH", "DROP PROPERTY GRAPH", "DESCRIBE PROPERTY GRAPH",
        "SHOW PROPERTY GRAPHS", "SHOW CREATE PROPERTY GRAPH", "COMMENT ON PROPERTY GRAPH", "VALID FROM", "VALID AT",
        "GRAPH_TABLE", "EXISTS (MATCH", "IN (MATCH", "CREATE VIEW", "INSERT INTO", "OPTIONAL MATCH", "ON GRAPH",
        "TRAIL", "ACYCLIC", "SIMPLE", "WALK", "ANY SHORTEST", "ALL SHORTEST", "SHORTEST 3", "ANY CHEAPEST", "COST",
        "TIME RESPECTING", "STRICT", "WITHIN INTERVAL", "STARTING AT", "EXPLAIN", "EXPLAIN ANALYZE", "nodes(p)", "edges(p)",
        "path_length(p)", "path_cost(p)", "path_departure(p)", "path_arrival(p)", "label(", ".*", "RETURN *",
    ],
)  # fmt: skip
def test_every_construct_is_in_an_example(blocks: list[Block], words: str) -> None:
    assert any(words in block.text for block in blocks)


def test_networkxs_suite_is_told_as_it_is_held_to(repository: Path) -> None:
    told = docs_graphs.networkx_suite(repository)
    page = (repository / "docs" / "graphs" / "python.md").read_text("utf-8")
    assert told in page
    assert len(docs_graphs.suite(repository)) == told.count("\n") - 1
