"""Prints how fast the model is and how much memory it takes: `python -m benchmarks` (also `make bench`)."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the asked sections. Numpy gets one thread, as in the pool's workers, before it is first imported."""
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    from benchmarks.report import FULL, QUICK, SECTIONS, report

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer sizes, no comparison at 30")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such section; use {', '.join(SECTIONS)}.")
    size, option = (QUICK, " --quick") if options.quick else (FULL, "")
    for line in report(size, options.sections or list(SECTIONS), option):
        print(line, flush=True)


if __name__ == "__main__":
    main()
