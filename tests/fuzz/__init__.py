"""Requests nobody would send on purpose: none is answered with a fault of the server, none leaves something half-done."""
