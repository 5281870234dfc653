"""Who calls: clients, keys, tokens (SMART Backend Services)."""
