"""Building the tour, telling the story, and the page that comes of it."""

from __future__ import annotations

import io
from pathlib import Path

import nbformat
import pyarrow as pa
import pytest
from rich.console import Console

import luma_bench as lb
from luma_bench.demo import build as building
from luma_bench.demo import notebook, page, picture, story
from luma_bench.demo.build import NAMES, TAG, build
from luma_bench.demo.questions import QUESTIONS
from luma_bench.demo.tables import DemoTable

ROOT = Path(__file__).resolve().parents[2]


# --- building ---


def test_build_tags_all_tables_and_is_kept(tour_bench: lb.Bench) -> None:
    assert set(NAMES) <= set(tour_bench.tables())
    said: list[str] = []
    before = tour_bench.snapshot
    tagged = build(tour_bench, said.append)
    assert tour_bench.snapshot == before
    assert TAG in tagged.tags
    assert "already" in said[0]


def test_built_tables_come_back_exactly(tour_bench: lb.Bench, tour: dict[str, pa.Table]) -> None:
    past = tour_bench.at(TAG)
    for name in ("airports", "weather_days", "planes"):
        found = past.table(name).to_arrow()
        assert found.equals(tour[name].cast(found.schema))  # a key comes back as NOT NULL


def few(names: tuple[str, ...]) -> list[DemoTable]:
    return [DemoTable(name, pa.table({"id": [1, 2]}), "here", primary_key=("id",)) for name in names]


def test_an_interrupted_build_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(_: object):
        yield from few(NAMES[:3])
        raise KeyboardInterrupt

    with lb.open(tmp_path / "b.luma") as bench:
        monkeypatch.setattr(building, "tables", stops)
        with pytest.raises(KeyboardInterrupt):
            build(bench)
        assert building.tour_snapshot(bench) is None
        monkeypatch.setattr(building, "tables", lambda _: few(NAMES))
        monkeypatch.setattr(building.graphs, "make", lambda _: [])
        said: list[str] = []
        tagged = build(bench, said.append)
        assert [line.split(":")[0] for line in said] == [f"writing {name}" for name in NAMES[3:]]
        assert bench.at(tagged.id).tables() == sorted(NAMES)


def test_a_bench_with_tables_of_its_own_is_left_alone(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("flights", {"mine": [1]}, mode="create")
        before = bench.snapshot
        with pytest.raises(lb.errors.CatalogError, match="'flights' of its own"):
            build(bench)
        assert (bench.snapshot, bench.tables()) == (before, ["flights"])


# --- the notebook ---


def test_the_notebook_of_the_repository_is_the_composed_one() -> None:
    kept = nbformat.read(notebook.FILE, as_version=4)
    assert kept == notebook.compose(), "run: python -m luma_bench.demo.notebook"


def test_the_notebook_is_valid_and_has_no_outputs() -> None:
    book = nbformat.read(notebook.FILE, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor >= 5) == (4, True)
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in book.cells)


def test_the_notebook_asks_the_ten_questions() -> None:
    cells = {cell.id: cell.source for cell in notebook.load().cells}
    for question in QUESTIONS:
        magic, _, text = cells[f"answer-{question.number}"].partition("\n")
        assert magic.startswith("%%kadeql")
        assert text == question.text
        assert question.trap in cells[f"question-{question.number}"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('<script src="https://example.org/a.js"></script>', 1),
        ("<link rel=stylesheet href=//example.org/a.css>", 1),
        ("<style>@import 'a.css'; b { background: url(http://example.org/c.png) }</style>", 2),
        ('<img src="https://example.org/a.png">', 1),
        ('<a href="https://example.org">a link is followed by hand</a>', 0),
        ('<img src="data:image/png;base64,AA==">', 0),
        ('<svg xmlns="http://www.w3.org/2000/svg"></svg>', 0),
    ],
)
def test_fetches_finds_what_a_page_would_load(text: str, count: int) -> None:
    assert len(page.fetches(text)) == count


# --- the story ---


@pytest.fixture(scope="module")
def told(tour_folder: Path) -> tuple[Path, str]:
    """The whole story over the built tour: its folder and what it said."""
    said = io.StringIO()
    story.run(tour_folder, data_only=False, console=Console(file=said, width=120))
    return tour_folder, said.getvalue()


def test_the_story_answers_and_shows_where_from(told: tuple[Path, str]) -> None:
    _, said = told
    for question in QUESTIONS:
        assert f"{question.number}. {question.title}" in said
    assert said.count("duckdb (") >= len(QUESTIONS)
    assert "8 February: 472 of 930 flights cancelled" in said
    assert "equal answers" in said


def test_the_story_travels_fails_and_leaves_the_tour_as_it_was(told: tuple[Path, str]) -> None:
    folder, said = told
    assert "336776 │  323638" in said
    assert "is still the newest" in said
    assert "9162 │       9161" in said
    assert "primary key" in said
    with lb.open(folder / "tour.luma") as bench:
        past = bench.at(TAG)
        for name in NAMES:
            assert (
                bench.kadeql(f"SELECT count(*) AS n FROM {name}").to_arrow()
                == past.kadeql(f"SELECT count(*) AS n FROM {name}").to_arrow()
            )
        assert (
            bench.kadeql("FROM routes EXCEPT ALL FROM routes AT (TAG => 'tour-v1')").to_arrow().num_rows == 0
        )
        assert bench.table("routes").to_arrow().equals(past.table("routes").to_arrow())
        assert bench.check().ok


def test_the_page_is_whole_and_loads_nothing(told: tuple[Path, str]) -> None:
    folder, _ = told
    text = (folder / "late.html").read_text("utf-8")
    assert page.fetches(text) == []
    assert "<script" not in text
    for question in QUESTIONS:
        assert f"{question.number}. {question.title}" in text
    assert text.count("luma-badge") >= len(QUESTIONS)
    assert "holds the primary key" in text
    assert picture.TITLE in text
    assert (folder / "late.svg").read_text("utf-8").startswith("<svg")


def test_the_story_can_be_told_again(told: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = told
    monkeypatch.setattr(page, "write", lambda bench, target: target)
    said = io.StringIO()
    story.run(folder, data_only=False, console=Console(file=said, width=120))
    assert "has the tour already" in said.getvalue()
    assert "9162 │       9161" in said.getvalue()


def test_data_only_builds_and_stops(tour_folder: Path) -> None:
    said = io.StringIO()
    story.run(tour_folder, data_only=True, console=Console(file=said, width=120))
    assert QUESTIONS[0].title not in said.getvalue()


def test_a_failing_cell_is_an_error_that_names_it(tour_folder: Path) -> None:
    book = notebook.compose()
    book.cells = [nbformat.v4.new_code_cell("raise ValueError('no weather')", id="bad")]
    with pytest.raises(lb.errors.LumaError, match="no weather"):
        page.execute(book, tour_folder / "tour.luma")


def test_the_picture_of_the_readme_is_drawn_from_the_data(tour_bench: lb.Bench) -> None:
    kept = ROOT / "docs" / "images" / "late.svg"
    assert kept.read_text("utf-8") == picture.draw(tour_bench.kadeql(picture.QUERY)).svg + "\n", (
        "run: python scripts/picture.py"
    )
    assert kept.stat().st_size < 300_000
