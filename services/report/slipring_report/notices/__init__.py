"""Whoever received a report is told that it no longer holds."""
