"""A reaction at the bedside: `$notice` writes it down at two taps, `$record` adds what is seen, done and measured.

What is added is laid into the version that stands at the commit, so that two people who help at once lose nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.telling_apart import in_words, number_in
from slipring_consent.department import limits_of, settings_of
from slipring_consent.handlers.handing_over import last_told
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.observing.task import told
from slipring_consent.reactions import composing
from slipring_consent.reactions.composing import Given
from slipring_consent.reactions.grades import as_severity, meant
from slipring_consent.reactions.handing_over import handover_id
from slipring_consent.reactions.said import WRONG, measures_of, phase_of, suspects_of
from slipring_consent.reactions.timing import timing
from slipring_consent.reading import instant, reference_of

_ALLOWED_AHEAD = timedelta(minutes=5)  # two machines' clocks


async def noticed(call: Call, desk: Desk) -> Changes:
    """Write a reaction down: of one injection there is one that is open, and a second tap finds it."""
    given = _given(call, desk)
    injection, patient = reference_of(call.value("injection")), reference_of(call.value("patient"))
    held = await desk.read(injection) if injection.startswith("MedicationAdministration/") else None
    if held is not None:
        patient = reference_of(held.resource.get("subject"))
    if not patient:
        raise unprocessable(
            "A reaction names its patient, or the injection that is suspected.",
            "不良反应须注明患者或可疑的注射。",
            at=call.at("injection" if injection else "patient"),
            code="required",
            detail="consent.reaction-patient",
        )
    if held is not None and (standing := await _open_one(injection, patient, desk)) is not None:
        event, saves = _added(standing.resource, call, given, desk)
        return await _written(event, standing, saves, desk)
    event = {
        "resourceType": "AdverseEvent",
        "id": desk.new_id(),
        "actuality": "actual",
        "subject": {"reference": patient},
        "date": given.at,
        "recordedDate": instant(desk.now),
    }
    if given.who:
        event["recorder"] = {"reference": given.who}
    exam = reference_of(call.value("exam"))
    if held is not None:
        which = " / ".join(await in_words(held.resource, desk, number=await _number(injection, desk)))
        event["suspectEntity"] = [{"instance": {"reference": injection, "display": which}}]
        exam = exam or exam_of_administration(held.resource)
    elif elsewhere := str(call.value("elsewhere") or "").strip():
        event["suspectEntity"] = [{"instance": {"display": elsewhere}}]
    if exam:
        event = composing.for_exam(event, exam)
    event, saves = _added(composing.in_phase(event, "noticed"), call, given, desk)
    return await _written(event, None, saves, desk)


async def _number(injection: str, desk: Desk) -> int:
    """Which of the injections of its exam it is, as its observation says; one that still runs has none."""
    watched = await desk.search(f"Task?code=observation&focus={injection}")
    return number_in(str(next((one for task in watched for one in told(task.resource, "input", "injection")), "")))


async def recorded(call: Call, desk: Desk) -> Changes:
    """Add to a reaction: kind, grade, signs, measures, vital signs, outcome, effect, phase; each with its time and person."""
    if call.target is None:
        raise unprocessable("Called on one reaction.", "须针对一条不良反应记录调用。", detail="consent.reaction-one")
    event, saves = _added(call.target.resource, call, _given(call, desk), desk)
    return await _written(event, call.target, saves, desk)


async def _open_one(injection: str, patient: str, desk: Desk) -> Stored | None:
    found = await desk.search(f"AdverseEvent?subject={patient}")
    mine = [one for one in found if injection in suspects_of(one.resource, "MedicationAdministration")]
    return next((one for one in mine if phase_of(one.resource) not in ("closed", WRONG)), None)


async def _written(event: Resource, before: Stored | None, saves: list[Save], desk: Desk) -> Changes:
    write = Write("update" if before else "create", event, before)
    if before is not None and event == before.resource:
        return Changes(answer=await _answer(event, Changes.none(), desk))
    changes = await reaction_logged(write, desk)
    if changes.refuse is not None:
        return changes
    stored = Save(event, replaces=before.version if before else None)
    whole = Changes(save=[stored, *saves]).plus(changes)
    return whole.plus(Changes(answer=await _answer(event, changes, desk)))


async def _answer(event: Resource, changes: Changes, desk: Desk) -> Resource:
    """The reaction as it stands, and its newest hand-over where it was told to critical."""
    raised, _ = await last_told(event, desk)
    next_one = handover_id(event, raised + 1)
    raised += any(one.resource["id"] == next_one for one in changes.save)
    shown = {name: value for name, value in event.items() if name != "meta"}
    parts: list[Resource] = [{"name": "return", "resource": shown}]
    if raised:
        parts.append({"name": "handover", "valueReference": {"reference": f"Task/{handover_id(event, raised)}"}})
    suspect = next(iter(suspects_of(event, "MedicationAdministration")), "")
    injection = await desk.read(suspect) if suspect else None
    if injection is not None:
        after = timing(event, injection.resource, limits_of(desk), settings_of(desk).time_zone)
        parts += [{"name": "timing", "valueCode": after[0]}] if after else []
    return {"resourceType": "Parameters", "parameter": parts}


def _given(call: Call, desk: Desk) -> Given:
    who = desk.caller.practitioner or reference_of(call.value("performer"))
    return Given(who=who, at=_moment(call.value("at"), call.at("at"), desk.now))


def _moment(text: Any, at: str, now: datetime) -> str:
    if text is None:
        return instant(now)
    said = zoned(text)
    if said is None or said > now + _ALLOWED_AHEAD:
        raise unprocessable(
            "A time of a reaction has a time zone and is not in the future.",
            "不良反应的时间须带时区且不晚于现在。",
            at=at,
            code="invalid",
            detail="consent.reaction-time",
        )
    return str(text)


def _added(event: Resource, call: Call, given: Given, desk: Desk) -> tuple[Resource, list[Save]]:
    """The reaction with all that the call says, and the vital signs beside it."""
    wrong: list[Issue] = []
    for member in ("kind", "phase", "effect"):
        wrong += _unknown(member, call.value(member), call.at(member))
    wrong += [
        issue
        for code in call.values("manifestation")
        for issue in _unknown("manifestation", code, call.at("manifestation"))
    ]
    measures = [_parts(one) for one in _named(call, "measure")]
    for measure in measures:
        wrong += _unknown("what", measure.get("what"), call.at("measure"))
    leaks = [_parts(one) for one in _named(call, "extravasation")]
    symptoms = [
        str(part.get("valueCode", part.get("valueString", "")))
        for one in _named(call, "extravasation")
        for part in one["part"]
        if part["name"] == "symptom"
    ]
    wrong += [issue for code in symptoms for issue in _unknown("symptom", code, call.at("extravasation"))]
    if (outcome := call.value("outcome")) is not None and outcome not in composing.OUTCOMES:
        wrong.append(_issue(call.at("outcome")))
    severity = call.value("severity")
    if severity is not None and not meant(str(severity.get("system", "")), str(severity.get("code", ""))):
        wrong.append(_issue(call.at("severity")))
    if wrong:
        raise FhirError(422, wrong)
    return _laid(event, call, given, desk, measures, leaks, symptoms)


def _laid(
    event: Resource, call: Call, given: Given, desk: Desk, measures: list[Any], leaks: list[Any], symptoms: list[str]
) -> tuple[Resource, list[Save]]:
    if kind := call.value("kind"):
        event = {**event, "event": composing.coded("kind", kind)}
    if severity := call.value("severity"):
        event = {**event, "severity": as_severity(severity)}
    if onset := call.value("onset"):
        event = {**event, "date": _moment(onset, call.at("onset"), desk.now)}
    for code in call.values("manifestation"):
        event = composing.with_sign(event, code)
    for measure in measures:
        if "at" in measure:
            measure["at"] = _moment(measure["at"], call.at("measure"), desk.now)
        event = composing.with_measure(event, measure, given)
    for leak in leaks:
        event = composing.with_extravasation(event, leak.get("volume"), leak.get("site"), symptoms)
    saves = []
    for vital in (_parts(one) for one in _named(call, "vital")):
        injection = next(iter(suspects_of(event, "MedicationAdministration")), "")
        observed = composing.as_vitals(desk.new_id(), event, vital, injection, given)
        saves.append(Save(observed))
        event = composing.with_vitals(event, f"Observation/{observed['id']}")
    if outcome := call.value("outcome"):
        event = {**event, "outcome": composing.as_outcome(outcome)}
    effect, words = call.value("effect") or "", str(call.value("effectText") or "").strip()
    if effect or words:
        event = composing.with_effect(event, effect, words)
    if reason := str(call.value("reason") or "").strip():
        event = composing.amended(event, reason, given)
    return _phased(event, call, measured=bool(measures)), saves


def _phased(event: Resource, call: Call, *, measured: bool) -> Resource:
    """The phase as it is said; the first measure says that the patient is being treated."""
    if phase := call.value("phase"):
        return composing.in_phase(event, phase)
    if measured and measures_of(event) and phase_of(event) == "noticed":
        return composing.in_phase(event, "under-treatment")
    return event


def _named(call: Call, name: str) -> list[Resource]:
    return [one for one in call.parameters.get("parameter", []) if one.get("name") == name]


def _parts(parameter: Resource) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parameter.get("part", []):
        value = next((value for member, value in part.items() if member.startswith("value")), None)
        if value is not None:
            found.setdefault(part["name"], reference_of(value) if part["name"] == "by" else value)
    return found


def _unknown(member: str, code: Any, at: str) -> list[Issue]:
    known = composing.names_of(composing.SYSTEMS[member])
    return [] if code is None or code in known else [_issue(at)]


def _issue(at: str) -> Issue:
    return Issue(
        "code-invalid",
        zh="编码不在相应目录中。",
        en="This code is not in its list.",
        at=at,
        detail="consent.reaction-code",
    )
