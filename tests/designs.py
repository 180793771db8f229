"""Study files on a small company, for tests: a grid, a Latin hypercube, a list of points.

In: a folder. Out: the files in it, in two folders, as the shipped ones lie.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from small import SMALL, put, values_of

REROUTE = """\
name: Small reroute
extends: small.yaml
changes:
  - from: 2026-01-12
    set:
      routing.rules:
        - {from: csm, to: support, share: 1.0, how: front_door}
"""
GRID = """\
name: Small grid
baseline: ../small.yaml
scenario: ../reroute.yaml
design:
  grid:
    - {field: "routing.rules[0].share", label: Share, from: 2026-01-12, values: [0, 1]}
    - {field: teams.support.headcount, label: Support headcount, from: 2026-01-12, low: 1, high: 2, steps: 2}
kpis: [contribution, support.wait_mean_minutes]
replications: 2
"""
CUBE = """\
name: Small cube
baseline: ../small.yaml
design:
  latin_hypercube:
    points: 4
    factors:
      - {field: teams.support.headcount, low: 1, high: 3, whole: true}
kpis: [support.wait_mean_minutes]
replications: 2
"""
LISTED = "name: Small list\nbaseline: ../small.yaml\ndesign: {csv: points.csv}\nreplications: 2\n"
POINTS = "name,teams.support.headcount,mechanisms.overtime\nas now,,\nmore people,2,\nno overtime,1,false\n"


def write(folder: Path) -> Path:
    """Writes the scenarios and, in a folder below, the study files; that folder."""
    values = put(values_of(), SMALL | {"weeks": 3}) | {"name": "Small"}
    (folder / "small.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    (folder / "reroute.yaml").write_text(REROUTE)
    studies = folder / "studies"
    studies.mkdir()
    for name, text in {"grid.yaml": GRID, "cube.yaml": CUBE, "list.yaml": LISTED, "points.csv": POINTS}.items():
        (studies / name).write_text(text)
    return studies
