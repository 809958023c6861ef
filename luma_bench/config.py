"""Typed settings: defaults, then `luma.toml`, then the environment (`LUMA_…`), then arguments; the last one wins."""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec

from luma_bench.errors import ConfigError

FORMAT = 1
"""The version of the bench format that this code writes, and the newest that it reads."""

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:,\[\]\s]*)(?::\d*)?"
_CATALOG = re.compile(
    r"postgres(?:ql)?://(?:([^:/?#@\s]*)(?::[^/?#@\s]*)?(@))?"
    rf"({_HOST}(?:,{_HOST})*(?:/[^/?#@\s]*)?)(?:\?[^#@\s]*)?"
)
"""A PostgreSQL URL; its groups are the user, the "@" after it, and host, port and database."""

_Bytes = Annotated[int, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


def _memory() -> int:
    """Bytes of physical memory, or 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 8 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of a bench. Sizes are in bytes, times in seconds; 0 means the machine's default.

    Attributes
    ----------
    threads
        Threads that run a query and decode segments; 0 for every core.
    memory_limit
        What DuckDB may use before it spills; 0 for half of the memory.
    spill_dir
        Where it spills to, in a folder of its own there; empty for the system's folder of temporary files.
    max_spill_bytes
        What it may spill; 0 for 90 % of the room on that disk. A query that needs more fails and leaves nothing.
    max_result_rows, max_result_bytes
        The most that one result may hold; 0 for no limit. A larger one fails and says how to raise it, or to stream.
    files
        What queries may read by name: folders, files, globs such as `data/*.csv`, and prefixes of URLs. Empty for nothing.
        Relative ones, and those in a query, count from the process's working directory when the bench was opened.
    files_write
        Folders that `COPY … TO` may write files into. Empty for none.
    pool_bytes
        What the buffer pool of decoded chunks may hold; 0 for a quarter of the memory.
    result_cache_bytes
        What cached results may hold; 0 switches the result cache off.
    cache_bytes
        What the disk cache of remote benches may hold, of all benches together; 0 keeps nothing on disk.
    cache_dir
        Where that cache is; empty for the user's cache folder by the custom of the system.
    inline_bytes
        A write smaller than this, encoded, goes into the catalog instead of a file.
    shard_rows, chunk_rows, key_chunk_rows
        Rows of a Zarr shard, of its inner chunks, and of the inner chunks of a table with a primary key.
    author
        Who a snapshot names as its author.
    timezone
        The session's time zone for SQL; empty for the machine's.
    timeout
        Seconds a statement may run; 0 for no limit. A call's own `timeout=` wins.
    retention
        How long a snapshot is kept after a newer one: seconds, a text such as "7 days" or "12 hours", or "forever".
    background_compaction
        Whether a thread compacts tables while the bench is open for writing.
    compaction_bytes
        What the rows of a compaction may take in memory at once.
    catalog
        Where the catalog is: empty for `catalog.sqlite` in the bench's folder, or a URL such as
        `postgresql://user@host/database`; `?schema=name` names its schema there.
    """

    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    memory_limit: _Bytes = 0
    spill_dir: str = ""
    max_spill_bytes: _Bytes = 0
    max_result_rows: _Bytes = 0
    max_result_bytes: _Bytes = 0
    files: tuple[str, ...] = (".",)
    files_write: tuple[str, ...] = (".",)
    pool_bytes: _Bytes = 0
    result_cache_bytes: _Bytes = 256 << 20
    cache_bytes: _Bytes = 4 << 30
    cache_dir: str = ""
    inline_bytes: _Bytes = 256_000
    shard_rows: _Count = 1 << 20
    chunk_rows: _Count = 1 << 17
    key_chunk_rows: _Count = 1 << 13
    author: str = ""
    timezone: str = ""
    timeout: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    retention: str | float = "7 days"
    background_compaction: bool = False
    compaction_bytes: _Bytes = 512 << 20
    catalog: str = field(default="", repr=False)  # it may hold a password

    @property
    def effective_catalog(self) -> str:
        """The catalog's address without its password and options, with the default resolved."""
        if not self.catalog:
            return "catalog.sqlite"
        found = _CATALOG.fullmatch(self.catalog)
        return "(no address)" if found is None else f"postgresql://{found[1] or ''}{found[2] or ''}{found[3]}"

    @property
    def retention_seconds(self) -> float:
        """The retention in seconds; infinite for "forever"."""
        return duration_seconds(self.retention)

    @property
    def effective_threads(self) -> int:
        """The thread count with the default resolved."""
        return self.threads or os.cpu_count() or 1

    @property
    def effective_pool_bytes(self) -> int:
        """The pool budget with the default resolved."""
        return self.pool_bytes or _memory() // 4

    @property
    def effective_memory_limit(self) -> int:
        """DuckDB's limit with the default resolved."""
        return self.memory_limit or _memory() // 2

    @property
    def effective_cache_dir(self) -> Path:
        """The cache folder with the default resolved."""
        import platformdirs

        if self.cache_dir:
            return Path(self.cache_dir).expanduser()
        return platformdirs.user_cache_path("luma-bench", appauthor=False)

    @property
    def effective_author(self) -> str:
        """The author with the default resolved: the login name."""
        return self.author or _login()


@functools.cache
def _login() -> str:
    """The login name of this process."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


SETTING_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Settings))
_LISTS = frozenset({"files", "files_write"})


def load(
    folder: Path | None, arguments: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None
) -> Settings:
    """The settings of a bench.

    Parameters
    ----------
    folder
        The bench's folder; its `luma.toml` may hold a `[settings]` table.
    arguments
        Keyword arguments of `lb.open`.
    env
        The environment; `LUMA_THREADS=2` sets `threads`, and `LUMA_FILES="data;/srv/shared"` the list `files`. Defaults to
        the process's.

    Raises
    ------
    ConfigError
        A setting is unknown or its value is of the wrong type or out of range.
    """
    values: dict[str, Any] = {}
    if folder is not None:
        values |= _checked(str(folder / "luma.toml"), read_toml(folder).get("settings", {}), strict=True)
    environment = os.environ if env is None else env
    found: dict[str, Any] = {
        name: environment[key] for name in SETTING_NAMES if (key := f"LUMA_{name.upper()}") in environment
    }
    for name in _LISTS & found.keys():
        found[name] = [item for item in found[name].split(";") if item.strip()]
    values |= _checked("environment (LUMA_…)", found, strict=False)
    values |= _checked("lb.open", dict(arguments or {}), strict=True)
    return Settings(**values)


_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def duration_seconds(value: str | float) -> float:
    """A length of time in seconds: a number of them, a text such as "90 minutes", "7 days" or "2w", or "forever".

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(value, str):
        if value.strip().casefold() == "forever":
            return float("inf")
        found = _DURATION.fullmatch(value)
        if found is not None:
            unit = found[2].casefold() or "second"
            names = [name for name in _UNITS if unit in (name, f"{name}s", name[0], name[:3])]
            if names:
                return float(found[1]) * _UNITS[names[0]]
    elif not isinstance(value, bool) and value >= 0:
        return float(value)
    hint = "Give seconds, or a text such as '30 minutes', '12 hours', '7 days', '4 weeks' or 'forever'."
    raise ConfigError(f"{value!r} is no length of time.", hint=hint)


def read_toml(folder: Path) -> dict[str, Any]:
    """The tables of a bench's `luma.toml`; empty when there is none."""
    path = folder / "luma.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError.invalid(str(path), f"not TOML: {error}", SETTING_NAMES) from error


def _checked(source: str, values: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    unknown = [name for name in values if name not in SETTING_NAMES]
    if unknown:
        raise ConfigError.invalid(source, f"unknown setting {unknown[0]!r}", SETTING_NAMES)
    given = dict(values)
    for name in _LISTS & given.keys():
        items: Any = given[name]
        listed: Any = [items] if isinstance(items, str | os.PathLike) else items
        if isinstance(listed, list | tuple):
            given[name] = [os.fspath(item) if isinstance(item, os.PathLike) else item for item in listed]
    try:
        converted = msgspec.convert(given, Settings, strict=strict)
    except msgspec.ValidationError as error:
        raise ConfigError.invalid(source, str(error), SETTING_NAMES) from error
    if "retention" in values:
        try:
            duration_seconds(converted.retention)
        except ConfigError as error:
            raise ConfigError(f"{source}: retention: {error.message}", hint=error.hint) from None
    if converted.timezone:
        import zoneinfo

        if converted.timezone not in zoneinfo.available_timezones():
            raise ConfigError.invalid(source, f"there is no time zone {converted.timezone!r}", SETTING_NAMES)
    if converted.catalog and _CATALOG.fullmatch(converted.catalog) is None:
        # The value is not shown: it may hold a password.
        problem = "catalog is no URL of the form postgresql://user@host/database"
        hint = (
            "Write special characters of a name or password as %40 (@), %3A (:), %2F (/), %3F (?) or %23 (#)."
        )
        raise ConfigError(f"{source}: {problem}", hint=hint)
    return {name: getattr(converted, name) for name in values}
