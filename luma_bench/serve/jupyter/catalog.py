"""The catalogs of benches: tables, columns with their statistics, first rows, snapshots, and which benches there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from luma_bench.serve.jupyter.finding import find_benches
from luma_bench.serve.jupyter.handlers import LumaHandler, for_readers
from luma_bench.serve.jupyter.requests import (
    BenchQuery,
    ColumnsQuery,
    PreviewQuery,
    SnapshotsQuery,
    query,
)

PREVIEW_COLUMNS = 40
"""Columns of a preview, the first ones: a preview shows twenty, and a table may have thousands."""


class CatalogHandler(LumaHandler):
    """A question about a bench, or about which there are."""

    _track_activity = False
    """A panel that looks for new snapshots by itself is no sign of anybody at work."""

    @for_readers
    async def get(self) -> None:
        """Answer by the address's arguments."""
        self.check_xsrf_cookie()
        arguments = self.arguments
        await self.answer(self.app.looking, lambda: self.reply(arguments), self.app.timeout)

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """What is asked for; in a thread."""
        raise NotImplementedError  # each address below has its own


class TablesHandler(CatalogHandler):
    """Everything of a bench at a snapshot by its names."""

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Tables, views, graphs, series and tags."""
        from luma_bench.bench.assist import catalog_facts

        asked = query(BenchQuery, arguments)
        with self.app.bench(asked.bench, asked.at) as bench:
            # The bench by the path that it was asked for: the kernel knows it by that one, links included.
            return {**catalog_facts(bench).to_json(), "bench": self.app.places.shown(asked.bench)}


class TableHandler(CatalogHandler):
    """One table or view."""

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Its columns with their types and statistics."""
        from luma_bench.bench.assist import table_facts

        asked = query(ColumnsQuery, arguments)
        with self.app.bench(asked.bench, asked.at) as bench:
            facts = table_facts(bench, asked.name, statistics=asked.statistics, distinct=asked.distinct)
            return facts.to_json()


class PreviewHandler(CatalogHandler):
    """The first rows of a table or view."""

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """The rows as HTML without scripts, and how many rows and columns it shows."""
        from luma_bench.bench.display import html

        asked = query(PreviewQuery, arguments)
        with self.app.bench(asked.bench, asked.at) as bench:
            frame = bench.table(asked.name)
            columns = frame.columns
            if len(columns) > PREVIEW_COLUMNS:
                frame = frame[columns[:PREVIEW_COLUMNS]]
            answer = frame.head(asked.rows).collect()
            return {
                "html": html(answer, asked.rows),
                "snapshot": answer.run.snapshot,
                "rows": len(answer.to_arrow()),
                "columns": len(columns),
                "shown": min(len(columns), PREVIEW_COLUMNS),
            }


class SnapshotsHandler(CatalogHandler):
    """A bench's snapshots, newest first."""

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """A page of them, with what each changed."""
        from luma_bench.bench.assist import snapshot_facts

        asked = query(SnapshotsQuery, arguments)
        with self.app.bench(asked.bench) as bench:
            return snapshot_facts(bench, asked.before, asked.limit).to_json()


class BenchesHandler(CatalogHandler):
    """The benches that the server may open; whoever asks opens one next."""

    def reply(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Those under its root and on the allow-list."""
        places = self.app.places
        found = find_benches(places)
        return {
            "root": str(places.root),
            "benches": [dataclasses.asdict(item) for item in found.benches],
            "complete": found.complete,
        }

    def on_finish(self) -> None:
        """The answer is sent."""
        super().on_finish()
        if self.get_status() == HTTPStatus.OK:
            self.app.expect_benches()
