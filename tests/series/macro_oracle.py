"""The aggregates of series over a list of samples, in plain Python: exact fractions where floats would round."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

type Sample = tuple[float, int]
"""A value, and its time in nanoseconds."""

SECOND = 1_000_000_000


def increase(samples: list[Sample]) -> float | None:
    if len(samples) < 2:
        return None
    total = Fraction(0)
    for (before, _), (now, _) in itertools.pairwise(samples):
        total += Fraction(now) - (Fraction(before) if now >= before else 0)
    return float(total)


def delta(samples: list[Sample]) -> float | None:
    return None if len(samples) < 2 else samples[-1][0] - samples[0][0]


def seconds(samples: list[Sample]) -> Fraction:
    return Fraction(samples[-1][1] - samples[0][1], SECOND) if samples else Fraction(0)


def rate(samples: list[Sample]) -> float | None:
    rise = increase(samples)
    return None if rise is None or not seconds(samples) else float(Fraction(rise) / seconds(samples))


def prom_rate(samples: list[Sample], start: int, end: int) -> float | None:
    """As Prometheus' promql/functions.go has it, for a counter's rate."""
    inside = [sample for sample in samples if start <= sample[1] <= end]
    rise = increase(inside)
    if rise is None or not seconds(inside):
        return None
    span = float(seconds(inside))
    mean = span / (len(inside) - 1)
    to_start, to_end = (inside[0][1] - start) / SECOND, (end - inside[-1][1]) / SECOND
    if to_start >= mean * 1.1:
        to_start = mean / 2
    if rise > 0 and inside[0][0] >= 0:
        to_start = min(to_start, span * (inside[0][0] / rise))
    if to_end >= mean * 1.1:
        to_end = mean / 2
    return rise * ((span + to_start + to_end) / span) / ((end - start) / SECOND)


def derivative(samples: list[Sample]) -> float | None:
    if len(samples) < 2 or not seconds(samples):
        return None
    xs = [Fraction(time, SECOND) for _, time in samples]
    ys = [Fraction(value) for value, _ in samples]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return float(sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs))


def integral(samples: list[Sample]) -> float | None:
    if len(samples) < 2:
        return None
    return float(
        sum(
            (Fraction(a) + Fraction(b)) / 2 * Fraction(later - earlier, SECOND)
            for (a, earlier), (b, later) in itertools.pairwise(samples)
        )
    )


def time_weight(samples: list[Sample], until: int | None = None) -> float | None:
    inside = samples if until is None else [sample for sample in samples if sample[1] < until]
    if not inside:
        return None
    ends = [time for _, time in inside[1:]] + [inside[-1][1] if until is None else until]
    span = ends[-1] - inside[0][1]
    if not span:
        return None
    return float(sum(Fraction(v) * (end - t) for (v, t), end in zip(inside, ends, strict=True)) / span)


def quantile(values: list[float], q: float) -> float | None:
    """The exact one of DDSketch's rank, which the sketch's answer is near to."""
    return sorted(values)[math.floor(q * (len(values) - 1))] if values else None
