"""How much of pandas is here: the page that says so counts what exists, and its notes are about what they name."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

import pytest

import luma_bench as lb
from luma_bench.frame.absent import INSTEAD
from luma_bench.frame.differences import DIFFERENCES
from scripts import pandas_methods, pandas_signatures

REACHED = 0.83
"""The share of the most used names that must be here."""


@pytest.fixture(scope="module")
def listed() -> dict[str, list[pandas_methods.Method]]:
    return pandas_methods.methods()


def test_the_ranking_is_two_hundred_names_of_pandas(listed: dict[str, list[pandas_methods.Method]]) -> None:
    ranked = pandas_methods.ranking()
    public = {row.name for rows in listed.values() for row in rows} | {"__getitem__", "__len__"}

    assert [item.rank for item in ranked] == list(range(1, 201))
    assert len({item.name for item in ranked}) == 200
    assert [item.name for item in ranked if item.name not in public] == []
    assert all(item.homes for item in ranked)


def test_the_ranking_says_where_it_is_from() -> None:
    lines = pandas_methods.RANKING.read_text("utf-8").splitlines()
    assert "study_kaggle_usage" in lines[1]
    assert "Apache License 2.0" in lines[1]
    assert next(csv.reader(lines[2:3])) == ["rank", "name", "homes"]


def test_most_of_the_ranking_is_reached() -> None:
    ranked = pandas_methods.ranking()
    missing = [f"{item.name} ({item.rank})" for item in ranked if not item.reached]
    assert 1 - len(missing) / len(ranked) >= REACHED, f"not here: {', '.join(missing)}"


def test_every_public_name_is_listed_once(listed: dict[str, list[pandas_methods.Method]]) -> None:
    import pandas as pd

    for kind, owner in (("DataFrame", pd.DataFrame), ("Series", pd.Series)):
        assert [row.name for row in listed[kind]] == sorted(
            name for name in dir(owner) if not name.startswith("_")
        )
    for rows in listed.values():
        assert all(row.note for row in rows if row.status != "same")


def test_a_sentence_of_what_differs_is_about_a_method_that_is_here(
    listed: dict[str, list[pandas_methods.Method]],
) -> None:
    here = _keys(listed, lambda row: row.status != "missing")
    assert [key for key in DIFFERENCES if key not in here] == []


def test_a_sentence_of_what_to_write_instead_is_about_a_method_that_is_missing(
    listed: dict[str, list[pandas_methods.Method]],
) -> None:
    missing = _keys(listed, lambda row: row.status == "missing")
    assert [key for key in INSTEAD if key not in missing] == []


def test_what_sentences_tell_to_write_exists() -> None:
    """Every `frame.…`, `series.…`, `series.dt.…`, `lb.…` and `bench.…` in them, but for what comes after `.to_pandas()`."""
    homes = {
        "frame": lb.DataFrame,
        "series": lb.Series,
        "dt": pandas_signatures.result_class(lb.Series, "dt"),
        "lb": lb,
        "bench": lb.Bench,
    }
    columns = {"key", "name", "t"}
    unknown = [
        f"{method}: {home}.{name}"
        for method, said in (*INSTEAD.items(), *DIFFERENCES.items())
        for code in re.findall("`([^`]+)`", said)
        for home, name in re.findall(
            r"\b(frame|series|dt|lb|bench)\.(\w+)", code.partition(".to_pandas()")[0]
        )
        if name not in columns and not hasattr(homes[home], name)
    ]
    assert unknown == []


def test_sentences_are_sentences() -> None:
    for said in (*INSTEAD.values(), *DIFFERENCES.values()):
        assert said.endswith(".")
        assert "\n" not in said


def test_a_method_that_only_refuses_is_missing() -> None:
    class Refusing:
        def head(self) -> None:
            """Refused."""
            raise NotImplementedError

        def tail(self) -> int:
            """The last row."""
            return 1

    assert pandas_signatures.only_refuses(Refusing.head)
    assert not pandas_signatures.only_refuses(Refusing.tail)


def test_parameters_are_compared_by_name_place_and_default() -> None:
    def theirs(func: object, axis: int = 0, n: int = 5, inplace: bool = False, **kwargs: object) -> None: ...

    def ours(function: object, /, n: int = 6, *, by: str | None = None) -> None: ...

    assert list(pandas_signatures.parameters(theirs, ours)) == [
        "Without `axis`.",
        "With `by`.",
        "Argument 2 is `n` (pandas: `axis`).",
        "Default `n=6` (pandas: `5`).",
    ]


def _keys(
    listed: dict[str, list[pandas_methods.Method]], chosen: Callable[[pandas_methods.Method], bool]
) -> set[str]:
    keys: set[str] = set()
    for kind, rows in listed.items():
        for row in rows:
            if chosen(row):
                keys |= {row.name, f"{kind}.{row.name}"} | (
                    {f"GroupBy.{row.name}"} if kind.endswith("GroupBy") else set()
                )
    return keys
