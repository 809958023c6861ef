"""Which files a statement may read and write: the allow-list of the settings, asked of what a path really leads to."""

from __future__ import annotations

import fnmatch
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import stat_result
from pathlib import Path

from luma_bench.errors import LumaError, UnsupportedError, choices

MAX_FILES = 100_000
"""The most files that one glob may match."""
_MAGIC = frozenset("*?[")
_SYSTEM = ("/proc", "/sys", "/dev")
_BENCH_FILES = ("luma.toml", "catalog.sqlite")


class FileRefused(UnsupportedError):
    """A path that the allow-list does not hold, or that is no file."""


def working_folder() -> Path | None:
    """The process's working directory; None where it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of an allow-list: a folder or file, or a folder with a pattern below it."""

    root: Path
    pattern: tuple[str, ...]

    def holds(self, path: Path) -> bool:
        """Whether this real path is the entry, lies below it, or matches its pattern."""
        if not path.is_relative_to(self.root):
            return False
        return not self.pattern or _matches(path.relative_to(self.root).parts, self.pattern)

    def may_hold_below(self, folder: Path) -> bool:
        """Whether something below this real folder may be held."""
        return folder.is_relative_to(self.root) or self.root.is_relative_to(folder)


class AllowList:
    """Paths of this machine that statements may name. Immutable.

    Parameters
    ----------
    entries
        Folders, files and globs; URLs among them are not looked at.
    base
        The folder that relative paths count from.
    bench
        The bench's own folder, whose files no statement reads or writes; None where it has none.
    setting
        What the entries are called, for messages.
    """

    def __init__(self, entries: Sequence[str], base: Path, bench: Path | None, setting: str) -> None:
        self.base = base
        self._setting = setting
        self._bench = None if bench is None else bench.resolve()
        self._entries = tuple(_entry(item, base) for item in entries if "://" not in item)
        self._shown = tuple(entries)

    def expanded(self, name: str, notes: dict[str, None] | None = None) -> list[Path]:
        """The real paths of the files that a name or glob means, sorted as they are written.

        A glob means the files that may be read: what else it matches (a link that leads out of the list or nowhere, a
        pipe) is left out.

        Parameters
        ----------
        notes
            Is told what was left out, and why.

        Raises
        ------
        FileRefused
            The file, where the glob begins, or everything that it matches is outside of the list or no file.
        LumaError
            There is none.
        """
        written = self._absolute(name)
        if not _magic(written) or _is_there(written):
            return [self.checked(written, name)]
        root, pattern = _split(written)
        real = root.resolve()
        if not any(entry.may_hold_below(real) for entry in self._entries):
            raise self._refused(name)
        if self._is_own(real) or _in_bench(real, {}):
            raise self._own(name)
        if pattern.count("**") > 1:
            raise FileRefused(
                f"{name!r} holds '**' twice.", hint="One '**' stands for any number of folders."
            )
        found: list[Path] = []
        refused: dict[str, LumaError] = {}
        seen: dict[Path, bool] = {}
        for path in _walk(root, pattern):
            if len(found) == MAX_FILES:
                raise FileRefused(
                    f"{name!r} matches more than {MAX_FILES:,} files.", hint="Name fewer files."
                )
            # A glob over a folder with a bench in it means the files beside the bench.
            if self._is_own(path.resolve(), seen):
                continue
            shown = self._shown_as(path)
            try:
                found.append(self.checked(path, shown, seen))
            except LumaError as error:
                refused[shown] = error
        if refused and not found:
            raise next(iter(refused.values()))
        if notes is not None and refused:
            told = ", ".join(map(repr, list(refused)[:3])) + (", …" if len(refused) > 3 else "")
            notes[f"{name!r} leaves out {told}: name one of them to see why it is not read."] = None
        if not found:
            raise LumaError(f"No file matches {name!r}.", hint=f"It counts from {str(self.base)!r}.")
        return found

    def checked(self, path: Path, name: str, seen: dict[Path, bool] | None = None) -> Path:
        """The real path of one file that may be read.

        Raises
        ------
        FileRefused
            It is not on the list, is the bench's own, or is no regular file.
        LumaError
            It is not there.
        """
        real = path.resolve()
        self._check(real, name, seen)
        try:
            status = real.stat()
        except OSError as error:
            raise self._missing(real, name, error) from error
        if stat.S_ISDIR(status.st_mode):
            raise FileRefused(f"{name!r} is a folder.", hint=f"Name its files: '{name}/*.parquet'.")
        if not stat.S_ISREG(status.st_mode):
            raise FileRefused(
                f"{name!r} is no regular file.", hint="A query reads files, no devices or pipes."
            )
        # A second name of one of the bench's own files, made with a hard link.
        if status.st_nlink > 1 and self._is_linked(status):
            raise self._own(name)
        return real

    def writable(self, name: str) -> Path:
        """The real path of a file that may be written.

        Raises
        ------
        FileRefused
            It is outside of the list, the bench's own, in no folder, or something that is no file is there.
        """
        if "://" in name:
            raise FileRefused(f"{name!r}: a statement writes files of this machine.", hint="Give a path.")
        real = self._absolute(name).resolve()
        self._check(real, name)
        try:
            return self._replaceable(real, name)
        except OSError as error:
            raise FileRefused(
                f"{name!r} cannot be written: {error.strerror}.", hint="Give another path."
            ) from error

    def _replaceable(self, real: Path, name: str) -> Path:
        if not real.parent.is_dir():
            raise FileRefused(
                f"{name!r} cannot be written: there is no folder {str(Path(name).parent)!r}.",
                hint="Make it first: a statement makes files, and no folders.",
            )
        if _is_there(real) and not real.is_file():
            raise FileRefused(f"{name!r} is no file that could be replaced.", hint="Give the path of a file.")
        if real.is_file() and (status := real.stat()).st_nlink > 1 and self._is_linked(status):
            raise self._own(name)
        return real

    def _shown_as(self, path: Path) -> str:
        return str(path.relative_to(self.base) if path.is_relative_to(self.base) else path)

    def _absolute(self, name: str) -> Path:
        if "\0" in name or not name.strip():
            raise FileRefused("A file needs a name.", hint="Give a path.")
        return _placed(name, self.base)

    def _check(self, real: Path, name: str, seen: dict[Path, bool] | None = None) -> None:
        if not self._entries or not any(entry.holds(real) for entry in self._entries):
            raise self._refused(name)
        if any(real.is_relative_to(folder) for folder in _SYSTEM):
            raise FileRefused(f"{name!r} is the system's, no file of data.", hint="Name a file of data.")
        if self._is_own(real, seen):
            raise self._own(name)

    def _is_own(self, real: Path, seen: dict[Path, bool] | None = None) -> bool:
        """Whether a path is in this bench's folder, or in that of another."""
        if self._bench is not None and real.is_relative_to(self._bench):
            return True
        return _in_bench(real.parent, {} if seen is None else seen)

    def _is_linked(self, status: stat_result) -> bool:
        if self._bench is None:
            return False
        for parent, _, names in self._bench.walk():
            for item in names:
                try:
                    own = (parent / item).lstat()
                except FileNotFoundError:
                    continue  # it was collected in between
                if (own.st_dev, own.st_ino) == (status.st_dev, status.st_ino):
                    return True
        return False

    def _refused(self, name: str) -> FileRefused:
        shown = ", ".join(repr(item) for item in self._shown) or "nothing"
        return FileRefused(
            f"{name!r} is outside of what statements may {'write' if 'write' in self._setting else 'read'}.",
            hint=f"Allowed: {shown}, counted from {str(self.base)!r}. More with the setting {self._setting}: "
            f"lb.open(path, {self._setting}=[…]), luma.toml, or LUMA_{self._setting.upper()}.",
        )

    def _own(self, name: str) -> FileRefused:
        return FileRefused(
            f"{name!r} belongs to a bench, whose files are read by its tables' names alone.",
            hint="Name the table: FROM t; for another bench, lb.open(path).",
        )

    def _missing(self, real: Path, name: str, error: OSError) -> LumaError:
        if not isinstance(error, FileNotFoundError):
            return LumaError(f"{name!r} cannot be read: {error.strerror}.")
        known: list[str] = []
        if real.parent.is_dir() and any(entry.holds(real.parent) for entry in self._entries):
            known = [item.name for item in real.parent.iterdir() if item.is_file()]
        return LumaError(f"There is no file {name!r}.", hint=choices(real.name, known, "files there"))


def _entry(item: str, base: Path) -> _Entry:
    path = _placed(item, base)
    if not _magic(path) or _is_there(path):
        return _Entry(path.resolve(), ())
    root, pattern = _split(path)
    return _Entry(root.resolve(), pattern)


def _placed(name: str, base: Path) -> Path:
    """A path as it is written, behind the folder that it counts from."""
    try:
        return base / Path(name).expanduser()
    except RuntimeError as error:
        raise FileRefused(f"{name!r} names no user's folder.", hint="Write the path in full.") from error


def _is_there(path: Path) -> bool:
    try:
        return path.exists(follow_symlinks=False)
    except OSError:
        return False  # no file has such a name: it is too long, say


def _magic(path: Path) -> bool:
    return not _MAGIC.isdisjoint(str(path))


def _in_bench(folder: Path, seen: dict[Path, bool]) -> bool:
    """Whether a folder is a bench's or below one; `seen` remembers the folders that were looked at."""
    if folder not in seen:
        above = folder.parent
        seen[folder] = all(_is_there(folder / item) for item in _BENCH_FILES) or (
            above != folder and _in_bench(above, seen)
        )
    return seen[folder]


def _split(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The part of a glob before its first pattern, and the patterns by folder."""
    first = next(index for index, part in enumerate(path.parts) if _MAGIC & set(part))
    return Path(*path.parts[:first]), path.parts[first:]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match the parts of a glob, where `**` is any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[index:], pattern[1:]) for index in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _walk(folder: Path, pattern: Sequence[str]) -> Iterator[Path]:
    """The files below a folder that match, by name; `**` steps into no link, so that no circle is walked."""
    head, rest = pattern[0], pattern[1:]
    try:
        items = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    if head == "**":
        if rest:
            yield from _walk(folder, rest)
        for item in items:
            if item.is_dir() and not item.is_symlink():
                yield from _walk(item, pattern)
            elif not rest and item.is_file():
                yield item
        return
    for item in items:
        if not fnmatch.fnmatchcase(item.name, head):
            continue
        if rest:
            yield from _walk(item, rest)
        elif not item.is_dir():
            yield item
