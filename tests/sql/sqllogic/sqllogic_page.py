"""The page with what the last run found: a table of directories, the refusals, and the rules that are KadeQL's own."""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sqllogic_file import Outcome

VERDICTS = ("passed", "refused", "skipped", "WRONG")
_QUOTED = re.compile(r"(?<!\w)'[^']*'|(?<=Column )\S.*?(?= holds)")
_OWN = "KadeQL's own rule: "
_HEAD = """\
# DuckDB's own tests against KadeQL

**One rule.** A statement that DuckDB's tests ask for gives DuckDB's answer or is refused by name; nothing answers otherwise in silence.

This page is written by a command. With a checkout of DuckDB's repository beside this one:

```
make sqllogic DUCKDB=../duckdb
```

It runs the checkout's sqllogictest files, each against a fresh bench, and copies nothing of them. A file ends as

- **passed**: every record that it has ran and was right;
- **refused**: right as far as it ran, and at least one statement was refused by name with a hint. Behind a refused query the file
  goes on; behind a refused statement that changes something it ends;
- **skipped**: it needs an extension or another file format, sets what a bench has no setting for, or asks for one of the rules below that are KadeQL's own;
- **WRONG**: an answer that differs, an error that is no refusal, or none where there must be one.

The judge of a difference is plain DuckDB of the installed version, which runs the same statements: where it, too, does not give what
the file says, the file is of another version and its record does not count. `SET` and `PRAGMA` of what changes no answer are left out; those of
null order, division and the like are handed to the engine by the runner, since KadeQL has no `SET`. Plans (`EXPLAIN`) and `SHOW` are run and not compared.
A rule of KadeQL's own explains a file only where all that differs in it is what the rule says (`tests/sql/sqllogic/sqllogic_rules.py`).
What these files taught is restated in `tests/sql/test_taught_by_conformance.py`, over our own tables.
"""


def write_page(path: Path, outcomes: Sequence[Outcome], version: str) -> None:
    """Write the page of these outcomes; `version` is what the checkout calls itself."""
    path.write_text(page(outcomes, version), "utf-8")


def page(outcomes: Sequence[Outcome], version: str) -> str:
    """The page's text."""
    engine, bench = importlib.metadata.version("duckdb"), importlib.metadata.version("luma-bench")
    records = sum(outcome.ran for outcome in outcomes)
    lines = [_HEAD, "## The last run", ""]
    lines.append(
        f"Luma Bench {bench}, DuckDB {engine}; tests of DuckDB {version or 'at an unnamed commit'}: "
        f"{len(outcomes):,} files, {records:,} records right.\n"
    )
    lines += ["| directory | files | passed | refused | skipped | wrong |", "|---|--:|--:|--:|--:|--:|"]
    by_directory: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        by_directory.setdefault(_directory(outcome.path), Counter())[outcome.verdict] += 1
    total: Counter[str] = Counter()
    for name, counts in sorted(by_directory.items()):
        total += counts
        lines.append(_row(name, counts))
    lines += [_row("**all**", total), "", "## Why files were refused", ""]
    lines += _reasons([o for o in outcomes if o.verdict == "refused"], "first refusal")
    own = [o for o in outcomes if o.verdict == "skipped" and o.reason.startswith(_OWN)]
    lines += ["", "## Where KadeQL has a rule of its own", ""]
    lines += _reasons([Outcome(o.path, o.verdict, o.reason.removeprefix(_OWN)) for o in own], "rule")
    lines += ["", "## Why files were skipped", ""]
    lines += _reasons([o for o in outcomes if o.verdict == "skipped" and o not in own], "reason")
    wrong = [o for o in outcomes if o.verdict == "WRONG"]
    if wrong:
        lines += ["", "## What is wrong", ""]
        lines += [f"- `{o.path}`, {o.reason.splitlines()[0].partition(':')[0]}" for o in wrong]
    return "\n".join(lines) + "\n"


def _directory(path: str) -> str:
    return PurePosixPath(path).relative_to("test/sql").parts[0]


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts.total():,} | " + " | ".join(f"{counts[v]:,}" for v in VERDICTS) + " |"


def _reasons(outcomes: Sequence[Outcome], title: str) -> list[str]:
    if not outcomes:
        return ["None."]
    counts = Counter(_general(outcome.reason) for outcome in outcomes)
    rows = [
        f"| {reason} | {count:,} |"
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return [f"| {title} | files |", "|---|--:|", *rows]


def _general(reason: str) -> str:
    """A reason without the names of one file: a refusal of the store, or of a column, is one refusal."""
    first = reason.splitlines()[0].replace("|", "\\|")
    if "is not stored" in first and "Arrow type" in first:
        return "A type that no segment has is not stored (unions, intervals of several units, …)."
    if "does not widen" in first:
        return "A type that does not widen to another without loss."
    if "whole number of more than 38 digits" in first:
        return "A whole number of more than 38 digits."
    return _QUOTED.sub("'…'", first)
