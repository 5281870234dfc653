"""The department's working time, how long a report may take, and what became of it (5.8.1)."""
