"""Faults that the gates make impossible: each is tried through the API, and the refusal is the evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring_demo.cast import C
from slipring_demo.contrast import a_consent, a_screening, an_egfr, an_injection
from slipring_demo.lots import a_lot, a_weight

from .living import Exam, Quarter
from .loading import loaded
from .wrong import Left, fault, refusal
from .wrong_people import but, joined

Tree = dict[str, Any]
_YES = {"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0532", "code": "Y"}}


async def _tried(quarter: Quarter, exam: Exam, injection: Tree | None = None) -> Left:
    await quarter.department.fresh()
    return refusal(await quarter.department.post("MedicationAdministration", injection or an_injection(exam.cast)))


@fault("egfr-too-old", turn=0)
async def old_egfr(quarter: Quarter) -> Left:
    [exam] = await quarter.patients("vessels", known=False)
    old = an_egfr(exam.cast) | {"effectiveDateTime": exam.cast.moment(timedelta(days=-214))}
    await loaded(quarter.department, [("old egfr", old), ("weight", a_weight(exam.cast))])
    screened = a_screening(exam.cast)
    for item in screened["item"]:
        if item["linkId"] == "kidney-disease":
            item["answer"] = [_YES]
    await exam.made(screened)
    await exam.made(a_consent(exam.cast))
    return await _tried(quarter, exam)


@fault("contrast-against-contraindication", turn=0)
async def contraindicated(quarter: Quarter) -> Left:
    exam = await quarter.next_of("patients", "vessels", 4)
    await exam.made(a_screening(exam.cast, "severe"))
    await exam.made(a_consent(exam.cast))
    return await _tried(quarter, exam)


@fault("nurse-of-rank-one", turn=0)
async def young(quarter: Quarter) -> Left:
    exam = await quarter.next_of("patients", "vessels", 4)
    await exam.permitted()
    who = {"reference": await joined(quarter, "young nurse", "junior-nurse", ("ct-nurse",), *but("none"))}
    injection = an_injection(exam.cast)
    injection["performer"][0]["actor"] = who
    return await _tried(quarter, exam, injection)


@fault("reagent-used-unaccepted", turn=0)
async def unaccepted(quarter: Quarter) -> Left:
    exam = await quarter.next_of("patients", "vessels", 4)
    await exam.permitted()
    lot = a_lot("Q-FDG") | {"code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V09IX04"}]}}
    injection = an_injection(exam.cast) | {
        "medicationReference": {"reference": (await loaded(quarter.department, [("fdg", lot)]))["fdg"]}
    }
    return await _tried(quarter, exam, injection)


@fault("observation-released-early", turn=0)
async def early(quarter: Quarter) -> Left:
    exam = await quarter.next_of("patients", "vessels", 4)
    await exam.permitted()
    await quarter.department.fresh()
    await exam.contrast()
    await quarter.department.wait(minutes=10)
    [watch] = await quarter.department.found(f"Task?code=observation&focus={exam.given}")
    by = {"name": "by", "valueReference": {"reference": quarter.at["nurse"]}}
    said = {"resourceType": "Parameters", "parameter": [by, {"name": "cannulaRemoved", "valueBoolean": True}]}
    left = refusal(await quarter.department.post(f"Task/{watch['id']}/$release", said))
    await quarter.department.wait(minutes=21)
    await exam.released()
    return left


def reaction(id: str, url: str) -> None:
    """A reaction that is closed without something."""

    @fault(id, turn=0)
    async def bare(quarter: Quarter) -> Left:
        exam = next(one for one in quarter.exams if one.given)
        now = quarter.department.clock.now().isoformat(timespec="seconds")
        phase = {"url": f"{C}/StructureDefinition/reaction-phase", "valueCode": "closed"}
        nurse = {"reference": quarter.at["nurse"]}
        measure = {
            "url": f"{C}/StructureDefinition/measures",
            "extension": [{"url": "note", "valueString": "抗组胺药"}, {"url": "by", "valueReference": nurse}],
        }
        effect = {"url": f"{C}/StructureDefinition/effect-on-result", "valueString": "无影响"}
        coded = "http://terminology.hl7.org/CodeSystem"
        event = {
            "resourceType": "AdverseEvent", "actuality": "actual", "subject": exam.cast.subject, "date": now, "recorder": nurse,
            "suspectEntity": [{"instance": {"reference": exam.given}}],
            "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "physiologic"}]},
            "severity": {"coding": [{"system": f"{coded}/adverse-event-severity", "code": "mild"}]},
            "outcome": {"coding": [{"system": f"{coded}/adverse-event-outcome", "code": "resolved"}]},
            "extension": [one for one in (phase, measure, effect) if not one["url"].endswith(url)],
        }  # fmt: skip
        return refusal(await quarter.department.post("AdverseEvent", event))


reaction("reaction-without-effect", "effect-on-result")
reaction("reaction-without-measures", "measures")


def correction(id: str, *steps: str) -> None:
    """A nonconformity that is closed without what closing takes."""

    @fault(id, turn=0)
    async def closed(quarter: Quarter) -> Left:
        from .rounds import STATE, settled

        place = await settled(quarter, "nonconformity", f"{id}", until=len(steps))
        kept = await quarter.department.get(place)
        return refusal(
            await quarter.department.put(kept | {"businessStatus": {"coding": [{"system": STATE, "code": "closed"}]}})
        )


correction("nonconformity-without-cause")
correction("nonconformity-effect-unverified", "analysed", "planned", "carried-out")
