"""A fact asks screening again wherever it comes from: who the patient is, where he lies, and what is kept here."""

from __future__ import annotations

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Arrival, Changes, Resource, Write
from slipring_consent.gate.weighing import judged
from slipring_consent.handlers.changed_facts import ahead
from slipring_consent.service import SERVICE

from tests.support.contrast import (
    EXAM,
    IOHEXOL,
    PATIENT,
    a_cleared_department,
    a_request,
    a_screening,
    an_egfr,
    an_injection,
)
from tests.support.desk import ADesk
from tests.support.screening import WOMAN, a_creatinine, an_encounter, arrives, coded

OTHER = {"reference": "ServiceRequest/o-other"}
OLD = {**WOMAN, "id": "o-old"}
ALLERGY: Resource = {
    "resourceType": "AllergyIntolerance", "id": "c-allergy", "patient": PATIENT, "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": coded("http://snomed.info/sct", "293638001"), "reaction": [{"manifestation": [{"text": "休克"}], "severity": "severe"}],
}  # fmt: skip
REACTION: Resource = {
    "resourceType": "AdverseEvent", "id": "c-event", "actuality": "actual", "subject": PATIENT,
    "event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "allergic-like"),
    "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "moderate"),
    "suspectEntity": [{"instance": {"reference": "MedicationAdministration/c-given"}}],
}  # fmt: skip
EXPECTING: Resource = {
    "resourceType": "Observation", "id": "c-p", "status": "final", "subject": PATIENT,
    "code": coded("http://loinc.org", "82810-3"), "effectiveDateTime": "2026-03-02T08:00:00+08:00",
    "valueCodeableConcept": coded("http://loinc.org", "LA15173-0"),
}  # fmt: skip
SEVERE: Resource = {
    **REACTION, "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "severe"),
}  # fmt: skip
GIVEN = an_injection(id="c-given", status="completed", supportingInformation=[OTHER])


def a_department_with_two_exams() -> ADesk:
    """One patient has been cleared for an exam, and is given contrast for another one."""
    desk = a_cleared_department()
    desk.hold(a_request(id="o-other", orderDetail=[IOHEXOL]), source="order")
    desk.hold({**GIVEN, "status": "on-hold"})
    return desk


async def written(desk: ADesk, fact: Resource) -> Changes:
    """A fact is written here, and what the service decides on it is done."""
    before = await desk.read(f"{fact['resourceType']}/{fact['id']}")
    desk.hold(fact)
    [keeps] = [one for one in SERVICE.keeps if one.type == fact["resourceType"]]
    assert keeps.on_write is not None
    changes = await keeps.on_write(Write("update" if before else "create", fact, before), desk)
    assert changes.refuse is None
    desk.carry_out(changes, fact)
    return changes


async def asked_again(desk: ADesk, exam: str = EXAM) -> int:
    return len(await desk.search(f"Task?code=screening&focus={exam}&status=requested"))


def found_of_the_screening(desk: ADesk) -> set[str]:
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    return {
        str(rule_of(one)) for one in issues if one["implicated"] == [{"reference": "QuestionnaireResponse/c-screening"}]
    }


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("fact", "rule"),
    [
        (ALLERGY, "prior-reaction"),
        (REACTION, "prior-reaction"),
        (SEVERE, "prior-reaction"),
        (GIVEN, "repeat-contrast"),
        (EXPECTING, "pregnancy"),
    ],
    ids=lambda one: one if isinstance(one, str) else str(one["resourceType"]),
)
async def test_a_fact_that_is_kept_here_asks_the_screening_of_another_exam_again_once(
    fact: Resource, rule: str
) -> None:
    desk = a_department_with_two_exams()
    if fact["resourceType"] == "AdverseEvent":
        desk.hold(GIVEN)
        desk.hold({**a_screening(), "id": "c-other", "basedOn": [OTHER]})
    await written(desk, fact)
    assert f"consent.{rule}" in found_of_the_screening(desk)
    assert (await asked_again(desk), await asked_again(desk, OTHER["reference"])) == (1, 0)
    await written(desk, fact)
    assert await asked_again(desk) == 1


async def test_an_injection_is_alarmed_once_of_one_allergy() -> None:
    desk = a_cleared_department()
    desk.hold(an_injection(status="in-progress"))
    changes = await written(desk, ALLERGY)
    alarms = [s for s in changes.save if rule_of(s.resource) == "consent.changed-after-permission"]
    assert len(alarms) == 1 and await asked_again(desk) == 1


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "known",
    [
        [{**WOMAN, "birthDate": "2030"}, a_creatinine("400"), WOMAN],
        [an_egfr(60, 20), an_encounter("AMB"), an_encounter("IMP")],
        [an_egfr(40), an_encounter("IMP"), an_encounter("IMP", serviceType={"text": "重症监护"})],
        [OLD, {**ALLERGY, "patient": {"reference": "Patient/o-old"}}, {**OLD, "link": [{"type": "replaced-by", "other": PATIENT}]}],
    ],
    ids=["birth date", "a bed", "intensive care", "a merge"],
)  # fmt: skip
async def test_who_the_patient_is_and_where_he_lies_asks_screening_again(known: list[Resource]) -> None:
    *before, fact = known
    desk = a_cleared_department()
    if fact["resourceType"] == "Patient" and fact["id"] == "o-pat":
        del desk.held["Observation/o-egfr"]
    for one in before:
        await arrives(desk, one)
    for task in await desk.search(f"Task?code=screening&focus={EXAM}&status=requested"):
        desk.hold({**task.resource, "status": "completed"})
    assert [one for one in SERVICE.follows if one.awaits("order", fact)]
    await arrives(desk, fact)
    assert await asked_again(desk) == 1


async def test_what_screening_does_not_weigh_of_a_person_looks_nothing_up() -> None:
    desk = a_cleared_department()
    desk.hold(WOMAN, source="order")
    desk.limit_searches(of="QuestionnaireResponse", to=0)
    assert (await arrives(desk, {**WOMAN, "telecom": [{"value": "1"}]})).nothing
    assert (await arrives(desk, {**WOMAN, "id": "o-new"})).nothing, "nobody whom a screening could be of"
    changed = {**WOMAN, "telecom": []}
    arrival = Arrival("order", changed, 3, before=desk.held["Patient/o-pat"])
    assert not (ahead(arrival).queries or ahead(arrival).references)


async def test_history_that_is_imported_asks_nobody() -> None:
    desk = a_department_with_two_exams()
    [keeps] = [one for one in SERVICE.keeps if one.type == "AllergyIntolerance"]
    assert keeps.on_write is not None
    desk.hold(ALLERGY)
    assert (await keeps.on_write(Write("create", ALLERGY, imported=True), desk)).nothing


@pytest.mark.clause("5.4.1")
async def test_the_gate_weighs_the_exam_also_where_nobody_was_screened() -> None:
    desk = a_cleared_department()
    del desk.held["QuestionnaireResponse/c-screening"]
    desk.hold(SEVERE)
    desk.hold(
        an_injection(id="c-given", status="completed", supportingInformation=[], medicationCodeableConcept=IOHEXOL)
    )
    stopped = {one.rule for one in (await judged(an_injection(), desk)).findings}
    assert {"consent.screening-current", "consent.no-high-finding"} <= stopped, "which agent is planned nobody said"
    desk.hold(a_request(orderDetail=[coded("http://www.whocc.no/atc", "V08AB09")]), source="order")
    stopped = {one.rule for one in (await judged(an_injection(), desk)).findings}
    assert "consent.screening-current" in stopped and "consent.no-high-finding" not in stopped, "another agent"
