"""The opening book from a company's own list of accounts.

In: a CSV file and a mapping that says what its columns are. Out: an `AccountList`, or a `ScenarioError` with every
problem; and the values of the scenario that follow from the list.
"""
