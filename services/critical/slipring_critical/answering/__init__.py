"""Answering: what a receiver says, and by which numbers he proves whom it is about."""
