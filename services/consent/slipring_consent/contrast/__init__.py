"""Contrast: agents, exams that ask for it, and the record of what was given."""
