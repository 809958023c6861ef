"""A pin: which snapshot of which bench a notebook reads, and with what it was made."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import luma_bench
from luma_bench.errors import CatalogError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.types.record import Snapshot

VERSION = 1
METADATA = "luma_bench"
"""The key of Luma Bench in the metadata of notebooks, cells and outputs."""
MIME = "application/vnd.luma-bench.pin+json"
"""The output of `%luma pin` beside its text."""

PACKAGES = ("duckdb", "pyarrow", "numpy", "pandas", "polars", "zarr", "sqlglot", "ipython", "ipykernel")
"""What the environment of a pin names beside Python and Luma Bench itself."""


@dataclass(frozen=True, slots=True)
class PinnedBench:
    """One bench at one snapshot.

    A bench is known by the time of that snapshot, to the microsecond, not by its path: a copy, a published one and a moved one
    are the same. `path` is from the notebook's folder where that is near, or a URL.
    """

    name: str
    path: str
    snapshot: int
    time: str
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, bench: Bench, snapshot: Snapshot, folder: Path | None = None) -> PinnedBench:
        """A bench at one of its snapshots; `folder` is the notebook's, the current one by default."""
        shown = bench.address
        name = Path(shown).name if "://" not in shown else shown.rstrip("/").rpartition("/")[2]
        return cls(
            name, _near(shown, folder or Path.cwd()), snapshot.id, time_text(snapshot.time), snapshot.tags
        )

    def matches(self, bench: Bench) -> bool:
        """Whether a bench has this snapshot."""
        return any(one.id == self.snapshot and time_text(one.time) == self.time for one in bench.snapshots())


@dataclass(frozen=True, slots=True)
class Pin:
    """What a notebook is pinned to.

    Attributes
    ----------
    benches
        Each bench that it reads, once.
    environment
        Versions of Python, Luma Bench and what they stand on, and the platform.
    pinned_at
        When, in UTC.
    """

    benches: tuple[PinnedBench, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    pinned_at: str = ""

    @classmethod
    def now(cls, benches: tuple[PinnedBench, ...]) -> Pin:
        """A pin made here and now."""
        return cls(benches, environment(), time_text(dt.datetime.now(dt.UTC).replace(microsecond=0)))

    def with_bench(self, bench: PinnedBench) -> Pin:
        """The pin with one bench more, in the place of the one of its snapshot's time or its path."""
        kept = tuple(one for one in self.benches if one.path != bench.path and one.time != bench.time)
        return replace(Pin.now((*kept, bench)))

    def of(self, bench: Bench) -> PinnedBench | None:
        """The pinned snapshot of a bench, None when the pin does not know the bench."""
        return next((one for one in self.benches if one.matches(bench)), None)

    def to_json(self) -> dict[str, Any]:
        """As it stands in a notebook's metadata."""
        benches = [
            {"name": one.name, "path": one.path, "snapshot": one.snapshot, "time": one.time, "tags": list(one.tags)}
            for one in self.benches
        ]  # fmt: skip
        return {
            "version": VERSION,
            "benches": benches,
            "environment": dict(self.environment),
            "pinned_at": self.pinned_at,
        }

    @classmethod
    def from_json(cls, data: object) -> Pin | None:
        """What `to_json` made; None for anything else."""
        if not isinstance(data, Mapping) or data.get("version") != VERSION:
            return None
        try:
            benches = tuple(
                PinnedBench(
                    str(one["name"]),
                    str(one["path"]),
                    int(one["snapshot"]),
                    str(one["time"]),
                    tuple(str(tag) for tag in one.get("tags", ())),
                )
                for one in data["benches"]
            )
            known = {str(name): str(value) for name, value in dict(data.get("environment") or {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
        return cls(benches, known, str(data.get("pinned_at", ""))) if benches else None

    @classmethod
    def read(cls, data: object) -> Pin | None:
        """What `to_json` made; None where there is nothing.

        Raises
        ------
        CatalogError
            There is something else: a newer version's pin, say, so that it is not known what the notebook reads.
        """
        pin = cls.from_json(data)
        if pin is None and data is not None:
            version = cast("Mapping[str, object]", data).get("version") if isinstance(data, Mapping) else None
            newer = isinstance(version, int) and version > VERSION
            raise cls.unreadable(
                f"it is of version {version}, and this Luma Bench knows {VERSION}"
                if newer
                else "it is damaged"
            )
        return pin

    @staticmethod
    def unreadable(why: str) -> CatalogError:
        """The error that a pin is there and is none."""
        return CatalogError(
            f"The notebook's pin cannot be read: {why}.",
            hint="A newer Luma Bench may read it. Else run %luma unpin, or %luma pin, in the notebook and save it.",
        )


def environment() -> dict[str, str]:
    """Versions and platform of this process, by name."""
    found = {
        "luma-bench": luma_bench.__version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What of two environments is not the same, a phrase each."""
    return [
        f"{name} {before[name]} → {now[name]}" if name in now else f"{name} {before[name]} → none"
        for name in before
        if now.get(name) != before[name]
    ]


def time_text(time: dt.datetime) -> str:
    """A moment in UTC as ISO 8601 spells it, to the microsecond where it has any."""
    return time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _near(shown: str, folder: Path) -> str:
    """A path from the notebook's folder when it is at most two folders up, else as it is."""
    if "://" in shown:
        return shown
    path = Path(os.path.abspath(shown))  # noqa: PTH100 (links stay as they are named)
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return str(path)
    return Path(relative).as_posix() if Path(relative).parts.count("..") <= 2 else str(path)


def python_version() -> str:
    """The running Python's version as environments name it: `3.12`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
