"""Values as JSON holds them: what is not finite as text, whole numbers beyond 2⁵³ as text, and no keys but texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

EXACT = 2**53 - 1


def plain(value: object) -> Any:
    """The value, ready for JSON; what JSON does not know is shown by `str`."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -EXACT <= value <= EXACT else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {str(name): plain(item) for name, item in items}
        case bytes() | bytearray() | memoryview():
            return "0x" + bytes(value).hex().upper()
        case Sequence():
            return [plain(item) for item in cast("Sequence[object]", value)]
        case _:
            return str(value)
