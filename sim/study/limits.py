"""Ranges of a study's settings, lowest and highest, for whoever checks them."""

REPLICATIONS_RANGE = (1, 100_000)
SEED_RANGE = (0, 2**63 - 1)
WORKERS_RANGE = (1, 256)
