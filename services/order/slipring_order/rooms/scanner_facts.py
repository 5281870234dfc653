"""What is asked of a scanner before any test of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """Whether a scanner is in use, and whether anything was ever measured on it."""

    out_of_service: bool = False
    tested: bool = True
