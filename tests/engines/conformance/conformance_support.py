"""What the suite found when it was recorded: `support.json` says of every engine which cases it answers, and which it refuses, and why.

The documentation's table is made of it, and the suite holds every engine to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cases_aggregates
import cases_bench
import cases_nested
import cases_numbers
import cases_relations
import cases_texts
import cases_times
import cases_values
from conformance_cases import Expressions, Family
from conformance_engines import ENGINES
from conformance_run import Outcome, name_of, names

EVERY = "every case"
FILE = Path(__file__).with_name("support.json")
FAMILIES: Mapping[str, Family] = {
    family.name: family
    for module in (
        cases_numbers, cases_values, cases_texts, cases_times, cases_nested, cases_aggregates, cases_relations, cases_bench,
    )
    for family in module.FAMILIES
}  # fmt: skip


def recorded() -> dict[str, dict[str, Any]]:
    """By engine and family: how many cases passed, reasons with the cases that were refused for them, and cases known to be wrong."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def entry(outcome: Outcome) -> dict[str, Any]:
    """What is kept of an outcome."""
    refused: dict[str, list[str]] = {}
    for name, reason in sorted(outcome.refused.items()):
        refused.setdefault(reason, []).append(name)
    kept: dict[str, Any] = {"passed": len(outcome.passed)}
    if len(refused) == 1 and not outcome.passed:
        kept["refused"] = dict.fromkeys(refused, EVERY)
    elif refused:
        kept["refused"] = dict(sorted(refused.items(), key=lambda item: (-len(item[1]), item[0])))
    if outcome.known:
        kept["wrong"] = outcome.known
    return kept


def refusals(family: Family, kept: Mapping[str, Any]) -> dict[str, str]:
    """Reasons by case."""
    found: dict[str, str] = {}
    for reason, listed in kept.get("refused", {}).items():
        every = (name for name in names(family) if name not in kept.get("wrong", {}))
        found |= dict.fromkeys(every if listed == EVERY else listed, reason)
    return found


def write(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what was found, engines and families in their order."""
    ordered = {
        engine: {family: found[engine][family] for family in FAMILIES if family in found[engine]}
        for engine in ENGINES
        if engine in found
    }
    FILE.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", "utf-8")


def known_wrong() -> Iterator[tuple[str, str, str, str]]:
    """Engine, family, case and reason of every answer that is known to be wrong."""
    for name, family in FAMILIES.items():
        failures = family.failures if isinstance(family, Expressions) else ()
        for case in (*family.cases, *failures):
            for engine, reason in case.wrong.items():
                yield engine, name, name_of(case), reason
