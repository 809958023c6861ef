"""The tour's notebook, executed without a browser, as one HTML page that opens without a network."""

from __future__ import annotations

import html
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from luma_bench.demo import notebook
from luma_bench.demo.sources import DemoDataError
from luma_bench.errors import LumaError

BENCH = "LUMA_TOUR_BENCH"
"""The environment variable that tells the notebook where the tour's bench is."""

SECONDS = 600
"""The most that one cell may take."""

_FETCHED = re.compile(
    r"""<(?:script|link|img|iframe|source|object)\b[^>]*\b(?:src|href|data)\s*=\s*["']?\s*(?:https?:)?//
      | @import\s | url\(\s*["']?\s*(?:https?:)?//""",
    re.VERBOSE | re.IGNORECASE,
)


def write(bench: Path, target: Path) -> Path:
    """Execute the tour's notebook against a bench and write it as a page.

    Parameters
    ----------
    bench
        The tour's bench; nobody else need have it open.
    target
        The HTML file; it appears whole or not at all.

    Raises
    ------
    LumaError
        A cell failed, or the page would fetch something.
    DemoDataError
        The notebook libraries are not installed.
    """
    text = as_html(execute(notebook.load(), bench))
    if found := fetches(text):
        raise LumaError(
            f"The page would fetch {found[0]!r}.",
            hint="Nothing in the tour's notebook may load from a network.",
        )
    partial = target.with_name(f".{target.name}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(target)
    return target


def execute(book: Any, bench: Path) -> Any:
    """Run every cell of a notebook in a kernel of its own; the notebook with its outputs."""
    try:
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        raise DemoDataError.missing("nbclient", "nbclient") from error
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book,
            timeout=SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        try:
            return client.execute(env={**os.environ, BENCH: str(bench.resolve())})
        except CellExecutionError as error:
            raise LumaError(
                f"A cell of the tour failed.\n{_plain(str(error))}",
                hint="Open notebooks/tour in JupyterLab and run it there.",
            ) from error


def as_html(book: Any) -> str:
    """A notebook with its outputs as one HTML page with its own style and without scripts."""
    try:
        from nbconvert.exporters import HTMLExporter
        from pygments.formatters import HtmlFormatter
        from traitlets.config import Config
    except ImportError as error:
        raise DemoDataError.missing("nbconvert", "nbconvert") from error
    exporter = HTMLExporter(
        template_name="basic",
        exclude_anchor_links=True,
        config=Config({"HighlightMagicsPreprocessor": {"languages": {"%%kadeql": "postgresql"}}}),
    )
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    body, _ = exporter.from_notebook_node(book)
    title = html.escape(notebook.TITLE)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{HtmlFormatter().get_style_defs('.highlight')}\n{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def fetches(text: str) -> list[str]:
    """The places of an HTML text that would load a script, a style, a font or a picture from a network."""
    return [found.group(0) for found in _FETCHED.finditer(text)]


def _plain(text: str) -> str:
    """Text without the terminal's colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


_STYLE = """
body { margin: 0; background: #fff; color: #1f2933; font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2rem; margin: 0.5rem 0 1rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; }
p { margin: 0.5rem 0 0.8rem; } a { color: #155a93; }
code { font: 0.86em/1.5 ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; }
p code, li code { white-space: nowrap; background: #f1f4f7; padding: 0.1em 0.3em; border-radius: 3px; }
pre { font: 0.84rem/1.5 ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; margin: 0; overflow-x: auto; }
.highlight { background: #f7f9fb; border: 1px solid #e4e8ec; border-radius: 6px; padding: 0.7rem 0.9rem; margin: 0.8rem 0 0.4rem; }
.jp-OutputArea, .output { margin: 0.2rem 0 1rem; } .jp-OutputArea-output pre, .output pre { padding: 0.3rem 0; }
.highlight .err { border: none; }
svg, img { display: block; margin: 0.5rem 0; max-width: 100%; height: auto; }
.dataframe { border-collapse: collapse; border: none; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
.dataframe th, .dataframe td { border: none; padding: 3px 12px; text-align: right; }
.dataframe thead tr { border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
.ansi-red-fg, .ansi-red-intense-fg { color: #b3261e; } .ansi-cyan-fg { color: #0b6b7a; } .ansi-bold { font-weight: 600; }
"""
