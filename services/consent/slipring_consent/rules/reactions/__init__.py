"""The rules of a reaction: what its closing says."""
