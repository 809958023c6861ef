"""`python -m benchmarks.run [NAMES] [--scale 1] [--rounds 5] [--quick] [--gate] [--clickbench PATH] --out DIR`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from benchmarks import (
    engines_cluster,
    engines_frames,
    engines_tasks,
    engines_tpch,
    environment,
    frame_dbbench,
    frame_small,
    graph_algorithms,
    graph_build,
    graph_hops,
    graph_patterns,
    graph_statements,
    imports,
    notebook,
    report,
    series_joins,
    series_operators,
    series_tsbs,
    small,
    sql_clickbench,
    sql_rows,
    sql_small,
    sql_spill,
    sql_tpch,
    storage_scan,
    storage_write,
    tpch,
    write,
)
from benchmarks.harness import SuiteResult
from benchmarks.suite import Request, Suite

SUITES: Mapping[str, Suite] = {
    "imports": imports.run,
    "small": small.run,
    "write": write.run,
    "tpch": tpch.run,
}
STORAGE: Mapping[str, Suite] = {
    "storage-scan": storage_scan.run,
    "storage-write": storage_write.run,
}
"""Suites of `make bench-storage`: run when they are named."""
SQL: Mapping[str, Suite] = {
    "sql-small": sql_small.run,
    "sql-rows": sql_rows.run,
    "sql-clickbench": sql_clickbench.run,
    "sql-tpch-1": sql_tpch.at(1),
    "sql-tpch-5": sql_tpch.at(5),
    "sql-spill": sql_spill.run,
}
"""Suites of `make bench-sql`, but for the last, which takes much disk: run when they are named."""
FRAME: Mapping[str, Suite] = {
    "frame-small": frame_small.run,
    "frame-dbbench": frame_dbbench.run,
}
"""Suites of `make bench-frame`: run when they are named."""
GRAPH: Mapping[str, Suite] = {
    "graph-hops": graph_hops.run,
    "graph-patterns": graph_patterns.run,
    "graph-statements": graph_statements.run,
    "graph-algorithms": graph_algorithms.run,
    "graph-build": graph_build.run,
}
"""Suites of `make bench-graph`: run when they are named."""
NOTEBOOK: Mapping[str, Suite] = {"notebook": notebook.run}
"""The suite of `make bench-notebook`: run when it is named."""
SERIES: Mapping[str, Suite] = {
    "series-tsbs": series_tsbs.run,
    "series-operators": series_operators.run,
    "series-joins": series_joins.run,
}
"""Suites of `make bench-series`: run when they are named."""
ENGINES: Mapping[str, Suite] = {
    "engines-tpch": engines_tpch.run,
    "engines-frames": engines_frames.run,
    "engines-cluster": engines_cluster.run,
    "engines-tasks": engines_tasks.run,
}
"""Suites of `make bench-engines`, at the scale factor that is asked for: run when they are named."""
_ALL = {**SUITES, **STORAGE, **SQL, **FRAME, **GRAPH, **SERIES, **ENGINES, **NOTEBOOK}


def main(arguments: list[str] | None = None) -> int:
    """Run the named suites (all of them by default), print their tables, and write JSON and Markdown."""
    options = _parser().parse_args(arguments)
    out = Console(width=None if sys.stdout.isatty() else 140)
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    scale = options.scale if options.scale is not None else (0.1 if options.quick else 1.0)
    rounds = options.rounds if options.rounds is not None else (3 if options.quick else 5)
    request = Request(scale, rounds, options.quick, folder, out, options.threads, options.clickbench)
    facts = environment.describe(folder)
    out.print(
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB; fdatasync {facts['disk_fdatasync_ms']} ms",
        highlight=False,
    )
    results: list[SuiteResult] = []
    for name in options.names or list(SUITES):
        out.rule(name, align="left")
        made = _ALL[name](request)
        for result in [made] if isinstance(made, SuiteResult) else made:
            report.console(result, out)
            results.append(result)
    written = report.write(
        report.to_document(facts, {"scale": scale, "rounds": rounds, "threads": options.threads}, results),
        folder,
    )
    out.print("written: " + ", ".join(str(path) for path in written), highlight=False)
    missed = [target for result in results for target in result.targets if not target.met]
    return 1 if options.gate and missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Luma Bench and its peers, interleaved in one process."
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[[], *_ALL],
        metavar="NAME",
        help=f"of {', '.join(_ALL)}; by default {', '.join(SUITES)}",
    )
    parser.add_argument("--scale", type=float, help="TPC-H scale factor (1; with --quick 0.1)")
    parser.add_argument("--rounds", type=int, help="timed calls of a slow case (5; with --quick 3)")
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="threads of every contender (all cores)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small data and few calls: to see that everything runs"
    )
    parser.add_argument("--gate", action="store_true", help="end 1 when a target is missed")
    parser.add_argument(
        "--clickbench",
        type=Path,
        default=os.environ.get("LUMA_CLICKBENCH") or None,
        help="a checkout of ClickBench, or its file of queries, for sql-clickbench (LUMA_CLICKBENCH)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/benchmarks"), help="where data and results go (out/benchmarks)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
