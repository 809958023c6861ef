"""A notebook handed on: a folder with the notebook, the benches that it reads, and what a Binder needs to open both.

The benches are publications of exactly the pinned snapshots, which any reader opens without a database, and hold nothing else:
no deleted rows, no dropped columns, no history. The bundle is run once before it stands, so that what it says is what another
machine will find.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luma_bench
from luma_bench.errors import CatalogError, UnsupportedError
from luma_bench.notebook.pinned.moving import Move, move
from luma_bench.notebook.pinned.pin import METADATA, Pin, PinnedBench, python_version
from luma_bench.notebook.pinned.report import Report
from luma_bench.notebook.pinned.saved import fingerprints, pin_of, read_notebook
from luma_bench.notebook.pinned.verify import verify

Progress = Callable[[int, int | None], None]

_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<name>[\w-]+)['\"]")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was made.

    Attributes
    ----------
    folder
        Where it lies.
    benches
        The names of the benches' folders in it; what was read by URL stays where it is.
    report
        What the run of the bundle found, None where it was not asked for.
    notes
        What its reader should look at.
    """

    folder: Path
    benches: tuple[str, ...]
    report: Report | None
    notes: tuple[str, ...]


def bundle(
    notebook: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    bench: str | os.PathLike[str] | None = None,
    at: str | None = None,
    check: bool = True,
    progress: Progress | None = None,
) -> Bundle:
    """Put a notebook, its benches and a Binder's files into a folder, which appears whole or not at all.

    Parameters
    ----------
    notebook
        The notebook, saved.
    target
        The folder, which is not there yet or empty; the notebook's name beside it by default.
    bench
        The notebook's bench, where the pin does not say where it is, or where the notebook is not pinned.
    at
        With `bench`: the snapshot to pin to, an id, a tag or a time; the newest by default.
    check
        Whether to run the bundle and hold its answers against the saved ones.
    progress
        Called with bytes of benches done and bytes in all.

    Raises
    ------
    CatalogError
        The notebook or a bench is not there, the folder is not empty, or the bundle gives other answers than were saved.
    UnsupportedError
        The notebook is not pinned and no bench is given.
    """
    place = Path(notebook)
    content = read_notebook(place)
    folder = Path(target) if target is not None else place.with_suffix("")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CatalogError(
            f"{str(folder)!r} is there already.", hint="Give another folder, or remove that one."
        )
    pin, sources = _sources(content, place, bench, at)
    made = _room(folder)
    try:
        moved = _publish(pin, sources, made, progress)
        kept = content.metadata.get(METADATA)
        content.metadata[METADATA] = {**(kept if isinstance(kept, dict) else {}), "pin": moved.to_json()}
        moves = [Move(*each) for each in zip(pin.benches, moved.benches, sources, strict=True)]
        notes = tuple(move(content, moves, place.resolve().parent))
        _write(content, made / place.name)
        answered = any(fingerprints(cell) for cell in content.cells)
        _binder(made, place.name, moved, answered)
        report = _checked(made / place.name, notes) if check else None
        if report is not None and report.outcome == "incomplete":
            notes += ("Not every answer could be compared: luma-bench verify says which.",)
        # A temporary folder is its maker's alone; this one is for others.
        made.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    names = tuple(one.path for one in moved.benches if "://" not in one.path)
    return Bundle(folder, names, report, notes)


def _room(folder: Path) -> Path:
    """A temporary folder beside the one that is to be made."""
    there = next(one for one in folder.absolute().parents if one.exists())
    if not there.is_dir():
        raise CatalogError(
            f"{str(folder)!r} cannot be made: {str(there)!r} is a file, not a folder.",
            hint="Give a folder that is not there yet, in one that is.",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise CatalogError(
            f"{str(folder)!r} cannot be made: {error.strerror or error}.",
            hint="Give a folder that may be written, and has room.",
        ) from error


def _checked(path: Path, notes: Sequence[str]) -> Report:
    """Run the bundle; a notebook without saved answers passes when nothing in it fails.

    So does one with cells that write, which a published bench refuses: what could be compared is equal.
    """
    report = verify(path)
    if report.outcome == "differs" and (report.answers or report.cells):
        told = "".join(f"{note}\n" for note in notes)
        raise CatalogError(
            f"The bundle does not give the saved answers.\n{report.text()}",
            hint=f"{told}Run the notebook and save it, then publish it; --no-check publishes it as it is.",
        )
    return report


def _sources(
    content: Any, place: Path, bench: str | os.PathLike[str] | None, at: str | None
) -> tuple[Pin, list[str | Path]]:
    """The pin, and where each of its benches is."""
    from luma_bench.bench.moment import parse_moment

    pin = pin_of(content)
    if bench is not None and (pin is None or at is not None):
        with luma_bench.open(bench, mode="r") as opened:
            moment = opened.snapshot if at is None else opened.at(parse_moment(at)).snapshot
            snapshot = next(one for one in opened.snapshots() if one.id == moment)
            pin = Pin.now((PinnedBench.of(opened, snapshot, place.resolve().parent),))
    if pin is None:
        raise UnsupportedError(
            f"{str(place)!r} is not pinned, so nothing says what it reads.",
            hint="Run %luma pin in it and save it, or give --bench PATH, and --at S for an older snapshot.",
        )
    if bench is not None:
        return pin, [os.fspath(bench) if "://" in os.fspath(bench) else Path(bench)] * len(pin.benches)
    return pin, [one.path if "://" in one.path else place.resolve().parent / one.path for one in pin.benches]


def _publish(pin: Pin, sources: Sequence[str | Path], made: Path, progress: Progress | None) -> Pin:
    """Publish each local bench into the folder; the pin with the paths that they have there."""
    moved: list[PinnedBench] = []
    for one, source in zip(pin.benches, sources, strict=True):
        if isinstance(source, str):
            moved.append(one)
            continue
        name = _free_name(one.name, [each.path for each in moved])
        with luma_bench.open(source, mode="r") as opened:
            if not one.matches(opened):
                raise CatalogError(
                    f"{str(source)!r} has no snapshot {one.snapshot} of {one.time}: it is not the bench that the notebook read.",
                    hint="Give the bench with --bench PATH.",
                )
            opened.publish(made / name, one.snapshot, progress=progress)
        moved.append(PinnedBench(one.name, name, one.snapshot, one.time, one.tags))
    return Pin(tuple(moved), pin.environment, pin.pinned_at)


def _free_name(name: str, taken: Sequence[str]) -> str:
    plain = name if _NAME.fullmatch(name) else "data.luma"
    stem, dot, ending = plain.partition(".")
    found, number = plain, 1
    while found in taken or found in ("binder", "README.md"):
        number += 1
        found = f"{stem}-{number}{dot}{ending}"
    return found


def _write(content: Any, path: Path) -> None:
    import nbformat

    nbformat.write(content, str(path))


def _binder(made: Path, notebook: str, pin: Pin, answered: bool) -> None:
    """The files by which a Binder makes the environment, and a page that says what this is."""
    folder = made / "binder"
    folder.mkdir()
    lines = "".join(f"      - {line}\n" for line in requirements())
    (folder / "environment.yml").write_text(
        "name: notebook\nchannels: [conda-forge, nodefaults]\ndependencies:\n"
        f"  - python={python_version()}\n  - pip\n  - pip:\n{lines}",
        "utf-8",
    )
    # 4: nothing differs, but not all could be compared, as cells that write cannot be. Without saved answers nothing can.
    verified = f"luma-bench verify {shlex.quote(notebook)} || [ $? -eq 4 ]\n"
    _program(folder / "postBuild", verified if answered else "luma-bench --version\n")
    _program(folder / "start", 'exec "$@"\n')
    told = "\n".join(f"- `{one.path}`: snapshot {one.snapshot} of {one.time}" for one in pin.benches)
    (made / "README.md").write_text(
        f"# {Path(notebook).stem}\n\n`{notebook}` and what it reads, as it was:\n\n{told}\n\n"
        f"```sh\npip install 'luma-bench[lab]=={luma_bench.__version__}'\n"
        f"luma-bench verify {shlex.quote(notebook)}   # runs it and compares every answer with the saved one\n"
        f"jupyter lab {shlex.quote(notebook)}\n```\n\n"
        "`binder/` is what repo2docker and Binder make the environment from.\n",
        "utf-8",
    )


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/bash\nset -euo pipefail\n{text}", "utf-8")
    path.chmod(0o755)


def requirements() -> list[str]:
    """Luma Bench and everything that it stands on here, each at its version: what `pip install` takes."""
    found = {"luma-bench": f"luma-bench[lab]=={luma_bench.__version__}"}
    pending = [("luma-bench", frozenset({"", "lab"}))]
    while pending:
        name, extras = pending.pop()
        for line in importlib.metadata.requires(name) or []:
            asked = _NAME.match(line)
            extra = _EXTRA.search(line)
            if asked is None or (extra["name"] if extra else "") not in extras:
                continue
            folded = re.sub(r"[-_.]+", "-", asked[0]).casefold()
            if folded in found:
                continue
            try:
                version = importlib.metadata.version(folded)
            except importlib.metadata.PackageNotFoundError:
                continue  # for another platform or an older Python
            found[folded] = f"{folded}=={version}"
            pending.append((folded, frozenset({""})))
    first, *rest = found.values()
    return [first, *sorted(rest)]
