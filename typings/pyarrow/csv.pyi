# PyArrow ships no types and makes its functions at import time: every name exists, of unknown type.
from typing import Any

def __getattr__(name: str) -> Any: ...
