"""The results that cells show, by the random token that stands in their output.

The newest are kept, within a budget of memory, so that a grid answers though nothing else holds its result; older ones
answer for as long as something does: a variable, `Out[…]`, or a grid that is open.
"""

from __future__ import annotations

import secrets
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

from luma_bench.bench.display import plan_text

if TYPE_CHECKING:
    from luma_bench.bench.result import Result

KEPT = 50
"""Results that are kept."""
BUDGET = 2 << 30
"""Bytes of Arrow memory that they may take together; the newest is kept whatever it takes."""


class Shelf:
    """Results by token. Thread-safe.

    Parameters
    ----------
    kept, budget
        How many results it keeps, and of how many bytes together.
    """

    def __init__(self, kept: int = KEPT, budget: int = BUDGET) -> None:
        self._most, self._budget = kept, budget
        self._lock = threading.Lock()
        self._known: weakref.WeakValueDictionary[str, Result] = weakref.WeakValueDictionary()
        self._tokens: weakref.WeakKeyDictionary[Result, str] = weakref.WeakKeyDictionary()
        self._kept: OrderedDict[str, tuple[Result, int]] = OrderedDict()

    def put(self, result: Result) -> str:
        """The token of a result, which is the newest now."""
        with self._lock:
            token = self._tokens.get(result)
            if token is None:
                token = secrets.token_urlsafe(16)
                self._tokens[result] = token
                self._known[token] = result
            self._kept[token] = (result, result.to_arrow().nbytes)
            self._kept.move_to_end(token)
            while len(self._kept) > 1 and (len(self._kept) > self._most or self._held > self._budget):
                self._kept.popitem(last=False)
            return token

    def get(self, token: object) -> Result | None:
        """The result of a token; None when it is gone, or was never here."""
        with self._lock:
            return self._known.get(token) if isinstance(token, str) else None

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._known.clear()
            self._tokens.clear()

    @property
    def _held(self) -> int:
        return sum(nbytes for _, nbytes in self._kept.values())


def has_grid(result: Result) -> bool:
    """Whether a result is rows to look through: not a plan, nor what a statement without rows gives."""
    table = result.to_arrow()
    return table.num_columns > 0 and plan_text(table) is None
