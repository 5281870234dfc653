"""Screening before contrast: the questions, what is known, and what a policy pack makes of it."""
