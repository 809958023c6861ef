"""The db-benchmark: its data, that everybody gives the same answers, and that another answer is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks import frame_agreement, frame_data
from benchmarks.frame_contenders import (
    FRAME,
    KADEQL,
    PANDAS,
    POLARS,
    STREAMED,
    Files,
    Loaded,
    available,
    load,
    store,
)
from benchmarks.frame_questions import QUESTIONS
from benchmarks.harness import DisagreementError

ROWS = 1_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Files], Path]:
    folder = tmp_path_factory.mktemp("dbbench")
    files = frame_data.generate(ROWS, folder)
    store(files, folder, 1)
    return dict(files), folder


@pytest.fixture(scope="module", params=["groupby", "join"])
def loaded(
    request: pytest.FixtureRequest, made: tuple[dict[str, Files], Path]
) -> Iterator[tuple[str, dict[str, Loaded]]]:
    files, folder = made
    task: str = request.param
    names = [name for name in (*available(), STREAMED) if name in (KADEQL, FRAME, PANDAS, POLARS, STREAMED)]
    loaded = {name: load(name, task, files[task], folder, 1) for name in names}
    yield task, loaded
    for one in loaded.values():
        one.close()


def test_everybody_answers_alike(loaded: tuple[str, dict[str, Loaded]]) -> None:
    task, contenders = loaded
    for place, question in enumerate(QUESTIONS):
        if question.task != task:
            continue
        reference = contenders[KADEQL].answer(place)
        assert reference.num_rows > 0
        for name in (FRAME, PANDAS, POLARS):
            one = contenders[name]
            frame_agreement.check(reference, one.arrow(one.answer(place)), question.keys)
        assert contenders[STREAMED].answer(place) == reference.num_rows


def test_the_tables_have_the_published_shape() -> None:
    x = frame_data.grouped(ROWS)["x"]
    assert x.column_names == ["id1", "id2", "id3", "id4", "id5", "id6", "v1", "v2", "v3"]
    assert x["id1"][0].as_py().startswith("id")
    assert len(x["id3"][0].as_py()) == 12
    assert pc.min_max(x["v1"]).as_py() == {"min": 1, "max": 5}
    assert pc.min_max(x["v2"]).as_py() == {"min": 1, "max": 15}
    assert x == frame_data.grouped(ROWS)["x"]


def test_nine_tenths_of_the_keys_are_on_both_sides() -> None:
    tables = frame_data.joined(ROWS)
    assert [table.num_rows for table in tables.values()] == [ROWS, 10, 10, ROWS]
    left, right = (set(tables[name]["id3"].to_pylist()) for name in ("x", "big"))
    assert len(left) == len(right) == ROWS
    assert len(left & right) == ROWS * 9 // 10
    words = tables["x"].slice(0, 3)
    assert words["id6"].to_pylist() == [f"id{key}" for key in words["id3"].to_pylist()]


def test_files_are_made_once(made: tuple[dict[str, Files], Path]) -> None:
    files, folder = made
    before = {file: file.stat().st_mtime_ns for tables in files.values() for file in tables.values()}
    frame_data.generate(ROWS, folder)
    assert before == {file: file.stat().st_mtime_ns for file in before}
    assert pq.ParquetFile(files["groupby"]["x"]).metadata.num_rows == ROWS


A = pa.table({"k": [1, 2, 3], "v": [1.0, 2.0, None]})


@pytest.mark.parametrize("keys", [("k",), ()])
def test_alike_whatever_the_order_and_width(keys: tuple[str, ...]) -> None:
    other = pa.table({"v": pa.array([None, 1.0, 2.0]), "k": pa.array([3, 1, 2], pa.int32())})
    frame_agreement.check(A, other, keys)
    if not keys:
        frame_agreement.check(A, A.set_column(1, "v", [[1.0, 2.0, float("nan")]]), ())


def test_sums_may_differ_in_the_last_digits() -> None:
    frame_agreement.check(A, A.set_column(1, "v", [[1.0 + 1e-13, 2.0, None]]), ("k",))


@pytest.mark.parametrize("keys", [("k",), ()])
@pytest.mark.parametrize(
    "other",
    [
        A.slice(0, 2),
        A.rename_columns(["k", "w"]),
        A.set_column(1, "v", [[1.0, 2.1, None]]),
        A.set_column(1, "v", [[1.0, 2.0, 3.0]]),
        A.set_column(0, "k", [[1, 2, 4]]),
    ],
)
def test_another_answer_is_noticed(other: pa.Table, keys: tuple[str, ...]) -> None:
    with pytest.raises(DisagreementError):
        frame_agreement.check(A, other, keys)
