"""The department's own limits and switches: drafted by one, approved by another, in force from a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Stored, Write
from slipring.staff.two_people import APPROVED_BY, DRAFTED_BY
from slipring_order.handlers.rule_sets import plan_written
from slipring_order.judging.rule_set import CONTRAST_POLICY, GATE_POLICY, INDEX, LIMIT, RULE_SET, SWITCH
from slipring_order.settings import OrderSettings
from slipring_order.unconfirmed import unconfirmed

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_desk, a_patient, a_person, a_request, findings, received


def a_limit(id: str, *values: Any) -> Resource:
    given = [{"url": "value", "valueString" if isinstance(v, str) else "valueDecimal": v} for v in values]
    return {"url": LIMIT, "extension": [{"url": "id", "valueString": id}, *given]}


def a_switch(rule: str, on: bool) -> Resource:
    return {"url": SWITCH, "extension": [{"url": "rule", "valueCode": rule}, {"url": "on", "valueBoolean": on}]}


def a_set(*extensions: Resource, **members: Any) -> Resource:
    return {
        "resourceType": "PlanDefinition", "id": "o-set", "url": RULE_SET, "version": "2026-1", "status": "draft",
        "extension": list(extensions),
    } | members  # fmt: skip


def somebody(who: str) -> Caller:
    return Caller("pages", frozenset({"user/*.cruds"}), practitioner=f"Practitioner/{who}")


def a_department(*more: Resource, **names: Any) -> ADesk:
    heads = [
        *a_person("o-head", "chief-physician", "ct-head"),
        *a_person("o-lead", "chief-physician", "quality-manager"),
    ]
    return a_desk(*heads, *more, **names)


async def written(desk: ADesk, plan: Resource, who: str) -> Resource:
    desk.caller = somebody(who)
    before = await desk.read("PlanDefinition/o-set")
    changes = await plan_written(Write("update" if before else "create", plan, before), desk)
    stored = desk.carry_out(changes, plan)
    assert stored is not None
    return stored


async def approved(desk: ADesk, *extensions: Resource, **members: Any) -> Resource:
    draft = await written(desk, a_set(*extensions, **members), "o-head")
    return await written(desk, draft | {"status": "active"}, "o-lead")


async def test_a_set_is_drafted_by_one_and_approved_by_a_second_qualified_person() -> None:
    desk = a_department()
    draft = await written(desk, a_set(a_limit("child.age-below", 18)), "o-head")
    for who, detail in [("o-head", "order.rule-set-second-person"), ("o-doc", "staff.role")]:
        with pytest.raises(FhirError) as refused:
            await written(desk, draft | {"status": "active"}, who)
        assert (refused.value.status, refused.value.issues[0].detail) == (403, detail)
    with pytest.raises(FhirError) as refused:
        await written(desk, draft | {"status": "active", "extension": [a_limit("child.age-below", 3)]}, "o-lead")
    assert refused.value.issues[0].detail == "order.rule-set-changed-on-approval"
    forged = [*draft["extension"], {"url": APPROVED_BY, "valueString": "Practitioner/o-nobody"}]
    active = await written(desk, draft | {"status": "active", "extension": forged}, "o-lead")
    signed = {entry["url"]: entry.get("valueString") for entry in active["extension"]}
    assert (signed[DRAFTED_BY], signed[APPROVED_BY]) == ("Practitioner/o-head", "Practitioner/o-lead")
    assert active["effectivePeriod"]["start"] == "2026-03-02T17:30:00.000Z"
    with pytest.raises(FhirError) as refused:
        await written(desk, active | {"effectivePeriod": {"start": "2020-01-01"}}, "o-lead")
    assert refused.value.status == 409


async def test_what_is_judged_keeps_the_limit_with_the_version_of_its_set() -> None:
    desk = a_department(settings=OrderSettings())
    desk.hold(a_patient(birthDate="2009-01-01"))
    await received(desk, a_request())
    assert "order.child" not in findings(desk), "seventeen is no child as shipped"
    await approved(desk, a_limit("child.age-below", 18))
    await received(desk, a_request())
    assert "order.child" in findings(desk)
    [issue] = [i.resource for i in await desk.search("DetectedIssue?code=order.child")]
    parts = {part["url"]: part for part in issue["extension"][0]["extension"]}
    limit = {part["url"]: next(v for n, v in part.items() if n != "url") for part in parts["limit"]["extension"]}
    assert limit["id"] == "child.age-below" and limit["version"] == "PlanDefinition/o-set/_history/2"
    assert limit["value"] == "18" and limit["confirmed"] is True
    [newest] = [
        g.resource
        for g in await desk.search("GuidanceResponse?subject=Patient/o-pat")
        if "|" in g.resource["moduleCanonical"]
    ]
    assert newest["moduleCanonical"] == f"{RULE_SET}|PlanDefinition/o-set/_history/2"


async def test_a_set_counts_from_its_moment_and_not_before() -> None:
    later = (NOW + timedelta(days=1)).isoformat()
    desk = a_department(a_patient(birthDate="2009-01-01"))
    await approved(desk, a_limit("child.age-below", 18), effectivePeriod={"start": later})
    await received(desk, a_request())
    assert "order.child" not in findings(desk)
    desk.now = NOW + timedelta(days=1)
    await received(desk, a_request())
    assert "order.child" in findings(desk)


async def test_a_rule_may_be_switched_off_and_a_retired_set_switches_nothing() -> None:
    desk = a_department(a_patient(birthDate="2020-01-01"))
    active = await approved(desk, a_switch("order.child", False))
    await received(desk, a_request())
    assert "order.child" not in findings(desk)
    await written(desk, active | {"status": "retired"}, "o-head")
    await received(desk, a_request())
    assert "order.child" in findings(desk)


@pytest.mark.parametrize(
    ("extensions", "at", "detail"),
    [
        ([a_limit("child.age-below", "old")], "PlanDefinition.extension[0]", "limit-value"),
        ([a_limit("child.age-below", -1)], "PlanDefinition.extension[0]", "limit-value"),
        ([a_limit("child.age-below", 1, 2)], "PlanDefinition.extension[0]", "limit-value"),
        ([a_limit("recognition.institutions", 3)], "PlanDefinition.extension[0]", "limit-value"),
        ([a_limit("child.age-below", 14), a_limit("nothing", 1)], "PlanDefinition.extension[1]", "limit-unknown"),
        ([a_limit("child.age-below", 14), a_limit("child.age-below", 15)], "PlanDefinition.extension[1]", "twice"),
        ([a_limit("pregnancy.age-from", 60)], "PlanDefinition.extension", "limit-order"),
        ([a_switch("order.request-complete", False)], "PlanDefinition.extension[0]", "switch"),
        ([a_switch("order.pregnancy-asked", False)], "PlanDefinition.extension[0]", "switch"),
    ],
)
async def test_a_set_that_is_wrong_is_refused_at_its_place(extensions: list[Resource], at: str, detail: str) -> None:
    with pytest.raises(FhirError) as refused:
        await written(a_department(), a_set(*extensions), "o-head")
    [issue] = refused.value.issues
    assert (refused.value.status, issue.at, issue.detail) == (422, at, f"order.rule-set-{detail}")


async def test_a_set_never_starts_active_and_what_was_in_force_is_kept() -> None:
    desk = a_department()
    with pytest.raises(FhirError) as refused:
        await written(desk, a_set(status="active"), "o-lead")
    assert refused.value.issues[0].detail == "order.rule-set-draft-first"
    await approved(desk, a_limit("child.age-below", 18))
    before = await desk.read("PlanDefinition/o-set")
    assert before
    with pytest.raises(FhirError) as refused:
        await plan_written(Write("delete", before.resource, before), desk)
    assert refused.value.status == 409
    other = {"resourceType": "PlanDefinition", "id": "o-p", "status": "active", "url": f"{CANONICAL}/PlanDefinition/x"}
    assert (await plan_written(Write("create", other), desk)).members == {}


async def test_a_contrast_policy_is_drafted_by_one_and_approved_by_a_second_and_is_no_set_of_justification() -> None:
    desk = a_department()
    entry = a_limit("esur-10:consent.metformin:limit_severe_ml_min", 45)
    draft = await written(desk, a_set(entry, url=CONTRAST_POLICY), "o-head")
    with pytest.raises(FhirError) as refused:
        await written(desk, draft | {"status": "active"}, "o-head")
    assert refused.value.issues[0].detail == "order.rule-set-second-person"
    active = await written(desk, draft | {"status": "active"}, "o-lead")
    assert active["effectivePeriod"]["start"]
    assert INDEX not in desk.held


@pytest.mark.parametrize(
    ("name", "values"),
    [("esur-10:thyroid", [3]), ("esur-10:consent.thyroid:present", ["perhaps"]), ("csr-2:consent.thyroid:present", [])],
)
async def test_an_entry_of_a_contrast_policy_names_pack_rule_and_entry_with_one_value(
    name: str, values: list[Any]
) -> None:
    with pytest.raises(FhirError) as refused:
        await written(a_department(), a_set(a_limit(name, *values), url=CONTRAST_POLICY), "o-head")
    [issue] = refused.value.issues
    assert (issue.detail, issue.at) == ("order.rule-set-policy-entry", "PlanDefinition.extension[0]")


async def test_a_policy_of_the_gate_is_a_draft_until_a_second_person_approves_and_its_entries_are_codes() -> None:
    desk = a_department()
    entry = a_limit("gate:consent.consent-valid:reasons", "emergency", "emergency-no-capacity")
    draft = await written(desk, a_set(entry, url=GATE_POLICY), "o-head")
    with pytest.raises(FhirError) as refused:
        await written(desk, draft | {"status": "active"}, "o-head")
    assert refused.value.issues[0].detail == "order.rule-set-second-person"
    assert (await written(desk, draft | {"status": "active"}, "o-lead"))["effectivePeriod"]["start"]
    for wrong in (a_limit("gate:thyroid:by", "x"), a_limit("gate:policy:readiness", 1), a_limit("gate:policy:by")):
        with pytest.raises(FhirError) as refused:
            await written(a_department(), a_set(wrong, url=GATE_POLICY), "o-head")
        [issue] = refused.value.issues
        assert (issue.detail, issue.at) == ("order.rule-set-gate-entry", "PlanDefinition.extension[0]")


@pytest.mark.clause("5.4.1")
def test_a_limit_that_two_have_approved_waits_for_no_other_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLIPRING_LIMITS_CONFIRMED", "SLIPRING_DEMO"):
        monkeypatch.delenv(name, raising=False)
    before = unconfirmed(NOW, [])
    own = a_set(a_limit(before[0].id, 1), status="active", effectivePeriod={"start": "2026-01-01"})
    assert [one.id for one in unconfirmed(NOW, [Stored(own, 2, NOW)])] == [one.id for one in before[1:]]
    draft = Stored(own | {"status": "draft"}, 1, NOW)
    assert unconfirmed(NOW, [draft]) == before
