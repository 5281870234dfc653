"""Rows of an earlier release, or of another time zone, are written anew before a search could miss them."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.store.reindex import form_of_rows, reindex

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_task, opened

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 5}}


async def test_rows_that_an_earlier_release_did_not_write_are_there_after_the_start(data_dir: Path) -> None:
    prefix = "anew_"
    async with opened(data_dir, small_service(), schema_prefix=prefix) as street:
        made = await street["order"].make(OBSERVATION)
        gone = await street["order"].make(OBSERVATION)
        await street["order"].ask("DELETE", f"Observation/{gone['id']}")
        await street["order"].rows("DELETE FROM search_quantity")
        await street["order"].rows("UPDATE mark SET value = 'earlier' WHERE name = 'search rows'")
        assert await street["order"].found("Observation?value-quantity=5") == []
    async with opened(data_dir, small_service(), schema_prefix=prefix) as street:
        assert [one["id"] for one in await street["order"].found("Observation?value-quantity=5")] == [made["id"]]


async def test_rows_stay_when_nothing_has_changed(place: Place) -> None:
    await place.make(a_task())
    zone = place.running.kernel.zone
    assert await reindex(place.pool, place.running.kernel.store.schema, zone) == 0
    other = ZoneInfo("Europe/Berlin" if zone.key != "Europe/Berlin" else "Asia/Shanghai")
    assert form_of_rows(other) != form_of_rows(zone)
    assert await reindex(place.pool, place.running.kernel.store.schema, other) > 0
    assert await reindex(place.pool, place.running.kernel.store.schema, zone) > 0
