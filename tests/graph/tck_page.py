"""The page with what the last run of openCypher's tests found."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tck_run import Outcome

VERDICTS = ("passed", "refused", "skipped", "WRONG")
_HEAD = """\
# openCypher's own tests against KadeQL

**One rule.** What KadeQL spells of a Cypher pattern gives Cypher's answer; nothing answers otherwise in silence.

This page is written by a command. With a checkout of openCypher's repository beside this one:

```
python tests/graph/tck_main.py ../openCypher --page docs/design/graph-conformance.md
```

It reads the checkout's scenarios of MATCH (`match`, `match-where`, `triadicSelection`, `countingSubgraphMatches`) and copies nothing of
them. A scenario's graph becomes tables: a vertex table for each set of labels, an edge table for each type between two of them. Its
query becomes KadeQL:

- Cypher walks no edge twice in a MATCH: every path becomes `TRAIL`, and paths of one MATCH are kept apart by their edges.
- `(v:A:B)`, nodes with both labels, becomes the alternative of the tables whose nodes have both; `v:A` a condition about `label(v)`.
- `*2..3` becomes `{2,3}`, `{name: 'x'}` a WHERE, `type(r)` `label(r)`, and a WITH that only hands variables on falls away.
- Elements come back by their keys and are shown as the test shows them; a path by its nodes and edges.

A scenario ends as

- **passed**: the answer is right, or the error that it asks for was raised;
- **refused**: KadeQL refused the query by name;
- **skipped**: it needs what KadeQL does not have, or this runner does not carry over;
- **WRONG**: another answer, or none where an error must come.
"""


def page(outcomes: Sequence[Outcome], version: str) -> str:
    """The page's text; `version` is what the checkout calls itself."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    lines = [_HEAD, "## The last run", ""]
    lines.append(
        f"Luma Bench {importlib.metadata.version('luma-bench')}; tests of openCypher {version or 'at an unnamed commit'}: "
        f"{len(outcomes):,} scenarios, of which {counts['passed']:,} passed.\n"
    )
    lines += ["| feature | scenarios | passed | refused | skipped | wrong |", "|---|--:|--:|--:|--:|--:|"]
    features: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        features.setdefault(outcome.feature, Counter())[outcome.verdict] += 1
    for name, found in sorted(features.items()):
        lines.append(_row(name, found))
    lines += [_row("**all**", counts), "", "## Why scenarios were refused", ""]
    lines += _reasons([o for o in outcomes if o.verdict == "refused"])
    lines += ["", "## Why scenarios were skipped", ""]
    lines += _reasons([o for o in outcomes if o.verdict == "skipped"])
    wrong = [o for o in outcomes if o.verdict == "WRONG"]
    if wrong:
        lines += ["", "## What is wrong", ""]
        lines += [f"- {o.feature}, {o.scenario}" for o in wrong]
    return "\n".join(lines) + "\n"


def write_page(path: Path, outcomes: Sequence[Outcome], version: str) -> None:
    """Write the page of these outcomes."""
    path.write_text(page(outcomes, version), "utf-8")


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts.total():,} | " + " | ".join(f"{counts[v]:,}" for v in VERDICTS) + " |"


def _reasons(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes:
        return ["None."]
    counts = Counter(outcome.reason.replace("|", "\\|") for outcome in outcomes)
    rows = [
        f"| {reason} | {n:,} |" for reason, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return ["| reason | scenarios |", "|---|--:|", *rows]
