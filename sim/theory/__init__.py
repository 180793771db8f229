"""Closed forms that check the engine; imports nothing of ours."""
