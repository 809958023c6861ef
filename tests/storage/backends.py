"""The databases under a catalog, and the mark of a test that is about one of them."""

from __future__ import annotations

import pytest

BACKENDS = ("sqlite", "postgresql")
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
on_both = pytest.mark.usefixtures("backend")
