"""The commands `import` and `export`: files into tables, tables and answers into files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luma_bench.cli.options import AtOption, BenchOption, examples
from luma_bench.cli.session import UsageProblem, bench_path, names, open_bench, read_params
from luma_bench.errors import CatalogError
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

commands = typer.Typer()


@commands.command("import", epilog=examples(
    "luma-bench import flights 'data/flights-*.parquet' --sort-by time_hour",
    "luma-bench import airports airports.csv --primary-key iata --bench tour.luma",
    "luma-bench import flights 2014.parquet --mode append --message 'the year 2014'",
    "luma-bench import people 'people-*.csv' --rejects people_rejects --max-rejects 500",
))  # fmt: skip
def import_(
    table: Annotated[str, typer.Argument(help="The table's name.")],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Parquet, CSV, JSON or Arrow files; patterns such as 'x-*.csv' work."
        ),
    ],
    bench: BenchOption = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="M",
            help="create a new table, append rows, upsert them by key, or replace the table.",
        ),
    ] = "create",
    primary_key: Annotated[
        list[str] | None,
        typer.Option("--primary-key", metavar="COLS", help="Columns that name a row, with commas."),
    ] = None,
    sort_by: Annotated[
        list[str] | None,
        typer.Option("--sort-by", metavar="COLS", help="Columns that rows are sorted by, with commas."),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option("--time-column", metavar="COL", help="The column that says when.")
    ] = None,
    series_key: Annotated[
        list[str] | None,
        typer.Option("--series-key", metavar="COLS", help="Columns that name a series, with commas."),
    ] = None,
    rejects: Annotated[
        str | None,
        typer.Option(
            "--rejects",
            metavar="NAME",
            help="A table for rows that cannot be taken, with file, line, column and reason.",
        ),
    ] = None,
    max_rejects: Annotated[
        int | None,
        typer.Option(
            "--max-rejects",
            metavar="N",
            min=0,
            help="Give up after more such rows than this; 10000 by default.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="NAME=VALUE",
            help="How CSV is read: delim=';', header=false, nullstr=NA, types:='{\"a\": \"BIGINT\"}'.",
        ),
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What the snapshot says.")] = "",
) -> None:
    """Write files into a table, as one snapshot; a bench that is not there is created."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.cli.progress import counted

    if mode not in ("create", "append", "replace", "upsert"):
        raise UsageProblem(
            f"--mode {mode!r} is not a way to write.\nThe modes are: create, append, replace, upsert."
        )
    if max_rejects is not None and rejects is None:
        raise UsageProblem("--max-rejects is given without --rejects NAME.")
    path = bench_path(bench)
    with (
        open_bench(path, "a", create=True) as opened,
        interruptible(opened),
        counted(f"Writing {table}", "rows") as progress,
    ):
        snapshot = opened.write(
            table,
            files[0] if len(files) == 1 else list(files),
            mode,
            primary_key=names(primary_key or ()),
            sort_by=names(sort_by or ()),
            time_column=time_column,
            series_key=names(series_key or ()),
            rejects=rejects,
            max_rejects=max_rejects,
            options=read_params(option or ()),
            message=message,
            progress=progress,
        )
        rows = _count(opened, table)
        refused = None if rejects is None else _count(opened, rejects)
    told = "" if refused is None else f"; {rejects} has {refused}"
    print(f"{path}: table {table} has {rows} rows at snapshot {snapshot.id}{told}.")


def _count(bench: Bench, table: str) -> int:
    return bench.kadeql(f"SELECT count(*) FROM {quoted(table)}").to_arrow().column(0)[0].as_py()


@commands.command(epilog=examples(
    "luma-bench export flights flights.parquet",
    "luma-bench export 'SELECT * FROM flights WHERE month = 2' february.csv --at paper-v1",
    "luma-bench export flights flights.csv.gz --delimiter ';' --null NA",
))  # fmt: skip
def export(
    what: Annotated[str, typer.Argument(metavar="TABLE_OR_QUERY", help="A table's name, or a question.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Its name says the format: .parquet, .csv, .json, .ndjson, .arrow, .feather, .arrows; .gz and .zst compress texts.",
        ),
    ],
    bench: BenchOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="F",
            help="parquet, csv, tsv, json, ndjson, arrow or arrows, whatever FILE is called.",
        ),
    ] = None,
    compression: Annotated[
        str | None,
        typer.Option(
            "--compression",
            metavar="C",
            help="zstd, snappy, gzip, lz4, brotli or none, as the format allows.",
        ),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option("--delimiter", metavar="CHAR", help="What stands between two values of a CSV file."),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether a CSV file begins with the names of the columns."),
    ] = None,
    null: Annotated[
        str | None, typer.Option("--null", metavar="TEXT", help="How a CSV file shows NULL.")
    ] = None,
    at: AtOption = None,
) -> None:
    """Write a table, or the answer to a question, into a file; larger than memory works."""
    from luma_bench.bench.interrupt import interruptible
    from luma_bench.bench.moment import parse_moment
    from luma_bench.cli.progress import counted

    with (
        open_bench(bench_path(bench), "r") as opened,
        interruptible(opened),
        counted(f"Writing {file.name}", "rows") as progress,
    ):
        source = opened if at is None else opened.at(parse_moment(at))
        if re.fullmatch(r"\s*\w+\s*", what) and what not in source.tables():
            raise CatalogError.unknown_table(what.strip(), source.tables())
        rows = source.export(
            what,
            file,
            form,
            compression=compression,
            delimiter=delimiter,
            header=header,
            null=null,
            progress=progress,
        )
    print(f"{file}: {rows} rows.")
