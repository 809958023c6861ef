"""The magics in a real IPython shell over a real bench."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError, KadeQLSyntaxError, ReadOnlyError

Cell = Callable[[str], tuple[Any, Any]]
Failing = Callable[[str], tuple[BaseException, str]]


@pytest.fixture
def opened(cell: Cell, bench_path: Path) -> Path:
    cell(f'%luma open "{bench_path}"')
    return bench_path


def rows(value: Any) -> list[dict[str, Any]]:
    return value.to_arrow().to_pylist()


# --- %luma ---


def test_nothing_is_open_at_first(cell: Cell, failing: Failing):
    assert "No bench is open" in repr(cell("%luma")[0])
    error, said = failing("%%kadeql\nSELECT 1")
    assert isinstance(error, CatalogError)
    assert (
        said.strip()
        == "CatalogError: No bench is open in this notebook.\nRun %luma open PATH, or bench = lb.open(PATH)."
    )


def test_open_tells_what_it_found_and_binds_bench(cell: Cell, bench_path: Path, shell: Any):
    panel, _ = cell(f'%luma open "{bench_path}"')
    assert "1 table: flights" in repr(panel)
    assert isinstance(shell.user_ns["bench"], lb.Bench)
    assert "flights" in repr(cell("%luma")[0])
    assert "notebook.luma" in panel._repr_html_()


def test_open_creates_and_says_so(cell: Cell, tmp_path: Path):
    assert "Created" in repr(cell(f'%luma open "{tmp_path / "new.luma"}"')[0])


def test_open_takes_python_variables_in_braces(cell: Cell, bench_path: Path, shell: Any):
    shell.user_ns["place"] = bench_path
    assert "Opened" in repr(cell('%luma open "{place}"')[0])


def test_another_open_closes_the_first(cell: Cell, opened: Path, tmp_path: Path, shell: Any):
    first = shell.user_ns["bench"]
    cell(f'%luma open "{tmp_path / "other.luma"}"')
    with pytest.raises(lb.errors.ClosedError):
        first.tables()


def test_read_only(cell: Cell, failing: Failing, bench_path: Path):
    assert "read-only" in repr(cell(f'%luma open "{bench_path}" --mode r')[0])
    error, said = failing("%%kadeql\nINSERT INTO flights VALUES ('EV', 9)")
    assert isinstance(error, ReadOnlyError)
    assert "Traceback" not in said


def test_tables_snapshots_and_tags(cell: Cell, opened: Path):
    assert "flights" in repr(cell("%luma tables")[0])
    assert "Tagged snapshot" in repr(cell("%luma tag first")[0])
    assert "first" in repr(cell("%luma snapshots")[0])
    assert "<table" in cell("%luma snapshots")[0]._repr_html_()


def test_close(cell: Cell, opened: Path, shell: Any):
    assert "Closed" in repr(cell("%luma close")[0])
    assert "bench" not in shell.user_ns
    assert "No bench was opened" in repr(cell("%luma close")[0])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%luma opne x", "'open'"),
        ("%luma open", "A word is missing"),
        ("%luma tag a b", "Too many"),
        ("%luma tables --x", "no option --x"),
        ("%luma open 'x", "Close the quote"),
    ],
)
def test_wrong_commands_say_what_to_write(line: str, said: str, failing: Failing):
    error, text = failing(line)
    assert isinstance(error, KadeQLSyntaxError)
    assert said in text
    assert "Traceback" not in text


def test_a_bench_that_python_opened_is_read(cell: Cell, bench_path: Path, shell: Any):
    with lb.open(bench_path) as bench:
        shell.user_ns["bench"] = bench
        assert rows(cell("%kadeql SELECT count(*) AS n FROM flights")[0]) == [{"n": 4}]


# --- %%kadeql ---


def test_a_cell_gives_its_result(cell: Cell, opened: Path, shell: Any):
    result, captured = cell("%%kadeql\nSELECT carrier, n\nFROM flights\nWHERE n > 2\nORDER BY n")
    assert rows(result) == [{"carrier": None, "n": 3}, {"carrier": "UA", "n": 4}]
    assert shell.user_ns["_"] is result
    assert "(2 rows" in captured.stdout


def test_a_name_takes_the_result_and_shows_a_badge(cell: Cell, opened: Path, shell: Any):
    result, captured = cell("%%kadeql late <<\nSELECT * FROM flights")
    assert result is None
    assert len(shell.user_ns["late"]) == 4
    (badge,) = captured.outputs
    assert badge.data["text/plain"].startswith("late = 4 rows")
    assert "duckdb" in badge.data["text/html"]


def test_limit_is_for_the_eye(cell: Cell, opened: Path, shell: Any):
    result, _ = cell("%%kadeql --limit 2\nSELECT * FROM flights")
    assert len(result) == 4
    data, _ = shell.display_formatter.format(result)
    assert "… 2 more rows" in data["text/plain"]
    assert "… 2 more rows" in data["text/html"]


def test_parameters_come_from_variables(cell: Cell, opened: Path, shell: Any):
    shell.user_ns["lo"] = np.int64(3)
    assert len(cell("%%kadeql\nSELECT * FROM flights WHERE n >= $lo -- $no")[0]) == 2
    assert len(cell("%kadeql SELECT * FROM flights WHERE n >= $lo")[0]) == 2


def test_parameters_come_from_a_dict(cell: Cell, opened: Path, shell: Any):
    shell.user_ns |= {"lo": 1, "given": {"lo": 4}, "four": 4}
    assert len(cell("%%kadeql --params {'lo': four}\nSELECT * FROM flights WHERE n >= $lo")[0]) == 1
    assert len(cell("%%kadeql --params given --strict\nSELECT * FROM flights WHERE n >= $lo")[0]) == 1


def test_a_missing_parameter_is_pointed_at(failing: Failing, opened: Path):
    error, said = failing("%%kadeql\nSELECT *\nFROM flights WHERE n >= $lo")
    assert isinstance(error, KadeQLBindError)
    assert (error.line, error.column) == (3, 25)
    assert "FROM flights WHERE n >= $lo\n" + " " * (len("line 3: ") + 24) + "^^^" in said
    assert "Set the notebook variable lo" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nothing_here", "NameError"),
        ("[1]", "is a list"),
        ("{1: 2}", "not a dict of names"),
        ("{'a': ]}", "closing parenthesis"),
    ],
)
def test_wrong_params_are_pointed_at(given: str, said: str, failing: Failing, opened: Path):
    error, text = failing(f"%%kadeql --params {given}\nSELECT 1")
    assert isinstance(error, KadeQLSyntaxError)
    assert said in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "make", [pa.table, pd.DataFrame, pl.DataFrame, pl.LazyFrame], ids=lambda make: make.__module__
)
def test_variables_are_tables(make: Any, cell: Cell, opened: Path, shell: Any):
    shell.user_ns["names"] = make({"carrier": ["UA"], "name": ["United"]})
    result, _ = cell(
        "%%kadeql\nSELECT name, count(*) AS n FROM flights JOIN names USING (carrier) GROUP BY 1"
    )
    assert rows(result) == [{"name": "United", "n": 2}]


def test_results_and_frames_are_tables(cell: Cell, opened: Path, shell: Any):
    cell("%%kadeql late <<\nSELECT * FROM flights WHERE n > 1")
    assert rows(cell("%kadeql SELECT count(*) AS n FROM late")[0]) == [{"n": 3}]
    shell.user_ns["lazy"] = shell.user_ns["bench"].table("flights")
    assert rows(cell("%kadeql SELECT count(*) AS n FROM lazy")[0]) == [{"n": 4}]


def test_a_lazy_frame_is_a_part_of_the_cells_plan(cell: Cell, opened: Path, shell: Any):
    flights = shell.user_ns["bench"].table("flights")
    shell.user_ns["few"] = flights[flights["n"] > 1]
    shell.user_ns["twice"] = (flights["n"] * 2).rename("twice")
    plan, _ = cell("%kadeql EXPLAIN SELECT count(*) FROM few JOIN twice ON twice = n WHERE n < 3")
    told = "\n".join(row["explain_value"] for row in rows(plan))
    assert told.count("TABLE_SCAN flights") == 2
    assert "few" not in told.partition("operator")[2]
    result, _ = cell("%kadeql SELECT count(*) AS n, (SELECT max(twice) FROM twice) AS m FROM few WHERE n < 3")
    assert result.run.warnings == ()
    before = rows(result)
    cell("%kadeql INSERT INTO flights VALUES ('EV', 2)")
    result, _ = cell("%kadeql SELECT count(*) AS n, (SELECT max(twice) FROM twice) AS m FROM few WHERE n < 3")
    assert rows(result) == before
    assert len(result.run.warnings) == 2
    assert "'few' is read as it was when the frame was made" in repr(result)


def test_the_benchs_table_wins_and_that_is_said(cell: Cell, opened: Path, shell: Any):
    shell.user_ns["flights"] = pa.table({"x": [1]})
    result, captured = cell("%kadeql SELECT count(*) AS n FROM flights")
    assert rows(result) == [{"n": 4}]
    assert "The bench's table 'flights' is read" in captured.outputs[0].data["text/plain"]


def test_an_older_snapshot_by_id_and_tag(cell: Cell, opened: Path, shell: Any):
    first = shell.user_ns["bench"].snapshot
    cell("%luma tag first")
    cell("%%kadeql\nINSERT INTO flights VALUES ('EV', 9)")
    assert rows(cell("%kadeql SELECT count(*) AS n FROM flights")[0]) == [{"n": 5}]
    assert rows(cell(f"%kadeql --at {first} SELECT count(*) AS n FROM flights")[0]) == [{"n": 4}]
    assert rows(cell("%kadeql --at first SELECT count(*) AS n FROM flights")[0]) == [{"n": 4}]


def test_no_cache_runs_again(cell: Cell, opened: Path):
    question = "SELECT sum(n) AS s FROM flights"
    cell(f"%kadeql {question}")
    assert cell(f"%kadeql {question}")[0].run.cached
    assert not cell(f"%kadeql --no-cache {question}")[0].run.cached


# --- errors ---


def test_an_error_points_into_the_cell(failing: Failing, opened: Path):
    error, said = failing("%%kadeql --limit 3\nSELECT carrier,\n  carier\nFROM flights")
    assert isinstance(error, KadeQLError)
    assert (error.line, error.column) == (3, 3)
    first, *rest = said.strip().split("\n")
    assert first.startswith("KadeQL error: ")
    assert rest[0] == "line 3:   carier"
    assert rest[1].rstrip() == " " * 10 + "^^^^^^"
    assert "carrier" in rest[2]
    assert "Traceback" not in said


def test_an_error_of_explain_points_into_the_cell(failing: Failing, opened: Path):
    error, _ = failing("%%kadeql --explain\nSELECT carier FROM flights")
    assert isinstance(error, KadeQLError)
    assert (error.line, error.column) == (2, 8)


def test_an_unknown_option_is_pointed_at(failing: Failing, opened: Path):
    _, said = failing("%%kadeql --limt 3\nSELECT 1")
    assert "line 1: %%kadeql --limt 3\n" + " " * 17 + "^^^^^^" in said


def test_text_after_the_options_of_a_cell_is_refused(failing: Failing, opened: Path):
    _, said = failing("%%kadeql SELECT\n1")
    assert "in the lines below" in said


def test_an_empty_cell_is_refused(failing: Failing, opened: Path):
    assert "There is no statement" in failing("%%kadeql\n-- nothing")[1]


def test_errors_carry_no_control_characters(failing: Failing, opened: Path):
    _, said = failing('%%kadeql\nSELECT "\x1b]0;title\x07" FROM flights')
    assert "\x1b]" not in said
    assert "\x07" not in said


def test_loading_twice_and_unloading(shell: Any):
    shell.run_line_magic("load_ext", "luma_bench")
    shell.run_line_magic("reload_ext", "luma_bench")
    assert (
        len(
            [
                matcher
                for matcher in shell.Completer.custom_matchers
                if "luma" in getattr(matcher, "__module__", "")
            ]
        )
        == 1
    )
    shell.run_line_magic("unload_ext", "luma_bench")
    assert "kadeql" not in shell.magics_manager.magics["cell"]
    shell.run_line_magic("load_ext", "luma_bench")


def test_python_code_that_fails_shows_its_own_lines(opened: Path, failing: Failing, shell: Any):
    error, said = failing("def ask():\n    return bench.kadeql('SELECT nn FROM flights')\n\nask()")
    assert isinstance(error, KadeQLBindError)
    places, told = said.strip().split("\nKadeQL error: ")
    assert [line.partition("line ")[2] for line in places.split("\n")] == [
        "4: ask()",
        "2: return bench.kadeql('SELECT nn FROM flights')",
    ]
    assert told.startswith("There is no column 'nn' here.\nline 1: SELECT nn FROM flights\n")
    assert "luma_bench" not in said
    shell.run_line_magic("xmode", "Verbose")
    try:
        _, whole = failing("bench.kadeql('SELECT nn FROM flights')")
    finally:
        shell.run_line_magic("xmode", "Context")
    assert "Traceback" in whole


def test_unloading_brings_python_tracebacks_back(opened: Path, shell: Any):
    assert hasattr(lb.errors.LumaError, "_render_traceback_")
    shell.run_line_magic("unload_ext", "luma_bench")
    assert not hasattr(lb.errors.LumaError, "_render_traceback_")
    shell.run_line_magic("load_ext", "luma_bench")


def test_run_records_and_snapshots_are_shown_for_people(opened: Path, cell: Cell, shell: Any):
    formatted = shell.display_formatter.format
    result, _ = cell("bench.kadeql('SELECT * FROM flights')")
    shown, _ = formatted(result.run)
    assert re.search(r"^rows_read +4$", shown["text/plain"], re.MULTILINE)
    assert "scan flights" in shown["text/html"]
    snapshot, _ = cell("bench.write('more', {'x': [1]}, mode='create', message='<i>one</i>')")
    shown, _ = formatted(snapshot)
    assert shown["text/plain"].startswith(f"snapshot {snapshot.id} · create more · ")
    assert "&lt;i&gt;one" in shown["text/html"]


# --- completion ---


@pytest.mark.parametrize(
    ("source", "offered", "not_offered"),
    [
        ("%%kadeql --li", {"--limit"}, {"--at"}),
        ("%%kadeql\nSELECT * FROM fl", {"flights"}, {"carrier"}),
        ("%%kadeql\nSELECT ca| FROM flights", {"carrier"}, {"flights"}),
        ("%%kadeql\nSELECT zz| FROM flights", set(), {"zz", "zip"}),
        ("%%kadeql\nSELECT ca", {"carrier"}, {"flights"}),
        ("%%kadeql\nSELECT SEL", {"SELECT"}, {"select"}),
        ("%%kadeql\nSELECT f.| FROM flights AS f, planes p", {"carrier", "n"}, {"seats", "flights"}),
        (
            "%%kadeql\nSELECT p.| FROM flights AS f, planes p",
            {"seats", '"tail number"'},
            {"carrier", "SELECT"},
        ),
        ("%%kadeql\nSELECT f.n FROM flights f WHERE f.", {"carrier", "n"}, {"planes"}),
        ('%%kadeql\nSELECT "ta| FROM planes', {'"tail number"'}, {'"seats"'}),
        ('%%kadeql\nFROM "pl', {'"planes"'}, {'"flights"'}),
        ("%%kadeql\nFROM with_r", {"with_rowid"}, {"flights"}),
        ("%%kadeql\nFROM with_rowid(fl", {"flights"}, {"carrier"}),
        ("%%kadeql\nSELECT f.| FROM with_rowid(flights) AS f, planes p", {"_rowid", "carrier"}, {"seats"}),
        ("%kadeql --str", {"--strict"}, {"--at"}),
        ("%kadeql --limit 3 FROM fl", {"flights"}, {"planes"}),
        ("%luma sn", {"snapshots"}, {"status", "tables"}),
    ],
)
def test_completion(source: str, offered: set[str], not_offered: set[str], opened: Path, shell: Any):
    shell.user_ns["bench"].write("planes", {"tail number": ["N1"], "seats": [3]}, mode="create")
    at = source.index("|") if "|" in source else len(source)
    text = source.replace("|", "")
    with_provisional = shell.Completer.completions(text, at)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {completion.text for completion in with_provisional}
    assert offered <= found
    assert not found & not_offered
