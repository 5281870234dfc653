"""A hospital starts critical without a staffed desk: it starts, its engine fails, and the desk's route mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy

from tests.fhir.place import Place, until
from tests.support.alarm_street import a_way, alarm_street


async def alarm(critical: Place) -> str:
    """How the engine judges the want of a desk."""
    health = await critical.running.engine.health()
    found = [one["status"] for one in health["checks"]["alarm:count"] if one["componentId"] == "staffed_desk_missing"]
    return str(found[0])


@pytest.mark.clause("5.9.1")
async def test_the_engine_fails_from_the_start_until_the_desk_has_a_route(data_dir: Path) -> None:
    async with alarm_street(data_dir, endpoints=EndpointPolicy()) as street:
        critical = street["critical"]
        assert await alarm(critical) == "fail"
        assert (await critical.running.engine.health())["status"] == "fail"
        await critical.make(a_way("fallback", "https://desk.example/ring"))

        async def is_well() -> bool:  # what the engine tells may be a moment old
            return await alarm(critical) == "pass"

        assert await until(is_well, seconds=30)
