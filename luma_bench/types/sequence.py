"""Sequences: numbers that are given out once, in order."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from luma_bench.errors import ConstraintError

LARGEST = 2**63 - 1
"""The largest value of a sequence."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a sequence gives.

    Attributes
    ----------
    name
        Its present name.
    token
        What its values are counted under, for ever: another sequence of the same name has another.
    """

    name: str
    token: str
    start: int = 1
    increment: int = 1
    smallest: int = 1
    largest: int = LARGEST
    cycle: bool = False

    @classmethod
    def of(cls, name: str, definition: str) -> Sequence:
        """A sequence from what the catalog holds of it."""
        return cls(name, **json.loads(definition))

    @property
    def definition(self) -> str:
        """What the catalog holds of it, beside its name."""
        held = asdict(self)
        del held["name"]
        return json.dumps(held)

    def following(self, last: int | None, count: int) -> np.ndarray:
        """The int64 values that come after `last` (None: from the start), as many as `count`.

        Raises
        ------
        ConstraintError
            It ends before, and does not cycle.
        """
        pieces: list[np.ndarray] = []
        first = self.start if last is None else last + self.increment
        while count:
            end = self.largest if self.increment > 0 else self.smallest
            beyond = first > end if self.increment > 0 else first < end
            if beyond:
                if not self.cycle:
                    word = "maximum" if self.increment > 0 else "minimum"
                    raise ConstraintError(
                        f"nextval: reached {word} value of sequence {self.name!r} ({end}).",
                        hint="Make one with a wider range, or with CYCLE: CREATE OR REPLACE SEQUENCE ….",
                    )
                first = self.smallest if self.increment > 0 else self.largest
            taken = min(count, (end - first) // self.increment + 1)
            pieces.append(np.arange(taken, dtype=np.int64) * self.increment + first)
            first = int(pieces[-1][-1]) + self.increment
            count -= taken
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
