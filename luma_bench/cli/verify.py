"""The command `verify`: a notebook run again, its answers held against the saved ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from luma_bench.cli.options import PROBLEMS, examples

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
    """Run a notebook again, without a reader and without writing, and compare each answer with the saved one.

    Exit code 3 says that an answer is another one: its schema, its rows or its values, by what was kept beside it. A cell
    that is tagged volatile is run and not compared, one that is tagged skip-execution is not run.
    """
    from luma_bench.cli.progress import counted
    from luma_bench.cli.session import UsageProblem
    from luma_bench.notebook.pinned.verify import verify as run

    if output is not None and len(notebooks) > 1:
        raise UsageProblem("--output keeps one notebook; verify them one by one.")
    ok = True
    for notebook in notebooks:
        with counted("Running", "cells") as progress:
            report = run(notebook, at=at, kernel=kernel, timeout=timeout, output=output, progress=progress)
        print(json.dumps(report.to_json()) if as_json else report.text())
        sys.stdout.flush()
        ok = ok and report.ok
    if not ok:
        raise typer.Exit(PROBLEMS)
