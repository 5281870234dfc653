"""Signing certificates of the department's people: asked for, approved by a second person, kept, taken back, renewed."""
