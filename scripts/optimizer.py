"""Write the figures of the rules over scans into docs/design/optimizer.md: each question with the rules and without."""

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

import luma_bench as lb

PAGE = Path(__file__).parent.parent / "docs" / "design" / "optimizer.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
ROWS, DAYS, SEGMENTS = 4_000_000, 1_600, 4
QUESTIONS = [
    "SELECT count(*) FROM sales",
    "SELECT min(day), max(day), count(price) FROM sales",
    "SELECT count(*) FROM sales WHERE day >= 400 AND day < 1300",
    "SELECT max(price) FROM sales WHERE day = 777",
    "SELECT * FROM sales ORDER BY id DESC LIMIT 10",
    "SELECT * FROM sales WHERE price > 0.5 ORDER BY id LIMIT 10",
    "SELECT * FROM sales ORDER BY price DESC LIMIT 10",
    "SELECT shop, sum(price) FROM sales JOIN days USING (day) WHERE days.month = 30 GROUP BY shop",
    "SELECT sum(price) FROM sales WHERE day IN (SELECT day FROM days WHERE holiday AND month < 6)",
    "SELECT sum(price) FROM sales JOIN shops ON sales.shop = shops.shop WHERE shops.city = 'c7'",
    "SELECT name FROM shops WHERE shop + 0 = 7",
]


def fill(bench: lb.Bench) -> None:
    """Four million sales in the order of their days, the days, and 500 shops."""
    rng = np.random.default_rng(0)
    part = ROWS // SEGMENTS
    for i in range(SEGMENTS):
        ids = np.arange(i * part, (i + 1) * part)
        data = {
            "id": ids,
            "day": (ids * DAYS // ROWS).astype(np.int32),
            "shop": rng.integers(0, 500, part, dtype=np.int32),
            "price": rng.random(part),
            "note": pa.array([f"note {n}" for n in range(1000)]).take(pa.array(rng.integers(0, 1000, part))),
        }
        bench.write("sales", pa.table(data), mode="append" if i else "create")
    days = np.arange(DAYS, dtype=np.int32)
    bench.write("days", {"day": days, "month": days // 30, "holiday": days % 9 == 0})
    shops = np.arange(500, dtype=np.int32)
    bench.write(
        "shops", {"shop": shops, "city": [f"c{n % 20}" for n in shops], "name": [f"n{n}" for n in shops]}
    )


def median(call: Callable[[], object]) -> float:
    """The median of some calls after a few warm ones, in milliseconds."""
    for _ in range(3):
        call()
    taken: list[float] = []
    for _ in range(15):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3


def figures(folder: Path) -> str:
    """The table as Markdown; answers are compared before they are timed."""
    lines = ["| question | rule | rows read | without | ms | without |", "|---|---|---|---|---|---|"]
    with lb.open(folder / "figures.luma", threads=2) as bench:
        fill(bench)
        bench.kadeql("SELECT 1")
        reducer = bench._machinery.statements.runner.binder.reducer
        rules = reducer.rules
        for text in QUESTIONS:

            def ask(engine: str, text: str = text) -> lb.Result:
                reducer.rules = rules if engine == "auto" else frozenset()
                return bench.kadeql(text, engine=engine, cache=False)

            ours, plain = ask("auto"), ask("duckdb")
            same = sorted(map(repr, ours.to_arrow().to_pylist())) == sorted(
                map(repr, plain.to_arrow().to_pylist())
            )
            if not same and "sum" not in text:
                raise SystemExit(f"the answers differ: {text}")
            fired = next(
                (node.name.split()[1] for node in ours.run.nodes if node.name.startswith("rule")), "none"
            )
            name = ours.run.engine if ours.run.engine == "statistics" else fired
            times = f"{median(lambda ask=ask: ask('auto')):.2f} | {median(lambda ask=ask: ask('duckdb')):.2f}"
            lines.append(
                f"| `{text}` | {name} | {ours.run.rows_read:,} | {plain.run.rows_read:,} | {times} |"
            )
    lines += [
        "",
        f"(DuckDB {duckdb.__version__}, PyArrow {pa.__version__}, Python {platform.python_version()}, 2 threads, warm)",
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
