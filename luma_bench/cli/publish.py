"""The commands for readers elsewhere: `publish` and `withdraw`."""

from __future__ import annotations

from typing import Annotated

import typer

from luma_bench.cli.options import AtOption, BenchOption, examples
from luma_bench.cli.session import bench_path, open_bench

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
        "luma-bench query --bench https://example.org/tour 'SELECT count(*) FROM flights'",
    )
)
def publish(target: TargetArgument = None, bench: BenchOption = None, at: AtOption = None) -> None:
    """Make a snapshot readable for others without a database: on a web server, an object store, any folder."""
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
    print(
        f"{made.url}: snapshot {made.snapshot.id} is published; {made.uploaded} of {made.segments} segments were new, "
        f"{bytes_text(made.nbytes)} written."
    )


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
