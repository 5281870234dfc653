"""The database that the tests of this folder copy and tamper with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.audit.archive import Archive, made


@pytest.fixture(scope="package")
async def clean(data_dir: Path) -> AsyncIterator[Archive]:
    archive = await made(data_dir, "audit_clean")
    yield archive
