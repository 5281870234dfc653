"""`QuestionnaireResponse/$assess`: what each policy pack makes of a patient, as a dry run that stores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipring.fhir.outcome import forbidden, invalid, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_consent.department import limits_of, settings_of
from slipring_consent.reading import instant, reference_of
from slipring_consent.screening.assessing import assess, disagreements
from slipring_consent.screening.evidence import Evidence, evidence_in
from slipring_consent.screening.form import questionnaire
from slipring_consent.screening.gathered import gathered
from slipring_consent.screening.known import evidence_on, pack_in_force, reckoning
from slipring_consent.screening.packs import pack_names
from slipring_consent.screening.told import as_assessment, as_disagreement

# What copies tell of a person: who asks about somebody known here reaches all of it.
LOOKED_AT = ("QuestionnaireResponse", "Observation", "AllergyIntolerance", "Condition", "MedicationStatement")
_VOID = "entered-in-error"


async def assessed(call: Call, desk: Desk) -> Changes:
    """Judge by each pack that is asked for; all of them where none is named, the department's own first."""
    names = _policies(call, desk)
    response = await _response(call, desk)
    bundle = call.value("bundle") or call.value("data")
    if response is None and bundle is None:
        raise invalid(
            "An assessment needs answers, a reference to them, or a Bundle.",
            "评估须提供问卷答复、其引用或 Bundle。",
            at="Parameters.parameter",
            detail="consent.assess-nothing-given",
        )
    sent = evidence_in(bundle or {}, response)
    _demand_one_person(sent, call)
    answers = response or _answers_in(sent)
    evidence = replace(sent, response=None if (answers or {}).get("status") == _VOID else answers)
    looks = bool(evidence.person) and _reaches(desk)
    if looks:
        evidence = evidence.with_copies(await _copies(evidence, desk))
    return Changes(answer=await _answer(evidence, names, desk, looked=looks))


async def _answer(evidence: Evidence, names: Sequence[str], desk: Desk, *, looked: bool) -> Resource:
    facts, limits = gathered(evidence, reckoning(desk)), limits_of(desk)
    found = [assess(facts, await pack_in_force(name, desk), limits, desk.now) for name in names]
    patient, about = _addresses(evidence)
    parts = [as_assessment(one, patient=patient, about=about, now=desk.now) for one in found]
    parts += [as_disagreement(one) for one in disagreements(found)]
    as_of = await desk.as_of("order") if looked else None
    if as_of is not None:
        parts.append({"name": "asOf", "valueInstant": instant(as_of)})
    return {"resourceType": "Parameters", "parameter": parts}


def _policies(call: Call, desk: Desk) -> list[str]:
    own = settings_of(desk).policy
    asked = [str(name) for name in call.values("policy")]
    for name in asked:
        if name not in pack_names():
            raise unprocessable(
                f"No such policy pack; there are: {', '.join(pack_names())}.",
                f"没有该策略包；可用：{'、'.join(pack_names())}。",
                at=call.at("policy"),
                code="code-invalid",
                detail="consent.policy-unknown",
            )
    return list(dict.fromkeys(asked)) or sorted(pack_names(), key=lambda name: (name != own, name))


async def _response(call: Call, desk: Desk) -> Resource | None:
    """The answers, inline or kept here; answers to another form would be passed over in silence, so they are refused."""
    reference = call.value("response-reference")
    response: Resource | None = call.value("response")
    at = call.at("response")
    if reference:
        at = call.at("response-reference")
        if not _reaches(desk):
            raise forbidden(
                "The token does not reach what is known here of this patient.",
                "令牌的权限范围不含该患者在本院的记录。",
                at=at,
                detail="consent.assess-out-of-reach",
            )
        name = reference_of(reference)
        stored = await desk.read(name) if name.startswith("QuestionnaireResponse/") else None
        if stored is None:
            raise unprocessable(
                "No such QuestionnaireResponse is kept here.",
                "本服务没有该问卷答复。",
                at=at,
                code="not-found",
                detail="consent.assess-response-unknown",
            )
        response = response or stored.resource
    form = str((response or {}).get("questionnaire", "")).partition("|")[0]
    if form and form != str(questionnaire()["url"]):
        raise unprocessable(
            "These are answers to another questionnaire.",
            "该答复所答的不是对比剂筛查表。",
            at=f"{at}.questionnaire",
            detail="consent.assess-other-form",
        )
    return response


def _demand_one_person(evidence: Evidence, call: Call) -> None:
    told = [one for ones in evidence.by_type.values() for one in ones]
    if not evidence.person and any(one.get("subject") or one.get("patient") for one in told):
        raise unprocessable(
            "The Bundle tells of several patients; answers or one active ServiceRequest say whom it is about.",
            "Bundle 涉及多名患者；须由问卷答复或唯一的 active 申请指明是哪一位。",
            at=call.at("bundle"),
            detail="consent.assess-whom",
        )


def _answers_in(evidence: Evidence) -> Resource | None:
    """The newest answers to our form among what was sent."""
    ours = [
        one
        for one in evidence.of("QuestionnaireResponse")
        if str(one.get("questionnaire", "")).partition("|")[0] == str(questionnaire()["url"])
        and one.get("status") != _VOID
    ]
    return max(ours, key=lambda one: str(one.get("authored", "")), default=None)


def _reaches(desk: Desk) -> bool:
    """Whether the caller may read all that copies tell of a person."""
    return all(any(grant.whole for grant in desk.caller.grants(kind, "r")) for kind in LOOKED_AT)


async def _copies(evidence: Evidence, desk: Desk) -> Evidence:
    """What is known here of this person, under any of his records."""
    found = Evidence()
    request = evidence.request or {}
    based = (evidence.response or {}).get("basedOn") or [{"reference": f"ServiceRequest/{request.get('id', '')}"}]
    for record in sorted(evidence.person):
        found = found.with_copies(await evidence_on(desk, {"subject": {"reference": record}, "basedOn": based}))
    return found


def _addresses(evidence: Evidence) -> tuple[str, str]:
    """Whom an issue is about, and what: the answers, else the exam, else the patient."""
    patient = min(evidence.person, default="")
    response, request = evidence.response or {}, evidence.request or {}
    kept = [f"{one['resourceType']}/{one['id']}" for one in (response, request) if one.get("id")]
    return patient, next(iter(kept), patient)
