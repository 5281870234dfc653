"""The rules of the gate: what permission to inject needs."""
