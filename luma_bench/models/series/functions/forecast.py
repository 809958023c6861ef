"""FORECAST: what comes behind a series, with intervals: the last season again, exponential smoothing, or ARIMA."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.models.control import Control
from luma_bench.models.series.functions.extras import extra
from luma_bench.models.series.functions.seasonal import rows_of
from luma_bench.models.series.functions.spec import (
    Answer,
    Batch,
    Floats,
    FunctionSpec,
    Option,
    OutputColumn,
    Values,
)
from luma_bench.models.series.length import DAY, HOUR
from luma_bench.models.series.runs import Ints

Foreseen = tuple[Floats, Floats, Floats]
"""The forecast, and the ends of its interval."""
_Model = Callable[[Floats, int, int, float, Control], Foreseen]

_LEARNT: Final = 2_000
"""Rows at the end of a series that a model is fitted to, or ten seasons where these are more."""
_LEAST: Final = 10
"""Rows that a model is fitted to at least."""
_SEARCHED: Final = 500
"""Rows that ARIMA is fitted to, or four seasons where these are more."""
_WAVES: Final = 4
_UNSTEADY: Final = 0.05
"""The level of the test whether what is left has to be differenced."""
_ORDERS: Final = 4
_MOVES: Final = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))


def _forecast(batch: Batch, options: Values, control: Control) -> Answer:
    horizon = int(options["horizon"])
    parts: list[Foreseen] = []
    times: list[Ints] = []
    methods: list[str] = []
    counts = [0]
    for _, rows in batch.each(control):
        time, values = batch.time[rows], batch.values[rows]
        steps = np.diff(time)
        step = round(float(np.median(steps))) if len(steps) else 0
        if step <= 0 or np.count_nonzero(np.isfinite(values)) < 2:
            counts.append(0)
            continue
        season = _season(options, time, step * batch.unit, batch.unit)
        method, found = foreseen(
            _filled(values), season, horizon, options["level"], options["method"], control
        )
        parts.append(found)
        times.append(time[-1] + step * np.arange(1, horizon + 1))
        methods += [method] * horizon
        counts.append(horizon)
    columns: dict[str, Any] = {
        name: np.concatenate([np.empty(0), *(part[at] for part in parts)])
        for at, name in enumerate(("forecast", "lower", "upper"))
    }
    columns["method"] = methods
    return Answer(np.cumsum(counts), columns, time=np.concatenate([np.empty(0, np.int64), *times]))


def _season(options: Values, time: Ints, step: int, unit: int) -> int:
    """The rows of a season: of the period that is given, else of a day or a week, whichever is longer than a step; 1 for none."""
    period = options["period"]
    if period is not None:
        return max(rows_of(time, period.fixed / unit), 1)
    if step <= 2 * HOUR:
        return max(round(DAY / step), 1)
    return 7 if step == DAY else 1


def _filled(values: Floats) -> Floats:
    """Missing values on the straight line between their neighbours."""
    here = np.isfinite(values)
    if here.all():
        return values
    places = np.arange(len(values))
    return np.interp(places, places[here], values[here])


def foreseen(
    values: Floats, season: int, horizon: int, level: float, method: str, control: Control
) -> tuple[str, Foreseen]:
    """The next `horizon` values, and the method that gave them.

    Parameters
    ----------
    values
        float64, finite, two at least, at even steps.
    season
        Rows of a season; 1 for none.
    method
        `seasonal_naive`, `holt_winters`, `auto_arima`, or `auto`: the better of the first two over the last rows, where
        statsmodels is installed. A series of fewer than 10 rows is always answered by `seasonal_naive`.

    Raises
    ------
    UnsupportedError
        statsmodels is not installed, and `holt_winters` or `auto_arima` was asked for.
    """
    if method == "auto":
        method = _better(values, season, horizon, control)
    elif method != "seasonal_naive":
        extra("statsmodels.tsa.api", f"FORECAST with method => {method!r}")
    if len(values) < _LEAST:
        method = "seasonal_naive"
    return method, _METHODS[method](values, season, horizon, level, control)


def _better(values: Floats, season: int, horizon: int, control: Control) -> str:
    """The method with the smaller mean error over the last rows, foreseen from those before them."""
    kept = min(horizon, len(values) // 4)
    if len(values) - kept < _LEAST:
        return "seasonal_naive"
    try:
        extra("statsmodels.tsa.api", "FORECAST")
    except UnsupportedError:
        # The method is a column of the answer.
        return "seasonal_naive"
    errors: dict[str, float] = {}
    for method in ("seasonal_naive", "holt_winters"):
        guess = _METHODS[method](values[:-kept], season, kept, 0.95, control)[0]
        errors[method] = float(np.mean(np.abs(guess - values[-kept:])))
    return min(errors, key=lambda name: errors[name])


def _seasonal_naive(values: Floats, season: int, horizon: int, level: float, control: Control) -> Foreseen:
    """The last season again. Hyndman, Athanasopoulos: Forecasting, principles and practice (3rd edition), 5.2 and 5.5."""
    control.check()
    season = season if len(values) >= 2 * season else 1
    ahead = np.arange(horizon)
    forecast = values[len(values) - season + ahead % season]
    errors = values[season:] - values[:-season]
    spread = np.sqrt(np.mean(errors**2)) * np.sqrt(ahead // season + 1)
    return _around(forecast, spread, level)


def _around(forecast: Floats, spread: Floats, level: float) -> Foreseen:
    from scipy.special import ndtri

    reach = float(ndtri((1 + level) / 2)) * spread
    return forecast, forecast - reach, forecast + reach


def _learnt(values: Floats, season: int) -> Floats:
    return values[-max(_LEARNT, 10 * season) :]


def _holt_winters(values: Floats, season: int, horizon: int, level: float, control: Control) -> Foreseen:
    """Additive Holt-Winters with a damped trend, as a state space model (ETS(A, Ad, A))."""
    import pandas as pd

    control.check()
    known = _learnt(values, season)
    model = extra("statsmodels.tsa.api", "FORECAST").ETSModel
    seasonal = season > 1 and len(known) >= 2 * season
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model(
            pd.Series(known),  # predictions of plain arrays have no intervals
            error="add",
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=season if seasonal else None,
            initialization_method="heuristic",  # to estimate each place of a season takes seconds
        ).fit(disp=False)
        found = fitted.get_prediction(start=len(known), end=len(known) + horizon - 1)
        ends = found.pred_int(alpha=1 - level)
    lower, upper = np.asarray(ends, np.float64).T
    return np.asarray(found.predicted_mean, np.float64), lower, upper


def _auto_arima(values: Floats, season: int, horizon: int, level: float, control: Control) -> Foreseen:
    """ARIMA whose orders a stepwise search finds by AICc, around a season of sines.

    Hyndman, Khandakar: Automatic time series forecasting, the forecast package for R (2008); seasons as dynamic
    harmonic regression: Hyndman, Athanasopoulos: Forecasting, principles and practice (3rd edition), 10.5.
    """
    known = values[-max(_SEARCHED, 4 * season) :]
    api = extra("statsmodels.tsa.api", "FORECAST")
    tools = extra("statsmodels.tsa.stattools", "FORECAST")
    waves = _waves(len(known) + horizon, season if len(known) >= 2 * season else 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Differences of neighbours tell the season whatever the trend does.
        weights = np.linalg.lstsq(np.diff(waves[: len(known)], axis=0), np.diff(known), rcond=None)[0]
        seasonal = waves @ weights
        rest = known - seasonal[: len(known)]
        steady, often = rest, 0
        while often < 2 and np.ptp(steady) > 0 and tools.kpss(steady, nlags="auto")[1] < _UNSTEADY:
            steady, often = np.diff(steady), often + 1

        def fitted(orders: tuple[int, int]) -> Any:
            control.check()
            model = api.SARIMAX(
                rest,
                order=(orders[0], often, orders[1]),
                trend="c" if often < 2 else None,
                enforce_stationarity=False,
                enforce_invertibility=False,
            )
            return model.fit(disp=False, maxiter=50)

        found = _searched(fitted).get_forecast(horizon)
        ends = np.asarray(found.conf_int(alpha=1 - level), np.float64)
    ahead = seasonal[len(known) :]
    return np.asarray(found.predicted_mean, np.float64) + ahead, ends[:, 0] + ahead, ends[:, 1] + ahead


def _waves(rows: int, season: int) -> Floats:
    """Sines and cosines of a season and its first parts."""
    angles = 2 * np.pi * np.arange(rows) / season
    parts = range(1, min(_WAVES, season // 2) + 1)
    made = [wave(part * angles) for part in parts for wave in (np.sin, np.cos)]
    # Half a season's sine is zero in every row.
    return np.column_stack([wave for wave in made if np.abs(wave).max() > 1e-6] or [np.zeros(rows)])


def _searched(fitted: Callable[[tuple[int, int]], Any]) -> Any:
    """The fit of the least AICc: from some orders, one step after the other, as long as it gets better."""
    known = {orders: fitted(orders) for orders in ((2, 2), (0, 0), (1, 0), (0, 1))}

    def worth(orders: tuple[int, int]) -> float:
        value = float(known[orders].aicc)
        return value if np.isfinite(value) else np.inf

    best = min(known, key=worth)
    while True:
        near = [(best[0] + p, best[1] + q) for p, q in _MOVES]
        near = [
            orders for orders in near if orders not in known and min(orders) >= 0 and max(orders) <= _ORDERS
        ]
        known |= {orders: fitted(orders) for orders in near}
        better = min(known, key=worth)
        if better == best:
            return known[best]
        best = better


_METHODS: Final[dict[str, _Model]] = {
    "seasonal_naive": _seasonal_naive,
    "holt_winters": _holt_winters,
    "auto_arima": _auto_arima,
}

FORECAST: Final = FunctionSpec(
    name="FORECAST",
    help=(
        "The values that come next in each series, one step of its rows apart (the median step), with an interval. Rows have to come at even steps: bring "
        "others to these first (SAMPLE BY … FILL). Missing values are taken from the line between their neighbours. Models are fitted to the last 2,000 rows, "
        "or ten seasons where these are more; a series of fewer than 10 rows is answered by `seasonal_naive`, one of fewer than 2 not at all."
    ),
    options=(
        Option(
            name="horizon",
            kind="int",
            default=24,
            least=1,
            most=100_000,
            help="how many rows to foresee (24)",
        ),
        Option(
            name="method",
            kind="choice",
            default="auto",
            among=("auto", *_METHODS),
            help=(
                "`seasonal_naive` repeats the last season, `holt_winters` smooths level, trend and season, `auto_arima` searches an ARIMA, `auto` takes the better "
                "of the first two over the last rows ('auto')"
            ),
        ),
        Option(
            name="period",
            kind="length",
            help="the season: '1d'; without it a day for steps of up to two hours, a week for days, else none",
        ),
        Option(
            name="level",
            kind="float",
            default=0.95,
            above=0,
            most=0.9999,
            help="how likely a value is inside of the interval (0.95)",
        ),
    ),
    columns=(
        OutputColumn("forecast", pa.float64(), "the expected value"),
        OutputColumn("lower", pa.float64(), "the lower end of the interval"),
        OutputColumn("upper", pa.float64(), "its upper end"),
        OutputColumn("method", pa.string(), "what foresaw it"),
    ),
    run=_forecast,
    rows="new",
    together=False,
)
