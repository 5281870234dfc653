"""Alerts: the page behind a message's link, and the boards of critical findings that are open."""
