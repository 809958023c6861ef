"""Engines for tests of the router: they say what they are told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from luma_bench.engines.scanning import Scanning
from luma_bench.plan.engine import Engine, Estimate, Fallback, Inputs, SqlFragment


class Told(Scanning):
    """An engine that runs what it is given on another one, unless it is told to do otherwise."""

    def __init__(
        self,
        name: str,
        behind: Engine | None = None,
        *,
        estimate: Estimate | None = None,
        problem: str | None = None,
        automatic: bool = False,
        complete: bool = False,
        raises: Callable[[], Exception] | None = None,
        after: int | None = None,
    ) -> None:
        self._name, self._behind, self._estimate = name, behind, estimate
        self._problem, self._automatic, self._complete = problem, automatic, complete
        self._raises, self._after = raises, after
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def automatic(self) -> bool:
        return self._automatic

    @property
    def complete(self) -> bool:
        return self._complete

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        self.asked.append("estimate")
        return self._estimate

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        self.asked.append("supports")
        return self._problem

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        self.asked.append("run")
        if self._raises is not None:
            raise self._raises()
        assert self._behind is not None
        return self._behind.run(fragment, inputs)

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        self.asked.append("stream")
        assert self._behind is not None
        if self._after is None:
            if self._raises is not None:
                raise self._raises()
            return self._behind.stream(fragment, inputs)
        rows = self._behind.run(fragment, inputs)

        def batches() -> Iterator[pa.RecordBatch]:
            yield from rows.slice(0, self._after).to_batches()
            assert self._raises is not None
            raise self._raises()

        return pa.RecordBatchReader.from_batches(rows.schema, batches())

    def cancel(self) -> int:
        return 0

    def close(self) -> None:
        pass


def given_back() -> Exception:
    return Fallback("the scheduler went away")
