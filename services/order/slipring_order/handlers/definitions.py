"""Exams and protocols as the department edits them, and what the scope covers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, forbidden, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Operation, Parameter, Resource, Write
from slipring.staff.two_people import content, drafter, signed, who

from slipring_order.check_digits import is_loinc, is_snomed
from slipring_order.handlers.rule_sets import plan_written
from slipring_order.offer.coverage import Covered, coverage
from slipring_order.offer.defined import LOINC, SNOMED, contrast_in, exam_number, systems_in
from slipring_order.offer.protocol_choice import SCANNER, is_protocol, scanners_in
from slipring_order.offer.shipped import SHIPPED
from slipring_order.offer.words import concept
from slipring_order.people import may_any
from slipring_order.reading import codings
from slipring_order.rooms.scanner import is_ct

_MAY_APPROVE = ("approve-limits", "lead-technique", "lead-diagnosis")


async def exam_defined(write: Write, desk: Desk) -> Changes:
    """An exam that the department writes names its system, its contrast and sound codes; other definitions are its own."""
    definition = write.resource
    if write.method == "delete" or not exam_number(definition):
        return Changes.none()
    issues = [*_codes(definition)]
    if not systems_in(definition):
        issues.append(
            _issue(
                "topic",
                "exam-system",
                "须注明一个或多个系统（B1 至 B6）。",
                "It names one or more of the systems B1 to B6.",
            )
        )
    if not contrast_in(definition):
        issues.append(
            _issue(
                "useContext",
                "exam-contrast",
                "须注明对比剂：none、with 或 both。",
                "It names contrast: none, with or both.",
            )
        )
    if issues:
        raise FhirError(422, issues)
    return Changes.none()


def _codes(definition: Resource) -> list[Issue]:
    checks = {LOINC: is_loinc, SNOMED: is_snomed}
    return [
        _issue(
            f"code.coding[{place}].code", "exam-code-digit", "代码的校验位错误。", "The code's check digit is wrong."
        )
        for place, coding in enumerate(codings(definition.get("code")))
        if coding.get("system") in checks and not checks[coding["system"]](str(coding.get("code", "")))
    ]


def _issue(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=zh, en=en, at=f"ActivityDefinition.{at}", detail=f"order.{detail}")


async def plan_defined(write: Write, desk: Desk) -> Changes:
    """A protocol, or a rule set; other plans are plain records."""
    stood = write.before.resource if write.before else write.resource
    if is_protocol(write.resource) or is_protocol(stood):
        return await protocol_written(write, desk)
    return await plan_written(write, desk)


async def protocol_written(write: Write, desk: Desk) -> Changes:
    """A scan protocol is a draft until a second, qualified person makes it active as it was drafted (5.5.3)."""
    plan = write.resource
    if write.method == "delete" or write.imported:
        return Changes.none()
    before = write.before.resource if write.before else None
    if _scanners_are_news(plan, before):
        await _demand_known_scanners(plan, desk)
    if plan.get("status") != "active":
        same = before is not None and _content(before) == _content(plan)
        drafted_by = drafter(before) if before is not None and same else ""
        return Changes(members={"extension": signed(plan, drafted_by or who(desk))})
    if before is None or before.get("status") not in ("draft", "active"):
        raise unprocessable(
            "A protocol begins as a draft; a second person makes it active.",
            "扫描方案须先以草稿（draft）提交，再由第二人生效（active）。",
            at="PlanDefinition.status",
            detail="order.protocol-draft-first",
        )
    if _content(plan) != _content(before):
        raise unprocessable(
            "What is made active must be what was drafted: change the draft first.",
            "生效内容须与草稿一致：请先修改草稿。",
            at="PlanDefinition.action",
            detail="order.protocol-changed-on-approval",
        )
    if before["status"] == "draft":
        await _refuse_unqualified(before, desk)
    return Changes(members={"extension": signed(plan, drafter(before))})


def _scanners_are_news(plan: Resource, before: Resource | None) -> bool:
    """Whether a plan names scanners anew, or is approved with them; one of a scanner that has gone is laid down as it is."""
    if plan.get("status") not in ("draft", "active"):
        return False
    stood = before or {}
    approved = plan["status"] == "active" and stood.get("status") != "active"
    return approved or [one for _, one in scanners_in(plan)] != [one for _, one in scanners_in(stood)]


async def _demand_known_scanners(plan: Resource, desk: Desk) -> None:
    """422 where a protocol is for a scanner that nobody has: it would never be picked, and nobody would know."""
    issues = [
        Issue(
            "business-rule",
            zh="须以代码指明本科登记的 CT、其标识或型号。",
            en="It names a scanner that is known here by a code: its id, an identifier or its model.",
            at=f"PlanDefinition.useContext[{place}].valueCodeableConcept",
            detail="order.protocol-scanner",
        )
        for place, context in scanners_in(plan)
        if not await _all_known(codings(context.get("valueCodeableConcept")), desk)
    ]
    if issues:
        raise FhirError(422, issues)


async def _all_known(named: list[Mapping[str, Any]], desk: Desk) -> bool:
    if not named or not all(coding.get("system") and coding.get("code") for coding in named):
        return False
    devices = [await desk.read(f"Device/{coding['code']}") for coding in named if coding["system"] == SCANNER]
    return all(device is not None and is_ct(device.resource) for device in devices)


async def _refuse_unqualified(draft: Resource, desk: Desk) -> None:
    if drafter(draft) == who(desk):
        raise forbidden(
            "The person who drafted a protocol does not approve it.",
            "起草人不得自行批准扫描方案。",
            at="PlanDefinition.status",
            detail="order.protocol-second-person",
        )
    lacking = await may_any(_MAY_APPROVE, desk.caller.practitioner or "", desk)
    if lacking:
        raise forbidden(
            f"A protocol is approved by a qualified person: {lacking[0].en}",
            f"扫描方案须由有资质者批准：{lacking[0].zh}",
            at="PlanDefinition.status",
            detail="order.protocol-approver",
        )


async def scope_covered(call: Call, desk: Desk) -> Changes:
    """Which of the six systems the offered exams and the scanners in use cover, the missing ones named (Annex B)."""
    definitions = [one.resource for one in await desk.search("ActivityDefinition?status=active")]
    scanners = [one.resource for one in await desk.search("Device?status=active") if is_ct(one.resource)]
    found = coverage(definitions, scanners)
    systems = [_as_parameter(one) for one in found]
    missing = [{"name": "missing", "valueCode": one.system} for one in found if not one.whole]
    return Changes(answer={"resourceType": "Parameters", "parameter": [*systems, *missing]})


SCOPE_COVERAGE = Operation(
    "ActivityDefinition",
    "scope-coverage",
    scope_covered,
    level="type",
    title="Which of the six systems the offered exams and the scanners in use cover",
    tells=("ActivityDefinition", "Device"),
    affects_state=False,
    parameters=(
        Parameter(
            "system",
            "BackboneElement",
            use="out",
            min=6,
            max="6",
            parts=(
                Parameter("code", "Coding", use="out", min=1),
                Parameter("exams", "integer", use="out", min=1),
                Parameter("covered", "boolean", use="out", min=1),
                Parameter("scanner", "Reference", use="out", max="*"),
                Parameter("scannerMissing", "Reference", use="out", max="*"),
            ),
        ),
        Parameter("missing", "code", use="out", max="6", documentation="a system that is not covered whole"),
    ),
)


def _as_parameter(one: Covered) -> Resource:
    [coding] = concept("body-system", one.system)["coding"]
    parts: list[Resource] = [
        {"name": "code", "valueCoding": coding},
        {"name": "exams", "valueInteger": one.exams},
        {"name": "covered", "valueBoolean": one.whole},
    ]
    parts += [{"name": "scanner", "valueReference": {"reference": name}} for name in one.scanners_in_scope]
    parts += [{"name": "scannerMissing", "valueReference": {"reference": name}} for name in one.scanners_missing]
    return {"name": "system", "part": parts}


def _content(plan: Resource) -> Resource:
    """What is approved: the texts in extensions too, but not the print of what was shipped."""
    return content(plan, "version", without=frozenset({SHIPPED}))
