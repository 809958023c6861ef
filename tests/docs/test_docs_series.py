"""The pages about time series show every construct and every method, in examples that `test_docs.py` runs."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from doc_blocks import Block, blocks_of

import luma_bench as lb


@pytest.fixture(scope="module")
def blocks(repository: Path) -> list[Block]:
    """Everything that runs on these pages."""
    docs = repository / "docs"
    pages = (
        docs / "series.md",
        *sorted((docs / "series").glob("*.md")),
        docs / "design" / "series-layout.md",
    )
    return [block for page in pages for block in blocks_of(page.read_text("utf-8")) if not block.flag]


def test_every_method_is_in_an_example(blocks: list[Block]) -> None:
    shown = {
        name for block in blocks if block.language == "python" for name in re.findall(r"\.(\w+)", block.text)
    }
    public = {
        name
        for name in dir(lb.TimeSeries)
        if not name.startswith("_") and callable(inspect.getattr_static(lb.TimeSeries, name))
    }
    assert len(public) > 10
    assert sorted(public - shown) == []


@pytest.mark.parametrize(
    "words",
    [
        "TUMBLE(TABLE", "HOP(TABLE", "CUMULATE(TABLE", "SESSION(TABLE", "PARTITION BY", "DESCRIPTOR(", "OFFSET =>", "ZONE =>",
        "window_start", "window_end", "SAMPLE BY '1h'", "SAMPLE BY 1d", "FROM '", "FILL(LINEAR", "FILL(PREV)",
        "PREV IGNORE NULLS", "FILL(NONE)", "ALIGN TO FIRST OBSERVATION", "ALIGN TO CALENDAR", "ALIGN TO '", "ZONE 'UTC'",
        "gapfill(", "interpolate(", "locf(", "ASOF JOIN", "ASOF LEFT JOIN", "TOLERANCE", "DIRECTION NEAREST", "WINDOW JOIN",
        "RANGE BETWEEN", "USING TIME", "LATEST ON", "time_weight(", "derivative(", "dd_quantile(", "ohlc(", "integral(",
        "increase(", "rate(", "delta(", "prom_rate(", "vwap(", "twap(", "time_column =", "series_key =", "retention =", "EXPLAIN",
    ],
)  # fmt: skip
def test_every_construct_is_in_an_example(blocks: list[Block], words: str) -> None:
    assert any(words in block.text for block in blocks)
