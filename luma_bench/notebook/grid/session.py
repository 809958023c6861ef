"""One front end's look at one result: answers its messages, and keeps the views it made."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.display import cautions
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError, KadeQLError, LumaError, UnsupportedError
from luma_bench.notebook.grid import requests as ask
from luma_bench.notebook.grid.columns import grid_columns
from luma_bench.notebook.grid.pages import PAGE, first_page, page, rows_at
from luma_bench.notebook.grid.plain import plain
from luma_bench.notebook.grid.rows import relation
from luma_bench.notebook.grid.views import RowView, column_at, make_view
from luma_bench.notebook.grid.whole import whole_value

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

VIEWS = 3
"""Views that a session keeps, each of which is four or eight bytes a row."""
_LOG = logging.getLogger(__name__)
_AHEAD = 0.4
"""Seconds after a view's first rows until the rest is sorted unasked."""
_RETRY = 0.02
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to the front end, with the buffers that belong to it."""

    message: dict[str, Any]
    buffers: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _Running:
    """A request that is being answered."""

    thread: int
    is_page: bool = False
    gives_way: bool = False
    gave_way: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class GridSession:
    """Answers one front end about one result. Thread-safe; each request is answered in the thread that hands it in.

    Parameters
    ----------
    result
        A finished result.
    engine
        Gives the engine that compares, sorts and counts; asked for when it is first needed.
    variables
        The notebook's namespace, for exports.
    """

    def __init__(
        self,
        result: Result,
        engine: Callable[[], DuckEngine],
        variables: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._result = result
        self._table = result.to_arrow()
        self._columns = grid_columns(self._table.schema)
        self._engine = engine
        self._variables = {} if variables is None else variables
        self._lock = threading.Lock()
        self._numbers = 0
        self._views: OrderedDict[int, RowView] = OrderedDict()
        self._running: dict[ask.Key, _Running] = {}
        self._ahead: dict[int, _Running] = {}
        self._calm = threading.Event()
        self._calm.set()
        self._summaries: dict[int, dict[str, Any]] = {}
        self._early: OrderedDict[ask.Key, None] = OrderedDict()

    def hello(self, number: ask.Key | None = None) -> Reply:
        """What the result is, and its first page."""
        first = first_page(self._table, self._columns)
        run = self._result.run
        told: dict[str, Any] = {
            "type": "hello",
            "rows": self._table.num_rows,
            "columns": [column.as_dict() for column in self._columns],
            "badge": run.badge,
            "cautions": cautions(run),
            "record": plain(asdict(run)),
            "plan": self._result._profile is not None,
            "page": PAGE,
            "first": {"offset": 0, "count": first.count, "columns": [first.first, first.stop]},
        }
        return Reply(told if number is None else {**told, "id": number}, (first.ipc,))

    def handle(self, message: Mapping[str, Any]) -> Reply | None:
        """Answer a message; None where it needs no answer. What is wrong with it is an answer too."""
        number = message.get("id")
        try:
            request = ask.read_request(message)
            if isinstance(request, ask.Close):
                self.close()
                return None
            if isinstance(request, ask.Cancel):
                self.cancel(request.id)
                return None
            return self._answered(request)
        except LumaError as error:
            # The place in a text that nobody wrote would say nothing.
            said = error.plain if isinstance(error, KadeQLError) else error.message
            told = {"type": "error", "id": number, "message": said, "hint": error.hint or ""}
            return Reply({**told, "cancelled": True} if isinstance(error, CancelledError) else told)

    def is_far(self, message: Mapping[str, Any]) -> bool:
        """Whether a message asks for a page that has to wait until its view is sorted."""
        with self._lock:
            view = self._views.get(message.get("view", 0))
        offset, count = message.get("offset"), message.get("count")
        if view is None or view.is_complete or not isinstance(offset, int) or not isinstance(count, int):
            return False
        return min(offset + count, view.count) > view.head

    def cancel(self, number: ask.Key) -> None:
        """Stop the request of this id, from any thread; one that has not begun yet is answered as stopped."""
        with self._lock:
            running = self._running.get(number)
            if running is None:
                self._early[number] = None
                while len(self._early) > 64:
                    self._early.popitem(last=False)
                return
            running.cancelled.set()
        self._stop(running)

    def close(self) -> None:
        """Stop everything and forget the views."""
        with self._lock:
            running = [*self._running.values(), *self._ahead.values()]
            for item in running:
                item.cancelled.set()
            self._views.clear()
        for item in running:
            item.cancelled.set()
            self._stop(item)

    def _stop(self, running: _Running) -> None:
        # Between two questions there is nothing to stop, so it is said again until the request is over.
        deadline = time.perf_counter() + _PATIENCE
        while True:
            for fragment in self._engine().running():
                if fragment.thread == running.thread and not running.over.is_set():
                    fragment.stop()
            if running.over.wait(_RETRY) or time.perf_counter() > deadline:
                return

    def _answered(self, request: ask.Request) -> Reply:
        assert not isinstance(request, ask.Close | ask.Cancel)
        number = request.id
        if number is None or isinstance(request, ask.Hello):
            return self.hello(number)
        started = time.perf_counter()
        running = _Running(
            threading.get_ident(),
            is_page=isinstance(request, ask.Page),
            gives_way=isinstance(request, ask.Summary),
        )
        with self._lock:
            self._running[number] = running
            if number in self._early:
                running.cancelled.set()
                del self._early[number]
        try:
            if running.cancelled.is_set():
                raise CancelledError.query(0.0)
            reply = self._reply(request) if not running.gives_way else self._patiently(request, running)
            if running.cancelled.is_set() and not isinstance(request, ask.Export):
                raise CancelledError.query(time.perf_counter() - started)
        except CancelledError:
            raise
        except LumaError:
            if running.cancelled.is_set():
                raise CancelledError.query(time.perf_counter() - started) from None
            raise
        else:
            return Reply({**reply.message, "id": number}, reply.buffers)
        finally:
            running.over.set()
            with self._lock:
                self._running.pop(number, None)

    def _patiently(self, request: ask.Request, running: _Running) -> Reply:
        """Answer what gives way to a view: it is stopped for one that comes meanwhile, and begins anew behind it."""
        while True:
            self._calm.wait()
            try:
                return self._reply(request)
            except CancelledError:
                if running.cancelled.is_set() or not running.gave_way:
                    raise
                running.gave_way = False

    def _reply(self, request: ask.Request) -> Reply:
        match request:
            case ask.Page():
                return self._page(request)
            case ask.Cell():
                return self._cell(request)
            case ask.View():
                return self._view(request)
            case ask.Summary():
                return self._summary(request)
            case ask.Export():
                from luma_bench.notebook.grid.export import exported

                view = self._find(request.view)
                done = exported(self._result, self._columns, view, request, self._variables)
                return Reply({"type": "exported", "to": request.to, **done})
            case ask.Charts() | ask.Chart():
                from luma_bench.notebook.grid.charting import chart, suggestions

                rows = self._rows(self._find(request.view))
                found = (
                    chart(self._engine(), rows, request)
                    if isinstance(request, ask.Chart)
                    else suggestions(self._engine(), rows)
                )
                return Reply(found)
            case ask.Plotly():
                from luma_bench.plot.charts import plotly_script

                return Reply({"type": "plotly"}, (plotly_script(),))
            case ask.Plan():
                view = self._result.plan_view()
                return Reply({"type": "plan", "svg": view.svg, "profile": plain(view.data)})
            case _:
                raise UnsupportedError(f"The grid has no answer to {type(request).__name__}.")

    def _page(self, request: ask.Page) -> Reply:
        view = self._find(request.view)
        first, stop = request.columns or (0, len(self._columns))
        stop = min(stop, len(self._columns))
        made = page(self._table, self._columns, view, request.offset, request.count, min(first, stop), stop)
        told = {
            "type": "page",
            "view": request.view,
            "offset": made.offset,
            "count": made.count,
            "columns": [made.first, made.stop],
        }
        return Reply(told, (made.ipc,))

    def _cell(self, request: ask.Cell) -> Reply:
        column = column_at(self._columns, request.column)
        view = self._find(request.view)
        if request.row >= view.count:
            raise UnsupportedError(f"There is no row {request.row} in this view.", hint="Scroll anew.")
        rows = view.rows(request.row, request.row + 1)
        row = request.row if rows is None else int(rows[0])
        told = whole_value(self._table.column(column.index), row, column)
        return Reply({"type": "cell", **told})

    def _view(self, request: ask.View) -> Reply:
        started = time.perf_counter()
        self._abandon()
        self._calm.clear()
        try:
            self._make_way()
            view = make_view(self._engine(), self._table, self._columns, request)
        finally:
            self._calm.set()
        number = 0
        if not view.is_whole:
            with self._lock:
                self._numbers += 1
                number = self._numbers
                self._views[number] = view
                while len(self._views) > VIEWS:
                    self._views.popitem(last=False)
            if not view.is_complete:
                threading.Thread(
                    target=self._complete, args=(number, view), name="luma-grid-order", daemon=True
                ).start()
        told = {"type": "view", "view": number, "rows": view.count}
        return Reply({**told, "took": time.perf_counter() - started})

    def _make_way(self) -> None:
        """Stop figures and pages of other views that are being found: somebody waits for rows of this one."""
        with self._lock:
            others = [item for item in self._running.values() if item.thread != threading.get_ident()]
            for item in others:
                item.gave_way = item.gives_way
        threads = {item.thread for item in others if item.gives_way or item.is_page}
        for fragment in self._engine().running() if threads else ():
            if fragment.thread in threads:
                fragment.stop()

    def _complete(self, number: int, view: RowView) -> None:
        """Sort the rest of a view ahead of the first who asks for it."""
        running = _Running(threading.get_ident())
        with self._lock:
            self._ahead[number] = running
        try:
            # The first page of the view goes out before its machine is busy.
            if not running.cancelled.wait(_AHEAD):
                view.complete()
        except LumaError as error:
            # Stopped for a newer view, or the engine has closed: a page that needs it begins anew, and tells what is wrong.
            _LOG.debug("The order of view %d was not completed ahead: %s", number, error)
        finally:
            running.over.set()
            with self._lock:
                self._ahead.pop(number, None)

    def _abandon(self) -> None:
        """Stop what is sorted ahead, or waited for: there is a newer view to be made."""
        with self._lock:
            for view in self._views.values():
                view.abandon()
            running = list(self._ahead.values())
        for item in running:
            item.cancelled.set()
            self._stop(item)

    def _summary(self, request: ask.Summary) -> Reply:
        from luma_bench.notebook.grid.summary import summarize

        column = column_at(self._columns, request.column)
        view = self._find(request.view)
        # A view that only sorts has the same figures as the whole result; they are found once.
        told = None if view.is_filtered else self._summaries.get(column.index)
        if told is None:
            rows = view.rows(0, view.count) if view.is_filtered else None
            if rows is None:
                told = summarize(self._engine(), relation(self._table, [column]), column)
                self._summaries[column.index] = told
            else:
                taken = rows_at(self._table.select([column.index]), rows)
                column = replace(column, index=0)
                told = summarize(self._engine(), relation(taken, [column]), column)
        return Reply({"type": "summary", "column": request.column, "view": request.view, **told})

    def _find(self, number: int) -> RowView:
        if number == 0:
            return RowView(ask.View(id=0), self._table.num_rows)
        with self._lock:
            found = self._views.get(number)
            if found is None:
                raise UnsupportedError("This view is gone.", hint="Sort or filter again.")
            self._views.move_to_end(number)
            return found

    def _rows(self, view: RowView) -> pa.Table:
        rows = view.rows(0, view.count) if view.is_filtered else None
        return self._table if rows is None else rows_at(self._table, rows)
