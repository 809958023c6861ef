"""Lint, format, hover and completion for editors; they work while the kernel is busy, and without a bench too."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, override

from luma_bench.errors import CatalogError, ForbiddenError
from luma_bench.serve.jupyter.handlers import LumaHandler, for_readers
from luma_bench.serve.jupyter.requests import EditRequest, edit_request
from luma_bench.serve.jupyter.units import Units

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

SLOWEST = 10.0
"""Seconds after which an editor's question is given up: its text has changed by then."""


class EditingHandler(LumaHandler):
    """A question about a text, asked while somebody types."""

    @for_readers
    async def post(self) -> None:
        """Answer about the text of the body."""
        body, app = self.request.body, self.app

        def work() -> dict[str, Any]:
            asked = edit_request(body)
            with self._bench(asked) as bench:
                reply = self.reply(asked, bench)
            return reply if asked.bench is None else {**reply, "bench": bench is not None}

        await self.answer(app.editing, work, min(SLOWEST, app.timeout))

    def reply(self, asked: EditRequest, bench: Bench | None) -> dict[str, Any]:
        """What is said about the text; in a thread."""
        raise NotImplementedError  # each address below has its own

    @contextlib.contextmanager
    def _bench(self, asked: EditRequest) -> Generator[Bench | None]:
        """The bench of a request, None when it names none, or one that is gone or that may not be opened: editing goes on."""
        if asked.bench is None:
            yield None
            return
        with contextlib.ExitStack() as stack:
            bench: Bench | None
            try:
                bench = stack.enter_context(self.app.bench(asked.bench, asked.at))
            except (CatalogError, ForbiddenError):
                bench = None
            yield bench


class LintHandler(EditingHandler):
    """What is wrong with a text, and how it may be mended."""

    @override
    def reply(self, asked: EditRequest, bench: Bench | None) -> dict[str, Any]:
        from luma_bench.bench.assist import lint

        units = Units(asked.text).units
        problems = lint(asked.text, bench, cell=asked.cell)
        return {"problems": [problem.to_json(units) for problem in problems]}


class FormatHandler(EditingHandler):
    """A text set out anew."""

    @override
    def reply(self, asked: EditRequest, bench: Bench | None) -> dict[str, Any]:
        from luma_bench.bench.assist import formatted

        return {"text": formatted(asked.text, cell=asked.cell)}


class HoverHandler(EditingHandler):
    """What the word at a place means."""

    @override
    def reply(self, asked: EditRequest, bench: Bench | None) -> dict[str, Any]:
        from luma_bench.bench.assist import hover

        units = Units(asked.text)
        found = hover(asked.text, units.point(asked.offset), bench, cell=asked.cell)
        return {} if found is None else found.to_json(units.units)


class CompleteHandler(EditingHandler):
    """What may stand at a place."""

    @override
    def reply(self, asked: EditRequest, bench: Bench | None) -> dict[str, Any]:
        from luma_bench.bench.assist import complete

        units = Units(asked.text)
        found = complete(asked.text, units.point(asked.offset), bench, cell=asked.cell)
        return found.to_json(units.units)
