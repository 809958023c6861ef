"""The commands for readers elsewhere: `publish`, of a bench or of a notebook with its benches, and `withdraw`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from luma_bench.cli.options import AtOption, BenchOption, examples
from luma_bench.cli.session import UsageProblem, bench_path, open_bench

commands = typer.Typer()

TargetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="A folder, or s3://, gs://, az:// with a folder; without it the bench's own folder.",
    ),
]


@commands.command(
    epilog=examples(
        "luma-bench publish",
        "luma-bench publish /srv/www/tour --at paper-v1",
        "luma-bench publish s3://my-bucket/tour --bench tour.luma",
        "luma-bench publish paper.ipynb paper-bundle",
        "luma-bench query --bench https://example.org/tour 'SELECT count(*) FROM flights'",
    )
)
def publish(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="A folder, or s3://, gs://, az:// with a folder; without it the bench's own folder. A notebook, .ipynb, is published with its benches.",
        ),
    ] = None,
    folder: Annotated[
        str | None,
        typer.Argument(
            metavar="FOLDER", help="For a notebook: where it goes; a folder of its name without it."
        ),
    ] = None,
    bench: BenchOption = None,
    at: AtOption = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="For a notebook: do not run it where it was published to.")
    ] = False,
) -> None:
    """Make a snapshot readable for others without a database: on a web server, an object store, any folder.

    A notebook becomes a folder with the notebook, the benches that it is pinned to, and what a Binder needs; it is run there,
    and its answers must be the saved ones.
    """
    if what is not None and what.endswith(".ipynb"):
        _publish_notebook(what, folder, bench, at, check=not no_check)
        return
    if folder is not None or no_check:
        raise UsageProblem(
            "A second folder, and --no-check, are for a notebook: luma-bench publish NOTEBOOK.ipynb FOLDER."
        )
    _publish_bench(what, bench, at)


def _publish_bench(target: str | None, bench: str | None, at: str | None) -> None:
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.bench.moment import parse_moment
    from luma_bench.cli.progress import counted
    from luma_bench.types.record import bytes_text

    # In a folder of their own readers need no write access; in the bench's own folder the publisher does.
    mode = "a" if target is None else "r"
    with (
        open_bench(bench_path(bench), mode) as opened,
        interruptible(opened),
        counted("Publishing", "bytes") as progress,
    ):
        made = opened.publish(target, None if at is None else parse_moment(at), progress=progress)
    anew = (
        f" {made.rewritten} had deleted rows or dropped columns, which are not published."
        if made.rewritten
        else ""
    )
    print(
        f"{made.url}: snapshot {made.snapshot.id} is published; {made.uploaded} of {made.segments} segments were new, "
        f"{bytes_text(made.nbytes)} written.{anew}"
    )


def _publish_notebook(
    notebook: str, folder: str | None, bench: str | None, at: str | None, *, check: bool
) -> None:
    from luma_bench.cli.progress import counted
    from luma_bench.notebook.pinned.bundle import bundle

    if folder is not None and "://" in folder:
        raise UsageProblem(
            "A notebook is published to a folder here; copy that folder to where it is to be read."
        )
    with counted("Publishing", "bytes") as progress:
        made = bundle(notebook, folder, bench=bench, at=at, check=check, progress=progress)
    held = f" with {', '.join(made.benches)}" if made.benches else ""
    print(f"{made.folder}: {notebook} is published{held}.")
    if made.report is not None:
        print(made.report.summary)
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)


@commands.command(
    epilog=examples("luma-bench withdraw 3", "luma-bench withdraw paper-v1 s3://my-bucket/tour")
)
def withdraw(
    snapshot: Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Its id, its tag, or a time.")],
    target: TargetArgument = None,
    bench: BenchOption = None,
) -> None:
    """Take a snapshot off the published ones; its files stay, and who has opened it goes on reading."""
    from luma_bench.bench.moment import parse_moment

    with open_bench(bench_path(bench), "a" if target is None else "r") as opened:
        opened.withdraw(parse_moment(snapshot), target)
    print(f"Snapshot {snapshot} is published no more.")
