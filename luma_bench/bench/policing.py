"""CREATE and DROP of policies as they run: checked against their table, then kept as objects of the catalog."""

from __future__ import annotations

from dataclasses import replace

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import column_types
from luma_bench.bench.catalog_text import schema_and_name
from luma_bench.bench.locating import located
from luma_bench.bench.policy import POLICY, Policy, PolicyBook, require_owner
from luma_bench.bench.row_changes import target
from luma_bench.bench.runner import Runner
from luma_bench.errors import (
    CatalogError,
    KadeQLBindError,
    KadeQLError,
    KadeQLUnsupportedError,
    choices,
)
from luma_bench.language import CreatePolicy, DropPolicy, Edit, rewritten
from luma_bench.language.files import PREFIX
from luma_bench.language.policies import PolicyExpression
from luma_bench.language.references import is_information
from luma_bench.plan.dml import named_column
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.identity import Identity
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted

_TRIED = 1000
"""Rows that a new policy is tried on."""


class PolicyMaker:
    """Makes and drops policies over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(self, statement: CreatePolicy, ask: Ask, inside: StoreTransaction) -> str:
        """Stage a policy; what was done, in a word.

        Raises
        ------
        KadeQLError
            The table or a column is not there, or an expression does not fit; it points into the user's text.
        ForbiddenError
            Who asks is no owner.
        """
        view = inside.view()
        table = target(view, statement.table, statement.table_span, statement.whole, ask)
        present = view.object(POLICY, f"{table.id}/{statement.name}")
        if present is not None and statement.if_not_exists:
            return "unchanged"
        if present is not None and not statement.or_replace:
            raise KadeQLBindError(
                f"Table {table.name!r} has a policy {statement.name!r} already.",
                text=statement.whole,
                span=(statement.start, statement.end),
                hint="Write CREATE OR REPLACE … POLICY, or choose another name.",
            )
        reads = [number for item in statement.expressions for number in self._reads(item, view)]
        masks: list[tuple[int, str]] = []
        for item in statement.expressions:
            if not statement.masking:
                self._check(item, "BOOLEAN", table, view, ask)
                continue
            column = named_column(table, item.column, item.column_span, statement.whole)
            (kind,) = column_types(self._runner, table, [column.name], ask, view)
            self._check(item, kind, table, view, ask)
            masks.append((column.id, item.text))
        policy = Policy(
            statement.name,
            table.id,
            "" if statement.masking else statement.expressions[0].text,
            tuple(masks),
            statement.roles,
            statement.excepted,
            statement.restrictive,
            tuple(sorted(set(reads))),
            any(item.query.volatile for item in statement.expressions),
        )
        inside.create_object(POLICY, policy.key, policy.definition, replace=statement.or_replace)
        return "create policy" if present is None else "alter policy"

    def drop(self, statement: DropPolicy, inside: StoreTransaction) -> str:
        """Stage the end of a policy; what was done, in a word.

        Raises
        ------
        CatalogError
            There is none of this name and kind.
        ForbiddenError
            Who asks is no owner.
        """
        view = inside.view()
        table = view.find(statement.table)
        present = view.object(POLICY, f"{table.id}/{statement.name}")
        held = None if present is None else Policy.of(present)
        if present is None or held is None or bool(held.masks) != statement.masking:
            if statement.if_exists:
                return "unchanged"
            known = [
                policy.name
                for policy in map(Policy.of, view.objects_of(POLICY))
                if policy.table_id == table.id
            ]
            kind = "masking policy" if statement.masking else "row policy"
            if held is not None:
                other = "ROW" if statement.masking else "MASKING"
                raise CatalogError(
                    f"Policy {statement.name!r} of table {table.name!r} is no {kind}.",
                    hint=f"Write DROP {other} POLICY {statement.name} ON {table.name}.",
                )
            raise CatalogError(
                f"Table {table.name!r} has no {kind} {statement.name!r}.",
                hint=choices(statement.name, known, "policies"),
            )
        inside.drop_object(POLICY, present.name)
        return "drop policy"

    def _reads(self, item: PolicyExpression, view: ResolvedSnapshot) -> list[int]:
        """The ids of the tables that an expression reads: it may read nothing that somebody else could put in their place."""
        query = item.query
        found: list[int] = []
        for reference in query.reads:
            table = view.named(reference.name)
            if table is not None:
                found.append(table.id)
            elif view.object("view", reference.name) is not None or is_information(reference.name):
                raise KadeQLUnsupportedError(
                    f"A policy reads tables, and {reference.name!r} is none.",
                    text=query.whole, span=reference.span, hint="Name the table itself in the condition.",
                )  # fmt: skip
        if PREFIX in query.sql:
            raise KadeQLUnsupportedError(
                "A policy reads tables, and no files.",
                text=query.whole, span=(query.start, query.end), hint="Write the file into a table first.",
            )  # fmt: skip
        return found

    def _check(
        self, item: PolicyExpression, kind: str, table: TableSchema, view: ResolvedSnapshot, ask: Ask
    ) -> None:
        """Evaluate an expression over some of the table's rows: what does not fit is said now, not to a guest."""
        query = item.query
        start, end = query.start, query.end
        # Behind WHERE neither an aggregate nor a window may stand: a policy is about one row at a time.
        rows = f"(FROM {quoted(table.name)} LIMIT {_TRIED}) AS {quoted(schema_and_name(table.name, view)[1])}"
        head = f"SELECT TRUE FROM {rows} WHERE CAST(("
        edits = (Edit(start, start, head), Edit(end, end, f"\n) AS {kind}) IS NOT NULL"))
        inner = tuple(
            edit for edit in query.edits if edit.start != edit.end or edit.start not in (start, end)
        )
        sql, offsets = rewritten(query.whole, start, end, (*edits, *inner))
        bare = replace(query, sql=sql, offsets=offsets, names=query.names | {table.name.casefold()})
        params = {"user": ask.identity.user, "roles": list(ask.identity.roles)}
        asked = replace(ask, params=params, tables={}, view=view, at=None, cache=False)
        try:
            bound = self._runner.bind(bare, asked, view)
            found = bound.choice.run(bound.fragment, bound.inputs)
        except KadeQLError as error:
            raise located(error, bare, span=(start, end)) from error
        assert found.num_columns == 1


def policy_rows(book: PolicyBook, view: ResolvedSnapshot, identity: Identity) -> list[dict[str, str]]:
    """The policies in force about the tables of a snapshot, for SHOW POLICIES.

    Raises
    ------
    ForbiddenError
        The identity is no owner: the text of a policy tells what it hides.
    """
    require_owner(identity, "list policies")
    by_id = {table.id: table for table in view.tables.values()}
    found: list[dict[str, str]] = []
    for policy in book.policies():
        table = by_id.get(policy.table_id)
        if table is None:
            continue
        names = {column.id: column.name for column in table.columns}
        masks = ", ".join(f"{names.get(column, '(dropped)')} = {text}" for column, text in policy.masks)
        kind = "masking" if policy.masks else "restrictive row" if policy.restrictive else "row"
        found.append(
            {
                "table": table.name,
                "name": policy.name,
                "type": kind,
                "policy": masks or policy.condition,
                "roles": policy.audience,
            }
        )
    return sorted(found, key=lambda row: (row["table"], row["name"]))
