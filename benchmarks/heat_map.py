"""The picture in docs/studies.md: the heat map of a study file: `python -m benchmarks.heat_map [PICTURE]`.

In: nothing, or another study file and KPI; it runs the study. Out: a PNG file, by default in docs/images.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.browser import PROJECT, take_picture
from sim.report.heat_map import heat_map
from sim.study.experiment import study

PICTURE = PROJECT / "docs" / "images" / "reroute_and_headcount.png"
STUDY = PROJECT / "scenarios" / "studies" / "reroute_and_headcount.yaml"
WIDTH = 760


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a study and takes the picture of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heat_map", description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE, help="PNG file, by default in docs/images")
    parser.add_argument("--study", type=Path, default=STUDY, help="study file of a grid of two factors")
    parser.add_argument("--kpi", default="contribution")
    options = parser.parse_args(arguments)
    figure = heat_map(study(options.study), options.kpi)
    figure.update_layout(width=WIDTH, template="plotly_white")
    take_picture(figure, options.picture, WIDTH + 16, int(figure.layout.height) + 16)


if __name__ == "__main__":
    main()
