"""Somebody has it: whatever else rings for the case stops with the commit of his answer, whichever replica rang it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.fhir.place import Street, until
from tests.support.alarm_street import Phone, a_way, alarm_street, flagged, reads_back
from tests.support.ringing import a_doctor
from tests.support.short_ladder import short_ladder

_PATIENCE_SECONDS = 60.0
_LONGER_THAN_A_TRY_SECONDS = 5.0  # the channel's time is 2 s, and the next try comes 2 s after a failure


@pytest.mark.clause("5.9.1")
async def test_after_the_answer_nothing_is_begun_although_providers_hang_and_fail(
    data_dir: Path, tmp_path: Path
) -> None:
    phones = [
        Phone(f"127.0.4.{n}", mode) for n, mode in enumerate(("fine", "hanging", "failing", "fine", "hanging"), 1)
    ]
    for phone in phones:
        await phone.listen()
    around: dict[str, Any] = {"schema_prefix": "answered_", "ladder": short_ladder(tmp_path, answer=(0.02, 30), act=60)}
    try:
        async with alarm_street(data_dir, **around) as street, alarm_street(data_dir, **around) as other:
            person = await _people(street, phones)
            await flagged(street, person, 0, "1")
            await until(lambda: _heard(phones, at_least=1), _PATIENCE_SECONDS)
            await reads_back(street, person)
            under_way = sum(len(one["critical"].running.worker.timers._running) for one in (street, other))
            heard = sum(len(phone.got) for phone in phones)
            assert await _on_their_way(street) == (0, 0), "what waited is stopped in the commit of the answer"
            for one in (street, other):
                await one["critical"].running.worker.timers.settle()
            landed = sum(len(phone.got) for phone in phones)
            assert landed <= heard + under_way, "it rings although somebody has it"
            await asyncio.sleep(_LONGER_THAN_A_TRY_SECONDS)
            assert sum(len(phone.got) for phone in phones) == landed, "it rings on"
            assert await _on_their_way(street) == (0, 0), "what was under way is not tried again"
    finally:
        for phone in phones:
            await phone.close()


async def _people(street: Street, phones: list[Phone]) -> str:
    """The requester has the first three of the phones, the ward's duty doctor the others."""
    person = f"Practitioner/{(await street['order'].make({'resourceType': 'Practitioner', 'active': True}))['id']}"
    role = {**a_doctor("x")[1], "practitioner": {"reference": person}}
    await street["order"].make({name: value for name, value in role.items() if name != "id"})
    for place, phone in enumerate(phones):
        await street["critical"].make(a_way(person if place < 3 else "ward-duty", f"{phone.url}/ring"))
    return person


async def _heard(phones: list[Phone], *, at_least: int) -> bool:
    return all(len(phone.got) >= at_least for phone in phones)


async def _on_their_way(street: Street) -> tuple[int, int]:
    """Attempts that may still go out, and errands armed to send them."""
    waiting = await street["critical"].found("Communication?status=preparation")
    return len(waiting), len(await street["critical"].rows("SELECT 1 FROM timer WHERE name = 'send'"))
