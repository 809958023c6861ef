"""Policies: which rows of a table an identity sees, and which columns it sees masked.

A policy belongs to a table by its id and names columns by theirs, so that renaming goes around none. Those of the newest
snapshot are in force, for reads of every snapshot: nobody travels back to before a policy was made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luma_bench.errors import ForbiddenError

if TYPE_CHECKING:
    from luma_bench.storage.store import Store
    from luma_bench.types.identity import Identity
    from luma_bench.types.schema import CatalogObject, TableSchema

POLICY = "policy"
"""The kind of a policy among the catalog's objects."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule about reading one table.

    Attributes
    ----------
    name
        Its name, one of the table's.
    table_id
        The table's permanent id.
    condition
        Of a row policy: what holds for the rows that are seen. Empty for a masking policy.
    masks
        Of a masking policy: ids of columns, and the expressions that are seen instead.
    roles
        Whom it is for; everyone but them with `excepted`.
    restrictive
        Of a row policy: whether it takes rows away from what the permissive ones show, instead of adding some.
    reads
        The ids of other tables that its expressions read.
    volatile
        Whether they may differ between two moments at one snapshot.
    """

    name: str
    table_id: int
    condition: str = ""
    masks: tuple[tuple[int, str], ...] = ()
    roles: tuple[str, ...] = ()
    excepted: bool = True
    restrictive: bool = False
    reads: tuple[int, ...] = ()
    volatile: bool = False

    @property
    def key(self) -> str:
        """The name of its object in the catalog: policies of two tables may be named alike."""
        return f"{self.table_id}/{self.name}"

    @property
    def audience(self) -> str:
        """Whom it is for, as CREATE spells it."""
        named = ", ".join(self.roles)
        return (f"ALL EXCEPT {named}" if named else "ALL") if self.excepted else named

    def concerns(self, identity: Identity) -> bool:
        """Whether it is for this identity."""
        return (not set(self.roles).isdisjoint(identity.roles)) != self.excepted

    @property
    def definition(self) -> str:
        """The JSON that the catalog keeps."""
        return json.dumps(
            {
                "table": self.table_id, "name": self.name, "using": self.condition, "masks": self.masks,
                "roles": self.roles, "excepted": self.excepted, "restrictive": self.restrictive, "reads": self.reads, "volatile": self.volatile,
            },
            ensure_ascii=False,
        )  # fmt: skip

    @classmethod
    def of(cls, item: CatalogObject) -> Policy:
        """The policy that an object of the catalog holds."""
        held = json.loads(item.definition)
        return cls(
            held["name"],
            held["table"],
            held["using"],
            tuple((int(column), text) for column, text in held["masks"]),
            tuple(held["roles"]),
            held["excepted"],
            held["restrictive"],
            tuple(held["reads"]),
            held["volatile"],
        )


@dataclass(frozen=True, slots=True)
class TableRules:
    """What one identity is shown of one table.

    Attributes
    ----------
    permissive, restrictive
        Conditions: a row is seen where one of the former and all of the latter are TRUE.
    filtered
        Whether rows are filtered at all; without a condition that is for the identity, none is seen then.
    masks
        Column names and the expressions that are seen instead; None stands for NULL.
    reads
        The ids of the other tables that they read.
    volatile
        Whether what is seen may differ between two moments at one snapshot.
    """

    identity: Identity
    permissive: tuple[str, ...] = ()
    restrictive: tuple[str, ...] = ()
    filtered: bool = False
    masks: tuple[tuple[str, str | None], ...] = ()
    reads: frozenset[int] = frozenset()
    volatile: bool = False
    names: tuple[str, ...] = field(default=(), compare=False)

    @property
    def condition(self) -> str | None:
        """The condition that a seen row fulfils; None where every row is seen."""
        if not self.filtered:
            return None
        parts = [" OR ".join(f"({text}\n)" for text in self.permissive) or "FALSE"]
        parts += self.restrictive
        return " AND ".join(f"({part}\n)" for part in parts)

    @property
    def hidden(self) -> frozenset[str]:
        """The names of masked columns."""
        return frozenset(name for name, _ in self.masks)


class PolicyBook:
    """The policies in force on one store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: tuple[object, tuple[Policy, ...]] = (None, ())

    def policies(self) -> tuple[Policy, ...]:
        """Those of the newest snapshot, by table and name."""
        newest = self._store.resolve()
        # Snapshots share their objects until a commit of any process changes one: other objects are read anew.
        objects, held = self._read
        if objects is not newest.objects:
            held = tuple(Policy.of(item) for item in newest.objects_of(POLICY))
            self._read = (newest.objects, held)
        return held

    def permit(self, identity: Identity) -> ChangePermit:
        """What an identity may change."""
        return ChangePermit(self, identity)

    def of_table(self, table_id: int) -> list[Policy]:
        """Those of a table."""
        return [policy for policy in self.policies() if policy.table_id == table_id]

    def fingerprint(self, identity: Identity) -> tuple[object, ...] | None:
        """What an answer depends on beside its question: who asks, every policy in force, and what those read.

        Empty for an owner; None where an answer may differ the next moment, and must not be kept.
        """
        if identity.is_owner:
            return ()
        held = self.policies()
        if any(policy.volatile for policy in held):
            return None
        # What policies read they read at the newest snapshot, whichever one the question is about.
        at = self._store.head() if any(policy.reads for policy in held) else 0
        return (identity, at, *held) if held else ()

    def rules(self, table: TableSchema, identity: Identity) -> TableRules | None:
        """What an identity is shown of a table; None where no policy stands between them.

        A masked column that the table does not have at the snapshot is no column of the answer either.
        """
        if identity.is_owner:
            return None
        held = self.of_table(table.id)
        if not held:
            return None
        filters = [policy for policy in held if policy.condition]
        mine = [policy for policy in held if policy.concerns(identity)]
        names = {column.id: column.name for column in table.columns}
        masks: dict[str, str | None] = {}
        for policy in mine:
            for column_id, text in policy.masks:
                name = names.get(column_id)
                if name is not None:
                    # Of two masks neither is known to be the stricter one: nothing is shown.
                    masks[name] = None if name in masks else text
        _hide_computed(table, masks)
        shown = [policy for policy in mine if policy.condition]
        if not filters and not masks:
            return None
        return TableRules(
            identity,
            tuple(policy.condition for policy in shown if not policy.restrictive),
            tuple(policy.condition for policy in shown if policy.restrictive),
            bool(filters),
            tuple(masks.items()),
            frozenset(table_id for policy in mine for table_id in policy.reads),
            any(policy.volatile for policy in mine),
            tuple(policy.name for policy in mine),
        )


def _hide_computed(table: TableSchema, masks: dict[str, str | None]) -> None:
    """Hide the generated columns that are computed of a masked one: their values tell of it."""
    names = {column.id: column.name for column in table.columns}
    hidden = {column.id for column in table.columns if column.name in masks}
    waiting = [item for item in table.rules.generated if item.column not in hidden]
    while waiting:
        found = [item for item in waiting if item.expression.columns & hidden]
        if not found:
            return
        for item in found:
            masks[names[item.column]] = None
            hidden.add(item.column)
        waiting = [item for item in waiting if item not in found]


class ChangePermit:
    """What an identity may change: everything for an owner; else no table that has policies, and no policy."""

    def __init__(self, book: PolicyBook, identity: Identity) -> None:
        self._book = book
        self._identity = identity

    @property
    def relies(self) -> frozenset[str]:
        """A policy that is made meanwhile takes a guest's permission back."""
        return frozenset() if self._identity.is_owner else frozenset({"create policy", "alter policy"})

    def table(self, schema: TableSchema, operation: str) -> None:
        """Allow a change of a table.

        Raises
        ------
        ForbiddenError
            The table has policies, or a policy reads it, and the identity is no owner.
        """
        if self._identity.is_owner:
            return
        if any(schema.id == policy.table_id or schema.id in policy.reads for policy in self._book.policies()):
            raise ForbiddenError.table(self._identity.user, operation, schema.name)

    def object(self, kind: str, name: str, operation: str) -> None:
        """Allow a change of a view, schema, sequence or policy.

        Raises
        ------
        ForbiddenError
            It is a policy, and the identity is no owner.
        """
        if kind == POLICY and not self._identity.is_owner:
            raise ForbiddenError.owner(self._identity.user, f"{operation} a policy")


def require_owner(identity: Identity, what: str) -> None:
    """Refuse what shows or changes all of a bench to anyone but an owner.

    Raises
    ------
    ForbiddenError
        The identity is none.
    """
    if not identity.is_owner:
        raise ForbiddenError.owner(identity.user, what)
