"""Measuring images of phantoms: on phantoms of known truth, on damaged and wrong files, from the command line."""
