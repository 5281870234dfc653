"""A report of an emergency is released under one signature, and read a second time."""
