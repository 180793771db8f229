"""The model: accounts, demand, routing, people and the contact centre. The only part that imports SimPy."""
