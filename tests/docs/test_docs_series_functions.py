"""The page about functions of series shows every one of them, in examples that `test_docs.py` runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_blocks import blocks_of

from luma_bench.engines.duck_macros import MACROS
from luma_bench.models.series.functions import FUNCTIONS


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "series" / "functions.md").read_text("utf-8")


def test_every_function_is_in_an_example(page: str) -> None:
    asked = "\n".join(block.text for block in blocks_of(page) if block.language == "kadeql")
    assert sorted(re.findall(r"\b([A-Z_]+)\(\s*TABLE", asked)) == sorted([*FUNCTIONS, "TUMBLE"])
    assert [name for name in MACROS if not re.search(rf"\b{name}\(", asked)] == []


def test_every_option_and_column_is_described(page: str) -> None:
    names = [item.name for spec in FUNCTIONS.values() for item in (*spec.options, *spec.columns)]
    assert [name for name in names if f"| `{name}`" not in page] == []
    assert all(item.help for spec in FUNCTIONS.values() for item in (*spec.options, *spec.columns))
