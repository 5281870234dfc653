"""What the pages of the clauses show of exams: they are made as those of the reading room are."""

from __future__ import annotations

from tests.department.reading.conftest import acquired, comes

__all__ = ["acquired", "comes"]
