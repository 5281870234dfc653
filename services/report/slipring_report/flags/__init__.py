"""A critical finding leaves the reading room."""
