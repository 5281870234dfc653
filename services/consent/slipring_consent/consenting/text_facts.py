"""What a consent text says of one exam, gathered from the desk: reads only."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource

from slipring_consent.consenting.text import TextFacts
from slipring_consent.consenting.wording import Wording
from slipring_consent.contrast.agents import is_contrast_agent
from slipring_consent.department import limits_of
from slipring_consent.reading import codes_in, items_of, reference_of
from slipring_consent.screening.known import screening_of

_ACCESSION = "ACSN"
_TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def planned_agent(asked: Resource | None, request: Resource) -> Resource | None:
    """The contrast agent that is meant: the one asked for, else the one in the request; None when neither names one."""
    if asked is not None:
        return asked if is_contrast_agent(codes_in(asked)) else None
    return next((one for one in request.get("orderDetail", []) if is_contrast_agent(codes_in(one))), None)


async def text_facts(
    request: Resource,
    patient: Resource,
    agent: Resource,
    dose: Resource,
    route: Resource | None,
    words: Wording,
    desk: Desk,
) -> TextFacts:
    """All that the text says, in the language of its words."""
    limits = limits_of(desk)
    return TextFacts(
        patient=name_of(patient),
        identifiers=tuple(str(one["value"]) for one in patient.get("identifier", []) if one.get("value")),
        birth_date=str(patient.get("birthDate", "")),
        gender=str(patient.get("gender", "")),
        exam=shown(request.get("code")),
        region=words.separator.join(filter(None, (shown(site) for site in request.get("bodySite", [])))),
        number=imaging_number(request),
        agent=shown(agent),
        dose=quantity(dose),
        route=route_shown(route, words),
        observation_minutes=int(limits.limit("observation.minutes").value),
        validity_hours=int(limits.limit("consent.validity_hours").value),
        answers=await _answers(request, words.language, desk),
    )


def route_shown(route: Resource | None, words: Wording) -> str:
    """How the agent is given, in the language of the text."""
    named = (words.routes[code] for _, code in codes_in(route) if code in words.routes)
    return next(named, "") or shown(route) or words.routes["usual"]


def name_of(patient: Resource) -> str:
    """The name a patient is called by."""
    for name in patient.get("name", []):
        return str(name.get("text") or "".join([str(name.get("family", "")), *map(str, name.get("given", []))]))
    return ""


def shown(concept: Resource | None) -> str:
    """A concept in words; its code where it has none."""
    concept = concept or {}
    codings = concept.get("coding", [])
    display = next((str(one["display"]) for one in codings if one.get("display")), "")
    return str(concept.get("text") or display or next((str(one["code"]) for one in codings if one.get("code")), ""))


def quantity(value: Resource) -> str:
    """A quantity as a person reads it."""
    return f"{value.get('value', '')} {value.get('unit') or value.get('code', '')}".strip()


def imaging_number(request: Resource) -> str:
    """The imaging number that order gave a request; empty before it has one."""
    for identifier in request.get("identifier", []):
        if _ACCESSION in {code for _, code in codes_in(identifier.get("type"))}:
            return str(identifier.get("value", ""))
    return ""


async def _answers(request: Resource, language: str, desk: Desk) -> tuple[tuple[str, str], ...]:
    """What the patient has answered in screening, where it was answered: question and answer."""
    person = await merge_set(reference_of(request.get("subject")), desk)
    response = await screening_of(desk, f"ServiceRequest/{request['id']}", person)
    if response is None:
        return ()
    url, _, version = str(response.resource.get("questionnaire", "")).partition("|")
    forms = [one.resource for one in await desk.search(f"Questionnaire?url={url}")]
    form = next((one for one in forms if not version or one.get("version") == version), None)
    asked = {str(item.get("linkId")): item for item in items_of(form)} if form else {}
    found = []
    for item in items_of(response.resource):
        answer = ", ".join(
            filter(None, (_answer(one, asked.get(item["linkId"], {}), language) for one in item.get("answer", [])))
        )
        if answer:
            question = asked.get(item["linkId"], item)
            found.append((translated(question, "text", language) or str(item["linkId"]), answer))
    return tuple(found)


def _answer(answer: Resource, item: Resource, language: str) -> str:
    coding = answer.get("valueCoding")
    if coding is None:
        value = next((held for member, held in answer.items() if member.startswith("value")), "")
        return (
            quantity(value)
            if isinstance(value, dict)
            else {True: "✓", False: "✗"}.get(value, str(value))
            if isinstance(value, bool)
            else str(value)
        )
    options: Sequence[Resource] = [one.get("valueCoding", {}) for one in item.get("answerOption", [])]
    offered = next((one for one in options if one.get("code") == coding.get("code")), coding)
    return translated(offered, "display", language) or str(coding.get("code", ""))


def translated(element: Resource, member: str, language: str) -> str:
    """A text in this language where its translation stands beside it, else as written."""
    for entry in element.get(f"_{member}", {}).get("extension", []):
        parts = {part.get("url"): part for part in entry.get("extension", [])}
        if entry.get("url") == _TRANSLATION and parts.get("lang", {}).get("valueCode", "").startswith(language[:2]):
            return str(parts.get("content", {}).get("valueString", ""))
    return str(element.get(member, ""))
