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
from luma_bench.notebook import commands
from luma_bench.notebook.cell import CellOptions, parse_options
from luma_bench.notebook.complete import make_matcher
from luma_bench.notebook.display import (
    Panel,
    bound_panel,
    bundle,
    caution_panel,
    profile_panel,
    run_panel,
    snapshot_panel,
    terminal_width,
)
from luma_bench.notebook.failure import show_short, show_whole, without_traceback
from luma_bench.notebook.names import mentions, tables_of

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
        self._shown: tuple[Result, int | None, bool] | None = None

    # --- the bench ---

    @property
    def variables(self) -> dict[str, Any]:
        """The notebook's namespace."""
        assert self.shell is not None
        return self.shell.user_ns

    @property
    def bench(self) -> Bench:
        """The bench that magics read: the one `%luma open` opened, else the variable `bench`.

        Raises
        ------
        CatalogError
            There is neither.
        """
        found = self.find_bench()
        if found is None:
            raise CatalogError(
                "No bench is open in this notebook.", hint="Run %luma open PATH, or bench = lb.open(PATH)."
            )
        return found

    def find_bench(self) -> Bench | None:
        """The bench that magics read, None when there is none."""
        if self.opened is not None:
            return self.opened
        from luma_bench.bench.bench import Bench

        named = self.variables.get("bench")
        return named if isinstance(named, Bench) else None

    def take(self, bench: Bench) -> None:
        """Make `bench` this notebook's bench, as the variable `bench` too; the one opened before is closed."""
        self.release()
        self.opened = bench
        self.variables["bench"] = bench

    def release(self) -> None:
        """Close the bench that `%luma open` opened."""
        if self.opened is not None:
            if self.variables.get("bench") is self.opened:
                del self.variables["bench"]
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
        magic = "%kadeql " if cell is None else "%%kadeql "
        with told(lambda error: moved_error(error, line, magic + line, len(magic))):
            options = parse_options(line)
            if cell is not None and options.rest:
                raise KadeQLSyntaxError(
                    "This is no option.",
                    text=line,
                    span=(options.rest_start, len(line)),
                    hint="The statement stands in the lines below.",
                )
        text = options.rest if cell is None else cell
        sent = explaining(text) if options.explain else text
        # Line numbers count the cell's lines, as its editor does: the magic's own line is line 1.
        above = "" if cell is None else f"{magic}{line}\n"
        with told(lambda error: moved_error(error, sent, above + text, len(above) - len(sent) + len(text))):
            bench = self.bench
            with interruptible(bench):
                result = self._ask(bench, options, text, sent, magic + line)
        return self._show(options, result)

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
        tables, hidden = tables_of(found, self.variables, bench.tables())
        if hidden:
            lines = [
                f"The bench's table {name!r} is read, not the notebook variable {name!r}." for name in hidden
            ]
            publish(caution_panel(lines))
        params = self._params(options, found.params, sent, len(sent) - len(text), header)
        return bench.kadeql(
            sent,
            params,
            engine=options.engine,
            strict=options.strict,
            at=at,
            cache=options.cache,
            tables=tables or None,
        )

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
        start = header.index(options.params)
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
        self._shown = (result, options.limit, options.profile)
        if options.name is None:
            return result
        self.variables[options.name] = result
        publish(bound_panel(options.name, result))
        if options.profile:
            publish(profile_panel(result, terminal_width(self.shell)))
        return None

    def format(self, result: Result, include: object = None, exclude: object = None) -> dict[str, str]:
        """What IPython asks for when a cell ends with a Result."""
        limit, profile = None, False
        if self._shown is not None and self._shown[0] is result:
            _, limit, profile = self._shown
        return bundle(result, limit, terminal_width(self.shell), profile)


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


def plain_value(value: object) -> object:
    """A parameter as plain Python: NumPy scalars as numbers, arrays and Series as lists, all else as it is."""
    kind = type(value)
    if kind.__module__.split(".")[0] in ("numpy", "pandas", "polars", "pyarrow"):
        for name in ("tolist", "to_list", "as_py"):
            if hasattr(kind, name):
                return getattr(value, name)()
    return value


def load(shell: Any) -> None:
    """Bring the magics, the display of results and completion into an IPython shell; a second call changes nothing."""
    if _loaded(shell) is not None:
        return
    magics = LumaMagics(shell)
    shell.register_magics(magics)
    forms: dict[tuple[str, str], Callable[..., dict[str, str]]] = {
        _RESULT: magics.format,
        _RUN: lambda run, **_: run_panel(run, terminal_width(shell)).bundle,
        _SNAPSHOT: lambda snapshot, **_: snapshot_panel(snapshot).bundle,
    }
    for (room, name), form in forms.items():
        shell.display_formatter.mimebundle_formatter.for_type_by_name(room, name, form)
    show_short(shell)
    shell.Completer.custom_matchers.append(make_matcher(magics.find_bench))


def unload(shell: Any) -> None:
    """Close the notebook's bench and take the magics away again."""
    magics = _loaded(shell)
    if magics is None:
        return
    magics.release()
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


def _loaded(shell: Any) -> LumaMagics | None:
    found = shell.magics_manager.registry.get(LumaMagics.__name__)
    return found if isinstance(found, LumaMagics) else None
