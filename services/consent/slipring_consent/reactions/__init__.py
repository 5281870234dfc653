"""Reactions: what is logged, and what closing demands."""
