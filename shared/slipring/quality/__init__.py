"""Nonconformities and complaints of a department: their life as a table, and what each step needs (4.8, 4.9-4.12)."""
