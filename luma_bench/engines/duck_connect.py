"""How a DuckDB of this room is configured: closed to everything outside, then locked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from luma_bench.config import Settings
from luma_bench.errors import ConfigError, KadeQLUnsupportedError
from luma_bench.types.sql_text import string_literal


def connect(
    settings: Settings, spill: Path | None = None, files: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that reads no files but `files`, no network and no Python variables; its configuration is locked.

    Parameters
    ----------
    spill
        The folder that it may spill into; nothing spills without.
    files
        Real absolute paths.
    """
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
    if settings.max_spill_bytes:
        # Among the options of connect it is shown and not obeyed.
        con.execute(f"SET GLOBAL max_temp_directory_size = '{settings.max_spill_bytes}B'")
    if files:
        listed = ", ".join(map(string_literal, files))
        con.execute(f"SET GLOBAL allowed_paths = [{listed}]")
        # DuckDB keeps what a path leads to at this moment, so one that has become a link since it was looked up is refused.
        turned = next((path for path in files if str(Path(path).resolve()) != path), None)
        if turned is not None:
            con.close()
            raise KadeQLUnsupportedError(
                f"{turned!r} has become a link to another file.", hint="Name that file."
            )
    con.execute("SET GLOBAL enable_external_access = false")
    # A run that is measured says so on its own connection; nothing else can be set from here on.
    con.execute("SET GLOBAL allowed_configs = ['enable_profiling']")
    con.execute("SET GLOBAL lock_configuration = true")
    return con
