"""Typed settings: defaults, then `luma.toml`, then the environment (`LUMA_…`), then arguments; the last one wins."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec

from luma_bench.errors import ConfigError

FORMAT = 1
"""The version of the bench format that this code writes, and the newest that it reads."""

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
    pool_bytes
        What the buffer pool of decoded chunks may hold; 0 for a quarter of the memory.
    result_cache_bytes
        What cached results may hold; 0 switches the result cache off.
    inline_bytes
        A write smaller than this, encoded, goes into the catalog instead of a file.
    shard_rows, chunk_rows, key_chunk_rows
        Rows of a Zarr shard, of its inner chunks, and of the inner chunks of a table with a primary key.
    author
        Who a snapshot names as its author.
    timezone
        The session's time zone for SQL; empty for the machine's.
    timeout
        Seconds a statement may run; 0 for no limit.
    """

    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    memory_limit: _Bytes = 0
    pool_bytes: _Bytes = 0
    result_cache_bytes: _Bytes = 256 << 20
    inline_bytes: _Bytes = 256_000
    shard_rows: _Count = 1 << 20
    chunk_rows: _Count = 1 << 17
    key_chunk_rows: _Count = 1 << 13
    author: str = ""
    timezone: str = ""
    timeout: Annotated[float, msgspec.Meta(ge=0)] = 0.0

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
    def effective_author(self) -> str:
        """The author with the default resolved: the login name."""
        import getpass

        if self.author:
            return self.author
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "unknown"


SETTING_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Settings))


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
        The environment; `LUMA_THREADS=2` sets `threads`. Defaults to the process's.

    Raises
    ------
    ConfigError
        A setting is unknown or its value is of the wrong type or out of range.
    """
    values: dict[str, Any] = {}
    if folder is not None:
        values |= _checked(str(folder / "luma.toml"), read_toml(folder).get("settings", {}), strict=True)
    environment = os.environ if env is None else env
    found = {
        name: environment[key] for name in SETTING_NAMES if (key := f"LUMA_{name.upper()}") in environment
    }
    values |= _checked("environment (LUMA_…)", found, strict=False)
    values |= _checked("lb.open", dict(arguments or {}), strict=True)
    return Settings(**values)


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
    try:
        converted = msgspec.convert(dict(values), Settings, strict=strict)
    except msgspec.ValidationError as error:
        raise ConfigError.invalid(source, str(error), SETTING_NAMES) from error
    if converted.timezone:
        import zoneinfo

        if converted.timezone not in zoneinfo.available_timezones():
            raise ConfigError.invalid(source, f"there is no time zone {converted.timezone!r}", SETTING_NAMES)
    return {name: getattr(converted, name) for name in values}
