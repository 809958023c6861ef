"""The command `verify`: a notebook run again, its answers held against the saved ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from luma_bench.cli.options import INCOMPLETE, PROBLEMS, examples

commands = typer.Typer()


@commands.command(
    epilog=examples(
        "luma-bench verify paper.ipynb",
        "luma-bench verify paper.ipynb --at newest",
        "luma-bench verify notebooks/*.ipynb --timeout 600 || echo other answers",
    )
)
def verify(
    notebooks: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK…", help="Notebooks that were run and saved.")
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="S",
            help="Read this snapshot instead of the pinned one: its id, its tag, a time, or newest.",
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", metavar="NAME", help="Run in this kernel instead of the notebook's own."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", metavar="S", help="Seconds that a cell may run; no limit without it."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Keep the one notebook as it was run here."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as JSON, one a line.")] = False,
) -> None:
    """Run a notebook again, without a reader, and compare each answer with the saved one; its benches stay as they are.

    Exit code 3 says that an answer is another one: its schema, its rows or its values, by what was kept beside it; 4 that
    nothing is known to differ, and not all could be compared. What a cell writes goes to a copy of the bench that is thrown
    away; a pinned notebook, and one that reads what is published, runs up to the first cell that writes. A cell that is
    tagged volatile is run and not compared, one that is tagged skip-execution is not run.
    """
    from luma_bench.cli.progress import counted
    from luma_bench.cli.session import UsageProblem
    from luma_bench.notebook.pinned.verify import verify as run

    if output is not None and len(notebooks) > 1:
        raise UsageProblem("--output keeps one notebook; verify them one by one.")
    found: set[str] = set()
    for notebook in notebooks:
        with counted("Running", "cells") as progress:
            report = run(notebook, at=at, kernel=kernel, timeout=timeout, output=output, progress=progress)
        print(json.dumps(report.to_json()) if as_json else report.text())
        sys.stdout.flush()
        found.add(report.outcome)
    if found != {"equal"}:
        raise typer.Exit(PROBLEMS if "differs" in found else INCOMPLETE)
