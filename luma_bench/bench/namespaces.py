"""Names of the catalog: schemas and what is in them, and which kind of thing a name belongs to."""

from __future__ import annotations

from luma_bench.bench.catalog_text import schema_and_name
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLUnsupportedError, choices
from luma_bench.language import AlterTable, CreateSchema, CreateTable, CreateTableAs, DropSchema, DropTable
from luma_bench.language.placed import Placed
from luma_bench.language.schemas import schema_written
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.graph import GRAPH
from luma_bench.types.schema import CatalogObject

MAIN = "main"
IN_SCHEMAS = (GRAPH, "view", "sequence")
"""The kinds of objects that are in schemas, as tables are."""


def create_schema(statement: CreateSchema, inside: StoreTransaction) -> bool:
    """Make a schema; False when it is there already and may be.

    Raises
    ------
    KadeQLBindError
        It is there already.
    """
    present = inside.view().object("schema", statement.name)
    if present is not None or statement.name.casefold() == MAIN:
        if statement.if_not_exists:
            return False
        raise KadeQLBindError(
            f"There is a schema {statement.name!r} already.",
            text=statement.whole,
            span=statement.name_span,
            hint="Write CREATE SCHEMA IF NOT EXISTS, or choose another name.",
        )
    inside.create_object("schema", statement.name, "{}")
    return True


def drop_schema(statement: DropSchema, inside: StoreTransaction) -> bool:
    """Drop a schema, with `cascade` and everything in it; False when there is none and need be none.

    Raises
    ------
    KadeQLBindError
        There is none, or something is in it.
    """
    view = inside.view()
    if statement.name.casefold() == MAIN:
        raise KadeQLBindError(
            "The schema main is the bench's own.", text=statement.whole, span=statement.name_span, hint="Drop its tables."
        )  # fmt: skip
    item = view.object("schema", statement.name)
    if item is None:
        if statement.if_exists:
            return False
        raise _no_schema(statement.name, view, statement.whole, statement.name_span)
    tables, objects = members(item.name, view)
    if (tables or objects) and not statement.cascade:
        held = [*(f"table {name!r}" for name in tables), *(f"{kind} {name!r}" for kind, name in objects)]
        shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
        raise KadeQLBindError(
            f"The schema {item.name!r} is not empty: it holds {shown}.",
            text=statement.whole,
            span=statement.name_span,
            hint=f"Drop or move them, or write DROP SCHEMA {item.name} CASCADE, which drops them too.",
        )
    for kind, name in objects:
        inside.drop_object(kind, name)
    for name in tables:
        inside.drop_table(name)
    inside.drop_object("schema", item.name)
    return True


def members(schema: str, view: ResolvedSnapshot) -> tuple[list[str], list[tuple[str, str]]]:
    """The tables and objects of a schema, by name; those of `main` are in no other."""
    folded = schema.casefold()

    def is_in(name: str) -> bool:
        return schema_and_name(name, view)[0].casefold() == folded

    tables = sorted(table.name for table in view.tables.values() if is_in(table.name))
    objects = [(kind, item.name) for kind in IN_SCHEMAS for item in view.objects_of(kind) if is_in(item.name)]
    return tables, objects


def check_schema(statement: Placed, view: ResolvedSnapshot) -> None:
    """Refuse to make or move something into a schema that is not there.

    Raises
    ------
    KadeQLBindError
        The statement names such a schema; the hint lists the nearest.
    """
    written = None
    source = statement.source
    if isinstance(statement, AlterTable):
        words = source.split()
        moves = len(words) > 2 and [word.upper() for word in words[-3:-1]] == ["SET", "SCHEMA"]
        if moves:
            at = source.rindex(words[-1])
            written = words[-1].strip('"'), (at, at + len(words[-1]))
    else:
        written = schema_written(source)
    if written is None:
        return
    name, (start, end) = written
    if name.casefold() != MAIN and view.object("schema", name) is None:
        raise _no_schema(name, view, statement.whole, (statement.start + start, statement.start + end))


def check_names(statement: Placed, view: ResolvedSnapshot) -> None:
    """Refuse a statement that makes or changes a table whose name is a view's or graph's, or is in a schema that is not there.

    Raises
    ------
    KadeQLBindError
        It does.
    """
    if isinstance(statement, CreateTable | CreateTableAs | AlterTable):
        check_schema(statement, view)
    if not view.objects:
        return
    match statement:
        case CreateTable(name=name, if_not_exists=kept) | CreateTableAs(name=name, if_not_exists=kept):
            if not kept and (item := _object(view, name)) is not None:
                place = statement.whole.find(name.rpartition(".")[2], statement.start)
                error = CatalogError.object_exists(item.kind, item.name)
                raise KadeQLBindError(
                    error.message,
                    text=statement.whole,
                    span=(place, place + len(name.rpartition(".")[2])) if place >= 0 else None,
                    hint=error.hint,
                )
        case DropTable(name=name):
            if (item := _object(view, name)) is not None:
                raise KadeQLBindError(
                    f"{item.name!r} is a {item.kind}.",
                    text=statement.whole,
                    span=(statement.start, statement.end),
                    hint=f"Write DROP {item.kind.upper()} {item.name}.",
                )
        case AlterTable(table=name, table_span=span):
            if (item := view.object("view", name)) is not None:
                raise KadeQLUnsupportedError(
                    f"{item.name!r} is a view.",
                    text=statement.whole,
                    span=span,
                    hint=f"A view takes ALTER VIEW {item.name} RENAME TO …, or CREATE OR REPLACE VIEW {item.name} AS …",
                )
        case _:
            pass


def _object(view: ResolvedSnapshot, name: str) -> CatalogObject | None:
    """The view or property graph of a name."""
    return view.object("view", name) or view.object(GRAPH, name)


def _no_schema(name: str, view: ResolvedSnapshot, whole: str, span: tuple[int, int]) -> KadeQLBindError:
    known = [MAIN, *(item.name for item in view.objects_of("schema"))]
    hint = choices(name, known, "schemas")
    return KadeQLBindError(
        f"There is no schema {name!r}.", text=whole, span=span, hint=f"{hint} CREATE SCHEMA {name} makes one."
    )
