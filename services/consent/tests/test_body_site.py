"""The site of a request is compared by what it means: another spelling voids nothing, another side does."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from slipring.fhir.service import Arrival, Changes
from slipring_consent.handlers.requests import request_arrived

from tests.support.contrast import a_cleared_department, a_request, an_injection

KNEE = {"system": "http://snomed.info/sct", "code": "72696002"}
LEFT_KNEE = {"system": "http://snomed.info/sct", "code": "82169009"}
ABDOMEN = {"system": "http://snomed.info/sct", "code": "818983003"}
SITES: list[Any] = [{"coding": [KNEE], "text": "右膝"}, {"coding": [ABDOMEN]}]


async def sent_again(sites: list[Any] | None) -> Changes:
    """The request stands with `SITES` while contrast runs, and its placer sends it again with these."""
    desk = a_cleared_department()
    first = desk.hold(a_request(bodySite=deepcopy(SITES)), source="order")
    desk.carry_out(await request_arrived(Arrival("order", first.resource, first.version), desk))
    desk.hold(an_injection(status="in-progress"))
    after = a_request(**({"bodySite": sites} if sites is not None else {}))
    stored = desk.hold(after, source="order")
    return await request_arrived(Arrival("order", after, stored.version, before=first), desk)


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "sites",
    [
        [{"coding": [KNEE | {"display": "Knee"}], "text": "右膝"}, {"coding": [ABDOMEN | {"display": "Abdomen"}]}],
        [{"coding": [KNEE | {"userSelected": True}], "text": "右膝"}, {"id": "a", "coding": [ABDOMEN]}],
        [SITES[1], SITES[0]],
    ],
    ids=["display", "selected", "order"],
)
async def test_a_site_spelt_another_way_voids_nothing_and_alarms_nobody(sites: list[Any]) -> None:
    assert (await sent_again(sites)).nothing


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "sites",
    [
        [{"coding": [LEFT_KNEE], "text": "右膝"}, SITES[1]],
        [{"coding": [KNEE], "text": "左膝"}, SITES[1]],
        [{"coding": [KNEE]}, SITES[1]],
        [SITES[0], {"coding": [ABDOMEN], "text": "左上腹"}],
        [SITES[0]],
        None,
    ],
    ids=["code", "words", "words left out", "words added", "one less", "none"],
)
async def test_another_site_in_codes_or_words_voids_consent_and_screening_and_alarms(sites: list[Any] | None) -> None:
    changes = await sent_again(sites)
    saved = {(save.resource["resourceType"], save.resource["status"]) for save in changes.save}
    assert saved >= {("Consent", "inactive"), ("QuestionnaireResponse", "stopped"), ("DetectedIssue", "final")}
