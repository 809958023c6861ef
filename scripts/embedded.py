"""Write the embedded engine's figures into docs/design/embedded-engine.md: both scan paths and DuckDB's own table."""

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.storage.store import Store

PAGE = Path(__file__).parent.parent / "docs" / "design" / "embedded-engine.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
ROWS = 1_000_000
QUESTIONS = {
    "`SELECT 1`": ("SELECT 1 AS a", 300),
    "one key": ("SELECT id, s FROM t WHERE id = 2310", 300),
    "`count(*)`": ("SELECT count(*) AS n FROM t", 60),
    "sum by 1,000 groups": ("SELECT k, sum(v) AS s FROM t GROUP BY k", 20),
    "every row": ("SELECT * FROM t", 8),
}


def data() -> pa.Table:
    """A million rows: a sorted key, a group, a float and a string of 5,000 values."""
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "id": np.arange(ROWS) * 3,
            "k": rng.integers(0, 1000, ROWS),
            "v": rng.random(ROWS),
            "s": [f"customer {i % 5000}" for i in range(ROWS)],
        }
    )


def median(call: Callable[[], object], times: int) -> float:
    """The median of `times` calls after a few warm ones, in milliseconds."""
    for _ in range(5):
        call()
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


def figures(folder: Path) -> str:
    """The table as Markdown; answers are compared before they are timed."""
    settings = Settings(threads=2)
    store = Store.open(folder / "figures.luma", settings=settings)
    store.write("t", data())
    native = duckdb.connect(config={"threads": 2})
    native.register("given", data())
    native.execute("CREATE TABLE t AS SELECT * FROM given")
    engines = {path: DuckEngine(settings, path) for path in ("source", "dataset")}
    lines = ["| question | source | dataset | DuckDB's own table, to Arrow |", "|---|---|---|---|"]
    for name, (text, times) in QUESTIONS.items():
        inputs = Inputs({"t": store.scan(store.resolve(), "t")})
        calls: list[Callable[[], pa.Table]] = [
            lambda engine=engine, inputs=inputs, text=text: engine.run(SqlFragment(text), inputs)
            for engine in engines.values()
        ]
        calls.append(lambda text=text: native.sql(text).to_arrow_table())
        counts = {call().num_rows for call in calls}
        if len(counts) != 1:
            raise SystemExit(f"{name}: {counts} rows")
        lines.append(f"| {name} | " + " | ".join(f"{median(call, times):.2f}" for call in calls) + " |")
    for engine in engines.values():
        engine.close()
    store.close()
    native.close()
    lines += [
        "",
        f"(DuckDB {duckdb.__version__}, PyArrow {pa.__version__}, Python {platform.python_version()}, 2 threads)",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        made = figures(Path(folder))
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{made}\n{END}{tail}", "utf-8")
    print(made)


if __name__ == "__main__":
    main()
