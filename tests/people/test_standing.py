"""What a subscription may still tell: judged by what its client and its person may do now, not when it was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import asyncpg
from slipring.fhir.caller import Caller
from slipring.identity.clients import Client, register
from slipring.identity.people.administering import Administration
from slipring.identity.standing import Standings
from slipring.runtime.postgres import ensure_running

from tests.people.conftest import Staff

SCOPES = frozenset({"user/DiagnosticReport.rs", "slipring/draft-read", "fhirUser"})


async def test_a_role_that_was_taken_away_is_gone_from_what_an_application_asked_for(staff: Staff) -> None:
    who = await _newcomer(staff)
    await staff.account("newcomer", "standing-1", ["radiologist-b"])
    await staff.account("newcomer", "standing-2", ["receptionist"])
    kept = Client("teller", "Teller", {"keys": []}, [*SCOPES], "", ["https://app.example/back"], public=True)
    async with staff.connection() as connection:
        await register(connection, staff.schema, kept)
    caller = Caller("teller", SCOPES, who)
    assert "slipring/draft-read" in await _may(staff, caller)
    await _change(staff, lambda act: act.give_roles("standing-1", ["receptionist"], by="test"))
    left = await _may(staff, caller)
    assert left and "slipring/draft-read" not in left
    await _change(staff, lambda act: act.end("standing-1", by="test"))
    assert await _may(staff, caller) == left  # his other account stands
    await _change(staff, lambda act: act.end("standing-2", by="test"))
    assert await _may(staff, caller) == set()


async def test_a_client_that_acts_for_itself_is_judged_by_its_registration_alone(staff: Staff) -> None:
    async with staff.connection() as connection:
        await register(connection, staff.schema, Client("feed", "Feed", {"keys": []}, ["system/Task.rs"]))
    caller = Caller("feed", frozenset({"system/Task.rs", "system/Patient.rs"}))
    assert await _may(staff, caller) == {"system/Task.rs"}
    assert await _may(staff, replace(caller, client="nobody")) == set()


async def _may(staff: Staff, caller: Caller) -> set[str]:
    """What still stands, looked up afresh."""
    async with asyncpg.create_pool(ensure_running(staff.department.data_dir), min_size=1, max_size=1) as pool:
        found = await Standings(pool, staff.schema, staff.department.clock.now).of(caller)
    return set(found.scopes) if found else set()


async def _newcomer(staff: Staff) -> str:
    """Somebody of whom no other test knows."""
    answer = await staff.department.post("Practitioner", {"resourceType": "Practitioner", "name": [{"text": "新人"}]})
    staff.people["newcomer"] = f"Practitioner/{answer.raise_for_status().json()['id']}"
    return staff.people["newcomer"]


async def _change(staff: Staff, act: Callable[[Administration], Awaitable[None]]) -> None:
    async with staff.connection() as connection:
        await act(Administration(connection, staff.schema, staff.department.clock.now()))
