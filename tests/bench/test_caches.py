"""The caches: a plan is made once a text, an answer once a key, and nothing but the key decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import luma_bench as lb

TEXT = "SELECT sum(a) AS s FROM t"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", timezone="UTC") as opened:
        opened.write("t", {"a": [1, 2, 3], "b": [0.0, -0.0, 1.0]})
        opened.tag("one")
        yield opened


def cached(bench: lb.Bench, text: str = TEXT, **given: Any) -> bool:
    return bench.kadeql(text, **given).run.cached


def test_the_same_question_is_answered_once_and_says_so(bench: lb.Bench) -> None:
    first, second = bench.kadeql(TEXT), bench.kadeql(TEXT)
    assert (first.run.cached, second.run.cached) == (False, True)
    assert second.to_arrow() is first.to_arrow()
    assert "cached" in second.run.badge
    assert (second.run.rows_read, second.run.segments_read) == (0, 0)
    assert not cached(bench, cache=False)
    assert cached(bench)


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"x": 1}}, {"params": {"x": True}}, {"params": {"x": 1.0}}, {"params": {"x": "1"}}, {"params": {"x": -0.0}},
        {"params": {"x": 0.0}}, {"params": {"x": 1}, "strict": True}, {"params": {"x": 1}, "engine": "duckdb"},
    ],
)  # fmt: skip
def test_every_part_of_the_key_counts(bench: lb.Bench, other: dict[str, Any]) -> None:
    text = "SELECT count(*) AS n, $x AS x FROM t"
    for value in (None, 1, 2, "a"):
        bench.kadeql(text, params={"x": value}, engine="auto")
    fresh = other["params"] == {"x": 1} and type(other["params"]["x"]) is int and len(other) == 1
    first = bench.kadeql(text, **other)
    assert first.run.cached is fresh
    assert repr(first.to_arrow()["x"].to_pylist()) == repr([other["params"]["x"]])
    assert cached(bench, text, **other)


def test_a_write_makes_a_new_question_and_leaves_the_old_answers(bench: lb.Bench) -> None:
    assert [cached(bench), cached(bench)] == [False, True]
    bench.write("t", {"a": [4], "b": [0.5]}, mode="append")
    assert [cached(bench), cached(bench)] == [False, True]
    assert cached(bench, at="one")
    assert bench.at("one").kadeql(TEXT).run.cached
    assert cached(bench, "SELECT sum(a) AS s FROM t AT (TAG => 'one')") is False
    assert bench.kadeql(TEXT).to_arrow()["s"].to_pylist() == [10]
    assert bench.kadeql(TEXT, at="one").to_arrow()["s"].to_pylist() == [6]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now() AS t", "SELECT random() AS r FROM t", "SELECT uuid() AS u", "SELECT a FROM t USING SAMPLE 2",
        "SELECT current_date AS d FROM t", "SELECT nextval('numbers') AS n", "SELECT * FROM latest",
    ],
)  # fmt: skip
def test_what_differs_by_the_moment_is_never_kept(bench: lb.Bench, text: str) -> None:
    bench.kadeql("CREATE SEQUENCE numbers; CREATE VIEW latest AS SELECT now() AS t FROM t")
    assert [cached(bench, text), cached(bench, text)] == [False, False]


def test_files_and_handed_in_tables_are_read_anew(
    bench: lb.Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(cached(bench, "FROM mine", tables={"mine": {"a": [1]}}) for _ in range(2))
    (tmp_path / "x.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    with lb.open(tmp_path / "b.luma", timezone="UTC") as other:
        assert not any(cached(other, "FROM 'x.csv'") for _ in range(2))
        (tmp_path / "x.csv").write_text("a\n2\n")
        assert other.kadeql("FROM 'x.csv'").to_arrow()["a"].to_pylist() == [2]


def test_uncommitted_rows_are_never_kept(bench: lb.Bench) -> None:
    cached(bench)
    with bench.transaction() as inside:
        inside.kadeql("INSERT INTO t VALUES (10, 1)")
        assert [inside.kadeql(TEXT).run.cached for _ in range(2)] == [False, False]
        assert inside.kadeql(TEXT).to_arrow()["s"].to_pylist() == [16]
        inside.rollback()
    assert cached(bench)


def test_the_budget_is_kept_and_nothing_may_be_too_large_for_it(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma", result_cache_bytes=80_000) as bench:
        large = "SELECT i FROM range(5000) r(i)"
        assert [cached(bench, large), cached(bench, large)] == [False, False]  # half of the budget
        texts = [f"SELECT i FROM range(1000) r(i) WHERE i <> {n}" for n in range(30)]
        for text in texts:
            cached(bench, text)
        kept = [cached(bench, text) for text in reversed(texts)]
        assert kept[0]
        assert 0 < sum(kept) < 12
    with lb.open(tmp_path / "b.luma", result_cache_bytes=0) as bench:
        assert [cached(bench, "SELECT 1"), cached(bench, "SELECT 1")] == [False, False]


def test_threads_share_plans_and_answers(bench: lb.Bench) -> None:
    texts = [f"SELECT sum(a) + {n} AS s FROM t" for n in range(20)]
    for text in texts:
        bench.kadeql(text)
    wrong: list[object] = []

    def ask() -> None:
        for n, text in enumerate(texts):
            found = bench.kadeql(text)
            if not found.run.cached or found.to_arrow()["s"].to_pylist() != [6 + n]:
                wrong.append((text, found.run))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    # Another handle on the folder has caches of its own, and the same answers.
    with lb.open(bench.path, timezone="UTC") as other:
        assert not cached(other, texts[0])
