"""`%luma`, `%kadeql` and `%%kadeql`, and how IPython learns of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display as publish

from luma_bench.bench.interrupt import interruptible
from luma_bench.bench.moment import parse_moment
from luma_bench.bench.pointing import explaining, moved_error
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLSyntaxError, LumaError
from luma_bench.notebook import commands, inspecting
from luma_bench.notebook.cell import CellOptions, parse_options
from luma_bench.notebook.complete import make_matcher, prepare
from luma_bench.notebook.display import (
    Panel,
    bound_panel,
    bundle,
    caution_panel,
    run_panel,
    snapshot_panel,
    terminal_width,
)
from luma_bench.notebook.failure import show_short, show_whole, without_traceback
from luma_bench.notebook.grid import grids
from luma_bench.notebook.grid.grids import MEDIA_TYPE as GRID
from luma_bench.notebook.grid.grids import Grids
from luma_bench.notebook.live import live
from luma_bench.notebook.live.live import Live
from luma_bench.notebook.names import mentions, plain_value, tables_of
from luma_bench.notebook.pinned import Pins
from luma_bench.notebook.pinned.recording import Recorder
from luma_bench.notebook.plans import explained, plan_forms, profiled

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from luma_bench.bench.bench import Bench
    from luma_bench.bench.result import Result


@magics_class
class LumaMagics(Magics):
    """The magics of one notebook and the bench it has open."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.opened: Bench | None = None
        self.pins = Pins(self.variables)
        self.recorder = Recorder(self.pins)
        self.grids = Grids(self.variables)
        # A terminal has no front end to talk to, and nothing beside its text to show.
        self.live = Live(shell, self.find_bench, self._pinned_at) if hasattr(shell, "kernel") else None
        self._shown: tuple[Result, int | None] | None = None
        self._hidden: list[str] = []

    # --- the bench ---

    @property
    def variables(self) -> dict[str, Any]:
        """The notebook's namespace."""
        assert self.shell is not None
        return self.shell.user_ns

    @property
    def bench(self) -> Bench:
        """The bench that magics read: the one `%luma open` opened, else the variable `bench`; at its snapshot where the notebook is pinned.

        Raises
        ------
        CatalogError
            There is neither, or the notebook is pinned to another bench.
        """
        return self.pins.view(self.unpinned)

    @property
    def unpinned(self) -> Bench:
        """The same bench as it was opened, not at the snapshot that the notebook is pinned to.

        Raises
        ------
        CatalogError
            There is none.
        """
        found = self._opened()
        if found is None:
            raise CatalogError(
                "No bench is open in this notebook.", hint="Run %luma open PATH, or bench = lb.open(PATH)."
            )
        return found

    def find_bench(self) -> Bench | None:
        """The bench that magics read, None when there is none."""
        found = self._opened()
        if found is None:
            return None
        try:
            return self.pins.view(found)
        except LumaError:
            # Closed, or not the one that the notebook is pinned to: `bench` says so where it is asked.
            return found

    def _opened(self) -> Bench | None:
        if self.opened is not None:
            return self.opened
        from luma_bench.bench.bench import Bench

        named = self.variables.get("bench")
        return named if isinstance(named, Bench) else None

    def take(self, bench: Bench) -> None:
        """Make `bench` this notebook's bench, as the variable `bench` too; the one opened before is closed."""
        self.release()
        self.opened = bench
        self.show_pinned()

    def show_pinned(self) -> None:
        """Make the variable `bench` the opened one as the notebook reads it: at its snapshot where it is pinned."""
        if self.opened is not None:
            self.variables["bench"] = self.find_bench()

    def release(self) -> None:
        """Close the bench that `%luma open` opened."""
        if self.opened is not None:
            named = self.variables.get("bench")
            if named is self.opened or self.pins.is_view(named):
                del self.variables["bench"]
            self.pins.forget(self.opened)
            self.opened.close()
            self.opened = None

    # --- magics ---

    @line_magic
    def luma(self, line: str) -> Panel:
        """`%luma open PATH [--mode r]`, `%luma tables|snapshots|tag NAME|close|help`; alone it says what is open."""
        with told():
            return commands.run(self, line)

    @no_var_expand
    @line_cell_magic
    def kadeql(self, line: str, cell: str | None = None) -> Result | None:
        """`%%kadeql [name <<] [--at S] [--engine E] [--strict] [--limit N] [--params DICT] [--explain] [--profile] [--no-cache]`."""
        if cell is None:
            with told(lambda error: moved_error(error, line, f"%kadeql {line}", len("%kadeql "))):
                options = parse_options(line)
            return self._run(options, options.rest, "", f"%kadeql {line}", alone=False)
        return self.ask(line, cell)

    def ask(self, line: str, text: str, *, above: str = "", magic: str = "%%kadeql ") -> Result | None:
        """Run the statements of a cell, and give or name the result.

        Parameters
        ----------
        line
            The options: what stands behind `%%kadeql`.
        text
            The statements.
        above
            The cell's lines above all that.
        magic
            What stands in front of the options; nothing where the statements have no line above them.
        """
        header = above + magic + line
        with told(lambda error: moved_error(error, line, header, len(above + magic))):
            options = parse_options(line)
            if options.rest:
                raise KadeQLSyntaxError(
                    "This is no option.",
                    text=line,
                    span=(options.rest_start, len(line)),
                    hint="The statement stands in the lines below.",
                )
        # Line numbers count the cell's lines, as its editor does: the magic's own line is line 1.
        return self._run(options, text, f"{header}\n" if magic else above, header, alone=not above.strip())

    def _run(self, options: CellOptions, text: str, above: str, header: str, *, alone: bool) -> Result | None:
        """Run `text`; errors point into what stands `above` it and itself. `alone`: the cell holds nothing else."""
        sent = explaining(text) if options.explain else text
        with told(lambda error: moved_error(error, sent, above + text, len(above) - len(sent) + len(text))):
            bench = self.bench
            with interruptible(bench), self._progress(bench, alone=alone):
                result = self._ask(bench, options, text, sent, header)
        if self.live is not None:
            self.live.badge = result.run.badge
        return self._show(options, result)

    @contextlib.contextmanager
    def _progress(self, bench: Bench, *, alone: bool) -> Generator[None]:
        """Within the block, a long statement's progress is shown; after it, what the reader must know besides the answer."""
        try:
            with self.live.line(bench, alone=alone) if self.live is not None else contextlib.nullcontext():
                yield
        finally:
            if self._hidden:
                publish(
                    caution_panel(
                        [
                            f"The bench's table {name!r} is read, not the notebook variable {name!r}."
                            for name in self._hidden
                        ]
                    )
                )
            self._hidden = []

    def _pinned_at(self, bench: Bench | None) -> int | None:
        return None if bench is None else self.pins.snapshot_of(bench)

    def _ask(self, bench: Bench, options: CellOptions, text: str, sent: str, header: str) -> Result:
        found = mentions(text)
        if not found.statements:
            raise KadeQLSyntaxError(
                "There is no statement.", hint="Write one, such as SELECT * FROM flights."
            )
        if options.explain and found.statements > 1:
            raise KadeQLSyntaxError(
                f"--explain takes one statement; here are {found.statements}.",
                hint="Put each into a cell of its own.",
            )
        at = None if options.at is None else parse_moment(options.at)
        tables, self._hidden = tables_of(found, self.variables, bench.tables())
        params = self._params(options, found.params, sent, len(sent) - len(text), header)
        result = bench.kadeql(
            sent,
            params,
            engine=options.engine,
            strict=options.strict,
            at=at,
            cache=options.cache,
            tables=tables or None,
            profile=options.profile,
        )
        self.recorder.asked(result, text, params)
        return result

    def _params(
        self, options: CellOptions, used: Mapping[str, tuple[int, int]], sent: str, shift: int, header: str
    ) -> dict[str, object]:
        assert self.shell is not None
        if options.params is None:
            for name, (start, stop) in used.items():
                if name not in self.variables:
                    raise KadeQLBindError(
                        f"The parameter ${name} has no value.", text=sent, span=(start + shift, stop + shift),
                        hint=f"Set the notebook variable {name}, or give --params {{'{name}': …}}.",
                    )  # fmt: skip
            return {name: plain_value(self.variables[name]) for name in used}
        start = header.rindex(options.params)
        span = (start, start + len(options.params))
        try:
            given: object = self.shell.ev(options.params)
        except Exception as error:  # the user's own expression may raise anything
            raise KadeQLSyntaxError(
                f"--params: {type(error).__name__}: {error}", text=header, span=span, hint=_PARAMS_HINT
            ) from error
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise KadeQLSyntaxError(
                f"--params is a {type(given).__name__}, not a dict of names and values.",
                text=header,
                span=span,
                hint=_PARAMS_HINT,
            )
        return {str(name): plain_value(value) for name, value in given.items()}

    # --- showing ---

    def _show(self, options: CellOptions, result: Result) -> Result | None:
        self._shown = (result, options.limit)
        if options.name is not None:
            self.variables[options.name] = result
            publish(bound_panel(options.name, result), metadata=self.recorder.metadata(result))
        if options.profile:
            publish(profiled(result, terminal_width(self.shell)), raw=True)
        return result if options.name is None else None

    def format(
        self, result: Result, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What IPython asks for when a cell ends with a Result: its forms, and the output's metadata."""
        limit = None
        if self._shown is not None and self._shown[0] is result:
            _, limit = self._shown
        forms: dict[str, Any] = dict(bundle(result, limit, terminal_width(self.shell)))
        plan = explained(result)
        if plan is not None:
            return forms | plan_forms(plan), self.recorder.metadata(result)
        mention = self.grids.mention(result, limit) if self.live is not None else None
        if mention is not None:
            forms[GRID] = mention
        return forms, self.recorder.metadata(result)

    # --- the front end ---

    def connect(self) -> None:
        """Answer front ends from now on, and give results their `grid()`."""
        from luma_bench.bench.result import Result

        Result.grid_maker = self.grids.widget
        if self.live is None:
            return
        import comm

        manager = comm.get_comm_manager()
        manager.register_target(live.TARGET, self.live.opened)
        manager.register_target(grids.TARGET, self.grids.opened)
        self.live.on("pin", lambda message: self.pins.adopt(message.get("pin")))
        self.pins.subscribe(self._tell_pin)
        self.live.start()

    def disconnect(self) -> None:
        """Let every front end go."""
        from luma_bench.bench.result import Result

        Result.grid_maker = None
        self.grids.close()
        if self.live is None:
            return
        import comm

        manager = comm.get_comm_manager()
        manager.unregister_target(live.TARGET, self.live.opened)
        manager.unregister_target(grids.TARGET, self.grids.opened)
        self.live.stop()

    def _tell_pin(self, pin: object) -> None:
        if self.live is not None:
            self.live.send({"type": "pin", "pin": pin})


_RESULT = ("luma_bench.bench.result", "Result")
_RUN = ("luma_bench.types.record", "RunRecord")
_SNAPSHOT = ("luma_bench.types.record", "Snapshot")
_PARAMS_HINT = "Give a dict such as --params {'lo': 3}, or the name of a variable that holds one."


@contextlib.contextmanager
def told(moved: Callable[[LumaError], LumaError] | None = None) -> Generator[None]:
    """Within the block, an error of Luma Bench reaches the reader without a Python traceback, and the cell fails."""
    try:
        yield
    except LumaError as error:
        raise without_traceback(moved(error) if moved else error) from None


def load(shell: Any) -> None:
    """Bring the magics, the display of results and completion into an IPython shell; a second call changes nothing."""
    if loaded(shell) is not None:
        return
    magics = LumaMagics(shell)
    shell.register_magics(magics)
    forms: dict[tuple[str, str], Callable[..., Any]] = {
        _RESULT: magics.format,
        _RUN: lambda run, **_: run_panel(run, terminal_width(shell)).bundle,
        _SNAPSHOT: lambda snapshot, **_: snapshot_panel(snapshot).bundle,
    }
    for (room, name), form in forms.items():
        shell.display_formatter.mimebundle_formatter.for_type_by_name(room, name, form)
    magics.connect()
    show_short(shell)
    shell.Completer.custom_matchers.append(make_matcher(magics.find_bench))
    if (kernel := getattr(shell, "kernel", None)) is not None:
        inspecting.connect(kernel, magics.find_bench)
        prepare(shell, magics.find_bench)


def unload(shell: Any) -> None:
    """Close the notebook's bench and take the magics away again."""
    magics = loaded(shell)
    if magics is None:
        return
    magics.disconnect()
    magics.release()
    if (kernel := getattr(shell, "kernel", None)) is not None:
        inspecting.disconnect(kernel)
    for kind, name in (("line", "luma"), ("line", "kadeql"), ("cell", "kadeql")):
        shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(LumaMagics.__name__, None)
    for room, name in (_RESULT, _RUN, _SNAPSHOT):
        shell.display_formatter.mimebundle_formatter.pop(f"{room}.{name}", None)
    show_whole()
    matchers = shell.Completer.custom_matchers
    matchers[:] = [
        matcher
        for matcher in matchers
        if getattr(matcher, "__module__", "") != "luma_bench.notebook.complete"
    ]


def loaded(shell: Any) -> LumaMagics | None:
    """The magics of a shell, None when the extension is not loaded."""
    found = shell.magics_manager.registry.get(LumaMagics.__name__)
    return found if isinstance(found, LumaMagics) else None
