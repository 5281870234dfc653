"""The seals over the audit rows: the service's key, their hash tree, and the sealer that makes them."""
