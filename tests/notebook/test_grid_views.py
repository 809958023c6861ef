"""Sorting, filtering, searching and summaries of a grid, held against plain Python over rows of every type."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from grid_kinds import KINDS, RECORD, Message, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.bench.result import Result
from luma_bench.engines.duck import DuckEngine
from luma_bench.notebook.grid import summary, views
from luma_bench.notebook.grid.session import GridSession
from luma_bench.plan.engine import Inputs, SqlFragment


def rows_of(session: GridSession, view: int, column: int = 0) -> list[Any]:
    """The numbers of a column `0, 1, 2, …` that stands beside the data: which rows a view has, in its order."""
    found: list[Any] = []
    while True:
        reply = session.handle(
            {
                "type": "page",
                "id": 1,
                "view": view,
                "offset": len(found),
                "count": 7,
                "columns": [column, column + 1],
            }
        )
        assert reply is not None
        assert reply.message["type"] == "page", reply.message
        page = pa.ipc.open_stream(reply.buffers[0]).read_all()
        if page.num_rows == 0:
            return found
        found += page.column(0).to_pylist()


@st.composite
def tables(draw: st.DrawFn, name: str | None = None) -> tuple[str, pa.Table, list[Any]]:
    """A name, rows `place` and `value` in several chunks, and the values as the oracle compares them."""
    name = name or draw(st.sampled_from(sorted(KINDS)))
    kind, strategy = KINDS[name]
    values = draw(st.lists(st.none() | strategy, max_size=25))
    parts = draw(st.integers(1, 4))
    bounds = [len(values) * part // parts for part in range(parts + 1)]
    chunks = [pa.array(values[start:stop], kind) for start, stop in itertools.pairwise(bounds)]
    table = pa.table(
        {
            "place": pa.chunked_array(
                [pa.array(range(start, stop), pa.int64()) for start, stop in itertools.pairwise(bounds)]
            ),
            "value": pa.chunked_array(chunks, kind),
        }
    )
    return name, table, values


def order_key(value: Any) -> Any:
    """NaN comes after every number, bytes and texts by their bytes."""
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, value)
    return value.encode() if isinstance(value, str) else value


@given(drawn=tables(), descending=st.booleans(), nulls=st.sampled_from(["first", "last"]))
@settings(deadline=None, max_examples=120)
def test_a_sorted_view_is_the_stable_sort_of_the_rows(
    engine: DuckEngine, drawn: Any, descending: bool, nulls: str
):
    _, table, values = drawn
    session = GridSession(Result(table, RECORD, "SELECT"), lambda: engine)
    view = ask(session, type="view", sort=[{"column": 1, "descending": descending, "nulls": nulls}])
    filled = [place for place, value in enumerate(values) if value is not None]
    missing = [place for place, value in enumerate(values) if value is None]
    # Python's sort keeps equal rows in their order in both directions, as a view does.
    ordered = sorted(filled, key=lambda place: order_key(values[place]), reverse=descending)
    if descending:
        ordered = sorted(filled, key=lambda place: _Reversed(order_key(values[place])))
    expected = missing + ordered if nulls == "first" else ordered + missing
    assert view["rows"] == len(values)
    assert rows_of(session, view["view"]) == expected


class _Reversed:
    """Turns an order around without turning equal values around."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return other.value < self.value


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def typed(value: Any) -> str:
    """A value as somebody types it into a filter."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@given(drawn=tables().filter(lambda drawn: drawn[0] != "nanoseconds"), op=st.sampled_from([*COMPARED, "in", "between", "null", "not null"]), data=st.data())  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_a_filtered_view_has_the_rows_that_meet_it(
    engine: DuckEngine, drawn: Any, op: str, data: st.DataObject
):
    name, table, values = drawn
    _, strategy = KINDS[name]
    finite = strategy.filter(lambda value: value == value)
    session = GridSession(Result(table, RECORD, "SELECT"), lambda: engine)
    key = order_key
    if op in ("null", "not null"):
        asked: Message = {"column": 1, "op": op}
        expected = [place for place, value in enumerate(values) if (value is None) == (op == "null")]
    elif op == "in":
        chosen = data.draw(st.lists(finite, min_size=1, max_size=3))
        asked = {"column": 1, "op": op, "value": [typed(item) for item in chosen]}
        expected = [place for place, value in enumerate(values) if value is not None and value in chosen]
    elif op == "between":
        low, high = data.draw(finite), data.draw(finite)
        asked = {"column": 1, "op": op, "value": [typed(low), typed(high)]}
        expected = [
            place
            for place, value in enumerate(values)
            if value is not None and key(low) <= key(value) <= key(high)
        ]
    else:
        given_value = data.draw(finite)
        asked = {"column": 1, "op": op, "value": typed(given_value)}
        expected = [
            place
            for place, value in enumerate(values)
            if value is not None and COMPARED[op](key(value), key(given_value))
        ]
    view = ask(session, type="view", filter=[asked])
    assert view["type"] == "view", view
    assert view["rows"] == len(expected)
    assert rows_of(session, view["view"]) == expected


def test_a_time_without_an_offset_is_one_of_the_columns_zone(look: Callable[[pa.Table], GridSession]):
    kind = pa.timestamp("us", "America/New_York")
    moments = [dt.datetime(2013, 1, 1, hour, tzinfo=dt.UTC) for hour in (4, 5, 6)]
    session = look(pa.table({"place": [0, 1, 2], "z": pa.array(moments, kind)}))
    local = ask(session, type="view", filter=[{"column": 1, "op": "=", "value": "2013-01-01 00:00:00"}])
    assert rows_of(session, local["view"]) == [1]
    absolute = ask(session, type="view", filter=[{"column": 1, "op": ">", "value": "2013-01-01T05:00:00Z"}])
    assert rows_of(session, absolute["view"]) == [2]


@given(
    text=st.text("abé1-.", max_size=3),
    values=st.lists(st.none() | st.text("abÉé1-.", max_size=6), max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_a_search_finds_a_text_in_any_column_whatever_its_case(
    engine: DuckEngine, text: str, values: list[str | None]
):
    numbers = list(range(-3, len(values) - 3))
    table = pa.table(
        {
            "place": list(range(len(values))),
            "s": pa.array(values, pa.string()),
            "n": pa.array(numbers, pa.int64()),
        }
    )
    session = GridSession(Result(table, RECORD, "SELECT"), lambda: engine)
    view = ask(session, type="view", search=text)
    expected = [
        place
        for place, (value, number) in enumerate(zip(values, numbers, strict=True))
        if text.lower() in str(place)
        or (value is not None and text.lower() in value.lower())
        or text in str(number)
    ]
    assert rows_of(session, view["view"]) == expected


def test_columns_of_one_name_are_told_apart(look: Callable[[pa.Table], GridSession]):
    table = pa.Table.from_arrays(
        [pa.array([0, 1, 2]), pa.array([3, 1, 2]), pa.array([1, 2, 3])], names=["a", "a", "A"]
    )
    session = look(table)
    view = ask(session, type="view", sort=[{"column": 1}], filter=[{"column": 2, "op": ">", "value": 1}])
    assert rows_of(session, view["view"]) == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "view", "filter": [{"column": 0, "op": "=", "value": "many"}]},
        {"type": "view", "filter": [{"column": 0, "op": "="}]},
        {"type": "view", "filter": [{"column": 0, "op": "between", "value": [1]}]},
        {"type": "view", "filter": [{"column": 0, "op": "LIKE", "value": "%"}]},
        {"type": "view", "sort": [{"column": 9}]},
        {"type": "page", "view": 99, "offset": 0, "count": 1},
        {"type": "page", "offset": -1, "count": 1},
        {"type": "cell", "row": 99, "column": 0},
        {"type": "summary", "column": 4},
        {"type": "nothing"},
        {},
    ],
)
def test_what_is_wrong_is_an_answer_that_says_so(look: Callable[[pa.Table], GridSession], message: Message):
    session = look(pa.table({"n": [1, 2, 3]}))
    reply = session.handle({"id": "x", **message})
    assert reply is not None
    assert (reply.message["type"], reply.message["id"]) == ("error", "x")
    assert len(reply.message["message"]) > 10
    assert "SELECT place" not in reply.message["message"]


def test_the_head_of_a_large_order_is_the_head_of_the_order(
    look: Callable[[pa.Table], GridSession], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "LARGE", 10)
    monkeypatch.setattr(views, "HEAD", 3)
    values = [5, 3, 5, 1, None, 3, 9, 0, 5, 7, 2, 2]
    session = look(pa.table({"place": range(len(values)), "n": values}))
    view = ask(session, type="view", sort=[{"column": 1, "descending": True}])
    expected = sorted(range(len(values)), key=lambda place: (values[place] is None, -(values[place] or 0)))
    assert view["rows"] == len(values)
    assert rows_of(session, view["view"]) == expected
    session.close()


def test_a_request_is_stopped_by_another_thread(look: Callable[[pa.Table], GridSession]):
    table = pa.table({f"c{i}": pa.array(range(1_500_000)).cast(pa.string()) for i in range(4)})
    session = look(table)
    replies: list[Message] = []

    def work() -> None:
        replies.append(ask(session, type="view", search="no such text anywhere"))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.1)
    began = time.monotonic()
    session.handle({"type": "cancel", "id": 1})
    thread.join(20)
    assert time.monotonic() - began < 5
    assert replies[0]["type"] == "error"
    assert replies[0]["cancelled"] is True
    # One that comes before what it stops counts too.
    session.handle({"type": "cancel", "id": 2})
    assert ask(session, type="view", id=2, sort=[{"column": 0}])["cancelled"] is True
    assert ask(session, type="view", id=3, filter=[{"column": 0, "op": "=", "value": "7"}])["rows"] == 1


def test_a_view_does_not_wait_for_figures_which_begin_anew_behind_it(
    look: Callable[[pa.Table], GridSession], monkeypatch: pytest.MonkeyPatch
):
    session = look(pa.table({"n": range(10)}))
    tries: list[str] = []
    begun = threading.Event()

    def slow(engine: DuckEngine, rows: pa.Table, column: Any) -> Message:
        tries.append("figures")
        if len(tries) == 1:
            begun.set()
            # Long, until the view stops it.
            endless = (
                "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
            )
            engine.run(SqlFragment(endless), Inputs(sources={}))
        return {"rows": rows.num_rows}

    monkeypatch.setattr(summary, "summarize", slow)
    told: list[Message] = []
    thread = threading.Thread(
        target=lambda: told.append(ask(session, type="summary", id="figures", column=0))
    )
    thread.start()
    assert begun.wait(20)
    time.sleep(0.1)
    assert ask(session, type="view", id="view", sort=[{"column": 0}])["rows"] == 10
    thread.join(20)
    assert told[0]["rows"] == 10
    assert tries == ["figures", "figures"]
