"""The company's exports: importers, calibration, backtest."""
