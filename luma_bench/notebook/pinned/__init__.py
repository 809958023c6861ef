"""Pinned notebooks: what a notebook reads stays what it was, and another run can be held against the saved one.

`Pins` is what a kernel knows of its notebook's pin, `fingerprint` what is kept of each answer, `verify` runs a notebook again
and compares, `bundle` hands it on with its data.
"""

from luma_bench.notebook.pinned.pin import Pin, PinnedBench
from luma_bench.notebook.pinned.pins import Pins

__all__ = ["Pin", "PinnedBench", "Pins"]
