"""The rules of a consent: what an active one says."""
