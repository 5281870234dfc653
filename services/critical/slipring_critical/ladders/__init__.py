"""Ladders: who is rung next, and when, as a pure function of policy, history and time."""
