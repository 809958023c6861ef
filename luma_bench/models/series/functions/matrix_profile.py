"""MATRIX_PROFILE: for each stretch of a series, how far the most alike other stretch is, and where.

All pairs are compared, all those of one distance at once: the sums of products of two stretches are sums over a sliding
window then. Each is put together of what a block ends with and what the next one begins with, so that no value
outside of a window ever enters its sum (van Herk: A fast algorithm for local minimum and maximum filters, 1992).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from luma_bench.models.control import Control
from luma_bench.models.series.functions.spec import (
    Answer,
    Batch,
    Floats,
    FunctionSpec,
    Option,
    OutputColumn,
    Values,
)
from luma_bench.models.series.runs import Bools, Ints

_CELLS: Final = 1 << 17
"""Values that are laid out at once."""
_SHARED: Final = 2_048
"""Stretches from which on two threads share the pairs."""
_STEADY: Final = 1e-9
"""A stretch whose standard deviation is below this part of its greatest value counts as constant."""


def _matrix_profile(batch: Batch, options: Values, control: Control) -> Answer:
    window = int(options["window"])
    distance = np.full(len(batch.values), np.nan)
    nearest = np.ma.masked_all(len(batch.values), np.int64)
    for _, rows in batch.each(control):
        values = batch.values[rows]
        if len(values) < 2 * window:
            continue
        apart, places = matrix_profile(values, window, control)
        found = np.flatnonzero(places >= 0)
        distance[rows.start + found] = apart[found]
        nearest[rows.start + found] = batch.time[rows][places[found]]
    return Answer(batch.offsets, {"distance": distance, "nearest": nearest})


def matrix_profile(values: Floats, window: int, control: Control) -> tuple[Floats, Ints]:
    """The z-normalised Euclidean distance of each stretch from its nearest other one, and where that begins.

    Stretches that begin within a quarter of the window of each other are not compared. Two constant stretches are 0
    apart, a constant one and another `sqrt(window)`. Yeh and others: Matrix Profile I (ICDM 2016).

    Parameters
    ----------
    values
        float64; a stretch with a value that is not finite has no neighbour.
    window
        Rows of a stretch, 3 at least.

    Returns
    -------
    distances, places
        One each for `len(values) - window + 1` stretches; infinite and -1 where there is none.
    """
    first, stretches = -(-window // 4) + 1, len(values) - window + 1
    prepared = _prepared(values, window)
    if stretches - first < _SHARED:
        best, places = _searched(prepared, range(first, stretches), control)
    else:
        with ThreadPoolExecutor(2) as pool:
            halves = [range(first + half, stretches, 2) for half in (0, 1)]
            (best, places), (other, there) = pool.map(lambda part: _searched(prepared, part, control), halves)
        better = np.flatnonzero(other > best)
        best[better], places[better] = other[better], there[better]
    distance = np.sqrt(np.maximum(2 * window * (1 - np.maximum(best, -1.0)), 0.0))
    distance[places < 0] = np.inf
    return distance, places


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A series, and by stretch what the correlation of two is put together of.

    Attributes
    ----------
    values
        Around zero; zero where there is none.
    scale, shift
        The correlation is `sum * scale * scale' - shift * shift'`.
    added
        What is added to it, once for each of the two: a half for constant ones, whose correlation is zero without; minus
        infinity for those without a neighbour. None where there are no such.
    """

    values: Floats
    window: int
    scale: Floats
    shift: Floats
    added: Floats | None


def _prepared(values: Floats, window: int) -> _Prepared:
    finite = np.isfinite(values)
    usable = np.lib.stride_tricks.sliding_window_view(finite, window).all(axis=1)
    level = float(np.median(values[finite])) if finite.any() else 0.0
    centred = np.where(finite, values - level, 0.0)
    means, squares, steady = _moments(centred, window)
    plain = usable & ~steady
    scale = np.zeros(len(means))
    scale[plain] = 1 / np.sqrt(squares[plain])
    added = None
    if not plain.all():
        # The distance of a constant stretch from one that is not is sqrt(window): the correlation 1/2.
        added = np.where(usable, np.where(steady, 0.5, 0.0), -np.inf)
    return _Prepared(centred, window, scale, means * scale * np.sqrt(window), added)


def _moments(centred: Floats, window: int) -> tuple[Floats, Floats, Bools]:
    """Of each stretch its mean, its squared deviations, and whether it is constant."""
    count = len(centred) - window + 1
    means, squares, greatest = (np.empty(count) for _ in range(3))
    step = max(1, _CELLS // window)
    for first in range(0, count, step):
        cells = centred[first : first + step + window - 1]
        part = np.lib.stride_tricks.sliding_window_view(cells, window)
        here = slice(first, first + len(part))
        means[here] = part.mean(axis=1)
        squares[here] = ((part - means[here, None]) ** 2).sum(axis=1)
        greatest[here] = np.abs(part).max(axis=1)
    return means, squares, squares <= window * (_STEADY * greatest) ** 2


def _searched(series: _Prepared, distances: range, control: Control) -> tuple[Floats, Ints]:
    """The greatest correlation of each stretch with those that begin some rows before or behind it, and where that is."""
    count, window = len(series.scale), series.window
    best, places = np.full(count, -np.inf), np.full(count, -1, np.int64)
    blocks = -(-len(series.values) // window) + 1
    products = np.zeros(blocks * window)
    tails, heads = np.empty((blocks, window)), np.zeros(blocks * window + 1)
    alike, other = np.empty(count), np.empty(count)
    for number, apart in enumerate(distances):
        if number % 64 == 0:
            control.check()
        length = len(series.values) - apart
        pairs = count - apart
        used = -(-length // window)
        np.multiply(series.values[:length], series.values[apart:], out=products[:length])
        products[length : used * window] = 0.0
        cut = products[: used * window].reshape(used, window)
        # Running sums from each place to the end of its block, and up to each place from the beginning of its block.
        np.cumsum(cut[:, ::-1], axis=1, out=tails[:used, ::-1])
        np.cumsum(cut, axis=1, out=heads[1 : used * window + 1].reshape(used, window))
        heads[: used * window + 1 : window] = 0.0
        found, more = alike[:pairs], other[:pairs]
        np.add(tails.reshape(-1)[:pairs], heads[window : window + pairs], out=found)
        found *= series.scale[:pairs]
        found *= series.scale[apart:]
        np.multiply(series.shift[:pairs], series.shift[apart:], out=more)
        found -= more
        if series.added is not None:
            np.add(series.added[:pairs], series.added[apart:], out=more)
            found += more
        better = np.flatnonzero(found > best[:pairs])
        best[better], places[better] = found[better], better + apart
        better = np.flatnonzero(found > best[apart:])
        best[better + apart], places[better + apart] = found[better], better
    return best, places


MATRIX_PROFILE: Final = FunctionSpec(
    name="MATRIX_PROFILE",
    help=(
        "For the stretch of `window` rows that begins at each row, the z-normalised Euclidean distance of the most alike other stretch of the series, and the "
        "time where that begins. The least distances are motifs, the greatest discords. NULL where no stretch begins, or one has a missing value. The work "
        "grows with the square of a series' rows: 100,000 take about a minute."
    ),
    options=(
        Option(name="window", kind="int", required=True, least=3, most=1_000_000, help="rows of a stretch"),
    ),
    columns=(
        OutputColumn(
            "distance", pa.float64(), "how far the most alike other stretch is, from 0 to 2 · sqrt(window)"
        ),
        OutputColumn("nearest", None, "the time of that stretch's first row"),
    ),
    run=_matrix_profile,
    together=False,
)
