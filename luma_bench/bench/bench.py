"""`lb.open` and the Bench: everything a user does starts here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.bench.asking import Asking
from luma_bench.bench.handle import At, Progress
from luma_bench.bench.machinery import Machinery
from luma_bench.bench.opening import open_store
from luma_bench.bench.policy import Policy, require_owner
from luma_bench.bench.transaction import Transaction, no_commit_details
from luma_bench.bench.writing import WriteRequest, names_of
from luma_bench.errors import ForbiddenError, UnsupportedError
from luma_bench.types.identity import OWNER, Identity
from luma_bench.types.record import Snapshot

if TYPE_CHECKING:
    from luma_bench.engines.cluster.cluster import ClusterHandle

WriteMode = Literal["create", "append", "replace", "upsert"]


def open(  # noqa: A001
    path: str | os.PathLike[str],
    mode: Literal["a", "r"] = "a",
    *,
    storage_options: Mapping[str, Any] | None = None,
    identity: Identity | None = None,
    cluster: Any = None,
    **settings: Any,
) -> Bench:
    """Open the bench at `path`; it is created when there is none.

    Parameters
    ----------
    path
        A folder, by custom named `something.luma`; or the URL of one that `bench.publish` filled: `https://…`, `s3://…`,
        `gs://…` or `az://…`, which is read with `mode="r"`.
    mode
        `"a"` reads and writes, `"r"` never writes and needs no write permission.
    storage_options
        For a URL: options of the service and of the HTTP client by obstore's names, as `{"region": "eu-west-1"}`. What is
        not given comes from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`). They are kept in no file.
    identity
        Who works with it, for policies about rows and columns: see `Bench.acting_as`. By default an owner, whom no policy
        stands in the way of.
    cluster
        Where the engine `dask` runs: `"local"` for worker processes on this machine, one a core; the address of a scheduler,
        `"tcp://…"`; or a `dask.distributed.Client`. It starts, or connects, with the first statement that needs it, and closes
        with the bench what it started itself. Without it, the engine takes the process's current client, if there is one.
    settings
        Any field of `luma_bench.config.Settings`; they win over `luma.toml` and the environment.

    Raises
    ------
    CatalogError
        `mode="r"` and there is no bench, the folder is something else, or a later version wrote it.
    RemoteError
        The service behind a URL could not be reached, or refused.
    ConfigError
        A setting is unknown or wrong.

    Examples
    --------
    >>> import luma_bench as lb
    >>> with lb.open("demo.luma") as bench:
    ...     bench.write("t", {"a": [1, 2, 3]}, mode="create")
    ...     bench.kadeql("SELECT sum(a) AS s FROM t WHERE a > $lo", params={"lo": 1})
    """
    if mode not in ("a", "r"):
        raise UnsupportedError(f"mode={mode!r} is no way to open a bench.", hint="Use mode='a' or mode='r'.")
    if not isinstance(path, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnsupportedError(f"{path!r} is no path.", hint="Give a folder: lb.open('demo.luma').")
    store = open_store(path, mode, settings, storage_options)
    who = identity or Identity(store.settings.effective_author, (OWNER,))
    return Bench(store, Machinery(store, cluster), who)


class Bench(Asking):
    """A bench: tables under snapshots, one language over them. Safe to use from several threads.

    Attributes
    ----------
    path
        The bench's folder; the folder of its local cache where it was opened by URL.
    settings
        Its effective settings.
    """

    @property
    def cluster(self) -> ClusterHandle:
        """Where the engine `dask` runs: its client, its workers, the link to its dashboard. Nothing starts by asking."""
        self._alive()
        return self._machinery.cluster

    # --- transactions ---

    def transaction(
        self, message: str = "", *, author: str | None = None, token: str | None = None
    ) -> Transaction:
        """A block whose changes, of any number of tables, become one snapshot when it ends, or none when it fails.

        Inside the block this handle's calls from this thread are part of the transaction too, as after BEGIN; those of
        other threads and handles are not, and see nothing of it before the commit.

        Parameters
        ----------
        message
            What the snapshot says; the statements themselves when it is left out.
        author
            Who made it; the setting `author` when it is left out.
        token
            Names this commit: when a snapshot with the same token is there already, it is taken and nothing is applied.

        Raises
        ------
        TransactionError
            On entering: this thread has a transaction open on this handle.
        ConflictError
            On leaving: another writer changed the same rows or tables first; nothing was applied.
        ReadOnlyError
            At the first change: the bench is read-only.

        Examples
        --------
        >>> with bench.transaction(message="move one") as tx:
        ...     tx.kadeql("DELETE FROM a WHERE id = 1")
        ...     tx.write("b", {"id": [1]}, mode="append")
        """
        self._alive()
        statements = self._machinery.statements
        return Transaction(
            self._store, statements, self._session, message=message, author=author, token=token, at=self._at
        )

    # --- writing ---

    def write(
        self,
        table: str,
        data: Any,
        mode: WriteMode = "create",
        *,
        primary_key: str | Sequence[str] = (),
        sort_by: str | Sequence[str] = (),
        time_column: str | None = None,
        series_key: str | Sequence[str] = (),
        retention: str | None = None,
        rejects: str | None = None,
        max_rejects: int | None = None,
        options: Mapping[str, Any] | None = None,
        message: str = "",
        token: str | None = None,
        progress: Progress | None = None,
    ) -> Snapshot:
        """Write rows into a table as one atomic snapshot; a failure leaves nothing.

        Parameters
        ----------
        data
            Anything with `__arrow_c_stream__`, pandas, Polars, a dict of arrays, a list of dicts, or path(s) to
            parquet, csv, json or arrow files (a glob works). Streams larger than memory are written as they come.
        mode
            `"create"` a table, `"append"` rows, `"replace"` the table, or `"upsert"` whole rows by their primary key:
            columns that the data leaves out get their default, not what the row held.
        primary_key, sort_by, time_column, series_key
            Keys and layout, on create or replace. A table with a time column lies sorted by series key and time.
        retention
            For how long rows are kept, by the time column: `"30 days"`; compactions remove older ones.
        rejects
            A table for rows that cannot be taken: a value of another type or out of range, NULL where there must be none,
            a primary key that is there already, a line of a file that is broken. It gets `table_name`, `file`, `line`,
            `row`, `column_name`, `reason` and `text` in the same snapshot, and is made when it is missing. Without it the
            first such row fails the write.
        max_rejects
            More such rows than this fail the write: 10,000 by default.
        options
            How CSV files are read, by the names of DuckDB's `read_csv`: `delim`, `header`, `types`, `nullstr`, ….
        message
            What the snapshot says.
        token
            Names this write: a second write with the same token returns the snapshot of the first.
        progress
            Called with rows done and rows in all (None when unknown).

        Returns
        -------
        Snapshot
            The one that holds the rows. Inside of an open transaction the rows join it, and the snapshot is the one that
            it began on: COMMIT makes the new one.

        Raises
        ------
        SchemaError, ConstraintError, CatalogError, ReadOnlyError
            What is wrong with the data or the table; nothing was written.
        """
        inside = self._inside()
        if inside is not None:
            no_commit_details(message, token)
            inside.write(
                table,
                data,
                mode,
                primary_key=primary_key,
                sort_by=sort_by,
                time_column=time_column,
                series_key=series_key,
                retention=retention,
                rejects=rejects,
                max_rejects=max_rejects,
                options=options,
                progress=progress,
            )
            return inside.view.snapshot
        self._writable("write")
        settings = {
            "primary_key": names_of(primary_key),
            "sort_by": names_of(sort_by),
            "time_column": time_column,
            "series_key": names_of(series_key),
            "retention": retention,
        }
        asked = WriteRequest(table, data, mode, settings, rejects, max_rejects, options)
        permit = self._machinery.book.permit(self._identity)
        with self._machinery.stoppable() as stop:
            return asked.run(self._store, permit, message, token, progress, stop)

    def export(
        self, what: str, path: str | os.PathLike[str], format: str | None = None,  # noqa: A002 (the name people expect)
        *, compression: str | None = None, row_group_rows: int | None = None, delimiter: str | None = None,
        header: bool | None = None, null: str | None = None, progress: Progress | None = None,
    ) -> int:  # fmt: skip
        """Write a table, or the answer to a query, to a file; the rows written.

        The file appears whole and durable, or not at all; larger than memory works.

        Parameters
        ----------
        format
            `parquet`, `arrow` (a file, which is Feather too), `arrows` (a stream), `csv`, `tsv`, `json` (one array) or
            `ndjson`; by the path's ending when None. `.gz` or `.zst` after a text's ending compresses it.
        compression, row_group_rows, delimiter, header, null
            See `luma_bench.engines.duck_export.ExportOptions`: Parquet is zstd in groups of 1,048,576 rows; CSV has commas,
            a header, nothing for NULL and `""` for an empty text.
        progress
            Called with rows done and rows in all (None when unknown).

        Raises
        ------
        UnsupportedError
            The format cannot hold a column, or an option is not the format's.
        CancelledError
            `cancel()` was called; no file is left.
        """
        from luma_bench.bench.exporting import export
        from luma_bench.engines.duck_export import ExportOptions

        options = ExportOptions(compression, row_group_rows, delimiter, header, null)
        pinned, statements = self._pinned(), self._machinery.statements
        with self._machinery.stoppable() as stop:
            return export(statements, self._identity, pinned, what, path, format, options, progress, stop)

    # --- history ---

    def tables(self) -> list[str]:
        """The names of the tables at this bench's snapshot, or in the open transaction, sorted."""
        return sorted(schema.name for schema in self._pinned().tables.values())

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, oldest first; at a past snapshot, those up to it."""
        self._alive()
        return [
            snapshot for snapshot in self._store.snapshots() if self._at is None or snapshot.id <= self._at
        ]

    def at(self, when: At) -> Bench:
        """A read-only Bench at a snapshot: an id, a tag, or a time (the newest snapshot at or before it).

        Raises
        ------
        CatalogError
            No such snapshot.
        """
        self._alive()
        pinned = Bench(self._store, self._machinery, self._identity, self._store.resolve(when).id)
        pinned._owns = False
        self._store.pins.hold_for(pinned, pinned.snapshot)
        return pinned

    def acting_as(self, identity: Identity) -> Bench:
        """The same bench as somebody else works with it: their roles decide which rows and columns they see.

        Policies are made by CREATE ROW POLICY and CREATE MASKING POLICY, and apply inside of every scan. Whoever holds
        this handle can read the bench's files too: hand the other one to those who must not.

        Raises
        ------
        ForbiddenError
            This handle's identity is no owner, and the other one has roles that it lacks.

        Examples
        --------
        >>> guest = bench.acting_as(lb.Identity("ada", roles=("analyst",)))
        >>> guest.kadeql("SELECT count(*) FROM salaries")
        """
        self._alive()
        mine = self._identity
        if not mine.is_owner and (identity.user != mine.user or not set(identity.roles) <= set(mine.roles)):
            raise ForbiddenError.owner(mine.user, f"act as {identity.user!r}")
        other = Bench(self._store, self._machinery, identity, self._at)
        other._owns = False
        return other

    def policies(self) -> list[Policy]:
        """The policies in force, by table and name; for owners.

        Raises
        ------
        ForbiddenError
            This handle's identity is none.
        """
        self._alive()
        require_owner(self._identity, "list policies")
        return list(self._machinery.book.policies())

    def tag(self, name: str, at: At | None = None) -> Snapshot:
        """Name a snapshot (the newest, or `at`); a tag stays where it was put."""
        self._writable("tag")
        return self._store.tag(name, at)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._machinery.closed:
            return f"Bench({self._store.shown!r}, closed)"
        mode = ", read-only" if self.read_only else ""
        mode += ", in transaction" if self.in_transaction else ""
        return f"Bench({self._store.shown!r}, snapshot {self.snapshot}, {len(self.tables())} tables{mode})"
