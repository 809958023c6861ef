"""Aggregates of series that DuckDB has not, as macros of its own: made once a database, when a text first names one.

A macro is an expression of DuckDB's aggregates, so it stands wherever an aggregate may, beside GROUP BY, in HAVING and in
subqueries; DISTINCT, FILTER, ORDER BY and OVER it does not take. Values without a time and times without
a value are left out. Times are read in nanoseconds where the type is that fine and in microseconds elsewhere, so that
far years stay in range.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import duckdb

_LATER: Final = 1 << 19
"""Where the text of a macro begins, behind a comment: an error inside of it has an offset that no view has, and few statements."""
_TRIES: Final = 20
_ERROR: Final = 0.01
"""The fraction of itself that a quantile of a sketch is off by, at most, where no other is given."""

_TIMES: Final = {
    "TIMESTAMP": ("epoch_us", 1e6),
    "TIMESTAMPTZ": ("epoch_us", 1e6),
    "DATE": ("epoch_us", 1e6),
    "TIMESTAMP_NS": ("epoch_ns", 1e9),
    "TIMESTAMPTZ_NS": ("epoch_ns", 1e9),
    "TIMESTAMP_S": ("epoch_us", 1e6),
    "TIMESTAMP_MS": ("epoch_us", 1e6),
}
"""By the types of times: the function that reads one as a whole number, and how many of its units a second has."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How the times of one type are read in SQL."""

    function: str
    second: float

    def seconds(self, later: str, earlier: str) -> str:
        """The seconds between two whole numbers that `function` gave."""
        return f"(({later} - {earlier}) / {self.second!r})"


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro over a value and its time.

    Attributes
    ----------
    call
        How it is written, for messages and documents.
    help
        What it gives.
    bodies
        Parameters and expression of each form, for one type of times; `{time}` stands for that type among parameters.
    timed
        Whether the parameters have times at all.
    before
        What its expressions rely on: a statement that makes it.
    """

    name: str
    call: str
    help: str
    bodies: Callable[[Clock], tuple[tuple[str, str], ...]]
    timed: bool = True
    before: str = ""

    def forms(self) -> list[str]:
        """Every form, as it stands behind the name."""
        clocks = _TIMES.items() if self.timed else list(_TIMES.items())[:1]
        return [
            f"({parameters.format(time=kind)}) AS ({body})"
            for kind, (function, second) in clocks
            for parameters, body in self.bodies(Clock(function, second))
        ]


_KEPT = "value IS NOT NULL AND time IS NOT NULL"
_PARAMETERS = "value DOUBLE, time {time}"
_RANGE = 'value DOUBLE, time {time}, "start" {time}, "end" {time}'
_UNTIL = "value DOUBLE, time {time}, until {time}"


def _count(where: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _list(where: str) -> str:
    return f"list(value ORDER BY time) FILTER (WHERE {where})"


def _pairs(clock: Clock, where: str) -> str:
    return f"list({{'t': {clock.function}(time), 'v': value}} ORDER BY time) FILTER (WHERE {where})"


def _edge(side: str, what: str, where: str) -> str:
    return f"{side}({what}) FILTER (WHERE {where})"


def _increase(where: str) -> str:
    """The steps of a counter; one that drops has begun again at zero. A NaN before a sample is no drop."""
    values = _list(where)
    before = f'({values})["@i" - 1]'
    step = f'CASE WHEN "@i" = 1 THEN 0 WHEN "@x" < {before} AND NOT isnan({before}) THEN "@x" ELSE "@x" - {before} END'
    return f'CASE WHEN {_count(where)} >= 2 THEN list_sum(list_transform({values}, lambda "@x", "@i": {step})) END'


def _span(clock: Clock, where: str) -> str:
    """The seconds from the first sample to the last; NULL for none."""
    last, first = (f"{clock.function}({_edge(side, 'time', where)})" for side in ("max", "min"))
    return f"nullif({clock.seconds(last, first)}, 0)"


def _rate(clock: Clock) -> tuple[tuple[str, str], ...]:
    return ((_PARAMETERS, f"({_increase(_KEPT)}) / {_span(clock, _KEPT)}"),)


def _delta(clock: Clock) -> tuple[tuple[str, str], ...]:
    del clock
    last, first = (_edge(side, "value, time", _KEPT) for side in ("arg_max", "arg_min"))
    return ((_PARAMETERS, f"CASE WHEN {_count(_KEPT)} >= 2 THEN {last} - {first} END"),)


def _extrapolated(clock: Clock, length: str) -> str:
    where = f'{_KEPT} AND time BETWEEN "start" AND "end"'
    first, last = (f"{clock.function}({_edge(side, 'time', where)})" for side in ("min", "max"))
    start, end = (f'{clock.function}(any_value("{name}"))' for name in ("start", "end"))
    given = (
        _increase(where),
        _edge("arg_min", "value, time", where),
        _count(where),
        f"nullif({clock.seconds(last, first)}, 0)",
        clock.seconds(first, start),
        clock.seconds(end, last),
        length.format(clock.seconds(end, start)),
    )
    return f'"@extrapolated"({", ".join(given)})'


def _prom_rate(clock: Clock) -> tuple[tuple[str, str], ...]:
    return ((_RANGE, _extrapolated(clock, "nullif({}, 0)")),)


def _prom_increase(clock: Clock) -> tuple[tuple[str, str], ...]:
    return ((_RANGE, _extrapolated(clock, "1")),)


_EXTRAPOLATED: Final = (
    'CREATE MACRO IF NOT EXISTS "@extrapolated"(rise, first, n, span, before, behind, length) AS '
    "(rise * ((span + least("
    "CASE WHEN before >= span / (n - 1) * 1.1 THEN span / (n - 1) / 2 ELSE before END, "
    "CASE WHEN rise > 0 AND first >= 0 THEN span * (first / rise) END) + "
    "CASE WHEN behind >= span / (n - 1) * 1.1 THEN span / (n - 1) / 2 ELSE behind END) / span) / length)"
)
"""Prometheus' `extrapolatedRate`: to the edges of the range where samples are near them, and never below zero."""


def _derivative(clock: Clock) -> tuple[tuple[str, str], ...]:
    samples = f"list({{'t': {clock.function}(time), 'v': value}}) FILTER (WHERE {_KEPT})"
    moved = f"{_edge('max', 'time', _KEPT)} > {_edge('min', 'time', _KEPT)}"
    return ((_PARAMETERS, f'CASE WHEN {moved} THEN "@slope"({samples}, {clock.second!r}) END'),)


# Around one of the samples: a time as one DOUBLE would lose its fractions, and so would its squares.
_X: Final = 'list_transform(samples, lambda "@p": ("@p".t - samples[1].t) / second)'
_Y: Final = 'list_transform(samples, lambda "@p": "@p".v - samples[1].v)'
_SLOPE: Final = (
    'CREATE MACRO IF NOT EXISTS "@slope"(samples, second) AS '
    f"(len(samples) * list_dot_product({_X}, {_Y}) - list_sum({_X}) * list_sum({_Y}))"
    f" / (len(samples) * list_dot_product({_X}, {_X}) - list_sum({_X}) * list_sum({_X}))"
)
"""The slope of the line of least squares through samples of a time `t` and a value `v`."""


def _integral(clock: Clock) -> tuple[tuple[str, str], ...]:
    pairs = _pairs(clock, _KEPT)
    before = f'({pairs})["@i" - 1]'
    seconds = clock.seconds('"@p".t', f"{before}.t")
    area = f'CASE WHEN "@i" = 1 OR "@p".t = {before}.t THEN 0 ELSE ("@p".v + {before}.v) / 2 * {seconds} END'
    total = f'list_sum(list_transform({pairs}, lambda "@p", "@i": {area}))'
    return ((_PARAMETERS, f"CASE WHEN {_count(_KEPT)} >= 2 THEN {total} END"),)


def _weighted(clock: Clock, where: str) -> str:
    """Each value times the seconds until the next sample, summed."""
    pairs = _pairs(clock, where)
    before = f'({pairs})["@i" - 1]'
    seconds = clock.seconds('"@p".t', f"{before}.t")
    area = f'CASE WHEN "@i" = 1 OR "@p".t = {before}.t THEN 0 ELSE {before}.v * {seconds} END'
    return f'list_sum(list_transform({pairs}, lambda "@p", "@i": {area}))'


def _time_weight(clock: Clock) -> tuple[tuple[str, str], ...]:
    plain = f"{_weighted(clock, _KEPT)} / {_span(clock, _KEPT)}"
    where = f"{_KEPT} AND time < until"
    first = f"{clock.function}({_edge('min', 'time', where)})"
    pairs, until = _pairs(clock, where), f"{clock.function}(any_value(until))"
    last = f"({pairs})[-1]"
    tail = f"{last}.v * {clock.seconds(until, f'{last}.t')}"
    bounded = f"({_weighted(clock, where)} + {tail}) / {clock.seconds(until, first)}"
    return (_PARAMETERS, plain), (_UNTIL, bounded)


def _vwap(clock: Clock) -> tuple[tuple[str, str], ...]:
    del clock
    kept = "FILTER (WHERE price IS NOT NULL AND quantity IS NOT NULL)"
    body = f"sum(price * quantity) {kept} / nullif(sum(quantity) {kept}, 0)"
    return (("price DOUBLE, quantity DOUBLE", body),)


def _ohlc(clock: Clock) -> tuple[tuple[str, str], ...]:
    del clock
    kept = "FILTER (WHERE price IS NOT NULL AND time IS NOT NULL)"
    parts = {
        "open": "arg_min(price, time)", "high": "max(price)", "low": "min(price)", "close": "arg_max(price, time)"
    }  # fmt: skip
    packed = ", ".join(f"'{name}': {aggregate} {kept}" for name, aggregate in parts.items())
    return (("price, time {time}", f"CASE WHEN count(*) {kept} > 0 THEN {{{packed}}} END"),)


def _dd_quantile(clock: Clock) -> tuple[tuple[str, str], ...]:
    """A histogram over buckets that are a constant factor apart, and the middle of the one that holds the rank.

    Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees (VLDB 2019).
    """
    del clock

    def body(base: str) -> str:
        # Buckets of values below zero lie below 0, the bucket of zero; infinity and NaN lie outermost.
        bucket = f"(ceil(ln(abs(x)) / ln({base}))::BIGINT + 1000000000)"
        key = (
            f"CASE WHEN isnan(x) THEN 3000000000 WHEN isinf(x) THEN sign(x)::BIGINT * 2000000000 "
            f"WHEN x = 0 THEN 0 ELSE sign(x)::BIGINT * {bucket} END"
        )
        counts = f"map_entries(histogram({key}) FILTER (WHERE x IS NOT NULL))"
        rank = "floor(q * (count(x) - 1))"
        seen = (
            f'list_reduce(list_transform({counts}, lambda "@e": {{\'k\': "@e".key, \'n\': "@e".value::BIGINT}}), '
            f'lambda "@a", "@b": CASE WHEN "@a".n > {rank} THEN "@a" '
            f'ELSE {{\'k\': "@b".k, \'n\': "@a".n + "@b".n}} END).k'
        )
        value = (
            f"CASE {seen} WHEN 3000000000 THEN 'nan'::DOUBLE WHEN 2000000000 THEN 'inf'::DOUBLE "
            f"WHEN -2000000000 THEN '-inf'::DOUBLE WHEN 0 THEN 0.0 "
            f"ELSE sign({seen}) * (2 / ({base} + 1)) * pow({base}, abs({seen}) - 1000000000) END"
        )
        wrong = "error('dd_quantile: q is from 0 to 1.')"
        return f"CASE WHEN NOT (q BETWEEN 0 AND 1) THEN {wrong} WHEN count(x) > 0 THEN {value} END"

    wrong = "error('dd_quantile: error is above 0 and below 1.')::DOUBLE"
    base = f"CASE WHEN error > 0 AND error < 1 THEN (1 + error) / (1 - error) ELSE {wrong} END"
    plain = repr((1 + _ERROR) / (1 - _ERROR))
    return ("x DOUBLE, q DOUBLE", body(plain)), ("x DOUBLE, q DOUBLE, error DOUBLE", body(f"({base})"))


_MACROS: Final = (
    Macro("increase", "increase(value, time)", "how much a counter rose; a value below the one before it has begun again at zero. NULL for fewer than two samples", lambda clock: ((_PARAMETERS, _increase(_KEPT)),)),
    Macro("delta", "delta(value, time)", "the last value less the first one. NULL for fewer than two samples", _delta),
    Macro("rate", "rate(value, time)", "`increase` a second, between the first sample and the last. NULL for fewer than two samples, or no time between them", _rate),
    Macro("prom_rate", "prom_rate(value, time, start, end)", "Prometheus' `rate` of a counter's samples from `start` to `end`: extrapolated to both where samples are near them, and not below zero", _prom_rate, before=_EXTRAPOLATED),
    Macro("prom_increase", "prom_increase(value, time, start, end)", "`prom_rate` times the seconds from `start` to `end`: Prometheus' `increase`", _prom_increase, before=_EXTRAPOLATED),
    Macro("derivative", "derivative(value, time)", "the slope of the line of least squares, a second", _derivative, before=_SLOPE),
    Macro("integral", "integral(value, time)", "the area under straight lines between the samples, in value · seconds", _integral),
    Macro("time_weight", "time_weight(value, time[, until])", "the mean where each value counts for the time until the next sample, the last one until `until`; without `until` the last one ends the time", _time_weight),
    Macro("twap", "twap(price, time[, until])", "`time_weight` of a price", _time_weight),
    Macro("vwap", "vwap(price, quantity)", "the mean price, each counting as often as its quantity", _vwap, timed=False),
    Macro("ohlc", "ohlc(price, time)", "the first, highest, lowest and last price, as a STRUCT(open, high, low, close)", _ohlc),
    Macro("dd_quantile", "dd_quantile(x, q[, error])", "a quantile that is off by a fraction `error` (0.01) of itself at most, from a sketch (DDSketch)", _dd_quantile, timed=False),
)  # fmt: skip

MACROS: Final = {macro.name: macro for macro in _MACROS}
"""The macros by their names."""


def make_macros(con: duckdb.DuckDBPyConnection, folded: str, made: set[str]) -> None:
    """Have the macros that a casefolded text may name; `made` are those that the connection's database has.

    Raises
    ------
    duckdb.Error
        The database is closed or unusable.
    """
    for name in MACROS:
        if name not in made and name in folded and re.search(rf"\b{name}\b", folded):
            _make(con, MACROS[name])
            made.add(name)


def _make(con: duckdb.DuckDBPyConnection, macro: Macro) -> None:
    text = f"/*{' ' * _LATER}*/CREATE MACRO IF NOT EXISTS {macro.name}{', '.join(macro.forms())}"
    for statement in filter(None, (macro.before, text)):
        _execute(con, statement)


def _execute(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    for _ in range(_TRIES):
        try:
            con.execute(statement)
        except duckdb.TransactionException:
            # Another connection makes it at this moment.
            continue
        return
    con.execute(statement)
