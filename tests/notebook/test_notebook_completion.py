"""Completion and inspection in a notebook: names of the bench and of Python, in every place where KadeQL stands."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from luma_bench.notebook import complete, complete_luma, inspecting
from luma_bench.notebook.commands import HELP
from luma_bench.notebook.magic import loaded
from luma_bench.notebook.schemas import table_schemas


@pytest.fixture
def opened(shell: Any, bench_path: Path) -> Any:
    shell.run_line_magic("luma", f"open {bench_path}")
    return shell


def offered(shell: Any, source: str) -> set[str]:
    at = source.index("|")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {item.text for item in shell.Completer.completions(source.replace("|", "", 1), at)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%%kadeql\nSELECT pri| FROM frame", {"price"}),
        ("%%kadeql\nSELECT f.| FROM bears f", {"weight"}),
        ("%%kadeql\nSELECT cou| FROM arrow", {"country", "count", "count_if"}),
        ("%%kadeql\nSELECT * FROM fra|", {"frame"}),
        ("%%kadeql\nSELECT n FROM flights WHERE n > $lo|", {"$low", "$loud"}),
        ("%%kadeql --engine du|", {"duckdb"}),
        ("x = 1\n%kadeql SELECT carr| FROM flights", {"carrier"}),
    ],
)
def test_names_of_the_notebook(source: str, expected: set[str], opened: Any):
    opened.user_ns |= {
        "frame": pd.DataFrame({"price": [1.0]}),
        "bears": pl.DataFrame({"weight": [1]}),
        "arrow": pa.table({"country": ["x"]}),
        "low": 3,
        "loud": "a",
        "loop": print,
    }
    assert expected <= offered(opened, source)
    assert "$loop" not in offered(opened, "%%kadeql\nSELECT $lo|")


@pytest.mark.parametrize(
    "source",
    [
        "%%kadeql\nSELECT zzz|",
        "%%kadeql\n-- pri|",
        "%%kadeql\nSELECT 1 -- |",
        "%%kadeql\nSELECT 'pri|",
        "%%kadeql\nSELECT n FROM flights WHERE carrier = '|'",
        "x = 1\n%kadeql SELECT 'pri|",
        "%luma open nothing/|",
        "%luma tables pri|",
    ],
)
def test_where_nothing_is_known_nothing_is_offered_of_python_either(source: str, opened: Any):
    assert offered(opened, source) == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%luma o|", {"open"}),
        ("%luma open de|", {"demo.luma", "deep/"}),
        ("%luma open deep/|", {"'deep/a bench.luma'", "deep/demo.ipynb.d/"}),
        ("%luma open 'deep/a b|", {"'deep/a bench.luma'"}),
        ("%luma open demo.luma --m|", {"--mode"}),
        ("%luma open demo.luma --mode |", {"r", "a"}),
        ("%luma open --cluster=l|", {"local"}),
        ("%luma open --mode r de|", {"demo.luma", "deep/"}),
        ("%luma pin --|", {"--at", "--tag"}),
        ("%luma pin --at pa|", {"paper"}),
        ("%luma tag x --|", {"--at"}),
        ("%luma verify de|", {"demo.ipynb", "deep/"}),
        ("import os\n%luma pi|", {"pin"}),
    ],
)
def test_luma_lines(
    source: str, expected: set[str], opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for folder in ("demo.luma", "deep/a bench.luma", "deep/demo.ipynb.d", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "demo.luma" / "luma.toml").touch()
    (tmp_path / "deep" / "a bench.luma" / "published").mkdir()
    (tmp_path / "deep" / "a bench.luma" / "published" / "latest.json").touch()
    (tmp_path / "demo.ipynb").touch()
    opened.user_ns["bench"].tag("paper")
    monkeypatch.chdir(tmp_path)
    assert offered(opened, source) == expected


def test_every_option_of_a_luma_line_is_one_that_the_help_names():
    for command, options in complete_luma.OPTIONS.items():
        usage = HELP.partition(f"%luma {command}")[2].partition("\n%luma")[0]
        assert all(option in usage for option in options), command


def test_python_completes_as_ever(opened: Any):
    opened.user_ns["flights_of_today"] = 1
    assert "flights_of_today" in offered(opened, "flights_of|")


def test_a_name_in_quotes_over_lines_is_left_alone(opened: Any):
    assert offered(opened, '%%kadeql\nSELECT "a\nb|') == set()


def test_schemas_are_found_without_work():
    tables = {
        "frame": pd.DataFrame({"a": [1]}),
        "lazy": pl.LazyFrame({"a": [1]}),
        "arrow": pa.table({"b": [1]}),
        "_hidden": pa.table({"b": [1]}),
        "number": 3,
    }
    found = table_schemas(tables, "SELECT * FROM arrow, lazy, frame")
    assert set(found) == {"frame", "lazy", "arrow"}
    assert found["arrow"] == tables["arrow"].schema
    assert found["lazy"] is None
    assert found["frame"] is not None
    assert found["frame"].names == ["a"]


class Kernel:
    """A kernel as far as inspection goes."""

    def do_inspect(self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> Any:
        return {"status": "ok", "found": True, "data": {"text/plain": f"python {code[:cursor_pos]}"}}


def test_inspection_tells_of_kadeql_and_leaves_python_alone(opened: Any):
    kernel = Kernel()
    bench = opened.user_ns["bench"]
    inspecting.connect(kernel, lambda: bench)
    inspecting.connect(kernel, lambda: bench)
    cell = "%%kadeql\nSELECT carrier FROM flights"
    told = kernel.do_inspect(cell, cell.index("flights") + 2)
    assert told["found"]
    assert "**table** `flights`" in told["data"]["text/markdown"]
    assert kernel.do_inspect(cell, len("%%kadeql\nSELECT carrier ") + 1)["found"]
    assert not kernel.do_inspect("%%kadeql\nSELECT nothing", 18)["found"]
    assert kernel.do_inspect("flights", 3)["data"]["text/plain"] == "python fli"
    inspecting.disconnect(kernel)
    assert kernel.do_inspect(cell, 12)["data"]["text/plain"].startswith("python")


def test_the_first_cell_that_opens_a_bench_prepares_completion_once(
    shell: Any, bench_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    done = threading.Event()

    def noted(text: str, *_: Any) -> None:
        asked.append(text)
        if "FROM" in text:
            done.set()

    monkeypatch.setattr(complete, "complete", noted)
    magics = loaded(shell)
    assert magics is not None
    complete.prepare(shell, magics.find_bench)
    shell.run_cell("1 + 1")
    assert not asked
    shell.run_cell(f"%luma open {bench_path}")
    assert done.wait(20)
    shell.run_cell("1 + 1")
    assert asked == ["SELECT a", "SELECT * FROM a"]
