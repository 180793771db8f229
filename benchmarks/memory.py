"""Peak memory of one worker process, started and fed as the pool's workers are.

In: inputs of scenarios. Out: mebibytes that the process held at most, imports included.
"""

from __future__ import annotations

import pickle
import re
import resource
import subprocess
import sys
from pathlib import Path

from sim.model.inputs import Inputs
from sim.study.worker import Job, execute

PROJECT = Path(__file__).resolve().parent.parent
START = "from benchmarks.memory import worker; worker()"


def worker() -> None:
    """The measured process: reads a job, computes its first replication, prints its peak in MiB."""
    finished = execute(pickle.load(sys.stdin.buffer), 0)
    if finished.error is not None:
        raise RuntimeError(finished.error)
    print(high_water_mebibytes())


def high_water_mebibytes(process: int | str = "self") -> float:
    """The system's high-water mark; the resource module's counts the parent's memory too on Linux.

    process : the number of another one, which Linux alone tells.
    """
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    if found:
        return int(found[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def peak_mebibytes(*scenarios: Inputs) -> float:
    """Peak of a worker that computes one replication of the scenarios, the first of which warms up, and measures it."""
    done = subprocess.run(
        [sys.executable, "-c", START],
        input=pickle.dumps(Job(scenarios[0], scenarios, seed=1)),
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        check=True,
    )
    return float(done.stdout)
