"""What this service writes by itself is well-formed FHIR R4."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Resource, Write
from slipring.rules.finding import Finding, Limit, Weight
from slipring_consent.handlers.consents import consent_written
from slipring_consent.handlers.injection import contrast_written
from slipring_consent.handlers.screening import screening_answered
from slipring_consent.observing.policy import Length
from slipring_consent.observing.resources import as_observation_task
from slipring_consent.reactions.allergy import as_allergy
from slipring_consent.reactions.handing_over import as_finding, as_handover, as_telephone
from slipring_consent.resources import as_nonconformity, as_screening_task
from slipring_consent.screening.form import questionnaire
from slipring_consent.verdicts import on_record

from tests.support.contrast import (
    EXAM,
    IOHEXOL,
    a_cart_check,
    a_consent,
    a_department,
    a_person,
    a_request,
    a_screening,
    a_weight,
    an_egfr,
    an_injection,
    an_override,
)
from tests.support.desk import A_NOON

REACTION = {
    "resourceType": "AdverseEvent",
    "id": "c-reaction",
    "actuality": "actual",
    "subject": {"reference": "Patient/o-pat"},
    "severity": {"coding": [{"code": "severe"}]},
    "date": "2026-03-02T12:00:00+08:00",
}
FINDING = Finding("consent.thyroid", "1", "CL02-A011:5.4.1", Weight.STOP, "甲亢", "thyroid")
MITIGATION = {"action": {"text": "reason"}, "author": {"reference": "Practitioner/o-physician"}}


@pytest.mark.parametrize(
    "resource",
    [
        questionnaire(),
        as_screening_task("c-1", a_request(), now=A_NOON),
        as_observation_task(
            "c-2",
            an_injection(),
            EXAM,
            Length(Limit("observation.minutes", 30, "a source", "R", date(2018, 1, 1), "min"), (("哮喘", "asthma"),)),
            begun_at=A_NOON,
            now=A_NOON,
            observer="Practitioner/o-nurse",
            state="running",
            which=("2026-03-02 12:00 碘海醇 40 ml", "2026-03-02 12:00 iohexol 40 ml"),
        ),
        as_nonconformity("c-3", an_injection(), EXAM, now=A_NOON),
        as_allergy(REACTION, IOHEXOL, now=A_NOON),
        as_allergy({**REACTION, "id": "c-5"}, None, now=A_NOON),
        as_finding(REACTION, EXAM, "Practitioner/o-nurse", now=A_NOON),
        as_handover(REACTION, "Practitioner/o-nurse", within=timedelta(seconds=60), now=A_NOON),
        as_telephone("c-6", as_handover(REACTION, "", within=timedelta(seconds=60), now=A_NOON), now=A_NOON),
        on_record([FINDING], a_department(), patient="Patient/o-pat", about=EXAM, mitigation=MITIGATION)[0].resource,
        # what the README and the tests send
        a_consent(),
        a_screening(),
        an_injection(extension=an_override("emergency")),
    ],
    ids=lambda resource: resource["resourceType"] + "/" + resource["id"],
)
def test_it_has_the_shape_of_its_type(resource: Resource) -> None:
    assert check(resource) == []


def _readme_examples() -> list[Resource]:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    return [json.loads(block.split("```")[0]) for block in text.split("```json")[1:]]


async def test_the_examples_of_the_readme_pass_the_gate() -> None:
    answers, consent, injection = [{**one, "id": f"c-{n}"} for n, one in enumerate(_readme_examples())]
    desk = a_department(now=datetime(2026, 11, 23, 1, 31, tzinfo=UTC))
    exam = {"status": "active", "intent": "order", "subject": {"reference": "Patient/o-2"}}
    desk.hold(a_request(id="o-1", **exam))
    desk.hold({**an_egfr(), "subject": {"reference": "Patient/o-2"}, "effectiveDateTime": "2026-11-20"})
    desk.hold({**a_weight(), "subject": {"reference": "Patient/o-2"}, "effectiveDateTime": "2026-11-20"})
    desk.hold(a_person("o-3", "senior-nurse", "ct-nursing-training"))
    desk.hold(a_cart_check() | {"authored": "2026-11-20"}, source="order")
    for resource, handler in (
        (answers, screening_answered),
        (consent, consent_written),
        (injection, contrast_written),
    ):
        assert check(resource) == []
        changes = await handler(Write("create", resource), desk)
        assert (changes.refuse, list(changes.save)) == (None, [])
        desk.carry_out(changes, resource)
