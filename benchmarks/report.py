"""Results as tables: in the terminal, as JSON, and as Markdown (which `docs/benchmarks.md` takes in)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness import SuiteResult, Target, Timing

Cells = list[str]


def grid(suite: SuiteResult) -> tuple[Cells, list[Cells]]:
    """The header and rows of a suite's table: per contender its figures, and its ratio to the peer."""
    header = ["case"]
    for name in suite.contenders:
        header += [name, "p99" if suite.tails else "best"]
        if _rated(suite, name):
            header += ["MB/s"]
        if name != suite.peer:
            header += ["ratio"]
    rows = [_row(suite, case) for case in suite.cases]
    if suite.summed:
        rows += [_summary(suite, "total", total=True), _summary(suite, "geometric mean", total=False)]
    return header, rows


def heading(suite: SuiteResult) -> str:
    """The suite's title, and what its ratios are to."""
    return f"{suite.title}; ratios to {suite.peer}"


def console(suite: SuiteResult, out: Console) -> None:
    """Print one suite."""
    header, rows = grid(suite)
    out.print(heading(suite), style="bold", highlight=False)
    table = Table(header_style="bold")
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index == 0 else "right", no_wrap=index == 0)
    for row in rows:
        table.add_row(*row, style="bold" if row[0] in {"total", "geometric mean"} else None)
    out.print(table)
    for target in suite.targets:
        out.print(
            f"  [{'green' if target.met else 'red'}]{'met   ' if target.met else 'missed'}[/] {target_text(target)}"
        )
    for note in suite.notes:
        out.print(f"  {note}", highlight=False)
    out.print()


def target_text(target: Target) -> str:
    """`name: value (target: at most limit)`."""
    bound = "at least" if target.at_least else "at most"
    return f"{target.name}: {_figure(target.value, target.unit)} (target: {bound} {_figure(target.limit, target.unit)})"


def markdown(document: Mapping[str, Any]) -> str:
    """A whole run as Markdown, from the document that `to_document` makes."""
    facts = document["environment"]
    lines = [
        f"Measured {facts['measured']} on {facts['cpu']}, {facts['cores']} cores, {facts['memory_gb']} GB, "
        f"{facts['system']}; a 4 KiB fdatasync takes {facts['disk_fdatasync_ms']} ms. Python {facts['python']}, "
        f"luma-bench {facts['luma_bench']}{_commit(facts)}, "
        + ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())
        + f"; sqlglot {'compiled' if facts['sqlglot_compiled'] else 'not compiled'}. Options: "
        + ", ".join(f"{name} {value}" for name, value in document["options"].items())
        + ".",
        "",
    ]
    for suite in map(from_record, document["suites"]):
        header, rows = grid(suite)
        lines += [f"### {heading(suite)}", "", _line(header), _line(["---"] + ["--:"] * (len(header) - 1))]
        lines += [_line(row) for row in rows]
        lines += [""]
        lines += [
            f"- {'met' if target.met else '**missed**'}: {target_text(target)}" for target in suite.targets
        ]
        lines += [f"- {note}" for note in suite.notes]
        lines += [""]
    return "\n".join(lines)


def to_document(
    environment: Mapping[str, Any], options: Mapping[str, Any], suites: Sequence[SuiteResult]
) -> dict[str, Any]:
    """A run as plain values: what the JSON file holds."""
    return {
        "environment": dict(environment),
        "options": dict(options),
        "suites": [dataclasses.asdict(suite) for suite in suites],
    }


def from_record(record: Mapping[str, Any]) -> SuiteResult:
    """A suite back from the JSON document."""
    timings = tuple(
        Timing(**{**timing, "seconds": tuple(timing["seconds"]), "cpu": tuple(timing.get("cpu", ()))})
        for timing in record["timings"]
    )
    targets = tuple(Target(**target) for target in record["targets"])
    return SuiteResult(**{**record, "timings": timings, "targets": targets, "notes": tuple(record["notes"])})


def write(document: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write `benchmarks.json` and `benchmarks.md` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    as_json, as_markdown = folder / "benchmarks.json", folder / "benchmarks.md"
    as_json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    as_markdown.write_text("# Benchmarks\n\n" + markdown(document), "utf-8")
    return as_json, as_markdown


def seconds(value: float) -> str:
    """Seconds with about three significant figures and a fitting unit."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= size or unit == "µs":
            scaled = value / size
            return f"{scaled:.{0 if scaled >= 100 else 1 if scaled >= 10 else 2}f} {unit}"
    raise AssertionError(value)


def _row(suite: SuiteResult, case: str) -> Cells:
    row = [case]
    for name in suite.contenders:
        timing = suite.timing(case, name)
        if timing is None:
            row += [""] * (2 + _rated(suite, name) + (name != suite.peer))
            continue
        row += [seconds(timing.median), seconds(timing.p99 if suite.tails else timing.best)]
        if _rated(suite, name):
            row += [f"{timing.nbytes / 1e6 / timing.median:.0f}" if timing.nbytes else ""]
        if name != suite.peer:
            ratio = suite.ratio(case, name)
            row += ["" if ratio is None else f"{ratio:.2f}"]
    return row


def _summary(suite: SuiteResult, title: str, *, total: bool) -> Cells:
    row = [title]
    for name in suite.contenders:
        whole = suite.total(name) if total else None
        row += ["" if whole is None else seconds(whole), ""] + [""] * _rated(suite, name)
        if name != suite.peer:
            ratio = suite.total_ratio(name) if total else suite.geomean(name)
            row += ["" if ratio is None else f"{ratio:.2f}"]
    return row


def _rated(suite: SuiteResult, contender: str) -> bool:
    return any(timing.nbytes for timing in suite.timings if timing.contender == contender)


def _figure(value: float, unit: str) -> str:
    return seconds(value) if unit == "s" else f"{value:.2f}{unit}"


def _commit(facts: Mapping[str, Any]) -> str:
    return f" ({facts['commit']})" if facts["commit"] else ""


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
