"""Saved notebooks as pages that run no scripts see them: cells run once, exported, and cut down as GitHub cuts them down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from html.parser import HTMLParser
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "wbr"})
KEPT = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "col",
        "colgroup",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "ul",
        "bdi",
    ]
)
"""Elements that a hosting site keeps of a notebook's HTML; the others' texts stay."""
SILENT = frozenset({"style", "script", "title", "iframe", "object"})
"""Elements that go with what they hold."""
ATTRIBUTES = frozenset({"alt", "align", "border", "colspan", "rowspan", "dir", "hidden", "href", "scope", "src", "title", "width", "height"})  # fmt: skip


def saved(outputs: list[Mapping[str, Any]]) -> nbformat.NotebookNode:
    """A notebook with one cell for each bundle of an output."""
    cells: list[Any] = []
    for number, data in enumerate(outputs, 1):
        output = new_output("execute_result", dict(data), execution_count=number)
        cells.append(new_code_cell(f"cell {number}", execution_count=number, outputs=[output]))
    return new_notebook(cells=cells)


def exported(notebook: nbformat.NotebookNode, **options: Any) -> str:
    """The notebook as nbconvert exports it, without the page around the cells."""
    from nbconvert.exporters import HTMLExporter

    exporter = HTMLExporter(template_name="basic", **options)
    return str(exporter.from_notebook_node(notebook)[0])


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.out: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        if tag in KEPT and not self._silent:
            shown = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in ATTRIBUTES)
            self.out.append(f"<{tag}{shown}>")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT
        if tag in KEPT and tag not in VOID and not self._silent:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.out.append(escape(data))


def sanitized(page: str) -> str:
    """A page as a hosting site cuts it down: no scripts, styles or drawings."""
    parser = _Sanitizer()
    parser.feed(page)
    parser.close()
    return "".join(parser.out)


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        if self._hidden or "hidden" in dict(attrs):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def seen(page: str) -> str:
    """The texts of a page without styles that its reader sees."""
    parser = _Visible()
    parser.feed(page)
    parser.close()
    return "".join(parser.words)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def tags(markup: str) -> list[tuple[str, tuple[str, ...]]]:
    """The tags of a text with the names of their attributes, in order."""
    parser = _Tags()
    parser.feed(markup)
    parser.close()
    return parser.tags


def bundles(cell: Callable[[str], tuple[Any, Any]], shell: Any, source: str) -> list[dict[str, Any]]:
    """What a cell displays, and what its value is shown as."""
    value, captured = cell(source)
    found = [dict(output.data) for output in captured.outputs]
    if value is not None:
        found.append(dict(shell.display_formatter.format(value)[0]))
    return found
