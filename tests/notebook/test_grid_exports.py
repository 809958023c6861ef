"""Where a grid's rows can go: files, variables, KadeQL texts that give the same rows, the clipboard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import luma_bench as lb
from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid.session import GridSession
from luma_bench.types.record import RunRecord

RECORD = RunRecord("duckdb", "embedded", 7)
Message = dict[str, Any]


def ask(session: GridSession, **message: Any) -> Message:
    reply = session.handle({"id": 1, **message})
    assert reply is not None
    return reply.message


ROWS = pa.table({"n": [3, 1, None, 2], "s": ["tab\there", "b", None, "é"]})


@pytest.fixture
def look(engine: DuckEngine) -> Callable[..., GridSession]:
    return lambda table=ROWS, text="SELECT * FROM t", variables=None: GridSession(
        Result(table, RECORD, text), lambda: engine, variables
    )


@pytest.mark.parametrize("to", ["csv", "parquet", "arrow"])
def test_a_file_has_the_views_rows_in_its_order(look: Callable[..., GridSession], tmp_path: Path, to: str):
    session = look()
    view = ask(
        session,
        type="view",
        sort=[{"column": 0, "descending": True}],
        filter=[{"column": 0, "op": "not null"}],
    )
    done = ask(session, type="export", view=view["view"], to=to, path=str(tmp_path / "rows"), columns=[1, 0])
    assert (done["rows"], Path(done["path"]).suffix) == (3, f".{to}")
    path = done["path"]
    if to == "csv":
        found = pa.csv.read_csv(path)
    elif to == "parquet":
        found = pa.parquet.read_table(path)
    else:
        found = pa.ipc.open_file(path).read_all()
    assert found.column_names == ["s", "n"]
    assert found.column("n").to_pylist() == [3, 2, 1]


def test_a_file_that_is_there_is_not_overwritten_unasked(look: Callable[..., GridSession], tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("mine")
    session = look()
    refused = ask(session, type="export", to="csv", path=str(path))
    assert refused["type"] == "error"
    assert "rows.csv" in refused["message"]
    assert path.read_text() == "mine"
    assert ask(session, type="export", to="csv", path=str(path), replace=True)["rows"] == 4


def test_a_folder_that_is_not_there_is_an_answer(look: Callable[..., GridSession], tmp_path: Path):
    refused = ask(look(), type="export", to="csv", path=str(tmp_path / "no" / "rows.csv"))
    assert refused["type"] == "error"


def test_a_variable_holds_the_rows_as_a_result(look: Callable[..., GridSession]):
    variables: Message = {"taken": 1}
    session = look(variables=variables)
    view = ask(session, type="view", filter=[{"column": 0, "op": ">", "value": 1}])
    assert ask(session, type="export", to="variable", name="rows", view=view["view"])["rows"] == 2
    assert variables["rows"].to_arrow().column("n").to_pylist() == [3, 2]
    for name in ("taken", "no name", "class", ""):
        assert ask(session, type="export", to="variable", name=name)["type"] == "error"
    assert variables["taken"] == 1
    ask(session, type="export", to="variable", name="taken", replace=True)
    assert len(variables["taken"]) == 4


def test_the_clipboard_gets_whole_values_between_tabs(look: Callable[..., GridSession]):
    done = ask(look(), type="export", to="clipboard", rows=[0, 3], header=True)
    assert done["text"] == "n\ts\n3\ttab\\there\n1\tb\n\t"
    assert ask(look(), type="export", to="clipboard", rows=[1, 2], columns=[1])["text"] == "b"


def test_too_much_for_the_clipboard_is_refused_before_it_is_made(look: Callable[..., GridSession]):
    wide = pa.table({"n": pa.array(range(1_000_001))})
    refused = ask(look(wide), type="export", to="clipboard")
    assert refused["type"] == "error"
    assert "export a file" in refused["hint"]


VIEWS: list[Message] = [
    {"sort": [{"column": 0, "descending": True, "nulls": "first"}]},
    {"filter": [{"column": 0, "op": "in", "value": [1, None, 3]}]},
    {"filter": [{"column": 1, "op": "contains", "value": 'it\'s $p0 "c0"'}]},
    {"filter": [{"column": 1, "op": "=", "value": 'it\'s $p0 "c0" -- x'}], "sort": [{"column": 2}]},
    {
        "filter": [{"column": 2, "op": "between", "value": ["2013-01-01", "2013-01-02 12:00"]}],
        "search": "2013",
    },
    {"filter": [{"column": 3, "op": ">=", "value": "2013-01-01 01:00"}]},
    {"search": "X"},
]


@pytest.mark.parametrize("asked", VIEWS)
def test_the_text_of_a_view_gives_its_rows(look: Callable[..., GridSession], tmp_path: Path, asked: Message):
    days = [dt.datetime(2013, 1, day, 5, 30) for day in range(1, 5)]
    zoned = pa.array(
        [dt.datetime(2013, 1, 1, hour, tzinfo=dt.UTC) for hour in range(4)], pa.timestamp("us", "UTC")
    )
    with lb.open(tmp_path / "b.luma", timezone="UTC") as bench:
        bench.write(
            "t",
            {"n": [3, 1, None, 2], "c0": ['it\'s $p0 "c0" -- x', "X", None, "x"], "d": days, "a b": zoned},
        )
        statement = 'SELECT n, c0, d, "a b" FROM t WHERE n IS NULL OR n < $most -- every one\n;'
        result = bench.kadeql(statement, {"most": 9})
        session = look(result.to_arrow(), result.text)
        view = ask(session, type="view", **asked)
        assert view["type"] == "view", view
        text = ask(session, type="export", to="kadeql", view=view["view"])["text"]
        ask(session, type="export", to="parquet", view=view["view"], path=str(tmp_path / "rows.parquet"))
        expected = pa.parquet.read_table(tmp_path / "rows.parquet")
        found = bench.kadeql(text, {"most": 9}).to_arrow()
    assert found.to_pylist() == expected.to_pylist()
    assert 0 < len(found) <= 4


def test_what_no_text_can_say_is_refused(look: Callable[..., GridSession]):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "A"])
    session = look(twice)
    view = ask(session, type="view", sort=[{"column": 0}])
    assert "tell them apart" in ask(session, type="export", to="kadeql", view=view["view"])["message"]
    session = look(ROWS, "SHOW TABLES")
    assert ask(session, type="export", to="kadeql")["text"] == "SHOW TABLES"
    view = ask(session, type="view", sort=[{"column": 0}])
    assert ask(session, type="export", to="kadeql", view=view["view"])["type"] == "error"


def test_a_result_proposes_charts_and_draws_them_with_their_code(look: Callable[..., GridSession]):
    table = pa.table({"carrier": ["UA", "B6", "AA"], "n": [3, 1, 2]})
    session = look(table)
    proposed = ask(session, type="charts")["suggestions"]
    assert proposed
    assert set(proposed[0]) == {"title", "kind", "x", "y", "color"}
    drawn = ask(session, type="chart", **{key: proposed[0][key] for key in ("kind", "x", "y", "color")})
    assert drawn["type"] == "chart", drawn
    assert drawn["figure"]["data"]
    assert "result" in drawn["code"]
    assert ask(session, type="chart", kind="bar", x="no such column")["type"] == "error"


def test_the_script_of_charts_comes_from_this_machine(look: Callable[..., GridSession]):
    reply = look().handle({"type": "plotly", "id": 1})
    assert reply is not None
    assert len(reply.buffers[0]) > 1_000_000


def test_a_result_shows_its_plan(look: Callable[..., GridSession], engine: DuckEngine, tmp_path: Path):
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", {"n": [1, 2]})
        session = GridSession(bench.kadeql("SELECT sum(n) AS s FROM t"), lambda: engine)
        assert session.hello().message["plan"] is True
        plan = ask(session, type="plan")
    assert plan["svg"].lstrip().startswith("<svg")
    assert plan["profile"]["version"] == 1
    assert look().hello().message["plan"] is False
    assert ask(look(), type="plan")["type"] == "error"
