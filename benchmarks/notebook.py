"""What a person waits for in JupyterLab: a large result, scrolling, sorting, names to complete, the catalog, the page itself."""

from __future__ import annotations

import io
import statistics
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import luma_bench as lb
from benchmarks.harness import SuiteResult, Target, Timing
from benchmarks.notebook_lab import RUN_UNTIL, browser, opened, run_cells, server
from benchmarks.suite import Request

LUMA, WITHOUT = "luma", "without it"
ROWS, TABLES = 10_000_000, 1_000
_ROW = ".lg-row .lg-cell:not(.lg-waiting)"
_LOAD = "%load_ext luma_bench\n%luma open big.luma"
_BIG = (
    f"%%kadeql r <<\nSELECT range AS id, (range * 7919) % {ROWS} AS value, 'text ' || (range % 1000) AS word, "
    f"range / 3.0 AS third FROM range({ROWS})"
)
_SLOW = "%%kadeql --no-cache\nSELECT count(*) FROM range(100_000_000) a, range(100_000) b WHERE hash(a.range, b.range) = 7"
_FRAMES = """async () => {
  const scroller = document.querySelector('.lg-scroll');
  const began = performance.now();
  let frames = 0;
  while (performance.now() - began < 3000) {
    scroller.scrollTop += 400;
    await new Promise(next => requestAnimationFrame(next));
    frames += 1;
  }
  return frames * 1000 / (performance.now() - began);
}"""
_SORT = """async () => {
  const began = performance.now();
  const head = [...document.querySelectorAll('.lg-head')].find(h => h.querySelector('.lg-head-name').textContent === 'value');
  const first = () => document.querySelector('.lg-row[aria-rowindex="2"]')?.querySelectorAll('.lg-cell')[1]?.textContent;
  const before = first();
  const name = head.querySelector('.lg-head-name');
  const { left, top } = name.getBoundingClientRect();
  for (const type of ['pointerdown', 'pointerup', 'click'])
    name.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, pointerId: 1, clientX: left + 2, clientY: top + 2 }));
  const wanted = descending => descending ? '9999999' : '0';
  for (;;) {
    await new Promise(next => requestAnimationFrame(next));
    const sort = head.getAttribute('aria-sort');
    if (sort !== 'none' && first() === wanted(sort === 'descending')) return performance.now() - began;
    if (performance.now() - began > 60000) throw new Error(`still ${first()}, before ${before}, sort ${sort}`);
  }
}"""
_COMPLETE = """async texts => {
  const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext);
  const kernel = panel.sessionContext.session.kernel;
  const found = [];
  for (const code of texts) {
    const began = performance.now();
    const reply = await kernel.requestComplete({ code, cursor_pos: code.length });
    found.push([performance.now() - began, reply.content.matches.length]);
  }
  return found;
}"""
_ASK = """async ([path, bodies]) => {
  const found = [];
  const cookie = document.cookie.match(/_xsrf=([^;]*)/);
  for (const body of bodies) {
    const began = performance.now();
    const reply = await fetch(path, { method: 'POST', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', 'X-XSRFToken': cookie ? cookie[1] : '' } });
    if (!reply.ok) throw new Error(await reply.text());
    await reply.json();
    found.push(performance.now() - began);
  }
  return found;
}"""
_CATALOG = """async () => {
  const began = performance.now();
  await window.jupyterapp.commands.execute('luma-bench:show-catalog');
  for (;;) {
    await new Promise(next => requestAnimationFrame(next));
    if ([...document.querySelectorAll('.luma-tree-row')].some(row => row.textContent.includes('table_'))) return performance.now() - began;
    if (performance.now() - began > 60000) throw new Error('no table is shown');
  }
}"""


def run(request: Request) -> SuiteResult:
    """Ask everything of one page, then start JupyterLab with and without the extension, in turn."""
    rounds = 2 if request.quick else request.rounds
    seconds: dict[str, list[float]] = {}
    facts: dict[str, float] = {}
    with request.scratch() as folder, browser() as chromium:
        with server(folder / "lab") as lab:
            _bench(lab.root / "big.luma")
            lab.write("big.ipynb", [_LOAD, _BIG, "r", "r.grid()", _SLOW])
            _large(chromium, lab, rounds, seconds, facts)
        starts = _starts(chromium, folder, rounds)
    timings = [
        *(Timing(name, LUMA, tuple(value / 1e3 for value in values)) for name, values in seconds.items()),
        *starts,
    ]
    result = SuiteResult(
        "notebook",
        f"JupyterLab in headless chromium: a result of {ROWS:,} rows, a bench of {TABLES:,} tables",
        LUMA,
        WITHOUT,
        tuple(timings),
    )
    return SuiteResult(
        result.name,
        result.title,
        LUMA,
        WITHOUT,
        result.timings,
        _targets(seconds, facts, starts),
        (
            "A page's start is counted from the second page of a server on: with the first, the server loads the engine in the background.",
        ),
        tails=True,
    )


def _bench(path: Path) -> None:
    with lb.open(path) as bench, bench.transaction(message="a thousand tables") as change:
        for number in range(TABLES):
            change.write(
                f"table_{number:04}",
                {"id": np.arange(10), "name": [f"n{k}" for k in range(10)], f"figure_{number}": np.arange(10) / 3},
                mode="create",
            )  # fmt: skip


def _large(
    chromium: Any, lab: Any, rounds: int, seconds: dict[str, list[float]], facts: dict[str, float]
) -> None:
    received: list[int] = []
    page = opened(chromium, lab, "big.ipynb", received)
    run_cells(page, 2)
    page.wait_for_timeout(1000)
    seconds["complete"] = [took for took, count in page.evaluate(_COMPLETE, _texts(120)) if count]
    for number in range(rounds + 1):
        before = sum(received)
        took = page.evaluate(RUN_UNTIL, [2, _ROW])
        if number:  # the first loads the grid's own code
            seconds.setdefault("first page", []).append(took)
        page.wait_for_timeout(300)
        facts["first page and histograms, kB"] = (sum(received) - before) / 1e3
    facts["frames a second"] = min(page.evaluate(_FRAMES) for _ in range(rounds))
    page.evaluate("() => { document.querySelector('.lg-scroll').scrollTop = 0; }")
    seconds["sort"] = [page.evaluate(_SORT) for _ in range(2)]
    # The first rows are shown; the other ten million are still being sorted.
    seconds["complete, a sort behind it"] = [
        took for took, count in page.evaluate(_COMPLETE, _texts(120)) if count
    ]
    bench = str(lab.root / "big.luma")
    bodies = [{"text": text, "cell": True, "bench": bench} for text in _texts(30, whole=True)]
    seconds["lint"] = page.evaluate(_ASK, [f"{lab.url}luma-bench/lint", bodies])[1:]
    seconds["catalog"] = []
    for _ in range(rounds):
        seconds["catalog"].append(page.evaluate(_CATALOG))
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.evaluate(RUN_UNTIL, [4, ".luma-progress-cancel"])
    seconds["lint, kernel busy"] = page.evaluate(_ASK, [f"{lab.url}luma-bench/lint", bodies])
    seconds["cancel"] = [
        page.evaluate(
            """async () => {
  const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext);
  const began = performance.now();
  document.querySelector('.luma-progress-cancel').click();
  while (panel.sessionContext.session.kernel.status !== 'idle') await new Promise(next => setTimeout(next, 5));
  return performance.now() - began;
}"""
        )
    ]
    page.close()


def _texts(count: int, *, whole: bool = False) -> list[str]:
    made: list[str] = []
    for number in range(count):
        table = f"table_{(number * 37) % TABLES:04}"
        ends = (
            [f"SELECT id, figure FROM {table} WHERE id = 3", f"SELECT sum(id) FROM {table} GROUP BY name"]
            if whole
            else [
                f"SELECT * FROM {table[:-2]}",
                f"SELECT t.fi FROM {table} t WHERE t.na",
                "SELECT cou",
                f"SELECT {table}.i",
            ]
        )
        made.append(f"%%kadeql\n{ends[number % len(ends)]}")
    return made


def _starts(chromium: Any, folder: Path, rounds: int) -> Sequence[Timing]:
    """From asking for the page until its notebook stands, with the extension and without it, in turn."""
    found: dict[str, list[float]] = {LUMA: [], WITHOUT: []}
    with server(folder / "with") as whole, server(folder / "without", bare=True) as bare:
        for lab in (whole, bare):
            lab.write("empty.ipynb", ["1 + 1"])
        for number in range(rounds + 1):
            for name, lab in ((LUMA, whole), (WITHOUT, bare)):
                page = chromium.new_page(viewport={"width": 1400, "height": 900})
                page.goto(lab.address("empty.ipynb"))
                page.wait_for_selector(".jp-Notebook .jp-Cell")
                took = page.evaluate("() => performance.now()")
                if number == 0:
                    page.wait_for_function("() => !!window.jupyterapp")
                    has = page.evaluate(
                        "() => window.jupyterapp.commands.hasCommand('luma-bench:show-catalog')"
                    )
                    assert has == (name == LUMA), f"{name}: the extension is {'there' if has else 'missing'}"
                    page.wait_for_timeout(8000)  # the server loads the engine in the background, once
                else:
                    found[name].append(took / 1e3)
                page.close()
    return [Timing("JupyterLab's start", name, tuple(values)) for name, values in found.items()]


def _targets(
    seconds: dict[str, list[float]], facts: dict[str, float], starts: Sequence[Timing]
) -> tuple[Target, ...]:
    def p95(name: str) -> float:
        return sorted(seconds[name])[int(0.95 * (len(seconds[name]) - 1))]

    with_it, without = (statistics.median(timing.seconds) for timing in starts)
    return (
        Target("first page of 10M rows", statistics.median(seconds["first page"]), 300, " ms"),
        Target(
            "first page, bytes on the wire with histograms",
            facts["first page and histograms, kB"],
            200,
            " kB",
        ),
        Target("scrolling, the slowest", facts["frames a second"], 50, " frames a second", at_least=True),
        Target("sort of 10M rows shown, the slower way", max(seconds["sort"]), 1500, " ms"),
        Target("completion, p95", p95("complete"), 50, " ms"),
        Target("lint, p95", p95("lint"), 150, " ms"),
        Target("lint while the kernel is busy, p95", p95("lint, kernel busy"), 150, " ms"),
        Target("catalog of 1,000 tables, the first time", seconds["catalog"][0], 300, " ms"),
        Target("cancel", max(seconds["cancel"]), 1000, " ms"),
        Target("the extension, compressed", _compressed() / 1e6, 1.0, " MB"),
        Target("JupyterLab starts later by", (with_it - without) * 1e3, 150, " ms"),
    )


def _compressed() -> int:
    """Bytes of the built extension in a gzip archive."""
    built = Path(lb.__file__).parent / "labextension"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.add(built, arcname="labextension")
    return len(out.getvalue())
