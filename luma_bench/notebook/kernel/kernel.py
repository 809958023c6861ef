"""The kernel itself: IPython's, with cells read as KadeQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ipykernel.ipkernel import IPythonKernel
from IPython.display import display
from traitlets import List

import luma_bench
from luma_bench.notebook.kernel import editing
from luma_bench.notebook.kernel.cells import as_magic, transformed
from luma_bench.notebook.magic import LumaMagics, loaded

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

NAME = "kadeql"
"""The kernel's name among the installed ones, and its language's."""


class KadeQLKernel(IPythonKernel):
    """IPython's kernel for a notebook of KadeQL: magics, widgets, comms, history and interrupts are IPython's."""

    implementation = NAME
    implementation_version = luma_bench.__version__
    language_info: Mapping[str, Any] = {  # pyright: ignore[reportIncompatibleVariableOverride]
        "name": NAME,
        "version": luma_bench.__version__,
        "mimetype": "text/x-kadeql",
        "file_extension": ".kadeql",
        "codemirror_mode": NAME,
        "pygments_lexer": "sql",
        "nbconvert_exporter": "script",
    }
    help_links = List[dict[str, str]]([]).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shell.extension_manager.load_extension("luma_bench")

    def start(self) -> None:
        """Begin to serve; from now on cells are KadeQL.

        Not earlier: the user's startup files and lines of configuration run before, and are Python.
        """
        transforms = self._shell.input_transformer_manager.cleanup_transforms
        if transformed not in transforms:
            transforms.insert(0, transformed)
        super().start()

    @property
    def banner(self) -> str:
        """What a console shows first."""
        return (
            f"KadeQL · Luma Bench {luma_bench.__version__}\n"
            "%luma open PATH opens a bench, %luma help lists what there is, %%python makes a cell Python.\n"
        )

    @property
    def kernel_info(self) -> dict[str, Any]:
        """What a front end learns of the kernel; it has no debugger, whose breakpoints are lines of Python."""
        info: dict[str, Any] = dict(super().kernel_info)
        info["supported_features"] = [name for name in info["supported_features"] if name != "debugger"]
        return info

    # --- what cells call ---

    def kadeql(self, above: str, line: str | None, text: str) -> Result | None:
        """Run a cell's statements; `above` are the lines over them, `line` the options of `%%kadeql`, if it stands there."""
        magic = "" if line is None else "%%kadeql "
        return self._magics.ask(line or "", text, above=above, magic=magic)

    def show(self, value: object) -> None:
        """Show what a line above the statements gives: IPython shows the last value of a cell alone."""
        if value is not None:
            display(value)

    # --- what editors ask ---

    def do_complete(self, code: str, cursor_pos: int | None) -> dict[str, Any]:
        """Complete at the cursor: KadeQL, `%luma` lines, Python, each where it stands."""
        # A cursor outside of the code would leave the front end without a reply.
        position = len(code) if cursor_pos is None else max(0, min(cursor_pos, len(code)))
        text, place, shift = as_magic(code, position)
        reply: dict[str, Any] = dict(super().do_complete(text, place))
        return editing.shifted(reply, shift)

    def do_inspect(
        self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()
    ) -> dict[str, Any]:
        """Explain what stands at the cursor: tables, columns and functions of KadeQL, names of Python."""
        explained = editing.explained(code, cursor_pos, self._magics.find_bench(), self._shell.user_ns)
        if explained is not None:
            return explained
        text, place, _ = as_magic(code, cursor_pos)
        return dict(super().do_inspect(text, place, detail_level, omit_sections))

    def do_is_complete(self, code: str) -> dict[str, Any]:
        """Whether a console may run what is typed so far."""
        return editing.completeness(code) or dict(super().do_is_complete(code))

    @property
    def _shell(self) -> Any:
        assert self.shell is not None
        return self.shell

    @property
    def _magics(self) -> LumaMagics:
        found = loaded(self._shell)
        if found is None:
            # `%unload_ext luma_bench` took it away; without it a cell means nothing.
            self._shell.extension_manager.load_extension("luma_bench")
            found = loaded(self._shell)
            assert found is not None
        return found
