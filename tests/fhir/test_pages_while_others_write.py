"""Pages of a search while others create, change and delete: each match once, whatever the order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fhir.conftest import small_service
from tests.fhir.place import a_task, opened


@pytest.mark.parametrize(
    "sort", ["", "_sort=_id", "_sort=-_id", "_sort=status,_id", "_sort=code", "_sort=-authored-on", "_sort=subject"]
)
async def test_pages_hold_every_match_once_while_others_write(data_dir: Path, sort: str) -> None:
    async with opened(data_dir, small_service(), pool_size=8) as street:
        place = street["order"]
        made = [await place.make(a_task(authoredOn=f"2026-01-{n % 28 + 1:02}", description="0")) for n in range(60)]
        staying, going, changing = made[:40], made[40:50], made[50:]
        stop = asyncio.Event()

        async def disturb() -> None:
            for one, two in zip(going, changing, strict=True):
                await place.ask("DELETE", f"Task/{one['id']}")
                await place.ask("PUT", f"Task/{two['id']}", {**two, "description": "1"})
                await place.make(a_task(authoredOn="2026-01-14"))
                if stop.is_set():
                    return

        disturbing = asyncio.create_task(disturb())
        seen: list[str] = []
        query: str | None = f"Task?_count=7&{sort}"
        while query:
            found = (await place.ask("GET", query)).json()
            seen += [entry["resource"]["id"] for entry in found.get("entry", [])]
            query = next((x["url"].partition("/fhir/")[2] for x in found["link"] if x["relation"] == "next"), None)
        stop.set()
        await disturbing
        assert len(seen) == len(set(seen))
        assert {one["id"] for one in (*staying, *changing)} <= set(seen)
        current = {resource["id"] for resource in await place.found("Task?_count=1000")}
        assert set(seen) <= current | {one["id"] for one in going}
