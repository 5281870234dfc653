"""What screening looked at has changed: it is asked again, and whoever is at the injector is told at once (mechanisms 6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slipring.fhir.findings import rule_of
from slipring.fhir.merged import any_of, linked, merge_set, records_of, sought_links
from slipring.fhir.service import Ahead, Arrival, Changes, Desk, Resource, Save, Stored, Write, WriteHandler, successor
from slipring.rules.finding import Finding, Weight

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.department import settings_of
from slipring_consent.handlers.alarms import at_the_injector, untold
from slipring_consent.handlers.requests import OPEN
from slipring_consent.reading import codes_in, reference_of
from slipring_consent.resources import EXAM_STATE, as_screening_task
from slipring_consent.rules import SCREENING_RULES
from slipring_consent.screening.kidneys import LOINC
from slipring_consent.screening.known import (
    answered_by,
    exam_of_response,
    is_our_screening,
    newest_first,
    screening_known,
)
from slipring_consent.screening.pregnancy import PREGNANCY_STATUS, pregnancy_of
from slipring_consent.screening.weighed import weighed
from slipring_consent.verdicts import checked, on_record

_OVER = frozenset({"acquired", "discontinued", "reported", "closed", "cancelled", "rejected"})
_TAKEN_BACK = frozenset({"cancelled", "entered-in-error"})


def ahead(arrival: Arrival) -> Ahead:
    """Whose fact it is, and the screenings he has answered."""
    patients = sorted(_patients(arrival))
    return Ahead(patients, [sought_links(patients), answered_by(any_of(frozenset(patients)))] if patients else [])


async def fact_written(write: Write, desk: Desk) -> Changes:
    """A fact that is kept here, as a new one that arrived; history that is imported asks nobody."""
    if write.imported:
        return Changes.none()
    version = write.before.version + 1 if write.before else 1
    return await fact_arrived(Arrival("", write.resource, version, write.method == "delete", write.before), desk)


def and_weighed(decide: WriteHandler) -> WriteHandler:
    """What is decided on a write, and what follows for screenings when the written is kept."""

    async def decided(write: Write, desk: Desk) -> Changes:
        changes = await decide(write, desk)
        return changes if changes.refuse else changes.plus(untold(await fact_written(write, desk), changes))

    return decided


async def fact_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Look again at every screening of this person whose exam is still ahead, if what is weighed has changed."""
    patients = _patients(arrival)
    if not patients:
        return Changes.none()
    person = await records_of(patients, desk)
    void = await _another_pregnancy(arrival, person, desk)
    own = await _own_exams(arrival.resource, desk)
    changes = Changes.none()
    for reference, responses in (await _standing(person, desk)).items():
        if reference in own:
            continue
        exam = await desk.read(reference)
        if exam is not None and await _ahead(exam, desk):
            changes = changes.plus(await _again(arrival, responses, exam, desk, void=void))
    return changes


async def patient_came(arrival: Arrival, desk: Desk) -> Changes:
    """The patient of an exam has come: what has grown too old since he was screened is asked again, by the same rules."""
    exam = await desk.read(reference_of(arrival.resource.get("focus")))
    if exam is None or not await _ahead(exam, desk):
        return Changes.none()
    person = await merge_set(reference_of(exam.resource.get("subject")), desk)
    responses = (await _standing(person, desk)).get(exam.reference, [])
    return await _again(arrival, responses, exam, desk, void=False) if responses else Changes.none()


async def _again(arrival: Arrival, responses: Sequence[Stored], exam: Stored, desk: Desk, *, void: bool) -> Changes:
    """The newest screening of an exam is the one that counts; when it falls, no older one takes its place."""
    response = responses[0]
    found = [_PREGNANCY_CHANGED] if void else await _new_findings(response, desk)
    if not found:
        return Changes.none()
    patient = reference_of(response.resource["subject"])
    save = on_record(found, desk, patient=patient, about=response.reference)
    if void:
        save += [successor(one, status="stopped") for one in responses]
    keys = []
    if not await _open_tasks(exam.reference, desk):
        save.append(Save(as_screening_task(desk.new_id(), exam.resource, now=desk.now)))
        keys = [f"screening:{exam.reference}/{arrival.reference}/{arrival.version}"]
    zh, en = "".join(one.zh for one in found), " ".join(one.en for one in found)
    told = await at_the_injector(exam.reference, [patient, reference_of(exam.resource.get("subject"))], zh, en, desk)
    return Changes(save=[*save, *told], keys=keys)


async def _new_findings(response: Stored, desk: Desk) -> list[Finding]:
    """What the rules stop, ask or warn of now and did not before; the words carry what was seen."""
    kept = [one.resource for one in await desk.search(f"DetectedIssue?implicated={response.reference}")]
    # What a later version of the answers took back was told for another moment: it is told again.
    known = {(rule_of(one), one.get("detail")) for one in kept if one.get("status") not in _TAKEN_BACK}
    found = checked(await screening_known(desk, response.resource), SCREENING_RULES, desk)
    return [one for one in found if one.weight is not Weight.INFO and (one.rule, one.zh) not in known]


async def _another_pregnancy(arrival: Arrival, person: Collection[str], desk: Desk) -> bool:
    """Whether the newest pregnancy status is another one than before; one that was never stated changed nothing."""
    if not any(code == PREGNANCY_STATUS for _, code in codes_in(arrival.resource.get("code"))):
        return False
    now = [
        one.resource
        for one in await desk.search(f"Observation?patient={any_of(frozenset(person))}&code={LOINC}|{PREGNANCY_STATUS}")
    ]
    others = [one for one in now if one["id"] != arrival.resource["id"]]
    zone = settings_of(desk).time_zone
    was = pregnancy_of([*others, *([arrival.before.resource] if arrival.before else [])], zone)
    return was not in ("", pregnancy_of(now, zone))


async def _standing(person: Collection[str], desk: Desk) -> dict[str, list[Stored]]:
    """The answered screenings of a person by their exam, the newest first."""
    found = await desk.search(answered_by(any_of(frozenset(person))))
    by_exam: dict[str, list[Stored]] = {}
    for one in newest_first((one for one in found if is_our_screening(one.resource)), desk):
        by_exam.setdefault(exam_of_response(one.resource), []).append(one)
    return by_exam


def _patients(arrival: Arrival) -> frozenset[str]:
    """Of whom something that is weighed has changed; a record that is new and nobody else's has answered nothing yet."""
    now, before = ({} if arrival.deleted else arrival.resource), arrival.before.resource if arrival.before else {}
    if weighed(now) == weighed(before):
        return frozenset()
    if arrival.resource["resourceType"] != "Patient":
        return frozenset(
            filter(None, (reference_of(one.get("subject") or one.get("patient")) for one in (now, before)))
        )
    others = linked(now) | linked(before)
    return others | {arrival.reference} if before or others else frozenset()


async def _own_exams(fact: Resource, desk: Desk) -> frozenset[str]:
    """The exam at which contrast was given, or a reaction came: it is not asked again about what it did itself."""
    given = [fact] if fact["resourceType"] == "MedicationAdministration" else []
    for suspect in fact.get("suspectEntity", []):
        stored = await desk.read(reference_of(suspect.get("instance")))
        given += [stored.resource] if stored else []
    return frozenset(map(exam_of_administration, given))


async def _ahead(exam: Stored, desk: Desk) -> bool:
    """Whether an exam may still be given contrast."""
    if exam.resource.get("status") != "active":
        return False
    tasks = await desk.search(f"Task?focus={exam.reference}&code=exam")
    states = {
        code for one in tasks for system, code in codes_in(one.resource.get("businessStatus")) if system == EXAM_STATE
    }
    return not states & _OVER


async def _open_tasks(exam: str, desk: Desk) -> list[Stored]:
    return [one for one in await desk.search(f"Task?code=screening&focus={exam}") if one.resource["status"] in OPEN]


_PREGNANCY_CHANGED = Finding(
    "consent.pregnancy-changed", "1", "CL02-A011:5.4.1", Weight.STOP,
    "妊娠状态已变化，原对比剂筛查失效，须重新筛查。",
    "The pregnancy status changed: the screening no longer holds and is asked again.",
    "QuestionnaireResponse.status",
)  # fmt: skip
