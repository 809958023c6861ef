"""pandas' public interface beside ours: what is the same, what differs, what is missing; `--missing` lists the last.

Names and parameters are read from both sides. What no signature tells stands in `luma_bench.frame.differences` (a sentence
for a method that does something else) and `luma_bench.frame.absent` (what to write instead of one that is not there).
"""

from __future__ import annotations

import argparse
import csv
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.pandas_signatures import frame_class, only_refuses, parameters, result_class  # noqa: E402

RANKING = ROOT / "docs" / "reference" / "pandas-ranking.csv"
_PROTOCOL = {"__getitem__": "[]", "__len__": "len()"}
_GROUPED = "frame.to_pandas().groupby(…)"
_IN_PANDAS = {
    "DataFrame": "frame.to_pandas().{}",
    "Series": "series.to_pandas().{}",
    "DataFrameGroupBy": f"{_GROUPED}.{{}}",
    "SeriesGroupBy": f"{_GROUPED}[name].{{}}",
    "Series.str": "series.to_pandas().str.{}",
    "Series.dt": "series.to_pandas().dt.{}",
    "Series.list": "series.to_pandas().list.{}",
    "Series.struct": "series.to_pandas().struct.{}",
    "Rolling": "frame.to_pandas().rolling(…).{}",
    "Expanding": "frame.to_pandas().expanding(…).{}",
    "ExponentialMovingWindow": "frame.to_pandas().ewm(…).{}",
    "Resampler": "frame.to_pandas().resample(…).{}",
    "pandas": "pandas.{}",
}
"""The same in pandas, for what has no note of its own."""

Status = Literal["same", "differs", "missing"]


@dataclass(frozen=True)
class Method:
    """One public name of pandas and what became of it here."""

    kind: str
    name: str
    status: Status
    note: str


@dataclass(frozen=True)
class Ranked:
    """One of the most used names: where pandas has it, and the kinds among those where it is here too."""

    rank: int
    name: str
    homes: tuple[str, ...]
    reached: tuple[str, ...]


def main(arguments: list[str] | None = None) -> int:
    """Print the counts; with `--missing`, the names that are missing, the most used of them first."""
    parser = argparse.ArgumentParser(prog="scripts/pandas_methods.py", description="What of pandas is here.")
    parser.add_argument("--missing", action="store_true", help="list what is missing")
    options = parser.parse_args(arguments)
    print(counts(ROOT))
    print(share(ROOT))
    if options.missing:
        gone = [item for item in ranking() if not item.reached]
        print("\nOf the most used: " + ", ".join(f"{item.name} ({item.rank})" for item in gone))
        partly = [item for item in ranking() if item.reached and set(item.reached) != set(item.homes)]
        print(
            "\nOn some of their classes: "
            + ", ".join(f"{item.name} (not {'/'.join(_lacking(item))})" for item in partly)
        )
        for kind, rows in methods().items():
            print(f"\n{kind}: " + ", ".join(row.name for row in rows if row.status == "missing"))
    return 0


def ranking(path: Path = RANKING) -> list[Ranked]:
    """The frozen list of the most used names, and where each is reached."""
    surface = _Surface()
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    made: list[Ranked] = []
    for row in rows:
        homes = tuple(row["homes"].split())
        reached = tuple(home for home in homes if surface.have(home, row["name"]))
        made.append(Ranked(int(row["rank"]), row["name"], homes, reached))
    return made


def methods() -> dict[str, list[Method]]:
    """Every public name of pandas by kind, in alphabetical order."""
    surface = _Surface()
    return {kind: [surface.method(kind, name) for name in surface.names(kind)] for kind in surface.theirs}


def counts(_: Path) -> str:
    """How many names of each kind are the same, differ, are missing."""
    lines = ["| pandas | names | same | documented difference | missing |", "|---|--:|--:|--:|--:|"]
    total: Counter[str] = Counter()
    for kind, rows in methods().items():
        number = Counter(row.status for row in rows)
        total += number
        lines.append(
            f"| `{kind}` | {len(rows)} | {number['same']} | {number['differs']} | {number['missing']} |"
        )
    lines.append(f"| all | {total.total()} | {total['same']} | {total['differs']} | {total['missing']} |")
    return "\n".join(lines)


def share(_: Path) -> str:
    """How much of the ranking is reached, and what of it is not."""
    listed = ranking()
    reached = [item for item in listed if item.reached]
    whole = [item for item in listed if set(item.reached) == set(item.homes)]
    gone = ", ".join(f"`{_shown(item.name)}` ({item.rank})" for item in listed if not item.reached)
    return (
        f"Of the {len(listed)} names used most, **{len(reached)} ({len(reached) / len(listed):.1%})** are here, "
        f"{len(whole)} of them on every class that has them in pandas.\n\n"
        f"Not here, with their rank: {gone or 'none'}."
    )


def tables(_: Path) -> str:
    """A table for each kind."""
    lines: list[str] = []
    for kind, rows in methods().items():
        lines += [f"## {kind}", "", "| name | here | note |", "|---|---|---|"]
        words = {"same": "same", "differs": "difference", "missing": "missing"}
        lines += [f"| `{_shown(row.name)}` | {words[row.status]} | {_cell(row.note)} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


class _Surface:
    """Both sides' classes and functions, by kind."""

    @cached_property
    def theirs(self) -> dict[str, Any]:
        """What pandas has, by kind."""
        import pandas as pd
        from pandas.api import typing as made
        from pandas.core.arrays.arrow.accessors import ListAccessor, StructAccessor
        from pandas.core.indexes.accessors import CombinedDatetimelikeProperties
        from pandas.core.strings.accessor import StringMethods

        return {
            "DataFrame": pd.DataFrame,
            "Series": pd.Series,
            "DataFrameGroupBy": made.DataFrameGroupBy,
            "SeriesGroupBy": made.SeriesGroupBy,
            "Series.str": StringMethods,
            "Series.dt": CombinedDatetimelikeProperties,
            "Series.list": ListAccessor,
            "Series.struct": StructAccessor,
            "Rolling": made.Rolling,
            "Expanding": made.Expanding,
            "ExponentialMovingWindow": made.ExponentialMovingWindow,
            "Resampler": made.Resampler,
            "pandas": pd,
        }

    @cached_property
    def ours(self) -> dict[str, Any]:
        """Our objects by kind; None where there is none."""
        import luma_bench as lb

        grouped: Any = lb.GroupBy
        return {
            "DataFrame": lb.DataFrame,
            "Series": lb.Series,
            "GroupBy": grouped,
            "DataFrameGroupBy": grouped,
            "SeriesGroupBy": frame_class("SeriesGroupBy") or grouped,
            "Series.str": result_class(lb.Series, "str"),
            "Series.dt": result_class(lb.Series, "dt"),
            "Series.list": result_class(lb.Series, "list"),
            "Series.struct": result_class(lb.Series, "struct"),
            "Rolling": result_class(lb.DataFrame, "rolling"),
            "Expanding": result_class(lb.DataFrame, "expanding"),
            "ExponentialMovingWindow": result_class(lb.DataFrame, "ewm"),
            "Resampler": result_class(lb.DataFrame, "resample"),
            "pandas": lb,
        }

    def names(self, kind: str) -> list[str]:
        """The public names of a kind: methods and properties, or the module's functions."""
        them = self.theirs[kind]
        found = sorted(name for name in dir(them) if not name.startswith("_"))
        if kind == "pandas":
            return [
                name for name in found if inspect.isfunction(getattr(them, name)) or _is_option(them, name)
            ]
        return found

    def have(self, kind: str, name: str) -> bool:
        """Whether ours has it, and does more than refuse."""
        us = self.ours[kind]
        if us is None:
            return False
        if kind == "pandas":
            return name in us.__all__
        if not hasattr(us, name):
            return False
        return not only_refuses(inspect.getattr_static(us, name))

    def method(self, kind: str, name: str) -> Method:
        """What became of one name."""
        from luma_bench.frame.absent import INSTEAD, note
        from luma_bench.frame.differences import DIFFERENCES

        if not self.have(kind, name):
            return Method(kind, name, "missing", note(INSTEAD, kind, name) or _generic(kind, name))
        notes = [
            note(DIFFERENCES, kind, name) or "",
            *parameters(getattr(self.theirs[kind], name), getattr(self.ours[kind], name)),
        ]
        said = " ".join(one for one in notes if one)
        return Method(kind, name, "differs" if said else "same", said)


def _is_option(module: Any, name: str) -> bool:
    item = getattr(module, name)
    return callable(item) and not inspect.isclass(item) and not inspect.ismodule(item)


def _generic(kind: str, name: str) -> str:
    return f"`{_IN_PANDAS[kind].format(_shown(name))}`"


def _cell(note: str) -> str:
    return note.replace("|", "\\|")


def _shown(name: str) -> str:
    return _PROTOCOL.get(name, name)


def _lacking(item: Ranked) -> list[str]:
    return [home for home in item.homes if home not in item.reached]


PARTS: dict[str, Callable[[Path], str]] = {
    "pandas-counts": counts,
    "pandas-share": share,
    "pandas-methods": tables,
}


if __name__ == "__main__":
    sys.exit(main())
