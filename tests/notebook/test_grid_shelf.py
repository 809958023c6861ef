"""What keeps a result in memory for its grid, and what does not."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.bench.result import Result
from luma_bench.errors import CancelledError, UnsupportedError
from luma_bench.notebook.grid import requests, views
from luma_bench.notebook.grid.connection import GridConnection
from luma_bench.notebook.grid.grids import Grids
from luma_bench.notebook.grid.session import GridSession
from luma_bench.notebook.grid.shelf import Shelf, has_grid
from luma_bench.notebook.grid.worker import Worker
from luma_bench.types.record import RunRecord

RECORD = RunRecord("duckdb", "embedded", 7)


def result_of(rows: int = 3) -> Result:
    return Result(pa.table({"n": pa.array(range(rows), pa.int64())}), RECORD, "SELECT")


def test_the_newest_results_are_kept_and_older_ones_only_while_somebody_holds_them():
    shelf = Shelf(kept=2)
    held = result_of()
    tokens = [shelf.put(held), *(shelf.put(result_of()) for _ in range(3))]
    gc.collect()
    assert len(set(tokens)) == 4
    assert shelf.get(tokens[0]) is held
    assert shelf.get(tokens[1]) is None
    assert shelf.get(tokens[2]) is not None
    assert shelf.get(tokens[3]) is not None


def test_results_are_kept_within_a_budget_but_always_the_newest():
    shelf = Shelf(budget=1_000)
    small, large = shelf.put(result_of(10)), shelf.put(result_of(1_000))
    gc.collect()
    assert shelf.get(small) is None
    assert len(shelf.get(large) or ()) == 1_000


def test_a_result_has_one_token_that_nobody_guesses():
    shelf = Shelf()
    result = result_of()
    token = shelf.put(result)
    assert shelf.put(result) == token
    assert len(token) >= 20
    for other in ("", None, 5, token[:-1]):
        assert shelf.get(other) is None
    shelf.clear()
    assert shelf.get(token) is None


def test_plans_and_statements_without_rows_have_no_grid():
    plan = Result(pa.table({"explain_key": ["luma"], "explain_value": ["…"]}), RECORD, "EXPLAIN")
    nothing = Result(pa.table({}), RECORD, "CREATE TABLE")
    assert not has_grid(plan)
    assert not has_grid(nothing)
    assert has_grid(result_of(0))
    assert Grids({}).mention(nothing) is None


class FrontEnd:
    """A comm and what it was sent."""

    topic = b"x"

    def __init__(self, number: str = "1") -> None:
        self.comm_id = number
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self.closed: dict[str, Any] | None = None
        self.arrived = threading.Condition()

    def on_close(self, call: Any) -> None:
        self.end = call

    def send(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        with self.arrived:
            self.sent.append((data, buffers))
            self.arrived.notify_all()

    def close(self, data: dict[str, Any]) -> None:
        self.closed = data

    def wait(self, count: int) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.sent) >= count, 20)


def opened(grids: Grids, token: object, number: str = "1") -> FrontEnd:
    front = FrontEnd(number)
    grids.opened(front, {"header": {}, "content": {"data": {"result": token}}})
    return front


def test_an_open_grid_keeps_its_result_and_a_closed_one_lets_it_go():
    grids = Grids({})
    grids._shelf = Shelf(kept=1)
    mention = grids.mention(result_of())
    assert mention is not None
    front = opened(grids, mention["result"])
    front.wait(1)
    assert front.sent[0][0]["type"] == "hello"
    grids.mention(result_of())
    gc.collect()
    assert grids._shelf.get(mention["result"]) is not None
    front.end({})
    del front
    # The threads let it go a moment later.
    for _ in range(100):
        gc.collect()
        if grids._shelf.get(mention["result"]) is None:
            break
        time.sleep(0.02)
    assert grids._shelf.get(mention["result"]) is None
    refused = opened(grids, mention["result"], "2")
    assert refused.closed is not None
    assert refused.closed["type"] == "refused"
    grids.close()


def test_grids_that_were_left_behind_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("luma_bench.notebook.grid.grids.MOST_OPEN", 2)
    grids = Grids({})
    kept = result_of()
    mention = grids.mention(kept)
    assert mention is not None
    fronts = [opened(grids, mention["result"], str(number)) for number in range(3)]
    assert fronts[0].closed is not None
    assert fronts[1].closed is None
    grids.close()
    assert fronts[2].closed is not None


def test_a_fault_of_one_answer_is_told_and_ends_nothing_else(caplog: pytest.LogCaptureFixture):
    session = GridSession(result_of(), lambda: 1 / 0)  # pyright: ignore[reportArgumentType]
    front = FrontEnd()
    connection = GridConnection(session, lambda message, buffers: front.send(message, list(buffers)))
    connection.take({"type": "view", "id": "a", "sort": [{"column": 0}]})
    front.wait(1)
    assert front.sent[0][0]["type"] == "error"
    assert "ZeroDivisionError" in front.sent[0][0]["message"]
    assert "could not answer" in caplog.text
    connection.take({"type": "page", "id": "b", "offset": 0, "count": 3})
    front.wait(2)
    assert front.sent[1][0]["count"] == 3
    connection.close()


def test_a_page_does_not_wait_behind_a_sort():
    gate = threading.Event()

    class Slow(GridSession):
        def handle(self, message: Any) -> Any:
            if message["type"] == "view":
                gate.wait(20)
            return super().handle(message)

    front = FrontEnd()
    connection = GridConnection(
        Slow(result_of(), lambda: 1 / 0),  # pyright: ignore[reportArgumentType]
        lambda message, buffers: front.send(message, list(buffers)),
    )
    connection.take({"type": "view", "id": "slow"})
    connection.take({"type": "page", "id": "quick", "offset": 0, "count": 1})
    front.wait(1)
    assert front.sent[0][0]["id"] == "quick"
    gate.set()
    front.wait(2)
    assert front.sent[1][0]["id"] == "slow"
    connection.close()


def test_a_worker_ends_with_its_owner():
    worker = Worker("luma-test-worker")
    ran = threading.Event()
    worker.put(ran.set)
    assert ran.wait(10)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "luma-test-worker"]
    del worker
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_grid_outside_of_a_notebook_says_what_it_needs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lb.Result, "grid_maker", None)
    with pytest.raises(UnsupportedError, match="load_ext luma_bench"):
        result_of().grid()


def test_a_page_that_waits_for_a_sort_holds_up_no_other_and_is_let_go_for_a_newer_view(
    monkeypatch: pytest.MonkeyPatch,
):
    gate = threading.Event()
    entered = threading.Event()
    finished = views.RowView.complete

    def slow(view: views.RowView) -> Any:
        entered.set()
        gate.wait(20)
        return finished(view)

    monkeypatch.setattr(views, "LARGE", 10)
    monkeypatch.setattr(views, "HEAD", 3)
    monkeypatch.setattr(views.RowView, "complete", slow)
    grids = Grids({})
    session = GridSession(result_of(100), grids.engine)
    front = FrontEnd()
    connection = GridConnection(session, lambda message, buffers: front.send(message, list(buffers)))
    connection.take({"type": "view", "id": "v", "sort": [{"column": 0, "descending": True}]})
    front.wait(1)
    connection.take({"type": "page", "id": "far", "view": 1, "offset": 50, "count": 3})
    assert entered.wait(20)
    connection.take({"type": "page", "id": "near", "view": 1, "offset": 0, "count": 3})
    front.wait(2)
    assert front.sent[1][0]["id"] == "near"
    gate.set()
    front.wait(3)
    page = pa.ipc.open_stream(front.sent[2][1][0]).read_all()
    assert page.column(0).to_pylist() == [49, 48, 47]
    connection.close()
    grids.close()


def test_who_waits_for_a_view_that_was_left_is_told_so():
    view = views.RowView(requests.View(id=1), 5, np.array([4, 3]), lambda: np.array([4, 3, 2, 1, 0]))
    told: list[BaseException] = []

    def wait() -> None:
        try:
            view.rows(3, 4)
        except CancelledError as error:
            told.append(error)

    with view._lock:
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        view.abandon()
    thread.join(10)
    assert len(told) == 1
    assert list(view.rows(0, 2)) == [4, 3]
    assert list(view.rows(3, 5)) == [1, 0]
