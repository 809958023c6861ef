"""How an error shows its place: the line of the text, and a caret line under it."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 240
"""Characters of a line that are shown; a longer one is cut around its caret."""
_BEFORE: Final = 80


def pointed(message: str, text: str, span: tuple[int, int]) -> tuple[int, int, str]:
    """Line, column and the message followed by the line and a caret line under the span.

    A line of more than 240 characters is cut around the caret, with `…` for what is left out.
    """
    start = min(span[0], len(text))
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    shown = text[begin : stop if stop >= 0 else len(text)].rstrip("\r")
    line = text.count("\n", 0, start) + 1
    column = start - begin + 1
    width = max(1, min(span[1], begin + len(shown)) - start)
    label = f"line {line}: "
    shown, at, width = _cut(shown, column - 1, width)
    # Tabs stay tabs in the pad, so that the caret stands under its character in any viewer.
    pad = "".join("\t" if char == "\t" else " " for char in shown[:at])
    return line, column, f"{message}\n{label}{shown}\n{' ' * len(label)}{pad}{'^' * width}"


def _cut(shown: str, at: int, width: int) -> tuple[str, int, int]:
    """What is shown of a long line, and where the caret's stretch begins in it and how wide it is."""
    if len(shown) <= _LONGEST:
        return shown, at, width
    first = min(max(0, at - _BEFORE), len(shown) - _LONGEST)
    last = first + _LONGEST
    before, behind = "…" if first else "", "…" if last < len(shown) else ""
    return f"{before}{shown[first:last]}{behind}", at - first + len(before), max(1, min(width, last - at))
