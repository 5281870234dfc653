"""Chapters one to three: order with a missing item, completed and justified; arrival."""

from __future__ import annotations

import uuid

from slipring_demo.cast import SYNTHETIC, C
from slipring_demo.contrast import an_egfr
from slipring_demo.lots import a_weight
from slipring_demo.scene import Cast, Scene, Tree
from slipring_demo.teller import StepFailed

_TRIES = 5
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_PULMONARY_CTA = {"system": "http://loinc.org", "code": "36147-7", "display": "CTA Pulmonary arteries W contrast IV"}
_SAID = {
    "surgery-endoscopy": "none",
    "pathology": "none",
    "earlier-imaging": "unknown",
    "precautions": "sent and acknowledged",
    "consent-information": "sent and acknowledged",
}


def order_with_a_missing_item(scene: Scene) -> None:
    """The HIS posts a request that says nothing about laboratory results."""
    teller = scene.teller
    teller.say("The HIS orders a CT and forgets one item")
    teller.created(an_egfr(scene))  # before the request: who follows both sees it first
    teller.created(a_weight(scene))
    request = a_request(scene)
    if scene.patient.get("gender") == "female":
        status = teller.created(not_pregnant(scene))
        request["supportingInfo"] = [{"reference": f"Observation/{status['id']}"}]
    scene.request = teller.created(
        request, If_None_Exist=f"identifier={C}/his-order|{request['identifier'][0]['value']}"
    )
    task = teller.wait_for(f"Task?based-on={scene.exam}&code=exam", "the exam's Task", seconds=5)
    teller.must(scene.state() == "awaiting-information", "held: awaiting-information, nothing is scheduled")
    for concept in [task.get("statusReason", {})]:
        teller.note(f"missing: {concept.get('text') or concept}")
    teller.note(f"imaging number {scene.imaging_number}")


def completed_and_justified(scene: Scene) -> None:
    """The item is supplied; the rules judge again."""
    teller = scene.teller
    teller.say("The HIS supplies it; the rules judge the exam justified")
    scene.request["extension"].append(stated("laboratory", "D-dimer 4.1 mg/L (synthetic)"))
    if scene.repeat_reason:
        scene.request["extension"].append(_answered("J08", scene.repeat_reason))
    scene.request = teller.saved(scene.request)
    teller.must(scene.state() == "justified", "justified")
    for answer in teller.found(f"GuidanceResponse?subject={scene.subject['reference']}", quiet=True)[-1:]:
        teller.note(f"recorded: GuidanceResponse/{answer['id']} ({answer['status']})")


def arrival(scene: Scene) -> None:
    """Scheduled on a scanner, arrived, identity checked."""
    scene.teller.say("Scheduled, arrived, identity checked")
    for state in ("scheduled", "arrived"):
        move(scene, state)
    scene.teller.must(scene.state() == "arrived", "arrived")


def move(scene: Scene, state: str) -> None:
    """Move the exam by its Task's businessStatus; the state table decides.

    Order itself writes to the Task when consent and screening arrive: who comes in between reads again.
    """
    for _ in range(_TRIES):
        task = scene.task()
        task["businessStatus"] = {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": state}]}
        if scene.teller.saved(task, (200, 412))["resourceType"] == "Task":
            return
    raise StepFailed(f"the exam's Task changed {_TRIES} times while it was moved to {state}")


def identity_confirmed(cast: Cast, *more: str) -> Tree:
    """What the technologist says before the scan: number and birth date agree, and this is the examination."""
    number = next(one for one in cast.patient["identifier"])
    shown = {name: number[name] for name in ("system", "value") if name in number}
    return {
        "resourceType": "Parameters",
        "parameter": [
            *({"name": "item", "valueCode": item} for item in ("identity-confirmed", "item-confirmed", *more)),
            {"name": "identifier", "valueIdentifier": shown},
            {"name": "birthDate", "valueDate": cast.patient["birthDate"]},
            {"name": "performer", "valueReference": cast.person("technologist")},
        ],
    }


def a_request(cast: Cast) -> Tree:
    """A request for pulmonary arteries with contrast, which says nothing about the laboratory; given an earlier study, for that."""
    coding, site = _PULMONARY_CTA, None
    if cast.earlier_study:
        codes = [c for concept in cast.earlier_study.get("procedureCode", []) for c in concept.get("coding", [])]
        coding = codes[0] if codes else coding
        site = next((s.get("bodySite") for s in cast.earlier_study.get("series", []) if s.get("bodySite")), None)
    return {
        "resourceType": "ServiceRequest",
        "meta": SYNTHETIC,
        "extension": [stated(item, said) for item, said in _SAID.items()],
        "identifier": [
            {
                "type": {"coding": [{"system": _V2_0203, "code": "PLAC"}]},
                "system": f"{C}/his-order",
                "value": f"HIS-{uuid.uuid4().hex[:10]}",
            }
        ],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}]}],
        "code": {"coding": [coding]},
        "bodySite": [
            {"coding": [site or {"system": "http://snomed.info/sct", "code": "816094009", "display": "Chest"}]}
        ],
        "orderDetail": [{"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}]}],
        "subject": cast.subject,
        "requester": cast.person("requester"),
        "performer": [{"reference": cast.ward}],
        "authoredOn": cast.moment(),
        "reasonCode": [
            {
                "text": "Sudden dyspnoea and chest pain for two hours; pulmonary embolism? 突发呼吸困难伴胸痛2小时，肺栓塞？"
            }
        ],
    }


def stated(item: str, said: str) -> Tree:
    """What the request says about one item of 5.4.3."""
    return {
        "url": f"{C}/StructureDefinition/clinical-data",
        "extension": [{"url": "item", "valueCode": item}, {"url": "statement", "valueString": said}],
    }


def _answered(rule: str, answer: str) -> Tree:
    parts = [{"url": "rule", "valueCode": rule}, {"url": "answer", "valueString": answer}]
    return {"url": f"{C}/StructureDefinition/rule-answer", "extension": parts}


def not_pregnant(cast: Cast) -> Tree:
    """The pregnancy status, as J03 asks for it."""
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "subject": cast.subject,
        "effectiveDateTime": cast.moment(),
        "valueCodeableConcept": {
            "coding": [{"system": "http://loinc.org", "code": "LA26683-5", "display": "Not pregnant"}]
        },
    }
