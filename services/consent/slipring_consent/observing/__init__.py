"""Observation after an injection: how long, who releases, and the call that asks for a late reaction."""
