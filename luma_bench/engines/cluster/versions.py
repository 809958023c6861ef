"""Which versions a process has, and whether those of a worker go together with the driver's: both sides must compute alike."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from luma_bench.errors import EngineError


@dataclass(frozen=True, slots=True)
class Versions:
    """What has to be the same on the driver and on every worker; of Python major and minor version."""

    luma_bench: str
    duckdb: str
    pyarrow: str
    python: str

    def differences(self, other: Versions) -> list[tuple[str, str, str]]:
        """The packages of which `other` has another version: name, this one's, the other's."""
        names = ("luma_bench", "duckdb", "pyarrow", "python")
        pairs = ((name, str(getattr(self, name)), str(getattr(other, name))) for name in names)
        return [found for found in pairs if found[1] != found[2]]


def own_versions() -> Versions:
    """Those of this process."""
    import duckdb
    import pyarrow as pa

    import luma_bench

    major, minor, _ = platform.python_version_tuple()
    return Versions(luma_bench.__version__, duckdb.__version__, pa.__version__, f"{major}.{minor}")


def require_same(driver: Versions, worker: Versions, address: str) -> None:
    """Refuse a worker that would not compute like the driver.

    Raises
    ------
    EngineError
        It names the packages with both versions.
    """
    found = driver.differences(worker)
    if found:
        told = ", ".join(f"{name} {theirs} there and {own} here" for name, own, theirs in found)
        raise EngineError(
            f"The worker {address} does not go together with this process: {told}.",
            hint="Install the same versions on every worker, for example from this project's lock file, and start it anew.",
        )


def require_all_same(driver: Versions, workers: Mapping[str, object]) -> None:
    """Refuse a cluster with a worker that has other versions, or whose answer (by address) is the exception that asking raised.

    Raises
    ------
    EngineError
        It names the first such worker and what is different.
    """
    for address, answer in workers.items():
        if isinstance(answer, Versions):
            require_same(driver, answer, address)
        elif isinstance(answer, ModuleNotFoundError | ImportError | AttributeError):
            raise EngineError(
                f"The worker {address} cannot run fragments: {answer}.",
                hint="Install luma-bench there, in the version that runs here: pip install 'luma-bench[scale]'.",
            )
        else:
            raise EngineError(f"The worker {address} does not answer: {answer}.", hint="Look at its log.")
