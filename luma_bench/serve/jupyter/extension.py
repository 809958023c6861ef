"""The Jupyter server extension: its settings, and where its handlers answer."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from tornado.ioloop import PeriodicCallback
from traitlets import Bool, Float, Int, List, Unicode, validate

from luma_bench.serve.jupyter import catalog, editing
from luma_bench.serve.jupyter.benches import OpenBenches, opener, preload
from luma_bench.serve.jupyter.lanes import Lane
from luma_bench.serve.jupyter.places import Places
from luma_bench.serve.jupyter.undelayed import undelayed

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_SWEEP_MS = 60_000
CONNECTION = "kernel_websocket_connection_class"
HANDLERS = {
    "lint": editing.LintHandler,
    "format": editing.FormatHandler,
    "hover": editing.HoverHandler,
    "complete": editing.CompleteHandler,
    "catalog": catalog.TablesHandler,
    "table": catalog.TableHandler,
    "preview": catalog.PreviewHandler,
    "snapshots": catalog.SnapshotsHandler,
    "benches": catalog.BenchesHandler,
}


class LumaBenchExtension(ExtensionApp):
    """Answers JupyterLab's questions about KadeQL texts and benches, under `luma-bench/`.

    Attributes
    ----------
    editing
        Threads for what is asked while somebody types.
    looking
        Threads for what panels ask.
    """

    name = "luma_bench"
    description = "KadeQL in editors, and the catalogs of benches."
    open_browser = False  # pyright: ignore[reportAssignmentType] - it is shown by JupyterLab alone

    allowed_benches = List(
        Unicode(),
        help="Benches outside of the server's root that it may open: folders (with everything below them), relative ones "
        "counted from the root, and URLs of published benches.",
    ).tag(config=True)
    max_open_benches = Int(8, min=1, help="Benches that stay open between requests.").tag(config=True)
    threads = Int(4, min=1, help="Requests of each kind (editing, catalogs) that run at once.").tag(
        config=True
    )
    timeout = Float(20.0, help="Seconds that a request may take.").tag(config=True)
    memory_limit = Int(1 << 30, min=1 << 26, help="Bytes that a preview's query may use of one bench.").tag(
        config=True
    )

    send_at_once = Bool(
        True,
        help="Send kernels' messages to browsers at once (TCP_NODELAY): some 40 ms less for each answer.",
    ).tag(config=True)

    _sweeper: PeriodicCallback | None = None
    _benches: OpenBenches | None = None
    _expecting = False

    @validate("timeout")
    def _valid_timeout(self, proposal: dict[str, Any]) -> float:
        from traitlets import TraitError

        if not 0 < proposal["value"] < float("inf"):
            raise TraitError("LumaBenchExtension.timeout is a number of seconds, such as 20.")
        return proposal["value"]

    def initialize_settings(self) -> None:
        """Make what requests share; nothing of a bench is loaded before the first one needs it."""
        assert self.serverapp is not None
        self.places = Places.of(cast("str", self.serverapp.root_dir), self.allowed_benches)
        self.editing = Lane("editing", self.threads)
        self.looking = Lane("looking", self.threads)
        self._benches = OpenBenches(
            opener(threads=2, memory_limit=self.memory_limit, timeout=self.timeout), self.max_open_benches
        )
        if self.send_at_once and (connection := self.settings.get(CONNECTION)):
            self.settings[CONNECTION] = undelayed(connection)  # they become the server's own

    def initialize_handlers(self) -> None:
        """Every address once."""
        self.handlers.extend((rf"/luma-bench/{name}", handler) for name, handler in HANDLERS.items())

    async def _start_jupyter_server_extension(self, serverapp: object) -> None:
        self._sweeper = PeriodicCallback(self._sweep, _SWEEP_MS)
        self._sweeper.start()

    async def _sweep(self) -> None:
        assert self._benches is not None
        await self.looking.run(self._benches.sweep, self.timeout)

    async def stop_extension(self) -> None:
        """Stop what runs and close every bench."""
        if self._sweeper is not None:
            self._sweeper.stop()
        if self._benches is None:
            return
        for lane in (self.editing, self.looking):
            lane.close()
        self._benches.close()

    def expect_benches(self) -> None:
        """Load in the background what the first bench will need; only the first call does anything."""
        if not self._expecting:
            self._expecting = True
            self.looking.start(preload)

    @contextlib.contextmanager
    def bench(self, asked: str, at: str | int | None = None) -> Generator[Bench]:
        """The bench that a request names, at a snapshot or the newest, open for the block.

        Raises
        ------
        ForbiddenError
            It may not be opened.
        CatalogError
            There is none, or no such snapshot.
        """
        from luma_bench.bench.moment import parse_moment

        assert self._benches is not None
        with self._benches.using(self.places.located(asked)) as bench:
            yield bench if at is None else bench.at(parse_moment(at) if isinstance(at, str) else at)
