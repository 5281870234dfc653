"""Test images of CT phantoms: the phantom is found, measured, held against the limits and drawn."""
