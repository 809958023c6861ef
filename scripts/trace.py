"""Write the trace of one real query into docs/design/life-of-a-query.md: every step, with its time and what it made."""

import datetime as dt
import platform
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow as pa

import luma_bench as lb
from luma_bench.bench.ask import Ask
from luma_bench.plan.engine import SqlFragment

PAGE = Path(__file__).parent.parent / "docs" / "design" / "life-of-a-query.md"
TEXT = """SELECT sensor, avg(v) AS mean
FROM readings AT (TAG => 'eight') r
WHERE ts >= $since
GROUP BY sensor ORDER BY mean DESC LIMIT 3"""


def segment(day: int) -> pa.Table:
    """One day of readings: 86,400 rows of two sensors."""
    start = dt.datetime(2026, 1, 1) + dt.timedelta(days=day)
    return pa.table(
        {
            "ts": pa.array([start + dt.timedelta(seconds=s) for s in range(86_400)], pa.timestamp("us")),
            "sensor": [f"s{s % 2}" for s in range(86_400)],
            "v": [float((s * 7 + day) % 100) for s in range(86_400)],
        }
    )


def trace(bench: lb.Bench) -> list[str]:
    """The steps, each timed once on a warm engine."""
    statements = bench._machinery.statements
    params = {"since": dt.datetime(2026, 1, 8)}
    bench.kadeql("SELECT 1 AS warm")
    out: list[str] = []

    def step(number: str, what: str, run):
        started = time.perf_counter()
        made = run()
        out.append(f"{number}  {(time.perf_counter() - started) * 1e3:7.2f} ms  {what(made)}")
        return made

    (query,) = step(
        "1+2",
        lambda made: f"parsed and classified as {made[0].kind.name}; DuckDB will see:",
        lambda: statements.parse(TEXT),
    )
    out += ["                  " + line for line in query.sql.splitlines()]
    ask = Ask(params=params, identity=lb.Identity("reader", roles=("owner",)))
    pinned = step(
        "3  ",
        lambda made: f"pinned snapshot {made.id} with {len(made.tables)} table",
        statements.runner.store.resolve,
    )
    bound = step(
        "4  ",
        lambda made: f"chose {made.choice.engine.name}: {made.choice.reason}",
        lambda: statements.runner.bind(query, ask, pinned),
    )
    for name, source in bound.inputs.sources.items():
        out.append(f"5               source {name!r}: {source.rows():,} rows")
    bound = step(
        "6  ",
        lambda made: (
            f"rules: {', '.join(fired.name for fired in made.rules) or 'none has more to leave out'}"
        ),
        lambda: statements.runner.binder.reduced(bound),
    )
    table = step(
        "7  ", lambda made: f"ran: {made.num_rows} rows out",
        lambda: bound.choice.engine.run(SqlFragment(query.sql, params), bound.inputs),
    )  # fmt: skip
    counters = bound.inputs.counters
    out.append(
        f"                  segments {counters.segments_read} read, {counters.segments_pruned} pruned; {counters.rows_read:,} rows, {counters.bytes_read:,} bytes"
    )
    out.append(f"8               Arrow: {', '.join(f'{f.name} {f.type}' for f in table.schema)}")
    result = bench.kadeql(TEXT, params)
    out.append(f"                  {result.run.badge}")
    again = bench.kadeql(TEXT, params)
    out.append(f"9                 {again.run.badge}")
    return out


def main() -> None:
    """Make the bench, trace the query, rewrite the page between its markers."""
    with tempfile.TemporaryDirectory() as folder, lb.open(Path(folder) / "trace.luma") as bench:
        for day in range(8):
            bench.write("readings", segment(day), mode="append" if day else "create")
        bench.tag("eight")
        lines = trace(bench)
    versions = f"Luma Bench {lb.__version__}, DuckDB {duckdb.__version__}, PyArrow {pa.__version__}, Python {platform.python_version()}"
    block = "\n".join(["```text", *TEXT.splitlines(), "", *lines, "```", "", f"({versions})"])
    page = PAGE.read_text("utf-8")
    head, tail = page.split("<!-- trace: begin -->")[0], page.split("<!-- trace: end -->")[1]
    PAGE.write_text(f"{head}<!-- trace: begin -->\n{block}\n<!-- trace: end -->{tail}", "utf-8")
    print(f"wrote {PAGE.relative_to(PAGE.parent.parent.parent)}")


if __name__ == "__main__":
    main()
