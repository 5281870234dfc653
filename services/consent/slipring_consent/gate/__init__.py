"""The gate: what is weighed before contrast may be given."""
