"""What several commands share: options, exit codes, and how help shows examples."""

from __future__ import annotations

from typing import Annotated

import typer

from luma_bench.cli.session import VARIABLE

INTERRUPTED, INCOMPLETE, PROBLEMS, WRONG_USAGE, REFUSED = 130, 4, 3, 2, 1

BenchOption = Annotated[
    str | None,
    typer.Option(
        "--bench", "-b", metavar="PATH", help=f"The bench; else {VARIABLE}, else the one *.luma folder here."
    ),
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="S", help="An older snapshot: its id, its tag, or a time.")
]


def examples(*lines: str) -> str:
    """The end of a command's help: one example a paragraph, since help reflows lines."""
    return "Examples:\n\n" + "\n\n".join(line.replace("[", r"\[") for line in lines)
