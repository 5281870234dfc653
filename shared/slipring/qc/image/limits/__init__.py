"""Limits of equipment by edition and kind, and what they say about a value."""
