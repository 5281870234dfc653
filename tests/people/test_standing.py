"""What a subscription may still tell: judged by what its client and its person may do now, not when it was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.service import OpenAccount
from slipring.identity.clients import Client, register
from slipring.identity.people.administering import Administration
from slipring.identity.people.open_accounts import open_accounts
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


async def _done(act: Any, on: Administration) -> None:
    await act(on, "opened-1", by="test")


async def _open(staff: Staff, at: datetime, who: str) -> list[OpenAccount]:
    async with staff.connection() as connection:
        return [one for one in await open_accounts(connection, staff.schema, at) if one.practitioner == who]


async def _newcomer(staff: Staff) -> str:
    """Somebody of whom no other test knows."""
    answer = await staff.department.post("Practitioner", {"resourceType": "Practitioner", "name": [{"text": "新人"}]})
    staff.people["newcomer"] = f"Practitioner/{answer.raise_for_status().json()['id']}"
    return staff.people["newcomer"]


async def _change(staff: Staff, act: Callable[[Administration], Awaitable[None]]) -> None:
    async with staff.connection() as connection:
        await act(Administration(connection, staff.schema, staff.department.clock.now()))


@pytest.mark.clause("5.10.1")
async def test_an_account_was_open_from_its_beginning_to_its_lock_or_end_whatever_was_done_since(staff: Staff) -> None:
    clock, who = staff.department.clock, await _newcomer(staff)
    until = clock.now() + timedelta(days=9)
    await staff.account("newcomer", "opened-1", ["technologist"], ends_at=until)
    seen = [(clock.now() - timedelta(seconds=1), False), (began := clock.now(), True)]
    for act, stands in ((Administration.lock, False), (Administration.unlock, True), (Administration.end, False)):
        clock.advance(timedelta(days=1))
        await _change(staff, partial(_done, act))
        seen.append((clock.now(), stands))
    for moment, stands in seen:
        assert [one.practitioner for one in await _open(staff, moment, who)] == [who] * stands, moment
    [first], [again] = await _open(staff, began, who), await _open(staff, seen[3][0], who)
    assert (first.since, again.since) == (began, seen[3][0])
    await staff.account("newcomer", "opened-2", ["technologist"], ends_at=until)
    assert await _open(staff, until - timedelta(seconds=1), who) and not await _open(staff, until, who)
