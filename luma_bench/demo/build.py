"""Writes the tour's tables into a bench, once."""

from __future__ import annotations

from collections.abc import Callable

from luma_bench.bench.bench import Bench
from luma_bench.demo import graphs
from luma_bench.demo.tables import DemoTable, tables
from luma_bench.errors import CatalogError
from luma_bench.types.record import Snapshot

TAG = "tour-v1"
"""The snapshot at which every table of the tour stands as written; a change of the tables gets a new tag."""

NAMES = ("airlines", "airports", "flights", "planes", "rotations", "routes", "weather", "weather_days")
"""The tour's tables."""

Say = Callable[[str], None]


def build(bench: Bench, progress: Say = lambda _: None) -> Snapshot:
    """Write the tour's tables and tag the snapshot `tour-v1`.

    A bench that has the tag is kept as it is, and an interrupted build goes on where it stopped.

    Parameters
    ----------
    bench
        A writable bench.
    progress
        Hears a line before each step.

    Returns
    -------
    Snapshot
        The tagged snapshot.

    Raises
    ------
    CatalogError
        The bench has a table of its own under one of the names; nothing of it is touched.
    DemoDataError
        A package with the data is not installed.
    """
    tagged = tour_snapshot(bench)
    if tagged is not None:
        progress(f"{bench.path} has the tour already ({TAG} is snapshot {tagged.id})")
        _complete(bench, progress)
        return tagged
    written = {snapshot.message for snapshot in bench.snapshots()}
    present = {name for name in bench.tables() if name in NAMES}
    foreign = sorted(name for name in present if _message(name) not in written)
    if foreign:
        raise CatalogError(
            f"{str(bench.path)!r} has a table {foreign[0]!r} of its own.",
            hint="Build the tour into a bench of its own: luma-bench demo --out another-folder",
        )
    for table in tables(lambda what: progress(f"reading {what}")):
        if table.name not in present:
            progress(f"writing {table.name}: {table.data.num_rows:,} rows from {table.source}")
            _write(bench, table)
    for name in graphs.make(bench):
        progress(f"made the graph {name}")
    return bench.tag(TAG)


def _complete(bench: Bench, progress: Say) -> None:
    """Add the graphs to a tour that was built before there were any."""
    if bench.read_only:
        return
    if "rotations" not in bench.tables():
        progress("writing rotations, from the flights")
        bench.write("rotations", graphs.rotations(bench.table("flights").to_arrow()), sort_by="flight_id")
    for name in graphs.make(bench):
        progress(f"made the graph {name}")


def tour_snapshot(bench: Bench) -> Snapshot | None:
    """The snapshot tagged `tour-v1`, None when the bench has no tour."""
    return next((snapshot for snapshot in bench.snapshots() if TAG in snapshot.tags), None)


def _write(bench: Bench, table: DemoTable) -> None:
    bench.write(
        table.name,
        table.data,
        mode="create",
        primary_key=table.primary_key,
        sort_by=table.sort_by,
        time_column=table.time_column,
        series_key=table.series_key,
        message=_message(table.name),
    )


def _message(name: str) -> str:
    return f"{TAG}: {name}"
