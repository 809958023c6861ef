"""The generated parts of the pages about series: aggregates in SQL, and functions in FROM."""

from __future__ import annotations

from pathlib import Path

_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "choice": "text",
    "length": "length of time",
}
_TYPES = {"double": "float64"}
"""Types as results show them."""


def aggregates(_: Path) -> str:
    """Every aggregate of series: how it is written, and what it gives."""
    from luma_bench.engines.duck_macros import MACROS

    rows = [f"| `{macro.call}` | {macro.help} |" for macro in MACROS.values()]
    return "\n".join(["| aggregate | gives |", "|---|---|", *rows])


def functions(_: Path) -> str:
    """Every series function: what it computes, its options, its columns."""
    from luma_bench.models.series.functions import FUNCTIONS

    lines: list[str] = []
    for spec in FUNCTIONS.values():
        needed = [f"{item.name} => …" for item in spec.options if item.required]
        values = "value[, more, …]" if spec.further else "value"
        written = ", ".join(["TABLE t PARTITION BY key", "DESCRIPTOR(time)", values, *needed])
        lines += [f"### {spec.name}", "", f"`{spec.name}({written})`", "", spec.help, ""]
        if spec.options:
            lines += ["| option | is a | meaning |", "|---|---|---|"]
            lines += [
                f"| `{item.name}`{', needed' if item.required else ''} | {_KINDS[item.kind]} | {item.help} |"
                for item in spec.options
            ]
            lines.append("")
        kept = [
            "the keys",
            *(["the time"] if spec.timed else []),
            *(["the value"] if spec.keeps_rows else []),
        ]
        behind = ", and:" if spec.columns else "."
        lines += [f"It gives {_ROWS[spec.rows]}, with {', '.join(kept)}{behind}", ""]
        if spec.columns:
            lines += ["| column | type | meaning |", "|---|---|---|"]
            for column in spec.columns:
                kind = (
                    "as the time" if column.type is None else _TYPES.get(str(column.type), str(column.type))
                )
                lines.append(f"| `{column.name}` | {kind} | {column.help} |")
            lines.append("")
    return "\n".join(lines)


_ROWS = {
    "all": "every row that has a time",
    "some": "some of the rows",
    "new": "rows of its own",
}

PARTS = {"series-aggregates": aggregates, "series-functions": functions}
