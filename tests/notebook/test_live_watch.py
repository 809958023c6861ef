"""What is reported of running statements, and how a comm is spoken through."""

from __future__ import annotations

import contextvars
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import luma_bench as lb
from luma_bench.errors import CancelledError
from luma_bench.notebook.live.channel import Channel
from luma_bench.notebook.live.line import MEDIA_TYPE, ProgressLine, progress_text
from luma_bench.notebook.live.live import report
from luma_bench.notebook.live.state import state_of
from luma_bench.notebook.live.watch import Watch, running_of, stop_run

ENDLESS = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3"


def test_a_statement_is_reported_while_it_runs_and_once_when_it_is_over(tmp_path: Path):
    reports: list[dict[str, Any]] = []
    over: list[int] = []
    told = threading.Event()

    def progress(query: Any) -> None:
        reports.append(report(query))
        told.set()

    with lb.open(tmp_path / "b.luma") as bench:
        assert running_of(bench) == ()
        watch = Watch(lambda: bench, progress, over.append)
        failed: list[BaseException] = []

        def ask() -> None:
            try:
                bench.kadeql(ENDLESS)
            except CancelledError as error:
                failed.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert told.wait(30)
        stop_run(bench, reports[0]["run"])
        thread.join(30)
        assert len(failed) == 1
        watch.stop()
    assert reports[0]["statement"].startswith("SELECT count(*)")
    assert reports[0]["elapsed"] >= 0.3
    assert over == [reports[0]["run"]]
    assert running_of(bench) == ()
    stop_run(bench, reports[0]["run"])


def test_a_quick_statement_is_not_reported(tmp_path: Path):
    reports: list[Any] = []
    with lb.open(tmp_path / "b.luma") as bench:
        watch = Watch(lambda: bench, reports.append, reports.append)
        bench.kadeql("SELECT 1 AS a")
        watch.stop()
    assert reports == []


def test_the_state_of_what_is_open_and_of_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with lb.open("b.luma") as bench:
        bench.write("t", {"a": [1]})
        old = bench.at(1)
        told = state_of(bench, None)
        assert told["bench"]["path"] == str(tmp_path / "b.luma")
        assert (told["bench"]["mode"], told["bench"]["tables"]) == ("a", 1)
        before = state_of(old, 1)
        assert (before["bench"]["mode"], before["bench"]["pinned"]) == ("r", 1)
        assert before["bench"]["newest"] == bench.snapshot
        assert before["cluster"] is None
    assert state_of(bench, None)["bench"] is None
    assert state_of(None, None)["bench"] is None


class Publisher:
    """IPython's display publisher, as far as a line needs one."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any, bool]] = []
        self.cleared = 0

    def publish(self, data: Any, metadata: Any, *, transient: Any, update: bool) -> None:
        self.said.append((place.get("nowhere"), data, update))

    def clear_output(self) -> None:
        self.cleared += 1


place: contextvars.ContextVar[str] = contextvars.ContextVar("place")
REPORT = {"run": 3, "statement": "SELECT 1", "fraction": 0.25, "elapsed": 2.0}


def test_a_line_speaks_as_the_cell_that_it_belongs_to():
    place.set("the cell")
    publisher = Publisher()
    line = ProgressLine(publisher, alone=True)
    thread = threading.Thread(target=lambda: (line.show(REPORT), line.show(REPORT)))
    thread.start()
    thread.join()
    assert [(where, update) for where, _, update in publisher.said] == [
        ("the cell", False),
        ("the cell", True),
    ]
    assert publisher.said[0][1][MEDIA_TYPE]["run"] == 3
    line.remove()
    assert publisher.cleared == 1


def test_a_line_among_other_outputs_is_emptied_and_takes_nothing_else_away():
    publisher = Publisher()
    line = ProgressLine(publisher, alone=False)
    line.remove()
    assert publisher.said == []
    line.show(REPORT)
    line.remove()
    assert publisher.cleared == 0
    assert publisher.said[-1][1] == {MEDIA_TYPE: {"version": 1, "run": 3, "done": True}, "text/plain": ""}


def test_a_progress_line_in_words():
    assert progress_text(REPORT) == "Running for 2.0 s · 25 % · SELECT 1"
    assert (
        progress_text({**REPORT, "fraction": None, "statement": "a\x1b[31m"})
        == "Running for 2.0 s · a\\u001b[31m"
    )


class Comm:
    """A comm of a kernel with subshells."""

    comm_id = "c"
    topic = b"t"

    def __init__(self) -> None:
        self.kernel = self
        self.session = self
        self.iopub_socket = object()
        self.said: list[Any] = []

    def send(
        self, socket: object, kind: str, content: Any, *, parent: Any, ident: bytes, buffers: Any
    ) -> None:
        self.said.append((kind, content, parent, ident, buffers))


def test_a_channel_speaks_for_the_message_that_opened_it():
    comm = Comm()
    channel = Channel(comm, {"header": {"subshell_id": "s"}, "content": {}})
    channel.send({"type": "state"}, [b"x"])
    assert comm.said == [
        (
            "comm_msg",
            {"comm_id": "c", "data": {"type": "state"}},
            {"header": {"subshell_id": "s"}},
            b"t",
            [b"x"],
        )
    ]
    comm._closed = True  # pyright: ignore[reportAttributeAccessIssue]
    channel.send({"type": "state"})
    assert len(comm.said) == 1


def test_a_watch_stops_at_once(tmp_path: Path):
    began = time.monotonic()
    Watch(lambda: None, lambda _: None, lambda _: None).stop()
    assert time.monotonic() - began < 0.25
