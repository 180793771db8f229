"""Studies: KPIs of a replication, statistics over replications, the decision, and who computes what where.

In: scenarios. Out: typed results. `sim.study.experiment` has the two entry points, `run` and `compare`.
"""
