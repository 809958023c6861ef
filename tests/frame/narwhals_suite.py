"""Narwhals' own tests over frames: `LUMA_NARWHALS=path python tests/frame/narwhals_suite.py` writes the table in the docs.

`path` is a checkout of narwhals. Its tests run as they are; this file is a pytest plugin for them that makes `constructor`
a frame of Luma Bench, and beside it narwhals' own relation of DuckDB: what narwhals expects to fail there (no eager
values, no order without a sort) is the measure of what a lazy SQL frame can do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
TABLE = HERE.parents[2] / "docs" / "design" / "narwhals.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

# Tests of narwhals itself or of other backends: nothing of a frame stands behind them.
_LEFT_OUT = ("hypothesis", "modern_polars", "typing_compat_test.py", "version_test.py", "no_imports_test.py")

_results: dict[str, str] = {}
_reasons: dict[str, str] = {}


def luma_lazy_constructor(obj: Any) -> Any:
    """A frame of data in memory, which runs as every frame does."""
    import pyarrow as pa

    import luma_bench as lb

    return lb.from_arrow(pa.table(obj))


def pytest_generate_tests(metafunc: Any) -> None:
    """Narwhals' `constructor` is ours and DuckDB's; eager ones have no cases."""
    if "constructor" in metafunc.fixturenames:
        from tests.conftest import duckdb_lazy_constructor  # pyright: ignore[reportMissingImports]

        metafunc.parametrize(
            "constructor", [luma_lazy_constructor, duckdb_lazy_constructor], ids=["luma", "duckdb"]
        )
    for name in ("constructor_eager", "constructor_pandas_like"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, [], ids=[])


def pytest_runtest_logreport(report: Any) -> None:
    """Keep the outcome of every test; a failure in its setup counts."""
    if report.when == "call" or report.outcome != "passed":
        expected = hasattr(report, "wasxfail")
        if report.when == "teardown" and report.outcome == "passed":
            return
        _results[report.nodeid] = "expected" if expected else report.outcome
        if report.failed:
            _reasons[report.nodeid] = str(report.longrepr).strip().splitlines()[-1][:200]
            crash = getattr(report.longrepr, "reprcrash", None)
            if crash is not None:
                _reasons[report.nodeid] = crash.message.splitlines()[0][:200]


def pytest_sessionfinish() -> None:
    """Hand the outcomes to who started the run."""
    target = os.environ.get("LUMA_NARWHALS_RESULTS")
    if target:
        Path(target).write_text(json.dumps({"results": _results, "reasons": _reasons}))


def run(checkout: Path, results: Path, arguments: list[str]) -> dict[str, Any]:
    """Run the tests of a checkout and give every outcome by the test's name."""
    environment = {
        **os.environ,
        "LUMA_NARWHALS_RESULTS": str(results),
        "PYTHONPATH": os.pathsep.join(
            [str(HERE.parent), str(HERE.parents[2]), str(checkout), os.environ.get("PYTHONPATH", "")]
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-p", "narwhals_suite", "--use-external-constructor"]
    command += [
        "-o",
        "addopts=",
        "-o",
        "filterwarnings=ignore",
        "-p",
        "no:cacheprovider",
        "-q",
        "--no-header",
    ]
    command += ["--tb=short", "-rN"]
    command += [f"--ignore=tests/{name}" for name in _LEFT_OUT]
    finished = subprocess.run(  # the tests' own failures are in the results
        [*command, *(arguments or ["tests"])],
        cwd=checkout,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if not results.exists():
        raise SystemExit(finished.stdout[-4000:] + finished.stderr[-4000:])
    return json.loads(results.read_text())


def compared(outcome: dict[str, Any]) -> dict[str, Counter[str]]:
    """By folder or file of narwhals' tests: how often a test of ours passes, and what DuckDB's own does where it does not."""
    results: dict[str, str] = outcome["results"]
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name, mine in results.items():
        if "luma" not in name.rpartition("[")[2]:
            continue
        theirs = results.get(name.replace("luma", "duckdb"), "absent")
        parts = name.partition("::")[0].split("/")
        theme = "/".join(parts[1:3]) if len(parts) > 2 else parts[1]
        theme = theme.removesuffix("_test.py")
        if mine == "skipped" or (mine == "passed" and theirs == "skipped"):
            table[theme]["skipped" if mine == "skipped" else "passed"] += 1
        elif mine == "passed":
            table[theme]["passed"] += 1
            table[theme]["more"] += theirs in ("expected", "failed")
        else:
            kind = "both" if theirs in ("expected", "failed", "skipped") else "failed"
            table[theme][kind] += 1
    return table


def markdown(table: dict[str, Counter[str]], outcome: dict[str, Any], version: str) -> str:
    """The table, and every test that DuckDB's passes and ours does not, with what it says."""
    lines = [
        f"Narwhals {version}; the tests of a checkout of it, run by `tests/frame/narwhals_suite.py`.",
        "",
        "| Tests of | pass | of them not DuckDB's own | fail as DuckDB's own does | fail here alone |",
        "|---|---:|---:|---:|---:|",
    ]
    total: Counter[str] = Counter()
    for theme, counts in sorted(table.items()):
        total += counts
        lines.append(
            f"| {theme} | {counts['passed']} | {counts['more']} | {counts['both']} | {counts['failed']} |"
        )
    lines.append(
        f"| **all** | **{total['passed']}** | **{total['more']}** | **{total['both']}** | **{total['failed']}** |"
    )
    results, reasons = outcome["results"], outcome["reasons"]
    alone = [
        name
        for name, mine in results.items()
        if "luma" in name.rpartition("[")[2]
        and mine == "failed"
        and results.get(name.replace("luma", "duckdb"), "absent") not in ("expected", "failed", "skipped")
    ]
    if alone:
        lines += ["", "What fails here alone:", ""]
        lines += [
            f"- `{name.removeprefix('tests/')}`: {_plain(reasons.get(name, ''))}" for name in sorted(alone)
        ]
    return "\n".join(lines)


def _plain(reason: str) -> str:
    # No path of the machine that it ran on.
    reason = re.sub(r" from '[^']*'", "", reason)
    return reason.replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def main() -> None:
    """Run all tests and write the table; with arguments, run those tests and print it."""
    checkout = Path(os.environ["LUMA_NARWHALS"]).resolve()
    results = Path(os.environ.get("LUMA_NARWHALS_RESULTS", "narwhals_results.json")).resolve()
    outcome = run(checkout, results, sys.argv[1:])
    import narwhals

    text = markdown(compared(outcome), outcome, narwhals.__version__)
    if sys.argv[1:]:
        print(text)
        return
    page = TABLE.read_text()
    before, _, rest = page.partition(BEGIN)
    TABLE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
