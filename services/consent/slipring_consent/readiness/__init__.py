"""Readiness: rescue equipment, drugs and supplies, checked and in date."""
