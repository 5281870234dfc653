"""Clients, their keys and their tokens, on a real database."""
