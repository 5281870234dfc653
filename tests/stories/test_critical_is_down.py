"""critical is down at the moment of a severe reaction: the hand-over waits, says so when time is over, and is taken later.

CNAS-CL02-A011 5.4.4.1, 5.9.1: nobody is left untold because one service was stopped.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C

from tests.support.department import Department, open_department

PREFIX = "critical_down_"


def a_severe_reaction(patient: dict[str, Any], department: Department) -> dict[str, Any]:
    severity = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
    return {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "subject": {"reference": f"Patient/{patient['id']}"},
        "date": department.clock.now().isoformat(timespec="seconds"),
        "recorder": {"reference": "Practitioner/o-nurse"},
        "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "allergic-like"}]},
        "severity": {"coding": [{"system": severity, "code": "severe"}]},
    }


async def made(department: Department, resource: dict[str, Any]) -> dict[str, Any]:
    answer = await department.post(resource["resourceType"], resource)
    assert answer.status_code == 201, answer.text
    tree: dict[str, Any] = answer.json()
    return tree


async def kept(department: Department, query: str) -> list[dict[str, Any]]:
    """What consent itself keeps: a search for Tasks at the front asks all who keep them, and one is down."""
    answer = await department.his.get(f"/consent/fhir/{query}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def state(department: Department, event: dict[str, Any]) -> tuple[str, str]:
    [handover] = await kept(department, f"Task?based-on=AdverseEvent/{event['id']}&code=hand-over")
    return handover["id"], handover["businessStatus"]["coding"][0]["code"]


async def until(department: Department, event: dict[str, Any], stands: tuple[str, str]) -> None:
    """Wait for it; lanes to a service that is down never come to rest."""
    for _ in range(600):
        if await state(department, event) == stands:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"never {stands[1]}")


@pytest.mark.clause("5.4.4.1")
async def test_a_severe_reaction_while_critical_is_down_is_kept_told_by_telephone_and_taken_when_it_is_back(
    data_dir: Path,
) -> None:
    async with open_department(data_dir, PREFIX) as department:  # critical follows consent from now on
        patient = await made(department, {"resourceType": "Patient", "name": [{"text": "虚构 停"}]})
        await department.fresh()
        now = department.clock.now()
    async with open_department(data_dir, PREFIX, now, without="critical") as department:
        event = await made(department, a_severe_reaction(patient, department))
        handover, stands = await state(department, event)
        assert stands == "not-taken-over", "it waits"
        department.clock.advance(timedelta(seconds=61))
        await until(department, event, (handover, "overdue"))
        [told] = await kept(department, f"Task?code=notice&focus=AdverseEvent/{event['id']}")
        assert told["owner"] == {"reference": "Practitioner/o-nurse"} and "telephone" in told["description"]
        now = department.clock.now()
    async with open_department(data_dir, PREFIX, now) as department:
        await until(department, event, (handover, "taken-over"))
        [case] = await department.found(f"Task?based-on=Task/{handover}&code=critical-case")
        assert case["priority"] == "stat" and case["status"] == "requested"
