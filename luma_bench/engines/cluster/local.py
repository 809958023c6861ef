"""A cluster of processes on this machine: a scheduler in this process, and one other that starts and watches the workers.

Workers never load the program that asks for them, so that it works from a script without a main guard, from standard input
and from a notebook. They end with the scheduler, however that ends.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from luma_bench.errors import EngineError

_START = 60.0
"""Seconds that the workers may take to start, on a machine that does much else."""
_END = 3.0
"""Seconds that the scheduler may take to end."""
_SILENT = 20.0
"""Seconds after which a worker that says nothing is given up, unless Dask's configuration says otherwise."""
_DASK_SILENT = "5 minutes"
"""What Dask's configuration has when nobody set it."""


class LocalWorkers:
    """A scheduler, and worker processes of one thread each.

    Parameters
    ----------
    workers
        How many.
    memory
        Bytes that each may use; 0 for its share of the machine's.
    spill
        Where they may put files; empty for the system's folder of temporary files.
    dashboard
        Whether there is Dask's dashboard.

    Raises
    ------
    EngineError
        They did not start; it has the last of what they said.
    """

    def __init__(self, workers: int, memory: int, spill: str, *, dashboard: bool) -> None:
        from distributed import LocalCluster

        self.cluster: Any = LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            # The port is any free one; without a dashboard its server answers nothing but its own health.
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": dashboard, "worker_ttl": _silence()},
            silence_logs=logging.CRITICAL,
        )
        self._folder = Path(tempfile.mkdtemp(prefix="luma-workers-", dir=spill or None))
        self._process = self._started(workers, memory)
        try:
            self._wait(workers)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The scheduler's."""
        return str(self.cluster.scheduler_address)

    def close(self) -> None:
        """End the scheduler, then the workers: what they have is of no use to anybody."""
        self.cluster.close(timeout=_END)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / "workers.log"

    def _started(self, workers: int, memory: int) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            self.address,
            "--nworkers",
            str(workers),
        ]
        command += [
            "--nthreads",
            "1",
            "--host",
            "127.0.0.1",
            "--no-dashboard",
            "--death-timeout",
            str(int(_START)),
        ]
        command += ["--local-directory", str(self._folder)]
        command += ["--memory-limit", str(memory)] if memory else []
        paths = [str(Path(entry or ".").resolve()) for entry in sys.path]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),  # what is imported here is imported there
            "DASK_LOGGING__DISTRIBUTED": "error",
        }
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - this interpreter
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )  # fmt: skip

    def _wait(self, workers: int) -> None:
        deadline = time.monotonic() + _START
        while len(self.cluster.scheduler.workers) < workers:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text("utf-8", "replace").strip().splitlines()[-1:]
                raise EngineError(
                    f"The local cluster's worker processes did not start: {said[0] if said else 'they said nothing'}.",
                    hint="Free memory, or ask for fewer with the setting threads.",
                )
            time.sleep(0.01)


def _silence() -> float | str:
    """How long a worker may say nothing: a stopped process keeps its connection, and its tasks would wait for it."""
    from dask import config

    said: str = config.get("distributed.scheduler.worker-ttl", _DASK_SILENT)
    return _SILENT if said == _DASK_SILENT else said
