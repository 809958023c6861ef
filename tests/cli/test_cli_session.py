"""Which bench, which parameters, which question."""

from pathlib import Path

import pytest

from luma_bench.cli.session import UsageProblem, bench_path, names, open_bench, read_params, read_text
from luma_bench.errors import CatalogError


def test_the_bench_is_the_option_then_the_variable_then_the_only_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUMA_BENCH", raising=False)
    (tmp_path / "a.luma").mkdir()
    (tmp_path / "not-a-folder.luma").touch()
    assert bench_path(None) == Path("a.luma")
    monkeypatch.setenv("LUMA_BENCH", "elsewhere.luma")
    assert bench_path(None) == Path("elsewhere.luma")
    assert bench_path("given.luma") == Path("given.luma")


@pytest.mark.parametrize(
    ("folders", "said"), [([], "there is none"), (["a.luma", "b.luma"], "there are 2 .*a.luma, b.luma")]
)
def test_no_guess_is_made(folders: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUMA_BENCH", raising=False)
    for folder in folders:
        (tmp_path / folder).mkdir()
    with pytest.raises(UsageProblem, match=said):
        bench_path(None)


def test_reading_creates_no_bench(tmp_path: Path):
    with pytest.raises(CatalogError, match="no bench"):
        open_bench(tmp_path / "missing.luma", "a")
    assert list(tmp_path.iterdir()) == []


def test_parameters_are_what_they_are_spelled_as():
    pairs = [
        "i=3",
        "$neg=-7",
        "f=2.5",
        "t=true",
        "n=null",
        "zip=02134",
        "s=it's = here",
        "e=",
        'j:=[1, "a"]',
        'five:="5"',
        "d=2013-02-08",
        "x=1e5",
    ]
    assert read_params(pairs) == {
        "i": 3, "neg": -7, "f": 2.5, "t": True, "n": None, "zip": "02134", "s": "it's = here", "e": "", "j": [1, "a"], "five": "5",
        "d": "2013-02-08", "x": "1e5",
    }  # fmt: skip


@pytest.mark.parametrize("pair", ["novalue", "=3", "1a=3", "j:=[1", "a b=3"])
def test_a_wrong_parameter_is_named(pair: str):
    with pytest.raises(UsageProblem, match="--param"):
        read_params([pair])


def test_the_question_comes_from_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import io

    file = tmp_path / "q.sql"
    file.write_text("SELECT 1", "utf-8")
    assert read_text(None, file) == "SELECT 1"
    assert read_text("SELECT 2", None) == "SELECT 2"
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 3"))
    assert read_text("-", None) == "SELECT 3"
    for text, given in ((None, None), ("SELECT 1", file)):
        with pytest.raises(UsageProblem):
            read_text(text, given)
    with pytest.raises(UsageProblem, match="cannot be read"):
        read_text(None, tmp_path / "none.sql")


def test_columns_may_be_given_with_commas_or_again():
    assert names(["a, b", "c", ""]) == ("a", "b", "c")
