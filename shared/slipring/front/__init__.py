"""The one address: routes each type to its keeper and merges searches."""
