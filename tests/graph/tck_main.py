"""Run openCypher's tests of MATCH against KadeQL: `python tests/graph/tck_main.py CHECKOUT [part of a path …]`.

CHECKOUT is a checkout of openCypher's repository; nothing of it is copied. Ends 1 when an answer is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tck_feature import scenarios
from tck_page import VERDICTS, write_page
from tck_run import Outcome, Runner

import luma_bench as lb

PARTS = ("clauses/match/", "clauses/match-where/", "triadicSelection/", "countingSubgraphMatches/", "VarLengthAcceptance", "OptionalMatch")  # fmt: skip
"""Of the paths below `tck/features`, what a run looks at when it is not told."""


def main(arguments: list[str] | None = None) -> int:
    """Run the scenarios, print what is wrong, and write the page."""
    parser = argparse.ArgumentParser(prog="tck_main.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkout", type=Path, help="a checkout of openCypher's repository")
    parser.add_argument("what", nargs="*", default=list(PARTS), help="parts of paths below tck/features")
    parser.add_argument("--plan", choices=("auto", "csr", "sql"), default="auto", help="how matches run")
    parser.add_argument("--page", type=Path, default=None, help="write the table of outcomes into this page")
    parser.add_argument("--log", type=Path, default=None, help="write every outcome as a line of JSON")
    options = parser.parse_args(arguments)
    found = files(options.checkout, options.what)
    if not found:
        print(f"No .feature files of {', '.join(options.what)} below {options.checkout}/tck/features.")
        return 2
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder, lb.open(Path(folder) / "tck.luma", threads=1) as bench:
        bench._machinery.statements.runner.binder.graphs.plan = options.plan
        runner = Runner(bench, options.checkout / "tck" / "graphs")
        for path in found:
            for scenario in scenarios(path):
                outcome = runner.run(scenario)
                outcomes.append(outcome)
                if outcome.verdict == "WRONG":
                    print(f"WRONG {outcome.feature} {outcome.scenario}\n  {outcome.text}\n  {outcome.reason}")
    if options.log is not None:
        options.log.write_text("".join(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes), "utf-8")
    counts = Counter(outcome.verdict for outcome in outcomes)
    print(", ".join(f"{verdict} {counts[verdict]:,}" for verdict in VERDICTS))
    reasons = Counter((o.verdict, o.reason) for o in outcomes if o.verdict in ("refused", "skipped"))
    for (verdict, reason), count in reasons.most_common(40):
        print(f"{count:6,}  {verdict}: {reason[:140]}")
    if options.page is not None:
        write_page(options.page, outcomes, version(options.checkout))
    return 1 if counts["WRONG"] else 0


def files(checkout: Path, what: list[str]) -> list[Path]:
    """The feature files whose paths hold one of these parts."""
    root = checkout / "tck" / "features"
    return sorted(
        path
        for path in root.rglob("*.feature")
        if any(part in path.relative_to(root).as_posix() for part in what)
    )


def version(checkout: Path) -> str:
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
