"""What the kernel tells of a name in a `%%kadeql` cell, where a front end asks (Shift-Tab in JupyterLab)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from luma_bench.bench.assist.cell import places
from luma_bench.bench.assist.hover import hover
from luma_bench.notebook.complete import namespace
from luma_bench.notebook.schemas import table_schemas

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_HOOK = "_luma_bench_inspect"


def connect(kernel: Any, find_bench: Callable[[], Bench | None]) -> None:
    """Have a kernel answer inspections inside of KadeQL by `hover`, and all others as it did; a second call changes nothing."""
    own = kernel.do_inspect
    if hasattr(own, _HOOK):
        return

    def do_inspect(code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> Any:
        if any(place.holds(cursor_pos) for place in places(code, cell=True)):
            return told(code, cursor_pos, find_bench())
        return own(code, cursor_pos, detail_level, omit_sections)

    setattr(do_inspect, _HOOK, own)
    kernel.do_inspect = do_inspect


def disconnect(kernel: Any) -> None:
    """Have a kernel inspect as it did before `connect`."""
    if hasattr(kernel.do_inspect, _HOOK):
        del kernel.do_inspect  # the method of its class shows again


def told(code: str, position: int, bench: Bench | None) -> dict[str, Any]:
    """The content of an `inspect_reply` about the KadeQL of a cell."""
    found = hover(code, position, bench, cell=True, variables=table_schemas(namespace(), code))
    if found is None:
        return {"status": "ok", "found": False, "data": {}, "metadata": {}}
    data = {"text/plain": found.markdown, "text/markdown": found.markdown}
    return {"status": "ok", "found": True, "data": data, "metadata": {}}
