"""The screening form answered as far as records say, each answer with the records it comes from. Pure.

What records do not hold is left to be asked: absence is no "no", and a doubt is no "yes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import instant
from slipring_consent.screening.answers import UNKNOWN
from slipring_consent.screening.circumstances import earlier_contrast
from slipring_consent.screening.evidence import Evidence
from slipring_consent.screening.gathered import SEVERAL, linked_to
from slipring_consent.screening.history import YES, told_by
from slipring_consent.screening.person import person_of
from slipring_consent.screening.pregnancy import status_now
from slipring_consent.screening.reactions_told import GRADES, Told, reactions_told, severe_allergies

_ASKED_DAYS = 14  # the words of the question
_STATED = {"yes": "Y", "no": "N"}
PREFILLED_FROM = f"{CANONICAL}/StructureDefinition/prefilled-from"


@dataclass(frozen=True, slots=True)
class Prefilled:
    """One answer: the code of an option or a moment, and the records that say so."""

    code: str = ""
    moment: str = ""
    sources: tuple[str, ...] = ()


def as_response(
    form: Resource, prefilled: Mapping[str, Prefilled], *, subject: str, exam: str, now: datetime
) -> Resource:
    """The QuestionnaireResponse in progress: every question with its words, the known ones answered."""
    response: Resource = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "in-progress",
        "subject": {"reference": subject},
        "authored": instant(now),
    }
    if exam:
        response["basedOn"] = [{"reference": exam}]
    response["item"] = [_item(question, prefilled.get(question["linkId"])) for question in form["item"]]
    return response


def prefilled_of(evidence: Evidence, now: datetime, zone: str, denied_for: timedelta) -> dict[str, Prefilled]:
    """What records answer of the form, by linkId; that a patient is not pregnant counts for `denied_for`."""
    found = {
        linked_to(fact): Prefilled("Y", sources=_sources(record for strength, record in said if strength == YES))
        for fact, said in told_by(evidence, now, zone).items()
        if any(strength == YES for strength, _ in said)
    }
    allergies = severe_allergies(evidence)
    if len(allergies) >= SEVERAL:
        found["severe-allergies"] = Prefilled("Y", sources=_sources(allergies))
    found |= _reaction(reactions_told(evidence))
    found |= _contrast(evidence, now, zone)
    return _pregnancy(evidence, now, zone, denied_for) | found


def _reaction(told: list[Told]) -> dict[str, Prefilled]:
    """The worst reaction that records tell of, with its kind and agent when they are said."""
    worst = max(told, key=lambda one: GRADES.index(one.grade), default=None)
    if worst is None:
        return {}
    sources = _sources([one.by for one in told if one.by and one.grade == worst.grade])
    found = {"prior-reaction": Prefilled(worst.grade, sources=sources)}
    if worst.grade != UNKNOWN:
        said = {"prior-reaction-kind": worst.kind if worst.kind != UNKNOWN else "", "prior-reaction-agent": worst.agent}
        found |= {link: Prefilled(code, sources=_sources([worst.by])) for link, code in said.items() if code}
    return found


def _contrast(evidence: Evidence, now: datetime, zone: str) -> dict[str, Prefilled]:
    """The newest earlier contrast, when it falls within the days that the form asks about."""
    given = [(at, record) for at, record in earlier_contrast(evidence, zone) if at.low <= now]
    if not given:
        return {}
    at, record = max(given, key=lambda one: one[0].high)
    if (now - at.high).days >= _ASKED_DAYS:
        return {}
    period = record.get("effectivePeriod", {})
    written = str(record.get("effectiveDateTime") or period.get("end") or period.get("start"))
    sources = _sources([record])
    return {"recent-contrast": Prefilled("Y", sources=sources), "last-contrast": Prefilled("", written, sources)}


def _pregnancy(evidence: Evidence, now: datetime, zone: str, denied_for: timedelta) -> dict[str, Prefilled]:
    """What the newest status states; of a man his record says it."""
    patients = list(evidence.of("Patient"))
    if person_of(patients).sex == "male":
        return {"pregnancy": Prefilled("N", sources=_sources(patients))}
    newest = status_now(evidence.of("Observation"), now, zone, denied_for)
    if newest is None or newest[0] not in _STATED:
        return {}
    return {"pregnancy": Prefilled(_STATED[newest[0]], sources=_sources([newest[1]]))}


def _sources(records: Iterable[Resource | None]) -> tuple[str, ...]:
    return tuple(sorted({f"{one['resourceType']}/{one['id']}" for one in records if one and "id" in one}))


def _item(question: Resource, prefilled: Prefilled | None) -> Resource:
    item: Resource = {"linkId": question["linkId"], "text": question["text"], "_text": question["_text"]}
    answer = _answer(question, prefilled) if prefilled else None
    if answer and prefilled:
        sources = [{"url": PREFILLED_FROM, "valueReference": {"reference": one}} for one in prefilled.sources]
        item["answer"] = [{"extension": sources, **answer}]
    return item


def _answer(question: Resource, prefilled: Prefilled) -> Resource | None:
    """The option with this code; None where the form has none, as an earlier version may not."""
    if question["type"] == "dateTime":
        return {"valueDateTime": prefilled.moment} if prefilled.moment else None
    options = [one["valueCoding"] for one in question.get("answerOption", [])]
    chosen = next((one for one in options if one["code"] == prefilled.code), None)
    return {"valueCoding": dict(chosen)} if chosen else None
