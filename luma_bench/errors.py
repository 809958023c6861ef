"""The error tree: every message says what happened, where, and what to do.

One shallow tree under `LumaError`; named constructors build the messages so that two places never word the
same failure differently. `KadeQLError` carries a place in the user's own text and draws a caret under it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from luma_bench.carets import pointed


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The names most like `name`, best first, ignoring case (`difflib` ratio of at least 0.6)."""
    by_fold = {item.casefold(): item for item in known}
    return [by_fold[fold] for fold in difflib.get_close_matches(name.casefold(), list(by_fold), count, 0.6)]


def choices(name: str, known: Sequence[str], what: str) -> str:
    """The sentence that lists real choices: the nearest names, or the first of all there are."""
    near = nearest(name, known)
    if near:
        return f"Did you mean {' or '.join(repr(item) for item in near)}?"
    if not known:
        return f"There are no {what} yet."
    shown = ", ".join(sorted(known)[:8])
    return f"The {what} are: {shown}{', …' if len(known) > 8 else ''}."


class LumaError(Exception):
    """The root of every error that Luma Bench raises on purpose."""

    hint: str | None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message}\n{hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again as it is: a worker's error reaches the driver, whatever its class asks for to be made."""
        return type(self).__new__, (type(self), *self.args), dict(self.__dict__)


class ConfigError(LumaError):
    """A setting in `luma.toml`, the environment or an argument is unknown or has a wrong value."""

    @classmethod
    def invalid(cls, source: str, problem: str, known: Sequence[str]) -> ConfigError:
        """A value that the settings refuse."""
        return cls(f"{source}: {problem}", hint=f"The settings are: {', '.join(known)}.")


class CatalogError(LumaError):
    """A table, snapshot, tag or bench is not there, is there already, or cannot be opened."""

    @classmethod
    def unknown_table(cls, name: str, known: Sequence[str]) -> CatalogError:
        """No table of this name at the snapshot."""
        return cls(f"There is no table {name!r}.", hint=choices(name, known, "tables"))

    @classmethod
    def table_exists(cls, name: str) -> CatalogError:
        """`create` met a table of this name."""
        return cls(
            f"There is a table {name!r} already.",
            hint="INSERT INTO adds rows to it, CREATE OR REPLACE TABLE replaces it (in Python mode='append' and mode='replace').",
        )

    @classmethod
    def unknown_object(cls, kind: str, name: str, known: Sequence[str]) -> CatalogError:
        """No view, schema, sequence, policy or property graph of this name at the snapshot."""
        return cls(f"There is no {kind} {name!r}.", hint=choices(name, known, f"{kind}s"))

    @classmethod
    def is_view(cls, name: str) -> CatalogError:
        """A view's name where a table's must stand."""
        return cls(
            f"{name!r} is a view, and holds no rows of its own.",
            hint=f"Name a table that it reads (SHOW CREATE VIEW {name} shows them), or ask it in KadeQL: FROM {name}.",
        )

    @classmethod
    def object_exists(cls, kind: str, name: str) -> CatalogError:
        """A name is taken already by something of its kind."""
        return cls(
            f"There is a {kind} {name!r} already.",
            hint=f"Choose another name, or drop it first: DROP {kind.upper()} {name}.",
        )

    @classmethod
    def not_stored(cls, table: str, problem: str) -> CatalogError:
        """The disk did not take a table's rows."""
        hint = "Nothing of this call was applied. Check the disk's space and health, then try again."
        return cls(f"Rows of table {table!r} cannot be stored: {problem}.", hint=hint)

    @classmethod
    def unknown_snapshot(cls, asked: object, known: str) -> CatalogError:
        """No snapshot of this id, time or tag."""
        return cls(f"There is no snapshot {asked!r}.", hint=known)

    @classmethod
    def no_bench(cls, path: str) -> CatalogError:
        """`mode="r"` on a path that holds no bench."""
        return cls(f"There is no bench at {path!r}.", hint="lb.open(path) without mode='r' creates one.")

    @classmethod
    def not_a_bench(cls, path: str, why: str) -> CatalogError:
        """The path is something else."""
        return cls(
            f"{path!r} is not a Luma bench: {why}.", hint="Give the path of a folder that lb.open() made."
        )

    @classmethod
    def newer_format(cls, path: str, found: int, known: int) -> CatalogError:
        """The bench was written by a later version."""
        return cls(
            f"{path!r} has format {found}; this version reads up to {known}.",
            hint="Install a newer luma-bench to open it.",
        )


class SnapshotExpired(CatalogError):
    """The pinned snapshot's files were collected after its lease and the retention ran out."""


class ReadOnlyError(LumaError):
    """A write through a read-only bench or at a past snapshot."""

    @classmethod
    def opened(cls, operation: str) -> ReadOnlyError:
        """The bench was opened with `mode="r"` or is pinned at a snapshot."""
        return cls(
            f"{operation}: this bench is read-only.",
            hint="Open it with lb.open(path), not with mode='r' or bench.at(…), to write.",
        )


class ClosedError(LumaError):
    """The bench was closed."""

    @classmethod
    def bench(cls, path: str) -> ClosedError:
        """Any call on a closed bench."""
        return cls(f"The bench {path!r} is closed.", hint="Open it again with lb.open(path).")


class SchemaError(LumaError):
    """Data does not fit the table: a column is missing, unknown, of another type, or cannot be stored."""

    @classmethod
    def column(cls, table: str, column: str, problem: str, hint: str | None = None) -> SchemaError:
        """One column of one table is wrong."""
        return cls(f"Column {column!r} of table {table!r}: {problem}", hint=hint)

    @classmethod
    def unknown_column(cls, column: str, known: Sequence[str], where: str) -> SchemaError:
        """A name that the relation does not have."""
        return cls(f"There is no column {column!r} in {where}.", hint=choices(column, known, "columns"))


class ConstraintError(LumaError):
    """Rows break a constraint (NOT NULL, a primary key) and nothing was written."""


class ConflictError(LumaError):
    """Another writer committed first; nothing of this write was applied, and it may be tried again."""

    @classmethod
    def lost(cls, table: str, snapshot: int, what: str, kind: str = "table") -> ConflictError:
        """Names the table (or what else, by `kind`) and the snapshot that won."""
        return cls(
            f"{kind.capitalize()} {table!r} was changed by snapshot {snapshot} ({what}) while this write was under way.",
            hint="Nothing was applied. Run the write again on the newer snapshot.",
        )


class ForbiddenError(LumaError):
    """An identity may not read or change this; nothing was done."""

    @classmethod
    def table(cls, user: str, operation: str, table: str) -> ForbiddenError:
        """A change of a table that has policies."""
        return cls(
            f"{user!r} may not {operation} table {table!r}: policies are about it.",
            hint="Nothing was changed. An identity with the role 'owner' may.",
        )

    @classmethod
    def owner(cls, user: str, what: str) -> ForbiddenError:
        """What only owners may."""
        return cls(
            f"{user!r} may not {what}.", hint="It takes an identity with the role 'owner'; nothing was done."
        )

    @classmethod
    def masked(cls, user: str, table: str, column: str) -> ForbiddenError:
        """A look-up by a key that is masked."""
        return cls(
            f"{user!r} may not look rows of table {table!r} up by {column!r}, which is masked.",
            hint="Ask by another column: SELECT … FROM t WHERE ….",
        )

    @classmethod
    def broken(cls, table: str, policies: Sequence[str], why: str) -> ForbiddenError:
        """A policy that cannot be applied, so that nothing is shown."""
        return cls(
            f"Table {table!r} cannot be shown: its policies ({', '.join(policies) or 'none for you'}) cannot be applied ({why}).",
            hint="An owner sees the reason with SHOW POLICIES, and makes them anew with CREATE OR REPLACE … POLICY.",
        )


class TransactionError(LumaError):
    """A transaction is open already, is over, or was never begun."""

    @classmethod
    def open_already(cls, opened: str, asked: str) -> TransactionError:
        """`asked` met the transaction that `opened` had begun, on the same handle and thread."""
        return cls(
            f"{asked}: a transaction is open already, begun by {opened}.",
            hint="One handle has one transaction a thread. COMMIT or ROLLBACK it first, or open the bench a second time.",
        )

    @classmethod
    def none_open(cls, asked: str) -> TransactionError:
        """COMMIT or ROLLBACK without BEGIN."""
        hint = "BEGIN opens one, for this Bench handle and this thread."
        return cls(f"{asked}: no transaction is open.", hint=hint)

    @classmethod
    def of_block(cls, asked: str) -> TransactionError:
        """BEGIN, COMMIT or ROLLBACK as text, inside of a `with bench.transaction()` block."""
        return cls(
            f"{asked}: the transaction belongs to a with block.",
            hint="Leaving the block commits, an exception rolls back, and tx.rollback() drops the changes.",
        )

    @classmethod
    def over(cls, what: str, ending: str) -> TransactionError:
        """`what` was used after the transaction was committed or rolled back."""
        return cls(
            f"{what}: the transaction {ending}.", hint="Begin another: with bench.transaction() as tx: …"
        )


class CorruptionError(LumaError):
    """Bytes on disk are not those that were written; the answer is refused."""

    def __init__(
        self, message: str, *, segment: str, column: str | None = None, chunk: int | None = None
    ) -> None:
        self.segment = segment
        self.column = column
        self.chunk = chunk
        super().__init__(
            message, hint="Run `luma-bench check` for the whole list; restore the file from a copy."
        )

    @classmethod
    def chunk_of(cls, segment: str, column: str, chunk: int, problem: str) -> CorruptionError:
        """A chunk whose checksum or shape is wrong."""
        message = f"Segment {segment}, column {column!r}, chunk {chunk}: {problem}."
        return cls(message, segment=segment, column=column, chunk=chunk)

    @classmethod
    def file_of(cls, segment: str, problem: str) -> CorruptionError:
        """A segment file that is missing, torn or unreadable."""
        return cls(f"Segment {segment}: {problem}.", segment=segment)


class RemoteError(LumaError):
    """An object store or web server could not be reached, or refused; nothing was answered wrongly and it may be tried again."""

    @classmethod
    def failed(cls, doing: str, url: str, why: str) -> RemoteError:
        """A request that its retries did not save; `doing` is the verb: read, write, list."""
        return cls(
            f"{url} could not be {doing}: {why.rstrip('.')}.",
            hint="Check the address, the network and the credentials (the variables of the environment that the service uses, or storage_options=…), then try again.",
        )


class UnsupportedError(LumaError):
    """Valid somewhere, but not here: the message says what to write instead."""


class EngineError(LumaError):
    """An engine failed or cannot serve; the message is the engine's own, in one sentence."""


class ResourceError(EngineError):
    """A statement needs more than it may have: memory, room to spill, rows or bytes of its result."""

    @classmethod
    def result(cls, unit: str, limit: int, argument: str, setting: str) -> ResourceError:
        """A result larger than its cap."""
        return cls(
            f"The result has more than {limit:,} {unit}, the most that it may hold.",
            hint=f"Read less (LIMIT, an aggregate), allow more ({argument}=… of the call, or the setting {setting}), "
            "or take it as a stream: bench.stream(text).",
        )

    @classmethod
    def memory(cls, problem: str) -> ResourceError:
        """The engine's memory limit."""
        return cls(
            f"DuckDB ran out of memory: {problem}",
            hint="Raise memory_limit (lb.open(path, memory_limit=…)), free disk space for spilling, or read less: "
            "fewer columns, a WHERE, an aggregate instead of all rows.",
        )

    @classmethod
    def spill(cls, problem: str) -> ResourceError:
        """The room for what does not fit the memory limit."""
        return cls(
            f"The query needs more room to spill than there is: {problem}",
            hint="Nothing was changed, and what was spilled is removed. Raise max_spill_bytes or memory_limit, name a larger "
            "disk with spill_dir, or read less.",
        )


NOTHING_CHANGED = "; nothing was changed."


class CancelledError(LumaError):
    """The query was cancelled by `bench.cancel()`, an interrupt or a timeout."""

    @classmethod
    def query(cls, elapsed: float) -> CancelledError:
        """A running statement was stopped."""
        return cls(f"Cancelled after {elapsed:.1f} s{NOTHING_CHANGED}")

    @classmethod
    def timeout(cls, limit: float) -> CancelledError:
        """A statement ran longer than it may."""
        return cls(
            f"Stopped by the timeout of {limit:g} s{NOTHING_CHANGED}",
            hint="Raise it with timeout=… of the call or of lb.open(path), or read less.",
        )


class KadeQLError(LumaError):
    """A statement is wrong; `line` and `column` (1-based) and `span` (0-based, half-open) are in the user's text."""

    def __init__(
        self, message: str, *, text: str = "", span: tuple[int, int] | None = None, hint: str | None = None
    ) -> None:
        self.text = text
        self.span = span
        self.line: int | None = None
        self.column: int | None = None
        body = message
        if span is not None and text:
            self.line, self.column, body = pointed(message, text, span)
        super().__init__(body, hint=hint)
        self.plain = message

    def moved(self, text: str, span: tuple[int, int] | None) -> KadeQLError:
        """The same error, pointing at `span` of another text: what a rewrite does with its offset map."""
        return type(self)(self.plain, text=text, span=span, hint=self.hint)


class KadeQLSyntaxError(KadeQLError):
    """The text is not KadeQL."""


class KadeQLBindError(KadeQLError):
    """A name or type in the text does not resolve at the snapshot."""


class KadeQLConstraintError(KadeQLError, ConstraintError):
    """Rows that a statement makes break a constraint; nothing of the statement was written."""


class KadeQLCatalogError(KadeQLError, CatalogError):
    """A statement names a table, view or snapshot that is not there, or makes one that is there already."""


class KadeQLSchemaError(KadeQLError, SchemaError):
    """The rows of a statement do not fit their table; nothing of the statement was written."""


class KadeQLTransactionError(KadeQLError, TransactionError):
    """A statement begins or ends a transaction where it cannot."""


class KadeQLReadOnlyError(KadeQLError, ReadOnlyError):
    """A statement changes something through a read-only bench or at a past snapshot."""


class KadeQLForbiddenError(KadeQLError, ForbiddenError):
    """A statement does what the identity may not; nothing of it was done."""


class KadeQLUnsupportedError(KadeQLError, UnsupportedError):
    """The statement is KadeQL, or DuckDB's, but is refused here; the hint says what to write instead."""
