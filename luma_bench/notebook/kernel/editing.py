"""What an editor asks a KadeQL kernel while somebody types: completions moved into place, explanations, completeness."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.errors import LumaError
from luma_bench.notebook.kernel.cells import read_cell

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

_TYPES = "_jupyter_types_experimental"
_CLOSES = {")": "(", "]": "[", "}": "{"}

# Strings, quoted names, dollar-quoted texts and comments come first, each whole or, at the end of the text, still open.
_PIECE = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*.*?\*/ | (?P<open_comment> /\*.*\Z ) )
    | [eE]'(?:\\.|''|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*"
    | \$(?P<tag>[^\W\d]\w*)?\$ .*? \$(?(tag)(?P=tag))\$
    | (?P<open_text> ['"].*\Z | \$(?:[^\W\d]\w*)?\$.*\Z )
    | [\w$]+ | \S
    """,
    re.VERBOSE | re.DOTALL,
)


def shifted(reply: dict[str, Any], shift: int) -> dict[str, Any]:
    """A reply about a part of a cell, with its positions in the whole cell."""
    if not shift or reply.get("status") != "ok":
        return reply
    for name in ("cursor_start", "cursor_end"):
        reply[name] += shift
    for item in reply["metadata"].get(_TYPES, []):
        item["start"] += shift
        item["end"] += shift
    return reply


def explained(
    code: str, position: int, bench: Bench | None, variables: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The content of an `inspect_reply` about the KadeQL at the cursor; None where the cell is not KadeQL there."""
    from luma_bench.bench.assist import hover

    try:
        parts = read_cell(code)
    except SyntaxError:
        return None
    if parts.language != "kadeql" or position < parts.start:
        return None
    nothing: dict[str, Any] = {"status": "ok", "found": False, "data": {}, "metadata": {}}
    try:
        found = hover(parts.text, position - parts.start, bench, variables=table_schemas(variables))
    except LumaError:
        # A closed bench, or a text that is half typed: there is nothing to say, and typing goes on.
        return nothing
    if found is None:
        return nothing
    data = {"text/plain": found.markdown, "text/markdown": found.markdown}
    return {"status": "ok", "found": True, "data": data, "metadata": {}}


def table_schemas(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's tables by name, with the Arrow schema of those that have one at hand."""
    import pyarrow as pa

    from luma_bench.notebook.names import is_table

    found: dict[str, Any] = {}
    for name, value in variables.items():
        if not name.startswith("_") and is_table(value):
            schema = getattr(value, "schema", None)
            found[name] = schema if isinstance(schema, pa.Schema) else None
    return found


def completeness(code: str) -> dict[str, Any] | None:
    """The content of an `is_complete_reply`; None where IPython knows better.

    Statements are complete behind a semicolon, or when an empty line follows them.
    """
    try:
        parts = read_cell(code)
    except SyntaxError:
        return {"status": "invalid"}
    if parts.language != "kadeql":
        return None
    text = parts.text
    if not text.strip() and parts.line is None:
        return {"status": "complete"}
    status = _status(text)
    # An empty line says that the statement ends here, as in IPython below a cell magic.
    if status == "going" and "\n" in text and not text.rpartition("\n")[2].strip() and text.strip():
        return {"status": "complete"}
    return {"status": "incomplete", "indent": ""} if status in ("going", "open") else {"status": status}


def _status(text: str) -> str:
    """`open` inside of a string, comment or bracket, `invalid` behind a bracket that nothing opened, `complete` behind `;`, else `going`."""
    stack: list[str] = []
    last = ""
    for found in _PIECE.finditer(text):
        piece = found[0]
        if found["comment"] is not None:
            if found["open_comment"] is not None:
                return "open"
            continue
        if found["open_text"] is not None:
            return "open"
        last = piece
        if piece in _CLOSES.values():
            stack.append(piece)
        elif piece in _CLOSES and (not stack or stack.pop() != _CLOSES[piece]):
            return "invalid"
    if stack:
        return "open"
    return "complete" if last == ";" else "going"
