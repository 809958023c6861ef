"""The generated parts of the page about engines: what each of them answers, refuses and gets wrong, as the conformance suite recorded it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FILE = Path("tests") / "engines" / "conformance" / "support.json"
_EVERY = "every case"
_LOOKING_UP = ("point", "statistics")
"""Engines of a few kinds of statements: what they refuse would be nearly the whole list."""

_SHAPES = (" in groups", " of no rows", " of NULLs", " with FILTER", " distinct")

Recorded = Mapping[str, Mapping[str, Any]]


def support(root: Path) -> str:
    """How many cases of each family each engine answers."""
    recorded = _recorded(root)
    whole = _totals(recorded)
    lines = [
        "| cases | " + " | ".join(f"`{engine}`" for engine in recorded) + " |",
        "|---|" + "---:|" * len(recorded),
    ]
    for family, total in whole.items():
        counts = [
            _share(recorded[engine][family]["passed"], total) if family in recorded[engine] else ""
            for engine in recorded
        ]
        lines.append(f"| {family}: {total} | " + " | ".join(counts) + " |")
    everything = sum(whole.values())
    answered = [
        _share(sum(kept["passed"] for kept in recorded[engine].values()), everything) for engine in recorded
    ]
    lines.append(f"| **all: {everything:,}** | " + " | ".join(answered) + " |")
    return "\n".join(lines)


def refusals(root: Path) -> str:
    """What each scanning engine refuses, by reason; and what is known to be wrong."""
    lines: list[str] = []
    for engine, families in _recorded(root).items():
        if engine in _LOOKING_UP:
            continue
        found = _by_reason(families)
        wrong = [
            (family, case, reason)
            for family, kept in families.items()
            for case, reason in kept.get("wrong", {}).items()
        ]
        if not found and not wrong:
            continue
        lines += [f"### {engine}", ""]
        for reason, cases in sorted(
            found.items(), key=lambda item: (-sum(map(len, item[1].values())), item[0])
        ):
            listed = "; ".join(_cases(family, names) for family, names in cases.items())
            lines.append(f"- {_sentence(reason)}: {listed}")
        lines += [
            f"- known to be wrong ({family}), {_code(case)}: {reason}" for family, case, reason in wrong
        ]
        lines.append("")
    return "\n".join(lines) or "No engine refuses a case."


def _recorded(root: Path) -> Recorded:
    return json.loads((root / _FILE).read_text("utf-8"))


def _totals(recorded: Recorded) -> dict[str, int]:
    """Cases by family: the embedded engine refuses none of them."""
    return {
        family: kept["passed"] + len(kept.get("wrong", {})) for family, kept in recorded["duckdb"].items()
    }


def _share(passed: int, total: int) -> str:
    return "all" if passed == total else "none" if not passed else f"{passed:,}"


def _by_reason(families: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Reasons, with the refused cases of each family."""
    found: dict[str, dict[str, Any]] = {}
    for family, kept in families.items():
        for reason, names in kept.get("refused", {}).items():
            found.setdefault(reason, {})[family] = names
    return found


def _cases(family: str, names: Any) -> str:
    if names == _EVERY:
        return f"all of {family}"
    # An aggregate is named once, in whichever ways it was asked.
    return f"{family} ({', '.join(_shortened(list(dict.fromkeys(map(_plain, names)))))})"


def _plain(name: str) -> str:
    for shape in _SHAPES:
        name = name.removesuffix(shape)
    return name


def _shortened(names: list[str], most: int = 8) -> Iterator[str]:
    yield from (_code(name) for name in names[:most])
    if len(names) > most:
        yield f"and {len(names) - most} more"


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def _sentence(reason: str) -> str:
    return reason.replace("|", "\\|").replace("*", "\\*").rstrip(".")


PARTS = {"engine-support": support, "engine-refusals": refusals}
