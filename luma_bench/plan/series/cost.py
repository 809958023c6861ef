"""What a grouped construct costs, by sorted runs and by SQL.

The figures are nanoseconds a row of one thread, measured over 8 million rows of 500 series; only their proportions matter.
"""

from __future__ import annotations

from dataclasses import dataclass

_START = 400_000.0
_READ = 1.0
_GROUP = 1.5
_COLUMN = 1.5
_SORT = 110.0
_FOLD = 117.0
_SQL_START = 3_000_000.0
_SQL_ROW = 8.0
_SQL_COLUMN = 3.0
_SQL_WINDOWS = 3.0
_SQL_SESSION = 60.0
_SQL_ORDERED = 120.0


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do.

    Attributes
    ----------
    rows
        The rows that are read, about.
    sorted_share
        How much of them lies in runs sorted by series and time, from 0 to 1.
    aggregates
        How many there are.
    windows
        The windows that a row is in.
    sessions
        Whether the windows hang on the rows before.
    ordered
        The aggregates that need the rows of a group in the order of time.
    folded
        The groups of single runs that become fewer where keys are fewer than those that rows are sorted by.
    """

    rows: int
    sorted_share: float
    aggregates: int
    windows: float = 1.0
    sessions: bool = False
    ordered: int = 0
    folded: int = 0


def by_runs(work: Work) -> float:
    """The nanoseconds of sorted runs."""
    row = _READ + _GROUP + _COLUMN * work.aggregates + _SORT * (1.0 - work.sorted_share)
    return _START + work.rows * row + _FOLD * work.folded


def by_sql(work: Work) -> float:
    """The nanoseconds of SQL over the rows with their windows."""
    row = _SQL_ROW + _SQL_COLUMN * work.aggregates + _SQL_ORDERED * work.ordered
    found = row * work.windows + (_SQL_SESSION if work.sessions else _SQL_WINDOWS)
    if work.sessions:
        found += _SORT * (1.0 - work.sorted_share)
    return _SQL_START + work.rows * found


def prefers_runs(work: Work) -> bool:
    """Whether sorted runs are the cheaper plan."""
    return by_runs(work) <= by_sql(work)
