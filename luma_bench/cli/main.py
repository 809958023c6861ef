"""The program `luma-bench`: one function a command, and the exit codes.

Exit codes: 0 done, 1 the question or the data was refused, 2 wrong usage, 3 `check` or `verify` found problems,
130 interrupted, 141 the reader of a pipe went away.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Literal

import typer

from luma_bench.cli import care, doctor, format, publish, transfer, verify  # noqa: A004
from luma_bench.cli.options import INTERRUPTED, REFUSED, WRONG_USAGE, AtOption, BenchOption, examples
from luma_bench.cli.session import (
    VARIABLE,
    UsageProblem,
    bench_path,
    open_bench,
    read_params,
    read_text,
    whole_transactions,
)
from luma_bench.errors import CancelledError, LumaError

app = typer.Typer(
    name="luma-bench",
    help="One question across tables, graphs, series, documents, vectors and text, at a snapshot.",
    epilog=f"The bench is --bench PATH, else the variable {VARIABLE}, else the one *.luma folder here. Each command explains itself: luma-bench query --help",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog=examples(
    'luma-bench query "SELECT carrier, count(*) AS n FROM flights GROUP BY 1"',
    "luma-bench query --param month=2 --format csv 'SELECT * FROM flights WHERE month = $month' > february.csv",
    "luma-bench query --at paper-v1 --output late.parquet --file late.sql",
    "echo 'SELECT 42' | luma-bench query -",
))  # fmt: skip
def query(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="KadeQL; - reads it from standard input.")
    ] = None,
    bench: BenchOption = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="F.sql", help="Read the question from a file.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="F",
            help="table, csv, json, ndjson, parquet or arrow; else what FILE's name says, else table.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write here instead of standard output; whole or not at all.",
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="K=V",
            help='A value for $K; K:=JSON for lists and for texts like "5". Repeat it.',
        ),
    ] = None,
    at: AtOption = None,
    engine: Annotated[str, typer.Option("--engine", metavar="E", help="auto, or an engine's name.")] = "auto",
    strict: Annotated[
        bool, typer.Option("--strict", help="A fallback to another engine is an error.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="C",
            help="Where the engine dask runs: local for this machine's cores, or a scheduler's address, tcp://…",
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Do not answer from the result cache.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show the plan instead of running.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=0,
            metavar="N",
            help="Rows of a table to show; a terminal shows 40, a pipe all.",
        ),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Open the bench for reading; writes are refused.")
    ] = False,
) -> None:
    """Ask a question in KadeQL and show the answer."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.bench.moment import parse_moment
    from luma_bench.bench.pointing import explaining
    from luma_bench.cli import output as out

    chosen = out.choose_format(form, output)
    params = read_params(param or [])
    asked = read_text(text, file)
    sent = explaining(asked) if explain else asked
    path = bench_path(bench)
    # What is behind a URL can only be read.
    mode = "r" if read_only or isinstance(path, str) else "a"
    with open_bench(path, mode, cluster=cluster) as opened:
        with interruptible(opened), _pointing(sent, asked), whole_transactions(opened):
            result = opened.kadeql(
                sent,
                params,
                engine=engine,
                strict=strict,
                cache=not no_cache,
                at=None if at is None else parse_moment(at),
            )
        out.show(result, chosen, output, limit)
        out.badge(result)


app.registered_commands += transfer.commands.registered_commands


@app.command(epilog=examples("luma-bench tables", "luma-bench tables --at 3"))
def tables(bench: BenchOption = None, at: AtOption = None) -> None:
    """List the tables with their rows, columns and keys."""
    from luma_bench.bench.moment import parse_moment
    from luma_bench.cli import output as out

    with open_bench(bench_path(bench), "r") as opened:
        out.show(
            opened.kadeql("SHOW TABLES", at=None if at is None else parse_moment(at)),
            "table",
            None,
            1_000_000,
        )


@app.command(epilog=examples("luma-bench snapshots --bench tour.luma"))
def snapshots(bench: BenchOption = None) -> None:
    """List every snapshot, newest first: what it did, who, when, its tags."""
    from luma_bench.cli.listing import snapshot_lines

    with open_bench(bench_path(bench), "r") as opened:
        print("\n".join(snapshot_lines(opened.snapshots()[::-1])))


@app.command(epilog=examples("luma-bench tag paper-v1", "luma-bench tag before-repair --at 3"))
def tag(
    name: Annotated[str, typer.Argument(help="The tag.")],
    bench: BenchOption = None,
    at: AtOption = None,
) -> None:
    """Name a snapshot, the newest or another, so that it can be read by that name."""
    from luma_bench.bench.moment import parse_moment

    with open_bench(bench_path(bench), "a") as opened:
        snapshot = opened.tag(name, None if at is None else parse_moment(at))
    print(f"Snapshot {snapshot.id} is tagged {name}.")


app.registered_commands += care.commands.registered_commands
app.registered_commands += publish.commands.registered_commands
app.registered_commands += verify.commands.registered_commands
app.registered_commands += format.commands.registered_commands


@app.command(epilog=examples("luma-bench config", "LUMA_THREADS=2 luma-bench config --bench tour.luma"))
def config(bench: BenchOption = None) -> None:
    """Show every setting that is in force, and where each came from."""
    from luma_bench.cli.listing import setting_lines

    path = None
    try:
        path = bench_path(bench)
    except UsageProblem:
        # Without a bench the settings are those that a new one would have.
        if bench is not None:
            raise
    print("\n".join(setting_lines(path if isinstance(path, Path) else None)))


app.registered_commands += doctor.commands.registered_commands


@app.command(epilog=examples("luma-bench demo", "luma-bench demo --out tour --data-only"))
def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the demo's bench and pages go.")
    ] = Path("out"),
    data_only: Annotated[bool, typer.Option("--data-only", help="Build the tour's bench and stop.")] = False,
) -> None:
    """Build a bench from real flights, ask it ten questions and write a page about being late."""
    from rich.console import Console

    from luma_bench.demo import story

    story.run(out, data_only=data_only, console=Console())


@app.command(epilog=examples("luma-bench version"))
def version() -> None:
    """Print the version."""
    import luma_bench

    print(luma_bench.__version__)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; the documented errors print without a traceback."""
    if arguments is None and hasattr(signal, "SIGPIPE"):
        # `luma-bench … | head` ends quietly when head has read enough, as other programs do.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        app(args=arguments, prog_name="luma-bench")
    except UsageProblem as error:
        _complain(str(error))
        sys.exit(WRONG_USAGE)
    except CancelledError as error:
        _complain(str(error))
        sys.exit(INTERRUPTED)
    except LumaError as error:
        _complain(str(error))
        sys.exit(REFUSED)
    except OSError as error:
        # A path that no file can have: below a file, longer than names may be.
        where = "" if error.filename is None else f"{str(error.filename)!r}: "
        _complain(f"{where}{error.strerror or error}.")
        sys.exit(REFUSED)


@contextlib.contextmanager
def _pointing(sent: str, asked: str) -> Generator[None]:
    """Within the block, errors point into the text as it was asked."""
    from luma_bench.bench.pointing import moved_error

    try:
        yield
    except LumaError as error:
        raise moved_error(error, sent, asked, len(asked) - len(sent)) from None


def _complain(text: str) -> None:
    colour: Literal[True, False] = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    print(f"\x1b[1;31merror:\x1b[0m {text}" if colour else f"error: {text}", file=sys.stderr)
