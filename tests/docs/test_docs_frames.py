"""The pages about DataFrames show every public method, in examples that `test_docs.py` runs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_blocks import blocks_of

import luma_bench as lb
from luma_bench.frame.groupby_series import SeriesGroupBy
from luma_bench.frame.nested import Lists, Structs
from luma_bench.frame.plotting_frame import FramePlots
from luma_bench.frame.resample import Resampler
from luma_bench.frame.rolling import Rolling
from luma_bench.frame.text import Strings
from luma_bench.frame.times import Dates
from scripts import pandas_signatures

CLASSES = (
    lb.DataFrame,
    lb.Series,
    lb.GroupBy,
    SeriesGroupBy,
    Strings,
    Dates,
    Lists,
    Structs,
    Rolling,
    Resampler,
    FramePlots,
)
FUNCTIONS = frozenset(name for name in lb.__all__ if inspect.isfunction(getattr(lb, name)))

BETWEEN_ROOMS = frozenset(
    (
        "check_column",
        "check_same_bench",
        "executor",
        "kind",
        "order_by",
        "over",
        "rows_from",
        "same_bench",
        "scan",
        "with_plan",
    )
)
"""Methods that other parts of the program call, and users do not."""


def members(owner: type) -> Iterator[str]:
    """The public methods and properties of a class that do something."""
    for name in dir(owner):
        item = inspect.getattr_static(owner, name)
        function = item.fget if isinstance(item, property) else getattr(item, "__func__", item)
        if (
            not name.startswith("_")
            and name not in BETWEEN_ROOMS
            and inspect.isfunction(function)
            and function.__module__.startswith("luma_bench")
            and not pandas_signatures.only_refuses(function)
        ):
            yield name


def shown(repository: Path) -> set[str]:
    """Every `.name` of a Python block that runs, in these pages."""
    docs = repository / "docs"
    return {
        name
        for page in (docs / "dataframes.md", *sorted((docs / "dataframes").glob("*.md")))
        for block in blocks_of(page.read_text("utf-8"))
        if block.language == "python" and not block.flag
        for name in re.findall(r"\.(\w+)", block.text)
    }


@pytest.mark.parametrize("owner", CLASSES, ids=lambda owner: owner.__name__)
def test_every_method_is_in_an_example_of_the_pages(owner: type, repository: Path) -> None:
    assert sorted(set(members(owner)) - shown(repository)) == []


def test_every_function_of_frames_is_in_an_example_of_the_pages(repository: Path) -> None:
    of_benches = {"format_kadeql", "open"}
    assert sorted(FUNCTIONS - of_benches - shown(repository)) == []
