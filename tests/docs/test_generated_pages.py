"""The generated parts of docs/ are those that the code makes now."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from luma_bench import errors
from luma_bench.config import Settings
from scripts import docs


def test_no_page_is_stale(repository: Path) -> None:
    stale = [path.relative_to(repository).as_posix() for path, _ in docs.stale_pages(repository)]
    assert stale == [], "run `make docs`"


def test_every_setting_and_its_variable_is_described(repository: Path) -> None:
    text = (repository / "docs" / "reference" / "configuration.md").read_text("utf-8")
    for field in dataclasses.fields(Settings):
        assert f"`{field.name}`" in text
        assert f"`LUMA_{field.name.upper()}`" in text


def test_every_error_class_is_described(repository: Path) -> None:
    text = (repository / "docs" / "errors.md").read_text("utf-8")
    names = [
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, errors.LumaError)
    ]
    assert [name for name in names if f"### {name}\n" not in text] == []


def test_a_part_is_replaced_and_the_words_around_it_stay(repository: Path) -> None:
    page = (
        "# T\n\nBefore.\n\n<!-- begin: settings (x) -->\nwhat stood here\n<!-- end: settings -->\n\nAfter.\n"
    )

    made = docs.filled(page, repository)

    assert made.startswith("# T\n\nBefore.\n\n<!-- begin: settings (x) -->\n")
    assert made.endswith("<!-- end: settings -->\n\nAfter.\n")
    assert "LUMA_THREADS" in made
    assert "what stood here" not in made
    assert docs.filled(made, repository) == made


def test_an_unknown_part_is_an_error(repository: Path) -> None:
    with pytest.raises(ValueError, match="no generated part 'nothing'"):
        docs.filled("<!-- begin: nothing -->\n<!-- end: nothing -->", repository)


def test_check_names_a_stale_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "a.md"
    page.write_text("# A\n\n<!-- begin: settings -->\n<!-- end: settings -->\n", "utf-8")
    monkeypatch.setattr(docs, "ROOT", tmp_path)

    assert docs.main(["--check"]) == 1
    assert "docs/a.md: stale" in capsys.readouterr().out.replace("\\", "/")
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert "LUMA_THREADS" in page.read_text("utf-8")
