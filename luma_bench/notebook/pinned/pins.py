"""What a kernel knows of its notebook's pin: where it comes from, and which view of a bench it gives."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.bench.moment import parse_moment
from luma_bench.errors import CatalogError, LumaError
from luma_bench.notebook.pinned.pin import METADATA, Pin, PinnedBench
from luma_bench.notebook.pinned.throwaway import Throwaways

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

VARIABLE = "LUMA_NOTEBOOK"
"""The environment variable in which `verify` tells a kernel what to read: JSON of `pin`, `at`, `verify`, and the `room` for copies."""
NEWEST = "newest"

Told = Callable[[dict[str, Any] | None], None]


class Pins:
    """The pin of one notebook, in its kernel.

    A kernel learns of it from the environment (a run by `verify`), from the notebook's file, from the front end, which sends
    what the notebook's metadata say, or from `%luma pin`; the later one counts, but nothing changes a run by `verify`.

    Attributes
    ----------
    pin
        The pin, None for a notebook that is not pinned.
    verifying
        Whether this is a run by `verify`: benches are opened for reading or copied, and every answer is fingerprinted.
    """

    __slots__ = (
        "_at",
        "_commanded",
        "_copies",
        "_known",
        "_refused",
        "_told",
        "_variables",
        "_view",
        "pin",
        "verifying",
    )

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._told: list[Told] = []
        self._commanded = False
        self._known: tuple[Bench, Pin, int | None] | None = None
        self._view: tuple[Bench, int, Bench] | None = None
        given = _from_environment()
        self.verifying = bool(given.get("verify"))
        self._at: str | None = given.get("at")
        self._copies = Throwaways(Path(given["room"])) if given.get("room") else None
        self.pin: Pin | None = None
        self._refused: CatalogError | None = None
        self._read(given.get("pin"))
        if not given and (path := notebook_path(variables)) is not None:
            self._read(_metadata_of(path).get("pin"))

    @property
    def pinned(self) -> bool:
        """Whether the notebook has a pin, be it one that cannot be read."""
        return self.pin is not None or self._refused is not None

    @property
    def reading(self) -> bool:
        """Whether benches are opened only for reading."""
        return self.verifying or self.pinned

    def copy_of(self, bench: Path) -> Path | None:
        """The copy of a bench that a run by `verify` may write to; None where it is to be opened itself."""
        return None if self._copies is None else self._copies.of(bench)

    def subscribe(self, told: Told) -> None:
        """Call `told` with the pin as JSON, or None, whenever a command changes it."""
        self._told.append(told)

    def adopt(self, data: object) -> None:
        """Take the pin that a front end read in the notebook's metadata; None when there is none.

        A front end that connects after `%luma pin` or `%luma unpin` ran does not know of it: it is told, and nothing is taken.
        """
        if self._commanded:
            self._tell()
        elif not self.verifying:
            self._read(data)

    def take(self, pin: Pin | None) -> None:
        """Pin the notebook, or unpin it with None, and tell who asked to know; a run by `verify` reads what it was told to."""
        if self.verifying:
            return
        self.pin, self._refused, self._commanded = pin, None, True
        self._tell()

    def _read(self, data: object) -> None:
        """Take a pin as JSON; one that cannot be read is told where a bench is read, which it may not be as it is."""
        self.pin, self._refused = None, None
        try:
            self.pin = Pin.read(data)
        except CatalogError as error:
            self._refused = error

    def _tell(self) -> None:
        for told in self._told:
            told(None if self.pin is None else self.pin.to_json())

    def snapshot_of(self, bench: Bench | None) -> int | None:
        """The snapshot that a bench is read at; None where it is read as it is, or is closed."""
        if bench is None or (self.pin is None and self._at is None):
            return None
        try:
            return self._found(bench)
        except LumaError:
            return None

    def view(self, bench: Bench) -> Bench:
        """The bench as this notebook reads it: itself, or at the pinned snapshot.

        Raises
        ------
        CatalogError
            The notebook is pinned, and not to a snapshot of this bench, or the snapshot has expired, or the pin cannot be read.
        """
        if self._refused is not None:
            raise CatalogError(self._refused.message, hint=self._refused.hint)
        if bench.in_transaction:
            return bench
        snapshot = self._found(bench)
        if snapshot is None:
            if self.pin is None or self._at == NEWEST:
                return bench
            raise _not_there(self.pin, bench)
        if self._view is None or self._view[0] is not bench or self._view[1] != snapshot:
            self._view = (bench, snapshot, bench.at(snapshot))
        return self._view[2]

    def forget(self, bench: Bench) -> None:
        """Let go of a bench that is closed."""
        if self._view is not None and self._view[0] is bench:
            self._view = None
        if self._known is not None and self._known[0] is bench:
            self._known = None

    def is_view(self, value: object) -> bool:
        """Whether a value is the pinned view of a bench that this notebook made."""
        return self._view is not None and self._view[2] is value

    def _found(self, bench: Bench) -> int | None:
        if self._at is not None:
            return None if self._at == NEWEST else bench.at(parse_moment(self._at)).snapshot
        if self.pin is None:
            return None
        # A pin does not change, and neither does a snapshot once it is there.
        if self._known is None or self._known[0] is not bench or self._known[1] is not self.pin:
            one = self.pin.of(bench)
            self._known = (bench, self.pin, None if one is None else one.snapshot)
        return self._known[2]


def _not_there(pin: Pin, bench: Bench) -> CatalogError:
    """Why a bench has no snapshot that the notebook is pinned to: it expired, or this is another bench."""
    name = Path(bench.address.rstrip("/")).name
    kept = bench.snapshots()
    for one in pin.benches:
        if one.name == name and _expired(one, [snapshot.id for snapshot in kept]):
            return CatalogError(
                f"This notebook is pinned to snapshot {one.snapshot} of {one.name}, which has expired: {bench.address} has let go "
                f"of it, and keeps {len(kept)} snapshots, of which {kept[0].id} is the oldest.",
                hint="%luma pin --at S pins the notebook to one that is there (%luma snapshots lists them); a copy of the bench from "
                "before still has the old one. %luma pin --tag NAME keeps a snapshot for good.",
            )
    names = " and ".join(f"snapshot {one.snapshot} of {one.name}" for one in pin.benches)
    return CatalogError(
        f"This notebook is pinned to {names}, and {bench.address} is another bench.",
        hint="%luma pin pins it to this bench too; %luma unpin reads what is newest.",
    )


def _expired(one: PinnedBench, kept: list[int]) -> bool:
    """Whether a bench had a snapshot of this number once, and has none now."""
    return bool(kept) and one.snapshot < kept[-1] and one.snapshot not in kept


def notebook_path(variables: Mapping[str, Any]) -> Path | None:
    """The notebook's file, where the front end says it: Jupyter's server to the kernel's environment, VS Code in a variable."""
    for told in (variables.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(told, str) and told.endswith(".ipynb") and Path(told).is_file():
            return Path(told)
    return None


def _from_environment() -> dict[str, Any]:
    text = os.environ.get(VARIABLE)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise CatalogError(
            f"The environment variable {VARIABLE} is not JSON: {error}.",
            hint="`luma-bench verify` sets it for the kernels that it starts; unset it elsewhere.",
        ) from error
    return found if isinstance(found, dict) else {}


def _metadata_of(path: Path) -> dict[str, Any]:
    """What a notebook's metadata say of Luma Bench; nothing when the file is half written or gone."""
    try:
        found = json.loads(path.read_text("utf-8"))["metadata"].get(METADATA)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
