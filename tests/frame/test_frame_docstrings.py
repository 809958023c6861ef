"""Every public method of a frame, a Series, groups, accessors and windows shows itself in an example that runs.

An example has `lb`, `bench` (a small copy of the tour), `flights`, `airports`, `pa`, `pd` and `np`, and a folder of its own to
write to. `...` in what it expects stands for anything, and runs of blanks are one.
"""

from __future__ import annotations

import builtins
import doctest
import importlib
import inspect
import pkgutil
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
import luma_bench.frame as room

MAY_LACK = 0
"""How many public names may still be without an example."""

BETWEEN_ROOMS = frozenset(
    (
        "check_column",
        "check_same_bench",
        "executor",
        "kind",
        "order_by",
        "over",
        "same_bench",
        "scan",
        "with_plan",
    )
)
"""Methods that other parts of the program call, and users do not."""

NOT_OF_FRAMES = frozenset(("format_kadeql", "open"))

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public_classes() -> dict[str, type]:
    """The frame's classes that a user meets: the public ones, and what their methods and properties give."""
    modules = [
        importlib.import_module(item.name)
        for item in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
    ]
    known = {
        name: item
        for module in modules
        for name, item in vars(module).items()
        if inspect.isclass(item) and item.__module__.startswith(room.__name__) and not name.startswith("_")
    }
    found: dict[str, type] = {}
    waiting = [
        lb.DataFrame,
        lb.Series,
        lb.GroupBy,
        *(known[name] for name in ("SeriesGroupBy",) if name in known),
    ]
    while waiting:
        owner = waiting.pop()
        if owner.__name__ in found or issubclass(owner, Exception):
            continue
        found[owner.__name__] = owner
        for _, function in members(owner):
            given = str(inspect.signature(function).return_annotation)
            waiting += [known[word] for word in re.findall(r"\w+", given) if word in known]
    return found


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class that are this package's, as functions."""
    for name in dir(owner):
        if name.startswith("_") or name in BETWEEN_ROOMS:
            continue
        item = inspect.getattr_static(owner, name)
        function = item.fget if isinstance(item, property) else getattr(item, "__func__", item)
        if inspect.isfunction(function) and function.__module__.startswith("luma_bench"):
            yield name, function


def documented() -> dict[str, Any]:
    """What needs an example, by name: each function once, under the name it was defined with where it has several."""
    listed: dict[Any, str] = {}
    for name in lb.__all__:
        item = getattr(lb, name)
        if inspect.isfunction(item) and name not in NOT_OF_FRAMES:
            listed[item] = f"lb.{name}"
    for owner_name, owner in sorted(public_classes().items()):
        for name, function in members(owner):
            said = listed.get(function, "")
            if not said or (name == function.__name__ and not said.endswith(f".{name}")):
                listed[function] = f"{owner_name}.{name}"
    return {name: function for function, name in listed.items()}


def examples_of(function: Any) -> list[doctest.Example]:
    """The examples in its docstring."""
    return doctest.DocTestParser().get_examples(inspect.getdoc(function) or "")


DOCUMENTED = documented()
SHOWN = sorted(name for name, function in DOCUMENTED.items() if examples_of(function))


@pytest.fixture(scope="module")
def bench(small_tour: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """A copy of the small tour that examples may write to."""
    path = tmp_path_factory.mktemp("examples") / "tour.luma"
    shutil.copytree(small_tour, path)
    with lb.open(path) as opened:
        yield opened


@pytest.mark.parametrize("name", SHOWN)
def test_the_example_runs(
    name: str, bench: lb.Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # doctest's display hook leaves its last value there.
    monkeypatch.setattr(builtins, "_", None, raising=False)
    function = DOCUMENTED[name]
    names = {
        "lb": lb,
        "bench": bench,
        "flights": bench.table("flights"),
        "airports": bench.table("airports"),
        "pa": pa,
        "pd": pd,
        "np": np,
    }
    written = doctest.DocTestParser().get_doctest(
        inspect.getdoc(function) or "", names, name, inspect.getsourcefile(function), 0
    )
    said: list[str] = []

    outcome = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(written, out=said.append)

    assert outcome.failed == 0, "".join(said)


def test_examples_are_in_their_section() -> None:
    """An `Examples` heading stands above them, where readers and editors look."""
    assert [
        name for name in SHOWN if "Examples\n--------\n" not in (inspect.getdoc(DOCUMENTED[name]) or "")
    ] == []


def test_every_public_method_has_an_example() -> None:
    without = sorted(set(DOCUMENTED) - set(SHOWN))
    assert len(without) <= MAY_LACK, f"{len(without)} without an example: {', '.join(without)}"
