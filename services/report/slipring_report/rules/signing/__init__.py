"""The rules on who signs what."""
