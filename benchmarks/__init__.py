"""How fast the model is and how much memory it takes: `python -m benchmarks`. Apart from the tests."""
