"""Run DuckDB's sqllogictest files against KadeQL: `python tests/sql/sqllogic/sqllogic_main.py CHECKOUT [directory …]`.

CHECKOUT is a checkout of DuckDB's repository; nothing of it is copied. Ends 1 when an answer is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from sqllogic_file import Outcome
from sqllogic_page import write_page
from sqllogic_pool import Limits, run_files

DIRECTORIES = (
    "select", "projection", "filter", "conjunction", "order", "limit", "topn", "join", "aggregate", "window", "cte", "subquery",
    "setops", "types", "cast", "function", "pivot", "sample", "ordinality", "binder", "parser", "error", "overflow",
    "insert", "update", "delete", "merge", "upsert", "returning", "transactions",
    "create", "alter", "constraints", "generated_columns", "catalog", "prepared", "copy", "json", "table_function", "explain",
    "collate", "keywords", "show_select", "timezone", "vector_types", "variables",
)  # fmt: skip
"""Below `test/sql`, what a run looks at when it is not told."""


def main(arguments: list[str] | None = None) -> int:
    """Run the files, print what is wrong, and write the page."""
    parser = argparse.ArgumentParser(prog="sqllogic_main.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path, help="a checkout of DuckDB's repository")
    parser.add_argument(
        "what", nargs="*", default=list(DIRECTORIES), help="directories or files below test/sql"
    )
    parser.add_argument("--slow", action="store_true", help="also files named .test_slow")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a file may take")
    parser.add_argument("--scratch", type=Path, default=None, help="where benches are made")
    parser.add_argument("--page", type=Path, default=None, help="write the table of outcomes into this page")
    parser.add_argument("--log", type=Path, default=None, help="write every outcome as a line of JSON")
    options = parser.parse_args(arguments)
    checkout = options.checkout.resolve()
    names = files(checkout, options.what, options.slow)
    if not names:
        print(f"No .test files of {', '.join(options.what)} below {options.checkout}/test/sql.")
        return 2
    outcomes: list[Outcome] = []
    started = time.monotonic()
    for outcome in run_files(checkout, names, options.jobs, Limits(options.seconds), options.scratch):
        outcomes.append(outcome)
        if outcome.verdict == "WRONG":
            print(f"WRONG {outcome.path}\n  {outcome.reason}", flush=True)
        elif len(outcomes) % 100 == 0:
            print(
                f"{len(outcomes):,} of {len(names):,} files, {time.monotonic() - started:.0f} s", flush=True
            )
    outcomes.sort(key=lambda outcome: outcome.path)
    if options.log is not None:
        options.log.write_text("".join(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes), "utf-8")
    counts = Counter(outcome.verdict for outcome in outcomes)
    print(
        ", ".join(f"{verdict} {counts[verdict]:,}" for verdict in ("passed", "refused", "skipped", "WRONG"))
    )
    for reason, count in Counter(
        o.reason for o in outcomes if o.verdict in ("refused", "skipped")
    ).most_common(40):
        print(f"{count:6,}  {reason[:140]}")
    if options.page is not None:
        write_page(options.page, outcomes, checkout_version(checkout))
    return 1 if counts["WRONG"] else 0


def files(checkout: Path, what: list[str], slow: bool) -> list[str]:
    """The files of these directories, as paths below the checkout."""
    root = checkout / "test" / "sql"
    found: set[Path] = set()
    for name in what:
        place = root / name
        found |= {place} if place.is_file() else set(place.rglob("*.test"))
        if slow and not place.is_file():
            found |= set(place.rglob("*.test_slow"))
    return sorted(str(path.relative_to(checkout)) for path in found)


def checkout_version(checkout: Path) -> str:
    """What the checkout is, by its own word; empty where it has no history."""
    found = subprocess.run(
        ["git", "-C", str(checkout), "describe", "--tags", "--always"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
