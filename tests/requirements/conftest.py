"""One department for all requirement tests: they only add to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.requirements.address import Address, sample
from tests.support.department import Department, open_department


@pytest.fixture(scope="session")
async def whole(data_dir: Path) -> AsyncIterator[Department]:
    """All services and the front, open for the whole session."""
    async with open_department(data_dir, prefix="requirements_") as opened:
        importer = opened.client("demo-his", "system/*.cruds slipring/import")
        for kind in ("Patient", "ServiceRequest"):  # what the samples point at
            await opened.put(sample(kind, id="1"), importer)
        await opened.settle()
        yield opened


@pytest.fixture(scope="session")
async def addresses(whole: Department) -> AsyncIterator[dict[str, Address]]:
    """The five FHIR bases by name."""
    importer = whole.client("demo-his", "system/*.cruds slipring/import")
    names = [*whole.house.services, "front"]
    yield {name: Address(name, whole.his, importer) for name in names}
    await importer.aclose()


@pytest.fixture
def at(base: str, addresses: dict[str, Address]) -> Address:
    """The base a test is about."""
    return addresses[base]
