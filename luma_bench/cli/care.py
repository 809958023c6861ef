"""The commands that look after a bench's files: `check`, `repair`, `compact`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from luma_bench.cli.options import PROBLEMS, BenchOption, examples
from luma_bench.cli.session import bench_path, open_bench

commands = typer.Typer()


@commands.command(
    epilog=examples(
        "luma-bench check", "luma-bench check --fast", "luma-bench check --bench tour.luma || echo broken"
    )
)
def check(
    bench: BenchOption = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Look at the catalog and the ends of files only, not at every byte."),
    ] = False,
) -> None:
    """Read every byte of the bench and compare it with its checksums; exit code 3 when something is wrong."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.cli.progress import counted

    path = bench_path(bench)
    with open_bench(path, "r") as opened, interruptible(opened), counted("Checking", "parts") as progress:
        report = opened.check(progress, deep=not fast)
    for problem in report.problems:
        print(problem.text)
    for note in report.notes:
        print(f"note: {note.text}", file=sys.stderr)
    if not report.ok:
        print(f"{path}: {len(report.problems)} problem(s). {report.summary}", file=sys.stderr)
        print("luma-bench repair says what can be put right.", file=sys.stderr)
        raise typer.Exit(PROBLEMS)
    print(f"{path}: no problems.")
    print(report.summary, file=sys.stderr)


@commands.command(
    epilog=examples("luma-bench repair", "luma-bench repair --apply", "luma-bench repair --apply --salvage")
)
def repair(
    bench: BenchOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this it only says what it would do.")
    ] = False,
    salvage: Annotated[
        bool,
        typer.Option(
            "--salvage", help="Also save what can be read of damaged tables into new ones, TABLE_salvaged."
        ),
    ] = False,
) -> None:
    """Put right what check finds, where the rows themselves are whole; exit code 3 when something is left."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.cli.progress import counted

    path = bench_path(bench)
    with (
        open_bench(path, "a" if apply else "r") as opened,
        interruptible(opened),
        counted("Checking", "parts") as progress,
    ):
        report = opened.repair(dry_run=not apply, salvage=salvage, progress=progress)
    print(report)
    if not report.ok:
        raise typer.Exit(PROBLEMS)


@commands.command(
    epilog=examples(
        "luma-bench compact",
        "luma-bench compact flights --retention '30 days'",
        "luma-bench compact --retention 0 --bench tour.luma",
    )
)
def compact(
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="The table; all of them without it.")
    ] = None,
    bench: BenchOption = None,
    retention: Annotated[
        str | None,
        typer.Option(
            "--retention",
            metavar="TIME",
            help="How long old snapshots are kept: '7 days', '12 hours', forever; 0 keeps the newest and the tagged ones.",
        ),
    ] = None,
) -> None:
    """Merge a table's segments into few sorted ones, then remove what expired snapshots alone need."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.cli.progress import counted

    path = bench_path(bench)
    with open_bench(path, "a") as opened, interruptible(opened), counted("Compacting", "rows") as progress:
        report = opened.compact(table, retention=retention, progress=progress)
    print(report)
