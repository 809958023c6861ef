"""CREATE, ALTER and DROP of views, and of what else holds no rows: each a change of the open transaction's catalog."""

from __future__ import annotations

from dataclasses import replace

from luma_bench.bench.ask import Ask
from luma_bench.bench.graph.definitions import change_graph
from luma_bench.bench.namespaces import check_schema, create_schema, drop_schema
from luma_bench.bench.runner import Runner
from luma_bench.bench.views import StoredView
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError, KadeQLUnsupportedError, choices
from luma_bench.language import (
    AlterView,
    CommentOn,
    CommentOnObject,
    CreateGraph,
    CreateSchema,
    CreateView,
    DropGraph,
    DropSchema,
    DropView,
)
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.schema import CatalogObject
from luma_bench.types.sql_text import quoted

ObjectStatement = (
    CreateView | AlterView | DropView | CommentOnObject | CreateSchema | DropSchema | CreateGraph | DropGraph
)
"""What changes objects of the catalog that hold no rows."""


class ViewChanges:
    """Changes of views, property graphs and schemas, whose parts they are."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def run(
        self,
        statement: ObjectStatement,
        ask: Ask,
        inside: StoreTransaction,
    ) -> str:
        """Stage what the statement does; what happened, in a word."""
        match statement:
            case CreateView():
                return self.create(statement, ask, inside)
            case AlterView():
                return self.alter(statement, inside)
            case DropView():
                return self.drop(statement, inside)
            case CommentOnObject():
                return self.comment(statement, inside)
            case CreateGraph() | DropGraph():
                return change_graph(statement, ask, inside)
            case CreateSchema():
                return "create" if create_schema(statement, inside) else "unchanged"
            case DropSchema():
                return "drop" if drop_schema(statement, inside) else "unchanged"

    def create(self, statement: CreateView, ask: Ask, inside: StoreTransaction) -> str:
        """Make a view, or give it another query; what happened, in a word.

        Raises
        ------
        KadeQLError
            Its query does not bind at this snapshot, or the name is another's.
        """
        view = inside.view()
        check_schema(statement, view)
        present = view.object("view", statement.name)
        table = view.named(statement.name)
        if (present is not None or table is not None) and statement.if_not_exists:
            return "unchanged"
        if table is not None or (present is not None and not statement.or_replace):
            kind = "table" if table is not None else "view"
            instead = "or choose another name" if table is not None else "or write CREATE OR REPLACE VIEW"
            raise KadeQLBindError(
                f"There is a {kind} {statement.name!r} already.",
                text=statement.whole,
                span=statement.name_span,
                hint=f"Drop it first, {instead}.",
            )
        self._check_reads(statement, ask)
        if statement.body == statement.query.source:
            self._check_query(statement, ask, view)
        stored = StoredView(statement.body, statement.columns)
        inside.create_object(
            "view",
            statement.name if present is None else present.name,
            stored.definition,
            replace=present is not None,
        )
        self._check_use(statement, ask, inside.view())
        return "create" if present is None else "replace"

    def alter(self, statement: AlterView, inside: StoreTransaction) -> str:
        """Rename a view."""
        view = inside.view()
        if statement.if_exists and not _is_there(statement.name, view):
            return "unchanged"
        item = self._found("view", statement.name, view, statement.whole, statement.name_span)
        schema, dot, _ = item.name.rpartition(".")
        to = statement.to if "." in statement.to or not dot else f"{schema}.{statement.to}"
        try:
            inside.alter_object("view", item.name, rename=to)
        except CatalogError as error:
            raise KadeQLBindError(
                error.message, text=statement.whole, span=statement.name_span, hint=error.hint
            ) from error
        return "alter"

    def drop(self, statement: DropView, inside: StoreTransaction) -> str:
        """Drop a view."""
        view = inside.view()
        if statement.if_exists and not _is_there(statement.name, view):
            return "unchanged"
        item = self._found("view", statement.name, view, statement.whole, statement.name_span)
        inside.drop_object("view", item.name)
        return "drop"

    def comment(self, statement: CommentOnObject, inside: StoreTransaction) -> str:
        """Set or take away the comment of a view, schema or sequence."""
        item = self._found(statement.of, statement.name, inside.view(), statement.whole, statement.name_span)
        inside.alter_object(item.kind, item.name, comment=statement.comment)
        return "alter"

    def comment_column(
        self, statement: CommentOn, item: CatalogObject, ask: Ask, inside: StoreTransaction
    ) -> str:
        """Set or take away the comment of a view's column; a view itself is no table."""
        if statement.column is None:
            raise KadeQLBindError(
                f"COMMENT ON TABLE: {item.name!r} is a view.",
                text=statement.whole,
                span=statement.table_span,
                hint=f"Write COMMENT ON VIEW {item.name} IS …",
            )
        columns = self._runner.binder.information.view_columns(item, inside.view(), ask.identity)
        folded = statement.column.casefold()
        name = next((column.name for column in columns if column.name.casefold() == folded), None)
        if name is None:
            raise KadeQLBindError(
                f"There is no column {statement.column!r} in view {item.name!r}.",
                text=statement.whole,
                span=statement.column_span,
                hint=choices(statement.column, [column.name for column in columns], "columns"),
            )
        stored = StoredView.of(item)
        comments = {known: text for known, text in stored.comments.items() if known != name}
        if statement.comment is not None:
            comments[name] = statement.comment
        inside.alter_object("view", item.name, definition=replace(stored, comments=comments).definition)
        return "alter"

    def _check_reads(self, statement: CreateView, ask: Ask) -> None:
        """A view reads what the bench holds: the caller's own relations are gone after the call."""
        own = {name.casefold() for name in ask.tables}
        for read in statement.query.reads:
            if read.name.casefold() in own:
                raise KadeQLUnsupportedError(
                    f"A view cannot read {read.name!r}, which is a variable and in no snapshot.",
                    text=statement.whole,
                    span=read.span,
                    hint=f"Write it into the bench first: bench.write({read.name!r}, …).",
                )

    def _check_query(self, statement: CreateView, ask: Ask, view: ResolvedSnapshot) -> None:
        """Let the engine bind the query where it stands, so that an error points into it."""
        bound = self._runner.binder.bind(
            statement.query, replace(ask, view=view, params={}), view, types_only=True
        )
        count = bound.run("DESCRIBE ").num_rows
        if len(statement.columns) > count:
            raise KadeQLBindError(
                f"The view names {len(statement.columns)} columns, and its query gives {count}.",
                text=statement.whole,
                span=statement.name_span,
                hint="Name as many columns as the query has, or fewer: the others keep their names.",
            )

    def _check_use(self, statement: CreateView, ask: Ask, view: ResolvedSnapshot) -> None:
        """Read the view as it now is: it may lead back to itself, and a recursive one binds only with its own name."""
        query = self._runner.binder.views.query(StoredView(f"DESCRIBE {quoted(statement.name)}"))
        try:
            bound = self._runner.binder.bind(query, replace(ask, view=view, params={}), view, types_only=True)
            if statement.body != statement.query.source:
                bound.run()
        except KadeQLError as error:
            raise error.moved(statement.whole, (statement.query.start, statement.query.end)) from error

    def _found(
        self, kind: str, name: str, view: ResolvedSnapshot, whole: str, span: tuple[int, int]
    ) -> CatalogObject:
        item = view.object(kind, name)
        if item is not None:
            return item
        if kind == "view" and view.named(name) is not None:
            raise KadeQLBindError(
                f"{name!r} is a table and no view.", text=whole, span=span, hint=f"Write DROP TABLE or ALTER TABLE {name}."
            )  # fmt: skip
        known = [item.name for item in view.objects_of(kind)]
        error = CatalogError.unknown_object(kind, name, known)
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint)


def _is_there(name: str, view: ResolvedSnapshot) -> bool:
    """Whether a view has the name, or a table, which is told to be none."""
    return view.object("view", name) is not None or view.named(name) is not None
