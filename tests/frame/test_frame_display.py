"""What a frame shows of itself, how it estimates its rows, and when it leaves them unfetched."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import CancelledError
from luma_bench.frame import display, estimate
from luma_bench.frame.estimate import Rows, held_up, rows_of


def title(frame: Any) -> str:
    return repr(frame).splitlines()[0]


@pytest.fixture
def frame(frames: Any) -> Any:
    return frames(t=pa.table({"a": range(12), "b": [None, *"abcdefghijk"]}))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a few rows count as large."""
    monkeypatch.setattr(estimate, "SMALL", 5)
    monkeypatch.setattr(display, "SMALL", 5)
    monkeypatch.setattr(display, "TINY", 5)


def test_titles(frame: Any) -> None:
    assert title(frame) == "lb.DataFrame, 12 rows \u00d7 2 columns; the first 10:"
    assert title(frame[["a"]]) == "lb.DataFrame, 12 rows \u00d7 1 column; the first 10:"
    assert title(frame.head(3)) == "lb.DataFrame, 3 rows \u00d7 2 columns"
    assert title(frame[frame.a >= 0]) == "lb.DataFrame, at most 12 rows \u00d7 2 columns; the first 10:"
    assert title(frame[frame.a < 3]) == "lb.DataFrame, 3 rows \u00d7 2 columns"
    assert title(frame.merge(frame, on="a")) == "lb.DataFrame, about 12 rows \u00d7 3 columns; the first 10:"
    assert title(frame.agg(n=("a", "sum"))) == "lb.DataFrame, 1 row \u00d7 1 column"
    assert title(frame.a) == "lb.Series, 12 rows \u00d7 1 column; the first 10:"


def test_the_size_is_said_once(tmp_path: Any) -> None:
    with lb.open(tmp_path / "d.luma") as bench:
        bench.write("t", pa.table({"a": range(30)}))
        shown, page = repr(bench.table("t")), bench.table("t")._repr_html_()
        assert shown.count("\u00d7") == page.count("\u00d7") == 1
        assert "10 rows" not in shown
        assert "30 rows" in page
        assert "snapshot" in shown.splitlines()[-1]


def test_wide_frames_list_every_column(frames: Any) -> None:
    wide = frames(t=pa.table({f"c{number}<": [number] for number in range(300)}))
    last = repr(wide).splitlines()[-1]
    assert last.startswith("columns: c0< int64, c1< int64")
    assert last.endswith("… 100 more columns")
    page = wide._repr_html_()
    assert "<summary>300 columns</summary>" in page
    assert "c1&lt;" in page
    assert "c1<" not in page


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda f: f.sort_values("a"), "it sorts many rows first"),
        (lambda f: f.groupby("b").agg(n=("a", "sum")).head(2), "it groups many rows first"),
        (lambda f: f.drop_duplicates(), "it compares many rows first"),
        (lambda f: f.merge(f, on="a")[["a"]], "it joins many rows first"),
        (lambda f: f.assign(p=f.a.shift()), "its windows read many rows first"),
        (lambda f: f[f.a.shift() > 1], "its windows read many rows first"),
    ],
)
def test_what_reads_much_first_is_not_run(frame: Any, make: Any, reason: str) -> None:
    made = make(frame)
    ran = len(frame.executor.texts)
    shown, page = repr(made), made._repr_html_()
    assert len(frame.executor.texts) == ran
    for text in (shown, page):
        assert reason in text
        assert ".head().collect()" in text
    for name in made.columns:
        assert name in shown
    assert "int64" in shown or "decimal" in shown


@pytest.mark.usefixtures("large")
def test_what_streams_is_fetched(frame: Any) -> None:
    for made in (frame, frame.assign(c=frame.a + 1), frame[frame.a > 3], frame.head(4).sort_values("a")):
        if "sort" not in made.kadeql and "ORDER" not in made.kadeql:
            assert "Not run" not in repr(made)


@pytest.mark.usefixtures("large")
def test_a_search_that_takes_long_is_given_up(frame: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def slow(text: str, *, timeout: float, **options: Any) -> Any:
        asked.append(timeout)
        raise CancelledError.timeout(timeout)

    monkeypatch.setattr(type(frame.executor), "execute", staticmethod(slow))
    shown = repr(frame[frame.a > 100])
    assert "its first rows take more than" in shown
    assert "at most 12 rows" in shown
    assert 0 < asked[0] <= display.BUDGET


def test_python_functions_do_not_run_for_a_look(frame: Any) -> None:
    def never(batch: pa.RecordBatch) -> pa.RecordBatch:
        raise AssertionError

    made = frame.map_batches(never, pa.schema([("a", pa.int64())]))
    assert "a Python function makes its rows" in repr(made)
    assert title(made) == "lb.DataFrame, rows not counted \u00d7 1 column"


def test_a_timeout_of_a_bench(tmp_path: Any) -> None:
    with lb.open(tmp_path / "d.luma") as bench:
        bench.write("t", pa.table({"a": range(200_000)}))
        frame = bench.table("t")
        slow = frame[(frame.a % 7 + frame.a % 11) < 0]
        query = slow.merge(frame.rename(columns={"a": "z"}), how="cross")
        with pytest.raises(CancelledError):
            bench.executor().execute(query.kadeql, timeout=0.001)
        assert "200,000" in repr(slow) or "0 rows" in repr(slow)


STEPS = {
    "filter": lambda f, n: f[f.a > n],
    "sort": lambda f, n: f.sort_values("b"),
    "head": lambda f, n: f.head(n),
    "assign": lambda f, n: f.assign(a=f.a + n),
    "group": lambda f, n: f.groupby("a", as_index=False).agg(b=("b", "max")),
    "distinct": lambda f, n: f.drop_duplicates(),
    "semi": lambda f, n: f.merge(f[f.a > n][["a"]], on="a", how="semi"),
    "cross": lambda f, n: f.merge(f[["b"]].head(2).rename(columns={"b": "z"}), how="cross")[["a", "b"]],
}


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6),
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 3)), max_size=4),
)
def test_exact_is_exact_and_most_is_most(rows: list[tuple[int, int]], steps: list[tuple[str, int]]) -> None:
    frame = lb.from_arrow(
        pa.table({"a": pa.array([a for a, _ in rows], pa.int64()), "b": [b for _, b in rows]})
    )
    for name, number in steps:
        frame = STEPS[name](frame, number)
    found, count = rows_of(frame.plan, frame.executor), len(frame.to_arrow())
    assert found.count is not None
    if found.exact:
        assert found.count == count
    elif not found.about:
        assert found.count >= count
    assert held_up(frame.plan, frame.executor) is None


def test_numbers_of_rows_read_well() -> None:
    assert str(Rows(None)) == "rows not counted"
    assert str(Rows(1)) == "1 row"
    assert str(Rows(1234567, most=True)) == "at most 1,234,567 rows"
    assert str(Rows(2, most=True, about=True)) == "at most about 2 rows"
