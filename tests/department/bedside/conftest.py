"""Contrast exams on the department's desk, each standing differently."""

from __future__ import annotations

import pytest

from tests.department.bedside.contrast_morning import ContrastMorning, a_contrast_morning
from tests.department.morning import Morning
from tests.support.server import Server


@pytest.fixture(scope="session")
def contrast(served: Server, morning: Morning) -> ContrastMorning:
    """Who comes for a CT with contrast this morning."""
    return a_contrast_morning(served, morning)
