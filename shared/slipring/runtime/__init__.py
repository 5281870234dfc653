"""Clock, settings, logs, the embedded PostgreSQL: what a process needs before it can serve."""
