"""One department for everything that is watched: nothing here changes what another test looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.department import Department, open_department


@pytest.fixture(scope="package")
async def department(data_dir: Path) -> AsyncIterator[Department]:
    """All four services and the front in this process, with a clock that stands still until it is moved."""
    async with open_department(data_dir, prefix="watched_") as opened:
        yield opened
