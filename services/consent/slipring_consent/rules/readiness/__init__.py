"""The rules of readiness: what must be at hand where contrast is given."""
