"""Directory: who stands behind a target of a ladder, and by which contact route."""
