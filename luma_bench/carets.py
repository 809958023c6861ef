"""How an error shows its place: the line of the text, and a caret line under it."""

from __future__ import annotations


def pointed(message: str, text: str, span: tuple[int, int]) -> tuple[int, int, str]:
    """Line, column and the message followed by the line and a caret line under the span."""
    start = min(span[0], len(text))
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    shown = text[begin : stop if stop >= 0 else len(text)].rstrip("\r")
    line = text.count("\n", 0, start) + 1
    column = start - begin + 1
    width = max(1, min(span[1], begin + len(shown)) - start)
    label = f"line {line}: "
    # Tabs stay tabs in the pad, so that the caret stands under its character in any viewer.
    pad = "".join("\t" if char == "\t" else " " for char in shown[: column - 1])
    return line, column, f"{message}\n{label}{shown}\n{' ' * len(label)}{pad}{'^' * width}"
