"""Closed forms that check the engine and answer by themselves; imports nothing of ours.

`queues` has Erlang A, B and C and what lies between, `staffing` the agents for a target, `finite_source` few
customers, `priorities` any handle times and who goes first, `limits` many agents and overload, `relaxation` how long a
start is remembered, `survival` how long accounts stay.
"""
