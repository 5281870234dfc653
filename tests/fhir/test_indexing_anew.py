"""Rows of an earlier release, or of another time zone, are written anew before a search could miss them."""

from __future__ import annotations

import tomllib
from datetime import UTC
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.search.index import rows
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


def test_an_amount_stands_in_the_rows_as_it_was_sent_so_that_a_new_unit_needs_no_rows_anew() -> None:
    units = files("slipring.fhir.search").joinpath("units.toml").read_text(encoding="utf-8")
    declared = tomllib.loads(units)
    for code in (code for kind in declared["kinds"].values() for code in kind):
        sent = {"value": Decimal(5), "system": declared["system"], "code": code}
        [row] = rows(OBSERVATION | {"id": "o-1", "valueQuantity": sent}, UTC).quantities
        assert (row.low, row.high, row.system, row.code) == (5, 5, declared["system"], code)


async def test_rows_stay_when_nothing_has_changed(place: Place) -> None:
    await place.make(a_task())
    zone = place.running.kernel.zone
    assert await reindex(place.pool, place.running.kernel.store.schema, zone, place.running.kernel.service) == 0
    other = ZoneInfo("Europe/Berlin" if zone.key != "Europe/Berlin" else "Asia/Shanghai")
    assert form_of_rows(other) != form_of_rows(zone)
    assert await reindex(place.pool, place.running.kernel.store.schema, other, place.running.kernel.service) > 0
    assert await reindex(place.pool, place.running.kernel.store.schema, zone, place.running.kernel.service) > 0
