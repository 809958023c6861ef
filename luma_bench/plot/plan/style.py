"""How plans look: the page's own ink, one colour for each engine that is seen on light and on dark pages."""

from __future__ import annotations

INK = "currentColor"
"""The colour of the page's text, so that a drawing fits a light, a dark and a printed page."""

FAINT, QUIET = 0.28, 0.72
"""Opacity of lines, and of text that is not read first."""

CAUTION = "#c2571a"

_ENGINES = {
    "duckdb": "#2b7bba",
    "point": "#0f8f6a",
    "statistics": "#5b8c2a",
    "polars": "#b5539a",
    "dask": "#d0611c",
    "gpu": "#4f9a1e",
    "graph": "#a8780a",
    "series": "#7a64c9",
}
OTHER = "#7b8490"

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"

STYLE = """<style>
.luma-plan-view{color:var(--jp-ui-font-color1,inherit);font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;max-width:100%}
.luma-plan-view .luma-plan-drawing{display:block!important;overflow-x:auto}
.luma-plan-view .luma-plan-words{display:none}
.luma-plan-view svg{display:block;max-width:100%;height:auto;background:none}
</style>"""
"""A page that takes styles away, as GitHub does, takes the drawing's lines away too: there its words stand instead."""


def engine_colour(engine: str) -> str:
    """The colour of an engine, or of a model's islands."""
    return _ENGINES.get(engine, OTHER)
