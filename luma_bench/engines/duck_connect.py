"""How a DuckDB of this room is configured: closed to everything outside, then locked."""

from __future__ import annotations

from pathlib import Path

import duckdb

from luma_bench.config import Settings
from luma_bench.errors import ConfigError


def connect(settings: Settings, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that reads no files, no network and no Python variables, with its configuration locked."""
    options: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "arrow_lossless_conversion": True,
        "errors_as_json": True,
        "threads": settings.effective_threads,
        "memory_limit": f"{settings.effective_memory_limit}B",
        "temp_directory": "" if spill is None else str(spill / "spill"),
    }
    con = duckdb.connect(":memory:", config=options)
    if settings.timezone:
        zone = settings.timezone.replace("'", "''")
        try:
            con.execute(f"SET GLOBAL TimeZone = '{zone}'")
        except duckdb.Error as error:
            con.close()
            raise ConfigError(
                f"timezone = {settings.timezone!r} is no time zone.",
                hint="Name one of the IANA list, such as Europe/Oslo.",
            ) from error
    con.execute("SET GLOBAL enable_external_access = false")
    con.execute("SET GLOBAL lock_configuration = true")
    return con
