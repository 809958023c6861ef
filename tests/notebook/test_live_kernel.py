"""A live notebook: state, progress, cancel and grids over comms, while a cell runs and after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from comm_kernel import CommKernel, comm_kernel

ENDLESS = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"
GRID = "application/vnd.luma-bench.grid+json"
PROGRESS = "application/vnd.luma-bench.progress+json"


@pytest.fixture(scope="module")
def started() -> Iterator[CommKernel]:
    with comm_kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(started: CommKernel, bench_path: Path) -> CommKernel:
    reply, _ = started.run(f'%load_ext luma_bench\n%luma open "{bench_path}"')
    assert reply["status"] == "ok"
    return started


def table_of(buffers: list[bytes]) -> pa.Table:
    return pa.ipc.open_stream(buffers[0]).read_all()


def kind(name: str) -> Any:
    return lambda message: message.get("type") == name


def test_the_state_is_told_at_once_and_after_each_cell(kernel: CommKernel, bench_path: Path):
    comm = kernel.open("luma-bench", {})
    state, _ = comm.next(kind("state"))
    assert state["bench"]["path"] == str(bench_path)
    assert (state["bench"]["mode"], state["bench"]["tables"], state["bench"]["pinned"]) == ("a", 1, None)
    assert state["bench"]["snapshot"] == state["bench"]["newest"]
    before = state["bench"]["snapshot"]
    kernel.run("%kadeql CREATE TABLE more AS SELECT 1 AS a")
    state, _ = comm.next(kind("state"))
    assert (state["bench"]["snapshot"], state["bench"]["tables"]) == (before + 1, 2)
    kernel.run("%luma close")
    state, _ = comm.next(kind("state"))
    assert state["bench"] is None


def test_a_running_cell_reports_its_progress_and_is_stopped_by_a_message(kernel: CommKernel):
    comm = kernel.open("luma-bench", {})
    comm.next(kind("state"))
    # The kernel has said something to the front end from its main shell, which must not take the comm there.
    kernel.run("1 + 1")
    number = kernel.begin(f"%%kadeql\n{ENDLESS}")
    told, _ = comm.next(kind("progress"))
    assert told["statement"].startswith("SELECT count(*)")
    assert told["elapsed"] >= 0.3
    line = kernel.until(
        lambda message: (
            message["msg_type"] == "display_data" and message["parent_header"].get("msg_id") == number
        )
    )
    assert line["content"]["data"][PROGRESS]["run"] == told["run"]
    assert line["content"]["data"]["text/plain"].startswith("Running for ")
    asked = time.monotonic()
    comm.send(type="cancel", run=told["run"])
    reply = kernel.reply(number)
    assert (reply["status"], reply["ename"]) == ("error", "CancelledError")
    # A second is promised; the rest is for a machine that does other things too.
    assert time.monotonic() - asked < 5
    done, _ = comm.next(kind("done"))
    assert done["run"] == told["run"]
    kinds = [
        message["msg_type"]
        for message in kernel.seen
        if message["parent_header"].get("msg_id") == number
        and message["msg_type"] in ("display_data", "clear_output", "error")
    ]
    assert kinds[0] == "display_data"
    assert kinds[-2:] == ["clear_output", "error"]


def test_a_result_is_looked_through_while_another_cell_runs(kernel: CommKernel):
    _, outputs = kernel.run("%%kadeql\nSELECT carrier, n FROM flights ORDER BY n")
    (shown,) = outputs
    mention = shown["data"][GRID]
    assert (mention["version"], mention["rows"], mention["columns"]) == (1, 4, 2)
    number = kernel.begin("import time\ntime.sleep(20)")
    comm = kernel.open("luma-bench:grid", {"result": mention["result"]})
    hello, buffers = comm.next(kind("hello"))
    assert [column["name"] for column in hello["columns"]] == ["carrier", "n"]
    assert table_of(buffers).column("0").to_pylist() == ["UA", "B6", None, "UA"]
    view, _ = comm.ask(
        type="view", sort=[{"column": 1, "descending": True}], filter=[{"column": 0, "op": "not null"}]
    )
    page, buffers = comm.ask(type="page", view=view["view"], offset=0, count=10, columns=[0, 2])
    assert page["count"] == 3
    assert table_of(buffers).column("1").to_pylist() == [4, 2, 1]
    wrong, _ = comm.ask(type="view", filter=[{"column": 1, "op": "=", "value": "many"}])
    assert wrong["type"] == "error"
    assert wrong["message"]
    kernel.manager.interrupt_kernel()
    assert kernel.reply(number)["ename"] == "KeyboardInterrupt"


def test_a_grid_of_another_kernel_is_refused(kernel: CommKernel):
    comm = kernel.open("luma-bench:grid", {"result": "nobody"})
    refused, _ = comm.next()
    assert refused["type"] == "refused"
    assert "Run the cell again" in refused["message"]


def test_two_front_ends_look_at_one_result_each_in_its_own_way(kernel: CommKernel):
    _, outputs = kernel.run("%%kadeql\nSELECT n FROM flights ORDER BY n")
    token = outputs[0]["data"][GRID]["result"]
    first, second = (kernel.open("luma-bench:grid", {"result": token}) for _ in range(2))
    first.next(kind("hello"))
    second.next(kind("hello"))
    view, _ = first.ask(type="view", sort=[{"column": 0, "descending": True}])
    gone, _ = second.ask(type="page", view=view["view"], offset=0, count=4, columns=[0, 1])
    assert gone["type"] == "error"
    _, buffers = first.ask(type="page", view=view["view"], offset=0, count=4, columns=[0, 1])
    assert table_of(buffers).column("0").to_pylist() == [4, 3, 2, 1]


def test_an_export_makes_a_variable_of_the_notebook(kernel: CommKernel):
    _, outputs = kernel.run("%%kadeql\nSELECT n FROM flights")
    comm = kernel.open("luma-bench:grid", {"result": outputs[0]["data"][GRID]["result"]})
    comm.next(kind("hello"))
    view, _ = comm.ask(type="view", filter=[{"column": 0, "op": ">", "value": "2"}])
    done, _ = comm.ask(type="export", view=view["view"], to="variable", name="kept")
    assert (done["name"], done["rows"]) == ("kept", 2)
    _, outputs = kernel.run("%kadeql SELECT sum(n)::INTEGER AS s FROM kept")
    assert "7" in outputs[0]["data"]["text/plain"]


def test_unloading_lets_front_ends_go(kernel: CommKernel):
    comm = kernel.open("luma-bench", {})
    comm.next(kind("state"))
    kernel.run("%unload_ext luma_bench")
    refused, _ = comm.next(lambda message: message.get("type") == "refused")
    assert "unloaded" in refused["message"]
