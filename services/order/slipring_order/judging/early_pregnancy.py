"""J04 is passed by three: a senior radiologist decides, the requester agrees, and the patient has consented (art. 26 (3))."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring.consents.state import denies, has_exceptions, in_force
from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import CANONICAL, Call, Desk, Resource
from slipring.rules.finding import Weight
from slipring.staff import may

from slipring_order.judgement import Judgement
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import codes, reference_of

_DATA = Path(__file__).parents[1] / "data" / "early_pregnancy.toml"
RULE = "order.pregnant-early"
_ACT = "pass-early-pregnancy"
_ANSWER = "J04"
_STANDING = {"Consent": "active", "DocumentReference": "current"}
_FOR_TREATMENT = "treatment"  # of the scopes of a Consent: privacy, research and directives consent to no exam


@dataclass(frozen=True, slots=True)
class Threefold:
    """Who agrees beside the decider, and by what the patient consented."""

    requester: str  # Practitioner/...
    consent: Mapping[str, Any]  # a Reference


async def threefold(call: Call, request: Resource, judgement: Judgement, decider: str, desk: Desk) -> Threefold | None:
    """What passes J04 beside the decider himself; None where J04 does not stand, 403 or 422 with all that is lacking."""
    if not any(one.rule == RULE and one.weight is not Weight.INFO for one in judgement.findings):
        return None
    person, roles = await person_and_roles(decider, desk)
    demand(may(_ACT, person, roles, desk.now, zone=desk.settings.time_zone), call.at("performer"))
    requester = await _agreed(call, request, judgement, decider, desk)
    consent = await _consent(call, request, desk)
    issues = [
        *([] if requester else [_lacking_requester(call.at("agreedBy"))]),
        *([] if consent else [_lacking_consent(call.at("consent"))]),
    ]
    if issues or consent is None:
        raise FhirError(422, issues)
    return Threefold(requester, consent)


def with_threefold(record: Resource, passed: Threefold | None) -> Resource:
    """The decision's record with who agreed and with the consent."""
    if passed is None:
        return record
    agreeing = {
        "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/agent-type", "code": "agreeing-requester"}]},
        "who": {"reference": passed.requester},
    }
    consent = {"role": "source", "what": dict(passed.consent)}
    return {**record, "agent": [*record["agent"], agreeing], "entity": [*record.get("entity", []), consent]}


async def _agreed(call: Call, request: Resource, judgement: Judgement, decider: str, desk: Desk) -> str:
    """The requester in person, where he agrees and is not the decider; else an empty string."""
    person, _ = await person_and_roles(reference_of(request.get("requester")), desk)
    own = f"Practitioner/{person['id']}" if person else ""
    named = reference_of(call.value("agreedBy"))
    if named:
        agreeing, _ = await person_and_roles(named, desk)
        agreed = agreeing is not None and f"Practitioner/{agreeing['id']}" == own
    else:
        answer = judgement.facts.answers.get(_ANSWER, "")
        agreed = bool(answer) and not refuses(answer)
    return own if agreed and own != decider else ""


async def _consent(call: Call, request: Resource, desk: Desk) -> Mapping[str, Any] | None:
    """The first consent named by the decision or on the request that stands and is this patient's."""
    patients = await merge_set(reference_of(request.get("subject")), desk)
    for named in _named(call, request):
        reference = reference_of(named)
        if not reference:
            return named
        found = await desk.read(reference)
        if found is not None and _stands(found.resource, desk) and _patient_of(found.resource) in patients:
            return named
    return None


def _named(call: Call, request: Resource) -> Iterator[Mapping[str, Any]]:
    """A paper is named by its number (identifier) or in words (display); a resource by its reference."""
    given: Mapping[str, Any] = call.value("consent") or {}
    on_paper = str(given.get("identifier", {}).get("value") or given.get("display") or "").strip()
    if reference_of(given).startswith(tuple(f"{kind}/" for kind in _STANDING)) or (
        on_paper and not reference_of(given)
    ):
        yield given
    for element in request.get(
        "supportingInfo", []
    ):  # a document beside a request may be anything: who decides names it
        if reference_of(element).startswith("Consent/"):
            yield element


def _stands(resource: Resource, desk: Desk) -> bool:
    if resource.get("status") != _STANDING[resource["resourceType"]]:
        return False
    if resource["resourceType"] != "Consent":
        return True
    denied = denies(resource) or has_exceptions(resource)
    holds = in_force(resource, desk.now, desk.settings.zone) == "now"
    return _FOR_TREATMENT in codes(resource.get("scope")) and not denied and holds


def refuses(answer: str) -> bool:
    """Whether a requester's answer says no, as `early_pregnancy.toml` lists the words.

    >>> refuses("不同意，改超声"), refuses("No."), refuses("同意，超声不明确"), refuses("no other way to find the abscess")
    (True, True, False, False)
    """
    said = answer.strip(" .。!！").casefold()
    return said in _refusing()["whole"] or any(word in said for word in _refusing()["within"])


@cache
def _refusing() -> Mapping[str, Any]:
    with _DATA.open("rb") as file:
        return dict(tomllib.load(file)["refusing"])


def _patient_of(resource: Resource) -> str:
    return reference_of(resource.get("patient") or resource.get("subject"))


def _lacking_requester(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="须经申请医师本人同意：由其在申请上答复 J04，或以 agreedBy 注明；申请医师与决定人不得为同一人。",
        en="The requester agrees, by his answer to J04 on the request or as agreedBy, and is not the decider himself.",
        at=at,
        detail="order.early-pregnancy-requester",
    )


def _lacking_consent(at: str) -> Issue:
    return Issue(
        "business-rule",
        zh="须有患者的知情同意：生效的 Consent、DocumentReference，或纸质同意书编号。",
        en="The patient has consented: an active Consent, a current DocumentReference, or the number of a signed paper.",
        at=at,
        detail="order.early-pregnancy-consent",
    )
