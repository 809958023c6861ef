"""Which schema of the database is a bench's: found, made, and refused when it is another's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.identity import TOML, bench_id, write_identity
from luma_bench.storage.catalog.postgres_address import Address
from luma_bench.storage.ulid import UlidSource

if TYPE_CHECKING:
    import psycopg

IDENTITY = "bench_identity"
"""The table of a schema whose one row is the id of its bench."""

_MAKING = 0x6C756D612062656E  # the advisory lock of those who make a bench in this database
# Not to_regclass(): what it looked up before a lock was had may be out of date after it.
_SCHEMAS = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
_RELATIONS = (
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s"
)


def settled_schema(
    connect: Callable[[], psycopg.Connection[Any]], address: Address, folder: Path, *, read_only: bool
) -> tuple[str, str]:
    """The bench's id and its schema; a writable bench that has none gets them.

    The id goes into `luma.toml` first and into the schema then, both while others who make a bench wait.

    Raises
    ------
    CatalogError
        Folder and schema are not of one bench, or one of the two is missing.
    psycopg.Error
        The server cannot be reached, or refuses.
    """
    with connect() as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            hint = "Make a database with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
            raise CatalogError(f"The database {address.shown} has the encoding {encoding}.", hint=hint)
        bench = bench_id(folder)
        if bench is not None:
            schema = address.schema or _default(bench)
            if _is_its(connection, schema, bench, address):
                return bench, schema
            _require_new(folder, schema, address)
        if read_only:
            raise CatalogError.not_a_bench(str(folder), f"its catalog is not in {address.shown}")
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            return _made(connection, address, folder)


def _made(connection: psycopg.Connection[Any], address: Address, folder: Path) -> tuple[str, str]:
    # Asked again under the lock: another process may have made it.
    found = bench_id(folder)
    bench = found or UlidSource()()
    schema = address.schema or _default(bench)
    if found is None:
        _require_new(folder, schema, address)
    if _is_its(connection, schema, bench, address):
        return bench, schema
    if _relations(connection, schema):
        hint = "Name another schema with ?schema=…, or leave it out: the bench gets one of its own."
        raise CatalogError(f"The schema {schema} of {address.shown} holds other tables.", hint=hint)
    if found is None:
        write_identity(folder, bench, address.stored)
    if not connection.execute(_SCHEMAS, (schema,)).fetchall()[0][0]:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
    connection.execute(f'CREATE TABLE "{schema}".{IDENTITY} (bench text PRIMARY KEY)'.encode())
    connection.execute(f'INSERT INTO "{schema}".{IDENTITY} VALUES (%s)'.encode(), (bench,))
    return bench, schema


def _default(bench: str) -> str:
    return f"luma_{bench.lower()}"


def _relations(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    return {row[0] for row in connection.execute(_RELATIONS, (schema,)).fetchall()}


def _is_its(connection: psycopg.Connection[Any], schema: str, bench: str, address: Address) -> bool:
    """Whether the schema is the bench's; False when it is nobody's."""
    if IDENTITY not in _relations(connection, schema):
        return False
    rows = connection.execute(f'SELECT bench FROM "{schema}".{IDENTITY}'.encode()).fetchall()
    owners = [row[0] for row in rows]
    if owners != [bench]:
        hint = f"Give the catalog that this bench was made with, or see which id stands in its {TOML}."
        raise CatalogError(
            f"The schema {schema} of {address.shown} is the catalog of another bench ({', '.join(owners)}, not {bench}).",
            hint=hint,
        )
    return True


def _require_new(folder: Path, schema: str, address: Address) -> None:
    """Refuse to begin an empty catalog beside segments that some catalog lists."""
    if (folder / "segments").exists():
        why = f"it has segments, and its catalog is not in schema {schema} of {address.shown}"
        raise CatalogError.not_a_bench(str(folder), why)
