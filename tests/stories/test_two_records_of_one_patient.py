"""Two records of one patient with different allergies are merged while his exam waits, and taken apart again.

CNAS-CL02-A011 5.5.1.1 (identity confirmed before the exam), 5.3.2.5 (contraindications controlled).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

IOHEXOL = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}


async def a_second_record(story: OneExam) -> dict[str, Any]:
    """The same man, registered once more at the emergency desk, where he told of his severe reaction."""
    again = {name: value for name, value in story.cast.patient.items() if name not in ("id", "meta", "identifier")}
    other = await story.made(again | {"identifier": [{"system": "urn:example:emergency", "value": "E-SYN-2"}]})
    reaction = {"severity": "severe", "manifestation": [{"text": "anaphylaxis (synthetic)"}]}
    told = {"resourceType": "AllergyIntolerance", "clinicalStatus": ACTIVE, "code": IOHEXOL, "reaction": [reaction]}
    await story.made(told | {"patient": {"reference": f"Patient/{other['id']}"}})
    return other


async def confirmations(story: OneExam, status: str) -> list[dict[str, Any]]:
    about = f"Task?based-on={story.cast.exam}&code=identity-confirmation&status={status}"
    return await story.department.found(about)


@pytest.mark.clause("5.5.1.1")
async def test_the_allergies_of_both_count_and_permission_waits_for_a_named_person(department: Department) -> None:
    story = await one_exam(department)
    other = await a_second_record(story)
    await story.requested()
    await story.cleared()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    begun = await story.injected()
    assert begun.status_code == 201, "nobody knows of the other record yet"
    stopped = {"status": "stopped", "effectiveDateTime": story.cast.moment()}
    assert (await department.put(begun.json() | stopped)).status_code == 200, "one injection is over before another"

    merged = other | {"link": [{"type": "replaced-by", "other": story.cast.subject}], "active": False}
    assert (await department.put(merged)).status_code == 200
    refused = await story.injected()
    assert refused.status_code == 422
    assert rules(refused) == {"consent.identity-confirmed", "consent.no-high-finding"}, texts(refused)

    [asked] = await confirmations(story, "requested")
    unnamed = await department.put(asked | {"status": "completed"})
    assert unnamed.status_code == 422 and "order.identity-unnamed" in rules(unnamed)
    confirmed = await department.put(asked | {"status": "completed", "owner": story.cast.person("technologist")})
    assert confirmed.status_code == 200, confirmed.text
    still = await story.injected()
    assert rules(still) == {"consent.no-high-finding"}, "the allergy of the other record stays"

    apart = await department.get(f"Patient/{other['id']}")
    apart.pop("link")
    assert (await department.put(apart | {"active": True})).status_code == 200
    [again] = await confirmations(story, "requested")
    assert (
        await department.put(again | {"status": "completed", "owner": story.cast.person("nurse")})
    ).status_code == 200
    assert (await story.injected()).status_code == 201, "it was another man's allergy"
    request = await department.get(story.cast.exam)
    assert request["meta"]["versionId"] == "1" and request["subject"] == story.cast.subject, "nothing was rewritten"
