"""Workers of Luma Bench as SLURM jobs: `make(jobs=8, shared="…")` gives a cluster that `lb.open(path, cluster=…)` takes."""

from __future__ import annotations

from typing import Any


def make(
    jobs: int = 0, *, shared: str, queue: str = "compute", most: int = 64, scratch: str = "$TMPDIR"
) -> Any:
    """A cluster whose workers are jobs of one node's share: 16 cores as 4 processes of 4 threads, 64 GB.

    Parameters
    ----------
    jobs
        Jobs to start now; 0 to start them as there is work, up to `most`.
    shared
        A folder that all nodes see and only the user reads.
    queue
        SLURM's partition.
    scratch
        A disk of the node itself, where DuckDB spills.
    """
    from dask_jobqueue import SLURMCluster

    cluster = SLURMCluster(
        queue=queue,
        cores=16,
        processes=4,
        memory="64GB",
        walltime="02:00:00",
        local_directory=scratch,
        # Workers end themselves before the queue does it, and hand on what they hold.
        worker_extra_args=["--lifetime", "115m", "--lifetime-stagger", "4m"],
        job_script_prologue=["export OMP_NUM_THREADS=1"],
        # Certificates of this cluster alone; jobs find them in a folder that all nodes see.
        security=True,
        shared_temp_directory=shared,
    )
    if jobs:
        cluster.scale(jobs=jobs)
    else:
        cluster.adapt(minimum_jobs=0, maximum_jobs=most)
    return cluster
